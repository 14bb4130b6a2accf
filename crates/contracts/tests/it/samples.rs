//! One value of every message.

use karcis_contracts::*;
use karcis_kernel::{
    BookingId, Currency, EventId, Money, PaymentId, Role, TicketCode, TicketTypeId, Timestamp,
    UserId,
};
use uuid::uuid;

pub(crate) fn booking() -> BookingId {
    BookingId(uuid!("0198c5a0-0000-7000-8000-00000000b001"))
}

pub(crate) fn event() -> EventId {
    EventId(uuid!("0198c5a0-0000-7000-8000-00000000e001"))
}

pub(crate) fn user() -> UserId {
    UserId(uuid!("0198c5a0-0000-7000-8000-00000000a001"))
}

const ORGANISER: UserId = UserId(uuid!("0198c5a0-0000-7000-8000-00000000a002"));
const PAYMENT: PaymentId = PaymentId(uuid!("0198c5a0-0000-7000-8000-00000000c001"));
const VIP: TicketTypeId = TicketTypeId(uuid!("0198c5a0-0000-7000-8000-00000000d001"));
const FREE: TicketTypeId = TicketTypeId(uuid!("0198c5a0-0000-7000-8000-00000000d002"));

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn rupiah(amount: i64) -> Money {
    Money::new(amount, Currency::Idr)
}

pub(crate) fn event_commands() -> Vec<EventCommand> {
    let (booking_id, event_id) = (booking(), event());
    vec![
        ReserveTickets {
            booking_id,
            event_id,
            user_id: user(),
            items: vec![
                Item { ticket_type_id: VIP, quantity: 2 },
                Item { ticket_type_id: FREE, quantity: 1 },
            ],
            expected_total: Some(rupiah(1_500_000)),
        }
        .into(),
        ConfirmTickets { booking_id, event_id }.into(),
        ReleaseTickets { booking_id, event_id }.into(),
    ]
}

pub(crate) fn payment_commands() -> Vec<PaymentCommand> {
    let booking_id = booking();
    vec![
        RequestPayment {
            booking_id,
            user_id: user(),
            amount: rupiah(1_500_000),
            pay_by: at("2026-03-01T12:15:00.123456Z"),
        }
        .into(),
        CancelPayment { booking_id }.into(),
        RefundPayment { booking_id }.into(),
    ]
}

fn snapshot() -> EventSnapshot {
    EventSnapshot {
        title: "Konser Akbar".to_owned(),
        venue: "Gelora Bung Karno".to_owned(),
        starts_at: at("2026-06-20T12:30:00Z"),
        time_zone: "Asia/Jakarta".to_owned(),
        version: Some(1),
    }
}

fn items() -> Vec<ReservedItem> {
    let item = |ticket_type_id, name: &str, quantity, unit_price| ReservedItem {
        ticket_type_id,
        name: name.to_owned(),
        quantity,
        unit_price,
    };
    vec![item(VIP, "VIP", 2, rupiah(750_000)), item(FREE, "Companion", 1, rupiah(0))]
}

fn booked() -> Booked {
    Booked { event: snapshot(), items: items(), total: rupiah(1_500_000) }
}

pub(crate) fn ticket_facts() -> Vec<TicketFact> {
    let (booking_id, event_id) = (booking(), event());
    vec![
        TicketsReserved {
            booking_id,
            event_id,
            event: snapshot(),
            items: items(),
            total: rupiah(1_500_000),
            refundable_until: at("2026-06-13T12:30:00Z"),
            sales_end: Some(at("2026-06-20T12:30:00Z")),
        }
        .into(),
        TicketsRejected { booking_id, event_id, reason: RejectReason::SoldOut }.into(),
        TicketsConfirmed { booking_id, event_id, tickets: None }.into(),
        ConfirmRefused { booking_id, event_id }.into(),
        TicketsReleased { booking_id, event_id }.into(),
    ]
}

pub(crate) fn ticket_codes() -> Vec<TicketCodes> {
    let (booking_id, event_id) = (booking(), event());
    vec![TicketsIssued { booking_id, event_id, tickets: vec![ticket()] }.into()]
}

pub(crate) fn ticket() -> Ticket {
    Ticket {
        code: TicketCode::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        ticket_type_id: VIP,
        name: "VIP".to_owned(),
    }
}

