//! Guesses at passwords: table `failed_login`, so that all instances count together. The database's clock
//! measures the waits.

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::{Pool, StoreError};
use karcis_kernel::{Timestamp, UserId};
use sha2::{Digest, Sha256};
use sqlx::postgres::types::PgInterval;

use super::known_peers;
use crate::{
    application::FailedLogins,
    domain::{Account, Allowance, ClientIp, Subject, WINDOW},
};

/// Table `failed_login`.
pub(crate) struct PgFailedLogins(pub Pool);

/// Counts a guess if the subject allows one now; else changes no row. Those who have to wait for an account
/// get turns, so its next guess is allowed after the last turn. Others who count at the same time are
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

/// For how many seconds none of these subjects allows a guess.
const WAIT: &str = "
    SELECT extract(epoch FROM min(least(not_before, ends_at)) - now())::float8 FROM failed_login
    WHERE subject = ANY ($1) AND not_before > now() AND ends_at > now()";

/// Makes room for a turn, unless there is one.
const ASK_FOR_TURN: &str = "
    INSERT INTO failed_login AS kept (subject, failures, ends_at) VALUES ($1, 0, now() + $2)
    ON CONFLICT (subject) DO UPDATE SET not_before = NULL, ends_at = excluded.ends_at
    WHERE kept.ends_at <= now()";

/// Counts a guess of the account that has to wait, if it needs not wait longer than a window: now it is
/// the last one that others wait for.
const QUEUE: &str = "
    UPDATE failed_login SET
        failures = failures + 1,
        not_before = not_before + least($3 * 2 ^ least(failures + 1 - $2, 20), $4)
    WHERE subject = $1 AND ends_at > now() AND not_before > now() AND not_before <= now() + $5
    RETURNING not_before - least($3 * 2 ^ least(failures - $2, 20), $4)";

/// Keeps a turn from its time on, for a window.
const KEEP_TURN: &str =
    "UPDATE failed_login SET not_before = $2, ends_at = $2 + $3 WHERE subject = $1";

/// Uses a turn whose time has come.
const TAKE_TURN: &str =
    "DELETE FROM failed_login WHERE subject = $1 AND not_before <= now() AND ends_at > now()";

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
            if let Some(wait) = self.charge_one(subject, allowance).await? {
                self.forgive(&subjects[..at]).await?;
                return Ok(Some(wait));
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

    async fn trust(&self, account: &Account, client_ip: &ClientIp) -> Result<(), StoreError> {
        let mut transaction = self.0.begin().await?;
        known_peers::remember(&mut transaction, account.user_id, client_ip).await?;
        let guesses = Subject::AccountAt(account.email.clone(), client_ip.clone());
        let forget = sqlx::query("DELETE FROM failed_login WHERE subject = $1").bind(key(&guesses));
        forget.execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

impl PgFailedLogins {
    async fn charge_one(
        &self,
        subject: &Subject,
        allowance: &Allowance,
    ) -> Result<Option<TimeDelta>, StoreError> {
        let turn = turn(subject);
        if let Some(turn) = &turn {
            // It was charged when the turn was given.
            let taken = sqlx::query(TAKE_TURN).bind(turn).execute(&self.0).await?;
            if taken.rows_affected() > 0 {
                return Ok(None);
            }
        }
        let charged = sqlx::query(CHARGE)
            .bind(key(subject))
            .bind(free(allowance))
            .bind(interval(allowance.first_wait))
            .bind(interval(allowance.longest_wait))
            .bind(interval(WINDOW))
            .execute(&self.0)
            .await?;
        if charged.rows_affected() > 0 {
            return Ok(None);
        }
        if let Some(turn) = &turn {
            self.give_turn(turn, subject, allowance).await?;
        }
        let waited_for: Vec<_> = turn.into_iter().chain([key(subject)]).collect();
        let wait = sqlx::query_scalar(WAIT).bind(waited_for).fetch_one(&self.0);
        // None if the wait is over by now.
        let wait_s: Option<f64> = wait.await?;
        Ok(Some(TimeDelta::milliseconds((wait_s.unwrap_or_default() * 1_000.0) as i64)))
    }

    /// Gives the guesser the next turn that nobody has, unless the guesser has one. Otherwise the one
    /// who asks most often could take each turn as it comes.
    async fn give_turn(
        &self,
        turn: &str,
        subject: &Subject,
        allowance: &Allowance,
    ) -> Result<(), StoreError> {
        let mut transaction = self.0.begin().await?;
        let asked = sqlx::query(ASK_FOR_TURN).bind(turn).bind(interval(WINDOW));
        if asked.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(());
        }
        let from: Option<Timestamp> = sqlx::query_scalar(QUEUE)
            .bind(key(subject))
            .bind(free(allowance))
            .bind(interval(allowance.first_wait))
            .bind(interval(allowance.longest_wait))
            .bind(interval(WINDOW))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(from) = from else { return Ok(()) };
        let keep = sqlx::query(KEEP_TURN).bind(turn).bind(from).bind(interval(WINDOW));
        keep.execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
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
        Subject::Account(email, _) => format!("account:{}", hash(&[email.as_str()])),
        Subject::ClientIp(ip) => format!("peer:{}", ip.0),
        Subject::Session(session) => format!("session:{}", session.0),
    }
}

/// As what a turn of strangers at this network address is stored.
fn turn(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Account(email, ip) => {
            Some(format!("turn:{}", hash(&[email.as_str(), " ", &ip.0])))
        }
        _ => None,
    }
}

fn hash(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
