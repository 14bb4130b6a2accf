//! What an operator does to a message that was set aside, recorded in the transaction of the act.

use karcis_database::{ByOperator, Pool, StoreError};
use uuid::Uuid;

/// What became of an operator's act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It is done.
    Now,
    /// It was done before: nothing was changed.
    Before,
    /// No message has this id.
    NotFound,
    /// The message is there, and this cannot be done to it.
    Impossible,
}

/// An act, in SQL.
pub(crate) struct Act {
    /// What the audit calls it.
    pub(crate) action: &'static str,
    /// Takes the message with the id $1 out of its table; returns topic and type.
    pub(crate) take: &'static str,
    /// Whether the message with the id $1 is there.
    pub(crate) is_there: &'static str,
}

impl Act {
    pub(crate) async fn run(
        &self,
        pool: &Pool,
        id: Uuid,
        by: &ByOperator,
    ) -> Result<Acted, StoreError> {
        let mut transaction = pool.begin().await?;
        let taken: Option<(String, Option<String>)> =
            sqlx::query_as(self.take).bind(id).fetch_optional(&mut *transaction).await?;
        let mut act = by.act(self.action, id);
        let Some((topic, kind)) = taken else {
            if act.was_last(&mut transaction).await? {
                return Ok(Acted::Before);
            }
            let is_there =
                sqlx::query_scalar(self.is_there).bind(id).fetch_one(&mut *transaction).await?;
            return Ok(if is_there { Acted::Impossible } else { Acted::NotFound });
        };
        let kind: String = kind.unwrap_or_default().chars().take(100).collect();
        act.detail = Some(format!("{topic} {kind}").trim_end().to_owned().into());
        act.record(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Acted::Now)
    }
}
