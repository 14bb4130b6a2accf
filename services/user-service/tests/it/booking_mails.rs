//! What e-mails about bookings say: the event, its time and place, the tickets and the money, in the buyer's
//! language.

use karcis_contracts::{
    Booked, BookingCancelled, BookingConfirmed, BookingCreated, BookingEventChanged, BookingFact,
    BookingRejected, BookingReserved, EventSnapshot, ReservedItem,
};
use karcis_kernel::{BookingId, Currency, EventId, Money, TicketTypeId, Timestamp, UserId};
use karcis_schemas::USERS;
use karcis_testkit::{TestEnvironment, eventually};
use serde_json::{from_value, json};
use uuid::Uuid;

use crate::{
    harness::{Session, TestApp, email},
    mail::FROM,
    mail_server::{MailServer, decoded},
    notifications::publish,
    verification::{VERIFY, WELCOME},
};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// An event in Makassar, in the evening of the last day of a year.
pub(crate) fn party() -> EventSnapshot {
    EventSnapshot {
        title: "Pesta Losari".to_owned(),
        venue: "Anjungan Pantai".to_owned(),
        starts_at: at("2031-12-31T11:15:00Z"),
        time_zone: "Asia/Makassar".to_owned(),
        version: Some(1),
    }
}

/// Three tickets for it at this price.
pub(crate) fn tickets(price: i64) -> Booked {
    let price = Money::new(price, Currency::Idr);
    let item = ReservedItem {
        ticket_type_id: TicketTypeId(Uuid::now_v7()),
        name: "Tribun".to_owned(),
        quantity: 3,
        unit_price: price,
    };
    Booked { event: party(), items: vec![item], total: price.times(3).unwrap() }
}

/// A booking of this buyer.
#[derive(Clone, Copy)]
pub(crate) struct Ids {
    pub booking_id: BookingId,
    pub user_id: UserId,
    pub event_id: EventId,
}

impl Ids {
    pub(crate) fn of(buyer: &Session) -> Self {
        let user_id = from_value(buyer.user["user_id"].clone()).unwrap();
        Self::for_user(BookingId(Uuid::now_v7()), user_id)
    }

    pub(crate) fn for_user(booking_id: BookingId, user_id: UserId) -> Self {
        Self { booking_id, user_id, event_id: EventId(Uuid::now_v7()) }
    }

    pub(crate) fn created(self) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        BookingCreated { booking_id, user_id, event_id }.into()
    }

    pub(crate) fn reserved(self, pay_by: &str) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        let (booked, pay_by) = (tickets(250_000), at(pay_by));
        BookingReserved { booking_id, user_id, event_id, booked, pay_by }.into()
    }

    pub(crate) fn confirmed(self, booked: Option<Booked>) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        BookingConfirmed { booking_id, user_id, event_id, booked, tickets_are_mailed: false }.into()
    }

    pub(crate) fn rejected(self, reason: &str) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        let (reason, event) = (reason.to_owned(), Some(party()));
        BookingRejected { booking_id, user_id, event_id, reason, event }.into()
    }

    /// Cancelled as the event is, for these words of its organiser.
    pub(crate) fn cancelled(self, booked: Option<Booked>, said: Option<&str>) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        let refunded = booked.as_ref().map(|booked| booked.total).filter(|total| !total.is_zero());
        BookingCancelled {
            booking_id,
            user_id,
            event_id,
            reason: "event_cancelled".to_owned(),
            booked,
            refunded,
            event_cancel_reason: said.map(str::to_owned),
        }
        .into()
    }

    fn moved(self, version: i64, starts_at: &str) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        let mut booked = tickets(250_000);
        booked.event.version = Some(version);
        booked.event.starts_at = at(starts_at);
        let (agreed, refundable_until) = (party(), at("2032-01-09T16:00:00Z"));
        BookingEventChanged { booking_id, user_id, event_id, booked, agreed, refundable_until }
            .into()
    }
}

