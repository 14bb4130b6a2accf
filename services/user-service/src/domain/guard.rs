//! When failed log-ins are too many.

use std::collections::HashMap;

use karcis_kernel::Timestamp;

use crate::domain::Email;

/// How long failures count from the first of them on.
pub const WINDOW: chrono::Duration = chrono::Duration::minutes(15);

/// Where somebody sits on the network, as the adapters write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub String);

/// Whose failures are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Those at one address, whether or not it has an account.
    Account(Email),
    /// Those from one network address.
    Peer(Peer),
}

/// The failures within the running window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub failures: u32,
    /// When the window ends.
    pub ends_at: Timestamp,
}

/// How many failures within a window are borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At one account.
    pub per_account: u32,
    /// From one peer.
    pub per_peer: u32,
}

impl Limits {
    /// Until when no password is looked at, if there were too many failures.
    pub fn blocked_until(
        &self,
        tallies: &HashMap<Subject, Tally>,
        at: Timestamp,
    ) -> Option<Timestamp> {
        tallies
            .iter()
            .filter(|(subject, tally)| tally.failures >= self.of(subject) && tally.ends_at > at)
            .map(|(_, tally)| tally.ends_at)
            .max()
    }

    fn of(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Account(_) => self.per_account,
            Subject::Peer(_) => self.per_peer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_the_windows_that_are_full_has_to_end() {
        let limits = Limits { per_account: 3, per_peer: 5 };
        let minute = |n| Timestamp::UNIX_EPOCH + chrono::Duration::minutes(n);
        let at = minute(10);
        for (account, peer, blocked_until) in [
            ((0, 20), (0, 20), None),
            ((2, 20), (4, 20), None),
            ((3, 20), (0, 20), Some(20)),
            ((9, 20), (0, 20), Some(20)),
            ((3, 10), (0, 20), None),
            ((0, 20), (5, 12), Some(12)),
            ((3, 11), (5, 12), Some(12)),
            ((3, 12), (5, 11), Some(12)),
        ] {
            let account_subject = Email::parse("sari@mail.example").map(Subject::Account);
            let tallies = HashMap::from([
                (
                    account_subject.expect("it is valid"),
                    Tally { failures: account.0, ends_at: minute(account.1) },
                ),
                (
                    Subject::Peer(Peer("127.0.0.1".to_owned())),
                    Tally { failures: peer.0, ends_at: minute(peer.1) },
                ),
            ]);
            let expected = blocked_until.map(minute);
            assert_eq!(limits.blocked_until(&tallies, at), expected, "{account:?} {peer:?}");
        }
        assert_eq!(limits.blocked_until(&HashMap::new(), at), None);
    }
}
