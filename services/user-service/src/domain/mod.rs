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

pub use account::{Account, AccountChange, ProfileChange, changes_own_role};
pub use contact::{Locale, Phone, TimeZone};
pub use email::{Email, InvalidEmail};
pub use login_throttle::{ClientIp, LoginLimits, Subject, Tally, WINDOW};
pub use notification::{Buyer, DueNotification, Notification, NotificationKind};
pub use password::{InvalidPassword, Password, PasswordHash, TypedPassword};
pub use person_name::{InvalidName, PersonName};
pub use session::{NewSession, NewToken, SessionId, StoredToken, TokenHash, TokenUse};
