//! A database and topics of a test's own, on servers that the test process shares.

use karcis_local_stack::schemas::Schema;
use sqlx::PgPool;

/// A fresh, migrated database and a fresh topic prefix.
pub struct Bed {
    _private: (),
}

impl Bed {
    /// On testcontainers where a Docker engine answers, else on the local stack;
    /// `KARCIS_TEST_STACK=containers|native` forces one.
    pub async fn start() -> Self {
        todo!()
    }

    /// The flags every service takes: `--database-url`, `--kafka-bootstrap-servers`,
    /// `--topic-prefix`, for the owner of this schema.
    pub fn flags(&self, _schema: Schema) -> Vec<String> {
        todo!()
    }

    /// A superuser's pool, to look behind the services.
    pub fn superuser(&self) -> &PgPool {
        todo!()
    }

    /// The broker, with this bed's prefix.
    pub fn kafka(&self) -> &karcis_messaging::Kafka {
        todo!()
    }
}
