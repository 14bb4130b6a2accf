//! Messages that cannot be handled now since others have their rows locked. Later messages go on, but
//! for those of the same keys, which wait behind them.
//!
//! Guarantees: messages of one key keep their order; what is held back is not committed, so it comes
//! again when this process dies.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use rdkafka::{Message as _, message::BorrowedMessage};
use tokio::time::Instant;

use crate::bounds::{BATCH, Kept};

/// How long until they are tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// By topic and partition, the offset at which a reader would go on.
pub(crate) type Offsets = HashMap<(String, i32), i64>;

/// The messages of a member that are held back, in their order.
#[derive(Default)]
pub(crate) struct HeldBack<'a> {
    messages: Kept<BorrowedMessage<'a>>,
    /// When they were last tried.
    tried_at: Option<Instant>,
    /// Behind all messages of each partition that were taken since its offset was last committed in full.
    next: Offsets,
}

impl<'a> HeldBack<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.messages() == 0
    }

    /// Whether others may be taken meanwhile.
    pub(crate) fn has_room(&self) -> bool {
        !self.messages.reaches(BATCH)
    }

    /// Until they are to be tried again.
    pub(crate) fn pause(&self) -> Duration {
        self.tried_at.map_or(Duration::ZERO, |at| PAUSE.saturating_sub(at.elapsed()))
    }

    /// Takes a batch of them out, if it is time to try them again.
    pub(crate) fn due(&mut self) -> Vec<BorrowedMessage<'a>> {
        if !self.pause().is_zero() {
            return Vec::new();
        }
        self.tried_at = None;
        self.messages.take(BATCH)
    }

    /// Holds back those of the keys that wait, and returns the others.
    pub(crate) fn apart(&mut self, taken: Vec<BorrowedMessage<'a>>) -> Vec<BorrowedMessage<'a>> {
        for message in &taken {
            let next = self.next.entry(partition(message)).or_default();
            *next = (*next).max(message.offset() + 1);
        }
        let (held, free) = split(taken, self.messages.iter());
        self.hold(held);
        free
    }

    /// Settles a batch that was handled, but for the messages of these indexes, which are held back.
    pub(crate) fn settle(&mut self, batch: Vec<BorrowedMessage<'a>>, contended: &[usize]) {
        if !contended.is_empty() {
            let contended = batch.into_iter().enumerate().filter(|(at, _)| contended.contains(at));
            let held: Vec<_> = contended.map(|(_, message)| message).collect();
            // Those behind them in their keys stay there. What else waits is tried before them the next time.
            let (behind, others) = split(self.messages.take_all(), held.iter());
            for messages in [others, held, behind] {
                self.hold(messages);
            }
        }
        // Those that wait already come again when they were to, whatever joins them.
        if !self.is_empty() {
            self.tried_at.get_or_insert_with(Instant::now);
        }
        let waiting = self.messages.messages();
        metrics::gauge!("karcis_consumer_held_back_messages").set(waiting as f64);
    }

    /// What may be committed now.
    pub(crate) fn offsets(&mut self) -> Offsets {
        let mut first = Offsets::new();
        for message in self.messages.iter() {
            let offset = first.entry(partition(message)).or_insert(i64::MAX);
            *offset = (*offset).min(message.offset());
        }
        let mut offsets = self.next.clone();
        for (partition, next) in &mut offsets {
            *next = first.get(partition).copied().unwrap_or(*next);
        }
        self.next.retain(|partition, _| first.contains_key(partition));
        offsets
    }

    fn hold(&mut self, messages: Vec<BorrowedMessage<'a>>) {
        for message in messages {
            let bytes = message.payload_len() + message.key_len();
            self.messages.push(message, bytes);
        }
    }
}

/// The messages of the keys that `others` have, and the rest.
fn split<'m, 'other, 'o: 'other>(
    messages: Vec<BorrowedMessage<'m>>,
    others: impl Iterator<Item = &'other BorrowedMessage<'o>>,
) -> (Vec<BorrowedMessage<'m>>, Vec<BorrowedMessage<'m>>) {
    let keys: HashSet<_> = others.map(|message| message.key()).collect();
    messages.into_iter().partition(|message| keys.contains(&message.key()))
}

fn partition(message: &BorrowedMessage<'_>) -> (String, i32) {
    (message.topic().to_owned(), message.partition())
}
