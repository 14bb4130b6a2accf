//! Makes a failing plan small: leaves out faults, buyers, edits, operators and wishes for as long as the same rule breaks.

use super::{
    faults::Fault,
    plan::Plan,
    run::{Outcome, run},
};

/// Who is left out may have come between two others: so many other latencies are tried.
const SCHEDULES: usize = 6;

/// A plan that breaks a rule, and nothing of which can be left out any more.
pub struct Shrunk {
    pub plan: Plan,
    /// With its story.
    pub outcome: Outcome,
    pub runs: usize,
}

struct Search {
    rule: u8,
    best: Plan,
    runs: usize,
    most_runs: usize,
}

/// The smallest plan that it finds within `most_runs` to break the rule that `plan` breaks; `None` if it
/// breaks none.
pub fn shrink(plan: &Plan, most_runs: usize) -> Option<Shrunk> {
    let first = run(plan, false);
    let mut search = Search { rule: first.violation?.rule, best: plan.clone(), runs: 1, most_runs };
    // With faults drawn by name, fewer people meet the same faults.
    search.leave_out(|plan| &mut plan.buyers);
    let faults = run(&search.best, false).faults;
    search.pin_faults(faults);
    loop {
        let size = search.size();
        search.leave_out_faults();
        search.leave_out(|plan| &mut plan.buyers);
        search.leave_out(|plan| &mut plan.edits);
        search.leave_out(|plan| &mut plan.operators);
        search.simplify();
        if search.size() == size || search.runs >= most_runs {
            break;
        }
    }
    let outcome = run(&search.best, true);
    Some(Shrunk { plan: search.best, outcome, runs: search.runs })
}

impl Search {
    fn size(&self) -> (usize, usize, usize) {
        let plan = &self.best;
        let wishes = plan.buyers.iter().map(|buyer| {
            buyer.tokens.len() + usize::from(buyer.presses_twice) + usize::from(buyer.pays_twice)
        });
        let faults = plan.only.as_ref().map_or(usize::MAX, |only| only.len());
        let people = plan.buyers.len() + plan.edits.len() + plan.operators.len();
        (people, wishes.sum(), faults)
    }

    /// Takes the plan if it breaks the same rule, with the latencies as they are or with others.
    fn takes(&mut self, plan: Plan) -> bool {
        for schedule in (plan.schedule..).take(SCHEDULES) {
            if self.runs >= self.most_runs {
                break;
            }
            self.runs += 1;
            let tried = Plan { schedule, ..plan.clone() };
            if run(&tried, false).violation.is_some_and(|it| it.rule == self.rule) {
                self.best = tried;
                return true;
            }
        }
        false
    }

    /// Leaves out parts of a list, first halves, then less and less.
    fn leave_out<T: Clone>(&mut self, list: fn(&mut Plan) -> &mut Vec<T>) {
        let mut size = list(&mut self.best).len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < list(&mut self.best).len() {
                let mut smaller = self.best.clone();
                let parts = list(&mut smaller);
                let end = (at + size).min(parts.len());
                parts.drain(at..end);
                if !self.takes(smaller) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// From now on only faults that struck in the last run can strike.
    fn pin_faults(&mut self, faults: Vec<Fault>) {
        let only = Some(faults.into_iter().collect());
        let pinned = Plan { only, ..self.best.clone() };
        self.takes(pinned);
    }

    fn leave_out_faults(&mut self) {
        let Some(only) = self.best.only.clone() else { return };
        let mut faults: Vec<Fault> = only.into_iter().collect();
        let mut size = faults.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < faults.len() {
                let mut fewer = faults.clone();
                fewer.drain(at..(at + size).min(faults.len()));
                let only = Some(fewer.iter().copied().collect());
                if self.takes(Plan { only, ..self.best.clone() }) {
                    faults = fewer;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Leaves out what buyers do besides ordering.
    fn simplify(&mut self) {
        for index in 0..self.best.buyers.len() {
            let buyer = |plan: &mut Plan, change: fn(&mut super::plan::BuyerPlan)| {
                change(&mut plan.buyers[index]);
            };
            let simpler: [fn(&mut super::plan::BuyerPlan); 7] = [
                |buyer| buyer.presses_twice = false,
                |buyer| buyer.pays_twice = false,
                |buyer| buyer.cancels_after = None,
                |buyer| buyer.pays_after = std::time::Duration::ZERO,
                |buyer| buyer.expects_price = false,
                |buyer| buyer.items.truncate(1),
                |buyer| {
                    buyer.tokens.pop();
                },
            ];
            for change in simpler {
                let mut plan = self.best.clone();
                buyer(&mut plan, change);
                self.takes(plan);
            }
        }
    }
}
