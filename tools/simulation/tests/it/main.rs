//! The exploration, and that it notices wrong rules.

mod exploration;
mod mutants;
