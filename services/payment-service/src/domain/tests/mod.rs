//! Tests of the payment's rules.

mod exploration;
mod samples;
mod settle;
mod table;
