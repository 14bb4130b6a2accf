//! A buyer's bookings: create, cancel, list, show (also live), timeline.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use karcis_database::{KeyUse, RequestKey};
use karcis_http::{
    Caller, CallerName, FieldErrors, IdempotencyKey, IfNoneMatch, Json, List, Page, PathId,
    PreferWait, Price, Problem, Query, REPLAYED, WantsStream, stream,
};
use karcis_kernel::{BookingId, EventId, Money, Role, TicketTypeId};
use karcis_process::{chain, now, trace};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        Object, Ref,
        schema::{Array, ArrayBuilder},
    },
};
use uuid::Uuid;

use super::{
    ApiState, BOOKINGS,
    attendees::{AttendeeRequest, attendees},
    buyer::Buyer,
    responses::{BookingResponse, TimelineEntryResponse, quantity, statuses},
};
use crate::{
    application::{Created, cancel_booking, create_booking},
    domain::{
        Attendees, Booking, DecisionContext, InvalidItems, Item, Items, Names, Order, PersonName,
        Status,
    },
};

const CREATE_PATH: &str = "/booking/create";

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBookingRequest {
    event_id: EventId,
    #[schema(schema_with = items)]
    items: Vec<CreateBookingItem>,
    /// Rejects the booking if it would cost anything else.
    #[schema(value_type = Option<Price>)]
    expected_total: Option<Money>,
    /// Who comes: at most as many of each ticket type as are booked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20000)]
    attendees: Option<Vec<AttendeeRequest>>,
}

/// Seats of one ticket type.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBookingItem {
    ticket_type_id: TicketTypeId,
    #[schema(schema_with = ordered_quantity)]
    quantity: u32,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelBookingRequest {
    booking_id: BookingId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListBookingsQuery {
    /// Those in this status only.
    #[param(schema_with = statuses, required = false)]
    status: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

fn items() -> Array {
    ArrayBuilder::new()
        .items(Ref::from_schema_name("CreateBookingItem"))
        .min_items(Some(1))
        .max_items(Some(Items::MAX))
        .description(Some("Each ticket type once; all or none are booked."))
        .build()
}

fn ordered_quantity() -> Object {
    let description = "Above the type's `max_per_booking` the booking is rejected.";
    let mut schema = quantity();
    schema.description = Some(description.to_owned());
    schema
}

/// Books tickets of an event.
///
/// The answer comes before it is known whether there are any: look at the booking's `status`.
#[utoipa::path(post, path = "/booking/create", tag = BOOKINGS, operation_id = "createBooking",
    params(IdempotencyKey, PreferWait), request_body = CreateBookingRequest, security(("bearer" = [])),
    responses(
        (status = 202, description = "The booking.", body = BookingResponse,
            headers(("Location" = String, description = "The booking's path.")),
            links(
                ("booking" = (operation_id = "booking",
                    parameters(("booking_id" = "$response.body#/booking_id")))),
                ("timeline" = (operation_id = "timeline",
                    parameters(("booking_id" = "$response.body#/booking_id")))),
                ("cancel" = (operation_id = "cancelBooking",
                    request_body = json!({"booking_id": "$response.body#/booking_id"}))),
            )),
        (status = 403, description = "email-not-verified"),
    ))]
