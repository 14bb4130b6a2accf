//! `eventually` waits for as long as it takes, and says what it saw when that is too long.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use karcis_testkit::eventually;

#[tokio::test]
async fn it_returns_what_comes_true_later() {
    let looks = AtomicU32::new(0);
    let third = eventually(async || match looks.fetch_add(1, Ordering::Relaxed) {
        look @ ..3 => Err(look),
        look => Ok(look),
    });
    assert_eq!(third.await, 3);
    eventually(async || looks.fetch_add(1, Ordering::Relaxed)).is(6).await;
}

#[tokio::test]
#[should_panic(expected = "\"held\" is not \"sold\"")]
async fn it_says_what_it_saw_last() {
    eventually(async || "held").within(Duration::from_millis(50)).is("sold").await;
}
