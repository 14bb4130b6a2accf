//! The ways notices reach buyers, and who sees to it that they do.

mod letter;
mod log;
mod smtp;
mod teller;

pub use log::LogNotifier;
pub use smtp::{MailError, SmtpNotifier};
pub use teller::keep_telling;
