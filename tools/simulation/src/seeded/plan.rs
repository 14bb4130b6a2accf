//! What a run is about: its events, its buyers, who edits what, who operates. A seed draws it, and shrinking leaves parts out.

use std::{collections::BTreeSet, time::Duration};

use super::{
    faults::Fault,
    random::{Random, hash},
};

/// A run, all of it: the same plan is the same run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Another number draws other latencies, and nothing else.
    pub(crate) schedule: u64,
    pub(crate) events: Vec<EventPlan>,
    pub(crate) buyers: Vec<BuyerPlan>,
    pub(crate) edits: Vec<EditPlan>,
    /// Those who act while faults strike.
    pub(crate) operators: Vec<OperatorPlan>,
    /// Only these faults strike; `None`: those that the seed draws.
    pub(crate) only: Option<BTreeSet<Fault>>,
}

#[derive(Clone, Debug)]
pub(crate) struct EventPlan {
    /// Of each ticket type: the price in rupiah, and the capacity.
    pub(crate) types: Vec<(i64, u32)>,
    /// Whether a confirmed booking can be cancelled for a refund.
    pub(crate) is_refundable: bool,
    pub(crate) max_per_buyer: Option<u32>,
}

/// What a buyer does about one order.
#[derive(Clone, Debug)]
pub(crate) struct BuyerPlan {
    /// Names the buyer's tasks, ids and keys.
    pub(crate) number: u64,
    /// Several orders may be one person's.
    pub(crate) user: u64,
    pub(crate) at: Duration,
    pub(crate) event: usize,
    /// Ticket types by their index, with quantities.
    pub(crate) items: Vec<(usize, u32)>,
    pub(crate) has_key: bool,
    pub(crate) expects_price: bool,
    pub(crate) presses_twice: bool,
    /// What is paid with, one after another.
    pub(crate) tokens: Vec<&'static str>,
    /// When a payment is wanted again that has no answer yet.
    pub(crate) pays_twice: bool,
    pub(crate) cancels_after: Option<Duration>,
    /// How long the buyer thinks before paying.
    pub(crate) pays_after: Duration,
}

impl BuyerPlan {
    /// Somebody who buys a ticket for this event when all else is over.
    pub(crate) fn late(event: usize) -> Self {
        Self {
            number: 1_000 + event as u64,
            user: 1_000 + event as u64,
            at: Duration::ZERO,
            event,
            items: vec![(0, 1)],
            has_key: true,
            expects_price: false,
            presses_twice: false,
            tokens: vec!["tok_approved"],
            pays_twice: false,
            cancels_after: None,
            pays_after: Duration::ZERO,
        }
    }
}

/// What an organiser or an admin does.
#[derive(Clone, Debug)]
pub(crate) struct EditPlan {
    pub(crate) number: u64,
    pub(crate) at: Duration,
    pub(crate) edit: Edit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    CancelEvent(usize),
    /// Of the first ticket type.
    Capacity(usize, u32),
    Price(usize, i64),
    Close(usize),
    Venue(usize),
    EraseUser(u64),
}

/// How an operator works.
#[derive(Clone, Debug)]
pub(crate) struct OperatorPlan {
    pub(crate) number: u64,
    pub(crate) at: Duration,
    /// How often they look at what there is to do.
    pub(crate) looks: u32,
    /// How long they think before they do it.
    pub(crate) thinks: Duration,
    /// How long they do something else before they look again.
    pub(crate) pause: Duration,
    pub(crate) presses_twice: bool,
    /// Somebody else looks at the same time and does the same.
    pub(crate) has_colleague: bool,
}

const TOKENS: [&str; 14] = [
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_insufficient_funds",
    "tok_insufficient_funds",
    "tok_expired_card",
    "tok_stolen_card",
    "tok_slow",
    "tok_refund_refused",
    "tok_refund_pending",
    "tok_action_required",
    "tok_action_required",
];

