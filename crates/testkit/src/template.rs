//! The database with every service's tables that tests copy: made once a server.

use std::fmt::Write;

use karcis_dev_servers::paths::fingerprint;
use karcis_schemas::{SETUP, as_owner, migrate, prepare, schemas};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

use crate::{eventually, lifetime::Failure};

/// Makes a database of this name, with all schemas in it, and returns its superuser's URL.
pub(crate) async fn copy(postgres_url: &str, name: &str) -> String {
    static TEMPLATE: OnceCell<Result<String, String>> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async { find_or_make(postgres_url).await.map_err(|e| e.to_string()) })
        .await;
    let template = template
        .as_ref()
        .unwrap_or_else(|why| panic!("the services' tables cannot be made: {why}"));
    let mut connection = PgConnection::connect(postgres_url).await.expect("Postgres answers");
    let copy = format!("CREATE DATABASE {name} TEMPLATE {template}");
    execute(&mut connection, copy).await.expect("a database can be copied");
    url_of(postgres_url, name)
}

/// Makes the same on a server that has no template.
pub(crate) async fn make(postgres_url: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(postgres_url).await.expect("Postgres answers");
    let create = format!("CREATE DATABASE {name}");
    execute(&mut connection, create).await.expect("a database can be made");
    let url = url_of(postgres_url, name);
    fill(&url).await.unwrap_or_else(|why| panic!("the services' tables cannot be made: {why}"));
    url
}

/// Deletes a copy, also one that is in use.
pub(crate) async fn drop_copy(postgres_url: &str, name: &str) {
    if let Ok(mut connection) = PgConnection::connect(postgres_url).await {
        let _ = execute(&mut connection, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

/// The template's name. Other migrations make another template, as a server may live long.
async fn find_or_make(postgres_url: &str) -> Result<String, Failure> {
    let mut content = SETUP.to_owned();
    for migration in schemas().flat_map(|schema| schema.migrations.iter()) {
        write!(content, "{:?}", migration.checksum)?;
    }
    let template = format!("karcis_template_{}", fingerprint(&content));
    let mut connection = PgConnection::connect(postgres_url).await?;
    // Held until the connection ends: another test binary waits here.
    let lock = "SELECT pg_advisory_lock(hashtextextended('karcis template', 0))".to_owned();
    execute(&mut connection, lock).await?;
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
    if !exists.bind(&template).fetch_one(&mut connection).await? {
        let unfinished = format!("{template}_unfinished");
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {unfinished}")).await?;
        execute(&mut connection, format!("CREATE DATABASE {unfinished}")).await?;
        fill(&url_of(postgres_url, &unfinished)).await?;
        // A database with a connection cannot be renamed, and a closed one may linger a moment.
        eventually(async || {
            let mut connection = PgConnection::connect(postgres_url).await?;
            let rename = format!("ALTER DATABASE {unfinished} RENAME TO {template}");
            execute(&mut connection, rename).await
        })
        .await;
    }
    connection.close().await?;
    Ok(template)
}

async fn fill(superuser_url: &str) -> Result<(), Failure> {
    prepare(superuser_url).await?;
    let mut superuser = PgConnection::connect(superuser_url).await?;
    for schema in schemas() {
        let owner = as_owner(superuser_url, schema)?;
        let migrated = migrate(&owner, schema.migrations).await;
        migrated.map_err(|error| format!("{}: {error}", schema.name))?;
        // All the tests of a run share the role.
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT 10000", schema.role);
        execute(&mut superuser, limit).await?;
    }
    Ok(superuser.close().await?)
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

/// The superuser's URL of another database of the server.
pub(crate) fn url_of(postgres_url: &str, database: &str) -> String {
    let (url, query) = postgres_url.split_at(postgres_url.find('?').unwrap_or(postgres_url.len()));
    let (server, _) = url.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{database}{query}")
}