pub(crate) async fn start(environment: &TestEnvironment, server: &MailServer) -> TestApp {
    TestApp::start(environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await
}

/// Somebody who registers, verifies the address, is welcomed, and speaks this language.
pub(crate) async fn reader(
    users: &TestApp,
    server: &MailServer,
    name: &str,
    locale: &str,
) -> Session {
    let session = users.registers(name).await;
    users.verifies(&server.token(&email(name), VERIFY).await).await.is(204);
    eventually(async || server.mails(&email(name), WELCOME).len()).is(1).await;
    users.updates(&session, &json!({"locale": locale})).await.is(200);
    session
}

/// The e-mails to this person but for those about a new account.
pub(crate) fn sent(server: &MailServer, name: &str) -> Vec<String> {
    let about_account =
        [VERIFY, WELCOME].map(|subject| server.mails(&email(name), subject)).concat();
    let mails = server.mail_to(&email(name)).into_iter();
    mails.filter(|mail| !about_account.contains(mail)).map(|mail| decoded(&mail)).collect()
}

/// The same, as soon as they are so many.
pub(crate) async fn mails(server: &MailServer, name: &str, count: usize) -> Vec<String> {
    eventually(async || sent(server, name).len()).is(count).await;
    sent(server, name)
}

/// How many notifications wait.
pub(crate) async fn unsent(environment: &TestEnvironment) -> i64 {
    let unsent = "SELECT count(*) FROM users.notice WHERE told_at IS NULL";
    sqlx::query_scalar(unsent).fetch_one(environment.superuser()).await.unwrap()
}

pub(crate) fn has(mail: &str, texts: &[&str]) {
    for text in texts {
        assert!(mail.contains(text), "{text:?} is not in:\n{mail}");
    }
}

#[tokio::test]
async fn a_mail_names_the_event_its_time_and_place_and_the_tickets_in_the_buyers_language() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id-ID").await;
    let john = reader(&users, &server, "John", "en-AU").await;
    for (buyer, name) in [(&wati, "Wati"), (&john, "John")] {
        let booking = Ids::of(buyer);
        let life = [booking.created(), booking.reserved("2031-12-01T03:30:59Z")];
        publish(&environment, &life).await;
        mails(&server, name, 1).await;
        publish(&environment, &[booking.confirmed(Some(tickets(250_000)))]).await;
        let cancelled = booking.cancelled(Some(tickets(250_000)), Some("Badai.\nMaaf!"));
        publish(&environment, &[cancelled]).await;
    }
    let [held, confirmed, cancelled] = &mails(&server, "Wati", 3).await[..] else { panic!() };
    for mail in [held, confirmed, cancelled] {
        has(mail, &["Halo Wati,", "Pesta Losari", "Anjungan Pantai", "3 × Tribun"]);
        has(mail, &["Rabu, 31 Desember 2031, 19.15 WITA", "Rp 750.000"]);
    }
    has(held, &["Senin, 1 Desember 2031, 11.30 WITA", "bayar"]);
    has(cancelled, &["“Badai. Maaf!”", "dikembalikan"]);
    let [held, confirmed, cancelled] = &mails(&server, "John", 3).await[..] else { panic!() };
    for mail in [held, confirmed, cancelled] {
        has(mail, &["Hello John,", "Pesta Losari", "Anjungan Pantai", "3 × Tribun"]);
        has(mail, &["Wednesday, 31 December 2031, 19:15 (Asia/Makassar)", "IDR 750,000"]);
    }
    has(held, &["Monday, 1 December 2031, 11:30 (Asia/Makassar)", "pay"]);
    has(confirmed, &["Subject: Your tickets: Pesta Losari\r\n"]);
    has(cancelled, &["“Badai. Maaf!”", "does not take place"]);
    users.stop().await;
}

#[tokio::test]
async fn the_buyer_of_a_free_ticket_reads_nothing_of_money() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    let john = reader(&users, &server, "John", "fr").await;
    for buyer in [&wati, &john] {
        let booking = Ids::of(buyer);
        let free = || Some(tickets(0));
        let life = [booking.created(), booking.confirmed(free()), booking.cancelled(free(), None)];
        publish(&environment, &life).await;
    }
    for (name, money) in [("Wati", ["bayar", "biaya", "Rp"]), ("John", ["pay", "charge", "IDR"])] {
        for mail in mails(&server, name, 2).await {
            has(&mail, &["Pesta Losari", "3 × Tribun"]);
            let (_, body) = mail.split_once("\r\n\r\n").unwrap();
            for word in money {
                assert!(!body.contains(word), "{word:?} is in:\n{mail}");
            }
        }
    }
    users.stop().await;
}

