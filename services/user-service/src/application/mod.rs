//! The use cases: what people can do with accounts, a file each, and the ports that they need.

mod change_account;
mod check_password;
mod disable_account;
mod enable_account;
mod end_sessions;
mod ensure_admin;
mod give_role;
mod log_in;
mod notify_buyers;
mod ports;
mod refresh_session;
mod register;
mod until_saved;
mod update_profile;

pub(crate) use change_account::ChangeAccountError;
pub(crate) use check_password::{CheckPasswordError, PasswordCheck};
pub(crate) use disable_account::disable_account;
pub(crate) use enable_account::enable_account;
pub(crate) use end_sessions::{WhichSessions, end_sessions};
pub(crate) use ensure_admin::{EnsureAdminError, FirstAdmin, ensure_admin};
pub(crate) use give_role::give_role;
pub(crate) use log_in::{LogIn, LoggedIn, log_in};
pub(crate) use notify_buyers::notify_buyers;
pub(crate) use ports::{
    Accounts, AdminSave, FailedLogins, HashError, LockedSession, Notifications, Notifier,
    PasswordMatch, Passwords, SaveError, SecurityLog, Sessions, Urgency,
};
pub(crate) use refresh_session::{RefreshSessionError, refresh_session};
pub(crate) use register::{RegisterError, Registration, register};
pub(crate) use update_profile::{ProfileUpdate, UpdateProfileError, update_profile};
