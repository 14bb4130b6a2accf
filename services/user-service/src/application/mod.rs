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
mod ports;
mod refresh_session;
mod register;
mod reset_password;
mod send_mails;
mod until_saved;
mod update_profile;
mod verify_email;

pub(crate) use change_account::ChangeAccountError;
pub(crate) use check_password::{CheckPasswordError, PasswordCheck};
pub(crate) use disable_account::disable_account;
pub(crate) use enable_account::enable_account;
pub(crate) use end_sessions::{WhichSessions, end_sessions};
pub(crate) use end_sessions_by_operator::end_sessions_by_operator;
pub(crate) use ensure_admin::{EnsureAdminError, FirstAdmin, ensure_admin};
pub(crate) use erase_profile::{EraseProfileError, erase_profile};
pub(crate) use give_role::give_role;
pub(crate) use log_in::{LogIn, LoggedIn, log_in};
pub(crate) use ports::{
    AccountMails, Accounts, AdminSave, Delivery, Erasure, FailedLogins, HashError, LockedSession,
    MailCounts, MailQueue, Notifications, Notifier, PasswordMatch, Passwords, SaveError,
    SecurityLog, Sessions, Urgency,
};
pub(crate) use refresh_session::{RefreshSessionError, refresh_session};
pub(crate) use register::{RegisterError, Registration, register};
pub(crate) use reset_password::{ResetPasswordError, reset_password};
pub(crate) use send_mails::send_mails;
pub(crate) use update_profile::{ProfileUpdate, UpdateProfileError, update_profile};
pub(crate) use verify_email::{MailedTokenError, verify_email};
