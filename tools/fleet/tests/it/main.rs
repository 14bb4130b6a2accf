//! The fleet of tests itself: it checks what a test leaves behind.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod fleets;
