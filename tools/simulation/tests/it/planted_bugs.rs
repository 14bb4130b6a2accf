//! Bugs planted in the code of services and adapters, one at a time: seeds must notice every one of them.

use karcis_kernel::Bug;
use karcis_simulation::seeded::{Plan, run, shrink};

/// Within so many sagas each bug has to be noticed.
const SAGAS: u64 = 10_000;

#[test]
fn every_planted_bug_is_noticed() {
    let mut unnoticed = vec![];
    for bug in Bug::SIMULATED {
        match noticed(bug) {
            Some((seed, sagas, rule)) => {
                println!("{bug:?}: rule {rule}, seed {seed}, after {sagas} sagas");
            }
            None => unnoticed.push(bug),
        }
    }
    assert!(unnoticed.is_empty(), "within {SAGAS} sagas nothing notices {unnoticed:?}");
}

/// The first seed that breaks a rule, after how many sagas, and the rule.
fn noticed(bug: Bug) -> Option<(u64, u64, u8)> {
    bug.plant(|| {
        let mut sagas = 0;
        for seed in 1.. {
            let outcome = run(&Plan::of_seed(seed), false);
            sagas += outcome.sagas;
            if let Some(violation) = outcome.violation {
                return Some((seed, sagas, violation.rule));
            }
            if sagas >= SAGAS {
                break;
            }
        }
        None
    })
}

/// The rules of what waits can be broken: by a claim that outlives who has it, and by a row that holds up others.
#[test]
fn what_waits_for_too_long_is_noticed() {
    for (bug, expected) in [(Bug::ClaimedForEver, 12), (Bug::RejectionRetried, 14)] {
        let (.., rule) = noticed(bug).expect("it is noticed");
        assert_eq!(rule, expected, "{bug:?}");
    }
}

#[test]
fn a_story_is_short_and_the_same_each_time() {
    let bug = Bug::KeyNotStored;
    let (seed, ..) = noticed(bug).expect("it is noticed");
    let shrunk = bug.plant(|| shrink(&Plan::of_seed(seed), 400)).expect("the seed fails again");
    let story = &shrunk.outcome.story;
    let violation = shrunk.outcome.violation.as_ref().expect("it breaks a rule");
    assert_eq!(violation.rule, 13, "{violation:?}");
    assert!(story.len() <= 30, "{} lines:\n{}", story.len(), story.join("\n"));
    println!("{}", story.join("\n"));
    let again = bug.plant(|| run(&shrunk.plan, true));
    assert_eq!(again.story, *story);
}
