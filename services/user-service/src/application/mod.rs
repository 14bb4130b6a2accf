//! What people can do with accounts, a file per use case, and what that takes from the outside.

pub mod check_password;
pub mod ensure_admin;
pub mod give_role;
pub mod log_in;
pub mod ports;
pub mod refresh_session;
pub mod register;
pub mod tell_buyers;
pub mod update_profile;
