//! Table `audit`, which every service's schema has: privileged acts, each recorded in its own
//! transaction.

use std::borrow::Cow;

use karcis_kernel::{Timestamp, UserId};
use karcis_process::trace;
use uuid::Uuid;

use crate::{Connection, Pool, StoreError};

/// What somebody did by the power of a role to what is not their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivilegedAct {
    /// `None`: the deployment's own settings did it, or its operator with `karcis`.
    pub actor: Option<UserId>,
    /// A verb and its object, such as `cancel_event`.
    pub action: &'static str,
    /// The id of the account, event, booking or message that it was done to; nil if `detail` names it.
    pub subject: Uuid,
    /// More about what was done, such as `buyer to operator`. Nothing personal.
    pub detail: Option<Cow<'static, str>>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
}

/// Who does something by the power of a role, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByOperator {
    pub actor: UserId,
    /// In the actor's words.
    pub reason: String,
}

impl ByOperator {
    /// What this person did to `subject`.
    pub fn act(&self, action: &'static str, subject: Uuid) -> PrivilegedAct {
        let (actor, reason) = (Some(self.actor), Some(self.reason.clone()));
        PrivilegedAct { actor, action, subject, detail: None, reason }
    }
}

/// A recorded act, as `GET /ops/{service}/audit` lists it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    pub audit_id: Uuid,
    pub at: Timestamp,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_id: Uuid,
    pub detail: Option<String>,
    pub reason: Option<String>,
    /// Leads to the log lines of the act.
    pub trace_id: Option<String>,
}

impl PrivilegedAct {
    /// Records the act. It stands if and only if the transaction is committed.
    pub async fn record(&self, transaction: &mut Connection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit (audit_id, actor_id, action, subject_id, detail, reason, trace_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::now_v7())
        .bind(self.actor.map(|actor| actor.0))
        .bind(self.action)
        .bind(self.subject)
        .bind(self.detail.as_deref())
        .bind(self.reason.as_deref())
        .bind(trace::trace_id(&trace::current()))
        .execute(transaction)
        .await?;
        Ok(())
    }

    /// Whether this very act is recorded: who repeats it, as its answer was lost, finds it so.
    pub async fn is_recorded(&self, connection: &mut Connection) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM audit WHERE subject_id = $1 AND action = $2
                 AND (actor_id, detail, reason) IS NOT DISTINCT FROM ($3, $4, $5))",
        )
        .bind(self.subject)
        .bind(self.action)
        .bind(self.actor.map(|actor| actor.0))
        .bind(self.detail.as_deref())
        .bind(self.reason.as_deref())
        .fetch_one(connection)
        .await
    }

    /// Whether this is what was done last to the subject.
    pub async fn was_last(&self, connection: &mut Connection) -> Result<bool, sqlx::Error> {
        let last: Option<String> = sqlx::query_scalar(
            "SELECT action FROM audit WHERE subject_id = $1 ORDER BY at DESC, audit_id DESC LIMIT 1",
        )
        .bind(self.subject)
        .fetch_optional(connection)
        .await?;
        Ok(last.as_deref() == Some(self.action))
    }
}

/// Up to `limit` recorded acts, the newest first, from the one on that follows `after`.
pub async fn audit(
    pool: &Pool,
    after: Option<(Timestamp, Uuid)>,
    limit: u16,
) -> Result<Vec<AuditRow>, StoreError> {
    let (at, id) = after.unzip();
    Ok(sqlx::query_as(
        "SELECT audit_id, at, actor_id, action, subject_id, detail, reason, trace_id FROM audit
         WHERE $1::timestamptz IS NULL OR (at, audit_id) < ($1, $2)
         ORDER BY at DESC, audit_id DESC LIMIT $3",
    )
    .bind(at)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?)
}
