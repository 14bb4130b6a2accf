//! A seed is always the same plan, and another seed another.

use std::collections::BTreeSet;

use karcis_chaos::{Act, ActKind, Blow, Errand, Fault, Plan, Target};

fn plan(seed: u64) -> Plan {
    let target = |blow, name: &str| Target { blow, name: name.to_owned(), weight: 1 };
    let targets = [
        target(Blow::Kill, "kafka"),
        target(Blow::Freeze, "booking-service/1"),
        target(Blow::Cut, "postgres/0"),
        target(Blow::LoseAnswers, "provider"),
    ];
    Plan::new(seed, targets.into())
}

fn drawn(seed: u64) -> (Vec<Fault>, Vec<Errand>, Vec<Act>) {
    let plan = plan(seed);
    (
        plan.faults(0).take(200).collect(),
        plan.errands().take(1_000).collect(),
        plan.acts().take(200).collect(),
    )
}

#[test]
fn a_seed_is_the_same_plan_each_time() {
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    assert!(plan(7).faults(0).take(9).ne(plan(7).faults(1).take(9)));
}

#[test]
fn a_plan_has_everything_that_can_happen() {
    let (faults, errands, acts) = drawn(1);
    let blows: BTreeSet<Blow> = faults.iter().map(|fault| fault.blow).collect();
    assert_eq!(blows.len(), 4);
    let tokens: BTreeSet<&str> = errands.iter().flat_map(|errand| errand.tokens.clone()).collect();
    for token in ["answer_lost", "never_arrives", "executes_late", "action_required"] {
        assert!(tokens.contains(&*format!("tok_{token}")), "{token}");
    }
    assert!(tokens.contains("tok_refund_refused"));
    assert!(errands.iter().any(|errand| errand.tokens.is_empty()), "some walk away");
    assert!(errands.iter().any(|errand| errand.presses_twice));
    assert!(acts.iter().any(|act| act.kind == ActKind::CancelEvent));
}

#[test]
fn nothing_is_struck_that_is_no_target() {
    assert_eq!(Plan::new(1, vec![]).faults(0).next(), None);
    assert!(plan(3).faults(0).take(50).all(|fault| fault.target != "postgres"));
}
