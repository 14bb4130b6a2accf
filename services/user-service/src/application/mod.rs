//! The use cases: what people can do with accounts, a file each, and the ports that they need.

mod change_account;
mod check_password;
mod disable_account;
mod enable_account;
mod end_sessions;
mod end_sessions_by_operator;
mod ensure_admin;
mod erase_profile;
mod give_role;
mod log_in;
#[cfg(any(test, feature = "port-tests"))]
pub mod port_tests;
mod ports;
mod refresh_session;
mod register;
mod reset_password;
mod send_mails;
mod until_saved;
mod update_profile;
mod verify_email;

pub use change_account::ChangeAccountError;
pub use check_password::{CheckPasswordError, PasswordCheck};
pub use disable_account::disable_account;
pub use enable_account::enable_account;
pub use end_sessions::{WhichSessions, end_sessions};
pub use end_sessions_by_operator::end_sessions_by_operator;
pub use ensure_admin::{EnsureAdminError, FirstAdmin, ensure_admin};
pub use erase_profile::{EraseProfileError, erase_profile};
pub use give_role::give_role;
pub use log_in::{LogIn, LoggedIn, log_in};
pub use ports::{
    AccountMails, Accounts, AdminSave, Delivery, Erasing, Erasure, FailedLogins, HashError,
    LockedSession, MailCounts, MailQueue, Notifications, Notifier, PasswordMatch, Passwords,
    SaveError, SecurityLog, Sessions, Urgency,
};
pub use refresh_session::{RefreshSessionError, refresh_session};
pub use register::{RegisterError, Registration, register};
pub use reset_password::{ResetPasswordError, reset_password};
pub use send_mails::send_mails;
pub use update_profile::{ProfileUpdate, UpdateProfileError, update_profile};
pub use verify_email::{MailedTokenError, verify_email};
