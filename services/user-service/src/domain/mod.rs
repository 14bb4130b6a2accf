//! The rules of people's accounts: what a valid profile, password and role change is, how long a
//! session lives, when failed log-ins are too many, and what buyers are notified of.
#![deny(clippy::disallowed_methods)]

mod account;
mod contact;
mod email;
mod login_throttle;
mod notification;
mod password;
mod person_name;
mod session;
mod signing_key;

pub(crate) use account::{Account, AccountChange, ProfileChange, changes_own_role};
pub(crate) use contact::{Locale, Phone, TimeZone};
pub(crate) use email::{Email, InvalidEmail};
pub(crate) use login_throttle::{ClientIp, Failures, LoginLimits, Subject, WINDOW};
pub(crate) use notification::{Buyer, DueNotification, Notification, NotificationKind};
pub(crate) use password::{InvalidPassword, Password, PasswordHash, TypedPassword};
pub(crate) use person_name::{InvalidName, PersonName};
pub(crate) use session::{NewSession, NewToken, SessionId, StoredToken, TokenHash, TokenUse};
pub(crate) use signing_key::TOKEN_LIFETIME;
pub use signing_key::{KeyInUse, KeyStatus, PublishedKey};
