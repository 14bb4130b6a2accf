//! `--user-port` and its like: a flag for each service of the registry.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use karcis_schemas::{SERVICES, Service};

/// The services with the ports that the command line gives them; 0 takes a free one.
pub(crate) struct ServicePorts(pub Vec<(&'static Service, u16)>);

/// The flag, such as `user-port`, and its environment variable, such as `KARCIS_USER_PORT`.
pub(crate) fn names(service: &Service) -> (String, String) {
    let flag = format!("{}-port", service.name);
    (flag, format!("KARCIS_{}_PORT", service.name.to_uppercase()))
}

impl Args for ServicePorts {
    fn augment_args(command: Command) -> Command {
        command.args(SERVICES.iter().map(|service| {
            let (flag, variable) = names(service);
            Arg::new(flag.clone())
                .long(flag)
                .env(variable)
                .default_value(service.port.to_string())
                .value_parser(clap::value_parser!(u16))
                .value_name("PORT")
                .help(format!("{}'s port; 0 takes a free one", service.full_name()))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServicePorts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let port = |service| {
            let (flag, _) = names(service);
            (service, matches.get_one(&flag).copied().unwrap_or(service.port))
        };
        Ok(Self(SERVICES.into_iter().map(port).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
