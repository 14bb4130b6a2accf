//! `karcis simulate`: proves the services under faults that seeds draw, in virtual time.

use std::{
    num::NonZero,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use karcis_simulation::seeded::{Campaign, Plan, RULES, Summary, shrink};

/// How many seeds are run unless something else is said.
const SEEDS: u64 = 100;
/// How many runs the search for the shortest story may take.
const SHRINKING: usize = 5_000;
/// How many lines of a long story are shown of its beginning, and of its end.
const SHOWN_LINES: usize = 60;
/// How often the progress is shown.
const SHOW_EVERY: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(crate) struct SimulateOptions {
    /// How many seeds to run; 100 if no time is given either
    #[arg(long, value_name = "NUMBER")]
    seeds: Option<u64>,
    /// The first seed; the others follow it
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// For how long to begin further seeds
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<u64>,
}

/// A rule does not hold.
#[derive(Debug, thiserror::Error)]
#[error("seed {0} breaks a rule")]
pub(crate) struct RuleBroken(u64);

/// Runs the seeds and prints what they have seen.
///
/// # Errors
/// One breaks a rule; the shortest story of that is printed before.
pub(crate) fn simulate(options: &SimulateOptions) -> Result<(), RuleBroken> {
    let seeds = options.seeds.or_else(|| options.minutes.is_none().then_some(SEEDS));
    let campaign = Campaign {
        first: options.seed,
        seeds,
        time: options.minutes.map(|minutes| Duration::from_secs(60 * minutes)),
        threads: available_parallelism().map_or(1, NonZero::get),
    };
    let began = Instant::now();
    let mut shown = began;
    let summary = campaign.run(|summary| {
        if shown.elapsed() >= SHOW_EVERY {
            shown = Instant::now();
            eprintln!("{}", line(summary, began.elapsed()));
        }
    });
    print(&summary, began.elapsed());
    summary.failed.map_or(Ok(()), |seed| {
        print_failure(seed);
        Err(RuleBroken(seed))
    })
}

fn line(summary: &Summary, time: Duration) -> String {
    let per_second = summary.sagas as f64 / time.as_secs_f64().max(0.001);
    format!(
        "{} seeds, {} sagas ({per_second:.0}/s), {} steps, {} faults",
        summary.seeds,
        summary.sagas,
        summary.steps,
        summary.fault_count()
    )
}

fn print(summary: &Summary, time: Duration) {
    println!("{} in {:.1} s", line(summary, time), time.as_secs_f64());
    println!("\nhow the bookings ended:");
    for (end, count) in &summary.ends {
        println!("{count:>12}  {end}");
    }
    println!("\nwhat operators did:");
    for (act, count) in &summary.acts {
        println!("{count:>12}  {act}");
    }
    println!("\nfaults:");
    for (kind, count) in &summary.faults {
        println!("{count:>12}  {kind:?}");
    }
}

fn print_failure(seed: u64) {
    println!("\nseed {seed} breaks a rule; looking for the shortest story");
    let Some(shrunk) = shrink(&Plan::of_seed(seed), SHRINKING) else { return };
    println!("\nthe story ({} runs to find it):", shrunk.runs);
    let story = &shrunk.outcome.story;
    for (at, line) in story.iter().enumerate() {
        // What never ends is told from both sides.
        if at == SHOWN_LINES && story.len() > 2 * SHOWN_LINES {
            println!("  … {} more lines …", story.len() - 2 * SHOWN_LINES);
        }
        if at < SHOWN_LINES || at + SHOWN_LINES >= story.len() {
            println!("  {line}");
        }
    }
    if let Some(violation) = shrunk.outcome.violation {
        let rule = RULES.get(usize::from(violation.rule) - 1).copied().unwrap_or_default();
        println!("\nrule {} is broken: {rule}\n  {}", violation.rule, violation.what);
    }
    println!("\nagain: karcis simulate --seed {seed} --seeds 1");
}
