//! The app's pages and files. All pages are one file, whose scripts show what the path says.

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, VARY,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use karcis_http::Problem;

use crate::app::{self, AT_ROOT, App, File, INDEX};

/// How the paths of pages begin, beside `/`. None is a word of the services' paths.
pub(crate) const PAGES: [&str; 11] = [
    "/b",
    "/checkout",
    "/console",
    "/door",
    "/e",
    "/me",
    "/office",
    "/reset",
    "/sign-in",
    "/sign-up",
    "/verify",
];

/// A file whose path has its hash.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A file whose path stays: asked for each time, sent when it has changed.
const FOR_NOW: HeaderValue = HeaderValue::from_static("no-cache");

/// Pages, files, and what is at no path.
pub(crate) fn routes() -> Router {
    let mut routes = Router::new().route("/", get(page)).route("/a/{hash}/{*path}", get(hashed));
    for beginning in PAGES {
        routes =
            routes.route(beginning, get(page)).route(&format!("{beginning}/{{*rest}}"), get(page));
    }
    for name in AT_ROOT {
        let file = async move |headers: HeaderMap| {
            let app = app::current();
            app.file(name).map_or_else(
                || no_such_path(&headers),
                |file| fresh(&app, StatusCode::OK, file, &headers),
            )
        };
        routes = routes.route(&format!("/{name}"), get(file));
    }
    routes.fallback(async |headers: HeaderMap, _: Uri| no_such_path(&headers))
}

async fn page(headers: HeaderMap) -> Response {
    index(StatusCode::OK, &headers)
}

fn index(status: StatusCode, headers: &HeaderMap) -> Response {
    let app = app::current();
    match app.file(INDEX) {
        Some(file) => fresh(&app, status, file, headers),
        None => Problem::internal("the app has no page").into_response(),
    }
}

/// For browsers the app, which says so; for programs a problem.
fn no_such_path(headers: &HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return index(StatusCode::NOT_FOUND, headers);
    }
    Problem::not_found().detail("there is nothing at this path").into_response()
}

/// A file below `/a/<hash>/`. One of another release is not there: a cache would keep it for ever.
async fn hashed(Path((hash, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let app = app::current();
    match app.file(&path).filter(|_| app.hash == hash) {
        Some(file) => {
            let mut response = content(&app, StatusCode::OK, file, &headers);
            response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
            response
        }
        None => {
            Problem::not_found().detail("the app has no such file; reload the page").into_response()
        }
    }
}

/// A file at a path that stays; 304 for who has it.
fn fresh(app: &App, status: StatusCode, file: &File, headers: &HeaderMap) -> Response {
    // The hash is of all files, and a weak tag is the same for all encodings.
    let tag = format!("W/\"{}\"", app.hash);
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    let is_known = status == StatusCode::OK && known.any(|known| known == "*" || known == tag);
    let mut response = match is_known {
        // The browser keeps the page and takes these headers.
        true => with_policies(app, StatusCode::NOT_MODIFIED.into_response()),
        false => content(app, status, file, headers),
    };
    response.headers_mut().insert(CACHE_CONTROL, FOR_NOW);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn content(app: &App, status: StatusCode, file: &File, headers: &HeaderMap) -> Response {
    let of = |encoding: &'static str, compressed: fn(&File) -> Option<&Bytes>| {
        let compressed = takes(headers, encoding).then(|| compressed(file)).flatten();
        compressed.map(|bytes| (bytes, Some(encoding)))
    };
    let compressed = of("br", File::brotli).or_else(|| of("gzip", File::gzip));
    let (bytes, encoding) = compressed.unwrap_or((&file.plain, None));
    let encoding = encoding.map(|encoding| [(CONTENT_ENCODING, encoding)]);
    let kind = [(CONTENT_TYPE, file.kind), (VARY, "accept-encoding")];
    with_policies(app, (status, kind, encoding, bytes.clone()).into_response())
}

fn with_policies(app: &App, mut response: Response) -> Response {
    response.headers_mut().extend(app.policies.iter().cloned());
    response
}

/// Whether the client takes this encoding.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").map(str::parse::<f32>);
        name.trim().eq_ignore_ascii_case(encoding) && !matches!(weight, Some(Ok(0.0) | Err(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_as_the_client_weighs_them() {
        for (accepted, expected) in [
            ("gzip, deflate, br", true),
            ("BR;q=0.5", true),
            ("gzip", false),
            ("br;q=0", false),
            ("br; q=0.000, gzip", false),
            ("brown", false),
        ] {
            let headers =
                HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            assert_eq!(takes(&headers, "br"), expected, "{accepted}");
        }
    }
}
