//! GET /tickets/{code}, and /tickets/{code}.svg, which is the code as a picture.

use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use karcis_http::{Json, PathText, Problem};
use karcis_kernel::TicketCode;
use qrcode::{QrCode, render::svg};

use super::{ApiState, TICKETS, responses::TicketResponse};
use crate::domain::IssuedTicket;

/// The smallest side of the picture.
const SIDE_PIXELS: u32 = 256;

/// The ticket with this code.
#[utoipa::path(get, path = "/tickets/{code}", tag = TICKETS, operation_id = "ticket",
    params(("code" = String, Path, description = "The code: knowing it is the right to see the ticket. \
        Capitals, blanks and dashes make no difference.",
        pattern = r"^\s*([0-9A-Fa-f][\s-]*){32}$", example = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f")),
    responses((status = 200, description = "The ticket.", body = TicketResponse)))]
pub(super) async fn show(
    State(state): State<ApiState>,
    PathText(code): PathText,
) -> impl IntoResponse {
    // The router cannot tell `{code}.svg` from `{code}`.
    let answer = match code.rsplit_once('.') {
        Some((code, kind)) if kind.eq_ignore_ascii_case("svg") => picture(&state, code).await,
        _ => ticket(&state, &code).await,
    };
    // No token is sent, but only who has the code may see the ticket, and it may be used or cancelled.
    ([(CACHE_CONTROL, "no-store")], answer)
}

async fn ticket(state: &ApiState, code: &str) -> Result<Response, Problem> {
    let (code, ticket) = find(state, code).await?;
    Ok(Json(TicketResponse::new(code, ticket)).into_response())
}

/// The code as a QR code, to be scanned at the door.
#[utoipa::path(get, path = "/tickets/{code}.svg", tag = TICKETS, operation_id = "ticketPicture",
    params(("code" = String, Path, description = "The code: knowing it is the right to see the ticket. \
        Capitals, blanks and dashes make no difference.",
        pattern = r"^\s*([0-9A-Fa-f][\s-]*){32}$", example = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f")),
    responses((status = 200, description = "The picture.", body = String,
        content_type = "image/svg+xml",
        example = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"256\" height=\"256\"/>")))]
async fn picture(state: &ApiState, code: &str) -> Result<Response, Problem> {
    let (code, _) = find(state, code).await?;
    let picture = QrCode::new(code.to_string()).map_err(Problem::internal)?;
    let picture = picture.render::<svg::Color>().min_dimensions(SIDE_PIXELS, SIDE_PIXELS).build();
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

async fn find(state: &ApiState, code: &str) -> Result<(TicketCode, IssuedTicket), Problem> {
    let code = TicketCode::typed(code).map_err(|_| Problem::not_found())?;
    let ticket = state.tickets.find(&code).await?.ok_or_else(Problem::not_found)?;
    Ok((code, ticket))
}
