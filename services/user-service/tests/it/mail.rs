//! Buyers are notified by mail.

use karcis_contracts::BookingFact;
use karcis_kernel::BookingId;
use karcis_schemas::USERS;
use karcis_testkit::{TestEnvironment, eventually};
use uuid::Uuid;

use crate::{
    booking_mails::{Ids, mails, sent, tickets},
    harness::{Session, TestApp, email},
    logs,
    mail_server::MailServer,
    notifications::publish,
    verification::VERIFY,
};

/// Until when bookings are to be paid.
pub(crate) const PAY_BY: &str = "2031-12-01T03:30:00Z";

pub(crate) const FROM: [&str; 2] = ["--mail-from", "Karcis <tickets@karcis.example>"];

/// A booking of this buyer that was confirmed and cancelled, as booking-service publishes it.
pub(crate) fn booked(buyer: &Session) -> (BookingId, [BookingFact; 2]) {
    let (ids, booked) = (Ids::of(buyer), || Some(tickets(250_000)));
    (ids.booking_id, [ids.confirmed(booked()), ids.cancelled(booked(), None)])
}

async fn unsent(environment: &TestEnvironment) -> Vec<Uuid> {
    let unsent = "SELECT user_id FROM users.notice WHERE told_at IS NULL";
    sqlx::query_scalar(unsent).fetch_all(environment.superuser()).await.unwrap()
}

#[tokio::test]
async fn the_buyer_of_a_confirmed_booking_gets_one_email_for_each_change() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users =
        TestApp::start(&environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await;
    let sari = users.registers("Letterwriter").await;
    users.verifies(&server.token(&email("Letterwriter"), VERIFY).await).await.is(204);
    let ids = Ids::of(&sari);
    let (booking, booked) = (ids.booking_id, || Some(tickets(250_000)));
    let [reserved, confirmed] = [ids.reserved(PAY_BY), ids.confirmed(booked())];
    publish(&environment, &[ids.created(), reserved.clone()]).await;
    mails(&server, "Letterwriter", 1).await;
    publish(&environment, std::slice::from_ref(&confirmed)).await;
    mails(&server, "Letterwriter", 2).await;
    eventually(|| unsent(&environment)).is(Vec::<Uuid>::new()).await;
    // Messages are read in order: once the last one is sent, the repeated ones have been read.
    let again = [ids.created(), reserved, confirmed, ids.cancelled(booked(), None)];
    publish(&environment, &again).await;
    mails(&server, "Letterwriter", 3).await;
    users.stop().await;

    let emails = sent(&server, "Letterwriter");
    assert_eq!(emails.len(), 3, "each is sent once: {emails:#?}");
    for (email, subject) in
        emails.iter().zip(["Your tickets are held", "Your tickets", "Your booking is cancelled"])
    {
        let subject = format!("Subject: {subject}: Pesta Losari\r\n");
        assert!(email.contains(&subject), "in their order: {emails:#?}");
    }
    for text in [
        "From: Karcis <tickets@karcis.example>\r\n",
        "To: letterwriter@mail.example\r\n",
        "Hello Letterwriter,\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        &format!("Message-ID: <{booking}.confirmed@karcis.example>"),
        "your booking is confirmed",
        &booking.to_string(),
    ] {
        assert!(emails[1].contains(text), "{text:?} is not in:\n{}", emails[1]);
    }
    for personal in ["Letterwriter", "letterwriter"] {
        assert_eq!(logs::lines_with(&[personal]), Vec::<String>::new());
    }
    assert_eq!(environment.dead_letters(USERS).await, []);
}

#[tokio::test]
async fn an_outage_of_the_mail_server_delays_emails_and_loses_none() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users =
        TestApp::start(&environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await;
    let (dewi, putri) = (users.registers("Dewi").await, users.registers("Putri").await);
    let [early, late] = [&dewi, &putri].map(|buyer| booked(buyer).1);
    publish(&environment, &early).await;
    eventually(async || server.mail_to(&email("Dewi")).len()).is(3).await;
    // The server has an e-mail before the service knows that. If it stopped in between, it would
    // get that e-mail twice.
    eventually(|| unsent(&environment)).is(Vec::<Uuid>::new()).await;

    let server = server.stops().await;
    publish(&environment, &late).await;
    eventually(async || unsent(&environment).await.len()).is(2).await;
    eventually(async || logs::lines_with(&["the mail server is unavailable"]).is_empty())
        .is(false)
        .await;
    let server = server.starts_again();
    eventually(async || server.mail_to(&email("Putri")).len()).is(3).await;
    assert_eq!(server.mail_to(&email("Dewi")).len(), 3, "what was sent is not sent again");
    users.stop().await;
}

#[tokio::test]
async fn a_buyer_who_cannot_be_reached_does_not_hold_up_the_others() {
    let (environment, server) = (TestEnvironment::start().await, MailServer::start().await);
    let users =
        TestApp::start(&environment, &[&["--smtp-url", &server.url()], &FROM[..]].concat()).await;
    let mut facts = Vec::new();
    for name in ["nobody", "full", "blocked", "Ratna"] {
        facts.extend(booked(&users.registers(name).await).1);
    }
    let [full, blocked] = [facts[2].clone(), facts[4].clone()].map(|fact| match fact {
        BookingFact::BookingConfirmed(confirmed) => confirmed.user_id.0,
        _ => panic!("it begins so"),
    });
    publish(&environment, &facts).await;
    eventually(async || server.mail_to(&email("Ratna")).len()).is(3).await;
    // The missing mailbox is not tried again; the others are, whatever they answer now.
    let kept = async || {
        let mut kept = unsent(&environment).await;
        kept.sort_unstable();
        kept
    };
    let mut expected = vec![full, full, blocked, blocked];
    expected.sort_unstable();
    eventually(kept).is(expected).await;
    users.stop().await;
    for address in ["nobody@mail", "full@mail", "blocked@mail"] {
        assert_eq!(logs::lines_with(&[address]), Vec::<String>::new());
    }
}
