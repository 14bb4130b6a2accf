//! The payment's rules: tables, cell by cell, and an exploration of all that can happen.

mod attempts;
mod exploration;
mod refunds;
mod samples;
mod table;
