//! What every service has once it has started, and the tasks that every service runs.

use std::{convert::Infallible, sync::Arc};

use karcis_database::{DatabaseReadiness, check_migrations, connect, describe_unreadable_rows};
use karcis_http::{About, App, HttpConfig, TokenKeys};
use karcis_messaging::{Consumer, Kafka, KafkaError, Outbox};
use karcis_process::{CancellationToken, Process};
use karcis_schemas::Service;
use sqlx::PgPool;
use tokio::net::TcpListener;
use utoipa_axum::router::OpenApiRouter;

use crate::{ServiceConfig, StartError, ops};

/// A service's connections: its schema, its outbox and its broker.
pub struct Base {
    pub pool: PgPool,
    pub outbox: Outbox,
    service: &'static Service,
    http: HttpConfig,
    kafka: Kafka,
    stopping: CancellationToken,
}

impl Base {
    /// Connects to the database, 10 s at most, whose schema has to be up to date. Does not wait for the
    /// broker.
    pub async fn start<const PORT: u16>(
        service: &'static Service,
        config: ServiceConfig<PORT>,
        process: &Process,
    ) -> Result<Self, StartError> {
        describe_unreadable_rows();
        let kafka = Kafka::connect(&config.kafka)?;
        let pool = connect(&config.database).await?;
        check_migrations(&pool, service.schema.migrations).await?;
        let outbox = Outbox::new(pool.clone(), service.full_name());
        Ok(Self { pool, outbox, service, http: config.http, kafka, stopping: process.stopping() })
    }

    /// Cancelled once the service is to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Serves these routes, those for operators and the system endpoints; ready while the database answers.
    pub fn serve(
        &self,
        listener: TcpListener,
        routes: OpenApiRouter,
        keys: &TokenKeys,
    ) -> impl Future<Output = std::io::Result<()>> + Send + use<> {
        let app = App {
            about: about(self.service),
            routes: routes.merge(ops::routes(self.service).with_state(self.pool.clone())),
            keys: keys.clone(),
            readiness: Arc::new(DatabaseReadiness(self.pool.clone())),
        };
        karcis_http::serve(listener, app, self.http.clone(), self.stopping())
    }

    /// Consumes the service's topics.
    pub fn consume<C: Consumer>(
        &self,
        consumer: C,
    ) -> impl Future<Output = Result<(), KafkaError>> + Send + use<C> {
        let kafka = self.kafka.clone();
        let (name, topics) = (self.service.full_name(), self.service.reads);
        kafka.consume(name, topics, self.pool.clone(), consumer, self.stopping())
    }

    /// Sends what is in the outbox.
    pub fn relay(&self) -> impl Future<Output = Result<(), Infallible>> + Send + use<> {
        self.outbox.clone().relay(self.kafka.clone(), self.stopping())
    }
}

/// What a service serves, as OpenAPI 3.1.
pub fn openapi<S>(service: &'static Service, routes: OpenApiRouter<S>) -> serde_json::Value
where
    S: Clone + Send + Sync + 'static,
{
    let mut declared = routes.into_openapi();
    declared.merge(ops::routes(service).into_openapi());
    karcis_http::openapi(about(service), declared)
}

fn about(service: &'static Service) -> About {
    About { service: service.full_name(), about: service.about, port: service.port }
}
