//! Lists in pages, with opaque cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{FieldErrors, Problem};

const MAX_LIMIT: u16 = 100;
const DEFAULT_LIMIT: u16 = 20;

/// The page of a list that a request asks for. Query types have `limit` and `cursor` as fields of their
/// own (serde's flatten breaks numbers in query strings) and give them to [`Page::new`].
#[derive(Debug, Clone)]
pub struct Page<C> {
    /// The greatest number of items: 1 to 100.
    pub limit: u16,
    /// The sort key after which the page starts.
    pub after: Option<C>,
}

/// A page's worth of items.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last.
    #[schema(examples(json!(null)))]
    pub next_cursor: Option<String>,
}

/// Turns the sort key of a page's last item into an opaque text and back (base64url of JSON).
pub struct Cursor;

impl Cursor {
    /// The text of this key.
    pub fn encode(key: &impl Serialize) -> String {
        // A sort key consists of numbers, texts, times and ids, which are always JSON.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    fn decode<C: DeserializeOwned>(text: &str) -> Option<C> {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // Postgres stores no NUL, so no cursor of ours contains one.
        if json.contains("\\u0000") {
            return None;
        }
        serde_json::from_str(&json).ok()
    }
}

impl<C: DeserializeOwned> Page<C> {
    /// The requested page, of 20 items without a limit; a bad limit or cursor is 422.
    pub fn new(limit: Option<u16>, cursor: Option<&str>) -> Result<Self, Problem> {
        let mut errors = FieldErrors::new();
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            errors.add("limit", "give a whole number from 1 to 100");
        }
        let after = cursor.and_then(|cursor| {
            let decoded = Cursor::decode(cursor);
            if decoded.is_none() {
                errors.add("cursor", "give the next_cursor of the page before, or none");
            }
            decoded
        });
        errors.finish()?;
        Ok(Self { limit, after })
    }
}

impl<T> List<T> {
    /// The first `limit` of up to `limit + 1` loaded rows. If there was one row more, with the cursor
    /// of the next page.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: u16, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next_cursor = rows.last().filter(|_| more).map(|row| Cursor::encode(&key(row)));
        Self { items: rows, next_cursor }
    }

    /// The same list with each item converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(convert).collect(), next_cursor: self.next_cursor }
    }
}
