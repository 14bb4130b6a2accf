//! The JSON in column `content` of table `notice`.
//!
//! Stored rows are never rewritten, so each shape that a release wrote is read for ever: a new field
//! needs a default, and a new file in `golden/`.

use karcis_kernel::{Money, TicketCode, TicketTypeId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Booked, BookedItem, EventSnapshot, Issued, NotificationKind, Ticket, TimeZone,
};

/// What the notifications of all kinds say.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct ContentJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    booked: Option<BookedJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed: Option<EventJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_by: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refundable_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_cancel_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<IssuedJson>,
}

#[derive(Serialize, Deserialize)]
struct BookedJson {
    event: EventJson,
    items: Vec<ItemJson>,
    total: Money,
}

#[derive(Serialize, Deserialize)]
struct ItemJson {
    name: String,
    quantity: u32,
}

#[derive(Serialize, Deserialize)]
struct EventJson {
    title: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
}

#[derive(Serialize, Deserialize)]
struct IssuedJson {
    tickets: Vec<TicketJson>,
    ends_at: Option<Timestamp>,
    sequence: i64,
    asked_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct TicketJson {
    code: TicketCode,
    ticket_type_id: TicketTypeId,
    name: String,
}

/// The kind with this key, reason and content; `None` if no release wrote such a row.
pub(super) fn notification_kind(
    key: &str,
    reason: Option<String>,
    content: Option<ContentJson>,
) -> Option<NotificationKind> {
    let content = content.unwrap_or_default();
    let (booked, reason) = (content.booked.map(BookedJson::booked), reason.unwrap_or_default());
    Some(match key.split_once('.').unwrap_or((key, "")) {
        ("reserved", "") => NotificationKind::Reserved { booked: booked?, pay_by: content.pay_by? },
        ("confirmed", "") => {
            NotificationKind::Confirmed { booked, issued: content.issued.map(IssuedJson::issued) }
        }
        ("tickets_again", _) => {
            NotificationKind::Confirmed { booked, issued: Some(content.issued?.issued()) }
        }
        ("event_changed", version) => NotificationKind::EventChanged {
            version: version.parse().ok()?,
            booked: booked?,
            agreed: content.agreed?.event(),
            refundable_until: content.refundable_until?,
        },
        ("rejected", "") => {
            NotificationKind::Rejected { reason, event: content.event.map(EventJson::event) }
        }
        ("cancelled", "") => NotificationKind::Cancelled {
            reason,
            booked,
            refunded: content.refunded,
            event_cancel_reason: content.event_cancel_reason,
        },
        _ => return None,
    })
}

/// What is stored of it beside its key and reason.
pub(super) fn content_json(kind: &NotificationKind) -> String {
    let booked = kind.booked().map(BookedJson::of);
    let content = match kind {
        NotificationKind::Reserved { pay_by, .. } => {
            ContentJson { booked, pay_by: Some(*pay_by), ..ContentJson::default() }
        }
        NotificationKind::Confirmed { issued, .. } => ContentJson {
            booked,
            issued: issued.as_ref().map(IssuedJson::of),
            ..ContentJson::default()
        },
        NotificationKind::EventChanged { agreed, refundable_until, .. } => ContentJson {
            booked,
            agreed: Some(EventJson::of(agreed)),
            refundable_until: Some(*refundable_until),
            ..ContentJson::default()
        },
        NotificationKind::Rejected { event, .. } => {
            ContentJson { event: event.as_ref().map(EventJson::of), ..ContentJson::default() }
        }
        NotificationKind::Cancelled { refunded, event_cancel_reason, .. } => ContentJson {
            booked,
            refunded: *refunded,
            event_cancel_reason: event_cancel_reason.clone(),
            ..ContentJson::default()
        },
    };
    // Structs of texts, numbers and times are always JSON.
    serde_json::to_string(&content).unwrap_or_default()
}

impl IssuedJson {
    fn of(issued: &Issued) -> Self {
        let tickets = issued.tickets.iter().map(|ticket| TicketJson {
            code: ticket.code.clone(),
            ticket_type_id: ticket.ticket_type_id,
            name: ticket.name.clone(),
        });
        let Issued { ends_at, sequence, asked_at, .. } = *issued;
        Self { tickets: tickets.collect(), ends_at, sequence, asked_at }
    }

