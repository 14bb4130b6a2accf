//! What organisers, buyers and their programs see of events and tickets.

mod catalogue_cache;
mod create_event;
mod doors;
mod duplicate_event;
mod event_stage;
mod events;
mod fields;
mod ops;
mod problems;
mod responses;
mod sales;
mod single_flight;
mod tickets;
mod update_event;

use std::sync::Arc;

pub(crate) use catalogue_cache::CatalogueCache;
pub(crate) use doors::FILES_AT_ONCE;
use karcis_http::{Caller, ClientIp, Live, RateLimit};
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    application::{Doors, Events, Holds, SalesQueries, TicketLists, Tickets},
    domain::Editor,
};

const CATALOGUE: &str = "Catalogue";
const ORGANISERS: &str = "Organisers";
const TICKETS: &str = "Tickets";

#[derive(OpenApi)]
#[openapi(
    paths(tickets::picture),
    tags(
        (name = CATALOGUE, description = "Events, for everybody"),
        (name = ORGANISERS, description = "Creating, changing and cancelling one's own events"),
        (name = TICKETS, description = "Tickets, for everybody who knows their codes"),
        (name = doors::DOORS, description = "Letting tickets in"),
    ),
)]
struct Document;

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub events: Arc<dyn Events>,
    pub catalogue: Arc<CatalogueCache>,
    pub tickets: Arc<dyn Tickets>,
    pub holds: Arc<dyn Holds>,
    pub doors: Arc<dyn Doors>,
    pub ticket_lists: Arc<dyn TicketLists>,
    pub sales: Arc<dyn SalesQueries>,
    /// The sales that are watched.
    pub live: Live,
    /// Files of attendees that may be written at once.
    pub files: Arc<Semaphore>,
    /// Searches read far more rows than they return.
    pub searches: RateLimit<ClientIp>,
}

/// The service's routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(create_event::create))
        .routes(routes!(update_event::update))
        .routes(routes!(event_stage::delete_by_query, event_stage::delete))
        .routes(routes!(event_stage::publish))
        .routes(routes!(event_stage::unpublish))
        .routes(routes!(event_stage::cancel))
        .routes(routes!(duplicate_event::duplicate))
        .routes(routes!(events::list))
        .routes(routes!(events::show))
        .routes(routes!(tickets::show))
        .routes(routes!(sales::show))
        .merge(doors::routes())
        .merge(ops::routes())
}

impl From<Caller> for Editor {
    fn from(caller: Caller) -> Self {
        Self { user_id: caller.user_id, role: caller.role }
    }
}
