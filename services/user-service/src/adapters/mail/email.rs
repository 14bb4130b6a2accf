//! E-mails as mail servers take them.

use karcis_http::{CalendarEntry, EntryStatus};
use karcis_kernel::Timestamp;
use karcis_process::now;
use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

use super::{
    html, qr_code,
    texts::{self, Text},
    web_app::WebApp,
};
use crate::domain::{Content, Issued, Mail, Notification, NotificationKind, Recipient};

/// How many tickets an e-mail shows as pictures; the others are in it as text.
const MAX_PICTURES: usize = 20;

type Failure = Box<dyn std::error::Error>;

/// Who sends e-mails.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) from: Mailbox,
    /// Where e-mails lead to.
    pub(super) web: WebApp,
}

/// The e-mail to this recipient; an error if no mail server would accept the address.
pub(super) fn email(
    sender: &Sender,
    mail: &Mail,
    recipient: &Recipient,
) -> Result<Message, Failure> {
    let (from, web, at) = (&sender.from, &sender.web, now());
    let (id, text) = match &mail.content {
        // The same each time the e-mail is sent, so that a mailbox recognises a repetition.
        Content::Booking(of) => {
            let id = format!("{}.{}", of.booking_id, of.kind.key());
            (id, texts::of_booking(of, recipient, web, at))
        }
        // Each time it is sent it brings another token.
        Content::Account(account, token) => {
            let text = texts::of_account(account.kind, token.as_ref(), recipient, web)?;
            (Uuid::now_v7().to_string(), text)
        }
    };
    let address: Address = recipient.email.as_str().parse()?;
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let email = Message::builder()
        .from(from.clone())
        // No header repeats a name that somebody made up.
        .to(Mailbox::new(None, address))
        .subject(text.subject.clone())
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // Automatic responders do not answer it (RFC 3834).
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let plain = SinglePart::plain(text.plain());
    let body = match mail.content.notification().and_then(issued).filter(|_| recipient.is_verified)
    {
        Some((of, issued)) => with_tickets(&text, plain, of, issued, at)?,
        None => MultiPart::alternative()
            .singlepart(plain)
            .singlepart(SinglePart::html(html::page(&text, &[]))),
    };
    Ok(email.multipart(body)?)
}

/// The notification, if it brings tickets, and the tickets.
fn issued(of: &Notification) -> Option<(&Notification, &Issued)> {
    match &of.kind {
        NotificationKind::Confirmed { issued: Some(issued), .. } => Some((of, issued)),
        _ => None,
    }
}

/// The text with its tickets as pictures, and an entry for a calendar.
fn with_tickets(
    text: &Text,
    plain: SinglePart,
    of: &Notification,
    issued: &Issued,
    at: Timestamp,
) -> Result<MultiPart, Failure> {
    let shown = issued.tickets.iter().take(MAX_PICTURES);
    let ids: Vec<String> = (1..=shown.len()).map(|number| format!("ticket-{number}")).collect();
    let page = SinglePart::html(html::page(text, &ids));
    let mut page = MultiPart::related().singlepart(page);
    for (ticket, id) in shown.zip(&ids) {
        let picture = Attachment::new_inline(id.clone());
        let png = ContentType::parse("image/png")?;
        page = page.singlepart(picture.body(qr_code::png(&ticket.code)?, png));
    }
    let mut body =
        MultiPart::mixed().multipart(MultiPart::alternative().singlepart(plain).multipart(page));
    if let Some(entry) = calendar_entry(of, issued, at) {
        let kind = ContentType::parse(CalendarEntry::MEDIA_TYPE)?;
        body = body.singlepart(Attachment::new("karcis.ics".to_owned()).body(entry, kind));
    }
    Ok(body)
}

fn calendar_entry(of: &Notification, issued: &Issued, at: Timestamp) -> Option<String> {
    let booked = of.kind.booked()?;
    let items = booked.items.iter().map(|item| format!("{} × {}", item.quantity, item.name));
    let entry = CalendarEntry {
        id: of.booking_id.0,
        sequence: issued.sequence,
        changed_at: at,
        starts_at: booked.event.starts_at,
        ends_at: issued.ends_at,
        title: &booked.event.title,
        place: &booked.event.venue,
        description: &items.collect::<Vec<_>>().join("\n"),
        status: EntryStatus::Confirmed,
    };
    Some(entry.to_string())
}

#[cfg(test)]
mod tests {
    use karcis_kernel::{BookingId, EventId, Timestamp, UserId};

    use super::*;
    use crate::domain::{
        AccountMail, Email, EventSnapshot, Language, MailedToken, Notification, NotificationKind,
        PersonName, TimeZone,
    };

    fn sent(content: Content, is_verified: bool, name: &str) -> String {
        let from = "Karcis <tickets@karcis.example>".parse().expect("is a sender");
        let web = "https://karcis.example".parse().expect("is an address");
        let email_address = Email::parse("sari@mail.example").expect("is an address");
        let name = PersonName::parse(name).expect("is a name");
        let recipient = Recipient::owner(email_address, is_verified, name, Language::English);
        let mail = Mail { content, recipient: None, trace: None };
        let email =
            email(&Sender { from, web }, &mail, &recipient).expect("can be written").formatted();
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
    fn a_title_is_in_the_subject_and_makes_no_header() {
        let event = EventSnapshot {
            title: "Konser Ibu\u{2019}\r\nBcc: dewi@mail.example".to_owned(),
            venue: "Istora".to_owned(),
            starts_at: Timestamp::UNIX_EPOCH,
            time_zone: TimeZone::UTC,
        };
        let rejected =
            NotificationKind::Rejected { reason: "sold_out".to_owned(), event: Some(event) };
        let content = Content::Booking(Notification {
            booking_id: BookingId(Uuid::nil()),
            user_id: UserId(Uuid::nil()),
            event_id: EventId(Uuid::nil()),
            kind: rejected,
        });
        let email = sent(content, true, "Sari");
        let (head, body) = email.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains("\r\nSubject: No tickets this time: Konser "), "{head}");
        assert!(head.is_ascii() && !head.contains("\r\nBcc"), "{head}");
        assert!(
            body.contains("\r\nEvent: Konser Ibu=E2=80=99 Bcc: dewi@mail.example\r\n"),
            "{body}"
        );
    }
}
