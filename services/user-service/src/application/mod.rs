//! What people can do with accounts, a file per use case, and the ports that this needs.

pub(crate) mod check_password;
pub(crate) mod ensure_admin;
pub(crate) mod give_role;
pub(crate) mod log_in;
pub(crate) mod notify_buyers;
pub(crate) mod ports;
pub(crate) mod refresh_session;
pub(crate) mod register;
pub(crate) mod update_profile;

/// How often a use case loads an account and tries to save it, while others change it too.
const ATTEMPTS: usize = 5;
