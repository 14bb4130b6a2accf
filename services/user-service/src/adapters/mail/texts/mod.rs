//! What e-mails say. The words are in a file for each language.

mod english;
mod indonesian;
#[cfg(test)]
mod tests;

use chrono::DateTime;
use chrono_tz::Tz;
use karcis_kernel::{Money, Timestamp};

use super::web_app::WebApp;
use crate::domain::{
    AccountMailKind, Booked, EventSnapshot, Language, MailedToken, Notification, NotificationKind,
    PersonName, Recipient, Ticket,
};

/// How many characters of an event's title a subject has.
const LONGEST_TITLE: usize = 60;

/// What an e-mail says.
pub(super) struct Text {
    /// Such as `en`.
    pub language: &'static str,
    pub subject: String,
    /// Paragraphs, with an empty line between two.
    pub body: String,
    /// `None` where no web app is known, or there is nothing to do.
    pub action: Option<Action>,
    /// The names of the tickets' types, and the codes.
    pub tickets: Vec<(String, String)>,
}

/// What the reader can do next.
pub(super) struct Action {
    pub label: &'static str,
    pub url: String,
}

impl Text {
    /// As plain text.
    pub(super) fn plain(&self) -> String {
        let action = self.action.as_ref();
        let action = action.map(|Action { label, url }| format!("{label}:\n{url}\n\n"));
        format!("{}\n\n{}-- \nKarcis\n", self.body, action.unwrap_or_default())
    }
}

/// What stands before a fact about a booking.
#[derive(Clone, Copy, Debug)]
enum Label {
    Event,
    Date,
    Venue,
    Tickets,
    Total,
    Booking,
}

/// The words of a language. A text is a paragraph, a line or a part of a line: it begins with a lower-case
/// letter where it follows the greeting or stands in a sentence.
trait Words {
    /// The language's tag.
    fn tag(&self) -> &'static str;
    /// Such as `Hello Sari,`.
    fn hello(&self, name: Option<&str>) -> String;
    /// A date with the time of day and the zone.
    fn time(&self, at: &DateTime<Tz>) -> String;
    fn money(&self, money: Money) -> String;
    fn label(&self, label: Label) -> &'static str;
    /// What has this label, as it was when the tickets were booked.
    fn when_booked(&self, label: Label) -> String;
    /// What has this label, as it is now.
    fn now(&self, label: Label) -> String;
    /// In place of a title or a venue that is not repeated.
    fn see_booking(&self) -> &'static str;
    /// In place of the name of a ticket type.
    fn ticket(&self) -> &'static str;

    /// The title of the event follows it.
    fn subject(&self, kind: &NotificationKind) -> &'static str;
    /// In its place, if an event that had changed is again as it was.
    fn as_agreed_subject(&self) -> &'static str;
    fn reserved(&self, total: &str, pay_by: &str) -> String;
    fn confirmed(&self) -> &'static str;
    fn show_codes(&self) -> &'static str;
    /// The same of an e-mail that has the codes.
    fn show_these_codes(&self) -> &'static str;
    fn event_changed(&self) -> &'static str;
    fn as_agreed(&self) -> &'static str;
    fn refundable_until(&self, time: &str) -> String;
    /// The same without money.
    fn cancellable_until(&self, time: &str) -> String;
    fn rejected(&self, reason: &str) -> String;
    fn look_again(&self) -> &'static str;
    fn cancelled(&self, reason: &str) -> String;
    fn organiser_says(&self, text: &str) -> String;
    fn refunded(&self, money: &str) -> String;
    fn not_charged(&self) -> &'static str;
    /// For where it is not known whether anything was charged.
    fn refunded_if_charged(&self) -> &'static str;
    /// The contract's word for why a booking was rejected or cancelled, as part of a sentence.
    fn reason(&self, word: &str) -> &'static str;

    fn open_booking(&self) -> &'static str;
    fn confirm_address(&self) -> &'static str;
    fn choose_password(&self) -> &'static str;
    fn find_event(&self) -> &'static str;
    fn account_subject(&self, kind: AccountMailKind) -> &'static str;
    fn verify_email(&self, token: &str) -> String;
    fn reset_password(&self, token: &str) -> String;
    fn address_changed(&self) -> &'static str;
    fn welcome(&self) -> &'static str;
}

fn words(language: Language) -> &'static dyn Words {
    match language {
        Language::English => &english::English,
        Language::Indonesian => &indonesian::Indonesian,
    }
}