impl Plan {
    /// What this seed draws.
    pub fn of_seed(seed: u64) -> Self {
        let random = &mut Random::of(&[seed, 1]);
        let events: Vec<_> = (0..random.between(1, 3)).map(|_| event(random)).collect();
        let users = random.between(2, 24);
        let buyers = random.between(4, 48);
        let buyers: Vec<_> =
            (0..buyers).map(|number| buyer(seed, number, users, &events)).collect();
        let edits = (0..random.below(5)).map(|number| edit(seed, number, events.len(), users));
        let edits = edits.collect();
        let operators = Random::of(&[seed, 107]).below(3);
        let operators = (0..operators).map(|number| operator(seed, number)).collect();
        Self { seed, schedule: 0, events, buyers, edits, operators, only: None }
    }
}

fn event(random: &mut Random) -> EventPlan {
    let is_free = random.chance(200);
    let kinds = random.between(1, 3);
    let types = (0..kinds).map(|_| {
        let price = if is_free { 0 } else { 1_000 * random.between(0, 5) as i64 };
        (price, random.between(1, 80) as u32)
    });
    EventPlan {
        types: types.collect(),
        is_refundable: random.chance(750),
        max_per_buyer: random.chance(200).then(|| random.between(1, 6) as u32),
    }
}

fn buyer(seed: u64, number: u64, users: u64, events: &[EventPlan]) -> BuyerPlan {
    let random = &mut Random::of(&[seed, 29, number]);
    let event = random.below(events.len() as u64) as usize;
    let kinds = events[event].types.len() as u64;
    let first = random.below(kinds) as usize;
    let mut items = vec![(first, random.between(1, 3) as u32)];
    if kinds > 1 && random.chance(300) {
        items.push(((first + 1) % kinds as usize, 1));
    }
    let tokens = match random.below(10) {
        0 => vec![],
        _ => (0..random.between(1, 3)).map(|_| random.one(&TOKENS)).collect(),
    };
    let cancels_after = match random.below(10) {
        0 | 1 => Some(Duration::from_millis(random.below(4_000))),
        2 => Some(Duration::from_millis(random.below(120_000))),
        _ => None,
    };
    // Some act when their time is nearly over.
    let is_late = random.chance(150);
    let late = |random: &mut Random| Duration::from_millis(885_000 + random.below(35_000));
    let cancels_after = match is_late && random.chance(600) {
        true => Some(late(random)),
        false => cancels_after,
    };
    let pays_after = if is_late { late(random) } else { Duration::ZERO };
    BuyerPlan {
        number,
        user: random.below(users),
        at: Duration::from_millis(random.below(60_000)),
        event,
        items,
        has_key: random.chance(800),
        expects_price: random.chance(300),
        presses_twice: random.chance(200),
        tokens,
        pays_twice: random.chance(200),
        cancels_after,
        pays_after,
    }
}

fn edit(seed: u64, number: u64, events: usize, users: u64) -> EditPlan {
    let random = &mut Random::of(&[seed, 31, number]);
    let event = random.below(events as u64) as usize;
    let edit = match random.below(7) {
        0 | 1 => Edit::CancelEvent(event),
        2 => Edit::Capacity(event, random.between(1, 40) as u32),
        3 => Edit::Price(event, 1_000 * random.between(1, 9) as i64),
        4 => Edit::Close(event),
        5 => Edit::Venue(event),
        _ => Edit::EraseUser(random.below(users)),
    };
    EditPlan { number: hash(&[number]), at: Duration::from_millis(random.below(90_000)), edit }
}

fn operator(seed: u64, number: u64) -> OperatorPlan {
    let random = &mut Random::of(&[seed, 109, number]);
    let is_slow = random.chance(200);
    OperatorPlan {
        number,
        at: Duration::from_millis(10_000 + random.below(80_000)),
        looks: random.between(1, 6) as u32,
        thinks: Duration::from_millis(random.below(if is_slow { 90_000 } else { 4_000 })),
        pause: Duration::from_millis(5_000 + random.below(40_000)),
        presses_twice: random.chance(300),
        has_colleague: random.chance(300),
    }
}
