//! The domains' functions, each of which a test can replace by a wrong one.

use karcis_booking_service::domain as booking;
use karcis_event_service::domain as event;
use karcis_kernel::{Money, PaymentId, TicketCode, Timestamp};
use karcis_payment_service::domain as payment;

/// Draws a new ticket code.
type Mint<'a> = &'a mut dyn FnMut() -> TicketCode;

type EventDecision = Result<event::Decision, event::StockMismatch>;

/// What decides in each service. The default are the services' own functions.
#[derive(Clone, Copy)]
pub struct Rules {
    pub decide:
        fn(&booking::Booking, booking::DecisionContext, &booking::Input) -> booking::Verdict,
    pub reserve: fn(
        Option<&mut event::Event>,
        Option<&event::Hold>,
        event::BuyerHolds,
        &event::Reserve,
        Timestamp,
    ) -> event::Decision,
    pub confirm: fn(Option<&mut event::Event>, Option<&event::Hold>, Mint<'_>) -> EventDecision,
    pub release: fn(Option<&mut event::Event>, Option<&event::Hold>) -> EventDecision,
    pub take: fn(Option<&payment::PaymentRecord>, &payment::Command, PaymentId) -> payment::Verdict,
    pub start: fn(
        &payment::Payment,
        payment::AttemptId,
        Timestamp,
        &str,
    ) -> Result<payment::Payment, payment::StartRefusal>,
    pub resolve: fn(&payment::Payment, payment::AttemptId, &payment::Outcome) -> payment::Verdict,
    pub due_refunds: fn(&payment::Payment) -> Vec<(payment::RefundKind, Money)>,
    pub record_refund:
        fn(&payment::Payment, payment::RefundKind, &payment::RefundOutcome) -> payment::Verdict,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            decide: booking::decide,
            reserve: event::reserve,
            confirm: event::confirm,
            release: event::release,
            take: payment::take,
            start: payment::start,
            resolve: payment::resolve,
            due_refunds: payment::due_refunds,
            record_refund: payment::record_refund,
        }
    }
}
