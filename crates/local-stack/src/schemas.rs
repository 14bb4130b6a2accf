//! Roles and schemas: one role per schema, which cannot read the others.

use sqlx::{Connection, PgConnection};

use crate::StackError;

const SETUP: &str = include_str!("../../../migrations/setup.sql");

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
pub async fn prepare(superuser_url: &str) -> Result<(), StackError> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    sqlx::raw_sql(SETUP).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The same for one schema, whose role gets this password, also if it is there; without one, a new
/// role gets its development password.
pub(crate) async fn set_up(
    connection: &mut PgConnection,
    schema: Schema,
    password: Option<&str>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let password_of = format!("karcis.password_of_{}", schema.name);
    for (setting, value) in [("karcis.schemas", Some(schema.name)), (&password_of, password)] {
        let set = sqlx::query("SELECT set_config($1, $2, true)").bind(setting).bind(value);
        set.execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(SETUP).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// The URL of the same database for this schema's role, with its development password.
pub fn role_url(superuser_url: &str, schema: Schema) -> String {
    let (scheme, rest) = superuser_url.split_once("://").unwrap_or(("postgres", superuser_url));
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (database, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    // A URL without a database means the one named like the user.
    let database = match database {
        "" | "/" => format!("/{}", user.split(':').next().unwrap_or_default()),
        named => named.to_owned(),
    };
    let role = schema.role;
    format!("{scheme}://{role}:{role}@{host}{database}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reaches_the_same_database() {
        for (superuser, expected) in [
            (
                "postgres://postgres:a%40b@db:5433/shop",
                "postgres://karcis_user:karcis_user@db:5433/shop",
            ),
            (
                "postgresql://db/shop?sslmode=require",
                "postgresql://karcis_user:karcis_user@db/shop?sslmode=require",
            ),
            ("postgres://root:x@db:1", "postgres://karcis_user:karcis_user@db:1/root"),
            ("postgres://root@[::1]:1/?a=b", "postgres://karcis_user:karcis_user@[::1]:1/root?a=b"),
        ] {
            assert_eq!(role_url(superuser, USERS), expected);
        }
    }
}
