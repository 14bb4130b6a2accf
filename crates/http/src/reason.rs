//! Why an operator does something: a part of every `POST /ops/…`, for those who read the audit.

use std::ops::RangeInclusive;

use karcis_kernel::{InvalidText, one_line};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{LINE, Problem, texts};

const LENGTH: RangeInclusive<usize> = 1..=500;

texts! {
    /// Why somebody does this; spaces and line breaks around it are removed.
    ReasonText: 1 to 500, LINE, such as "the bug that caused it is mended";
}

/// Why somebody does it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// As those who read the audit see it.
    #[schema(value_type = ReasonText)]
    reason: String,
}

impl ReasonRequest {
    /// The reason; 422 if it is none.
    pub fn parse(&self) -> Result<String, Problem> {
        parse_reason(&self.reason)
            .map_err(|invalid| Problem::invalid_field("reason", invalid.to_string()))
    }
}

/// The reason in this text: 1–500 characters on one line, of which something can be seen.
pub fn parse_reason(text: &str) -> Result<String, InvalidText> {
    one_line(text, LENGTH)
}
