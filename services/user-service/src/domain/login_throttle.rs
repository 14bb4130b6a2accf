//! How many passwords may be guessed, and from where.

use chrono::TimeDelta;

use super::{Email, SessionId};

/// How long guesses count, from the first of them.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long the guesses of strangers at one account wait for each other once they are many.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);

/// The network address of a client as text: an IPv4 address or an IPv6 subnet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientIp(pub String);

/// What guesses are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An e-mail address, whether or not it has an account, and a network address, together.
    AccountAt(Email, ClientIp),
    /// An e-mail address, for strangers everywhere, who take turns: a network address has one at a time.
    Account(Email, ClientIp),
    ClientIp(ClientIp),
    /// A live session that is asked for the current password.
    Session(SessionId),
}

/// How many guesses of a subject are free within a window, and how long each further one has to wait
/// after the one before: at first `first_wait`, then twice as long each time, up to `longest_wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub free: u32,
    pub first_wait: TimeDelta,
    pub longest_wait: TimeDelta,
}

impl Allowance {
    /// Nothing after `free` guesses until the window ends.
    const fn hard(free: u32) -> Self {
        Self { free, first_wait: WINDOW, longest_wait: WINDOW }
    }

    /// A growing delay after `free` guesses.
    const fn slow(free: u32) -> Self {
        Self { free, first_wait: FIRST_WAIT, longest_wait: LONGEST_WAIT }
    }
}

/// Who guesses an account's password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guesser {
    /// Nobody has logged in to the account from this address.
    Stranger(ClientIp),
    /// Somebody has.
    KnownPeer(ClientIp),
    /// Somebody who is logged in to the account.
    Session(SessionId),
}

/// How many wrong passwords within a window are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// For one account from one network address, or in one session. From all strangers together, so
    /// many begin a delay.
    pub per_account: u32,
    /// For all accounts from one network address.
    pub per_client_ip: u32,
}

impl LoginLimits {
    /// What a guess is charged to, in order. Each of these must allow it, and the later ones are not
    /// charged for what an earlier one refuses: who is stopped delays nobody else. What strangers do
    /// elsewhere, or at the same address to other accounts, stops no known peer; and nothing outside of
    /// a session stops that session.
    pub fn charged(&self, email: &Email, guesser: &Guesser) -> Vec<(Subject, Allowance)> {
        let at = |ip: &ClientIp| {
            (Subject::AccountAt(email.clone(), ip.clone()), Allowance::hard(self.per_account))
        };
        match guesser {
            Guesser::Stranger(ip) => vec![
                at(ip),
                (Subject::ClientIp(ip.clone()), Allowance::hard(self.per_client_ip)),
                (Subject::Account(email.clone(), ip.clone()), Allowance::slow(self.per_account)),
            ],
            Guesser::KnownPeer(ip) => vec![at(ip)],
            Guesser::Session(id) => {
                vec![(Subject::Session(*id), Allowance::hard(self.per_account))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_charged_to_what_the_guesser_shares_with_attackers() {
        let limits = LoginLimits { per_account: 10, per_client_ip: 300 };
        let email = Email::parse("sari@mail.example").expect("it is valid");
        let ip = ClientIp("203.0.113.7".to_owned());
        let session = SessionId(uuid::Uuid::nil());
        let (hard, until_the_end) = ("hard", WINDOW);
        for (guesser, charged) in [
            (
                Guesser::Stranger(ip.clone()),
                vec![
                    (Subject::AccountAt(email.clone(), ip.clone()), 10, hard),
                    (Subject::ClientIp(ip.clone()), 300, hard),
                    (Subject::Account(email.clone(), ip.clone()), 10, "growing"),
                ],
            ),
            (
                Guesser::KnownPeer(ip.clone()),
                vec![(Subject::AccountAt(email.clone(), ip.clone()), 10, hard)],
            ),
            (Guesser::Session(session), vec![(Subject::Session(session), 10, hard)]),
        ] {
            let expected: Vec<_> = charged
                .into_iter()
                .map(|(subject, free, kind)| {
                    let (first_wait, longest_wait) = if kind == hard {
                        (until_the_end, until_the_end)
                    } else {
                        (TimeDelta::seconds(1), TimeDelta::seconds(30))
                    };
                    (subject, Allowance { free, first_wait, longest_wait })
                })
                .collect();
            assert_eq!(limits.charged(&email, &guesser), expected, "{guesser:?}");
        }
    }
}