/// What this buyer is notified of, as it is right at this time.
pub(super) fn of_booking(
    notification: &Notification,
    recipient: &Recipient,
    web: &WebApp,
    at: Timestamp,
) -> Text {
    let (words, kind) = (words(recipient.language), &notification.kind);
    let mut paragraphs = paragraphs(words, kind, recipient, at);
    paragraphs.push(facts(words, notification, recipient).join("\n"));
    let title = kind.event().and_then(|event| recipient.repeated(&event.title));
    let subject = match kind {
        NotificationKind::EventChanged { booked, agreed, .. }
            if !differs(words, agreed, &booked.event).contains(&true) =>
        {
            words.as_agreed_subject()
        }
        kind => words.subject(kind),
    };
    let subject = match title {
        Some(title) => format!("{subject}: {}", cut(&title)),
        None => subject.to_owned(),
    };
    let tickets = codes(kind, recipient).iter();
    Text {
        language: words.tag(),
        subject,
        body: body(words, recipient, &paragraphs.join("\n\n")),
        action: web
            .booking(notification.booking_id)
            .map(|url| Action { label: words.open_booking(), url }),
        tickets: tickets.map(|ticket| named(words, ticket, recipient)).collect(),
    }
}

/// What somebody may do with this token, or has to know about an account.
pub(super) fn of_account(
    kind: AccountMailKind,
    token: Option<&MailedToken>,
    recipient: &Recipient,
    web: &WebApp,
) -> Result<Text, &'static str> {
    let words = words(recipient.language);
    let token = || token.map(|MailedToken(token)| token).ok_or("the e-mail has no token");
    let (text, action) = match kind {
        AccountMailKind::VerifyEmail => {
            (words.verify_email(token()?), Some((words.confirm_address(), web.verify(token()?))))
        }
        AccountMailKind::ResetPassword => {
            (words.reset_password(token()?), Some((words.choose_password(), web.reset(token()?))))
        }
        AccountMailKind::AddressChanged => (words.address_changed().to_owned(), None),
        AccountMailKind::Welcome => {
            (words.welcome().to_owned(), Some((words.find_event(), web.events())))
        }
    };
    Ok(Text {
        language: words.tag(),
        subject: words.account_subject(kind).to_owned(),
        body: body(words, recipient, &text),
        action: action.and_then(|(label, url)| Some(Action { label, url: url? })),
        tickets: vec![],
    })
}

fn body(words: &dyn Words, recipient: &Recipient, text: &str) -> String {
    let hello = words.hello(recipient.greeting.as_ref().map(PersonName::as_str));
    format!("{hello}\n\n{text}")
}

/// What happened, and what to do next.
fn paragraphs(
    words: &dyn Words,
    kind: &NotificationKind,
    recipient: &Recipient,
    at: Timestamp,
) -> Vec<String> {
    match kind {
        NotificationKind::Reserved { booked, pay_by } => {
            let pay_by = words.time(&booked.event.time_zone.local(*pay_by));
            vec![words.reserved(&words.money(booked.total), &pay_by)]
        }
        NotificationKind::Confirmed { .. } => {
            let has_codes = !codes(kind, recipient).is_empty();
            let codes = if has_codes { words.show_these_codes() } else { words.show_codes() };
            vec![words.confirmed().to_owned(), codes.to_owned()]
        }
        NotificationKind::EventChanged { booked, agreed, refundable_until, .. } => {
            let mut paragraphs = changes(words, agreed, &booked.event, recipient);
            let until = words.time(&booked.event.time_zone.local(*refundable_until));
            if *refundable_until <= at {
                // A new title gives nobody another chance.
            } else if booked.total.is_zero() {
                paragraphs.push(words.cancellable_until(&until));
            } else {
                paragraphs.push(words.refundable_until(&until));
            }
            paragraphs
        }
        NotificationKind::Rejected { reason, .. } => {
            vec![words.rejected(words.reason(reason)), words.look_again().to_owned()]
        }
        NotificationKind::Cancelled { reason, booked, refunded, event_cancel_reason } => {
            let said = event_cancel_reason.as_deref().and_then(|said| recipient.repeated(said));
            let said = said.map(|said| words.organiser_says(&said));
            let money = money(words, booked.as_ref(), *refunded);
            let cancelled = words.cancelled(words.reason(reason));
            [Some(cancelled), said, money].into_iter().flatten().collect()
        }
    }
}

/// What became of the money of a cancelled booking.
fn money(words: &dyn Words, booked: Option<&Booked>, refunded: Option<Money>) -> Option<String> {
    match (booked, refunded.filter(|refunded| !refunded.is_zero())) {
        (_, Some(refunded)) => Some(words.refunded(&words.money(refunded))),
        (Some(booked), None) if booked.total.is_zero() => None,
        (Some(_), None) => Some(words.not_charged().to_owned()),
        (None, None) => Some(words.refunded_if_charged().to_owned()),
    }
}

