//! Every service, linked into one program: for the launcher, the fleet and the documents' tests.

use clap::CommandFactory;
use futures_util::future::BoxFuture;
use karcis_booking_service as booking;
use karcis_event_service as event;
use karcis_payment_service as payment;
use karcis_process::{Process, settings};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service, USER};
use karcis_service::StartError;
use karcis_user_service as user;
use serde_json::Value;
use tokio::net::TcpListener;

/// How a service ended.
pub type Outcome = Result<(), StartError>;

/// A service that this program can run.
pub struct Linked {
    pub service: &'static Service,
    /// What it serves, as OpenAPI 3.1.
    pub openapi: fn() -> Value,
    /// Its flags with the variables that set them.
    pub command: fn() -> clap::Command,
    /// Serves until the process is asked to stop, with the settings that these flags and the
    /// environment give; on the listener, or where the settings say. A wrong setting ends this
    /// program with exit code 2.
    pub run: fn(Vec<String>, Option<TcpListener>, Process) -> BoxFuture<'static, Outcome>,
}

macro_rules! linked {
    ($service:expr, $library:ident) => {
        Linked {
            service: &$service,
            openapi: $library::openapi,
            command: $library::Config::command,
            run: |flags, listener, process| {
                let arguments = [$service.full_name().to_owned()].into_iter().chain(flags);
                let config: $library::Config = settings(arguments);
                Box::pin(async move {
                    let listener = match listener {
                        Some(listener) => listener,
                        None => config.service.bind().await?,
                    };
                    $library::run(config, listener, process).await
                })
            },
        }
    };
}

/// All services, in the registry's order.
pub static ALL: [Linked; 4] = [
    linked!(USER, user),
    linked!(EVENT, event),
    linked!(BOOKING, booking),
    linked!(PAYMENT, payment),
];

impl Linked {
    /// Whether it has this setting, named by its flag such as `--jwks-url`.
    pub fn takes(&self, flag: &str) -> bool {
        (self.command)().get_arguments().any(|argument| {
            argument.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long))
        })
    }
}

/// The service of this short name, such as `booking`.
pub fn find(name: &str) -> Option<&'static Linked> {
    ALL.iter().find(|linked| linked.service.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_of_the_registry_is_linked() {
        let linked = ALL.iter().map(|linked| linked.service.name);
        let registered = karcis_schemas::SERVICES.iter().map(|service| service.name);
        assert_eq!(linked.collect::<Vec<_>>(), registered.collect::<Vec<_>>());
    }
}
