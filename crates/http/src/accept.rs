//! `Accept`: which of two media types a client would rather have (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header::ACCEPT};

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
    let ranges = values.flat_map(|value| value.split(',')).filter_map(|range| {
        let mut parts = range.split(';');
        let name = parts.next()?.trim();
        let exactness = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        let quality = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Ok(1.0), |(_, quality)| quality.trim().parse::<f32>());
        Some((quality.ok()?, exactness))
    });
    let best = ranges.max_by_key(|(_, exactness)| *exactness);
    best.filter(|(quality, _)| *quality > 0.0)
}
