//! `karcis bench`: measures a real fleet under load.

use std::{path::PathBuf, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use karcis_bench::{BenchError, Options, Step};

#[derive(clap::Args)]
pub(crate) struct BenchOptions {
    /// The stack.json of a fleet that runs on this machine, in place of one of its own; what is booked stays there
    #[arg(long, value_name = "PATH")]
    target: Option<PathBuf>,
    /// How many buy at once; may be repeated
    #[arg(long, default_values_t = [256, 1024], value_name = "NUMBER")]
    buyers: Vec<usize>,
    /// How many purchases of one hot event begin in a second, whatever becomes of the earlier ones; 0 leaves it out
    #[arg(long, default_value_t = 500, value_name = "NUMBER")]
    offered: u32,
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
    /// Write a page with plots of what was measured, too
    #[arg(long, value_name = "PATH")]
    html: Option<PathBuf>,
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
        offered: options.offered,
        seconds: options.seconds,
        waiting: options.waiting as usize,
        grown: options.grown as usize,
    };
    let bar = ProgressBar::new(0).with_style(style());
    bar.enable_steady_tick(Duration::from_secs(1));
    let report = karcis_bench::run(&what, |step| show(&bar, step)).await?;
    bar.finish_and_clear();
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report).map_err(std::io::Error::from)?)?;
    }
    if let Some(path) = &options.html {
        std::fs::write(path, report.page()?)?;
    }
    print!("{report}");
    Ok(())
}

fn style() -> ProgressStyle {
    let template = "{elapsed_precise} {wide_bar} {pos}/{len} {msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The bar counts what is done. It is hidden where stderr is no terminal.
fn show(bar: &ProgressBar, Step { number, of, name }: Step<'_>) {
    if bar.is_hidden() {
        eprintln!("{name}");
    } else {
        bar.set_length(of as u64);
        bar.set_position(number as u64 - 1);
        bar.set_message(name.to_owned());
    }
}
