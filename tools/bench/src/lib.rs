//! The benchmark: a real fleet under load from outside, and what a booking costs it.

mod buyers;
mod floor;
mod growth;
mod page;
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
    /// How many purchases of one hot event begin in a second, whatever becomes of the earlier ones; 0 leaves it out.
    pub offered: u32,
    /// For how long each load is measured.
    pub seconds: u64,
    /// How many reservations wait for a stadium.
    pub waiting: usize,
    /// How many ended bookings the tables get for one more load; 0 leaves it out.
    pub grown: usize,
}

/// What a run is about to do.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    pub name: &'a str,
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
    #[error("the page cannot be drawn: {0}")]
    Page(String),
    #[error("the books do not balance, so no figure counts: {0}")]
    Books(String),
}

/// Measures; `tell` is told of each step before it.
///
/// # Errors
/// The fleet cannot be reached, somebody was refused, or the books do not balance at the end.
pub async fn run(options: &Options, tell: impl Fn(Step<'_>)) -> Result<Report, BenchError> {
    let (mut number, of) = (0, scenarios::steps(options));
    let mut tell = |name: &str| {
        number += 1;
        tell(Step { number, of, name });
    };
    tell("the fleet");
    let stack = match &options.target {
        Some(state) => Stack::attach(state).await?,
        None => Stack::start(&options.karcis).await?,
    };
    scenarios::run(&stack, options, &mut tell).await
}
