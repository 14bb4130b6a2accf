//! How many letters an address got within a day: table `letter_count`. Addresses are stored as hashes, and
//! outlast the accounts that they were of.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_kernel::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    application::LetterCounts,
    domain::{Email, Letter},
};

/// Table `letter_count`.
pub(crate) struct PgLetterCounts(pub Pool);

fn hash(email: &Email) -> Vec<u8> {
    Sha256::digest(email.as_str()).to_vec()
}

/// The limited ones among these letters: their addresses, and how many a day are allowed.
fn limited<'a>(letters: impl Iterator<Item = &'a Letter>) -> (Vec<Vec<u8>>, Vec<i32>) {
    let limited = letters.filter_map(Letter::daily_limit);
    limited.map(|(email, limit)| (hash(email), i32::try_from(limit).unwrap_or(i32::MAX))).unzip()
}

#[async_trait]
impl LetterCounts for PgLetterCounts {
    async fn admit(&self, letters: &[Letter], at: Timestamp) -> Result<Vec<bool>, StoreError> {
        let (addresses, limits) = limited(letters.iter());
        let mut granted: HashMap<Vec<u8>, i32> = HashMap::new();
        if !addresses.is_empty() {
            let counted: Vec<(Vec<u8>, i32)> = sqlx::query_as(
                "WITH wanted AS (
                     SELECT address, count(*)::int AS letters, min(most) AS most
                     FROM unnest($1::bytea[], $2::int[]) AS n (address, most) GROUP BY address
                 )
                 INSERT INTO letter_count AS kept (address, letters, granted, ends_at)
                 SELECT address, least(letters, most), least(letters, most), $3 + interval '1 day'
                 FROM wanted ORDER BY address
                 ON CONFLICT (address) DO UPDATE SET (letters, granted, ends_at) = (
                     SELECT begun + more, more,
                         CASE WHEN begun = 0 THEN EXCLUDED.ends_at ELSE kept.ends_at END
                     FROM wanted,
                         LATERAL (SELECT CASE WHEN kept.ends_at <= $3 THEN 0 ELSE kept.letters END
                             AS begun) AS day,
                         LATERAL (SELECT least(wanted.letters, greatest(most - begun, 0)) AS more)
                             AS room
                     WHERE wanted.address = kept.address)
                 RETURNING address, granted",
            )
            .bind(addresses)
            .bind(limits)
            .bind(at)
            .fetch_all(&self.0)
            .await?;
            granted.extend(counted);
        }
        let is_admitted = |letter: &Letter| match letter.daily_limit() {
            None => true,
            Some((email, _)) => granted.get_mut(&hash(email)).is_some_and(|left| {
                *left -= 1;
                *left >= 0
            }),
        };
        Ok(letters.iter().map(is_admitted).collect())
    }

    async fn give_back(&self, letters: &[&Letter]) -> Result<(), StoreError> {
        let (addresses, _) = limited(letters.iter().copied());
        if addresses.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE letter_count AS kept SET letters = greatest(kept.letters - n.letters, 0)
             FROM (SELECT address, count(*)::int AS letters FROM unnest($1::bytea[]) AS n (address)
                   GROUP BY address) AS n
             WHERE kept.address = n.address",
        )
        .bind(addresses)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
