//! Who comes with a booking's tickets, as far as its buyer has said.

use std::collections::HashMap;

use karcis_kernel::{InvalidText, TicketTypeId};

use super::{Items, PersonName};

/// Somebody who comes with a ticket of this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    pub ticket_type_id: TicketTypeId,
    pub name: PersonName,
}

/// At most as many attendees of a ticket type as a booking has tickets of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendees(Vec<Attendee>);

/// What is wrong with the attendee at an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttendee {
    #[error("{1}")]
    Name(usize, InvalidText),
    #[error("give a ticket type of the items")]
    NotOrdered(usize),
    #[error("give at most as many names as tickets of this type")]
    TooMany(usize),
}

/// What the people of a booking are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `None` if the buyer's token did not say it, or the buyer is erased.
    pub buyer: Option<PersonName>,
    pub attendees: Attendees,
}

impl Attendees {
    /// Those with these ticket types and names, in this order, or everything that is wrong with them.
    pub fn new<'a>(
        given: impl IntoIterator<Item = (TicketTypeId, &'a str)>,
        items: &Items,
    ) -> Result<Self, Vec<InvalidAttendee>> {
        let items = items.as_slice().iter();
        let mut left: HashMap<TicketTypeId, u32> =
            items.map(|item| (item.ticket_type_id, item.quantity)).collect();
        let (mut attendees, mut wrong) = (Vec::new(), Vec::new());
        for (index, (ticket_type_id, name)) in given.into_iter().enumerate() {
            match left.get_mut(&ticket_type_id) {
                None => wrong.push(InvalidAttendee::NotOrdered(index)),
                Some(0) => wrong.push(InvalidAttendee::TooMany(index)),
                Some(left) => *left -= 1,
            }
            match PersonName::parse(name) {
                Ok(name) => attendees.push(Attendee { ticket_type_id, name }),
                Err(why) => wrong.push(InvalidAttendee::Name(index, why)),
            }
        }
        if wrong.is_empty() { Ok(Self(attendees)) } else { Err(wrong) }
    }

    /// Those that were stored.
    pub fn stored(attendees: Vec<Attendee>) -> Self {
        Self(attendees)
    }

    /// All of them, in the order in which they were given.
    pub fn as_slice(&self) -> &[Attendee] {
        &self.0
    }
}

impl Names {
    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.buyer.is_none() && self.attendees.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Item;

    fn kind(number: u128) -> TicketTypeId {
        TicketTypeId(Uuid::from_u128(number))
    }

    fn attendees(given: &[(u128, &str)]) -> Result<Attendees, Vec<InvalidAttendee>> {
        let items = [(1, 2), (2, 1)];
        let items = items.map(|(number, quantity)| Item { ticket_type_id: kind(number), quantity });
        let items = Items::new(items.to_vec()).expect("valid items");
        Attendees::new(given.iter().map(|(number, name)| (kind(*number), *name)), &items)
    }

    #[test]
    fn each_ticket_may_have_a_name_and_none_has_to() {
        for given in
            [&[][..], &[(1, "Sari")], &[(2, "Dewi"), (1, " Sari "), (1, "Sari")], &[(1, "孫悟空")]]
        {
            let named = attendees(given).expect("valid attendees");
            let names = named.as_slice().iter().map(|attendee| attendee.name.as_str());
            assert!(names.eq(given.iter().map(|(_, name)| name.trim())), "{given:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let length = InvalidText::Length { min: 1, max: 200 };
        let line_break = PersonName::parse("a\nb").expect_err("it breaks the line");
        let cases = [
            (&[(3, "Sari")][..], vec![InvalidAttendee::NotOrdered(0)]),
            (&[(2, "Sari"), (2, "Dewi")], vec![InvalidAttendee::TooMany(1)]),
            (&[(1, "Sari"), (1, " ")], vec![InvalidAttendee::Name(1, length)]),
            (&[(1, "a\nb")], vec![InvalidAttendee::Name(0, line_break)]),
            (
                &[(3, ""), (2, "Sari"), (2, "Dewi")],
                vec![
                    InvalidAttendee::NotOrdered(0),
                    InvalidAttendee::Name(0, length),
                    InvalidAttendee::TooMany(2),
                ],
            ),
        ];
        for (given, wrong) in cases {
            assert_eq!(attendees(given), Err(wrong), "{given:?}");
        }
    }
}
