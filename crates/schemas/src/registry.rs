//! The services and the schemas.

use std::fmt;

use karcis_contracts::{
    BookingFact, EventCommand, EventFact, Message, PaymentCommand, PaymentFact, TicketCodes,
    TicketFact, TicketMail, UserFact,
};
use sqlx::migrate::Migrator;

/// A service as others see it.
#[derive(Debug)]
pub struct Service {
    /// Its short name, such as `booking`.
    pub name: &'static str,
    full_name: &'static str,
    package: &'static str,
    /// What it does, in half a sentence.
    pub about: &'static str,
    /// Where it serves unless told otherwise.
    pub port: u16,
    pub schema: &'static Schema,
    /// The topics it consumes, without a deployment's prefix.
    pub reads: &'static [&'static str],
    /// The topics it produces to, without a deployment's prefix.
    pub writes: &'static [&'static str],
}

impl Service {
    /// Its program, its consumer group and its messages' source, such as `booking-service`.
    pub const fn full_name(&self) -> &'static str {
        self.full_name
    }

    /// Its package, such as `karcis-booking-service`.
    pub const fn package(&self) -> &'static str {
        self.package
    }
}

/// A schema with the roles that alone can read it.
#[derive(Clone, Copy)]
pub struct Schema {
    pub name: &'static str,
    /// What `karcis migrate` calls it, such as `user`.
    pub part: &'static str,
    /// Its service's, which reads and writes rows. Its `search_path` is the schema.
    pub role: &'static str,
    /// What brings its tables up to date.
    pub migrations: &'static Migrator,
}

impl Schema {
    /// The role that owns the schema and its tables; nobody can log in as it.
    pub fn owner(&self) -> String {
        format!("{}_owner", self.role)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! service {
    ($name:literal: $about:literal, $port:literal, $schema:ident, $reads:expr, $writes:expr) => {
        Service {
            name: $name,
            full_name: concat!($name, "-service"),
            package: concat!("karcis-", $name, "-service"),
            about: $about,
            port: $port,
            schema: &$schema,
            reads: &$reads,
            writes: &$writes,
        }
    };
}

/// Every service, in the order in which they are shown.
pub static SERVICES: [&Service; 4] = [&USER, &EVENT, &BOOKING, &PAYMENT];

/// user-service
pub static USER: Service = service!(
    "user": "people: their accounts, sessions and roles", 8081, USERS,
    [BookingFact::TOPIC, TicketMail::TOPIC], [UserFact::TOPIC]
);

/// event-service
pub static EVENT: Service = service!(
    "event": "events, their tickets, and what is left of them", 8082, EVENTS,
    [EventCommand::TOPIC], [TicketFact::TOPIC, TicketCodes::TOPIC, EventFact::TOPIC]
);

/// booking-service
pub static BOOKING: Service = service!(
    "booking": "takes orders and sees each one through: reserve, pay, confirm, or undo", 8083, BOOKINGS,
    [
        TicketFact::TOPIC, TicketCodes::TOPIC, PaymentFact::TOPIC, EventFact::TOPIC, UserFact::TOPIC,
    ],
    [EventCommand::TOPIC, PaymentCommand::TOPIC, BookingFact::TOPIC, TicketMail::TOPIC]
);

/// payment-service
pub static PAYMENT: Service = service!(
    "payment": "takes a buyer's money once and gives it back once", 8084, PAYMENTS,
    [PaymentCommand::TOPIC], [PaymentFact::TOPIC]
);

/// Every service's schema, and the simulated payment provider's.
pub fn schemas() -> impl Iterator<Item = &'static Schema> {
    SERVICES.iter().map(|service| service.schema).chain([&SIMULATED_GATEWAY])
}

/// user-service's.
pub static USERS: Schema = Schema {
    name: "users",
    part: "user",
    role: "karcis_user",
    migrations: &const { sqlx::migrate!("../../migrations/user") },
};

/// event-service's.
pub static EVENTS: Schema = Schema {
    name: "events",
    part: "event",
    role: "karcis_event",
    migrations: &const { sqlx::migrate!("../../migrations/event") },
};

/// booking-service's.
pub static BOOKINGS: Schema = Schema {
    name: "bookings",
    part: "booking",
    role: "karcis_booking",
    migrations: &const { sqlx::migrate!("../../migrations/booking") },
};

/// payment-service's.
pub static PAYMENTS: Schema = Schema {
    name: "payments",
    part: "payment",
    role: "karcis_payment",
    migrations: &const { sqlx::migrate!("../../migrations/payment") },
};

/// The simulated payment provider's ledger.
pub static SIMULATED_GATEWAY: Schema = Schema {
    name: "simulated_gateway",
    part: "gateway",
    role: "karcis_simulated_gateway",
    migrations: &const { sqlx::migrate!("../../migrations/simulated_gateway") },
};

#[cfg(test)]
mod tests {
    use karcis_contracts::CHANNELS;

    use super::*;

    #[test]
    fn services_read_and_write_what_the_contracts_say() {
        for channel in &CHANNELS {
            let writes = |service: &&&Service| service.writes.contains(&channel.topic);
            let writers = SERVICES.iter().filter(writes).map(|service| service.full_name());
            assert_eq!(writers.collect::<Vec<_>>(), [channel.writer], "{}", channel.topic);
            let reads = |service: &&&Service| service.reads.contains(&channel.topic);
            let mut readers = SERVICES.iter().filter(reads).map(|service| service.full_name());
            assert!(readers.any(|reader| reader == channel.reader), "{}", channel.topic);
        }
    }
}
