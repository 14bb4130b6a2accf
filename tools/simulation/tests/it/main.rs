//! The exploration and the seeded runs, and that both notice what is wrong.

mod exploration;
mod mutants;
mod planted_bugs;
mod ports;
mod seeds;
