//! Proves the saga without I/O.
//!
//! - [`exploration`]: the domains alone, one booking, every order of its messages. It is complete, but small.

pub mod exploration;
