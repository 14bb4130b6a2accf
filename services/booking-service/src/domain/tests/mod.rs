//! The saga table cell by cell.

mod operator;
pub(super) mod samples;
mod table;
