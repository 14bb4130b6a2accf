//! `karcis chaos`: proves a whole fleet under faults that a seed draws.

use std::{path::PathBuf, time::Duration};

use karcis_simulation::seeded::RULES;

#[derive(clap::Args)]
pub(crate) struct ChaosOptions {
    /// For how long faults strike
    #[arg(long, default_value_t = 5.0, value_name = "NUMBER")]
    minutes: f64,
    /// What draws the faults, and what people do: the same seed is the same plan
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// On three brokers and a PostgreSQL with a synchronous standby: brokers die, stand still or are cut off
    /// one at a time, and where the primary dies for good, the standby takes its place
    #[arg(long)]
    cluster: bool,
    /// Fail also if it takes longer after a fault until the next booking gets through: on a machine with little
    /// else to do
    #[arg(long, value_name = "SECONDS")]
    recovers_within: Option<f64>,
    /// Print what was seen as JSON
    #[arg(long)]
    json: bool,
    /// Strike only what has this in its name, such as booking-service, /0, kafka or provider; may be repeated
    #[arg(long, value_name = "TARGET")]
    only: Vec<String>,
    /// Where to keep the services' logs if a rule is broken
    #[arg(long, value_name = "PATH")]
    logs: Option<PathBuf>,
}

/// A rule does not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChaosError {
    #[error("the program cannot be found: {0}")]
    Program(#[from] std::io::Error),
    #[error("rule {rule} is broken: {text}")]
    Broken { rule: u8, text: &'static str },
    #[error("rule 12 is broken: it took {0:.1} s after a fault until a booking got through")]
    Slow(f64),
}

/// Runs it and prints what was seen.
///
/// # Errors
/// A rule is broken; its story is printed before.
pub(crate) async fn chaos(options: &ChaosOptions) -> Result<(), ChaosError> {
    let options_of_run = karcis_chaos::Options {
        seed: options.seed,
        time: Duration::from_secs_f64(60.0 * options.minutes),
        karcis: std::env::current_exe()?,
        cluster: options.cluster,
        only: options.only.clone(),
        logs: options.logs.clone(),
    };
    let report = karcis_chaos::run(&options_of_run, |how| eprintln!("{how}")).await;
    match serde_json::to_string_pretty(&report) {
        Ok(json) if options.json => println!("{json}"),
        _ => print!("{report}"),
    }
    if let Some(broken) = report.broken {
        let text = RULES.get(usize::from(broken.rule) - 1).copied().unwrap_or_default();
        return Err(ChaosError::Broken { rule: broken.rule, text });
    }
    let longest = report.recovery.longest_s;
    if options.recovers_within.is_some_and(|limit| longest > limit) {
        return Err(ChaosError::Slow(longest));
    }
    Ok(())
}
