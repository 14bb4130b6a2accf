//! Where the services are, and as whom to call them: flags, the environment, or `stack.json`.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use karcis_dev_servers::paths;
use karcis_schemas::{SERVICES, Service};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde::Deserialize;

use super::OpsError;

/// Where to call, and as whom.
#[derive(clap::Args)]
pub(super) struct Login {
    /// An access token of an operator or admin
    #[arg(long, env = "KARCIS_TOKEN", hide_env_values = true, value_name = "TOKEN", global = true)]
    token: Option<String>,
    /// The e-mail address of one, in place of a token; the password is asked for
    #[arg(long, env = "KARCIS_OPS_EMAIL", value_name = "EMAIL", global = true)]
    email: Option<String>,
    /// The password: better given as KARCIS_OPS_PASSWORD, as other users see a program's flags
    #[arg(
        long,
        env = "KARCIS_OPS_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        global = true
    )]
    password: Option<String>,
    /// What a running `karcis` has written: the services' addresses and the first admin, unless other
    /// flags name them [default: stack.json among its data, if it is there]
    #[arg(long, env = "KARCIS_STATE_FILE", value_name = "PATH", global = true)]
    state_file: Option<PathBuf>,
    /// Where a running `karcis` has its data [default: target/karcis of its build]
    #[arg(long, env = "KARCIS_DATA", value_name = "PATH", global = true)]
    data: Option<PathBuf>,
    #[command(flatten)]
    urls: ServiceUrls,
}

/// Whom to call as.
pub(super) enum Who {
    Token(String),
    Password { email: String, password: String },
}

/// What of `stack.json` is needed.
#[derive(Default, Deserialize)]
struct Stack {
    #[serde(default)]
    services: BTreeMap<String, String>,
    admin: Option<Admin>,
}

#[derive(Deserialize)]
struct Admin {
    email: String,
    password: String,
}

impl Login {
    /// The services' addresses and whom to call as.
    pub(super) fn read(self) -> Result<(BTreeMap<&'static str, String>, Who), OpsError> {
        let stack = self.stack()?;
        let mut urls = BTreeMap::new();
        for (service, given) in self.urls.0 {
            let usual = || format!("http://127.0.0.1:{}", service.port);
            let url = given.or_else(|| stack.services.get(service.name).cloned());
            let url = url.unwrap_or_else(usual);
            urls.insert(service.name, url.trim_end_matches('/').to_owned());
        }
        let who = match (self.token, self.email, stack.admin) {
            (Some(token), ..) => Who::Token(token.trim().to_owned()),
            (None, Some(email), _) => {
                let password = self.password.map_or_else(ask, Ok)?;
                Who::Password { email, password }
            }
            (None, None, Some(Admin { email, password })) => Who::Password { email, password },
            (None, None, None) => return Err(OpsError::Nobody),
        };
        Ok((urls, who))
    }

    fn stack(&self) -> Result<Stack, OpsError> {
        // Never in the folder where this is run: who can write there could have the password sent to them.
        let usual = || self.data.clone().unwrap_or_else(paths::home).join("stack.json");
        let path = self.state_file.clone().unwrap_or_else(usual);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Nobody said that it is there.
            Err(_) if self.state_file.is_none() => return Ok(Stack::default()),
            Err(error) => return Err(OpsError::StateFile { path, why: error.to_string() }),
        };
        serde_json::from_str(&text)
            .map_err(|error| OpsError::StateFile { path, why: error.to_string() })
    }
}

/// Reads the password from the terminal, without showing it, or from whatever is the input.
fn ask() -> Result<String, OpsError> {
    let input = io::stdin();
    let usual = tcgetattr(&input).ok();
    if let Some(usual) = &usual {
        eprint!("password: ");
        let mut hidden = usual.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        let _ = tcsetattr(&input, SetArg::TCSANOW, &hidden);
    }
    let mut line = String::new();
    let read = input.read_line(&mut line);
    if let Some(usual) = &usual {
        let _ = tcsetattr(&input, SetArg::TCSANOW, usual);
        eprintln!();
    }
    match read {
        Ok(bytes) if bytes > 0 => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        _ => Err(OpsError::Nobody),
    }
}

/// `--user-url` and its like: a flag for each service of the registry.
struct ServiceUrls(Vec<(&'static Service, Option<String>)>);

impl Args for ServiceUrls {
    fn augment_args(command: Command) -> Command {
        command.args(SERVICES.iter().map(|service| {
            let flag = format!("{}-url", service.name);
            Arg::new(flag.clone())
                .long(flag)
                .env(format!("KARCIS_{}_URL", service.name.to_uppercase()))
                .value_name("URL")
                .global(true)
                .help(format!(
                    "{}'s address [default: as the state file says, or http://127.0.0.1:{}]",
                    service.full_name(),
                    service.port
                ))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServiceUrls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let url =
            |service: &'static Service| matches.get_one(&format!("{}-url", service.name)).cloned();
        Ok(Self(SERVICES.into_iter().map(|service| (service, url(service))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
