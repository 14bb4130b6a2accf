//! What a page of the app may load and use.

use axum::http::{
    HeaderName, HeaderValue,
    header::{CONTENT_SECURITY_POLICY, InvalidHeaderValue},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

const IMPORT_MAP: &str = "<script type=\"importmap\">";

/// The policies of the app, whose one inline script is the import map of this page.
pub(crate) fn policies(page: &str) -> Result<[(HeaderName, HeaderValue); 4], InvalidHeaderValue> {
    let inline = import_map(page).map(|map| format!(" 'sha256-{}'", sha256(map)));
    let content = format!(
        "default-src 'none'; script-src 'self'{}; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; \
         media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        inline.unwrap_or_default()
    );
    // The door's scanner needs the camera.
    let features =
        "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";
    let named = HeaderName::from_static;
    Ok([
        (CONTENT_SECURITY_POLICY, HeaderValue::from_str(&content)?),
        (named("permissions-policy"), HeaderValue::from_static(features)),
        (named("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (named("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ])
}

/// The text of the page's import map, as browsers hash it.
fn import_map(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once(IMPORT_MAP)?;
    rest.split_once("</script>").map(|(map, _)| map)
}

fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_import_map_alone_may_be_inline() {
        let page =
            "<script type=\"importmap\">{}</script><script type=\"module\" src=\"a\"></script>";
        let [(_, content), ..] = policies(page).expect("is a header");
        let content = content.to_str().expect("is text");
        // echo -n '{}' | openssl dgst -sha256 -binary | base64
        let hash = "'sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o='";
        assert!(content.contains(&format!("script-src 'self' {hash};")), "{content}");
        assert!(!content.contains("unsafe"), "{content}");
        let [(_, content), ..] = policies("<p>").expect("is a header");
        assert!(content.to_str().expect("is text").contains("script-src 'self';"));
    }
}
