//! Failed log-ins: table `failed_login`, so that all instances count together.

use std::collections::HashMap;

use async_trait::async_trait;
use karcis_database::{Pool, StoreError};
use karcis_kernel::Timestamp;
use sha2::{Digest, Sha256};

use crate::{
    application::FailedLogins,
    domain::{Failures, Subject, WINDOW},
};

/// Table `failed_login`.
pub(crate) struct PgFailedLogins(pub Pool);

#[async_trait]
impl FailedLogins for PgFailedLogins {
    async fn failures(
        &self,
        subjects: &[Subject],
        at: Timestamp,
    ) -> Result<HashMap<Subject, Failures>, StoreError> {
        let mut by_key: HashMap<String, &Subject> =
            subjects.iter().map(|subject| (key(subject), subject)).collect();
        let keys: Vec<String> = by_key.keys().cloned().collect();
        let rows: Vec<(String, i32, Timestamp)> = sqlx::query_as(
            "SELECT subject, failures, ends_at FROM failed_login
             WHERE subject = ANY ($1) AND ends_at > $2",
        )
        .bind(keys)
        .bind(at)
        .fetch_all(&self.0)
        .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, failures, ends_at)| {
                let count = u32::try_from(failures).unwrap_or(u32::MAX);
                Some((by_key.remove(&key)?.clone(), Failures { count, ends_at }))
            })
            .collect())
    }

    async fn count(&self, subjects: &[Subject], at: Timestamp) -> Result<(), StoreError> {
        let keys: Vec<String> = subjects.iter().map(key).collect();
        sqlx::query(
            "INSERT INTO failed_login AS kept (subject, failures, ends_at)
             SELECT subject, 1, $2 FROM unnest($1::text[]) AS subject ORDER BY subject
             ON CONFLICT (subject) DO UPDATE SET
                 failures = CASE WHEN kept.ends_at > $3 THEN kept.failures + 1 ELSE 1 END,
                 ends_at = CASE WHEN kept.ends_at > $3 THEN kept.ends_at ELSE excluded.ends_at END",
        )
        .bind(keys)
        .bind(at + WINDOW)
        .bind(at)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}

/// The subject as it is stored: e-mail addresses hashed, as they may be of people without an account.
fn key(subject: &Subject) -> String {
    match subject {
        Subject::Account(email) => {
            let hash = Sha256::digest(email.as_str().as_bytes());
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("account:{hex}")
        }
        Subject::ClientIp(ip) => format!("peer:{}", ip.0),
    }
}
