//! Many bookings under faults that seeds draw.

use karcis_simulation::seeded::{Campaign, Plan, run};

/// Enough to be sure of the machinery; `karcis simulate` runs many more.
const SEEDS: u64 = 60;

#[test]
fn no_seed_breaks_a_rule() {
    let campaign = Campaign { first: 1, seeds: Some(SEEDS), time: None, threads: 2 };
    let summary = campaign.run(|_| ());
    assert_eq!(summary.failed, None, "run `karcis simulate` with this seed");
    assert_eq!(summary.seeds, SEEDS);
    assert!(summary.sagas > 15 * SEEDS, "{summary:?}");
    assert!(summary.mails > summary.sagas, "{summary:?}");
    for end in ["confirmed", "rejected", "cancelled_by_buyer", "payment_expired", "event_cancelled"]
    {
        assert!(summary.ends.contains_key(end), "no booking ended {end}: {summary:?}");
    }
    for act in ["approved", "declined", "refunded", "ask_again", "ask", "cancel", "resume"] {
        assert!(summary.acts.contains_key(act), "no operator's act was {act}: {summary:?}");
    }
    for act in ["redrive", "discard", "too late"] {
        assert!(summary.acts.contains_key(act), "no operator's act was {act}: {summary:?}");
    }
    assert!(summary.faults.len() >= 21, "some faults never struck: {summary:?}");
}

#[test]
fn a_seed_is_always_the_same_run() {
    for seed in 1..=10 {
        let runs = [run(&Plan::of_seed(seed), false), run(&Plan::of_seed(seed), true)];
        let [first, second] = runs.map(|run| (run.trace, run.steps, run.faults, run.ends));
        assert_eq!(first, second, "seed {seed}");
    }
    let other = run(&Plan::of_seed(11), false);
    assert_ne!(run(&Plan::of_seed(12), false).trace, other.trace);
}