pub(crate) fn payment_facts() -> Vec<PaymentFact> {
    let (booking_id, payment_id, amount) = (booking(), PAYMENT, rupiah(1_500_000));
    vec![
        PaymentRequested { booking_id, payment_id, amount }.into(),
        PaymentSucceeded { booking_id, payment_id, captured: amount }.into(),
        PaymentFailed { booking_id, payment_id, decline_code: "stolen_card".to_owned() }.into(),
        PaymentCancelled { booking_id, payment_id }.into(),
        PaymentRefunded { booking_id, payment_id, refunded: amount }.into(),
        RefundRefused { booking_id, payment_id, reason: "account_closed".to_owned() }.into(),
        PaymentReturned { booking_id, payment_id, returned: amount }.into(),
    ]
}

pub(crate) fn event_facts() -> Vec<EventFact> {
    let event_id = event();
    vec![
        EventPublished {
            event_id,
            version: 1,
            organiser_id: ORGANISER,
            title: "Konser Akbar".to_owned(),
            venue: "Gelora Bung Karno".to_owned(),
            starts_at: at("2026-06-20T12:30:00Z"),
            time_zone: "Asia/Jakarta".to_owned(),
            refundable_until: Some(at("2026-06-13T12:30:00Z")),
            ends_at: Some(at("2026-06-20T16:00:00Z")),
        }
        .into(),
        EventUpdated {
            event_id,
            version: 2,
            organiser_id: ORGANISER,
            title: "Konser Akbar".to_owned(),
            venue: "Istora Senayan".to_owned(),
            starts_at: at("2026-06-20T13:00:00Z"),
            time_zone: "Asia/Jakarta".to_owned(),
            refundable_until: Some(at("2026-06-13T12:30:00Z")),
            ends_at: Some(at("2026-06-20T16:00:00Z")),
        }
        .into(),
        EventCancelled { event_id, reason: "the stage was flooded".to_owned() }.into(),
        EventDeleted { event_id }.into(),
    ]
}

pub(crate) fn booking_facts() -> Vec<BookingFact> {
    let (booking_id, user_id, event_id) = (booking(), user(), event());
    let moved = EventSnapshot {
        venue: "Istora Senayan".to_owned(),
        starts_at: at("2026-06-20T13:00:00Z"),
        version: Some(2),
        ..snapshot()
    };
    vec![
        BookingCreated { booking_id, user_id, event_id }.into(),
        BookingReserved {
            booking_id,
            user_id,
            event_id,
            booked: booked(),
            pay_by: at("2026-03-01T12:15:00.123456Z"),
        }
        .into(),
        BookingConfirmed {
            booking_id,
            user_id,
            event_id,
            booked: Some(booked()),
            tickets_are_mailed: true,
        }
        .into(),
        BookingRejected {
            booking_id,
            user_id,
            event_id,
            reason: "sold_out".to_owned(),
            event: Some(snapshot()),
        }
        .into(),
        BookingCancelled {
            booking_id,
            user_id,
            event_id,
            reason: "event_cancelled".to_owned(),
            booked: Some(booked()),
            refunded: Some(rupiah(1_500_000)),
            event_cancel_reason: Some("the stage was flooded".to_owned()),
        }
        .into(),
        BookingEventChanged {
            booking_id,
            user_id,
            event_id,
            booked: Booked { event: moved, ..booked() },
            agreed: snapshot(),
            refundable_until: at("2026-06-20T13:00:00Z"),
        }
        .into(),
    ]
}

pub(crate) fn ticket_mails() -> Vec<TicketMail> {
    vec![
        TicketMailRequested {
            booking_id: booking(),
            user_id: user(),
            event_id: event(),
            booked: booked(),
            ends_at: Some(at("2026-06-20T16:00:00Z")),
            sequence: 7,
            tickets: vec![ticket()],
            asked_at: Some(at("2026-03-02T08:00:00Z")),
        }
        .into(),
    ]
}

pub(crate) fn user_facts() -> Vec<UserFact> {
    let user_id = user();
    vec![
        UserRegistered { user_id, role: Role::Buyer }.into(),
        ProfileUpdated { user_id, role: Role::Organiser, version: 2 }.into(),
        UserErased { user_id }.into(),
    ]
}
