//! Makes roles and schemas: one role per schema, which cannot read the others.

use sqlx::{Connection, PgConnection};

use crate::{SIMULATED_GATEWAY, Schema};

/// The script that makes roles and schemas.
pub const SETUP: &str = include_str!("../../../migrations/setup.sql");

/// Why the roles and schemas are not there.
#[derive(Debug, thiserror::Error)]
#[error("database: {0}")]
pub struct SetupError(#[from] pub sqlx::Error);

/// Creates the roles that are missing (once per cluster) and the schemas in this database.
/// Repeatable, also by several at once. `superuser_url` names the database.
pub async fn prepare(superuser_url: &str) -> Result<(), SetupError> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    sqlx::raw_sql(SETUP).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// The same for one schema, whose role gets this password, also if it is there; without one, a new
/// role gets its development password.
pub async fn set_up(
    connection: &mut PgConnection,
    schema: Schema,
    password: Option<&str>,
) -> Result<(), SetupError> {
    let mut transaction = connection.begin().await?;
    let password_of = format!("karcis.password_of_{}", schema.name);
    for (setting, value) in [("karcis.schemas", Some(schema.name)), (&password_of, password)] {
        let set = sqlx::query("SELECT set_config($1, $2, true)").bind(setting).bind(value);
        set.execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(SETUP).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
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

/// The variables, with their values, that make payment-service use the simulated payment provider
/// of the same database.
pub fn simulated_gateway(superuser_url: &str) -> [(&'static str, String); 2] {
    [
        ("KARCIS_GATEWAY", "simulated".to_owned()),
        ("KARCIS_GATEWAY_DATABASE_URL", role_url(superuser_url, SIMULATED_GATEWAY)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{USERS, schemas};

    #[test]
    fn the_script_knows_every_schema_and_no_other() {
        let missing = |schema: &&Schema| !SETUP.contains(&line(schema));
        assert_eq!(schemas().filter(missing).map(line).collect::<Vec<_>>(), Vec::<String>::new());
        assert_eq!(SETUP.matches("('karcis_").count(), schemas().count());
    }

    fn line(schema: &Schema) -> String {
        format!("('{}', '{}')", schema.role, schema.name)
    }

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
