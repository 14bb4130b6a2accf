//! The servers seen from outside: they start, keep their data, and never outlive their parent.

mod cluster;
mod orphans;
mod servers;
mod strangers;
