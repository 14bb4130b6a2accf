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

use axum::{
    Router,
    routing::{delete, get, post, put},
};

pub use shop_window::ShopWindow;

use crate::application::ports::Events;

/// The endpoints, as `GET /` lists them.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/event/create"),
    ("PUT", "/event/update"),
    ("DELETE", "/event/delete"),
    ("POST", "/event/publish"),
    ("POST", "/event/unpublish"),
    ("POST", "/event/cancel"),
    ("GET", "/events"),
    ("GET", "/events/{event_id}"),
];

/// What the handlers work with.
#[derive(Clone)]
pub struct Desk {
    /// Where events are edited.
    pub events: Arc<dyn Events>,
    /// Where they are looked at.
    pub window: Arc<ShopWindow>,
}

/// The routes of [`ENDPOINTS`].
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/event/create", post(create::create))
        .route("/event/update", put(update::update).post(update::update).patch(update::update))
        .route("/event/delete", delete(stages::delete_named).post(stages::delete))
        .route("/event/publish", post(stages::publish))
        .route("/event/unpublish", post(stages::unpublish))
        .route("/event/cancel", post(stages::cancel))
        .route("/events", get(read::list))
        .route("/events/{event_id}", get(read::find))
        .with_state(desk)
}
