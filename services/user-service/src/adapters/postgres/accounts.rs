//! Accounts: table `account`, with the messages that publish their changes.

use async_trait::async_trait;
use karcis_database::{Connection, Pool, PrivilegedAct, StoreError, Transaction};
use karcis_kernel::{Role, UserId};
use karcis_messaging::{Outbox, Outgoing};
use uuid::Uuid;

use super::{
    account_mails,
    rows::{read_account, select_accounts},
    sessions,
};
use crate::{
    application::{
        Accounts, AdminSave, Erasing, Erasure, LockedSession, SaveError, Sessions, WhichSessions,
    },
    domain::{
        Account, AccountChange, AccountMail, AccountMailKind, Actor, Email, Locale, NewSession,
        OpenSession, PasswordHash, Phone, TimeZone, TokenHash,
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
        act: Option<&PrivilegedAct>,
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
            let verify = AccountMail::verify(account);
            account_mails::add(&mut transaction, &[verify]).await?;
        }
        Ok(self.finish(transaction, AccountChange::Registered(account), act).await?)
    }

    /// Writes the account and its message, and commits; `false` if it is not version `loaded` any more.
    async fn save_in(
        &self,
        mut transaction: Transaction,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
        mails: &[AccountMail],
        act: Option<&PrivilegedAct>,
    ) -> Result<bool, SaveError> {
        if !write(&mut transaction, loaded, account).await? {
            return if is_email_taken(&mut transaction, account).await? {
                Err(SaveError::EmailTaken)
            } else {
                Ok(false)
            };
        }
        if let Sessions::EndAllBut(kept) = sessions {
            sessions::end_all_but(&mut transaction, account.user_id, kept).await?;
            account_mails::void_tokens(&mut transaction, account.user_id).await?;
        }
        account_mails::add(&mut transaction, mails).await?;
        self.finish(transaction, AccountChange::Updated(account), act).await?;
        Ok(true)
    }

    async fn erase_once(&self, account: &Account) -> Result<Erasure, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if account.role == Role::Admin && !is_other_admin(&mut transaction, account.user_id).await?
        {
            return Ok(Erasure::LastAdmin);
        }
        // Sessions, tokens and known addresses go with it.
        let erased: Option<String> = sqlx::query_scalar(
            "DELETE FROM account WHERE user_id = $1 AND password_hash = $2 AND role = $3
             RETURNING email",
        )
        .bind(account.user_id.0)
        .bind(&account.password_hash.0)
        .bind(account.role.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(email) = erased else { return Ok(Erasure::Changed) };
        let unsent = sqlx::query("DELETE FROM account_mail WHERE email = $1").bind(email);
        unsent.execute(&mut *transaction).await?;
        self.finish(transaction, AccountChange::Erased(account.user_id), None).await?;
        Ok(Erasure::Erased)
    }

    /// Commits with the record of the act and the message, which is inserted last.
    async fn finish(
        &self,
        mut transaction: Transaction,
        change: AccountChange<'_>,
        act: Option<&PrivilegedAct>,
    ) -> Result<(), sqlx::Error> {
        if let Some(act) = act {
            act.record(&mut transaction).await?;
        }
        self.outbox.insert(&mut transaction, &[(self.encode)(change)]).await?;
        transaction.commit().await?;
        self.outbox.notify();
        Ok(())
    }
}

#[async_trait]
impl Erasing for PgAccounts {
    /// A commit without an answer may have landed: then there is no account.
    async fn erase(&self, account: &Account) -> Result<Erasure, StoreError> {
        match self.erase_once(account).await {
            Err(StoreError::Unavailable(_)) => {}
            outcome => return outcome,
        }
        if self.by_id(account.user_id).await?.is_none() {
            return Ok(Erasure::Erased);
        }
        self.erase_once(account).await
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

    async fn by_mailed_token(
        &self,
        kind: AccountMailKind,
        token: &TokenHash,
    ) -> Result<Option<Account>, StoreError> {
        let row = select_accounts!(
            "WHERE disabled_at IS NULL AND (user_id, email) = (
                 SELECT user_id, email FROM mailed_token
                 WHERE token_hash = $1 AND kind = $2 AND expires_at > now())"
        );
        let row = row.bind(token.0).bind(kind.as_str()).fetch_optional(&self.pool).await?;
        row.as_ref().map(read_account).transpose()
    }

    async fn has_admin(&self) -> Result<bool, StoreError> {
        let any =
            "SELECT EXISTS (SELECT FROM account WHERE role = 'admin' AND disabled_at IS NULL)";
        Ok(sqlx::query_scalar(any).fetch_one(&self.pool).await?)
    }

