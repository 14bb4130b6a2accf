//! What operators see and do of payments: what the provider left open, one's whole story, settle, ask.

mod responses;

use std::time::Duration;

use axum::extract::State;
use karcis_database::{ByOperator, PrivilegedAct};
use karcis_http::{
    FieldErrors, Json, LINE, List, OPERATORS, Operator, Page, PathId, Problem, Query,
    ReasonRequest, ReasonText, one_of, parse_reason, texts,
};
use karcis_kernel::{BookingId, Timestamp, one_line};
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema, openapi::Object};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::responses::{OutcomeCountResponse, PaymentStoryResponse, UnsettledResponse};
use super::ApiState;
use crate::{
    application::{Settling, ask_again, settle_attempt},
    domain::{AttemptId, PaymentRecord, Settlement},
};

/// What operators see and do.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(unknown))
        .routes(routes!(outcomes))
        .routes(routes!(show))
        .routes(routes!(settle))
        .routes(routes!(ask))
}

/// An attempt that has begun just now is not yet unknown.
const OLDER_THAN_S: u32 = 10;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UnknownQuery {
    /// Attempts that began so many seconds ago.
    #[param(minimum = 0, maximum = 1_000_000_000, default = 10, nullable = false)]
    older_than_s: Option<u32>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OutcomesQuery {
    /// Of the attempts that began in the last so many minutes.
    #[param(minimum = 1, maximum = 1440, default = 60, nullable = false)]
    minutes: Option<u16>,
}

/// What the provider says of what it left open, or what was done by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettleRequest {
    /// The attempt, or reversal, that it is about, as the list of what is open names it; a refund has none.
    /// Without it, it is about what is open now.
    attempt_id: Option<Uuid>,
    /// `approved`, `declined`, `voided`: what became of the attempt without an outcome. `refunded`: money that
    /// the provider did not give back went back by hand. `ask_again`: it refused by mistake.
    #[schema(schema_with = settlements)]
    outcome: String,
    /// Where this can be looked up, such as the provider's own id of it. For the audit: nothing personal.
    #[schema(value_type = ReferenceText)]
    reference: String,
    /// As those who read the audit see it.
    #[schema(value_type = ReasonText)]
    reason: String,
}

texts! {
    /// Where it can be looked up; spaces and line breaks around it are removed.
    ReferenceText: 1 to 200, LINE, such as "pi_3MtwBwLkdIwHu7ix28a3tqPa";
}

fn settlements() -> Object {
    one_of(Settlement::ALL.map(Settlement::as_str))
}

/// What the provider left open: attempts without an outcome, and refunds and reversals that it refuses or does
/// not answer. The newest booking first. Attempts that wait for their buyer are not among them.
#[utoipa::path(get, path = "/ops/payment/unknown", tag = OPERATORS, operation_id = "unknownPayments",
    params(UnknownQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "A page of what is open.",
        body = List<UnsettledResponse>)))]
async fn unknown(
    State(api): State<ApiState>,
    _operator: Operator,
    Query(query): Query<UnknownQuery>,
) -> Result<Json<List<UnsettledResponse>>, Problem> {
    let page: Page<(BookingId, Uuid)> = Page::new(query.limit, query.cursor.as_deref())?;
    let older_than_s = query.older_than_s.unwrap_or(OLDER_THAN_S);
    if older_than_s > 1_000_000_000 {
        return Err(Problem::invalid_field("older_than_s", "give at most 1000000000 seconds"));
    }
    let at = now();
    let before: Timestamp = at - Duration::from_secs(older_than_s.into());
    let found = api.unsettled.unsettled(before, page.after, page.limit + 1).await?;
    let list = List::of(found, page.limit, |open| (open.booking_id, open.attempt_id));
    Ok(Json(list.map(|open| UnsettledResponse::new(open, at))))
}

/// What came of the attempts to pay of late, the most frequent outcome first: how many are declined, and why.
#[utoipa::path(get, path = "/ops/payment/outcomes", tag = OPERATORS, operation_id = "outcomes",
    params(OutcomesQuery), security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "All of it in one page: of 100,000 attempts at most.",
        body = List<OutcomeCountResponse>)))]
async fn outcomes(
    State(api): State<ApiState>,
    _operator: Operator,
    Query(query): Query<OutcomesQuery>,
) -> Result<Json<List<OutcomeCountResponse>>, Problem> {
    let minutes = query.minutes.unwrap_or(60);
    if !(1..=1440).contains(&minutes) {
        return Err(Problem::invalid_field("minutes", "give 1 to 1440"));
    }
    let since: Timestamp = now() - Duration::from_secs(60 * u64::from(minutes));
    let counts = api.outcomes.outcomes(since).await?;
    let items = counts.into_iter().map(Into::into).collect();
    Ok(Json(List { items, next_cursor: None }))
}

