//! The benchmark: a real fleet under load from outside, and what a booking costs it.

mod buyers;
mod floor;
mod growth;
mod postgres;
mod processes;
mod reads;
mod report;
mod scenarios;
mod stack;
mod stadium;

use std::path::PathBuf;

pub use report::Report;

use stack::Stack;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program `karcis`.
    pub karcis: PathBuf,
    /// The `stack.json` of a fleet that runs, in place of one of its own.
    pub target: Option<PathBuf>,
    /// How many buy at once, each in a run of its own.
    pub buyers: Vec<usize>,
    /// For how long each load is measured.
    pub seconds: u64,
    /// How many reservations wait for a stadium.
    pub waiting: usize,
    /// How many ended bookings the tables get for one more load; 0 leaves it out.
    pub grown: usize,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("the fleet cannot be measured: {0}")]
    Start(String),
    #[error("a buyer was refused: {0}")]
    Refused(String),
    #[error("a call failed: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error("the books do not balance, so no figure counts: {0}")]
    Books(String),
}

/// Measures; `tell` is told how it goes.
///
/// # Errors
/// The fleet cannot be reached, somebody was refused, or the books do not balance at the end.
pub async fn run(options: &Options, tell: impl Fn(&str)) -> Result<Report, BenchError> {
    let stack = match &options.target {
        Some(state) => Stack::attach(state).await?,
        None => Stack::start(&options.karcis).await?,
    };
    tell("the fleet is ready");
    scenarios::run(&stack, options, &tell).await
}
