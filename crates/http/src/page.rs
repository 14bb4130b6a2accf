//! Lists in pages, with opaque cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{Fields, Problem};

const MAX_LIMIT: u16 = 100;
const DEFAULT_LIMIT: u16 = 20;

/// `limit` (1–100, default 20) and `cursor` of a list's query. Put it in a list's query struct as
/// fields of its own (serde's flatten breaks numbers in query strings): see [`Page::new`].
#[derive(Debug, Clone)]
pub struct Page<C> {
    /// How many items at most.
    pub limit: u16,
    /// After which item to start.
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
        // A sort key is made of numbers, texts, times and ids, which are always JSON.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    fn decode<C: DeserializeOwned>(text: &str) -> Option<C> {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // Postgres stores no NUL, so none came from here.
        if json.contains("\\u0000") {
            return None;
        }
        serde_json::from_str(&json).ok()
    }
}

impl<C: DeserializeOwned> Page<C> {
    /// The page asked for; a bad limit or cursor is 422.
    pub fn new(limit: Option<u16>, cursor: Option<&str>) -> Result<Self, Problem> {
        let mut fields = Fields::new();
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            fields.wrong("limit", "give a whole number from 1 to 100");
        }
        let after = cursor.and_then(|cursor| {
            let decoded = Cursor::decode(cursor);
            if decoded.is_none() {
                fields.wrong("cursor", "give the next_cursor of the page before, or none");
            }
            decoded
        });
        fields.finish()?;
        Ok(Self { limit, after })
    }
}

impl<T> List<T> {
    /// Of up to `limit + 1` loaded rows, the first `limit`, with the cursor of the last of them if
    /// there was one more.
    pub fn of<K: Serialize>(mut rows: Vec<T>, limit: u16, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next_cursor = rows.last().filter(|_| more).map(|row| Cursor::encode(&key(row)));
        Self { items: rows, next_cursor }
    }

    /// The same list with each item turned into what is shown.
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(show).collect(), next_cursor: self.next_cursor }
    }
}
