//! The saga table cell by cell.

pub(super) mod samples;
mod table;
