//! E-mails as HTML: the same words as the plain text, a link as a button, and tickets as pictures.

use super::texts::{Action, Text};

/// The e-mail as a page. The tickets of `pictures` stand there as pictures with these ids.
pub(super) fn page(text: &Text, pictures: &[String]) -> String {
    let paragraphs: String = text.body.split("\n\n").map(paragraph).collect();
    let action = text.action.as_ref().map(button).unwrap_or_default();
    let tickets: String = text.tickets.iter().zip(pictures).map(picture).collect();
    format!(
        r#"<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title></head>
<body style="margin:0;background:#f4f4f5;color:#18181b;font:16px/1.5 sans-serif">
<div style="max-width:36em;margin:0 auto;padding:1.5em;background:#ffffff">
{paragraphs}{action}{tickets}<p style="color:#52525b">Karcis</p>
</div>
</body>
</html>
"#,
        language = text.language,
        subject = escaped(&text.subject),
    )
}

/// Lines of the plain text that stand together.
fn paragraph(lines: &str) -> String {
    let lines: Vec<_> = lines.lines().map(|line| escaped(line.trim())).collect();
    format!("<p>{}</p>\n", lines.join("<br>\n"))
}

fn button(action: &Action) -> String {
    let (url, label) = (escaped(&action.url), escaped(action.label));
    format!(
        r#"<p><a href="{url}" style="display:inline-block;padding:.6em 1.2em;background:#4338ca;color:#ffffff;text-decoration:none">{label}</a></p>
"#
    )
}

fn picture(((name, code), id): (&(String, String), &String)) -> String {
    let (name, code) = (escaped(name), escaped(code));
    format!(
        r#"<p style="text-align:center"><img src="cid:{id}" width="232" height="232" alt="{code}"><br>
<strong>{name}</strong><br>
{code}</p>
"#
    )
}

/// The text without what HTML would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> Text {
        Text {
            language: "id",
            subject: "Tiket Anda: <Malam>".to_owned(),
            body: "Halo Sari,\n\nEvent: A & B <script>alert(\"x\")</script>\nTiket:\n  2 × 'VIP'"
                .to_owned(),
            action: Some(Action {
                label: "Buka",
                url: "https://karcis.example/b/1?a=1&b=\"".to_owned(),
            }),
            tickets: vec![("<b>VIP</b>".to_owned(), "4bf9 2f35".to_owned())],
        }
    }

    #[test]
    fn what_people_typed_is_text_and_nothing_else() {
        let page = page(&text(), &["ticket-1".to_owned()]);
        for part in [
            "<html lang=\"id\">",
            "<title>Tiket Anda: &lt;Malam&gt;</title>",
            "<p>Halo Sari,</p>\n",
            "<p>Event: A &amp; B &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;<br>\nTiket:<br>\n2 × &#39;VIP&#39;</p>",
            "<a href=\"https://karcis.example/b/1?a=1&amp;b=&quot;\" style=",
            ">Buka</a>",
            "<img src=\"cid:ticket-1\" width=\"232\" height=\"232\" alt=\"4bf9 2f35\">",
            "<strong>&lt;b&gt;VIP&lt;/b&gt;</strong>",
        ] {
            assert!(page.contains(part), "{part} is not in:\n{page}");
        }
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let text = Text { action: None, ..text() };
        let page = page(&text, &[]);
        for part in ["<img", "<a ", "http:", "https:", "url("] {
            assert!(!page.contains(part), "{part} is in:\n{page}");
        }
    }
}
