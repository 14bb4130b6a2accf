//! A type for each kind of id, so that none can be passed in place of another.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident such as $example:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema
        )]
        #[serde(transparent)]
        #[schema(examples($example))]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A person with an account.
    UserId such as "0198c0de-5a21-7000-8000-00000000aa01",
    /// An event that tickets are sold for.
    EventId such as "0198c0de-5a21-7000-8000-00000000ee01",
    /// A kind of ticket of one event, such as "VIP".
    TicketTypeId such as "0198c0de-5a21-7000-8000-000000007701",
    /// One order of one buyer, and the saga that sees it through.
    BookingId such as "0198c0de-5a21-7000-8000-00000000bb01",
    /// The payment of one booking.
    PaymentId such as "0198c0de-5a21-7000-8000-00000000dd01",
}