    fn issued(self) -> Issued {
        let tickets = self.tickets.into_iter().map(|ticket| Ticket {
            code: ticket.code,
            ticket_type_id: ticket.ticket_type_id,
            name: ticket.name,
        });
        let Self { ends_at, sequence, asked_at, .. } = self;
        Issued { tickets: tickets.collect(), ends_at, sequence, asked_at }
    }
}

impl BookedJson {
    fn of(booked: &Booked) -> Self {
        let items = booked.items.iter();
        let items = items.map(|item| ItemJson { name: item.name.clone(), quantity: item.quantity });
        Self { event: EventJson::of(&booked.event), items: items.collect(), total: booked.total }
    }

    fn booked(self) -> Booked {
        let items = self.items.into_iter();
        let items = items.map(|item| BookedItem { name: item.name, quantity: item.quantity });
        Booked { event: self.event.event(), items: items.collect(), total: self.total }
    }
}

impl EventJson {
    fn of(event: &EventSnapshot) -> Self {
        Self {
            title: event.title.clone(),
            venue: event.venue.clone(),
            starts_at: event.starts_at,
            time_zone: event.time_zone.as_str().to_owned(),
        }
    }

    fn event(self) -> EventSnapshot {
        EventSnapshot {
            title: self.title,
            venue: self.venue,
            starts_at: self.starts_at,
            time_zone: TimeZone::parse(&self.time_zone).unwrap_or(TimeZone::UTC),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_str};

    use super::*;

    /// The released shapes of each kind, oldest first.
    const SHAPES: [(&str, Option<&str>, &[&str]); 7] = [
        ("reserved", None, &[include_str!("../../../golden/content/reserved.1.json")]),
        ("confirmed", None, &[include_str!("../../../golden/content/confirmed.1.json")]),
        ("confirmed", None, &[include_str!("../../../golden/content/issued.1.json")]),
        (
            "tickets_again.1800000000000000",
            None,
            &[include_str!("../../../golden/content/tickets_again.1.json")],
        ),
        ("event_changed.7", None, &[include_str!("../../../golden/content/event_changed.1.json")]),
        ("rejected", Some("sold_out"), &[include_str!("../../../golden/content/rejected.1.json")]),
        (
            "cancelled",
            Some("event_cancelled"),
            &[include_str!("../../../golden/content/cancelled.1.json")],
        ),
    ];

    #[test]
    fn every_released_shape_is_read_and_the_newest_is_written() {
        for (key, reason, shapes) in SHAPES {
            let newest: Value = from_str(shapes.last().expect("a shape")).expect("JSON");
            for shape in shapes {
                let content = from_str(shape).expect("content");
                let kind = notification_kind(key, reason.map(str::to_owned), Some(content));
                let kind = kind.expect("a kind");
                assert_eq!(kind.key(), key);
                let written: Value = from_str(&content_json(&kind)).expect("JSON");
                assert_eq!(written, newest, "{shape}");
            }
        }
    }

    #[test]
    fn rows_of_older_releases_have_no_content_and_those_of_newer_ones_are_not_read() {
        for (key, is_read) in [
            ("confirmed", true),
            ("rejected", true),
            ("cancelled", true),
            ("reserved", false),
            ("event_changed.7", false),
            ("event_changed", false),
            ("confirmed.2", false),
            ("tickets_again.2", false),
            ("moved_to_another_hall", false),
        ] {
            assert_eq!(notification_kind(key, None, None).is_some(), is_read, "{key}");
        }
    }
}
