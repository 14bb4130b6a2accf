//! Lists in pages, with opaque cursors.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Problem;

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
#[derive(Debug, Serialize, Deserialize)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Turns the sort key of a page's last item into an opaque text and back (base64url of JSON).
pub struct Cursor;

impl Cursor {
    /// The text of this key.
    pub fn encode(_key: &impl Serialize) -> String {
        todo!()
    }
}

impl<C: DeserializeOwned> Page<C> {
    /// The page asked for; a bad limit or cursor is 422.
    pub fn new(_limit: Option<u16>, _cursor: Option<&str>) -> Result<Self, Problem> {
        todo!()
    }
}

impl<T> List<T> {
    /// Of up to `limit + 1` loaded rows, the first `limit`, with the cursor of the last of them if
    /// there was one more.
    pub fn of<K: Serialize>(_rows: Vec<T>, _limit: u16, _key: impl Fn(&T) -> K) -> Self {
        todo!()
    }

    /// The same list with each item turned into what is shown.
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(show).collect(), next_cursor: self.next_cursor }
    }
}
