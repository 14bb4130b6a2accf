//! serde's errors as the HTTP contract words them: which field, and what to give instead.

use std::{borrow::Cow, fmt::Display};

use serde_path_to_error::{Error, Path, Segment};

use crate::Problem;

const UUID: &str = "a UUID";

/// 422 with the field that serde could not read, and what to give instead.
pub(crate) fn problem(error: Error<impl Display>) -> Problem {
    let (path, text) = (error.path(), error.inner().to_string());
    // serde_json adds line and column; the path is clearer.
    let text = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    if let Some(name) = quoted(text, "missing field `") {
        Problem::invalid_field(join(path, Some(name)), "give this field")
    } else if let Some(name) = quoted(text, "duplicate field `") {
        Problem::invalid_field(join(path, Some(name)), "give this field once")
    } else if let Some(name) = quoted(text, "unknown field `") {
        let message = match names(text) {
            Some(known) => format!("there is no such field; the fields are {known}"),
            None => "there is no such field; leave it out".to_owned(),
        };
        Problem::invalid_field(join(path, Some(name)), message)
    } else {
        Problem::invalid_field(join(path, None), instead(text))
    }
}

/// What to give instead, as a fragment that begins with "give" or "leave".
fn instead(message: &str) -> String {
    if message.starts_with("unknown variant ") {
        return names(message)
            .map_or_else(|| "leave this out".to_owned(), |known| format!("give one of {known}"));
    }
    if message.starts_with("invalid ")
        && let Some((found, expected)) = message.rsplit_once(", expected ")
    {
        let not_null = if found.ends_with(" null") { ", not null" } else { "" };
        return format!("give {}{not_null}", without_rust_names(expected));
    }
    let expected = match message {
        _ if message.starts_with("UUID parsing failed") => UUID,
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "a whole number"
        }
        "number too large to fit in target type" => "a smaller number",
        "number too small to fit in target type" => "a larger number",
        "invalid float literal" | "cannot parse float from empty string" => "a number",
        "provided string was not `true` or `false`" => "true or false",
        "expected value" => "another kind of value",
        _ if message.starts_with("data did not match any variant") => "another kind of value",
        // Types of ours have messages that say what to do.
        _ => return message.to_owned(),
    };
    format!("give {expected}")
}

/// What serde expected, without Rust's names of types.
fn without_rust_names(expected: &str) -> Cow<'_, str> {
    let from =
        |least: i128, most: i128| Cow::from(format!("a whole number from {least} to {most}"));
    match expected {
        "u8" => from(0, u8::MAX.into()),
        "u16" => from(0, u16::MAX.into()),
        "u32" => from(0, u32::MAX.into()),
        "u64" | "usize" => from(0, u64::MAX.into()),
        "a nonzero u8" => from(1, u8::MAX.into()),
        "a nonzero u16" => from(1, u16::MAX.into()),
        "a nonzero u32" => from(1, u32::MAX.into()),
        "i8" => from(i8::MIN.into(), i8::MAX.into()),
        "i16" => from(i16::MIN.into(), i16::MAX.into()),
        "i32" => from(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => from(i64::MIN.into(), i64::MAX.into()),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "str" => "a text".into(),
        "a character" => "one character".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object".into(),
        _ if expected.contains("UUID") => UUID.into(),
        _ if expected.starts_with("struct ") || expected.contains("tagged enum ") => {
            "an object".into()
        }
        _ if ["enum ", "tuple ", "unit ", "option", "variant "]
            .iter()
            .any(|kind| expected.starts_with(kind)) =>
        {
            "another kind of value".into()
        }
        _ => expected.into(),
    }
}

/// The text between `start` and the next backtick.
fn quoted<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}

/// The names serde lists as known, separated by commas.
fn names(message: &str) -> Option<String> {
    let (_, known) = message.rsplit_once(", expected ")?;
    let names: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The path, with `name` at its end unless it is there already; `body` for the empty path.
fn join(path: &Path, name: Option<&str>) -> String {
    let last = path.iter().next_back().map(Segment::to_string);
    let name = name.filter(|name| last.as_deref() != Some(*name));
    match (last, name) {
        (None, None) => "body".to_owned(),
        (None, Some(name)) => name.to_owned(),
        (Some(_), None) => path.to_string(),
        (Some(_), Some(name)) => format!("{path}.{name}"),
    }
}
