//! `karcis keys`: shows, adds and removes the keys that sign access tokens.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use karcis_database::{DatabaseError, Pool, connect_to};
use karcis_process::Environment;
use karcis_user_service::{
    KeyError, KeyKeeper, KeyStatus, Reason, published_keys, retire_key, rotate_keys,
};
use nix::unistd::{User, getuid};

/// What to do with the keys.
#[derive(clap::Subcommand)]
pub(crate) enum KeysCommand {
    /// Show all keys with what each is for
    List(Database),
    /// Make a key: it is published and signs later, once all services know it
    Rotate {
        #[command(flatten)]
        database: Database,
        /// After how many seconds it signs. Sooner than after ten minutes, requests may be answered 503 for
        /// some seconds
        #[arg(long, default_value_t = 600, value_name = "SECONDS")]
        lead_seconds: u32,
        #[command(flatten)]
        why: Why,
    },
    /// Remove a key: tokens that it signed are refused within two minutes
    Retire {
        #[command(flatten)]
        database: Database,
        /// Its id, as `karcis keys list` shows it
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Remove it although tokens that it signed are valid, as when it was stolen
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        why: Why,
    },
}

/// Why it is done.
#[derive(clap::Args)]
pub(crate) struct Why {
    /// Why, for the audit table, which also names you
    #[arg(long, value_name = "TEXT", value_parser = Reason::parse)]
    reason: Option<Reason>,
}

impl Why {
    /// This, by who runs the program.
    fn by_me(self) -> KeyKeeper {
        let user = User::from_uid(getuid()).ok().flatten();
        let name = user.map_or_else(|| "karcis keys".to_owned(), |user| user.name);
        KeyKeeper { name, reason: self.reason }
    }
}

/// Where the keys are.
#[derive(clap::Args)]
pub(crate) struct Database {
    /// user-service's database, as its role: postgres://role:password@host/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
    #[command(flatten)]
    _environment: Environment,
}

/// Why the keys were not shown or not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Database {
    async fn connect(&self) -> Result<Pool, DatabaseError> {
        connect_to("DATABASE_URL", &self.database_url, 1).await
    }
}

/// Does it, and shows the keys as they are then.
pub(crate) async fn keys(command: KeysCommand) -> Result<(), KeysError> {
    let pool = match command {
        KeysCommand::List(database) => database.connect().await?,
        KeysCommand::Rotate { database, lead_seconds, why } => {
            let pool = database.connect().await?;
            rotate_keys(&pool, Duration::from_secs(lead_seconds.into()), why.by_me()).await?;
            pool
        }
        KeysCommand::Retire { database, key, force, why } => {
            let pool = database.connect().await?;
            retire_key(&pool, &key, force, why.by_me()).await?;
            pool
        }
    };
    println!("{:<43}  {:<20}  STATUS", "KEY", "CREATED");
    for key in published_keys(&pool).await? {
        let status = match key.status {
            KeyStatus::Signs => "signs".to_owned(),
            KeyStatus::Pending => format!("signs from {} on", time(key.signs_from)),
            KeyStatus::NeededUntil(until) => format!("its tokens are valid until {}", time(until)),
            KeyStatus::Unused => "not needed, may be retired".to_owned(),
        };
        println!("{:<43}  {:<20}  {status}", key.kid, time(key.created_at));
    }
    Ok(())
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
