//! E-mails about accounts and the tokens that they bring: tables `account_mail` and `mailed_token`.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::{Connection, Pool, StoreError};
use karcis_kernel::{Timestamp, UserId};
use karcis_process::crash_point;
use uuid::Uuid;

use super::rows::language;
use crate::{
    adapters::secret_tokens,
    application::{AccountMails, MailQueue},
    domain::{
        AccountMail, AccountMailKind, Content, Email, Mail, MailedToken, PersonName, Recipient,
        TokenHash,
    },
};

/// Table `account_mail`.
pub(crate) struct PgAccountMails(pub Pool);

/// Adds these e-mails, but for those that wait already and those of accounts that are gone.
pub(super) async fn add(
    connection: &mut Connection,
    mails: &[AccountMail],
) -> Result<(), sqlx::Error> {
    if mails.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO account_mail (email, kind, user_id, was_verified, noted_at, try_at)
         SELECT email, kind, user_id, was_verified, now(), now()
         FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bool[])
             AS n (email, kind, user_id, was_verified)
         WHERE user_id IS NULL OR user_id IN (
             SELECT user_id FROM account WHERE user_id = ANY($3) FOR KEY SHARE)
         ORDER BY email, kind
         ON CONFLICT ON CONSTRAINT account_mail_once DO NOTHING",
    )
    .bind(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>())
    .bind(mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>())
    .bind(mails.iter().map(|mail| mail.user_id.map(|id| id.0)).collect::<Vec<_>>())
    .bind(mails.iter().map(|mail| mail.was_verified).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends all tokens of this person's e-mails.
pub(super) async fn void_tokens(
    connection: &mut Connection,
    user: UserId,
) -> Result<(), sqlx::Error> {
    let void = sqlx::query("DELETE FROM mailed_token WHERE user_id = $1").bind(user.0);
    void.execute(connection).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    email: String,
    kind: String,
    erased_with: Option<Uuid>,
    was_verified: bool,
    /// Of the account that has the address now.
    user_id: Option<Uuid>,
    name: Option<String>,
    /// Of the account that it is erased with, or else of that one.
    locale: Option<String>,
    is_verified: Option<bool>,
}

/// A token that an e-mail is about to bring.
struct NewMailedToken {
    hash: TokenHash,
    user_id: Uuid,
    kind: AccountMailKind,
    email: String,
    expires_at: Timestamp,
}

impl Row {
    /// The e-mail, with a new token if it brings one; `None` if its address cannot be read.
    fn mail(self, at: Timestamp) -> Option<(Mail, Option<NewMailedToken>)> {
        let Self { email, kind, erased_with, was_verified, user_id, name, locale, is_verified } =
            self;
        let kind = AccountMailKind::ALL.into_iter().find(|one| one.as_str() == kind)?;
        let to = Email::parse(&email).ok()?;
        let is_verified = is_verified.unwrap_or_default();
        let (name, language) = (name.map(PersonName::stored), language(locale.as_deref()));
        let owner = name.map(|name| Recipient::owner(to.clone(), is_verified, name, language));
        let recipient = match kind {
            AccountMailKind::VerifyEmail => owner.filter(|_| !is_verified),
            AccountMailKind::ResetPassword => owner,
            AccountMailKind::Welcome => owner.filter(|_| is_verified),
            AccountMailKind::AddressChanged => {
                let (email, is_verified) = (to.clone(), was_verified);
                Some(Recipient { email, is_verified, greeting: None, language })
            }
        };
        let (user_id, lifetime) = (recipient.as_ref().and(user_id), kind.token_lifetime());
        let minted = user_id.zip(lifetime).map(|(user_id, lifetime)| {
            let (token, hash) = secret_tokens::generate();
            let expires_at = at + lifetime;
            (MailedToken(token), NewMailedToken { hash, user_id, kind, email, expires_at })
        });
        let (token, stored) = minted.unzip();
        let content = Content::Account(
            AccountMail { kind, to, user_id: erased_with.map(UserId), was_verified },
            token,
        );
        Some((Mail { content, recipient, trace: None }, stored))
    }
}

/// Stores the tokens of those accounts that are there.
async fn store(pool: &Pool, tokens: &[NewMailedToken]) -> Result<(), sqlx::Error> {
    if tokens.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO mailed_token (token_hash, user_id, kind, email, expires_at)
         SELECT token_hash, user_id, kind, n.email, expires_at
         FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
             AS n (token_hash, user_id, kind, email, expires_at)
         JOIN account USING (user_id) ORDER BY user_id FOR KEY SHARE OF account",
    )
    .bind(tokens.iter().map(|token| token.hash.0).collect::<Vec<_>>())
    .bind(tokens.iter().map(|token| token.user_id).collect::<Vec<_>>())
    .bind(tokens.iter().map(|token| token.kind.as_str()).collect::<Vec<_>>())
    .bind(tokens.iter().map(|token| token.email.as_str()).collect::<Vec<_>>())
    .bind(tokens.iter().map(|token| token.expires_at).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

#[async_trait]
impl AccountMails for PgAccountMails {
    async fn add(&self, mail: &AccountMail) -> Result<(), StoreError> {
        let mut connection = self.0.acquire().await?;
        Ok(add(&mut connection, std::slice::from_ref(mail)).await?)
    }
}

#[async_trait]
impl MailQueue for PgAccountMails {
    async fn claim_due(
        &self,
        at: Timestamp,
        until: Timestamp,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "WITH given_up AS (
                 DELETE FROM account_mail WHERE (email, kind) IN (
                     SELECT email, kind FROM account_mail
                     WHERE try_at <= $1 AND noted_at <= $3
                     LIMIT 5000 FOR UPDATE SKIP LOCKED)
             ), due AS (
                 SELECT email, kind FROM account_mail
                 WHERE try_at <= $1 AND noted_at > $3 AND kind = ANY ($5)
                 ORDER BY try_at LIMIT $4
                 FOR NO KEY UPDATE SKIP LOCKED
             )
             UPDATE account_mail AS mail SET try_at = $2
             FROM due LEFT JOIN account ON account.email = due.email AND disabled_at IS NULL
             WHERE mail.email = due.email AND mail.kind = due.kind
             RETURNING mail.email, mail.kind, mail.user_id AS erased_with, was_verified,
                 account.user_id, name,
                 coalesce(
                     (SELECT locale FROM account AS owner WHERE owner.user_id = mail.user_id),
                     account.locale
                 ) AS locale,
                 verified_email = account.email AS is_verified",
        )
        .bind(at)
        .bind(until)
        .bind(since)
        .bind(limit as i64)
        .bind(AccountMailKind::ALL.map(AccountMailKind::as_str).to_vec())
        .fetch_all(&self.0)
        .await?;
        if !rows.is_empty() {
            crash_point("account_mails.claimed");
        }
        let (mails, tokens): (Vec<_>, Vec<_>) =
            rows.into_iter().filter_map(|row| row.mail(at)).unzip();
        store(&self.0, &tokens.into_iter().flatten().collect::<Vec<_>>()).await?;
        Ok(mails)
    }

    async fn record(
        &self,
        outcomes: &[(&Mail, bool)],
        at: Timestamp,
        pause: RangeInclusive<TimeDelta>,
    ) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        crash_point("account_mails.sent");
        let keys = |wanted: bool| -> (Vec<&str>, Vec<&str>) {
            let wanted = outcomes.iter().filter(|(_, is_done)| *is_done == wanted);
            let keys = wanted.filter_map(|(mail, _)| match &mail.content {
                Content::Account(mail, _) => Some((mail.to.as_str(), mail.kind.as_str())),
                Content::Booking(_) => None,
            });
            keys.unzip()
        };
        let ((done_to, done_kinds), (open_to, open_kinds)) = (keys(true), keys(false));
        sqlx::query(
            "WITH done AS (
                 DELETE FROM account_mail WHERE (email, kind) IN
                     (SELECT * FROM unnest($1::text[], $2::text[]))
             )
             UPDATE account_mail SET try_at = $5 + least(greatest($5 - noted_at, $6), $7)
             WHERE (email, kind) IN (SELECT * FROM unnest($3::text[], $4::text[]))",
        )
        .bind(done_to)
        .bind(done_kinds)
        .bind(open_to)
        .bind(open_kinds)
        .bind(at)
        .bind(*pause.start())
        .bind(*pause.end())
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
