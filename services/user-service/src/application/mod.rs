//! The use cases: what people can do with accounts, a file each, and the ports that they need.

mod check_password;
mod ensure_admin;
mod give_role;
mod log_in;
mod notify_buyers;
mod ports;
mod refresh_session;
mod register;
mod until_saved;
mod update_profile;

pub(crate) use check_password::{CheckPasswordError, PasswordCheck};
pub(crate) use ensure_admin::{EnsureAdminError, FirstAdmin, ensure_admin};
pub(crate) use give_role::{GiveRoleError, give_role};
pub(crate) use log_in::{LogIn, log_in};
pub(crate) use notify_buyers::notify_buyers;
pub(crate) use ports::{
    Accounts, FailedLogins, HashError, Notifications, Notifier, Passwords, SaveError, Sessions,
};
pub(crate) use refresh_session::{RefreshSessionError, refresh_session};
pub(crate) use register::{RegisterError, Registration, register};
pub(crate) use update_profile::{ProfileUpdate, UpdateProfileError, update_profile};
