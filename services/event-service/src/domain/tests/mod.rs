//! The rules by tables, by examples, and by every order of steps.

mod edits;
mod exploration;
mod samples;
mod table;
