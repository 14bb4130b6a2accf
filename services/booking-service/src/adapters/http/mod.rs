//! The HTTP side: requests come in, bookings go out as JSON and as streams.

mod attendees;
mod bookings;
mod buyer;
mod calendar;
mod ops;
mod problems;
mod responses;
mod tickets;

use std::{sync::Arc, time::Duration};

use karcis_http::{Live, RateLimit};
use karcis_kernel::{BookingId, UserId};
use karcis_messaging::Outbox;
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    application::{BookingNames, BookingQueries, Bookings, SagaQueries},
    domain::ResendSchedule,
};

const BOOKINGS: &str = "Bookings";
const ATTENDEES: &str = "Attendees";
/// How many bookings are created at once: eight full groups of a commit. More buyers than that would wait for
/// seconds. They are half of the connections that a process takes, so that the rest are heard, as who cancels.
pub(crate) const CREATES_AT_ONCE: usize = 2_048;

#[derive(OpenApi)]
#[openapi(
    // Fields with a schema of their own name these without a type.
    components(schemas(
        responses::RefundResponse,
        bookings::CreateBookingItem,
        attendees::FullName,
    )),
    tags(
        (name = BOOKINGS, description = "A buyer's bookings"),
        (name = ATTENDEES, description = "Who comes to an event, for its organiser and its doors"),
    )
)]
struct Document;

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) bookings: Arc<dyn Bookings>,
    pub(crate) names: Arc<dyn BookingNames>,
    pub(crate) queries: Arc<dyn BookingQueries>,
    pub(crate) sagas: Arc<dyn SagaQueries>,
    /// The bookings that clients watch.
    pub(crate) live: Live,
    /// No booking is created while it is behind.
    pub(crate) outbox: Outbox,
    /// The time between a booking's creation and its deadline for paying.
    pub(crate) payment_window: Duration,
    pub(crate) resends: ResendSchedule,
    /// How many bookings an account may create.
    pub(crate) creates: RateLimit<UserId>,
    /// How often the tickets of a booking are sent again.
    pub(crate) ticket_mails: RateLimit<BookingId>,
    /// A permit for each booking that is being created.
    pub(crate) creating: Arc<Semaphore>,
    /// Whether only those may who have shown to read their e-mail address.
    pub(crate) require_verified_email: bool,
}

/// The service's routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(bookings::create))
        .routes(routes!(bookings::cancel))
        .routes(routes!(bookings::list))
        .routes(routes!(attendees::list))
        .routes(routes!(bookings::show))
        .routes(routes!(bookings::timeline))
        .routes(routes!(tickets::resend))
        .routes(routes!(calendar::show))
        .merge(ops::routes())
}
