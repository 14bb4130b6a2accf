//! Accounts: table `account`, with the messages that publish their changes.

use async_trait::async_trait;
use karcis_database::{Connection, Pool, StoreError};
use karcis_kernel::{Timestamp, UserId};
use karcis_messaging::{Outbox, Outgoing};

use super::{
    rows::{read_account, select_accounts},
    sessions,
};
use crate::{
    application::{Accounts, SaveError, Sessions},
    domain::{
        Account, AccountChange, Email, Locale, NewSession, NewToken, Phone, SessionId, StoredToken,
        TimeZone, TokenHash,
    },
};

/// The accounts with their sessions.
pub(crate) struct PgAccounts {
    pool: Pool,
    outbox: Outbox,
    encode: fn(AccountChange) -> Outgoing,
}

impl From<sqlx::Error> for SaveError {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error.as_database_error().and_then(|error| error.constraint());
        if constraint == Some("account_email_once") {
            Self::EmailTaken
        } else {
            Self::Store(error.into())
        }
    }
}

impl PgAccounts {
    /// `outbox` is of the same schema as `pool`; `encode` gives the message that publishes a change.
    pub(crate) fn new(pool: Pool, outbox: Outbox, encode: fn(AccountChange) -> Outgoing) -> Self {
        Self { pool, outbox, encode }
    }

    async fn insert(
        &self,
        account: &Account,
        session: Option<&NewSession>,
    ) -> Result<(), SaveError> {
        let mut transaction = self.pool.begin().await?;
        let added = sqlx::query(
            "INSERT INTO account (user_id, email, password_hash, name, role, version, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT ON CONSTRAINT account_email_once DO NOTHING",
        )
        .bind(account.user_id.0)
        .bind(account.email.as_str())
        .bind(&account.password_hash.0)
        .bind(account.name.as_str())
        .bind(account.role.as_str())
        .bind(account.version)
        .bind(account.created_at)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Err(SaveError::EmailTaken);
        }
        if let Some(session) = session {
            sessions::open(&mut transaction, account, session).await?;
        }
        self.publish(&mut transaction, AccountChange::Registered(account)).await?;
        transaction.commit().await?;
        self.outbox.notify();
        Ok(())
    }

    async fn publish(
        &self,
        transaction: &mut Connection,
        change: AccountChange<'_>,
    ) -> Result<(), sqlx::Error> {
        self.outbox.insert(transaction, &[(self.encode)(change)]).await
    }
}

#[async_trait]
impl Accounts for PgAccounts {
    async fn by_id(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let row =
            select_accounts!("WHERE user_id = $1").bind(id.0).fetch_optional(&self.pool).await?;
        row.as_ref().map(read_account).transpose()
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let row = select_accounts!("WHERE email = $1")
            .bind(email.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// A commit without an answer may have landed: then the account has this id.
    async fn add(&self, account: &Account, session: Option<&NewSession>) -> Result<(), SaveError> {
        match self.insert(account, session).await {
            Err(SaveError::Store(StoreError::Unavailable(_))) => {}
            inserted => return inserted,
        }
        match self.insert(account, session).await {
            Err(SaveError::EmailTaken) if self.by_id(account.user_id).await?.is_some() => Ok(()),
            inserted => inserted,
        }
    }

    async fn save(
        &self,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
    ) -> Result<bool, SaveError> {
        let mut transaction = self.pool.begin().await?;
        let saved = sqlx::query(
            "UPDATE account SET email = $3, password_hash = $4, name = $5, phone = $6, locale = $7,
                 time_zone = $8, role = $9, version = $10
             WHERE user_id = $1 AND version = $2
                 AND NOT EXISTS (SELECT FROM account WHERE email = $3 AND user_id <> $1)",
        )
        .bind(account.user_id.0)
        .bind(loaded)
        .bind(account.email.as_str())
        .bind(&account.password_hash.0)
        .bind(account.name.as_str())
        .bind(account.phone.as_ref().map(Phone::as_str))
        .bind(account.locale.as_ref().map(Locale::as_str))
        .bind(account.time_zone.map(TimeZone::as_str))
        .bind(account.role.as_str())
        .bind(account.version)
        .execute(&mut *transaction)
        .await?;
        if saved.rows_affected() == 0 {
            return if is_email_taken(&mut transaction, account).await? {
                Err(SaveError::EmailTaken)
            } else {
                Ok(false)
            };
        }
        if let Sessions::EndAllBut(kept) = sessions {
            sessions::end_all_but(&mut transaction, account.user_id, kept).await?;
        }
        self.publish(&mut transaction, AccountChange::Updated(account)).await?;
        transaction.commit().await?;
        self.outbox.notify();
        Ok(true)
    }

    async fn open_session(
        &self,
        account: &Account,
        session: &NewSession,
    ) -> Result<bool, StoreError> {
        let opening = async || {
            let mut transaction = self.pool.begin().await?;
            let opened = sessions::open(&mut transaction, account, session).await?;
            transaction.commit().await?;
            Ok(opened)
        };
        match opening().await {
            // The commit may have landed: then the token is stored.
            Err(StoreError::Unavailable(_)) => match self.token(&session.token.hash).await? {
                Some(_) => Ok(true),
                None => opening().await,
            },
            opened => opened,
        }
    }

    async fn token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError> {
        Ok(sessions::token(&self.pool, hash).await?)
    }

    async fn rotate(
        &self,
        session: SessionId,
        used: &TokenHash,
        next: &NewToken,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let rotating = async || {
            let mut transaction = self.pool.begin().await?;
            let rotated = sessions::rotate(&mut transaction, session, used, next, at).await?;
            if rotated {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            Ok(rotated)
        };
        match rotating().await {
            // The commit may have landed: then the next token is stored.
            Err(StoreError::Unavailable(_)) => match self.token(&next.hash).await? {
                Some(_) => Ok(true),
                None => rotating().await,
            },
            rotated => rotated,
        }
    }

    async fn end_session(&self, session: SessionId) -> Result<(), StoreError> {
        Ok(sessions::end(&self.pool, session).await?)
    }

    async fn end_session_of(&self, token: &TokenHash) -> Result<(), StoreError> {
        Ok(sessions::end_of(&self.pool, token).await?)
    }
}

/// Whether another account has this account's e-mail address.
async fn is_email_taken(
    transaction: &mut Connection,
    account: &Account,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query("SELECT FROM account WHERE email = $1 AND user_id <> $2")
        .bind(account.email.as_str())
        .bind(account.user_id.0)
        .fetch_optional(transaction)
        .await?;
    Ok(taken.is_some())
}
