//! What people can do with accounts, a file per use case, and the ports that this needs.

pub mod check_password;
pub mod ensure_admin;
pub mod give_role;
pub mod log_in;
pub mod notify_buyers;
pub mod ports;
pub mod refresh_session;
pub mod register;
pub mod update_profile;

/// How often a use case loads an account and tries to save it, while others change it too.
const ATTEMPTS: usize = 5;
