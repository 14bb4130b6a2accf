//! What every service serves for operators below `/ops/<service>`: the dead letters, the parked messages,
//! what waits in the outbox, what the reconciler found, and who did what.

mod audit;
mod dead_letters;
mod differences;
mod excerpt;
mod outbox;
mod parked;

use karcis_database::{ByOperator, Pool, Pools};
use karcis_http::{Json, OPERATORS, Operator, Problem, ReasonRequest};
use karcis_messaging::{Acted, DeadLetters, Outbox, ParkedMessages};
use karcis_schemas::{Service, USER};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

#[derive(OpenApi)]
#[openapi(tags((name = OPERATORS, description = "What operators and admins see and do")))]
struct Document;

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct OpsState {
    reads: Pool,
    writes: Pool,
    dead_letters: DeadLetters,
    parked: ParkedMessages,
}

impl OpsState {
    /// The messages that were set aside go back through this outbox.
    pub(crate) fn new(pools: &Pools, outbox: &Outbox) -> Self {
        Self {
            reads: pools.reads.clone(),
            writes: pools.writes.clone(),
            dead_letters: DeadLetters::new(pools.writes.clone(), outbox.clone()),
            parked: ParkedMessages::new(pools.writes.clone(), outbox.clone()),
        }
    }
}

/// The routes for operators of this service.
pub(crate) fn routes(service: &Service) -> OpenApiRouter<OpsState> {
    let own = OpenApiRouter::new()
        .routes(routes!(audit::show))
        .routes(routes!(outbox::list))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::show))
        .routes(routes!(dead_letters::redrive))
        .routes(routes!(dead_letters::discard))
        .routes(routes!(parked::list))
        .routes(routes!(parked::show))
        .routes(routes!(parked::resend))
        .routes(routes!(parked::discard));
    // What user-service has, no other service knows.
    let own = match service.name == USER.name {
        true => own,
        false => own.routes(routes!(differences::list)).routes(routes!(differences::close)),
    };
    let path = format!("/ops/{}", service.name);
    OpenApiRouter::with_openapi(Document::openapi()).nest(&path, own)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// Those of this booking only.
    #[param(nullable = false)]
    booking_id: Option<Uuid>,
    /// How many at most; fewer come where they are long.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// What was done to a message or a difference.
#[derive(Serialize, ToSchema)]
struct ActResponse {
    id: Uuid,
    /// Whether the same was done before: then nothing was changed.
    is_repeated: bool,
}

impl ActResponse {
    fn new(id: Uuid, acted: Acted) -> Result<Json<Self>, Problem> {
        match acted {
            Acted::Now => Ok(Json(Self { id, is_repeated: false })),
            Acted::Before => Ok(Json(Self { id, is_repeated: true })),
            Acted::NotFound => Err(Problem::not_found()),
            Acted::Impossible => {
                let title = "The message cannot be sent again";
                let detail = "it has no type, or no key that its topic's readers understand: \
                              discard it";
                Err(Problem::conflict("not-redrivable", title).detail(detail))
            }
        }
    }
}

fn by(operator: Operator, request: ReasonRequest) -> Result<ByOperator, Problem> {
    Ok(ByOperator { actor: operator.0.user_id, reason: request.parse()? })
}
