//! Which services there are.

use std::collections::HashMap;

use karcis_schemas::{self as schemas, Schema};

/// Where each service serves, such as `http://127.0.0.1:34567`.
pub type Urls = HashMap<Service, String>;

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// user-service.
    User,
    /// event-service.
    Event,
    /// booking-service.
    Booking,
    /// payment-service.
    Payment,
}

impl Service {
    /// All four.
    pub const ALL: [Self; 4] = [Self::User, Self::Event, Self::Booking, Self::Payment];

    /// Its short name, as in its metrics and paths.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Event => "event",
            Self::Booking => "booking",
            Self::Payment => "payment",
        }
    }

    /// Where its tables are.
    pub fn schema(self) -> Schema {
        match self {
            Self::User => schemas::USERS,
            Self::Event => schemas::EVENTS,
            Self::Booking => schemas::BOOKINGS,
            Self::Payment => schemas::PAYMENTS,
        }
    }
}
