//! Where the services are: `--user-url` and its like, a flag for each service of the registry.

use axum::http::{Uri, uri::Authority};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use karcis_schemas::{SERVICES, Service};

/// Each service's address.
#[derive(Clone, Debug)]
pub struct Upstreams(Vec<(&'static str, Authority)>);

impl Upstreams {
    /// Where this service serves; `None` of one that is not of the registry.
    pub(crate) fn of(&self, service: &Service) -> Option<&Authority> {
        let found = self.0.iter().find(|(name, _)| *name == service.name);
        found.map(|(_, authority)| authority)
    }
}

fn flag(service: &Service) -> String {
    format!("{}-url", service.name)
}

impl Args for Upstreams {
    fn augment_args(command: Command) -> Command {
        command.args(SERVICES.iter().map(|service| {
            Arg::new(flag(service))
                .long(flag(service))
                .env(format!("KARCIS_{}_URL", service.name.to_uppercase()))
                .default_value(format!("http://127.0.0.1:{}", service.port))
                .value_parser(authority)
                .value_name("URL")
                .help(format!("Where {} serves, in the same network", service.full_name()))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Upstreams {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let of = |service: &'static Service| {
            let url = matches.get_one::<Authority>(&flag(service));
            url.map(|url| (service.name, url.clone()))
        };
        Ok(Self(SERVICES.into_iter().filter_map(of).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The host and port of an `http://` URL without a path.
fn authority(text: &str) -> Result<Authority, &'static str> {
    let uri = text.parse::<Uri>().ok();
    let parts = uri.map(Uri::into_parts).filter(|parts| {
        let path = parts.path_and_query.as_ref().map_or("/", |path| path.as_str());
        parts.scheme.as_ref().is_some_and(|scheme| scheme.as_str() == "http") && path == "/"
    });
    parts.and_then(|parts| parts.authority).ok_or("give http://host:port")
}
