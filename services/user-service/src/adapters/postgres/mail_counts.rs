//! How many e-mails an address got within a day: table `mail_count`. Addresses are stored as hashes, and
//! outlast the accounts that they were of.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_kernel::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    application::MailCounts,
    domain::{Email, Mail},
};

/// Table `mail_count`.
pub(crate) struct PgMailCounts(pub Pool);

/// The same for all addresses that differ only in what many providers let people add: sari+shop@mail.example.
fn hash(email: &Email) -> Vec<u8> {
    let (local, domain) = email.as_str().split_once('@').unwrap_or_default();
    let mailbox = local.split('+').next().unwrap_or_default();
    Sha256::digest(format!("{mailbox}@{domain}")).to_vec()
}

/// The limited ones among these e-mails: their addresses, and how many a day are allowed.
fn limited<'a>(mails: impl Iterator<Item = &'a Mail>) -> (Vec<Vec<u8>>, Vec<i32>) {
    let limited = mails.filter_map(Mail::daily_limit);
    limited.map(|(email, limit)| (hash(email), i32::try_from(limit).unwrap_or(i32::MAX))).unzip()
}

#[async_trait]
impl MailCounts for PgMailCounts {
    async fn admit(&self, mails: &[Mail], at: Timestamp) -> Result<Vec<bool>, StoreError> {
        let (addresses, limits) = limited(mails.iter());
        let mut granted: HashMap<Vec<u8>, i32> = HashMap::new();
        if !addresses.is_empty() {
            let counted: Vec<(Vec<u8>, i32)> = sqlx::query_as(
                "WITH wanted AS (
                     SELECT address, count(*)::int AS mails, min(most) AS most
                     FROM unnest($1::bytea[], $2::int[]) AS n (address, most) GROUP BY address
                 )
                 INSERT INTO mail_count AS kept (address, mails, granted, ends_at)
                 SELECT address, least(mails, most), least(mails, most), $3 + interval '1 day'
                 FROM wanted ORDER BY address
                 ON CONFLICT (address) DO UPDATE SET (mails, granted, ends_at) = (
                     SELECT begun + more, more,
                         CASE WHEN begun = 0 THEN EXCLUDED.ends_at ELSE kept.ends_at END
                     FROM wanted,
                         LATERAL (SELECT CASE WHEN kept.ends_at <= $3 THEN 0 ELSE kept.mails END
                             AS begun) AS day,
                         LATERAL (SELECT least(wanted.mails, greatest(most - begun, 0)) AS more)
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
        let is_admitted = |mail: &Mail| match mail.daily_limit() {
            None => true,
            Some((email, _)) => granted.get_mut(&hash(email)).is_some_and(|left| {
                *left -= 1;
                *left >= 0
            }),
        };
        Ok(mails.iter().map(is_admitted).collect())
    }

    async fn uncount(&self, mails: &[&Mail]) -> Result<(), StoreError> {
        let (addresses, _) = limited(mails.iter().copied());
        if addresses.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "WITH locked AS (
                 SELECT address FROM mail_count WHERE address = ANY ($1)
                 ORDER BY address FOR NO KEY UPDATE
             )
             UPDATE mail_count AS kept SET mails = greatest(kept.mails - n.mails, 0)
             FROM (SELECT address, count(*)::int AS mails FROM unnest($1::bytea[]) AS n (address)
                   JOIN locked USING (address) GROUP BY address) AS n
             WHERE kept.address = n.address",
        )
        .bind(addresses)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
