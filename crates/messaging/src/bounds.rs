//! How much is taken, kept, handled and sent at a time: by number, by bytes and by seats.

use std::{collections::VecDeque, ops::Range};

const MIB: usize = 1024 * 1024;

/// As much as is handled at once.
pub(crate) const BATCH: Bound = Bound { messages: 1_000, bytes: 4 * MIB };
/// As much as is kept while a batch is handled.
pub(crate) const KEPT: Bound = Bound { messages: 10_000, bytes: 8 * MIB };
/// The most seats that one commit has: some ten MB with all that is made of them.
pub const SEATS_AT_ONCE: usize = 20_000;

/// A number of messages and their bytes, whichever is reached first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

/// Messages that were read and not yet handled, the oldest first.
#[derive(Debug)]
pub(crate) struct Kept<M> {
    messages: VecDeque<(M, usize)>,
    bytes: usize,
}

impl<M> Default for Kept<M> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0 }
    }
}

impl<M> Kept<M> {
    /// Adds a message of so many bytes.
    pub(crate) fn push(&mut self, message: M, bytes: usize) {
        self.messages.push_back((message, bytes));
        self.bytes += bytes;
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether this much is there.
    pub(crate) fn reaches(&self, bound: Bound) -> bool {
        self.messages.len() >= bound.messages || self.bytes >= bound.bytes
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.messages.iter().map(|(message, _)| message)
    }

    /// Takes out all of them.
    pub(crate) fn take_all(&mut self) -> Vec<M> {
        self.bytes = 0;
        self.messages.drain(..).map(|(message, _)| message).collect()
    }

    /// Takes out the oldest within the bound, at least one if there are any.
    pub(crate) fn take(&mut self, bound: Bound) -> Vec<M> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some((message, size)) = self.messages.pop_front() {
            if !taken.is_empty() && bytes + size > bound.bytes {
                self.messages.push_front((message, size));
                break;
            }
            bytes += size;
            taken.push(message);
            if taken.len() == bound.messages {
                break;
            }
        }
        self.bytes -= bytes;
        taken
    }
}

/// Parts of a batch that are committed one after another. `seats` are those of each message, also of what
/// is stored for it: a small message may be about a large booking. A part has at most [`SEATS_AT_ONCE`],
/// unless it is a single message.
pub fn parts(seats: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
    let (mut parts, mut begin, mut sum, mut end) = (Vec::new(), 0, 0, 0);
    for (index, seats) in seats.into_iter().enumerate() {
        if index > begin && sum + seats > SEATS_AT_ONCE {
            parts.push(begin..index);
            (begin, sum) = (index, 0);
        }
        sum += seats;
        end = index + 1;
    }
    if end > begin {
        parts.push(begin..end);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_within_the_bound_and_at_least_one() {
        let bound = Bound { messages: 3, bytes: 10 };
        let mut kept = Kept::default();
        for (name, bytes) in [('a', 4), ('b', 6), ('c', 1), ('d', 30), ('e', 0), ('f', 0), ('g', 0)]
        {
            kept.push(name, bytes);
        }
        assert!(kept.reaches(bound) && kept.reaches(Bound { messages: 7, bytes: 100 }));
        assert!(!kept.reaches(Bound { messages: 8, bytes: 42 }));
        let taken: Vec<Vec<char>> = (0..5).map(|_| kept.take(bound)).collect();
        assert_eq!(taken, [vec!['a', 'b'], vec!['c'], vec!['d'], vec!['e', 'f', 'g'], vec![]]);
        assert_eq!((kept.messages(), kept.bytes()), (0, 0));
    }

    #[test]
    fn a_part_has_no_more_seats_than_are_committed_at_once() {
        assert!(parts([]).is_empty());
        assert_eq!(parts([1; 20_001]), [0..20_000, 20_000..20_001]);
        assert_eq!(parts([1_000; 50]), [0..20, 20..40, 40..50]);
        assert_eq!(parts([30_000, 1, 19_999, 1, 30_000]), [0..1, 1..3, 3..4, 4..5]);
    }
}
