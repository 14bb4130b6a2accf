//! What operators may not see of messages: the codes of tickets, as who knows one has the ticket.

use std::borrow::Cow;

use karcis_contracts::{Message, TicketCodes, TicketMail};

/// The topics whose bodies are not shown.
pub(crate) const SECRET_TOPICS: [&str; 2] = [TicketCodes::TOPIC, TicketMail::TOPIC];

/// How many hex digits a code has.
const CODE: usize = 32;

/// An error about a message of this topic, without the codes in it.
pub(crate) fn shown<'a>(topic: &str, error: &'a str) -> Cow<'a, str> {
    if SECRET_TOPICS.contains(&topic) { without_codes(error).into() } else { error.into() }
}

fn without_codes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits < CODE {
            shown.push_str(&rest[..digits]);
        } else {
            shown.push('…');
        }
        rest = &rest[digits..];
        let others = rest.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(rest.len());
        shown.push_str(&rest[..others]);
        rest = &rest[others..];
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_no_code_of_a_ticket() {
        let code = "4bf92f3577b34da6a3ce929d0e0e4736";
        let error = format!("invalid type: string \"{code}\", expected a café at column {CODE}");
        let hidden = "invalid type: string \"…\", expected a café at column 32";
        let booking = "0198c5a8-7b7e-7c3e-9c54-0242ac120002 is unknown";
        for topic in SECRET_TOPICS {
            assert_eq!(shown(topic, &error), hidden);
            assert_eq!(shown(topic, code), "…");
            assert_eq!(shown(topic, booking), booking);
        }
        assert_eq!(shown("karcis.tickets.v1", &error), error);
    }
}
