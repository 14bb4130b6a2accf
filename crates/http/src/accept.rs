//! `Accept`: which of two media types a client would rather have (RFC 9110, 12.5.1).

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::ACCEPT, request::Parts},
};

/// Whether the client would rather have `text/csv` than JSON.
#[derive(Debug, Clone, Copy)]
pub struct WantsCsv(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for WantsCsv {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(prefers(&parts.headers, "text/csv", "application/json")))
    }
}

/// Whether the client would rather have `one` than `other`, which it gets if it wants both alike.
pub(crate) fn prefers(headers: &HeaderMap, one: &str, other: &str) -> bool {
    weight(headers, one) > weight(headers, other)
}

/// The quality of `kind`, by the range that names it most exactly, and how exactly that is. `None`: it is
/// not acceptable. Ranges that cannot be read and parameters other than `q` are ignored.
fn weight(headers: &HeaderMap, kind: &str) -> Option<(f32, usize)> {
    let (main, _) = kind.split_once('/')?;
    let (all, all_of_main) = ("*/*", format!("{main}/*"));
    let names = [all, &all_of_main, kind];
    let values = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| split(value, ',')).filter_map(|range| {
        let mut parts = split(range, ';');
        let name = parts.next()?.trim();
        let exactness = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        let quality = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, value)| quality(value.trim()));
        Some((quality?, exactness))
    });
    let best = ranges.max_by_key(|(_, exactness)| *exactness);
    best.filter(|(quality, _)| *quality > 0.0)
}

/// The parts between `separator`s that are not in a quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        if !is_escaped && c == '"' {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && !is_escaped && c == '\\';
        c == separator && !is_quoted
    })
}

/// A weight (RFC 9110, 12.4.2): 0 to 1 with up to three decimals.
fn quality(text: &str) -> Option<f32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let last = match whole {
        "0" => b'9',
        "1" => b'0',
        _ => return None,
    };
    let is_good = decimals.len() <= 3 && decimals.bytes().all(|c| (b'0'..=last).contains(&c));
    text.parse().ok().filter(|_| is_good)
}
