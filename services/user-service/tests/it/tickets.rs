//! The tickets of a confirmed booking come by e-mail, once and again when they are asked for.

use karcis_contracts::{BookingConfirmed, BookingFact, Ticket, TicketMail, TicketMailRequested};
use karcis_kernel::{TicketCode, TicketTypeId, Timestamp};
use karcis_testkit::{TestEnvironment, eventually};
use uuid::Uuid;

use crate::{
    booking_mails::{Ids, has, mails, reader, sent, start, tickets, unsent},
    harness::{TestApp, email},
    mail::FROM,
    mail_server::{MailServer, decoded},
    notifications::publish,
    verification::VERIFY,
};

/// A code as an e-mail shows it.
const SHOWN: &str = "4bf9 2f35 77b3 4da6 a3ce 929d 0e0e 4736";

impl Ids {
    fn tickets(self, asked_at: Option<&str>) -> TicketMail {
        let Self { booking_id, user_id, event_id } = self;
        let code = TicketCode::typed(SHOWN).unwrap();
        let ticket_type_id = TicketTypeId(Uuid::nil());
        TicketMailRequested {
            booking_id,
            user_id,
            event_id,
            booked: tickets(250_000),
            ends_at: None,
            sequence: 3,
            tickets: vec![Ticket { code, ticket_type_id, name: "Tribun".to_owned() }],
            asked_at: asked_at.map(|time| time.parse::<Timestamp>().unwrap()),
        }
        .into()
    }

    fn confirmed_with_tickets(self) -> BookingFact {
        let Self { booking_id, user_id, event_id } = self;
        let booked = Some(tickets(250_000));
        BookingConfirmed { booking_id, user_id, event_id, booked, tickets_are_mailed: true }.into()
    }
}

/// Whether a code is still stored.
async fn codes(environment: &TestEnvironment) -> i64 {
    let code = SHOWN.replace(' ', "");
    let kept = "SELECT count(*) FROM users.notice WHERE content::text LIKE '%' || $1 || '%'";
    sqlx::query_scalar(kept).bind(code).fetch_one(environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn a_confirmed_booking_is_one_mail_and_each_request_another() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let wati = reader(&users, &server, "Wati", "id").await;
    let booking = Ids::of(&wati);
    let first = booking.tickets(None);
    publish(&environment, std::slice::from_ref(&first)).await;
    publish(&environment, &[booking.confirmed_with_tickets()]).await;
    mails(&server, "Wati", 1).await;
    let again = [Some("2031-12-01T03:30:00Z"), Some("2031-12-01T03:30:00.000001Z")]
        .map(|asked_at| booking.tickets(asked_at));
    for message in [&again[0], &again[0], &again[1], &first] {
        publish(&environment, std::slice::from_ref(message)).await;
    }
    let told = mails(&server, "Wati", 3).await;
    eventually(|| unsent(&environment)).is(0).await;
    assert_eq!(sent(&server, "Wati").len(), 3);
    for mail in &told {
        has(mail, &["Subject: Tiket Anda: Pesta Losari\r\n", &format!("Tribun: {SHOWN}")]);
        has(mail, &["<html lang=\"id\">", "src=\"cid:ticket-1\"", "Content-ID: <ticket-1>", "PNG"]);
        has(mail, &["BEGIN:VCALENDAR\r\n", "SUMMARY:Pesta Losari\r\n", "filename=\"karcis.ics\""]);
    }
    assert_eq!(codes(&environment).await, 0, "what is sent is not kept");
    users.stop().await;
}

#[tokio::test]
async fn an_address_that_is_not_verified_gets_no_codes() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users = start(&environment, &server).await;
    let stranger = users.registers("Stranger").await;
    publish(&environment, &[Ids::of(&stranger).tickets(None)]).await;
    let [mail] = &mails(&server, "Stranger", 1).await[..] else { panic!() };
    has(mail, &["open your booking", "3 × Tribun", "<html lang=\"en\">"]);
    assert!(!mail.contains("cid:") && !mail.contains("VCALENDAR"), "{mail}");
    assert!(!mail.contains(SHOWN) && !mail.contains(&SHOWN.replace(' ', "")), "{mail}");
    users.stop().await;
}

#[tokio::test]
async fn mails_lead_to_the_web_app() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let web = ["--web-url", "https://karcis.example/"];
    let url = server.url();
    let flags = [&["--smtp-url", &url], &FROM[..], &web[..]].concat();
    let users = TestApp::start(&environment, &flags).await;
    let sari = users.registers("Sari").await;
    let token = server.token(&email("Sari"), VERIFY).await;
    let verify = decoded(&server.mail_to(&email("Sari"))[0]);
    let link = format!("https://karcis.example/verify#{token}");
    has(
        &verify,
        &[&format!("Confirm this address:\r\n{link}\r\n"), &format!("<a href=\"{link}\"")],
    );
    let booking = Ids::of(&sari);
    publish(&environment, &[booking.rejected("sold_out")]).await;
    let link = format!("https://karcis.example/b/{}", booking.booking_id);
    let [mail] = &mails(&server, "Sari", 1).await[..] else { panic!() };
    has(mail, &[&format!("Open your booking:\r\n{link}\r\n"), &format!("<a href=\"{link}\"")]);
    users.stop().await;
}