    /// A commit without an answer may have landed: then the account has this id.
    async fn add(
        &self,
        account: &Account,
        session: Option<&NewSession>,
        act: Option<&PrivilegedAct>,
    ) -> Result<(), SaveError> {
        match self.insert(account, session, act).await {
            Err(SaveError::Store(StoreError::Unavailable(_))) => {}
            inserted => return inserted,
        }
        match self.insert(account, session, act).await {
            Err(SaveError::EmailTaken) if self.by_id(account.user_id).await?.is_some() => Ok(()),
            inserted => inserted,
        }
    }

    async fn save(
        &self,
        loaded: i64,
        account: &Account,
        sessions: Sessions,
        mails: &[AccountMail],
        act: Option<&PrivilegedAct>,
    ) -> Result<bool, SaveError> {
        self.save_in(self.pool.begin().await?, loaded, account, sessions, mails, act).await
    }

    async fn save_as_admin(
        &self,
        admin: Actor,
        loaded: i64,
        account: &Account,
        act: &PrivilegedAct,
    ) -> Result<AdminSave, SaveError> {
        let mut transaction = self.pool.begin().await?;
        // In the order of their ids: two admins may change each other.
        let both = [admin.user_id.0, account.user_id.0];
        let lock =
            "SELECT FROM account WHERE user_id = ANY ($1) ORDER BY user_id FOR NO KEY UPDATE";
        sqlx::query(lock).bind(both).execute(&mut *transaction).await?;
        if !is_admin(&mut transaction, admin).await? {
            return Ok(AdminSave::NoAdmin);
        }
        let end = Sessions::EndAllBut(None);
        let is_saved = self.save_in(transaction, loaded, account, end, &[], Some(act)).await?;
        Ok(if is_saved { AdminSave::Saved } else { AdminSave::Conflict })
    }

    async fn replace_hash(&self, account: &Account, hash: &PasswordHash) -> Result<(), StoreError> {
        let replace =
            "UPDATE account SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2";
        sqlx::query(replace)
            .bind(account.user_id.0)
            .bind(&account.password_hash.0)
            .bind(&hash.0)
            .execute(&self.pool)
            .await?;
        Ok(())
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
            // The commit may have landed: then the session is there.
            Err(StoreError::Unavailable(_)) => {
                if sessions::exists(&self.pool, session.id).await? {
                    Ok(true)
                } else {
                    opening().await
                }
            }
            opened => opened,
        }
    }

    async fn is_live(&self, actor: Actor) -> Result<bool, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(sessions::is_live(&mut connection, actor).await?)
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<OpenSession>, StoreError> {
        Ok(sessions::live(&self.pool, user).await?)
    }

    async fn lock_session_of(
        &self,
        token: &TokenHash,
    ) -> Result<Option<Box<dyn LockedSession>>, StoreError> {
        sessions::lock(&self.pool, token).await
    }

    async fn end_sessions(&self, actor: Actor, which: WhichSessions) -> Result<u64, StoreError> {
        Ok(sessions::end(&self.pool, actor, which).await?)
    }

    async fn end_sessions_of(
        &self,
        user: Option<UserId>,
        act: &PrivilegedAct,
    ) -> Result<u64, StoreError> {
        sessions::end_all_of(&self.pool, user, act).await
    }

    async fn end_session_of(&self, token: &TokenHash) -> Result<(), StoreError> {
        Ok(sessions::end_of(&self.pool, token).await?)
    }
}

/// Writes the account, if it is version `loaded` and no other has its address.
async fn write(
    transaction: &mut Connection,
    loaded: i64,
    account: &Account,
) -> Result<bool, sqlx::Error> {
    let saved = sqlx::query(
        "UPDATE account SET email = $3, password_hash = $4, name = $5, phone = $6, locale = $7,
             time_zone = $8, role = $9, version = $10, disabled_at = $11,
             verified_email = CASE WHEN $12 THEN $3 END, welcomed = $13
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
    .bind(account.disabled_at)
    .bind(account.email_verified)
    .bind(account.is_welcomed)
    .execute(transaction)
    .await?;
    Ok(saved.rows_affected() > 0)
}

/// Whether the actor's account is an admin's and not disabled, and the session is live.
async fn is_admin(transaction: &mut Connection, actor: Actor) -> Result<bool, sqlx::Error> {
    let is_admin: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM account
         WHERE user_id = $1 AND role = 'admin' AND disabled_at IS NULL)",
    )
    .bind(actor.user_id.0)
    .fetch_one(&mut *transaction)
    .await?;
    Ok(is_admin && sessions::is_live(transaction, actor).await?)
}

/// Whether an admin besides this one can log in. All admins are locked, in the order of their ids: of two
/// that leave at the same time, one stays.
async fn is_other_admin(transaction: &mut Connection, admin: UserId) -> Result<bool, sqlx::Error> {
    let admins: Vec<Uuid> = sqlx::query_scalar(
        "SELECT user_id FROM account WHERE role = 'admin' AND disabled_at IS NULL
         ORDER BY user_id FOR UPDATE",
    )
    .fetch_all(transaction)
    .await?;
    Ok(admins.iter().any(|other| *other != admin.0))
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
