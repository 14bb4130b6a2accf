//! Where each service serves.

use std::collections::BTreeMap;

use karcis_schemas::Service;

use crate::service_ports::ServicePorts;

/// Addresses by the service's short name.
#[derive(Clone)]
pub(super) struct Urls(pub BTreeMap<&'static str, String>);

impl Urls {
    pub(crate) fn of_ports(ports: &ServicePorts) -> Self {
        let url = |port| format!("http://127.0.0.1:{port}");
        Self(ports.0.iter().map(|(service, port)| (service.name, url(port))).collect())
    }

    /// Where this service serves.
    pub(crate) fn of(&self, service: &Service) -> &str {
        &self.0[service.name]
    }
}