#[tokio::test]
async fn each_move_of_an_event_is_told_once() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    let booking = Ids::of(&wati);
    let (second, third) =
        (booking.moved(2, "2032-01-01T11:15:00Z"), booking.moved(3, "2032-01-10T11:15:00Z"));
    publish(&environment, &[second.clone(), second.clone()]).await;
    mails(&server, "Wati", 1).await;
    publish(&environment, &[second, third.clone(), third]).await;
    let told = mails(&server, "Wati", 2).await;
    publish(&environment, &[booking.cancelled(Some(tickets(250_000)), None)]).await;
    mails(&server, "Wati", 3).await;
    users.stop().await;
    let ids = [2, 3].map(|version| {
        format!("Message-ID: <{}.event_changed.{version}@karcis.example>", booking.booking_id)
    });
    has(&told[0], &["Kamis, 1 Januari 2032, 19.15 WITA", &ids[0]]);
    has(&told[1], &["Sabtu, 10 Januari 2032, 19.15 WITA", &ids[1]]);
    for mail in &told {
        has(mail, &["Rabu, 31 Desember 2031, 19.15 WITA", "Sabtu, 10 Januari 2032, 00.00 WITA"]);
    }
    assert_eq!(environment.dead_letters(USERS).await, []);
}

#[tokio::test]
async fn what_may_be_a_link_is_not_repeated_to_an_address_that_is_not_verified() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let victim = users.registers("Victim").await;
    let mut evil = tickets(0);
    evil.event.title = "Pay at https://evil.example".to_owned();
    evil.items[0].name = "call +62 811 555 1234".to_owned();
    publish(&environment, &[Ids::of(&victim).confirmed(Some(evil))]).await;
    let [mail] = &mails(&server, "Victim", 1).await[..] else { panic!() };
    has(mail, &["Anjungan Pantai", "3 × "]);
    for said in ["evil", "555"] {
        assert!(!mail.contains(said), "{said:?} is in:\n{mail}");
    }
    users.stop().await;
}

#[tokio::test]
async fn who_pays_at_once_is_sent_the_tickets_alone() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "en").await;
    let paid = Ids::of(&wati);
    let facts = [paid.reserved("2031-12-01T03:30:00Z"), paid.confirmed(Some(tickets(250_000)))];
    publish(&environment, &facts).await;
    has(&mails(&server, "Wati", 1).await[0], &["Subject: Your tickets: Pesta Losari\r\n"]);
    eventually(|| unsent(&environment)).is(0).await;
    assert_eq!(sent(&server, "Wati").len(), 1);
    users.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_to_pay_when_the_time_to_pay_is_over() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    let (late, paid) = (Ids::of(&wati), Ids::of(&wati));
    let facts = [late.reserved("2021-12-01T03:30:00Z"), paid.confirmed(Some(tickets(250_000)))];
    publish(&environment, &facts).await;
    has(&mails(&server, "Wati", 1).await[0], &[&paid.booking_id.to_string()]);
    eventually(|| unsent(&environment)).is(0).await;
    assert_eq!(sent(&server, "Wati").len(), 1);
    users.stop().await;
}

#[tokio::test]
async fn rows_of_an_older_release_are_mailed_in_general_terms() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    let john = reader(&users, &server, "John", "en").await;
    for buyer in [&wati, &john] {
        for (kind, reason) in [
            ("created", None),
            ("confirmed", None),
            ("rejected", Some("sold_out")),
            ("cancelled", Some("cancelled_by_buyer")),
        ] {
            let booking = Ids::of(buyer);
            sqlx::query(
                "INSERT INTO users.notice
                     (booking_id, kind, user_id, event_id, reason, noted_at, try_at)
                 VALUES ($1, $2, $3, $4, $5, now(), now())",
            )
            .bind(booking.booking_id.0)
            .bind(kind)
            .bind(booking.user_id.0)
            .bind(booking.event_id.0)
            .bind(reason)
            .execute(environment.superuser())
            .await
            .unwrap();
        }
    }
    let wati = mails(&server, "Wati", 3).await.concat();
    has(&wati, &["tiket itu milik Anda", "sudah habis", "seperti yang Anda minta"]);
    let john = mails(&server, "John", 3).await.concat();
    has(&john, &["the tickets are yours", "sold out", "as you asked"]);
    assert!(!john.contains("pay ") && !wati.contains("bayar"), "{john}\n{wati}");
    users.stop().await;
}

#[tokio::test]
async fn mails_about_accounts_are_in_the_owners_language_too() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    users.post("/password/forgot", &json!({"email": email("Wati")})).await.is(202);
    server.token(&email("Wati"), "Kata sandi baru").await;
    let change = json!({"email": email("Sri"), "current_password": crate::harness::PASSWORD});
    users.updates(&wati, &change).await.is(200);
    server.token(&email("Sri"), "Apakah ini alamat Anda?").await;
    let told = mails(&server, "Wati", 2).await;
    has(&told[1], &["Subject: Akun Anda memakai alamat lain\r\n", "Halo,"]);
    users.stop().await;
}
