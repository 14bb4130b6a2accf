//! Where the web app is that e-mails lead to.

use std::str::FromStr;

use karcis_kernel::BookingId;

/// Its address without a slash at the end; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WebApp(String);

impl FromStr for WebApp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/[]".contains(c);
        match rest {
            None if text.is_empty() => Ok(Self::default()),
            Some(rest)
                if !rest.starts_with('/') && !rest.is_empty() && rest.chars().all(is_plain) =>
            {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err("give the web app's address, such as https://karcis.example"),
        }
    }
}

impl WebApp {
    /// The events that are on sale.
    pub(super) fn events(&self) -> Option<String> {
        self.path("/")
    }

    /// The page of a booking.
    pub(super) fn booking(&self, id: BookingId) -> Option<String> {
        self.path(&format!("/b/{id}"))
    }

    /// Where this token verifies an address. What follows a `#` is sent to no server.
    pub(super) fn verify(&self, token: &str) -> Option<String> {
        self.path(&format!("/verify#{token}"))
    }

    /// Where this token chooses a new password.
    pub(super) fn reset(&self, token: &str) -> Option<String> {
        self.path(&format!("/reset#{token}"))
    }

    fn path(&self, path: &str) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("{}{path}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web_without_a_question() {
        for (text, verify) in [
            ("", Ok(None)),
            ("https://karcis.example", Ok(Some("https://karcis.example/verify#t"))),
            ("https://karcis.example/shop/", Ok(Some("https://karcis.example/shop/verify#t"))),
            ("http://127.0.0.1:8080", Ok(Some("http://127.0.0.1:8080/verify#t"))),
            ("http://[::1]:8080", Ok(Some("http://[::1]:8080/verify#t"))),
            ("karcis.example", Err(())),
            ("https://", Err(())),
            ("https:///b", Err(())),
            ("ftp://karcis.example", Err(())),
            ("https://karcis.example?a=1", Err(())),
            ("https://karcis.example#top", Err(())),
            ("https://user@karcis.example", Err(())),
            ("https://karcis.example/\"><b>", Err(())),
        ] {
            let web = text.parse::<WebApp>();
            let parsed = web.as_ref().map(|web| web.verify("t")).map_err(|_| ());
            assert_eq!(parsed, verify.map(|url| url.map(str::to_owned)), "{text}");
        }
    }
}
