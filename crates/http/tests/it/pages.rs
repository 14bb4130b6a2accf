//! Lists in pages.

use karcis_http::{Cursor, List, Page};
use uuid::Uuid;

type Key = (i64, Uuid);

#[test]
fn pages_follow_one_another_to_the_end() {
    let all: Vec<u32> = (0..45).collect();
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = Page::<u32>::new(None, cursor.as_deref()).expect("a good page");
        let from = page.after.map_or(0, |after| after as usize + 1);
        let rows: Vec<_> = all[from..].iter().copied().take(usize::from(page.limit) + 1).collect();
        let list = List::of(rows, page.limit, |row| *row);
        assert!(list.items.len() <= 20);
        seen.extend(list.items);
        cursor = list.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[test]
fn a_page_that_is_exactly_full_is_the_last() {
    let list = List::of(vec![1, 2, 3], 3, |row| *row);
    assert_eq!((list.items.len(), list.next_cursor), (3, None));
    let empty = List::of(Vec::<i32>::new(), 3, |row| *row);
    assert_eq!(empty.next_cursor, None);
}

#[test]
fn a_cursor_needs_no_escaping_in_a_url() {
    let key: Key = (i64::MIN, Uuid::now_v7());
    let cursor = Cursor::encode(&key);
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(Page::<Key>::new(Some(1), Some(&cursor)).expect("a good page").after, Some(key));
}

#[test]
fn a_bad_limit_or_cursor_is_refused() {
    for limit in [0, 101, u16::MAX] {
        let refused = Page::<Key>::new(Some(limit), None).expect_err("a bad limit");
        assert_eq!(refused.status(), 422);
    }
    let nul = Cursor::encode(&"a\0b");
    assert!(Page::<String>::new(None, Some(&nul)).is_err(), "Postgres stores no NUL");
    for cursor in ["", "x", "!!!", "é", &Cursor::encode(&"other"), &Cursor::encode(&(1, 2, 3))] {
        assert!(Page::<Key>::new(None, Some(cursor)).is_err(), "{cursor}");
    }
}
