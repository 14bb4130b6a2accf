//! What a buyer reads: which booking, what became of it, and what to do next.

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use crate::domain::{Buyer, Notice, NoticeKind};

/// The letter to this buyer; an error for an address that no mail server would take.
pub fn letter(
    from: &Mailbox,
    notice: &Notice,
    buyer: &Buyer,
) -> Result<Message, Box<dyn std::error::Error>> {
    let (subject, what, next) = words(notice);
    let (booking, name) = (notice.booking_id, buyer.name.as_str());
    let address: Address = buyer.email.as_str().parse()?;
    let id = format!("<{booking}.{}@{}>", notice.kind.as_str(), from.email.domain());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let body = format!(
        "Hello {name},\n\n{what}\n\n{next}\n\nYour booking's number: {booking}\n\n-- \nKarcis\n"
    );
    let letter = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(Some(name.to_owned()), address))
        .subject(subject)
        // The same each time it is sent, so that a mailbox can tell a repetition.
        .message_id(Some(id))
        // Answering machines do not answer it (RFC 3834).
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN);
    Ok(letter.body(body)?)
}

/// The subject, what happened, and what to do next.
fn words(notice: &Notice) -> (&'static str, String, &'static str) {
    let why = notice.reason.as_deref().map_or("it could not be completed", reason);
    match notice.kind {
        NoticeKind::Created => (
            "We have your order",
            "we have your order and are looking for your seats.".to_owned(),
            "What to do next: open your booking and pay as soon as it says that you can. Seats that \
             are not paid in time go back on sale, and you are charged nothing.",
        ),
        NoticeKind::Confirmed => (
            "Your tickets",
            "your booking is confirmed: the tickets are yours.".to_owned(),
            "What to do next: open your booking to find your tickets, and show each one's code at \
             the door. Whoever knows a code can use it, so keep it to yourself.",
        ),
        NoticeKind::Rejected => (
            "No tickets this time",
            format!("we could not book your tickets: {why}."),
            "You are charged nothing. What to do next: look at the event again, it may have other \
             tickets for you.",
        ),
        NoticeKind::Cancelled => (
            "Your booking is cancelled",
            format!("your booking is cancelled: {why}."),
            "If you had paid, all of it goes back the way it came; your bank may take some days. \
             There is nothing you have to do.",
        ),
    }
}

/// The contract's word for a reason, as a person would say it.
fn reason(word: &str) -> &str {
    match word {
        "sold_out" => "they are sold out",
        "sales_closed" => "they are not on sale now",
        "event_not_found" => "the event is not on sale any more",
        "event_cancelled" => "the event does not take place",
        "price_changed" => "their price has changed since you looked",
        "over_limit" => "they are more than one booking may have",
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
    fn a_letter_says_which_booking_what_happened_and_what_to_do() {
        let from = "Karcis <tickets@karcis.example>".parse().expect("is a sender");
        let buyer = Buyer {
            email: Email::parse("sari@mail.example").expect("is an address"),
            name: PersonName::parse("Sari").expect("is a name"),
        };
        for (kind, reason, said) in [
            (NoticeKind::Created, None, ["We have your order", "pay as soon as"]),
            (NoticeKind::Confirmed, None, ["the tickets are yours", "show each one's code"]),
            (NoticeKind::Rejected, Some("sold_out"), ["they are sold out", "charged nothing"]),
            (
                NoticeKind::Cancelled,
                Some("payment_expired"),
                ["not paid in time", "If you had paid"],
            ),
            (NoticeKind::Cancelled, Some("a_new_word"), ["not be completed", "If you had paid"]),
        ] {
            let notice = Notice {
                booking_id: BookingId(uuid!("0198c5a0-0000-7000-8000-00000000b001")),
                kind,
                user_id: UserId(uuid!("0198c5a0-0000-7000-8000-00000000a001")),
                event_id: EventId(uuid!("0198c5a0-0000-7000-8000-00000000e001")),
                reason: reason.map(str::to_owned),
            };
            let letter = letter(&from, &notice, &buyer).expect("can be written").formatted();
            // As a mailbox would show it, without the ends of the lines that were folded.
            let letter = String::from_utf8(letter).expect("is text").replace("=\r\n", "");
            let everywhere = ["Hello Sari,", "0198c5a0-0000-7000-8000-00000000b001\r\n"];
            for text in everywhere.iter().chain(&said) {
                assert!(letter.contains(text), "{text:?} is not in:\n{letter}");
            }
        }
    }
}
