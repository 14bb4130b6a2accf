//! The texts of every kind in both languages.

mod tickets;

use karcis_kernel::{BookingId, Currency, EventId, UserId};
use uuid::uuid;

use super::*;
use crate::domain::{BookedItem, Email, TimeZone};

const LANGUAGES: [Language; 2] = [Language::English, Language::Indonesian];

fn at(time: &str) -> Timestamp {
    time.parse().expect("is a time")
}

fn event() -> EventSnapshot {
    EventSnapshot {
        title: "Malam Puisi".to_owned(),
        venue: "Taman Budaya".to_owned(),
        starts_at: at("2026-06-20T12:30:00Z"),
        time_zone: TimeZone::parse("Asia/Jakarta").expect("is a zone"),
    }
}

fn booked(total: i64) -> Booked {
    let item = |name: &str, quantity| BookedItem { name: name.to_owned(), quantity };
    Booked {
        event: event(),
        items: vec![item("VIP", 2), item("Balkon", 1)],
        total: Money::new(total, Currency::Idr),
    }
}

fn cancelled(booked: Option<Booked>, refunded: Option<i64>) -> NotificationKind {
    NotificationKind::Cancelled {
        reason: "event_cancelled".to_owned(),
        booked,
        refunded: refunded.map(|amount| Money::new(amount, Currency::Idr)),
        event_cancel_reason: Some("Panggung\nkebanjiran".to_owned()),
    }
}

/// The event is now as `change` makes it; until one day after it was to start one may cancel.
fn changed(total: i64, change: impl Fn(&mut EventSnapshot)) -> NotificationKind {
    let mut booked = booked(total);
    change(&mut booked.event);
    NotificationKind::EventChanged {
        version: 7,
        booked,
        agreed: event(),
        refundable_until: at("2026-06-21T12:30:00Z"),
    }
}

fn recipient(language: Language, is_verified: bool) -> Recipient {
    let email = Email::parse("sari@mail.example").expect("is an address");
    let name = PersonName::parse("Sari").expect("is a name");
    Recipient::owner(email, is_verified, name, language)
}

/// Subject and body.
fn read(kind: NotificationKind, language: Language, is_verified: bool) -> String {
    let notification = Notification {
        booking_id: BookingId(uuid!("0198c5a0-0000-7000-8000-00000000b001")),
        user_id: UserId(uuid!("0198c5a0-0000-7000-8000-00000000a001")),
        event_id: EventId(uuid!("0198c5a0-0000-7000-8000-00000000e001")),
        kind,
    };
    let recipient = recipient(language, is_verified);
    let at = at("2026-06-01T00:00:00Z");
    let text = of_booking(&notification, &recipient, &WebApp::default(), at);
    format!("{}\n{}", text.subject, text.plain())
}

