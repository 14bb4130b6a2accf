//! The texts of e-mails with tickets, and where e-mails lead to.

use karcis_kernel::TicketTypeId;

use super::*;
use crate::domain::Issued;

#[test]
fn tickets_are_shown_to_an_address_that_is_verified_alone() {
    let ticket = Ticket {
        code: "4bf92f3577b34da6a3ce929d0e0e4736".parse().expect("is a code"),
        ticket_type_id: TicketTypeId(uuid!("0198c5a0-0000-7000-8000-00000000d001")),
        name: "VIP".to_owned(),
    };
    let issued = Issued { tickets: vec![ticket], ends_at: None, sequence: 1, asked_at: None };
    let kind = NotificationKind::Confirmed { booked: Some(booked(0)), issued: Some(issued) };
    let code = "\nVIP: 4bf9 2f35 77b3 4da6 a3ce 929d 0e0e 4736\n";
    both(&kind, &[code, "show each ticket's code"], &[code, "kode setiap tiket"], &[]);
    let unverified = read(kind, Language::English, false);
    says(&unverified, &["open your booking"], &["4bf9"]);
}

#[test]
fn a_mail_says_where_in_the_web_app_one_goes_on() {
    let web: WebApp = "https://karcis.example".parse().expect("is an address");
    let token = MailedToken("a-token".to_owned());
    for language in LANGUAGES {
        for (kind, path) in
            AccountMailKind::ALL.into_iter().zip([Some("verify"), Some("reset"), None])
        {
            let text = of_account(kind, Some(&token), &recipient(language, true), &web);
            let text = text.expect("a text");
            let url = path.map(|path| format!("https://karcis.example/{path}#a-token"));
            assert_eq!(text.action.as_ref().map(|action| &action.url), url.as_ref());
            assert_eq!(text.plain().contains("https:"), url.is_some());
        }
    }
}
