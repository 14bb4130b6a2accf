//! When there were too many failed log-ins to check another password.

use std::collections::HashMap;

use karcis_kernel::Timestamp;

use super::Email;

/// How long failures count, from the first of them.
pub(crate) const WINDOW: chrono::Duration = chrono::Duration::minutes(15);

/// The network address of a client as text: an IPv4 address or an IPv6 subnet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientIp(pub String);

/// Whose failures are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An e-mail address, whether or not it has an account.
    Account(Email),
    ClientIp(ClientIp),
}

/// The failures within the current window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failures {
    pub count: u32,
    /// The end of the window.
    pub ends_at: Timestamp,
}

/// From how many failures within a window on no more passwords are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoginLimits {
    pub per_account: u32,
    pub per_client_ip: u32,
}

impl LoginLimits {
    /// Until when no password is checked; `None` if one may be checked now.
    pub(crate) fn blocked_until(
        &self,
        failures: &HashMap<Subject, Failures>,
        at: Timestamp,
    ) -> Option<Timestamp> {
        failures
            .iter()
            .filter(|(subject, of)| of.count >= self.of(subject) && of.ends_at > at)
            .map(|(_, of)| of.ends_at)
            .max()
    }

    fn of(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Account(_) => self.per_account,
            Subject::ClientIp(_) => self.per_client_ip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_full_window_has_to_end_before_a_password_is_checked() {
        let limits = LoginLimits { per_account: 3, per_client_ip: 5 };
        let minute = |n| Timestamp::UNIX_EPOCH + chrono::Duration::minutes(n);
        let at = minute(10);
        for (account, client, blocked_until) in [
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
            let failures = HashMap::from([
                (
                    account_subject.expect("it is valid"),
                    Failures { count: account.0, ends_at: minute(account.1) },
                ),
                (
                    Subject::ClientIp(ClientIp("127.0.0.1".to_owned())),
                    Failures { count: client.0, ends_at: minute(client.1) },
                ),
            ]);
            let expected = blocked_until.map(minute);
            assert_eq!(limits.blocked_until(&failures, at), expected, "{account:?} {client:?}");
        }
        assert_eq!(limits.blocked_until(&HashMap::new(), at), None);
    }
}
