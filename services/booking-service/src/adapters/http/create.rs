//! Booking tickets.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use karcis_http::{
    Caller, FieldErrors, IdempotencyKey, Json, PreferWait, Price, Problem, REPLAYED,
};
use karcis_kernel::{BookingId, EventId, Money, TicketTypeId};
use karcis_process::{now, trace};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{BOOKINGS, Desk, answer::BookingAnswer, create_problem};
use crate::{
    application::{Created, RequestKey, create_booking},
    domain::{Booking, Item, Items, Order, WrongItems},
};

const PATH: &str = "/booking/create";
const MAX_AMOUNT: i64 = 1_000_000_000_000;

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBooking {
    event_id: EventId,
    /// Each ticket type once; all or none are booked.
    #[schema(min_items = 1, max_items = 20)]
    items: Vec<WantedItem>,
    /// Rejects the booking if it would cost anything else.
    #[schema(value_type = Option<Price>)]
    expected_total: Option<Money>,
}

/// Seats of one ticket type.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedItem {
    ticket_type_id: TicketTypeId,
    /// Above the type's `max_per_booking` the booking is rejected.
    #[schema(minimum = 1, maximum = 1_000, examples(1))]
    quantity: u32,
}

/// Books tickets of an event.
///
/// The answer comes before it is known whether there are any: look at the booking's `status`.
#[utoipa::path(post, path = "/booking/create", tag = BOOKINGS, operation_id = "createBooking",
    params(IdempotencyKey, PreferWait), request_body = CreateBooking, security(("bearer" = [])),
    responses((status = 202, description = "The booking.", body = BookingAnswer,
        headers(("Location" = String, description = "The booking's path.")),
        links(
            ("booking" = (operation_id = "booking",
                parameters(("booking_id" = "$response.body#/booking_id")))),
            ("timeline" = (operation_id = "timeline",
                parameters(("booking_id" = "$response.body#/booking_id")))),
            ("cancel" = (operation_id = "cancelBooking",
                request_body = json!({"booking_id": "$response.body#/booking_id"}))),
        ))))]
pub(super) async fn create(
    State(desk): State<Desk>,
    caller: Caller,
    key: Result<IdempotencyKey, Problem>,
    PreferWait(wait): PreferWait,
    Json(request): Json<CreateBooking>,
) -> Result<Response, Problem> {
    let IdempotencyKey(key) = key?;
    let key = key.map(|key| RequestKey {
        user_id: caller.user_id,
        key,
        fingerprint: IdempotencyKey::fingerprint(PATH, &request),
    });
    let order = order(&desk, caller, request)?;
    if desk.outbox.state().is_behind() {
        return Err(Problem::unavailable("the outbox is behind: no new bookings are taken on"));
    }
    let creating = create_booking(&*desk.bookings, order, key);
    let created = trace::span("create_booking", creating).await.map_err(create_problem)?;
    let Created { mut booking, is_repeated } = created;
    trace::about(booking.order.id.0);
    if let Some(wait) = wait {
        booking = settled(&desk, booking, wait).await?;
    }
    let location = format!("/bookings/{}", booking.order.id);
    let answer =
        (StatusCode::ACCEPTED, [(LOCATION, location)], Json(BookingAnswer::new(&booking, now())));
    let mut response = answer.into_response();
    if is_repeated {
        let name = HeaderName::from_static(REPLAYED);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn order(desk: &Desk, caller: Caller, request: CreateBooking) -> Result<Order, Problem> {
    let mut fields = FieldErrors::new();
    if request.expected_total.is_some_and(|total| !(0..=MAX_AMOUNT).contains(&total.amount)) {
        fields.add("expected_total.amount", "give an amount from 0 to 1000000000000");
    }
    let items = request
        .items
        .into_iter()
        .map(|item| Item { ticket_type_id: item.ticket_type_id, quantity: item.quantity });
    let items = Items::new(items.collect());
    for wrong in items.as_ref().err().into_iter().flatten() {
        let field = match wrong {
            WrongItems::Count => "items".to_owned(),
            WrongItems::Quantity(index) => format!("items[{index}].quantity"),
            WrongItems::Repeated(index) => format!("items[{index}].ticket_type_id"),
        };
        fields.add(field, wrong.to_string());
    }
    fields.finish()?;
    let created_at = now();
    Ok(Order {
        id: BookingId(Uuid::now_v7()),
        buyer: caller.user_id,
        event_id: request.event_id,
        items: items.map_err(|_| Problem::invalid(vec![]))?,
        expected_total: request.expected_total,
        created_at,
        pay_by: created_at + desk.payment_window,
    })
}

/// The booking once it is the buyer's turn or all is done, or as it is after `wait`.
async fn settled(desk: &Desk, mut booking: Booking, wait: Duration) -> Result<Booking, Problem> {
    let until = Instant::now() + wait;
    let id = booking.order.id;
    let mut changes = desk.live.watch(id.0);
    while !booking.status().is_settled() {
        let known = booking.version;
        let moved = changes.wait_for(|version| *version > known);
        match timeout_at(until, moved).await {
            Ok(Ok(_)) => {}
            // Out of time, or the instance stops.
            _ => break,
        }
        let found = desk.queries.find(id).await?;
        booking = found.ok_or_else(Problem::not_found)?;
    }
    Ok(booking)
}
