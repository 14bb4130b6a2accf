//! Makes roles and schemas: of each schema an owner, and the service's role, which cannot read the
//! others.
//!
//! Guarantees: while a session uses a table that gets another owner, others can use it too.

use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{
    SIMULATED_GATEWAY, Schema,
    locked_out::{SetupError, Tries},
    schemas,
};

/// The script that makes roles and schemas.
pub const SETUP: &str = include_str!("../../../migrations/setup.sql");

/// How long a lock is waited for each time.
const LOCK_TIMEOUT: &str = "2s";

/// Creates the roles that are missing (once per cluster) and the schemas in this database, and gives
/// each role the password that [`role_url`] names. Repeatable, also by several at once. `superuser_url`
/// names the database.
pub async fn prepare(superuser_url: &str) -> Result<(), SetupError> {
    if key_of(superuser_url).is_empty() {
        let why = "the URL needs the superuser's password, of which the roles' passwords are made";
        return Err(sqlx::Error::Configuration(why.into()).into());
    }
    let mut connection = PgConnection::connect_with(&connect_options(superuser_url)?).await?;
    let password = |schema: &Schema| (schema.name, password_of(superuser_url, *schema));
    let passwords: Vec<_> = schemas().map(password).collect();
    run(&mut connection, "", &passwords).await?;
    connection.close().await?;
    Ok(())
}

/// The same for one schema, whose role gets this password, also if it is there; without one, the role
/// has to be there.
pub async fn set_up(
    connection: &mut PgConnection,
    schema: Schema,
    password: Option<&str>,
) -> Result<(), SetupError> {
    let password = password.map(|password| (schema.name, password.to_owned()));
    run(connection, schema.name, password.as_slice()).await
}

/// Runs the script for these schemas, all if none is named, with these passwords by schema. Others
/// queue behind a lock that it waits for: it lets go of what it has, and tries again.
async fn run(
    connection: &mut PgConnection,
    schemas: &str,
    passwords: &[(&str, String)],
) -> Result<(), SetupError> {
    let mut tries = Tries::begin();
    while let Err(error) = try_run(connection, schemas, passwords).await {
        tries.again_after(error).await?;
    }
    Ok(())
}

async fn try_run(
    connection: &mut PgConnection,
    schemas: &str,
    passwords: &[(&str, String)],
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let passwords = passwords
        .iter()
        .map(|(schema, password)| (format!("karcis.password_of_{schema}"), password.as_str()));
    let settings = [("karcis.schemas", schemas), ("lock_timeout", LOCK_TIMEOUT)];
    let settings = settings.map(|(setting, value)| (setting.to_owned(), value));
    for (setting, value) in passwords.chain(settings) {
        let set = sqlx::query("SELECT set_config($1, $2, true)").bind(setting).bind(value);
        set.execute(&mut *transaction).await?;
    }
    sqlx::raw_sql(SETUP).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// How a superuser, or a member of the owner, connects to change this schema's tables: as its owner.
pub fn as_owner(url: &str, schema: &Schema) -> Result<PgConnectOptions, sqlx::Error> {
    let settings = [("role", schema.owner()), ("search_path", schema.name.to_owned())];
    Ok(connect_options(url)?.options(settings))
}

/// How one who sets up or migrates connects: the log has neither the statements, which may wait and are long, nor
/// the server's notes on what is there already.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    Ok(options.options([("client_min_messages", "warning")]))
}

/// The password that [`prepare`] gives to this schema's role. It follows from the superuser's, so that
/// all who know that agree on it, and who knows it learns no other.
fn password_of(superuser_url: &str, schema: Schema) -> String {
    let mut hash: Hmac<Sha256> = KeyInit::new_from_slice(key_of(superuser_url).as_bytes())
        .expect("a key may have any length");
    hash.update(schema.role.as_bytes());
    hash.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The superuser's password in this URL; empty if there is none.
fn key_of(superuser_url: &str) -> &str {
    let (login, _) = split(superuser_url).1.rsplit_once('@').unwrap_or_default();
    login.split_once(':').unwrap_or_default().1
}

/// The URL of the same database for this schema's role, with the password that [`prepare`] gives it.
pub fn role_url(superuser_url: &str, schema: Schema) -> String {
    let (scheme, authority, path) = split(superuser_url);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (database, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    // A URL without a database means the one named like the user.
    let database = match database {
        "" | "/" => format!("/{}", user.split(':').next().unwrap_or_default()),
        named => named.to_owned(),
    };
    let (role, password) = (schema.role, password_of(superuser_url, schema));
    format!("{scheme}://{role}:{password}@{host}{database}{query}")
}

/// Scheme, user with password and host, and the rest.
fn split(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    (scheme, authority, path)
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::USERS;

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
            ("postgres://postgres:a%40b@db:5433/shop", "postgres://karcis_user:…@db:5433/shop"),
            (
                "postgresql://db/shop?sslmode=require",
                "postgresql://karcis_user:…@db/shop?sslmode=require",
            ),
            ("postgres://root:x@db:1", "postgres://karcis_user:…@db:1/root"),
            ("postgres://root@[::1]:1/?a=b", "postgres://karcis_user:…@[::1]:1/root?a=b"),
        ] {
            let password = password_of(superuser, USERS);
            assert_eq!(role_url(superuser, USERS).replace(&password, "…"), expected);
        }
    }

    #[test]
    fn passwords_follow_from_the_superusers_and_say_nothing_of_each_other() {
        let of = |superuser: &str| {
            let url = format!("postgres://postgres:{superuser}@db/shop");
            schemas().map(|schema| password_of(&url, *schema)).collect::<BTreeSet<_>>()
        };
        assert_eq!(of("drawn"), of("drawn"));
        assert_eq!(of("drawn").union(&of("other")).count(), 2 * schemas().count());
    }
}
