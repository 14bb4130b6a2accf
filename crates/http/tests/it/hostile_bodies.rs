//! Bodies that are made to be expensive to refuse.

pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// What a body is, the status that refuses it, and the body.
type Case = (&'static str, u16, String);

/// Hostile bodies of nearly 64 KiB.
pub(crate) fn bodies() -> Vec<Case> {
    [repeated(), long(), broken()].concat()
}

/// As many of `repeated` as fit between the others.
fn filled(start: &str, repeated: &str, end: &str) -> String {
    let room = MAX_BODY_BYTES - start.len() - end.len();
    format!("{start}{}{end}", repeated.repeat(room / repeated.len()))
}

/// A mistake again and again.
fn repeated() -> Vec<Case> {
    let long_key = "k".repeat(6_700);
    let below_long_key = format!(r#"{{"extra":{{"{long_key}":{{"a":0"#);
    let nuls_below_long_key = format!(r#"{{"extra":{{"{long_key}":["#);
    let deep = format!(r#"{{"extra":{}{{"a":0"#, r#"{"a":"#.repeat(120));
    let parts = r#"{"name":"a","capacity":1,"parts":["#;
    let fields: Vec<_> = (0..6_000).map(|number| format!(r#""{number:x}":0"#)).collect();
    vec![
        ("a field below a long key", 422, filled(&below_long_key, r#","a":0"#, "}}}")),
        ("the same, cut off", 400, filled(&below_long_key, r#","a":0"#, "")),
        ("a field in deep objects", 422, filled(&deep, r#","a":0"#, &"}".repeat(122))),
        ("NULs below a long key", 422, filled(&nuls_below_long_key, r#""\u0000","#, "0]}}")),
        ("keys that are a NUL", 422, filled(r#"{"extra":{"a":0"#, r#","\u0000":0"#, "}}")),
        ("a list of wrong things", 422, filled(parts, r#"{"x":0},"#, "0]}")),
        ("a list of numbers", 422, filled("[", "0,", "0]")),
        ("many unknown fields", 422, format!("{{{}}}", fields.join(","))),
    ]
}

/// A long key or value.
fn long() -> Vec<Case> {
    let text = "t".repeat(65_400);
    let controls = "\\u0001".repeat(10_900);
    let emoji = "🎟".repeat(16_350);
    let twice = &text[..32_000];
    let thing = |rest: &str| format!(r#"{{"name":"a","capacity":1,{rest}}}"#);
    let money = format!(r#""price":{{"amount":1,"currency":"{text}"}}"#);
    vec![
        ("a key", 422, format!(r#"{{"{text}":0}}"#)),
        ("a key of control characters", 422, format!(r#"{{"{controls}":0}}"#)),
        ("a key of emoji", 422, format!(r#"{{"{emoji}":0}}"#)),
        ("a long key twice", 422, format!(r#"{{"{twice}":0,"{twice}":0}}"#)),
        ("a text for a number", 422, format!(r#"{{"name":"a","capacity":"{text}"}}"#)),
        ("control characters", 422, format!(r#"{{"name":"a","capacity":"{controls}"}}"#)),
        ("a number", 422, format!(r#"{{"name":"a","capacity":1{}}}"#, "0".repeat(65_400))),
        ("a word of a list", 422, thing(&format!(r#""colour":"{text}""#))),
        ("a time", 422, thing(&format!(r#""starts_at":"{text}""#))),
        ("an id", 422, thing(&format!(r#""owner":"{text}""#))),
        ("a currency", 422, thing(&money)),
    ]
}

/// No JSON.
fn broken() -> Vec<Case> {
    vec![
        ("brackets without end", 400, filled("", "[", "")),
        ("braces without end", 400, filled("", r#"{"a":"#, "")),
        ("a text without end", 400, filled(r#"{""#, "t", "")),
        ("no JSON at all", 400, filled("", "t", "")),
    ]
}
