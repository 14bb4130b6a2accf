//! Attackers of every kind with ordinary buyers among them.
//!
//! `cargo bench -p karcis-tests --bench stress` starts everything as `cargo run` does, with 100,000
//! events and its rate limits, and attacks it for `STRESS_S` seconds (default 600) from addresses of
//! this machine. It fails if an ordinary buyer is refused or waits longer than 1 s for a create, an
//! answer to an attack exceeds 64 KiB, or a service takes more than 256 MB.

mod attacks;
mod buyers;
mod stack;

use std::{fs, time::Duration};

use futures_util::future::join;
use karcis_schemas::SERVICES;
use stack::{Stack, setting, show};
use tokio::time::Instant;

const MAX_CREATE: Duration = Duration::from_secs(1);
const MAX_PEAK_KB: u64 = 256 * 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let held = runtime.expect("a runtime starts").block_on(async {
        let stack = Stack::start(&[("KARCIS_RATE_LIMITS", "on")]).await;
        attacks::fill_catalogue(&stack.database).await;
        let event = stack.event().await;
        let buyers = buyers::register(&stack).await;
        let until = Instant::now() + Duration::from_secs(setting("STRESS_S", 600) as u64);
        let (bought, attacks) = join(
            buyers::buy(&stack, &event, &buyers, until),
            attacks::run(&stack, &event, &buyers[0].email, until),
        )
        .await;
        for attack in &attacks {
            println!("{attack}");
        }
        let slowest = bought.creates.iter().max().copied().unwrap_or_default();
        println!(
            "ordinary buyers: {} confirmed, {} refused, slowest create {slowest:.0?}",
            bought.confirmed.len(),
            bought.refused.len(),
        );
        bought.refused.iter().take(5).for_each(|refused| println!("  {refused}"));
        show("create", bought.creates);
        show("create -> confirmed", bought.confirmed);
        show("log-in", bought.log_ins);
        let bounded = attacks.iter().all(attacks::Attack::is_bounded);
        let held = bounded && bought.refused.is_empty() && slowest <= MAX_CREATE;
        let small = peaks(&stack);
        stack.stop();
        held && small
    });
    assert!(held, "the stress was too much: see above");
}

/// Prints the most memory that each service ever had; whether each stayed below its bound.
fn peaks(stack: &Stack) -> bool {
    let peaks = SERVICES.map(|service| {
        let pid = &stack.pids[service.full_name()];
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the service runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kb: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number of kB");
        println!("{}: {} MB at most", service.full_name(), kb / 1_000);
        kb
    });
    peaks.into_iter().all(|kb| kb <= MAX_PEAK_KB)
}
