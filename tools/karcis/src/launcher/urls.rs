//! Where each service and the web app serve.

use std::collections::BTreeMap;

use karcis_schemas::Service;

use super::ports::ChosenPorts;

/// Addresses: of the services by their short names, and the web app's.
#[derive(Clone)]
pub(super) struct Urls {
    pub services: BTreeMap<&'static str, String>,
    pub web: String,
}

impl Urls {
    pub(crate) fn of_ports(ports: &ChosenPorts) -> Self {
        let url = |port| format!("http://127.0.0.1:{port}");
        let services = ports.services.0.iter().map(|(service, port)| (service.name, url(port)));
        Self { services: services.collect(), web: url(&ports.web) }
    }

    /// Where this service serves.
    pub(crate) fn of(&self, service: &Service) -> &str {
        &self.services[service.name]
    }
}
