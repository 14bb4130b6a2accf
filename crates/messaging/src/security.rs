//! How a client proves to a broker who it is, and the broker to the client.

use rdkafka::ClientConfig;

/// Who this client is to the broker. By default it does not say, and nothing is encrypted.
#[derive(Clone, Default, clap::Args)]
pub struct KafkaSecurity {
    /// How to talk to the brokers: plaintext, ssl, sasl_plaintext or sasl_ssl; ssl and SCRAM need a
    /// build with `--features karcis-messaging/tls`.
    #[arg(long, env = "KAFKA_SECURITY_PROTOCOL", value_name = "PROTOCOL")]
    pub kafka_security_protocol: Option<String>,
    /// How to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    #[arg(long, env = "KAFKA_SASL_MECHANISM", value_name = "MECHANISM")]
    pub kafka_sasl_mechanism: Option<String>,
    /// The user to log in as.
    #[arg(long, env = "KAFKA_SASL_USERNAME", value_name = "NAME")]
    pub kafka_sasl_username: Option<String>,
    /// The user's password.
    #[arg(long, env = "KAFKA_SASL_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_sasl_password: Option<String>,
    /// The authorities that may sign a broker's certificate, a PEM file or a folder; the system's
    /// if there are any.
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", value_name = "PATH")]
    pub kafka_ssl_ca_location: Option<String>,
    /// This client's certificate, a PEM file.
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", value_name = "PATH")]
    pub kafka_ssl_certificate_location: Option<String>,
    /// The certificate's key, a PEM file.
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", value_name = "PATH")]
    pub kafka_ssl_key_location: Option<String>,
    /// The key's password.
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    pub kafka_ssl_key_password: Option<String>,
}

impl std::fmt::Debug for KafkaSecurity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSecurity")
            .field("kafka_security_protocol", &self.kafka_security_protocol)
            .finish_non_exhaustive()
    }
}

impl KafkaSecurity {
    /// Logs in with SASL PLAIN, without encryption: for a broker on the same machine.
    pub fn plain(username: &str, password: &str) -> Self {
        Self {
            kafka_security_protocol: Some("sasl_plaintext".to_owned()),
            kafka_sasl_mechanism: Some("PLAIN".to_owned()),
            kafka_sasl_username: Some(username.to_owned()),
            kafka_sasl_password: Some(password.to_owned()),
            ..Self::default()
        }
    }

    /// The variables that give another program these settings, with their values.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let variables = [
            ("KAFKA_SECURITY_PROTOCOL", &self.kafka_security_protocol),
            ("KAFKA_SASL_MECHANISM", &self.kafka_sasl_mechanism),
            ("KAFKA_SASL_USERNAME", &self.kafka_sasl_username),
            ("KAFKA_SASL_PASSWORD", &self.kafka_sasl_password),
            ("KAFKA_SSL_CA_LOCATION", &self.kafka_ssl_ca_location),
            ("KAFKA_SSL_CERTIFICATE_LOCATION", &self.kafka_ssl_certificate_location),
            ("KAFKA_SSL_KEY_LOCATION", &self.kafka_ssl_key_location),
            ("KAFKA_SSL_KEY_PASSWORD", &self.kafka_ssl_key_password),
        ];
        variables.map(|(variable, value)| Some((variable, value.clone()?))).into_iter().flatten()
    }

    /// Sets what is given; in a compose file or a manifest, what is not is often empty.
    pub fn apply(&self, settings: &mut ClientConfig) {
        for (name, value) in [
            ("security.protocol", &self.kafka_security_protocol),
            ("sasl.mechanism", &self.kafka_sasl_mechanism),
            ("sasl.username", &self.kafka_sasl_username),
            ("sasl.password", &self.kafka_sasl_password),
            ("ssl.ca.location", &self.kafka_ssl_ca_location),
            ("ssl.certificate.location", &self.kafka_ssl_certificate_location),
            ("ssl.key.location", &self.kafka_ssl_key_location),
            ("ssl.key.password", &self.kafka_ssl_key_password),
        ] {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                settings.set(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_reaches_the_client_and_nothing_secret_the_log() {
        let security = KafkaSecurity {
            kafka_security_protocol: Some("sasl_ssl".to_owned()),
            kafka_sasl_username: Some(String::new()),
            kafka_sasl_password: Some("swordfish".to_owned()),
            ..KafkaSecurity::default()
        };
        let mut settings = ClientConfig::new();
        security.apply(&mut settings);
        assert_eq!(settings.config_map().len(), 2, "what is empty is not set");
        assert_eq!(settings.get("sasl.password"), Some("swordfish"));
        let shown = format!("{security:?} {settings:?}");
        assert!(shown.contains("sasl_ssl") && !shown.contains("swordfish"), "{shown}");
    }
}
