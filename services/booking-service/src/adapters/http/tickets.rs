//! A ticket for whoever knows its code, and the code as a picture to be scanned at the door.

use axum::{
    extract::{Path, State},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use karcis_http::{Json, Problem};
use karcis_kernel::TicketCode;
use qrcode::{QrCode, render::svg};

use super::{Desk, answer::SoldTicketAnswer, unreachable_store};

/// The picture's side, at least.
const SIDE_PIXELS: u32 = 256;

pub(super) async fn show(
    State(desk): State<Desk>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    // The router cannot tell `{code}.svg` from `{code}`.
    let (code, is_picture) = match code.strip_suffix(".svg") {
        Some(code) => (code, true),
        None => (code.as_str(), false),
    };
    let code: TicketCode = code.parse().map_err(|_| Problem::not_found())?;
    let ticket = desk.queries.ticket(&code).await.map_err(unreachable_store)?;
    let ticket = ticket.ok_or_else(Problem::not_found)?;
    let code = code.to_string();
    if !is_picture {
        return Ok(Json(SoldTicketAnswer::new(code, ticket)).into_response());
    }
    let picture = QrCode::new(&code).map_err(Problem::internal)?;
    let picture = picture.render::<svg::Color>().min_dimensions(SIDE_PIXELS, SIDE_PIXELS).build();
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}