#[track_caller]
fn says(text: &str, said: &[&str], unsaid: &[&str]) {
    for word in said {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
    for word in unsaid {
        assert!(!text.contains(word), "{word:?} is in:\n{text}");
    }
}

const MONEY: [[&str; 4]; 2] = [["pay", "paid", "charge", "IDR"], ["bayar", "biaya", "uang", "Rp"]];
const EVENT: [&str; 4] = ["Malam Puisi", "Taman Budaya", "\n  2 × VIP\n", "\n  1 × Balkon\n"];
const DATE: [&str; 2] =
    ["Saturday, 20 June 2026, 19:30 (Asia/Jakarta)", "Sabtu, 20 Juni 2026, 19.30 WIB"];
const NUMBER: &str = "0198c5a0-0000-7000-8000-00000000b001\n";

/// Checks the e-mail in both languages: what it says in each, and what it does not say.
#[track_caller]
fn both(kind: &NotificationKind, english: &[&str], indonesian: &[&str], unsaid: &[&str]) {
    for (language, said) in LANGUAGES.into_iter().zip([english, indonesian]) {
        says(&read(kind.clone(), language, true), said, unsaid);
    }
}

#[test]
fn a_mail_about_a_priced_booking_names_event_tickets_and_money() {
    let booked = || booked(1_500_000);
    let pay_by = at("2026-06-01T16:59:59.9Z");
    let reserved = NotificationKind::Reserved { booked: booked(), pay_by };
    both(
        &reserved,
        &[
            "Your tickets are held: Malam Puisi\n",
            "pay IDR 1,500,000 until Monday, 1 June 2026, 23:59 (Asia/Jakarta).",
        ],
        &[
            "Tiket Anda sudah disisihkan: Malam Puisi\n",
            "bayar Rp 1.500.000 paling lambat Senin, 1 Juni 2026, 23.59 WIB.",
        ],
        &[],
    );
    let confirmed = NotificationKind::Confirmed { booked: Some(booked()), issued: None };
    both(
        &confirmed,
        &["Your tickets: Malam Puisi\n", "the tickets are yours", "Total: IDR 1,500,000\n"],
        &["Tiket Anda: Malam Puisi\n", "tiket itu milik Anda", "Total: Rp 1.500.000\n"],
        &["bayar", "pay"],
    );
    let refunded = cancelled(Some(booked()), Some(1_500_000));
    both(
        &refunded,
        &["does not take place", "“Panggung kebanjiran”", "IDR 1,500,000 goes back"],
        &["tidak jadi berlangsung", "“Panggung kebanjiran”", "Rp 1.500.000 dikembalikan"],
        &[],
    );
    let moved = changed(1_500_000, |event| event.venue = "Istora".to_owned());
    both(
        &moved,
        &["cancel it until Sunday, 21 June 2026, 19:30 (Asia/Jakarta), and all that you paid"],
        &["batalkan paling lambat Minggu, 21 Juni 2026, 19.30 WIB, dan semua uang"],
        &[],
    );
    let facts = ["Malam Puisi", ":\n  2 × VIP\n  1 × Balkon\n", NUMBER];
    for kind in [reserved, confirmed, refunded, moved] {
        both(&kind, &[DATE[0]], &[DATE[1]], &[]);
        both(&kind, &facts, &facts, &[]);
    }
    for refunded in [None, Some(0)] {
        both(
            &cancelled(Some(booked()), refunded),
            &["You are charged nothing."],
            &["Anda tidak dikenai biaya apa pun."],
            &["goes back", "dikembalikan"],
        );
    }
}

#[test]
fn a_mail_about_a_free_booking_says_nothing_of_money() {
    let kinds: [&dyn Fn() -> NotificationKind; 4] = [
        &|| NotificationKind::Confirmed { booked: Some(booked(0)), issued: None },
        &|| cancelled(Some(booked(0)), None),
        &|| cancelled(Some(booked(0)), Some(0)),
        &|| changed(0, |event| event.starts_at = at("2026-06-27T12:30:00Z")),
    ];
    for kind in kinds {
        for (language, money) in LANGUAGES.into_iter().zip(MONEY) {
            let text = read(kind(), language, true);
            says(&text, &EVENT, &money);
            says(&text, &[NUMBER], &[]);
        }
    }
    let free = read(changed(0, |event| event.venue.clear()), Language::English, true);
    says(&free, &["you may cancel it until Sunday, 21 June 2026"], &[]);
}

#[test]
fn a_mail_about_a_changed_event_says_what_differs_and_nothing_else() {
    let moved = |event: &mut EventSnapshot| event.starts_at = at("2026-07-04T13:00:00Z");
    let (date, venue, title) = (
        ["Date now", "Waktu sekarang"],
        ["Venue now", "Tempat sekarang"],
        ["Event now", "Acara sekarang"],
    );
    both(
        &changed(9, moved),
        &[
            "Date when you booked: Saturday, 20 June 2026, 19:30 (Asia/Jakarta)\n\
             Date now: Saturday, 4 July 2026, 20:00 (Asia/Jakarta)\n",
            "\nDate: Saturday, 4 July 2026, 20:00 (Asia/Jakarta)\n",
        ],
        &[
            "Waktu saat Anda memesan: Sabtu, 20 Juni 2026, 19.30 WIB\n\
             Waktu sekarang: Sabtu, 4 Juli 2026, 20.00 WIB\n",
            "\nWaktu: Sabtu, 4 Juli 2026, 20.00 WIB\n",
        ],
        &[venue, title].concat(),
    );
    both(
        &changed(9, |event| event.venue = "Istora".to_owned()),
        &[
            "Your event has changed: Malam Puisi\n",
            "Venue when you booked: Taman Budaya\nVenue now: Istora\n",
            "\nVenue: Istora\n",
        ],
        &["Tempat saat Anda memesan: Taman Budaya\nTempat sekarang: Istora\n"],
        &[date, title].concat(),
    );
    both(
        &changed(9, |event| event.title = "Malam Prosa".to_owned()),
        &["Event when you booked: Malam Puisi\nEvent now: Malam Prosa\n"],
        &["Acara saat Anda memesan: Malam Puisi\nAcara sekarang: Malam Prosa\n"],
        &[date, venue].concat(),
    );
    both(
        &changed(9, |event| event.time_zone = TimeZone::parse("Asia/Jayapura").expect("is one")),
        &["Date now: Saturday, 20 June 2026, 21:30 (Asia/Jayapura)\n"],
        &["Waktu sekarang: Sabtu, 20 Juni 2026, 21.30 WIT\n"],
        &[venue, title].concat(),
    );
    both(
        &changed(9, |event| {
            moved(event);
            event.venue = "Istora".to_owned();
        }),
        &["Date now: Saturday, 4", "Venue now: Istora\n"],
        &["Waktu sekarang: Sabtu, 4", "Tempat sekarang: Istora\n"],
        &title,
    );
    let moved_back = changed(9, |_| {});
    both(
        &moved_back,
        &["Your event takes place as announced: Malam Puisi\n", "as it was announced"],
        &["Acara Anda berlangsung seperti diumumkan: Malam Puisi\n", "seperti yang diumumkan"],
        &[&["has changed", "berubah"][..], &date, &venue, &title].concat(),
    );
}

#[test]
fn nobody_is_offered_a_refund_whose_time_is_over() {
    let mut kind = changed(9, |event| event.title = "Malam Prosa".to_owned());
    if let NotificationKind::EventChanged { refundable_until, .. } = &mut kind {
        *refundable_until = at("2026-05-31T23:59:00Z");
    }
    for (language, cancel) in LANGUAGES.into_iter().zip(["cancel it", "batal"]) {
        says(&read(kind.clone(), language, true), &["Malam Prosa"], &[cancel]);
    }
}

#[test]
fn a_mail_about_what_was_never_held_or_of_an_older_release_is_right_in_general() {
    let rejected = |event| NotificationKind::Rejected { reason: "sold_out".to_owned(), event };
    let asked = NotificationKind::Cancelled {
        reason: "cancelled_by_buyer".to_owned(),
        booked: None,
        refunded: None,
        event_cancel_reason: None,
    };
    let cases: [(NotificationKind, [&str; 2], bool); 4] = [
        (
            rejected(Some(event())),
            ["No tickets this time: Malam Puisi\n", "Kali ini tidak ada tiket: Malam Puisi\n"],
            true,
        ),
        (rejected(None), ["they are sold out", "tiketnya sudah habis"], false),
        (
            NotificationKind::Confirmed { booked: None, issued: None },
            ["Your tickets\n", "Tiket Anda\n"],
            false,
        ),
        (asked, ["If you were charged anything", "Jika ada uang yang sudah ditarik"], false),
    ];
    for (kind, said, has_event) in cases {
        for (language, (said, date)) in LANGUAGES.into_iter().zip(said.into_iter().zip(DATE)) {
            let text = read(kind.clone(), language, true);
            says(&text, &[said, NUMBER], &[" × ", "Total"]);
            assert_eq!(text.contains(date) && text.contains("Taman Budaya"), has_event, "{text}");
        }
    }
}

#[test]
fn every_reason_is_said_in_words_of_its_own() {
    let reasons = [
        "sold_out",
        "sales_closed",
        "event_not_found",
        "event_cancelled",
        "price_changed",
        "over_limit",
        "too_many_holds",
        "payment_failed",
        "payment_expired",
        "cancelled_by_buyer",
        "hold_lost",
        "a word of a newer release",
    ];
    for language in LANGUAGES {
        let said: std::collections::BTreeSet<_> =
            reasons.iter().map(|reason| words(language).reason(reason)).collect();
        assert_eq!(said.len(), reasons.len(), "{language:?}: {said:?}");
    }
}

#[test]
fn an_address_that_is_not_verified_reads_no_text_that_may_be_a_link() {
    let mut evil = booked(0);
    evil.event.title = "Pay at https://evil.example".to_owned();
    evil.event.venue = "evil.example".to_owned();
    evil.items[0].name = "call +62 811 555 1234".to_owned();
    let kind = |booked| NotificationKind::Cancelled {
        reason: "event_cancelled".to_owned(),
        booked: Some(booked),
        refunded: None,
        event_cancel_reason: Some("see www.evil.example".to_owned()),
    };
    for language in LANGUAGES {
        let text = read(kind(evil.clone()), language, false);
        says(&text, &["Balkon", "  2 × ti"], &["evil", "555", "Sari"]);
        let text = read(kind(evil.clone()), language, true);
        says(&text, &["Pay at https://evil.example", "555", "www.evil.example", "Sari"], &[]);
        let text = read(kind(booked(0)), language, false);
        says(&text, &EVENT, &["evil", "Sari"]);
    }
}

#[test]
fn strangers_texts_stay_on_one_line_and_subjects_are_short() {
    let mut long = booked(0);
    long.event.title = format!("Konser\r\nBcc: x{}", " panjang".repeat(20));
    let kind = NotificationKind::Confirmed { booked: Some(long), issued: None };
    let text = read(kind, Language::English, true);
    let subject = text.lines().next().expect("a subject");
    assert!(subject.starts_with("Your tickets: Konser Bcc: x panjang"), "{subject}");
    assert!(subject.ends_with(" panjan…") && subject.chars().count() < 80, "{subject}");
    says(&text, &["\nEvent: Konser Bcc: x panjang"], &["\r"]);
    // Of an older release, which took such titles.
    let mut turned = booked(0);
    turned.event.title = "\u{202e}gpj.exe".to_owned();
    let text = read(
        NotificationKind::Confirmed { booked: Some(turned), issued: None },
        Language::English,
        true,
    );
    says(&text, &["Your tickets\n", "Event: see your booking\n"], &["\u{202e}"]);
}

#[test]
fn money_and_times_are_written_as_people_write_them() {
    for (amount, currency, english, indonesian) in [
        (0, Currency::Idr, "IDR 0", "Rp 0"),
        (999, Currency::Idr, "IDR 999", "Rp 999"),
        (1_500_000, Currency::Idr, "IDR 1,500,000", "Rp 1.500.000"),
        (12_000, Currency::Jpy, "JPY 12,000", "JPY 12.000"),
        (123_456, Currency::Usd, "USD 1,234.56", "USD 1.234,56"),
        (5, Currency::Eur, "EUR 0.05", "EUR 0,05"),
        (2_000, Currency::Sgd, "SGD 20.00", "SGD 20,00"),
        (100_000_000, Currency::Myr, "MYR 1,000,000.00", "MYR 1.000.000,00"),
    ] {
        let said = LANGUAGES.map(|language| words(language).money(Money::new(amount, currency)));
        assert_eq!(said, [english, indonesian]);
    }
    for (zone, english, indonesian) in [
        ("Asia/Pontianak", "12:05 (Asia/Pontianak)", "12.05 WIB"),
        ("Asia/Makassar", "13:05 (Asia/Makassar)", "13.05 WITA"),
        ("Asia/Singapore", "13:05 (Asia/Singapore)", "13.05 (Asia/Singapore)"),
        ("UTC", "05:05 (UTC)", "05.05 (UTC)"),
    ] {
        let local = TimeZone::parse(zone).expect("is a zone").local(at("2027-08-17T05:05:59Z"));
        let said = LANGUAGES.map(|language| words(language).time(&local));
        let [english, indonesian] = [
            format!("Tuesday, 17 August 2027, {english}"),
            format!("Selasa, 17 Agustus 2027, {indonesian}"),
        ];
        assert_eq!(said, [english, indonesian]);
    }
}

#[test]
fn mails_about_accounts_bring_their_token_in_both_languages() {
    let (token, web) = (MailedToken("a-token".to_owned()), WebApp::default());
    let mut subjects = std::collections::BTreeSet::new();
    for language in LANGUAGES {
        for kind in AccountMailKind::ALL {
            let text =
                of_account(kind, Some(&token), &recipient(language, true), &web).expect("a text");
            let shown = text.plain();
            let has_token = shown.contains("\n\na-token\n\n");
            assert_eq!(has_token, kind.token_lifetime().is_some(), "{shown}");
            says(&shown, &["Sari,\n\n", "\n-- \nKarcis\n"], &[]);
            subjects.insert(text.subject);
            let untold = of_account(kind, None, &recipient(language, true), &web);
            assert_eq!(untold.is_err(), kind.token_lifetime().is_some());
        }
    }
    assert_eq!(subjects.len(), 2 * AccountMailKind::ALL.len());
}
