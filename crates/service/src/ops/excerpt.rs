//! Pages and texts that stay small whatever strangers put into a message.

use karcis_http::{Cursor, List};
use serde::Serialize;

/// As much as a page of a list has, in bytes; an answer is smaller than 64 KiB.
const PAGE_BYTES: usize = 60_000;

/// The text in these bytes, without what controls a terminal, and at most so many bytes of it.
pub(super) fn text(bytes: &[u8], most: usize) -> String {
    let mut shown = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        let c = if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
        if shown.len() + c.len_utf8() > most {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

/// A page of `rows`, of which there may be one more than `limit`. It ends before `limit` where the items
/// are long; the next page begins there.
pub(super) fn page<R, T: Serialize, K: Serialize>(
    rows: Vec<R>,
    limit: u16,
    key: impl Fn(&R) -> K,
    item: impl Fn(R) -> T,
) -> List<T> {
    let all = rows.len();
    let (mut items, mut bytes, mut last) = (Vec::new(), 0, None);
    for row in rows.into_iter().take(limit.into()) {
        let own = key(&row);
        let item = item(row);
        bytes += serde_json::to_string(&item).map_or(0, |json| json.len());
        if bytes > PAGE_BYTES && !items.is_empty() {
            break;
        }
        items.push(item);
        last = Some(own);
    }
    let next_cursor = last.filter(|_| items.len() < all).map(|key| Cursor::encode(&key));
    List { items, next_cursor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_controls_nothing() {
        assert_eq!(text(b"{\"a\": 1}\n", 20), "{\"a\": 1}\n");
        assert_eq!(text(b"\x1b[2J\xff\0", 20), "\u{fffd}[2J\u{fffd}\u{fffd}");
        assert_eq!(text("ééé".as_bytes(), 5), "éé…");
        assert_eq!(text("ééé".as_bytes(), 6), "ééé");
    }

    #[test]
    fn a_page_ends_where_its_items_grow_too_long_and_the_next_begins_there() {
        let page = |rows: Vec<usize>, limit| page(rows, limit, |row| *row, |row| "x".repeat(row));
        let sizes = |list: &List<String>| list.items.iter().map(String::len).collect::<Vec<_>>();
        let all = page(vec![1, 2], 2);
        assert_eq!((sizes(&all), all.next_cursor), (vec![1, 2], None));
        let more = page(vec![1, 2, 3], 2);
        assert_eq!((sizes(&more), more.next_cursor), (vec![1, 2], Some(Cursor::encode(&2))));
        let long = page(vec![40_000, 30_000, 1], 10);
        assert_eq!((sizes(&long), long.next_cursor), (vec![40_000], Some(Cursor::encode(&40_000))));
        assert_eq!(sizes(&page(vec![90_000], 10)), [90_000], "at least one");
    }
}
