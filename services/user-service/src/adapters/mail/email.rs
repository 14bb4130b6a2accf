//! What e-mails say: a booking's new status, or what an account's owner may do with a token.

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use crate::domain::{
    AccountMailKind, Content, Mail, MailedToken, Notification, NotificationKind, PersonName,
    Recipient,
};

/// The e-mail to this recipient; an error if no mail server would accept the address.
pub(super) fn email(
    from: &Mailbox,
    mail: &Mail,
    recipient: &Recipient,
) -> Result<Message, Box<dyn std::error::Error>> {
    let (id, subject, text) = match &mail.content {
        Content::Booking(notification) => of_booking(notification),
        Content::Account(account, token) => of_account(account.kind, token.as_ref())?,
    };
    let address: Address = recipient.email.as_str().parse()?;
    let hello = match recipient.greeting.as_ref().map(PersonName::as_str) {
        Some(name) => format!("Hello {name},"),
        None => "Hello,".to_owned(),
    };
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let email = Message::builder()
        .from(from.clone())
        // No header repeats a name that somebody made up.
        .to(Mailbox::new(None, address))
        .subject(subject)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // Automatic responders do not answer it (RFC 3834).
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN);
    Ok(email.body(format!("{hello}\n\n{text}\n\n-- \nKarcis\n"))?)
}

/// An id that is the same each time the e-mail is sent, so that a mailbox recognises a repetition; the
/// subject and the text.
fn of_booking(notification: &Notification) -> (String, &'static str, String) {
    let (subject, what, next) = words(notification);
    let booking = notification.booking_id;
    let text = format!("{what}\n\n{next}\n\nYour booking's number: {booking}");
    (format!("{booking}.{}", notification.kind.as_str()), subject, text)
}

/// The same of an e-mail about an account. Each time it is sent it brings another token.
fn of_account(
    kind: AccountMailKind,
    token: Option<&MailedToken>,
) -> Result<(String, &'static str, String), &'static str> {
    let token = || token.map(|MailedToken(token)| token).ok_or("the e-mail has no token");
    let (subject, text) = match kind {
        AccountMailKind::VerifyEmail => (
            "Is this your address?",
            format!(
                "somebody, we hope you, gave this address to Karcis. To show that it is yours, enter this \
                 code within 24 hours:\n\n{}\n\nIf it was not you, there is nothing you have to do.",
                token()?
            ),
        ),
        AccountMailKind::ResetPassword => (
            "A new password",
            format!(
                "somebody, we hope you, wants to choose a new password for your account. To do so, enter \
                 this code within 30 minutes:\n\n{}\n\nIf it was not you, there is nothing you have to \
                 do: without this code nobody can change it. Give it to nobody.",
                token()?
            ),
        ),
        AccountMailKind::AddressChanged => (
            "Your account has another address",
            "the account that had this e-mail address has another one now, and everybody else who was \
             logged in to it is logged out. If it was not you, somebody knows your password: answer this \
             e-mail at once."
                .to_owned(),
        ),
    };
    Ok((Uuid::now_v7().to_string(), subject, text))
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
    use crate::domain::{AccountMail, Email};

    fn sent(content: Content, is_verified: bool, name: &str) -> String {
        let from = "Karcis <tickets@karcis.example>".parse().expect("is a sender");
        let email_address = Email::parse("sari@mail.example").expect("is an address");
        let name = PersonName::parse(name).expect("is a name");
        let recipient = Recipient::owner(email_address, is_verified, name);
        let mail = Mail { content, recipient: None, trace: None };
        let email = email(&from, &mail, &recipient).expect("can be written").formatted();
        // As a mailbox shows it: folded lines are joined.
        String::from_utf8(email).expect("is text").replace("=\r\n", "")
    }

    #[test]
    fn a_name_is_repeated_to_its_owner_alone_and_in_no_header() {
        let content = || {
            let to = Email::parse("sari@mail.example").expect("is an address");
            let token = MailedToken("a-token".to_owned());
            Content::Account(AccountMail::reset(to), Some(token))
        };
        for (is_verified, name, hello) in [
            (true, "Sari", "\r\n\r\nHello Sari,\r\n"),
            (false, "Sari", "\r\n\r\nHello,\r\n"),
            (true, "Pay at https://evil.example", "\r\n\r\nHello,\r\n"),
            (true, ".", "\r\n\r\nHello,\r\n"),
        ] {
            let email = sent(content(), is_verified, name);
            assert!(email.contains(hello), "{name:?}:\n{email}");
            assert!(email.contains("\r\nTo: sari@mail.example\r\n"), "{name:?}:\n{email}");
            assert!(email.contains("a-token") && !email.contains("evil"), "{name:?}:\n{email}");
        }
    }

    #[test]
    fn an_email_says_which_booking_what_happened_and_what_to_do() {
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
            let email = sent(Content::Booking(notification), true, "Sari");
            let everywhere = ["Hello Sari,", "0198c5a0-0000-7000-8000-00000000b001\r\n"];
            for text in everywhere.iter().chain(&said) {
                assert!(email.contains(text), "{text:?} is not in:\n{email}");
            }
        }
    }
}
