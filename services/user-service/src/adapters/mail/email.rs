//! The e-mail to a buyer: which booking, its new status, and what to do next.

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use crate::domain::{Buyer, Notification, NotificationKind};

/// The e-mail to this buyer; an error if no mail server would accept the address.
pub(super) fn email(
    from: &Mailbox,
    notification: &Notification,
    buyer: &Buyer,
) -> Result<Message, Box<dyn std::error::Error>> {
    let (subject, what, next) = words(notification);
    let (booking, name) = (notification.booking_id, buyer.name.as_str());
    let address: Address = buyer.email.as_str().parse()?;
    let id = format!("<{booking}.{}@{}>", notification.kind.as_str(), from.email.domain());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let body = format!(
        "Hello {name},\n\n{what}\n\n{next}\n\nYour booking's number: {booking}\n\n-- \nKarcis\n"
    );
    let email = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(Some(name.to_owned()), address))
        .subject(subject)
        // The same each time it is sent, so that a mailbox recognises a repetition.
        .message_id(Some(id))
        // Automatic responders do not answer it (RFC 3834).
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN);
    Ok(email.body(body)?)
}

/// The subject, what happened, and what to do next.
fn words(notification: &Notification) -> (&'static str, String, &'static str) {
    let why = notification.reason.as_deref().map_or("it could not be completed", reason);
    match notification.kind {
        NotificationKind::Created => (
            "We have your order",
            "we have your order and are looking for your seats.".to_owned(),
            "What to do next: open your booking and pay as soon as it says that you can. Seats that \
             are not paid in time go back on sale, and you are charged nothing.",
        ),
        NotificationKind::Confirmed => (
            "Your tickets",
            "your booking is confirmed: the tickets are yours.".to_owned(),
            "What to do next: open your booking to find your tickets, and show each one's code at \
             the door. Anyone who knows a code can use it, so keep it to yourself.",
        ),
        NotificationKind::Rejected => (
            "No tickets this time",
            format!("we could not book your tickets: {why}."),
            "You are charged nothing. What to do next: look at the event again, it may have other \
             tickets for you.",
        ),
        NotificationKind::Cancelled => (
            "Your booking is cancelled",
            format!("your booking is cancelled: {why}."),
            "If you had paid, all of it goes back the way it came; your bank may take some days. \
             There is nothing you have to do.",
        ),
    }
}

/// The contract's word for a reason, in plain words.
fn reason(word: &str) -> &str {
    match word {
        "sold_out" => "they are sold out",
        "sales_closed" => "they are not on sale now",
        "event_not_found" => "the event is not on sale any more",
        "event_cancelled" => "the event does not take place",
        "price_changed" => "their price has changed since you looked",
        "over_limit" => "one booking may not have so many",
        "too_many_holds" => "you have other bookings for this event that are not paid yet",
        "payment_failed" => "the payment failed",
        "payment_expired" => "it was not paid in time",
        "cancelled_by_buyer" => "as you asked",
        "hold_lost" => "the seats could not be kept",
        _ => "it could not be completed",
    }
}

#[cfg(test)]
mod tests {
    use karcis_kernel::{BookingId, EventId, UserId};
    use uuid::uuid;

    use super::*;
    use crate::domain::{Email, PersonName};

    #[test]
    fn an_email_says_which_booking_what_happened_and_what_to_do() {
        let from = "Karcis <tickets@karcis.example>".parse().expect("is a sender");
        let buyer = Buyer {
            email: Email::parse("sari@mail.example").expect("is an address"),
            name: PersonName::parse("Sari").expect("is a name"),
        };
        for (kind, reason, said) in [
            (NotificationKind::Created, None, ["We have your order", "pay as soon as"]),
            (NotificationKind::Confirmed, None, ["the tickets are yours", "show each one's code"]),
            (
                NotificationKind::Rejected,
                Some("sold_out"),
                ["they are sold out", "charged nothing"],
            ),
            (
                NotificationKind::Cancelled,
                Some("payment_expired"),
                ["not paid in time", "If you had paid"],
            ),
            (
                NotificationKind::Cancelled,
                Some("a_new_word"),
                ["not be completed", "If you had paid"],
            ),
        ] {
            let notification = Notification {
                booking_id: BookingId(uuid!("0198c5a0-0000-7000-8000-00000000b001")),
                kind,
                user_id: UserId(uuid!("0198c5a0-0000-7000-8000-00000000a001")),
                event_id: EventId(uuid!("0198c5a0-0000-7000-8000-00000000e001")),
                reason: reason.map(str::to_owned),
            };
            let email = email(&from, &notification, &buyer).expect("can be written").formatted();
            // As a mailbox shows it: folded lines are joined.
            let email = String::from_utf8(email).expect("is text").replace("=\r\n", "");
            let everywhere = ["Hello Sari,", "0198c5a0-0000-7000-8000-00000000b001\r\n"];
            for text in everywhere.iter().chain(&said) {
                assert!(email.contains(text), "{text:?} is not in:\n{email}");
            }
        }
    }
}
