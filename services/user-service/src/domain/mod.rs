//! The rules of people's accounts: what a valid profile, password and role change is, how long a
//! session lives, how many passwords may be guessed, and what buyers are notified of.
#![deny(clippy::disallowed_methods)]

mod account;
mod contact;
mod email;
mod links;
mod login_throttle;
mod mail;
mod notification;
mod password;
mod person_name;
mod phone;
mod reason;
mod security_event;
mod session;
mod signing_key;

pub use account::{Account, AccountChange, ProfileChange, changes_own_account};
pub use contact::{Language, Locale, TimeZone};
pub use email::{Email, InvalidEmail};
pub use login_throttle::{Allowance, ClientIp, Guesser, LoginLimits, Subject, WINDOW};
pub use mail::{AccountMail, AccountMailKind, Content, Mail, MailedToken, Recipient};
pub use notification::{
    Booked, BookedItem, EventSnapshot, Issued, Notification, NotificationKind, Ticket,
};
pub use password::{InvalidPassword, Password, PasswordHash, TypedPassword};
pub use person_name::PersonName;
pub use phone::Phone;
pub use reason::Reason;
pub use security_event::SecurityEvent;
pub use session::{
    Actor, NewSession, NewToken, OpenSession, SessionId, StoredToken, TokenHash, TokenUse,
    UserAgent,
};
pub use signing_key::TOKEN_LIFETIME;
pub use signing_key::{KeyInUse, KeyStatus, PublishedKey};
