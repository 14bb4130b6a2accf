//! `ETag`, `If-None-Match` and `If-Match` (RFC 9110, 13): what a client knows is not sent again, and what
//! others changed is not overwritten.

use std::convert::Infallible;

use axum::{
    body::Bytes,
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Problem;

/// The tags of what the client knows, by `If-None-Match`.
#[derive(Debug, Default)]
pub struct IfNoneMatch(Vec<String>);

impl IfNoneMatch {
    /// The resource with its tag, or 304 if the client knows it.
    pub fn answer(&self, version: i64, resource: impl Serialize) -> Response {
        self.answer_tagged(&Tagged::new(version, &resource))
    }

    /// As [`Self::answer`], of what is kept.
    pub fn answer_tagged(&self, resource: &Tagged) -> Response {
        let Tagged { tag, json } = resource;
        if self.0.iter().any(|known| known == "*" || known == tag) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, tag.as_str())]).into_response();
        }
        let headers = [(ETAG, tag.as_str()), (CONTENT_TYPE, "application/json")];
        (headers, json.clone()).into_response()
    }
}

/// A resource as it is sent, with its tag: for one that many read.
#[derive(Clone, Debug)]
pub struct Tagged {
    tag: String,
    json: Bytes,
}

impl Tagged {
    /// The resource, which is JSON for certain.
    pub fn new(version: i64, resource: &impl Serialize) -> Self {
        let json = serde_json::to_vec(resource).unwrap_or_default().into();
        Self { tag: tag(version, resource), json }
    }

    /// What its body takes of the memory.
    pub fn bytes(&self) -> usize {
        self.json.len()
    }
}

/// Begins with the version, for [`IfMatch`]. The rest also tells apart what changes without an edit, such
/// as seats that are sold.
fn tag(version: i64, resource: &impl Serialize) -> String {
    // What is sent can always be written as JSON.
    let mut resource = serde_json::to_value(resource).unwrap_or_default();
    if let Some(fields) = resource.as_object_mut() {
        // When it was read makes it no other, nor does what only the answer to an update says.
        for field in ["as_of", "local"] {
            fields.remove(field);
        }
    }
    let hash = Sha256::digest(resource.to_string());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{version}-{hash}\"")
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(tags(&parts.headers, &IF_NONE_MATCH)))
    }
}

/// The version that the client has read, by the tag in `If-Match`: another way to give `version`.
#[derive(Debug, Default)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    const ONE: &str = "give the ETag of what you have read, or *";

    /// The version to be changed, which the body may give too; 422 if they differ.
    pub fn or(self, version: Option<i64>) -> Result<Option<i64>, Problem> {
        match (self.0, version) {
            (Some(one), Some(other)) if one != other => {
                let message = "give the version of the body, or one of both";
                Err(Problem::invalid_field("If-Match", message))
            }
            (one, other) => Ok(one.or(other)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IF_MATCH) {
            return Ok(Self(None));
        }
        match &tags(&parts.headers, &IF_MATCH)[..] {
            [any] if any == "*" => Ok(Self(None)),
            [tag] => {
                let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                let tag = tag.ok_or_else(|| Problem::invalid_field("If-Match", Self::ONE))?;
                let version = tag.split('-').next().and_then(|version| version.parse().ok());
                // A tag that is not ours is none of any version.
                Ok(Self(Some(version.unwrap_or_default())))
            }
            _ => Err(Problem::invalid_field("If-Match", Self::ONE)),
        }
    }
}

/// The tags of this header. A weak one counts as a strong one: proxies that compress weaken them.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(|value| value.split(',')).map(str::trim);
    let tags = tags.filter(|tag| !tag.is_empty());
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag).to_owned()).collect()
}
