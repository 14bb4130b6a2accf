//! What a seed draws: the faults, what buyers want, and what organisers do. The same seed is the same plan;
//! how far a run gets in it, and what each part meets, is up to time.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// How many people buy.
pub(crate) const BUYERS: usize = 40;
/// How many events are on sale at a time.
pub(crate) const EVENTS: usize = 4;

/// A plan without an end.
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    targets: Vec<Target>,
}

/// What can be struck, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub blow: Blow,
    /// Such as `booking-service/1`, `kafka`, or `postgres/0` for the way of instance 0 to Postgres; in a cluster
    /// `kafka/2` or `postgres/primary`.
    pub name: String,
    /// How often, beside the others.
    pub weight: u32,
}

/// How something is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blow {
    /// `kill -9`.
    Kill,
    /// It stands still, and its sessions end meanwhile.
    Freeze,
    /// `kill -9`, and it never comes back: another takes its place.
    KillForGood,
    /// It stands still, another takes its place, and then it goes on.
    Replace,
    /// Its open connections say nothing any more.
    Cut,
    /// The provider takes longer than anybody waits: what it does is not heard.
    LoseAnswers,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// After the one before has ended.
    pub pause: Duration,
    pub blow: Blow,
    pub target: String,
    pub lasts: Duration,
}

/// What a buyer wants of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub number: u64,
    /// After the one before.
    pub pause: Duration,
    pub buyer: usize,
    pub event: usize,
    pub ticket: &'static str,
    pub quantity: u32,
    pub presses_twice: bool,
    pub orders_again: Option<Again>,
    /// What is paid with, one after another; nothing: the buyer walks away.
    pub tokens: Vec<&'static str>,
    /// What the buyer does on the provider's page, if it comes to that.
    pub on_page: Option<&'static str>,
    pub cancels: Option<Cancel>,
}

/// How an order is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    UnderSameKey,
    UnderNewKey,
}

/// When a buyer cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    AtOnce,
    BeforePaying,
    WhilePaying,
    Afterwards,
}

/// What an organiser does with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub number: u64,
    /// After the one before.
    pub pause: Duration,
    pub event: usize,
    pub kind: ActKind,
}

/// What can be done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActKind {
    Rename,
    Enlarge,
    MovePlace,
    MoveTime,
    /// Another takes its place.
    CancelEvent,
}

/// What random numbers are for, beside the rows of faults.
const ERRANDS: u64 = 1 << 32;
const ACTS: u64 = ERRANDS + 1;

/// What buyers pay with, as often as it is listed.
const TOKENS: [&[&str]; 16] = [
    &["tok_approved"],
    &["tok_approved"],
    &["tok_approved"],
    &["tok_approved"],
    &["tok_approved"],
    &["tok_insufficient_funds", "tok_approved"],
    &["tok_stolen_card"],
    &["tok_slow"],
    &["tok_answer_lost"],
    &["tok_answer_lost"],
    &["tok_never_arrives"],
    &["tok_executes_late"],
    &["tok_action_required"],
    &["tok_refund_refused"],
    &["tok_refund_pending"],
    &[],
];

impl Plan {
    /// What this seed draws, with faults of these targets.
    pub fn new(seed: u64, targets: Vec<Target>) -> Self {
        Self { seed, targets }
    }

    /// The faults, one after another. Rows of another number are others, and strike at the same time.
    pub fn faults(&self, row: u64) -> impl Iterator<Item = Fault> {
        (0..).map_while(move |number| {
            let random = &mut self.random(row, number);
            let target = self.targets.choose_weighted(random, |target| target.weight).ok()?;
            let lasts = match target.blow {
                Blow::Kill | Blow::KillForGood => 0..=3_000,
                Blow::Freeze | Blow::Replace => 7_000..=12_000,
                Blow::Cut => 0..=0,
                Blow::LoseAnswers => 3_000..=4_500,
            };
            Some(Fault {
                pause: milliseconds(random, 2_000..=12_000),
                blow: target.blow,
                target: target.name.clone(),
                lasts: milliseconds(random, lasts),
            })
        })
    }

    /// What buyers want, one after another.
    pub fn errands(&self) -> impl Iterator<Item = Errand> {
        (0..).map(|number| {
            let random = &mut self.random(ERRANDS, number);
            let cancels = match random.random_range(0..20) {
                0 => Some(Cancel::AtOnce),
                1 => Some(Cancel::BeforePaying),
                2 | 3 => Some(Cancel::WhilePaying),
                4..7 => Some(Cancel::Afterwards),
                _ => None,
            };
            Errand {
                number,
                pause: milliseconds(random, 20..=380),
                buyer: random.random_range(0..BUYERS),
                event: random.random_range(0..EVENTS),
                ticket: if random.random_ratio(1, 6) { "Free" } else { "Seat" },
                quantity: random.random_range(1..=3),
                presses_twice: random.random_ratio(1, 6),
                orders_again: match random.random_range(0..12) {
                    0 => Some(Again::UnderSameKey),
                    1 => Some(Again::UnderNewKey),
                    _ => None,
                },
                tokens: one(random, &TOKENS).to_vec(),
                on_page: one(random, &[Some("approve"), Some("approve"), Some("decline"), None]),
                cancels,
            }
        })
    }

    /// What organisers do, one after another.
    pub fn acts(&self) -> impl Iterator<Item = Act> {
        (0..).map(|number| {
            let random = &mut self.random(ACTS, number);
            Act {
                number,
                pause: milliseconds(random, 1_500..=4_500),
                event: random.random_range(0..EVENTS),
                kind: match random.random_range(0..20) {
                    0 => ActKind::CancelEvent,
                    1..6 => ActKind::Rename,
                    6..10 => ActKind::MovePlace,
                    10..14 => ActKind::MoveTime,
                    _ => ActKind::Enlarge,
                },
            }
        })
    }

    /// Of its own for each thing, so that nothing changes what the others draw.
    fn random(&self, kind: u64, number: u64) -> StdRng {
        let mut seed = [0; 32];
        for (place, part) in [self.seed, kind, number].into_iter().enumerate() {
            seed[8 * place..8 * (place + 1)].copy_from_slice(&part.to_le_bytes());
        }
        StdRng::from_seed(seed)
    }
}

fn milliseconds(random: &mut StdRng, range: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(random.random_range(range))
}

fn one<T: Copy>(random: &mut StdRng, of: &[T]) -> T {
    of[random.random_range(0..of.len())]
}
