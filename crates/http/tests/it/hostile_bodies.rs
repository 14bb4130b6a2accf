//! Bodies that are made to be expensive to refuse.

pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Hostile bodies of nearly 64 KiB, with what they are and the status that refuses them.
pub(crate) fn bodies() -> Vec<(&'static str, u16, String)> {
    let filled = |start: &str, repeated: &str, end: &str| {
        let room = MAX_BODY_BYTES - start.len() - end.len();
        format!("{start}{}{end}", repeated.repeat(room / repeated.len()))
    };
    let long_key = "k".repeat(6_700);
    let below_long_key = format!(r#"{{"extra":{{"{long_key}":{{"a":0"#);
    let long_text = filled("", "t", "").split_off(100);
    let controls = filled("", "\\u0001", "").split_off(102);
    let emoji = filled("", "🎟", "").split_off(100);
    let deep = r#"{"a":"#.repeat(120);
    vec![
        ("a field repeated below a long key", 422, filled(&below_long_key, r#","a":0"#, "}}}")),
        ("the same, cut off", 400, filled(&below_long_key, r#","a":0"#, "")),
        (
            "a field repeated in deep objects",
            422,
            filled(&format!(r#"{{"extra":{deep}{{"a":0"#), r#","a":0"#, &"}".repeat(122)),
        ),
        (
            "NULs below a long key",
            422,
            filled(&format!(r#"{{"extra":{{"{long_key}":["#), r#""\u0000","#, "0]}}"),
        ),
        ("keys that are a NUL", 422, filled(r#"{"extra":{"a":0"#, r#","\u0000":0"#, "}}")),
        ("a key of 64 KiB", 422, format!(r#"{{"{long_text}":0}}"#)),
        ("a key of control characters", 422, format!(r#"{{"{controls}":0}}"#)),
        ("a key of emoji", 422, format!(r#"{{"{emoji}":0}}"#)),
        ("a long key twice", 422, format!(r#"{{"{0}":0,"{0}":0}}"#, &long_text[..32_000])),
        ("a long wrong text", 422, format!(r#"{{"name":"a","capacity":"{long_text}"}}"#)),
        (
            "a long wrong text of control characters",
            422,
            format!(r#"{{"name":"a","capacity":"{controls}"}}"#),
        ),
        (
            "a long wrong word",
            422,
            format!(r#"{{"name":"a","capacity":1,"colour":"{long_text}"}}"#),
        ),
        (
            "a long wrong time",
            422,
            format!(r#"{{"name":"a","capacity":1,"starts_at":"{long_text}"}}"#),
        ),
        ("a long wrong id", 422, format!(r#"{{"name":"a","capacity":1,"owner":"{long_text}"}}"#)),
        (
            "a long wrong currency",
            422,
            format!(
                r#"{{"name":"a","capacity":1,"price":{{"amount":1,"currency":"{long_text}"}}}}"#
            ),
        ),
        (
            "a list of wrong things",
            422,
            filled(r#"{"name":"a","capacity":1,"parts":["#, r#"{"x":0},"#, "0]}"),
        ),
        ("a list of numbers", 422, filled("[", "0,", "0]")),
        ("many unknown fields", 422, {
            let fields: Vec<_> = (0..6_000).map(|n| format!(r#""{n:x}":0"#)).collect();
            format!("{{{}}}", fields.join(","))
        }),
        (
            "a number of 64 KiB",
            422,
            format!(r#"{{"name":"a","capacity":1{}}}"#, filled("", "0", "").split_off(100)),
        ),
        ("brackets without end", 400, filled("", "[", "")),
        ("braces without end", 400, filled("", r#"{"a":"#, "")),
        ("a text without end", 400, format!(r#"{{"{long_text}"#)),
        ("not JSON at all", 400, long_text.clone()),
    ]
}
