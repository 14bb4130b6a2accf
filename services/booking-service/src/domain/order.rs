//! What a buyer ordered. It never changes.

use std::collections::HashSet;

use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp, UserId};

/// Tickets of one event for one buyer, all or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// It also names the hold and the payment.
    pub id: BookingId,
    pub buyer: UserId,
    pub event_id: EventId,
    pub items: Items,
    /// The total that was shown to the buyer, if any was.
    pub expected_total: Option<Money>,
    pub created_at: Timestamp,
    /// An unpaid booking is undone then.
    pub pay_by: Timestamp,
}

impl Order {
    /// The highest amount of an expected total. It is the limit of every amount in a request, so an
    /// order that costs more names no total.
    pub const MAX_EXPECTED_AMOUNT: i64 = 1_000_000_000_000;
}

/// Some tickets of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    pub ticket_type_id: TicketTypeId,
    pub quantity: u32,
}

/// 1 to [`MAX`](Self::MAX) items of different types, 1 to [`MAX_QUANTITY`](Self::MAX_QUANTITY) tickets
/// each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Items(Vec<Item>);

/// What is wrong with a list of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidItems {
    #[error("give 1 to {} items", Items::MAX)]
    Count,
    /// Of the item at this index.
    #[error("give a quantity from 1 to {}", Items::MAX_QUANTITY)]
    Quantity(usize),
    /// The item at this index has the type of an item before it.
    #[error("give each ticket type once")]
    Repeated(usize),
}

impl Items {
    /// The most items of one booking.
    pub const MAX: usize = 20;
    /// The most tickets of one item.
    pub const MAX_QUANTITY: u32 = 1_000;

    /// The items, or everything that is wrong with them.
    pub fn new(items: Vec<Item>) -> Result<Self, Vec<InvalidItems>> {
        if items.is_empty() || items.len() > Self::MAX {
            return Err(vec![InvalidItems::Count]);
        }
        let mut seen = HashSet::new();
        let mut wrong = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if !(1..=Self::MAX_QUANTITY).contains(&item.quantity) {
                wrong.push(InvalidItems::Quantity(index));
            }
            if !seen.insert(item.ticket_type_id) {
                wrong.push(InvalidItems::Repeated(index));
            }
        }
        if wrong.is_empty() { Ok(Self(items)) } else { Err(wrong) }
    }

    /// The items in the buyer's order.
    pub fn as_slice(&self) -> &[Item] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn item(kind: u128, quantity: u32) -> Item {
        Item { ticket_type_id: TicketTypeId(Uuid::from_u128(kind)), quantity }
    }

    #[test]
    fn items_are_few_different_and_not_too_many_each() {
        let twenty_one = (0..21).map(|kind| item(kind, 1)).collect();
        let cases: [(Vec<Item>, &[InvalidItems]); 7] = [
            (vec![item(1, 1)], &[]),
            ((0..20).map(|kind| item(kind, 1_000)).collect(), &[]),
            (vec![], &[InvalidItems::Count]),
            (twenty_one, &[InvalidItems::Count]),
            (vec![item(1, 0)], &[InvalidItems::Quantity(0)]),
            (vec![item(1, 1), item(2, 1_001)], &[InvalidItems::Quantity(1)]),
            (vec![item(1, 1), item(1, 0)], &[InvalidItems::Quantity(1), InvalidItems::Repeated(1)]),
        ];
        for (items, wrong) in cases {
            assert_eq!(Items::new(items).err().unwrap_or_default(), wrong);
        }
    }
}
