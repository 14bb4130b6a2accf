//! The HTTP side: requests come in, bookings go out as JSON, as streams and as QR codes.

mod answer;
mod bookings;
mod create;
mod tickets;

use std::{sync::Arc, time::Duration};

use karcis_http::{Live, Problem};
use karcis_messaging::Outbox;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::application::{BookingQueries, Bookings, CancelBookingError, CreateBookingError};
use crate::domain::Refusal;

const BOOKINGS: &str = "Bookings";
const TICKETS: &str = "Tickets";

#[derive(OpenApi)]
#[openapi(
    // One route in the router, which cannot tell them apart.
    paths(tickets::picture),
    components(schemas(answer::RefundAnswer)),
    tags(
        (name = BOOKINGS, description = "A buyer's bookings"),
        (name = TICKETS, description = "Tickets, for whoever knows their codes"),
    )
)]
struct Described;

/// What the handlers work with.
#[derive(Clone)]
pub struct Desk {
    /// To change bookings.
    pub bookings: Arc<dyn Bookings>,
    /// To show them.
    pub queries: Arc<dyn BookingQueries>,
    /// What clients watch.
    pub live: Live,
    /// Whether new bookings can be taken on.
    pub outbox: Outbox,
    /// How long a buyer has to pay.
    pub payment_window: Duration,
}

/// The service's routes.
pub fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(create::create))
        .routes(routes!(bookings::cancel))
        .routes(routes!(bookings::list))
        .routes(routes!(bookings::show))
        .routes(routes!(bookings::timeline))
        .routes(routes!(tickets::show))
}

fn create_problem(error: CreateBookingError) -> Problem {
    match error {
        CreateBookingError::KeyReused => karcis_http::IdempotencyKey::reused(),
        CreateBookingError::Store(error) => error.into(),
    }
}

fn cancel_problem(error: CancelBookingError) -> Problem {
    match error {
        CancelBookingError::NotFound => Problem::not_found(),
        CancelBookingError::Refused(Refusal::RefundWindowClosed) => {
            Problem::conflict("refund-window-closed", "The time for cancelling is over")
                .detail("the booking stands; its refundable_until has passed")
        }
        CancelBookingError::Refused(Refusal::Rejected) => {
            Problem::conflict("booking-rejected", "The booking was rejected")
                .detail("there is nothing to cancel: no seat was held and nothing was charged")
        }
        CancelBookingError::Store(error) => error.into(),
    }
}
