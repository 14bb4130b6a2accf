//! Secrets: read from files, and none that everybody knows.

use std::{
    ffi::{OsStr, OsString},
    fs,
};

use clap::{
    Arg, ArgMatches, Command, Error, ValueEnum,
    error::{ErrorKind, Result},
    parser::ValueSource,
};

/// What a program works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Other people: passwords that everybody knows are refused.
    Production,
    /// Somebody who tries Karcis on their own machine.
    Development,
}

/// The setting that allows development's passwords.
#[derive(Clone, Debug, clap::Args)]
pub struct Environment {
    /// What this is for: development allows the passwords that the documents name, which are refused
    /// otherwise.
    #[arg(long, env = "KARCIS_ENVIRONMENT", default_value = "production", value_name = "PURPOSE")]
    pub environment: Purpose,
}

/// The passwords that the documents, examples and older releases name.
const KNOWN: [&str; 9] = [
    "change-me",
    "karcis",
    "karcis-development",
    "postgres",
    "karcis_user",
    "karcis_event",
    "karcis_booking",
    "karcis_payment",
    "karcis_simulated_gateway",
];

/// The arguments, with a flag for each setting that a file has: of a variable `X`, `X_FILE` names a file
/// whose content takes the variable's place.
pub(crate) fn with_files(command: &Command, arguments: Vec<OsString>) -> Result<Vec<OsString>> {
    let read = command.clone().ignore_errors(true).try_get_matches_from(&arguments);
    let mut with_files = arguments;
    if let Ok(matches) = read {
        let (command, matches) = chosen(command, &matches);
        for argument in command.get_arguments() {
            let source = matches.value_source(argument.get_id().as_str());
            if source != Some(ValueSource::CommandLine) {
                with_files.extend(from_file(argument)?);
            }
        }
    }
    Ok(with_files)
}

/// The subcommand that was given, as deep as it goes.
fn chosen<'a>(command: &'a Command, matches: &'a ArgMatches) -> (&'a Command, &'a ArgMatches) {
    let below = matches.subcommand();
    match below.and_then(|(name, below)| Some((command.find_subcommand(name)?, below))) {
        Some((command, below)) => chosen(command, below),
        None => (command, matches),
    }
}

/// `--flag=content of the file`, if there is one.
fn from_file(argument: &Arg) -> Result<Option<OsString>> {
    let (Some(variable), Some(flag)) = (argument.get_env(), argument.get_long()) else {
        return Ok(None);
    };
    let mut names_file = variable.to_owned();
    names_file.push("_FILE");
    // In a compose file or a manifest, what is not set is often empty.
    let set = |name: &OsStr| std::env::var_os(name).filter(|value| !value.is_empty());
    let Some(path) = set(&names_file) else { return Ok(None) };
    let (variable, names_file) = (variable.display(), names_file.display());
    let wrong = |reason: String| Error::raw(ErrorKind::ValueValidation, reason);
    if set(argument.get_env().unwrap_or_default()).is_some() {
        return Err(wrong(format!("{variable} and {names_file} are both set: keep one of them")));
    }
    let content = fs::read_to_string(&path).map_err(|error| {
        wrong(format!("{names_file}: {} cannot be read: {error}", path.display()))
    })?;
    let content = content.trim_end_matches(['\r', '\n']);
    Ok(Some(format!("--{flag}={content}").into()))
}

/// An error if a secret is one that everybody knows, outside of development.
pub(crate) fn refuse_known(command: &Command, matches: &ArgMatches) -> Result<()> {
    let (command, matches) = chosen(command, matches);
    let purpose = matches.try_get_one::<Purpose>("environment");
    if purpose.ok().flatten() == Some(&Purpose::Development) {
        return Ok(());
    }
    for argument in command.get_arguments().filter(|argument| argument.is_hide_env_values_set()) {
        let values = matches.try_get_raw(argument.get_id().as_str()).ok().flatten();
        if values.into_iter().flatten().any(|value| is_known(&value.to_string_lossy())) {
            let name = argument.get_env().unwrap_or_default().display();
            return Err(Error::raw(
                ErrorKind::ValueValidation,
                format!(
                    "{name} has a password that everybody knows: choose another, or for \
                     development set KARCIS_ENVIRONMENT=development"
                ),
            ));
        }
    }
    Ok(())
}

/// Whether this is such a password, or a URL with one or with the user's name as password.
fn is_known(secret: &str) -> bool {
    let login = secret.split_once("://").and_then(|(_, rest)| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        Some(authority.rsplit_once('@')?.0.split_once(':').unwrap_or_default())
    });
    match login {
        Some((user, password)) => {
            !password.is_empty() && (password == user || KNOWN.contains(&password))
        }
        None => KNOWN.contains(&secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_passwords_are_found_alone_and_in_urls() {
        for known in [
            "change-me",
            "karcis_user",
            "postgres://karcis_user:karcis_user@db/shop",
            "postgres://postgres:postgres@127.0.0.1:5432/postgres?sslmode=require",
            "smtp://mail:change-me@host",
        ] {
            assert!(is_known(known), "{known}");
        }
        for own in
            ["", "nine mangoes", "postgres://db/shop", "postgres://a@db/x", "smtp://mail:1025"]
        {
            assert!(!is_known(own), "{own}");
        }
        assert!(!is_known("postgres://karcis_user:q8f@db/change-me"));
    }
}
