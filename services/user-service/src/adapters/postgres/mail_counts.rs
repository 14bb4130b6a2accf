//! How many e-mails an address got within a day: table `mail_count`. Addresses are stored as hashes, and
//! outlast the accounts that they were of.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_kernel::Timestamp;
use karcis_process::crash_point;
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

#[async_trait]
impl MailCounts for PgMailCounts {
    async fn admit(&self, mails: &[Mail], at: Timestamp) -> Result<Vec<bool>, StoreError> {
        let limits: BTreeSet<u32> =
            mails.iter().filter_map(Mail::daily_limit).map(|(_, most)| most).collect();
        let mut granted: HashMap<(u32, Vec<u8>), i32> = HashMap::new();
        // What its owner asks for may be more, and comes before what strangers do.
        for limit in limits.into_iter().rev() {
            let limited = mails.iter().filter_map(Mail::daily_limit);
            let limited = limited.filter(|(_, most)| *most == limit);
            let addresses: Vec<_> = limited.map(|(email, _)| hash(email)).collect();
            let counted: Vec<(Vec<u8>, i32)> = sqlx::query_as(
                "WITH wanted AS (
                     SELECT address, count(*)::int AS mails
                     FROM unnest($1::bytea[]) AS n (address) GROUP BY address
                 )
                 INSERT INTO mail_count AS kept (address, mails, granted, ends_at)
                 SELECT address, least(mails, $2), least(mails, $2), $3 + interval '1 day'
                 FROM wanted ORDER BY address
                 ON CONFLICT (address) DO UPDATE SET (mails, granted, ends_at) = (
                     SELECT begun + more, more,
                         CASE WHEN begun = 0 THEN EXCLUDED.ends_at ELSE kept.ends_at END
                     FROM wanted,
                         LATERAL (SELECT CASE WHEN kept.ends_at <= $3 THEN 0 ELSE kept.mails END
                             AS begun) AS day,
                         LATERAL (SELECT least(wanted.mails, greatest($2 - begun, 0)) AS more)
                             AS room
                     WHERE wanted.address = kept.address)
                 RETURNING address, granted",
            )
            .bind(addresses)
            .bind(i32::try_from(limit).unwrap_or(i32::MAX))
            .bind(at)
            .fetch_all(&self.0)
            .await?;
            granted.extend(counted.into_iter().map(|(address, more)| ((limit, address), more)));
        }
        crash_point("mails.counted");
        let is_admitted = |mail: &Mail| match mail.daily_limit() {
            None => true,
            Some((email, limit)) => granted.get_mut(&(limit, hash(email))).is_some_and(|left| {
                *left -= 1;
                *left >= 0
            }),
        };
        Ok(mails.iter().map(is_admitted).collect())
    }

    async fn uncount(&self, mails: &[&Mail]) -> Result<(), StoreError> {
        let limited = mails.iter().filter_map(|mail| mail.daily_limit());
        let addresses: Vec<_> = limited.map(|(email, _)| hash(email)).collect();
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
