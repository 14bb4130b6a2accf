//! What clients have seen: what they were promised, how long they waited, and the first rule that was broken.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use karcis_fleet::Violation;
use karcis_kernel::BookingId;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use crate::plan::Fault;

/// A rule was broken, and is noted: nobody goes on.
#[derive(Debug)]
pub(crate) struct Broken;

/// What a buyer was told about a booking.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promise {
    pub(crate) is_paid: bool,
    pub(crate) is_cancelled: bool,
}

/// Everything that was seen so far.
pub(crate) struct Seen {
    noted: Mutex<Noted>,
    broken: watch::Sender<Option<Violation>>,
}

#[derive(Default)]
struct Noted {
    /// What an order's key was answered with.
    orders: HashMap<String, BookingId>,
    promises: HashMap<BookingId, Promise>,
    /// Of each fault, what it was, and when it began and ended.
    faults: Vec<(String, Instant, Instant)>,
    /// How often each kind of fault struck.
    struck: BTreeMap<String, u64>,
    /// Of each booking that could be paid or was confirmed: when it was ordered, and when that was seen.
    passed: Vec<(Instant, Instant)>,
    /// Requests that had to be sent again, by why.
    retries: BTreeMap<String, u64>,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self { noted: Mutex::default(), broken: watch::Sender::new(None) }
    }

    /// Notes a broken rule, unless one was noted before.
    pub(crate) fn broke(&self, violation: Violation) -> Broken {
        self.broken.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(violation);
            is_first
        });
        Broken
    }

    /// The rule that was broken first.
    pub(crate) fn broken(&self) -> Option<Violation> {
        self.broken.borrow().clone()
    }

    /// Waits until a rule is broken.
    pub(crate) async fn is_broken(&self) {
        let mut broken = self.broken.subscribe();
        // The sender is ours.
        let _ = broken.wait_for(Option::is_some).await;
    }

    /// An order under this key was answered with this booking.
    pub(crate) fn ordered(&self, key: &str, booking: BookingId) -> Result<(), Broken> {
        let mut noted = self.noted();
        let first = *noted.orders.entry(key.to_owned()).or_insert(booking);
        noted.promises.entry(booking).or_default();
        drop(noted);
        if first == booking {
            return Ok(());
        }
        let what = format!("key {key} is answered with this booking, and was with {first}");
        Err(self.broke(Violation::new(13, Some(booking), what)))
    }

    /// A buyer was told more about a booking.
    pub(crate) fn promised(&self, booking: BookingId, promise: impl FnOnce(&mut Promise)) {
        promise(self.noted().promises.entry(booking).or_default());
    }

    /// What buyers were told of all bookings.
    pub(crate) fn promises(&self) -> HashMap<BookingId, Promise> {
        self.noted().promises.clone()
    }

    /// A booking that was ordered at this time can be paid, or is confirmed.
    pub(crate) fn passed(&self, ordered_at: Instant) {
        self.noted().passed.push((ordered_at, Instant::now()));
    }

    /// A fault struck, stopped all from then on, and ended just now.
    pub(crate) fn struck(&self, fault: &Fault, began: Instant) {
        let Fault { blow, target, .. } = fault;
        let kind = target.trim_end_matches(|it: char| it == '/' || it.is_ascii_digit());
        let mut noted = self.noted();
        noted.faults.push((format!("{blow:?} {target}"), began, Instant::now()));
        *noted.struck.entry(format!("{blow:?} {kind}")).or_default() += 1;
    }

    /// How often each kind of fault struck.
    pub(crate) fn faults(&self) -> BTreeMap<String, u64> {
        self.noted().struck.clone()
    }

    /// A request has to be sent again.
    pub(crate) fn retried(&self, why: String) {
        *self.noted().retries.entry(why).or_default() += 1;
    }

    /// How often requests had to be sent again, by why.
    pub(crate) fn retries(&self) -> BTreeMap<String, u64> {
        self.noted().retries.clone()
    }

    /// What struck, and after how long the next booking that was ordered could be paid, less the time in which
    /// other faults stopped all; `None`: none could.
    pub(crate) fn recoveries(&self) -> Vec<(String, Option<Duration>)> {
        let noted = self.noted();
        let recovery = |ended: Instant| {
            let after = noted.passed.iter().filter(|(ordered, _)| *ordered >= ended);
            let passed = after.map(|(_, passed)| *passed).min()?;
            Some(passed - ended - noted.stopped(ended, passed))
        };
        noted.faults.iter().map(|(what, _, ended)| (what.clone(), recovery(*ended))).collect()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().expect("nothing panics while it notes something")
    }
}

impl Noted {
    /// For how much of this time faults stopped all.
    fn stopped(&self, from: Instant, to: Instant) -> Duration {
        let within = |time: &Instant| (*time).clamp(from, to);
        let faults = self.faults.iter().map(|(_, began, ended)| (within(began), within(ended)));
        let mut faults: Vec<_> = faults.collect();
        faults.sort();
        let (mut time, mut until) = (Duration::ZERO, from);
        for (began, ended) in faults {
            time += ended.saturating_duration_since(began.max(until));
            until = until.max(ended);
        }
        time
    }
}

/// The booking that an answer shows.
pub(crate) fn booking_of(body: &serde_json::Value) -> Option<BookingId> {
    let id: Uuid = body["booking_id"].as_str()?.parse().ok()?;
    Some(BookingId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_is_no_longer_for_what_stops_all_meanwhile() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let seen = Seen::new();
        seen.noted().faults = [("cut", 0, 0), ("freeze", 5, 15), ("kill", 9, 16), ("late", 18, 19)]
            .map(|(what, began, ended)| (what.to_owned(), at(began), at(ended)))
            .into();
        seen.noted().passed = vec![(at(0), at(17)), (at(1), at(18)), (at(17), at(20))];

        let took: Vec<_> = seen.recoveries().into_iter().map(|(_, took)| took).collect();
        let seconds = |it| Some(Duration::from_secs(it));
        assert_eq!(took, [seconds(6), seconds(3), seconds(3), None]);
    }
}
