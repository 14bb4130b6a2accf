//! Proves the saga without I/O, in two ways.
//!
//! - [`exploration`]: the domains alone, one booking, every order of its messages. It is complete, but small.
//! - [`seeded`]: domains and use cases on stores in memory, many bookings, in virtual time, with faults that
//!   a seed draws. It is large, but a sample: `karcis simulate` runs as many seeds as it is asked for.

pub mod exploration;
pub mod seeded;
