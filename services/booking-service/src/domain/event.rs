//! A booking's event: as it was when the seats were held, and as it is now.

use karcis_kernel::Timestamp;

/// What a buyer sees of an event in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSnapshot {
    /// Rises with each edit; 1 if event-service did not say.
    pub version: i64,
    pub title: String,
    pub venue: String,
    pub starts_at: Timestamp,
    /// The venue's IANA time zone.
    pub time_zone: String,
}

/// What is true of an event now, as far as this service has heard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CurrentEvent {
    /// `None` if nothing but its cancellation is known.
    pub details: Option<EventDetails>,
    /// Why it does not take place, in its organiser's words.
    pub cancel_reason: Option<String>,
}

/// An event as it is to take place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventDetails {
    pub event: EventSnapshot,
    /// The version since which it looks like that.
    pub shown_since: i64,
    /// The last moment at which a cancellation gives the money back; `None` if event-service did not say.
    pub refundable_until: Option<Timestamp>,
    /// When it ends; `None` if event-service did not say.
    pub ends_at: Option<Timestamp>,
}

impl EventSnapshot {
    /// The version of an event that is not said.
    pub const FIRST_VERSION: i64 = 1;

    /// Whether a buyer sees the same of both.
    pub fn looks_like(&self, other: &Self) -> bool {
        *self == Self { version: self.version, ..other.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::{
        super::tests::samples::{booking, concert, context, noon, put_off, reservation, stage},
        *,
    };
    use crate::domain::*;

    fn with_event(booking: Booking, details: EventDetails) -> Booking {
        let event = CurrentEvent { details: Some(details), cancel_reason: None };
        Booking { event: Some(Arc::new(event)), ..booking }
    }

    /// The booking once it knows of the change, and what it sent; `None` if nothing was to be known.
    fn told(booking: &Booking) -> Option<(Booking, Vec<&'static str>)> {
        match decide(booking, context(noon()), &Input::EventChanged) {
            Verdict::Transition(to) => Some((to.booking, to.log.sent)),
            Verdict::Ignored => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_is_told_once_and_leaves_the_saga_where_it_is() {
        for name in ["awaiting", "awaiting(payable)", "confirming", "confirmed(free)"] {
            let before = booking(stage(name));
            let (after, sent) = told(&before).expect("there is a change");
            assert_eq!(sent, ["BookingEventChanged"], "{name}");
            let expected = Booking { version: 8, event_version: 2, updated_at: noon(), ..before };
            assert_eq!(after, expected, "{name}");
            assert_eq!(told(&after), None, "{name}");
        }
    }

    #[test]
    fn what_looks_as_agreed_is_no_news_but_known_from_then_on() {
        let same = EventDetails { event: concert(5), shown_since: 5, ..put_off() };
        let (after, sent) =
            told(&with_event(booking(stage("confirmed")), same.clone())).expect("known");
        assert_eq!((sent, after.event_version), (vec![], 5));
        // The buyer was told that it is put off: that it is not after all is news.
        let (told_before, _) = told(&booking(stage("confirmed"))).expect("told");
        let (after, sent) = told(&with_event(told_before, same)).expect("told");
        assert_eq!((sent, after.event_version), (vec!["BookingEventChanged"], 5));
    }

    #[test]
    fn an_edit_that_changes_nothing_a_buyer_sees_is_no_change() {
        let (after, _) = told(&booking(stage("confirmed"))).expect("told");
        let mut repriced = put_off();
        repriced.event.version = 3;
        assert_eq!(told(&with_event(after, repriced)), None);
    }

    #[test]
    fn a_booking_whose_seats_were_held_after_the_change_knows_it() {
        for (version, news) in [(1, true), (2, false), (3, false)] {
            let mut held = (*reservation(100, noon())).clone();
            held.event = concert(version);
            let reserved = Input::TicketsReserved(Arc::new(held));
            let verdict = decide(&booking(stage("reserving")), context(noon()), &reserved);
            let Verdict::Transition(to) = verdict else { panic!("not reserved") };
            assert_eq!(to.booking.event_version, version);
            assert_eq!(told(&to.booking).is_some(), news, "held in version {version}");
        }
    }

    #[test]
    fn an_unknown_event_and_one_of_which_only_its_cancellation_is_known_have_not_changed() {
        let known = CurrentEvent { details: None, cancel_reason: Some("rain".to_owned()) };
        for event in [None, Some(Arc::new(known))] {
            let booking = Booking { event, ..booking(stage("confirmed")) };
            assert_eq!(told(&booking), None);
            assert_eq!(booking.shown_event(), Some(&concert(1)));
            assert_eq!(booking.refundable_until(), Some(noon()));
        }
    }

    #[test]
    fn money_goes_back_until_the_later_of_what_was_agreed_and_what_is_true_now() {
        let (before, after) = (noon() - TimeDelta::hours(1), noon() + TimeDelta::hours(1));
        let cases: [(Timestamp, Option<Timestamp>, bool); 6] = [
            (after, None, true),
            (after, Some(before), true),
            (before, Some(noon()), true),
            (before, Some(after), true),
            (before, Some(before), false),
            (before, None, false),
        ];
        for (agreed, now, is_open) in cases {
            let reservation = reservation(100, agreed);
            for stage in [
                Stage::Confirming { reservation: reservation.clone() },
                Stage::Confirmed { reservation: reservation.clone(), tickets: Arc::new([]) },
            ] {
                let details = EventDetails { refundable_until: now, ..put_off() };
                let booking = with_event(booking(stage), details);
                let verdict = decide(&booking, context(noon()), &Input::Cancel);
                let refused = Verdict::Refused(Refusal::RefundWindowClosed);
                assert_eq!(verdict != refused, is_open, "agreed {agreed}, now {now:?}");
                assert_eq!(booking.can_cancel(noon()), is_open);
                assert_eq!(booking.refundable_until(), Some(agreed.max(now.unwrap_or(agreed))));
            }
        }
    }

    #[test]
    fn nobody_pays_once_the_tickets_are_no_longer_on_sale() {
        let window = booking(Stage::Reserving).order.pay_by;
        let before = noon() - TimeDelta::seconds(1);
        for (sales_end, pay_by) in [
            (None, window),
            (Some(window + TimeDelta::seconds(1)), window),
            (Some(noon() + TimeDelta::minutes(1)), noon() + TimeDelta::minutes(1)),
            // It is over when the seats are held: the booking is due at once.
            (Some(before), before),
        ] {
            let mut held = (*reservation(100, noon())).clone();
            held.sales_end = sales_end;
            let held = Arc::new(held);
            let reserved = Input::TicketsReserved(held.clone());
            let verdict = decide(&booking(Stage::Reserving), context(noon()), &reserved);
            let Verdict::Transition(to) = verdict else { panic!("not reserved") };
            let amount = held.total;
            let sent = [
                Message::RequestPayment { amount, pay_by },
                Message::BookingReserved { reservation: held, pay_by },
            ];
            assert_eq!(to.messages, sent);
            assert_eq!((to.booking.due_at(), to.booking.pay_by()), (Some(pay_by), Some(pay_by)));
        }
    }

    #[test]
    fn nobody_pays_once_an_event_that_was_moved_to_an_earlier_time_has_started() {
        let window = booking(Stage::Reserving).order.pay_by;
        let (soon, agreed) = (noon() + TimeDelta::minutes(1), noon() + TimeDelta::days(1));
        for (sales_end, now, pay_by) in [
            (None, soon, soon),
            (Some(agreed), soon, soon),
            (Some(agreed), agreed, window),
            // A festival, which sells while it runs.
            (Some(agreed + TimeDelta::hours(1)), soon, window),
        ] {
            let mut held = (*reservation(100, noon())).clone();
            (held.sales_end, held.event.starts_at) = (sales_end, agreed);
            let mut details = put_off();
            details.event.starts_at = now;
            let awaiting = Stage::Awaiting { reservation: Arc::new(held), payable: true };
            let booking = with_event(booking(awaiting), details);
            let (after, _) = told(&booking).expect("told");
            let expected = (Some(pay_by), Some(pay_by));
            assert_eq!((after.due_at(), after.pay_by()), expected, "{sales_end:?}, {now}");
        }
    }
}
