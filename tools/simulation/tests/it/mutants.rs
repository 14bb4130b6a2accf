//! Wrong rules, one each: the exploration must notice every one of them.

mod booking;
mod event;
mod payment;

use karcis_simulation::exploration::{Rules, Scenario, explore};

/// A wrong rule's name, and the rules with it.
type Mutant = (&'static str, Rules);

/// The smallest scenarios that show every mutant.
const SCENARIOS: [Scenario; 5] = [
    Scenario { price: 0, is_refundable: true, attempts: 0, is_moved: false },
    Scenario { price: 0, is_refundable: false, attempts: 0, is_moved: true },
    Scenario { price: 100, is_refundable: false, attempts: 1, is_moved: false },
    Scenario { price: 100, is_refundable: true, attempts: 1, is_moved: false },
    Scenario { price: 100, is_refundable: true, attempts: 2, is_moved: false },
];

#[test]
fn every_wrong_rule_is_noticed() {
    let mutants: Vec<Mutant> = [booking::mutants(), event::mutants(), payment::mutants()].concat();
    assert!(mutants.len() >= 20, "only {} mutants", mutants.len());
    let unnoticed: Vec<&str> = mutants
        .iter()
        .filter(|(_, rules)| SCENARIOS.iter().all(|scenario| explore(rules, *scenario).is_ok()))
        .map(|(name, _)| *name)
        .collect();
    assert!(unnoticed.is_empty(), "nothing notices: {unnoticed:#?}");
}