pub(super) async fn create(
    State(state): State<ApiState>,
    Buyer(caller): Buyer,
    CallerName(buyer): CallerName,
    key: Result<IdempotencyKey, Problem>,
    PreferWait(wait): PreferWait,
    Json(request): Json<CreateBookingRequest>,
) -> Result<Response, Problem> {
    state.creates.admit(&caller.user_id)?;
    let IdempotencyKey(key) = key?;
    let fingerprint = key.is_some().then(|| IdempotencyKey::fingerprint(CREATE_PATH, &request));
    let (order, attendees) = order(&state, caller, request)?;
    // What another issuer's token says may be no name.
    let buyer = buyer.and_then(|name| PersonName::parse(&name).ok());
    let names = Arc::new(Names { buyer, attendees });
    let key = key.zip(fingerprint).map(|(key, fingerprint)| KeyUse {
        key: RequestKey { user_id: order.buyer, key },
        fingerprint,
        subject: Some(order.id.0),
        used_at: order.created_at,
    });
    if state.outbox.state().is_behind() {
        return Err(Problem::unavailable("the outbox is behind: no bookings are created"));
    }
    let too_many = |_| Problem::unavailable("too many bookings are being created");
    let permit = state.creating.try_acquire().map_err(too_many)?;
    let creating = create_booking(&*state.bookings, state.resends, order, names.clone(), key);
    let Created { mut booking, is_repeated } = trace::span("create_booking", creating).await?;
    drop(permit);
    trace::about(booking.order.id.0);
    if let Some(wait) = wait {
        booking = settled(&state, booking, wait).await?;
    }
    let location = format!("/bookings/{}", booking.order.id);
    // An earlier request may have named others, who may be erased.
    let names = if is_repeated { self::names(&state, &booking).await? } else { names };
    let body = Json(BookingResponse::new(&booking, &names.attendees, now()));
    let mut response = (StatusCode::ACCEPTED, [(LOCATION, location)], body).into_response();
    if is_repeated {
        let name = HeaderName::from_static(REPLAYED);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Cancels a booking and gives its money back; again changes nothing.
#[utoipa::path(post, path = "/booking/cancel", tag = BOOKINGS, operation_id = "cancelBooking",
    request_body = CancelBookingRequest, security(("bearer" = [])),
    responses(
        (status = 202, description = "The booking as it is now.", body = BookingResponse),
        (status = 404, description = "not-found"),
        (status = 409, description = "refund-window-closed booking-rejected"),
    ))]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Json(request): Json<CancelBookingRequest>,
) -> Result<Response, Problem> {
    let CancelBookingRequest { booking_id } = request;
    let context = DecisionContext { at: now(), resends: state.resends };
    trace::about(booking_id.0);
    let cancelling = cancel_booking(&*state.bookings, context, caller.user_id, booking_id);
    let booking = trace::span("cancel_booking", cancelling).await?;
    let names = names(&state, &booking).await?;
    let body = Json(BookingResponse::new(&booking, &names.attendees, context.at));
    Ok((StatusCode::ACCEPTED, body).into_response())
}

/// The caller's bookings, newest first, without their tickets.
#[utoipa::path(get, path = "/bookings", tag = BOOKINGS, operation_id = "bookings",
    params(ListBookingsQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of bookings.", body = List<BookingResponse>)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<ListBookingsQuery>,
) -> Result<Json<List<BookingResponse>>, Problem> {
    let page: Page<BookingId> = Page::new(query.limit, query.cursor.as_deref())?;
    let mut fields = FieldErrors::new();
    let status = query.status.map(|status| status.parse::<Status>());
    let status = status.and_then(|status| fields.check("status", status));
    fields.finish()?;
    let bookings = state.queries.list(caller.user_id, status, page.after, page.limit + 1).await?;
    let at = now();
    let list = List::of(bookings, page.limit, |booking| booking.order.id);
    Ok(Json(list.map(|booking| BookingResponse::listed(&booking, at))))
}

/// A booking of the caller's, as it is or live.
///
/// With `Accept: text/event-stream` the whole booking comes as an event each time it changes, its id
/// the version (some are skipped), until it is rejected or cancelled or the token expires.
/// `Last-Event-ID` leaves out what is known; if nothing more will come, the answer is 204.
#[utoipa::path(get, path = "/bookings/{booking_id}", tag = BOOKINGS, operation_id = "booking",
    params(("booking_id" = BookingId, Path, description = "Which booking."), WantsStream,
        IfNoneMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The booking.", content(
            (BookingResponse = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 204, description = "As a stream: its last state is known."),
    ))]
pub(super) async fn show(
    State(state): State<ApiState>,
    PathId(id): PathId,
    caller: Caller,
    WantsStream(wants_stream): WantsStream,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = BookingId(id);
    let booking = find(&state, id, |booking| booking.order.buyer == caller.user_id).await?;
    let names = names(&state, &booking).await?;
    let Some(seen) = wants_stream else {
        let body = BookingResponse::new(&booking, &names.attendees, now());
        return Ok(known.answer(booking.version, body));
    };
    let watch = state.live.open(id.0, caller.user_id)?;
    let load = move || {
        let (bookings, names) = (state.bookings.clone(), names.clone());
        async move {
            let loaded = bookings.load(&[id]).await.map_err(|error| chain(&error).to_string())?;
            // One that has become unreadable ends the stream.
            Ok(loaded.found.first().map(|booking| {
                let body = BookingResponse::new(booking, &names.attendees, now());
                (booking.version, body, booking.status().is_last())
            }))
        }
    };
    Ok(stream(watch, seen, caller.expires_at, load).await)
}