/// That an event is not as it was when its tickets were booked, and what differs.
fn changes(
    words: &dyn Words,
    agreed: &EventSnapshot,
    now: &EventSnapshot,
    recipient: &Recipient,
) -> Vec<String> {
    let pairs = shown(words, agreed, recipient).into_iter().zip(shown(words, now, recipient));
    let changed = pairs.zip(differs(words, agreed, now)).filter(|(_, differs)| *differs);
    let lines: Vec<String> = changed
        .map(|(((label, before), (_, after)), _)| {
            format!("{}: {before}\n{}: {after}", words.when_booked(label), words.now(label))
        })
        .collect();
    if lines.is_empty() {
        vec![words.as_agreed().to_owned()]
    } else {
        vec![words.event_changed().to_owned(), lines.join("\n\n")]
    }
}

/// Whether title, date and venue differ.
fn differs(words: &dyn Words, agreed: &EventSnapshot, now: &EventSnapshot) -> [bool; 3] {
    let time = |event: &EventSnapshot| words.time(&event.time_zone.local(event.starts_at));
    [agreed.title != now.title, time(agreed) != time(now), agreed.venue != now.venue]
}

/// What the booking is of, a line for each fact.
fn facts(words: &dyn Words, notification: &Notification, recipient: &Recipient) -> Vec<String> {
    let line = |label, what: &str| format!("{}: {what}", words.label(label));
    let mut facts = Vec::new();
    if let Some(event) = notification.kind.event() {
        facts.extend(shown(words, event, recipient).map(|(label, what)| line(label, &what)));
    }
    if let Some(booked) = notification.kind.booked() {
        facts.push(format!("{}:", words.label(Label::Tickets)));
        facts.extend(booked.items.iter().map(|item| {
            format!("  {} × {}", item.quantity, type_name(words, &item.name, recipient))
        }));
        facts.extend(codes(&notification.kind, recipient).iter().map(|ticket| {
            let (name, code) = named(words, ticket, recipient);
            format!("{name}: {code}")
        }));
        if !booked.total.is_zero() {
            facts.push(line(Label::Total, &words.money(booked.total)));
        }
    }
    facts.push(line(Label::Booking, &notification.booking_id.to_string()));
    facts
}

/// The tickets whose codes this reader gets: a stranger may read an address that is not verified.
fn codes<'a>(kind: &'a NotificationKind, recipient: &Recipient) -> &'a [Ticket] {
    match kind {
        NotificationKind::Confirmed { issued: Some(issued), .. } if recipient.is_verified => {
            &issued.tickets
        }
        _ => &[],
    }
}

/// The name of a ticket type, as this reader sees it.
fn type_name(words: &dyn Words, name: &str, recipient: &Recipient) -> String {
    recipient.repeated(name).unwrap_or_else(|| words.ticket().to_owned())
}

/// The name of the ticket's type, and its code in groups; blanks in it make no difference.
fn named(words: &dyn Words, ticket: &Ticket, recipient: &Recipient) -> (String, String) {
    let code = ticket.code.to_string();
    let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    (type_name(words, &ticket.name, recipient), groups.join(" "))
}

/// What this reader sees of an event: title, date and venue.
fn shown(words: &dyn Words, event: &EventSnapshot, recipient: &Recipient) -> [(Label, String); 3] {
    let repeated =
        |text| recipient.repeated(text).unwrap_or_else(|| words.see_booking().to_owned());
    [
        (Label::Event, repeated(&event.title)),
        (Label::Date, words.time(&event.time_zone.local(event.starts_at))),
        (Label::Venue, repeated(&event.venue)),
    ]
}

/// A title that is too long for a subject, without its end.
fn cut(title: &str) -> String {
    match title.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", title[..end].trim_end()),
        None => title.to_owned(),
    }
}

/// An amount in digits: thousands are grouped, and what the currency has as its hundredth follows `point`.
fn digits(money: Money, group: char, point: char) -> String {
    let decimals = money.currency.decimals();
    let (whole, rest) = (money.amount / 10_i64.pow(decimals), money.amount % 10_i64.pow(decimals));
    let mut text = String::new();
    let figures = whole.to_string();
    for (at, figure) in figures.char_indices() {
        if at > 0 && (figures.len() - at).is_multiple_of(3) {
            text.push(group);
        }
        text.push(figure);
    }
    match decimals {
        0 => text,
        decimals => format!("{text}{point}{rest:0width$}", width = decimals as usize),
    }
}
