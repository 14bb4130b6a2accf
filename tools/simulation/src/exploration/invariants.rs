//! What must hold in every world, between two worlds, and at the end.

use karcis_booking_service::domain::{Booking, Stage};
use karcis_event_service::domain::{self as event, Hold};
use karcis_payment_service::domain::{self as payment, State};

use super::{
    Scenario,
    participants::refunds,
    world::{Violation, World, require},
};

impl World {
    /// What must hold in every world.
    pub(crate) fn check(&self, scenario: Scenario) -> Result<(), Violation> {
        self.check_stock()?;
        self.check_money()?;
        let is_priced = scenario.price > 0;
        let is_sold = matches!(self.hold, Some(Hold::Sold(..)));
        require(!is_sold || !is_priced || self.is_paid(), || "sold without money".to_owned())?;
        match &self.booking.stage {
            Stage::Rejected { .. } | Stage::Cancelled { .. } => self.check_end(),
            Stage::Confirmed { .. } => {
                require(is_sold, || "a ticket without a seat".to_owned())?;
                let succeeded = matches!(self.payment_state(), Some(State::Succeeded));
                require(succeeded == is_priced, || "confirmed, but not paid".to_owned())?;
                require(!self.cancel_accepted, || "an accepted cancel is confirmed".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// What must hold between this world and one that a single event makes of it.
    pub(crate) fn check_step(&self, next: &Self) -> Result<(), Violation> {
        let (before, after) = (&self.booking.stage, &next.booking.stage);
        require(!is_end(&self.booking) || before == after, || "an end is left".to_owned())?;
        if let (Some(before), Some(after)) = (before.cause(), after.cause()) {
            require(before <= after, || format!("the cause falls from {before:?} to {after:?}"))?;
        }
        for (before, after) in [(&self.hold, &next.hold), (&self.rival, &next.rival)] {
            let is_final = matches!(before, Some(Hold::Released | Hold::Rejected(_)));
            let stays = before == after || matches!(after, Some(Hold::Released));
            let unsold = matches!(before, Some(Hold::Sold(..))) && !stays;
            require(!unsold, || "a sold seat changes".to_owned())?;
            let reopened = is_final && !stays;
            require(!reopened, || format!("the hold {before:?} becomes {after:?}"))?;
        }
        let is_new = |hold: &Option<Hold>| matches!(hold, Some(Hold::Held(_)));
        let held_late = self.is_event_cancelled() && !is_new(&self.hold) && is_new(&next.hold);
        require(!held_late, || "a cancelled event holds a seat".to_owned())
    }

    /// The stock says what the holds say, and no seat is sold twice.
    fn check_stock(&self) -> Result<(), Violation> {
        let stock = self.event.ticket_types[0].stock;
        let holds = [&self.hold, &self.rival];
        let count = |is: fn(&Hold) -> bool| {
            holds.iter().filter(|hold| hold.as_ref().is_some_and(is)).count() as u32
        };
        let held = count(|hold| matches!(hold, Hold::Held(_)));
        let sold = count(|hold| matches!(hold, Hold::Sold(..)));
        require((stock.held(), stock.sold()) == (held, sold), || {
            format!("{stock:?}, but {held} holds are held and {sold} sold")
        })?;
        require(held + sold <= stock.capacity(), || "a seat is sold twice".to_owned())
    }

    /// Money that is with the provider belongs to a booking, or is on its way back.
    fn check_money(&self) -> Result<(), Violation> {
        let net = self.provider.net();
        require(net >= 0, || "more money went back than came".to_owned())?;
        let seats_are_gone = !matches!(self.hold, Some(Hold::Held(_) | Hold::Sold(..)));
        let refunds = matches!(self.booking.stage, Stage::Refunding { refunded: false, .. });
        if seats_are_gone && !self.released_by_mistake && net > 0 {
            require(refunds || self.owes_refund(), || {
                "seats are released while money is captured, and no refund is under way".to_owned()
            })?;
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), Violation> {
        let kept = matches!(self.hold, Some(Hold::Held(_) | Hold::Sold(..)));
        require(!kept, || "seats are kept".to_owned())?;
        let state = self.payment_state();
        let open = matches!(
            state,
            Some(
                State::Open | State::Processing { .. } | State::Succeeded | State::Refunding { .. }
            )
        );
        require(!open, || format!("the booking has ended, but its payment is {state:?}"))?;
        let refunded = self.booking.refund().is_some_and(|refund| refund.done);
        require(refunded == matches!(state, Some(State::Refunded)), || {
            format!("refunded: {refunded}, but the payment is {state:?}")
        })
    }

    /// What must hold once nothing is under way.
    pub(crate) fn check_at_rest(&self, scenario: Scenario) -> Result<(), Violation> {
        let confirmed = matches!(self.booking.stage, Stage::Confirmed { .. });
        let expected = i64::from(confirmed && scenario.price > 0);
        let net = self.provider.net();
        require(net == expected, || format!("at rest {net} amounts are kept, not {expected}"))?;
        if let Some(payment) = self.payment() {
            let kept = payment.captured.amount - payment.refunded.amount;
            require(kept == net * scenario.price, || {
                format!("the payment says {kept}, the provider {}", net * scenario.price)
            })?;
        }
        let taken = matches!(self.hold, Some(Hold::Held(_) | Hold::Sold(..)));
        require(!(self.is_event_cancelled() && taken), || {
            "a cancelled event ends with a seat that is held or sold".to_owned()
        })?;
        require(taken == confirmed, || "a seat without a confirmed booking".to_owned())
    }

    pub(crate) fn payment(&self) -> Option<&payment::Payment> {
        self.payment.as_ref().and_then(payment::PaymentRecord::payment)
    }

    fn payment_state(&self) -> Option<&State> {
        self.payment().map(|payment| &payment.state)
    }

    fn is_paid(&self) -> bool {
        matches!(
            self.payment_state(),
            Some(State::Succeeded | State::Refunding { .. } | State::Refunded)
        )
    }

    /// Whether money is on its way back.
    pub(crate) fn owes_refund(&self) -> bool {
        self.payment().is_some_and(|payment| !refunds(payment).is_empty())
    }
}

/// Whether the saga is over for good.
pub(crate) fn is_end(booking: &Booking) -> bool {
    matches!(booking.stage, Stage::Rejected { .. } | Stage::Cancelled { .. })
}

/// The hold's state without what is the same in every world.
pub(crate) fn hold_code(hold: Option<&event::Hold>) -> u8 {
    match hold {
        None => 0,
        Some(Hold::Held(_)) => 1,
        Some(Hold::Sold(..)) => 2,
        Some(Hold::Released) => 3,
        Some(Hold::Rejected(why)) => 4 + *why as u8,
    }
}
