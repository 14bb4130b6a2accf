//! Tests of the payment's rules.

mod attempt;
mod exploration;
mod samples;
mod settle;
mod table;
