//! `karcis bench`: measures a real fleet under load.

use std::path::PathBuf;

use karcis_bench::{BenchError, Options};

#[derive(clap::Args)]
pub(crate) struct BenchOptions {
    /// The stack.json of a fleet that runs on this machine, in place of one of its own; what is booked stays there
    #[arg(long, value_name = "PATH")]
    target: Option<PathBuf>,
    /// How many buy at once; may be repeated
    #[arg(long, default_values_t = [256, 1024], value_name = "NUMBER")]
    buyers: Vec<usize>,
    /// For how long each load is measured, after a warm-up
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many reservations wait for the stadium's event; only with a fleet of its own
    #[arg(long, default_value_t = 200_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=900_000))]
    waiting: u32,
    /// How many ended bookings are added for one more load, 0 for none; only with a fleet of its own
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    grown: u32,
    /// Write what was measured as JSON, too
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

/// Runs it and prints what was measured.
///
/// # Errors
/// The fleet cannot be measured, or its books do not balance.
pub(crate) async fn bench(options: &BenchOptions) -> Result<(), BenchError> {
    let what = Options {
        karcis: std::env::current_exe()?,
        target: options.target.clone(),
        buyers: options.buyers.clone(),
        seconds: options.seconds,
        waiting: options.waiting as usize,
        grown: options.grown as usize,
    };
    let report = karcis_bench::run(&what, |how| eprintln!("{how}")).await?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report).map_err(std::io::Error::from)?)?;
    }
    print!("{report}");
    Ok(())
}
