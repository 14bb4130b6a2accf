//! serde's errors as the HTTP contract words them: which field, and what to give instead.

use std::fmt::Display;

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
        let but_not = match found {
            _ if found.ends_with(" null") => ", not null",
            _ if found.starts_with("invalid type: string ") => ", not a text",
            _ => "",
        };
        return format!("give {}{but_not}", without_rust_names(found, expected));
    }
    let expected = match message {
        _ if message.starts_with("UUID parsing failed") => UUID,
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "a whole number"
        }
        "number too large to fit in target type" => "a smaller number",
        "number too small to fit in target type" | "number would be zero for non-zero type" => {
            "a larger number"
        }
        "invalid float literal" | "cannot parse float from empty string" => "a number",
        "provided string was not `true` or `false`" => "true or false",
        // serde_json, in place of an enum.
        "expected value" => "a text",
        _ if message.starts_with("data did not match any variant") => "another kind of value",
        // Types of ours have messages that say what to do.
        _ => return message.to_owned(),
    };
    format!("give {expected}")
}

/// What serde expected in place of what it found, without Rust's names of types.
fn without_rust_names<'a>(found: &str, expected: &'a str) -> &'a str {
    match expected.trim_start_matches("a nonzero ") {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => {
            whole_number(found)
        }
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "str" => "a text",
        "a character" => "one character",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.contains("UUID") => UUID,
        _ if expected.starts_with("struct ") || expected.contains("tagged enum ") => "an object",
        _ if expected.starts_with("enum ") => "a text",
        _ if ["tuple ", "a tuple ", "unit", "option", "variant "]
            .iter()
            .any(|kind| expected.starts_with(kind)) =>
        {
            "another kind of value"
        }
        _ => expected,
    }
}

/// How to mend what was found in place of a whole number. The limits of Rust's types are nobody's: those
/// of the field are told once the number can be read.
fn whole_number(found: &str) -> &'static str {
    let integer = found.strip_prefix("invalid value: integer `");
    let float = found.strip_prefix("invalid type: floating point `");
    let number = integer.or(float).and_then(|number| number.trim_end_matches('`').parse().ok());
    match number {
        None => "a whole number",
        // serde_json reads an integer that no type can hold as a float.
        Some(number) if float.is_some() && f64::abs(number) < 1e18 => {
            "a whole number, without decimal point or exponent"
        }
        Some(number) if number > 0.0 => "a smaller number",
        Some(_) => "a larger number",
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
