//! Who may use the cookie: pages of this origin alone, whatever site a browser shows.

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use karcis_http::{Problem, TrustedProxies};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Refuses requests of other origins, and those that do not say from which they are. `own` is the
/// origin that browsers show; without it, the host that was asked for counts.
pub(crate) async fn require_own_origin(
    State(own): State<Option<HeaderValue>>,
    request: Request,
    next: Next,
) -> Response {
    let is_of_proxy = TrustedProxies::sent(request.extensions());
    if is_own(own.as_ref(), request.headers(), is_of_proxy) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "wrong-origin", "Another site's page asks for this")
        .detail("open this site itself; a program calls POST /login, which needs no cookie")
        .into_response()
}

/// Browsers that say whether it is the same origin know best: no page can write that header.
fn is_own(own: Option<&HeaderValue>, headers: &HeaderMap, is_of_proxy: bool) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    if let Some(own) = own {
        return origin == own;
    }
    let told = headers.get(X_FORWARDED_HOST).filter(|_| is_of_proxy);
    let host = told.or(headers.get(HOST)).map(HeaderValue::as_bytes);
    let origin = origin.as_bytes();
    let named = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
    named.is_some() && named == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(named: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        named.iter().map(header).collect()
    }

    #[test]
    fn only_the_own_origin_passes() {
        let host = ("host", "tickets.example");
        for (own, named, is_of_proxy, expected) in [
            (None, vec![], false, false),
            (None, vec![("origin", "https://tickets.example")], false, true),
            (None, vec![("origin", "http://tickets.example")], false, true),
            (None, vec![("origin", "https://evil.example")], false, false),
            (None, vec![("origin", "https://tickets.example.evil.example")], false, false),
            (None, vec![("origin", "https://tickets.example:8443")], false, false),
            (None, vec![("origin", "null")], false, false),
            (None, vec![("origin", "tickets.example")], false, false),
            (None, vec![("sec-fetch-site", "same-origin")], false, true),
            (None, vec![("sec-fetch-site", "same-site")], false, false),
            (None, vec![("sec-fetch-site", "none")], false, false),
            (
                None,
                vec![("sec-fetch-site", "cross-site"), ("origin", "https://tickets.example")],
                false,
                false,
            ),
            (
                None,
                vec![("origin", "https://a.example"), ("x-forwarded-host", "a.example")],
                true,
                true,
            ),
            (
                None,
                vec![("origin", "https://a.example"), ("x-forwarded-host", "a.example")],
                false,
                false,
            ),
            (Some("https://a.example"), vec![("origin", "https://a.example")], false, true),
            (Some("https://a.example"), vec![("origin", "http://a.example")], false, false),
            (Some("https://a.example"), vec![("origin", "https://tickets.example")], false, false),
        ] {
            let headers = headers(&[vec![host], named].concat());
            let own = own.map(HeaderValue::from_static);
            assert_eq!(
                is_own(own.as_ref(), &headers, is_of_proxy),
                expected,
                "{own:?} {headers:?}"
            );
        }
    }
}
