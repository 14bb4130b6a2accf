//! The plan that a seed draws.

mod plans;
