//! The saga table cell by cell, and an exploration of every order of messages.

mod exploration;
pub(super) mod samples;
mod table;