/// All that happened to a booking; its buyer and operators see it.
#[utoipa::path(get, path = "/bookings/{booking_id}/timeline", tag = BOOKINGS,
    operation_id = "timeline", security(("bearer" = [])),
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    responses((status = 200, description = "All of it, oldest first.",
        body = List<TimelineEntryResponse>)))]
pub(super) async fn timeline(
    State(state): State<ApiState>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<List<TimelineEntryResponse>>, Problem> {
    let id = BookingId(id);
    let is_operator = matches!(caller.role, Role::Operator | Role::Admin);
    find(&state, id, |booking| is_operator || booking.order.buyer == caller.user_id).await?;
    let entries = state.queries.timeline(id).await?;
    let items = entries.into_iter().map(TimelineEntryResponse::from).collect();
    Ok(Json(List { items, next_cursor: None }))
}

fn order(
    state: &ApiState,
    caller: Caller,
    request: CreateBookingRequest,
) -> Result<(Order, Attendees), Problem> {
    let mut fields = FieldErrors::new();
    let amounts = 0..=Order::MAX_EXPECTED_AMOUNT;
    if request.expected_total.is_some_and(|total| !amounts.contains(&total.amount)) {
        let message = format!("give an amount from 0 to {}", amounts.end());
        fields.add("expected_total.amount", message);
    }
    let items = request
        .items
        .into_iter()
        .map(|item| Item { ticket_type_id: item.ticket_type_id, quantity: item.quantity });
    let items = Items::new(items.collect());
    for wrong in items.as_ref().err().into_iter().flatten() {
        let field = match wrong {
            InvalidItems::Count => "items".to_owned(),
            InvalidItems::Quantity(index) => format!("items[{index}].quantity"),
            InvalidItems::Repeated(index) => format!("items[{index}].ticket_type_id"),
        };
        fields.add(field, wrong.to_string());
    }
    let given = request.attendees.unwrap_or_default();
    let attendees = match &items {
        Ok(items) => attendees(&given, items, &mut fields),
        Err(_) => Attendees::default(),
    };
    fields.finish()?;
    let created_at = now();
    let order = Order {
        id: BookingId(Uuid::now_v7()),
        buyer: caller.user_id,
        event_id: request.event_id,
        items: items.map_err(|_| Problem::invalid(vec![]))?,
        expected_total: request.expected_total,
        created_at,
        pay_by: created_at + state.payment_window,
    };
    Ok((order, attendees))
}

/// The booking once it waits for the buyer or has ended, or as it is after `wait`.
async fn settled(
    state: &ApiState,
    mut booking: Booking,
    wait: Duration,
) -> Result<Booking, Problem> {
    let until = Instant::now() + wait;
    let id = booking.order.id;
    let mut changes = state.live.watch(id.0);
    while !booking.status().is_settled() {
        let known = booking.version;
        let changed = changes.wait_for(|version| *version > known);
        match timeout_at(until, changed).await {
            Ok(Ok(_)) => {}
            // Out of time, or the instance stops.
            _ => break,
        }
        booking = load(state, id).await?.ok_or_else(Problem::not_found)?;
    }
    Ok(booking)
}

/// The booking, if this caller may see it; otherwise 404, as if there were none.
pub(super) async fn find(
    state: &ApiState,
    id: BookingId,
    may_see: impl FnOnce(&Booking) -> bool,
) -> Result<Booking, Problem> {
    trace::about(id.0);
    load(state, id).await?.filter(may_see).ok_or_else(Problem::not_found)
}

/// What the booking's people are called.
async fn names(state: &ApiState, booking: &Booking) -> Result<Arc<Names>, Problem> {
    Ok(Arc::new(state.names.names(booking.order.event_id, booking.order.id).await?))
}

async fn load(state: &ApiState, id: BookingId) -> Result<Option<Booking>, Problem> {
    Ok(state.bookings.load(&[id]).await?.one()?)
}
