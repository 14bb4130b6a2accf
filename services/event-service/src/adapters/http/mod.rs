//! What organisers, buyers and their programs see of events.

mod create;
mod fields;
mod problems;
mod read;
mod recent;
mod shop_window;
mod shown;
mod stages;
mod update;

use std::sync::Arc;

pub use shop_window::ShopWindow;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::application::ports::Events;

const SHOP: &str = "Shop window";
const ORGANISERS: &str = "Organisers";

#[derive(OpenApi)]
#[openapi(tags(
    (name = SHOP, description = "What everybody sees"),
    (name = ORGANISERS, description = "Making, changing and calling off one's own events"),
))]
struct Tags;

/// What the handlers work with.
#[derive(Clone)]
pub struct Desk {
    /// Where events are edited.
    pub events: Arc<dyn Events>,
    /// Where they are looked at.
    pub window: Arc<ShopWindow>,
}

/// The service's routes.
pub fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::with_openapi(Tags::openapi())
        .routes(routes!(create::create))
        .routes(routes!(update::update))
        .routes(routes!(stages::delete_named, stages::delete))
        .routes(routes!(stages::publish))
        .routes(routes!(stages::unpublish))
        .routes(routes!(stages::cancel))
        .routes(routes!(read::list))
        .routes(routes!(read::find))
}