/// A booking's payment with its attempts, and what it waits for.
#[utoipa::path(get, path = "/ops/payment/{booking_id}", tag = OPERATORS,
    operation_id = "paymentStory",
    params(("booking_id" = BookingId, Path, description = "Whose payment.")),
    security(("bearer" = ["operator", "admin"])),
    responses((status = 200, description = "The payment.", body = PaymentStoryResponse)))]
async fn show(
    State(api): State<ApiState>,
    PathId(id): PathId,
    _operator: Operator,
) -> Result<Json<PaymentStoryResponse>, Problem> {
    trace::about(id);
    let record =
        api.payments.load(&[BookingId(id)]).await?.one()?.ok_or_else(Problem::not_found)?;
    Ok(Json(PaymentStoryResponse::from(&record)))
}

/// Records what the provider says of what it left open, or what was done by hand.
///
/// It counts as the provider's own answer: the booking moves on by the usual fact. It is refused unless
/// something of this kind is open; the same request again is answered as before. Money is not said to have
/// gone back by hand, nor asked for again, while the provider is asked for it.
#[utoipa::path(post, path = "/ops/payment/{booking_id}/settle", tag = OPERATORS,
    operation_id = "settlePayment", request_body = SettleRequest,
    params(("booking_id" = BookingId, Path, description = "Whose payment.")),
    security(("bearer" = ["operator", "admin"])),
    responses(
        (status = 200, description = "The payment as it is now.", body = PaymentStoryResponse),
        (status = 409, description = "nothing-to-settle provider-is-asked"),
    ))]
async fn settle(
    State(api): State<ApiState>,
    PathId(id): PathId,
    Operator(operator): Operator,
    Json(request): Json<SettleRequest>,
) -> Result<Json<PaymentStoryResponse>, Problem> {
    trace::about(id);
    let mut fields = FieldErrors::new();
    let known = Settlement::ALL.into_iter().find(|known| known.as_str() == request.outcome);
    let words = Settlement::ALL.map(Settlement::as_str).join(", ");
    let settlement = fields.check("outcome", known.ok_or_else(|| format!("give one of {words}")));
    let reference = fields.check("reference", one_line(&request.reference, 1..=200));
    let reason = fields.check("reason", parse_reason(&request.reason));
    let (Some(settlement), Some(reference)) = (settlement, reference) else {
        return Err(fields.into_problem());
    };
    fields.finish()?;
    let of = request.attempt_id.map(|id| format!(" of {id}")).unwrap_or_default();
    let act = PrivilegedAct {
        actor: Some(operator.user_id),
        action: "settle_payment",
        subject: id,
        detail: Some(format!("{}{of}, reference {reference}", settlement.as_str()).into()),
        reason,
    };
    let (booking_id, of) = (BookingId(id), request.attempt_id.map(AttemptId));
    let settling = Settling { booking_id, settlement, of, is_unanswered: false, act };
    let settling = settle_attempt(&*api.unsettled, settling);
    let payment = trace::span("settle_attempt", settling).await?;
    Ok(Json(PaymentStoryResponse::from(&PaymentRecord::Payment(payment))))
}

/// Has the provider asked at once what came of each attempt to pay, also if it has ended.
///
/// Late money of which no webhook has told is found by this alone: it counts, or goes back. The answer is the
/// payment as it was before the provider's. Twice is harmless.
#[utoipa::path(post, path = "/ops/payment/{booking_id}/ask", tag = OPERATORS,
    operation_id = "askProvider", request_body = ReasonRequest,
    params(("booking_id" = BookingId, Path, description = "Whose payment.")),
    security(("bearer" = ["operator", "admin"])),
    responses(
        (status = 200, description = "The payment.", body = PaymentStoryResponse),
        (status = 409, description = "nothing-to-ask"),
    ))]
async fn ask(
    State(api): State<ApiState>,
    PathId(id): PathId,
    Operator(operator): Operator,
    Json(request): Json<ReasonRequest>,
) -> Result<Json<PaymentStoryResponse>, Problem> {
    trace::about(id);
    let by = ByOperator { actor: operator.user_id, reason: request.parse()? };
    let asking = ask_again(&*api.unsettled, BookingId(id), by.act("ask_provider", id));
    let payment = trace::span("ask_again", asking).await?;
    Ok(Json(PaymentStoryResponse::from(&PaymentRecord::Payment(payment))))
}
