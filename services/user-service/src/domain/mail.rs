//! E-mails to people, and how many of them an address may get.

use std::fmt;

use chrono::TimeDelta;
use karcis_kernel::{Timestamp, UserId, one_line};

use super::{
    Account, Email, Language, Notification, NotificationKind, PersonName, links::may_be_a_link,
};

/// How many e-mails a day an address gets that nobody has proven to read: its owner may never have heard of
/// us.
const UNVERIFIED_A_DAY: u32 = 3;
/// So many are sent before none is that anybody can ask for: the last is left to the account's owner.
const UNVERIFIED_ASKED_A_DAY: u32 = 2;
/// How many e-mails a day strangers can have sent to an address that its owner has proven to read.
const ASKED_A_DAY: u32 = 10;
/// How many characters of an organiser's text an e-mail repeats: all that event-service takes.
const LONGEST_TEXT: usize = 1_000;

/// What an e-mail about an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountMailKind {
    /// Brings a token that proves that the address is the person's own.
    VerifyEmail,
    /// Brings a token that may choose a new password.
    ResetPassword,
    /// Tells the old address of an account that there is a new one.
    AddressChanged,
    /// Says what Karcis does, once the person has proven to read the address.
    Welcome,
}

impl AccountMailKind {
    pub const ALL: [Self; 4] =
        [Self::VerifyEmail, Self::ResetPassword, Self::AddressChanged, Self::Welcome];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::AddressChanged => "address_changed",
            Self::Welcome => "welcome",
        }
    }

    /// How long the token that it brings is good for, from when the e-mail is sent.
    pub fn token_lifetime(self) -> Option<TimeDelta> {
        match self {
            Self::VerifyEmail => Some(TimeDelta::hours(24)),
            Self::ResetPassword => Some(TimeDelta::minutes(30)),
            Self::AddressChanged | Self::Welcome => None,
        }
    }
}

/// An e-mail about an account that somebody is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMail {
    pub kind: AccountMailKind,
    pub to: Email,
    /// The account that it is erased with; `None` if anybody can ask for it.
    pub user_id: Option<UserId>,
    /// Whether the account's owner had proven to read this address, if it is a former one.
    pub was_verified: bool,
}

impl AccountMail {
    /// Asks the owner of the account to prove that its address is theirs.
    pub fn verify(account: &Account) -> Self {
        Self::to_owner(AccountMailKind::VerifyEmail, account)
    }

    fn to_owner(kind: AccountMailKind, account: &Account) -> Self {
        let (to, user_id) = (account.email.clone(), Some(account.user_id));
        Self { kind, to, user_id, was_verified: false }
    }

    /// Lets the owner of this address, if it is an account's, choose a new password.
    pub fn reset(to: Email) -> Self {
        Self { kind: AccountMailKind::ResetPassword, to, user_id: None, was_verified: false }
    }

    /// Who is told what when an account changes: its owner is welcomed once, and both addresses are told if it
    /// gets another one.
    pub fn of_change(before: &Account, after: &Account) -> Vec<Self> {
        if after.is_welcomed && !before.is_welcomed {
            return vec![Self::to_owner(AccountMailKind::Welcome, after)];
        }
        if before.email == after.email {
            return vec![];
        }
        let to_old = Self {
            was_verified: before.email_verified,
            ..Self::to_owner(AccountMailKind::AddressChanged, before)
        };
        vec![Self::verify(after), to_old]
    }
}

/// The secret that an e-mail brings. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct MailedToken(pub String);

impl fmt::Debug for MailedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailedToken(…)")
    }
}

/// What an e-mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Booking(Notification),
    /// With a token if the kind has one.
    Account(AccountMail, Option<MailedToken>),
}

impl Content {
    /// What a buyer is notified of.
    pub fn notification(&self) -> Option<&Notification> {
        match self {
            Self::Booking(notification) => Some(notification),
            Self::Account(..) => None,
        }
    }
}

/// An e-mail that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub content: Content,
    /// `None` if the account is gone.
    pub recipient: Option<Recipient>,
    /// The `traceparent` header of the message it follows from.
    pub trace: Option<String>,
}

/// Whom an e-mail is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub email: Email,
    pub is_verified: bool,
    /// How the e-mail may greet the person.
    pub greeting: Option<PersonName>,
    pub language: Language,
}

impl Recipient {
    /// The owner of an account. Nobody is greeted by a name that a stranger may have made up to write to them.
    pub fn owner(email: Email, is_verified: bool, name: PersonName, language: Language) -> Self {
        let greeting = Some(name).filter(|name| is_verified && name.is_only_a_name());
        Self { email, is_verified, greeting, language }
    }

    /// What an organiser wrote, as one paragraph, if an e-mail to this person may repeat it: who has not
    /// proven to read the address may never have heard of the event, and gets nothing that may be a link.
    pub fn repeated(&self, text: &str) -> Option<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = one_line(&words.join(" "), 1..=LONGEST_TEXT).ok()?;
        (self.is_verified || !may_be_a_link(&text)).then_some(text)
    }
}

impl Mail {
    /// What it is about, as one word.
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Booking(notification) => notification.kind.as_str(),
            Content::Account(mail, _) => mail.kind.as_str(),
        }
    }

    /// Whether it is of no use any more: it asks for a payment that has come too late.
    pub fn is_too_late(&self, at: Timestamp) -> bool {
        match self.content.notification().map(|of| &of.kind) {
            Some(NotificationKind::Reserved { pay_by, .. }) => *pay_by <= at,
            _ => false,
        }
    }

    /// Its recipient, and at most how many e-mails this address may get within a day for this one to be
    /// sent; `None` if they are not counted, as its owner bought something or has to be warned.
    pub fn daily_limit(&self) -> Option<(&Email, u32)> {
        let recipient = self.recipient.as_ref()?;
        let kind = match &self.content {
            Content::Booking(_) => None,
            Content::Account(mail, _) => Some(mail.kind),
        };
        let limit = match (recipient.is_verified, kind) {
            (false, Some(AccountMailKind::ResetPassword)) => UNVERIFIED_ASKED_A_DAY,
            (false, _) => UNVERIFIED_A_DAY,
            (true, Some(AccountMailKind::VerifyEmail | AccountMailKind::ResetPassword)) => {
                ASKED_A_DAY
            }
            (true, _) => return None,
        };
        Some((&recipient.email, limit))
    }
}
