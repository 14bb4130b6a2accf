//! What every service has once it has started, and the tasks that every service runs.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_trait::async_trait;
use karcis_database::{
    Clock, DatabaseReadiness, Pools, Reconcile, check_migrations, connect, describe_full_disk,
    describe_unreadable_rows, once_more, watch,
};
use karcis_http::{About, App, HttpConfig, TokenKeys};
use karcis_messaging::{Consumer, Kafka, KafkaError, Outbox};
use karcis_process::{CancellationToken, Process, Progress, Readiness};
use karcis_schemas::Service;
use tokio::net::TcpListener;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    ReconcileConfig, ServiceConfig, StartError,
    ops::{self, OpsState},
    reconcile::reconcile,
};

/// A service's connections: to its schema, its outbox and its broker.
pub struct Base {
    pub pools: Pools,
    pub outbox: Outbox,
    progress: Progress,
    clock: Clock,
    service: &'static Service,
    http: HttpConfig,
    kafka: Kafka,
    stopping: CancellationToken,
}

impl Base {
    /// Connects to the database, whose schema has to be up to date: waits 10 s for its answer, then 10 s for a
    /// connection. Does not wait for the broker.
    pub async fn start<const PORT: u16>(
        service: &'static Service,
        config: ServiceConfig<PORT>,
        process: &Process,
    ) -> Result<Self, StartError> {
        describe_unreadable_rows();
        describe_full_disk();
        let kafka = Kafka::connect(&config.kafka)?;
        let pools = connect(&config.database).await?;
        let clock = Clock::default();
        once_more(|| async {
            check_migrations(&pools.saga, service.schema.migrations).await?;
            Ok(clock.read(&pools.saga).await?)
        })
        .await?;
        let progress = Progress::default();
        let kafka = kafka.watched_by(progress.clone());
        let outbox = Outbox::new(pools.saga.clone(), service.full_name());
        let (http, stopping) = (config.http, process.stopping());
        Ok(Self { pools, outbox, progress, clock, service, http, kafka, stopping })
    }

    /// What `task`, which no request waits for, calls at least once within `limit`: else the service is
    /// not ready.
    pub fn alive(&self, task: &'static str, limit: Duration) -> impl Fn() + Send + use<> {
        let progress = self.progress.clone();
        move || progress.goes_on(task, limit)
    }

    /// Cancelled once the service is to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Serves these routes, those for operators and the system endpoints; ready while the database
    /// answers, this machine's clock is right and the service's loops go on.
    pub fn serve(
        &self,
        listener: TcpListener,
        routes: OpenApiRouter,
        keys: &TokenKeys,
    ) -> impl Future<Output = std::io::Result<()>> + Send + use<> {
        let ops = OpsState::new(&self.pools, &self.outbox);
        let app = App {
            about: about(self.service),
            routes: routes.merge(ops::routes(self.service).with_state(ops)),
            keys: keys.clone(),
            readiness: Arc::new(BaseReadiness {
                database: DatabaseReadiness(self.pools.clone()),
                clock: self.clock.clone(),
                progress: self.progress.clone(),
            }),
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
        kafka.consume(name, topics, self.pools.saga.clone(), consumer, self.stopping())
    }

    /// Sends what is in the outbox.
    pub fn relay(&self) -> impl Future<Output = Result<(), Infallible>> + Send + use<> {
        self.outbox.clone().relay(self.kafka.clone(), self.stopping())
    }

    /// Compares what should agree, and records what does not.
    pub fn reconcile<R: Reconcile>(
        &self,
        what: R,
        config: ReconcileConfig,
    ) -> impl Future<Output = Result<(), Infallible>> + Send + use<R> {
        reconcile(Arc::new(what), self.pools.saga.clone(), config, self.stopping())
    }

    /// Watches the database: its clock, which all instances work by, and the connections to it.
    pub fn watch(&self) -> impl Future<Output = Result<(), Infallible>> + Send + use<> {
        watch(self.pools.clone(), self.clock.clone(), self.stopping())
    }
}

/// Ready while each of these is well.
struct BaseReadiness {
    database: DatabaseReadiness,
    clock: Clock,
    progress: Progress,
}

#[async_trait]
impl Readiness for BaseReadiness {
    async fn ready(&self) -> Result<(), String> {
        self.database.ready().await?;
        let stalled = self.progress.overdue();
        let stalled = stalled.first().map(|task| format!("task {task} does not go on"));
        self.clock.complaint().or(stalled).map_or(Ok(()), Err)
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
