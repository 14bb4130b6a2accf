//! What everybody in a run shares: the fleet, who buys, what is on sale, and what was seen.

use std::sync::RwLock;

use chrono::{Duration, Utc};
use karcis_fleet::{Concert, ConcertPlan, Fleet};
use karcis_kernel::UserId;
use karcis_testkit::together;

use crate::{
    plan::{BUYERS, EVENTS},
    seen::Seen,
};

/// A run.
pub(crate) struct World<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) seen: Seen,
    pub(crate) buyers: Vec<UserId>,
    /// Those that are on sale.
    concerts: RwLock<Vec<Concert>>,
}

impl<'a> World<'a> {
    /// People register, and the first events are published.
    pub(crate) async fn open(fleet: &'a Fleet) -> Self {
        let names: Vec<_> = (0..BUYERS).map(|number| format!("Sari {number}")).collect();
        let buyers = together(4, names.iter().map(|name| fleet.registers(name))).await;
        let plans = (0..EVENTS).map(|event| plan_of(fleet.concert(), event).published());
        let concerts = together(EVENTS, plans).await;
        Self {
            fleet,
            seen: Seen::new(),
            buyers: buyers.into_iter().map(|buyer| buyer.user_id).collect(),
            concerts: RwLock::new(concerts),
        }
    }

    /// The event that is on sale in this place now.
    pub(crate) fn concert(&self, place: usize) -> Concert {
        self.concerts.read().expect("nobody panics while they change it")[place].clone()
    }

    /// Puts another in its place, and returns what was there.
    pub(crate) fn replace(&self, place: usize, concert: Concert) -> Concert {
        let mut concerts = self.concerts.write().expect("nobody panics while they change it");
        std::mem::replace(&mut concerts[place], concert)
    }
}

/// The event in this place: the first sells out, and the last gives no money back.
pub(crate) fn plan_of(plan: ConcertPlan, place: usize) -> ConcertPlan {
    let (seats, free) = if place == 0 { (40, 10) } else { (100_000, 100_000) };
    let plan = plan.tickets("Seat", seats).priced("Free", free, 0);
    match place {
        3 => plan.refundable_until(Utc::now() - Duration::days(1)),
        _ => plan,
    }
}
