//! Roles and schemas: one role per schema, which cannot read the others.

use crate::StackError;

/// A schema with the role that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The schema's name.
    pub name: &'static str,
    /// Its role, whose `search_path` is the schema.
    pub role: &'static str,
}

/// user-service's.
pub const USERS: Schema = Schema { name: "users", role: "karcis_user" };
/// event-service's.
pub const EVENTS: Schema = Schema { name: "events", role: "karcis_event" };
/// booking-service's.
pub const BOOKINGS: Schema = Schema { name: "bookings", role: "karcis_booking" };
/// payment-service's.
pub const PAYMENTS: Schema = Schema { name: "payments", role: "karcis_payment" };
/// The simulated payment provider's ledger.
pub const GATEWAY: Schema = Schema { name: "simulated_gateway", role: "karcis_simulated_gateway" };

/// Creates the roles that are missing (once per cluster) and the schemas in this database.
/// Repeatable, also by several at once. `superuser_url` names the database.
pub async fn prepare(_superuser_url: &str) -> Result<(), StackError> {
    todo!()
}

/// The URL of the same database for this schema's role.
pub fn role_url(_superuser_url: &str, _schema: Schema) -> String {
    todo!()
}
