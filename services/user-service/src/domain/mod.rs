//! The rules of people's accounts: what a valid profile, password and role change is, how long a
//! session lives, and when failed log-ins are too many. Pure.
#![deny(clippy::disallowed_methods)]

mod account;
mod contact;
mod email;
mod guard;
mod notice;
mod password;
mod person_name;
mod session;

pub use account::{Account, ProfileChange, changes_own_role};
pub use contact::{Locale, Phone, TimeZone};
pub use email::{Email, InvalidEmail};
pub use guard::{Limits, Peer, Subject, Tally, WINDOW};
pub use notice::{Buyer, Due, Notice, NoticeKind};
pub use password::{InvalidPassword, Password, PasswordHash, TypedPassword};
pub use person_name::{InvalidName, PersonName};
pub use session::{NewSession, NewToken, SessionId, StoredToken, TokenHash, TokenUse};
