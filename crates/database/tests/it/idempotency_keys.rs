//! Idempotency keys on a real Postgres, in the tables of both services that have them.

use chrono::TimeDelta;
use karcis_database::{IdempotencyKeys, KEY_LIFETIME, KeyUse, Pool, RequestKey, connect_to};
use karcis_kernel::{Timestamp, UserId};
use karcis_process::{CancellationToken, now};
use karcis_schemas::{BOOKINGS, PAYMENTS};
use karcis_testkit::TestEnvironment;
use uuid::Uuid;

const OF_BOOKINGS: IdempotencyKeys =
    IdempotencyKeys { subject: "booking_id", used_at: "created_at" };
const OF_PAYMENTS: IdempotencyKeys = IdempotencyKeys { subject: "attempt_id", used_at: "used_at" };

/// The two tables, in a database of the test's own.
async fn tables() -> (TestEnvironment, [(IdempotencyKeys, Pool); 2]) {
    let environment = TestEnvironment::start().await;
    let pool =
        async |schema| connect_to("DATABASE_URL", &environment.role_url(schema), 2).await.unwrap();
    let tables = [(OF_BOOKINGS, pool(BOOKINGS).await), (OF_PAYMENTS, pool(PAYMENTS).await)];
    (environment, tables)
}

fn key_use(user_id: UserId, key: &str, used_at: Timestamp) -> KeyUse {
    KeyUse {
        key: RequestKey { user_id, key: key.to_owned() },
        fingerprint: key.as_bytes().to_vec(),
        subject: Some(Uuid::now_v7()),
        used_at,
    }
}

/// Takes the keys in a transaction of their own; which of the uses have theirs.
async fn take(keys: IdempotencyKeys, pool: &Pool, uses: &[&KeyUse]) -> Vec<bool> {
    let mut transaction = pool.begin().await.unwrap();
    let taken = keys.take(&mut transaction, uses).await.unwrap();
    let taken = uses.iter().map(|it| taken.contains(it)).collect();
    transaction.commit().await.unwrap();
    taken
}

async fn find(
    keys: IdempotencyKeys,
    pool: &Pool,
    wanted: &[&KeyUse],
    since: Timestamp,
) -> Vec<KeyUse> {
    let wanted: Vec<RequestKey> = wanted.iter().map(|it| it.key.clone()).collect();
    let mut connection = pool.acquire().await.unwrap();
    let mut found = keys.find(&mut connection, &wanted, since).await.unwrap();
    found.sort_by(|one, other| one.key.cmp(&other.key));
    found
}

#[tokio::test]
async fn a_key_is_taken_once_and_found_as_it_was_used() {
    let (_environment, tables) = tables().await;
    for (keys, pool) in &tables {
        let at = now();
        let (sari, budi) = (UserId(Uuid::now_v7()), UserId(Uuid::now_v7()));
        let [first, again, of_another] =
            [(sari, at), (sari, at), (budi, at)].map(|(user, at)| key_use(user, "k", at));
        let other = key_use(sari, "l", at);

        assert_eq!(take(*keys, pool, &[&first, &other]).await, [true, true]);
        assert_eq!(take(*keys, pool, &[&again, &of_another]).await, [false, true]);

        let since = at - TimeDelta::seconds(1);
        assert_eq!(find(*keys, pool, &[&again, &other], since).await, [first.clone(), other]);
        assert_eq!(find(*keys, pool, &[&first], at).await, []);
        assert_eq!(find(*keys, pool, &[], since).await, []);
    }
}

#[tokio::test]
async fn of_two_uses_of_a_key_in_one_group_the_first_has_it() {
    let (_environment, tables) = tables().await;
    for (keys, pool) in &tables {
        let user = UserId(Uuid::now_v7());
        let uses = ["k", "j", "k"].map(|key| key_use(user, key, now()));
        let [first, other, second] = &uses;
        assert_eq!(take(*keys, pool, &[first, other, second]).await, [true, true, false]);
        let since = first.used_at - TimeDelta::seconds(1);
        assert_eq!(find(*keys, pool, &[second], since).await, std::slice::from_ref(first));
    }
}

#[tokio::test]
async fn a_key_older_than_a_day_is_taken_over() {
    let (_environment, tables) = tables().await;
    for (keys, pool) in &tables {
        let user = UserId(Uuid::now_v7());
        let at = now();
        let old = key_use(user, "old", at - KEY_LIFETIME);
        let fresh = key_use(user, "fresh", at - KEY_LIFETIME + TimeDelta::milliseconds(1));
        assert_eq!(take(*keys, pool, &[&old, &fresh]).await, [true, true]);

        let (over_old, over_fresh) = (key_use(user, "old", at), key_use(user, "fresh", at));
        assert_eq!(take(*keys, pool, &[&over_old, &over_fresh]).await, [true, false]);
        let since = at - KEY_LIFETIME;
        let found = find(*keys, pool, &[&old, &fresh], since).await;
        assert_eq!(found, [fresh, over_old]);
    }
}

#[tokio::test]
async fn an_answer_that_was_noted_goes_when_its_key_is_taken_over() {
    let (_environment, [_, (keys, pool)]) = tables().await;
    let user = UserId(Uuid::now_v7());
    let old = key_use(user, "k", now() - 2 * KEY_LIFETIME);
    take(keys, &pool, &[&old]).await;
    let note = "UPDATE idempotency_key SET answered_processing = true";
    sqlx::query(note).execute(&pool).await.unwrap();

    assert_eq!(take(keys, &pool, &[&key_use(user, "k", now())]).await, [true]);

    let noted = sqlx::query_scalar::<_, bool>("SELECT answered_processing FROM idempotency_key");
    assert!(!noted.fetch_one(&pool).await.unwrap());
}

#[tokio::test]
async fn a_purge_deletes_expired_keys_up_to_its_limit() {
    let (_environment, tables) = tables().await;
    for (keys, pool) in &tables {
        let user = UserId(Uuid::now_v7());
        let at = now();
        let uses =
            [4, 3, 2, 1].map(|age| key_use(user, &format!("{age}"), at - KEY_LIFETIME * age));
        take(*keys, pool, &uses.each_ref()).await;
        let before = at - KEY_LIFETIME;

        assert_eq!(keys.purge(pool, before, 2).await.unwrap(), 2);
        let wanted = uses.each_ref();
        let left = || find(*keys, pool, &wanted, before - 9 * KEY_LIFETIME);
        assert_eq!(left().await.len(), 2);
        assert!(left().await.contains(&uses[3]));
        assert_eq!(keys.purge(pool, before, 2).await.unwrap(), 1);
        assert_eq!(keys.purge(pool, before, 2).await.unwrap(), 0);
        assert_eq!(left().await, [uses[3].clone()]);
    }
}

#[tokio::test]
async fn all_expired_keys_are_purged_and_no_other() {
    let (_environment, tables) = tables().await;
    for (keys, pool) in &tables {
        let user = UserId(Uuid::now_v7());
        let at = now();
        let uses = [2, 3, 0].map(|age| key_use(user, &format!("{age}"), at - KEY_LIFETIME * age));
        take(*keys, pool, &uses.each_ref()).await;

        keys.purge_expired(pool, at, &CancellationToken::new()).await.unwrap();

        let left = find(*keys, pool, &uses.each_ref(), at - 9 * KEY_LIFETIME).await;
        assert_eq!(left, [uses[2].clone()]);
    }
}
