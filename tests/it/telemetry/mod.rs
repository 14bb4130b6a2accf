//! What an operator gets to see of the fleet: traces, log lines and metrics.

mod collector;
mod logs;
mod metrics;
mod traces;
