//! `karcis migrate`: each schema with its role and its tables, all in one database or each in its own.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, FromArgMatches, builder::PossibleValuesParser};
use karcis_database::primary;
use karcis_process::Environment;
use karcis_schemas::{Schema, SetupError, as_owner, connect_options, schemas, set_up};
use sqlx::{Connection, PgConnection};

/// Which databases, and as which user.
#[derive(clap::Args)]
pub(crate) struct MigrateOptions {
    /// The database of all schemas: postgres://user:password@host[,host…]/database of a superuser, or of
    /// the database's owner with CREATEROLE
    #[arg(long, env = "KARCIS_SETUP_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    setup_url: Option<String>,
    #[command(flatten)]
    own: OwnSettings,
    #[command(flatten)]
    _environment: Environment,
    /// Only these parts, separated by commas
    #[arg(
        long,
        env = "KARCIS_MIGRATE_ONLY",
        value_parser = PossibleValuesParser::new(schemas().map(|schema| schema.part)),
        value_delimiter = ',',
        value_name = "PARTS"
    )]
    only: Vec<String>,
}

/// What each schema may have of its own: a database, and a password of its role.
struct OwnSettings {
    /// By the name of their flag.
    values: BTreeMap<String, String>,
}

impl OwnSettings {
    /// The flag and the variable of the schema's database.
    fn url(schema: &Schema) -> (String, String) {
        let variable = format!("KARCIS_{}_SETUP_DATABASE_URL", schema.part.to_uppercase());
        (format!("{}-setup-url", schema.part), variable)
    }

    /// The flag and the variable of its role's password.
    fn password(schema: &Schema) -> (String, String) {
        let variable = format!("KARCIS_{}_DATABASE_PASSWORD", schema.part.to_uppercase());
        (format!("{}-password", schema.part), variable)
    }

    /// What the flag or its variable is set to. In a compose file or a manifest, what is not set is
    /// often empty.
    fn get(&self, (flag, _): (String, String)) -> Option<String> {
        self.values.get(&flag).filter(|value| !value.is_empty()).cloned()
    }
}

impl clap::Args for OwnSettings {
    fn augment_args(command: clap::Command) -> clap::Command {
        let argument = |(flag, variable): (String, String)| {
            Arg::new(flag.clone()).long(flag).env(variable).hide_env_values(true)
        };
        let urls = schemas().map(|schema| {
            let about = format!("The database of schema {}, if it has one of its own", schema.name);
            argument(Self::url(schema)).value_name("URL").help(about)
        });
        let passwords = schemas().map(|schema| {
            let about = format!("The password that role {} gets", schema.role);
            argument(Self::password(schema)).value_name("PASSWORD").help(about)
        });
        command.args(urls.chain(passwords))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for OwnSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = schemas().flat_map(|schema| [Self::url(schema).0, Self::password(schema).0]);
        let value = |flag: String| Some((flag.clone(), matches.get_one::<String>(&flag)?.clone()));
        Ok(Self { values: flags.filter_map(value).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Why a schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateError {
    #[error("no database for schema {schema}: set KARCIS_SETUP_DATABASE_URL or {variable}")]
    NoDatabase { schema: &'static str, variable: String },
    #[error("role {role} is not there and has no password: set {variable}")]
    NoPassword { role: &'static str, variable: String },
    #[error("schema {schema}: {error}")]
    Setup { schema: &'static str, error: SetupError },
}

/// Brings all schemas that are asked for up to date; the first that fails ends it.
pub(crate) async fn migrate(options: MigrateOptions) -> Result<(), MigrateError> {
    karcis_process::start_logs();
    let is_asked_for =
        |part: &str| options.only.is_empty() || options.only.iter().any(|only| only == part);
    for schema in schemas().filter(|schema| is_asked_for(schema.part)) {
        prepare(schema, &options).await?;
        println!("schema {} is up to date", schema.name);
    }
    Ok(())
}

async fn prepare(schema: &'static Schema, options: &MigrateOptions) -> Result<(), MigrateError> {
    let of_all = options.setup_url.clone().filter(|url| !url.is_empty());
    let url = options.own.get(OwnSettings::url(schema)).or(of_all);
    let no_database =
        || MigrateError::NoDatabase { schema: schema.name, variable: OwnSettings::url(schema).1 };
    let url = url.ok_or_else(no_database)?;
    let refused = |error| MigrateError::Setup { schema: schema.name, error };
    let failed = |error: sqlx::Error| refused(error.into());

    let url = primary(&url).await.map_err(failed)?;
    let as_user = connect_options(&url).map_err(failed)?;
    let mut connection = PgConnection::connect_with(&as_user).await.map_err(failed)?;
    let password = options.own.get(OwnSettings::password(schema));
    if password.is_none() {
        let there = sqlx::query_scalar("SELECT to_regrole($1) IS NOT NULL").bind(schema.role);
        if !there.fetch_one(&mut connection).await.map_err(failed)? {
            let (_, variable) = OwnSettings::password(schema);
            return Err(MigrateError::NoPassword { role: schema.role, variable });
        }
    }
    set_up(&mut connection, *schema, password.as_deref()).await.map_err(refused)?;
    connection.close().await.map_err(failed)?;

    migrate_one(&url, schema).await.map_err(refused)
}

/// Brings the tables of this schema up to date, as their owner.
pub(crate) async fn migrate_one(url: &str, schema: &'static Schema) -> Result<(), SetupError> {
    karcis_schemas::migrate(&as_owner(url, schema)?, schema.migrations).await
}
