//! On which ports the services and the web app serve.

use std::time::Duration;

use karcis_dev_servers::ports;
use karcis_schemas::SERVICES;

use super::LaunchError;
use crate::{
    options::Options,
    service_ports::{self, ServicePorts},
};

/// The ports of this start.
pub(super) struct ChosenPorts {
    pub services: ServicePorts,
    pub web: u16,
}

impl ChosenPorts {
    /// The configured ports, or free ones; fails, before anything is started, if one is taken.
    pub(crate) async fn choose(options: &Options) -> Result<Self, LaunchError> {
        let [free_web, free @ ..] = ports::free::<{ SERVICES.len() + 1 }>()?;
        if options.ephemeral {
            let services = ServicePorts(SERVICES.into_iter().zip(free).collect());
            return Ok(Self { services, web: free_web });
        }
        let mut services = options.ports.services.0.clone();
        for ((service, port), free) in services.iter_mut().zip(free) {
            let names = service_ports::names(service);
            *port = usable(*port, free, service.full_name(), names).await?;
        }
        let names = ("web-port".to_owned(), "KARCIS_WEB_PORT".to_owned());
        let web = usable(options.ports.web_port, free_web, "the web app", names).await?;
        Ok(Self { services: ServicePorts(services), web })
    }
}

/// This port, or the free one in place of 0. `names` are those of the flag and the variable that set it.
async fn usable(
    port: u16,
    free: u16,
    service: &'static str,
    (flag, variable): (String, String),
) -> Result<u16, LaunchError> {
    match port {
        0 => Ok(free),
        _ if gets_free(port).await => Ok(port),
        _ => Err(LaunchError::PortTaken { port, service, flag, variable }),
    }
}

/// Whether the port is free, or becomes free within a second: the services of a killed predecessor
/// take a moment to end.
async fn gets_free(port: u16) -> bool {
    for _ in 0..20 {
        if ports::is_free(port) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}
