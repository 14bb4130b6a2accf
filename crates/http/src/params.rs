//! The request headers of the extractors, as OpenAPI parameters.

use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::{IdempotencyKey, IfMatch, IfNoneMatch, PreferWait, WantsStream};

macro_rules! headers {
    ($($extractor:ty: $name:literal, $description:literal, $schema:expr;)+) => {$(
        impl IntoParams for $extractor {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                let header = ParameterBuilder::new().name($name).parameter_in(ParameterIn::Header);
                vec![header.description(Some($description)).schema(Some($schema)).build()]
            }
        }
    )+};
}

const TAG: &str = "\"3-4a1f0c2e9b7d6558\"";

fn text(example: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).examples([example])
}

headers! {
    IfMatch: "If-Match",
        "The `ETag` of what was read: if it was changed since, nothing is done.",
        text(TAG).pattern(Some(r#"^(\*|(W/)?"[!#-+.-~-]*")$"#));
    IfNoneMatch: "If-None-Match",
        "The `ETag` of what is known: if it still is so, the answer is 304 without a body.",
        text(TAG);
    IdempotencyKey: "Idempotency-Key",
        "Of your choice, for 24 h: with the same key and body the request is not carried out again \
         but answered with its outcome as it is now; with another body it is refused.",
        text("b7a1c2").min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$"));
    PreferWait: "Prefer",
        "`wait=N` answers once it is the buyer's turn or all is done, or after N seconds, at most 10 \
         (RFC 7240). Other preferences are ignored.",
        text("wait=2");
    WantsStream: "Last-Event-ID",
        "With `Accept: text/event-stream`: the version already known, which is not sent again.",
        text("3");
}
