//! How a binary begins and ends: its settings, and its error messages for the user.

use std::{error::Error, ffi::OsString, future::Future, process::ExitCode};

use clap::{
    Command, Parser,
    error::{ContextKind, ContextValue},
};

use crate::{chain, secrets};

/// The settings that have no flag.
const ENVIRONMENT: &str = "\
From the environment alone:
  RUST_LOG      what is logged, such as info or warn,karcis_messaging=debug [default: info]
  LOG_FORMAT    json for one object a line
  X_FILE        a file to read in place of a variable X above, such as DATABASE_URL_FILE
  OTEL_*        where traces go, such as OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318";

/// The settings from these arguments (the program's name first) and the environment. If one is wrong or
/// missing, or a password that everybody knows, prints it with the variable that sets it, and ends the
/// process with exit code 2.
pub fn settings<C: Parser>(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> C {
    let mut command = C::command().after_help(ENVIRONMENT);
    // Builds the subcommands too, whose flags are read below.
    command.build();
    let arguments = arguments.into_iter().map(Into::into).collect();
    let arguments = secrets::with_files(&command, arguments);
    let matches = arguments.and_then(|them| command.try_get_matches_from_mut(them));
    let parsed = matches.and_then(|matches| {
        secrets::refuse_known(&command, &matches)?;
        C::from_arg_matches(&matches)
    });
    parsed.unwrap_or_else(|error| with_variables(error.format(&mut command), &command).exit())
}

/// Runs a binary to its end. An error is printed on stderr with its causes, and the exit code is 1.
pub async fn exit_code(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    match work.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Adds to an error the variables of the flags that it is about.
fn with_variables(mut error: clap::Error, command: &Command) -> clap::Error {
    let flags = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => vec![flag.clone()],
        Some(ContextValue::Strings(flags)) => flags.clone(),
        _ => return error,
    };
    let variables = variables(command, &flags);
    if !variables.is_empty() {
        let tip = format!("the environment sets it with {}", variables.join(", "));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

fn variables(command: &Command, flags: &[String]) -> Vec<String> {
    let own = command.get_arguments().filter(|argument| flags.contains(&argument.to_string()));
    let own = own.filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned()));
    let below = command.get_subcommands().flat_map(|command| variables(command, flags));
    let mut all: Vec<_> = own.chain(below).collect();
    all.dedup();
    all
}
