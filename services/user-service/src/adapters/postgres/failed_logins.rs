//! Guesses at passwords: table `failed_login`, so that all instances count together. The database's clock
//! measures the waits.

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::{Pool, StoreError};
use karcis_kernel::UserId;
use sha2::{Digest, Sha256};
use sqlx::postgres::types::PgInterval;

use super::known_peers;
use crate::{
    application::FailedLogins,
    domain::{Allowance, ClientIp, Email, Subject, WINDOW},
};

/// Table `failed_login`.
pub(crate) struct PgFailedLogins(pub Pool);

/// Counts a guess if the subject allows one now; else changes no row. Others who count at the same time are
/// waited for, so no guess is counted twice or not at all.
const CHARGE: &str = "
    INSERT INTO failed_login AS kept (subject, failures, ends_at, not_before)
    VALUES ($1, 1, now() + $5, CASE WHEN $2 <= 1 THEN now() + $3 END)
    ON CONFLICT (subject) DO UPDATE SET (failures, ends_at, not_before) = (
        SELECT count, CASE WHEN count = 1 THEN now() + $5 ELSE kept.ends_at END,
            CASE WHEN count >= $2 THEN now() + least($3 * 2 ^ least(count - $2, 20), $4) END
        FROM (
            SELECT CASE WHEN kept.ends_at <= now() THEN 1 ELSE kept.failures + 1 END AS count
        ) AS counted
    )
    WHERE kept.ends_at <= now() OR kept.not_before IS NULL OR kept.not_before <= now()";

/// For how many seconds the subject allows no guess.
const WAIT: &str = "
    SELECT extract(epoch FROM least(not_before, ends_at) - now())::float8 FROM failed_login
    WHERE subject = $1 AND not_before > now() AND ends_at > now()";

/// Takes a guess back.
const FORGIVE: &str = "
    UPDATE failed_login SET
        failures = failures - 1,
        not_before = CASE WHEN failures - 1 >= $2 THEN not_before END
    WHERE subject = $1 AND ends_at > now() AND failures > 0";

#[async_trait]
impl FailedLogins for PgFailedLogins {
    async fn is_known(
        &self,
        user: Option<UserId>,
        client_ip: &ClientIp,
    ) -> Result<bool, StoreError> {
        Ok(known_peers::is_known(&self.0, user, client_ip).await?)
    }

    async fn charge(
        &self,
        subjects: &[(Subject, Allowance)],
    ) -> Result<Option<TimeDelta>, StoreError> {
        for (at, (subject, allowance)) in subjects.iter().enumerate() {
            let charged = sqlx::query(CHARGE)
                .bind(key(subject))
                .bind(free(allowance))
                .bind(interval(allowance.first_wait))
                .bind(interval(allowance.longest_wait))
                .bind(interval(WINDOW))
                .execute(&self.0)
                .await?;
            if charged.rows_affected() == 0 {
                self.forgive(&subjects[..at]).await?;
                let wait = sqlx::query_scalar(WAIT).bind(key(subject)).fetch_optional(&self.0);
                // None if the wait is over by now.
                let wait_s: f64 = wait.await?.unwrap_or_default();
                return Ok(Some(TimeDelta::milliseconds((wait_s * 1_000.0) as i64)));
            }
        }
        Ok(None)
    }

    async fn forgive(&self, subjects: &[(Subject, Allowance)]) -> Result<(), StoreError> {
        for (subject, allowance) in subjects {
            let forgiven = sqlx::query(FORGIVE).bind(key(subject)).bind(free(allowance));
            forgiven.execute(&self.0).await?;
        }
        Ok(())
    }

    async fn forget(&self, email: &Email, client_ip: &ClientIp) -> Result<(), StoreError> {
        let subject = Subject::AccountAt(email.clone(), client_ip.clone());
        let forget = sqlx::query("DELETE FROM failed_login WHERE subject = $1").bind(key(&subject));
        forget.execute(&self.0).await?;
        Ok(())
    }
}

fn free(allowance: &Allowance) -> i32 {
    i32::try_from(allowance.free).unwrap_or(i32::MAX)
}

fn interval(time: TimeDelta) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: time.num_microseconds().unwrap_or(i64::MAX) }
}

/// The subject as it is stored: e-mail addresses hashed, as they may be of people without an account.
fn key(subject: &Subject) -> String {
    match subject {
        Subject::AccountAt(email, ip) => format!("pair:{}", hash(&[email.as_str(), " ", &ip.0])),
        Subject::Account(email) => format!("account:{}", hash(&[email.as_str()])),
        Subject::ClientIp(ip) => format!("peer:{}", ip.0),
        Subject::Session(session) => format!("session:{}", session.0),
    }
}

fn hash(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
