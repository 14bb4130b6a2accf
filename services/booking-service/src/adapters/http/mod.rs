//! The HTTP side: requests come in, bookings go out as JSON, as streams and as QR codes.

mod answer;
mod bookings;
mod create;
mod tickets;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use karcis_http::{Live, Problem};
use karcis_messaging::Outbox;

use crate::application::{
    BookingQueries, Bookings, CancelBookingError, CreateBookingError, StoreError,
};
use crate::domain::Refusal;

/// The endpoints as `GET /` lists them.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/booking/create"),
    ("POST", "/booking/cancel"),
    ("GET", "/bookings"),
    ("GET", "/bookings/{booking_id}"),
    ("GET", "/bookings/{booking_id}/timeline"),
    ("GET", "/tickets/{code}"),
    ("GET", "/tickets/{code}.svg"),
];

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
pub fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/booking/create", post(create::create))
        .route("/booking/cancel", post(bookings::cancel))
        .route("/bookings", get(bookings::list))
        .route("/bookings/{booking_id}", get(bookings::show))
        .route("/bookings/{booking_id}/timeline", get(bookings::timeline))
        .route("/tickets/{code}", get(tickets::show))
        .with_state(desk)
}

fn unreachable_store(error: StoreError) -> Problem {
    match error {
        StoreError::Unavailable(why) => Problem::unavailable(why),
        StoreError::Refused(why) => Problem::internal(why),
    }
}

fn create_problem(error: CreateBookingError) -> Problem {
    match error {
        CreateBookingError::KeyReused => karcis_http::IdempotencyKey::reused(),
        CreateBookingError::Store(error) => unreachable_store(error),
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
        CancelBookingError::Store(error) => unreachable_store(error),
    }
}
