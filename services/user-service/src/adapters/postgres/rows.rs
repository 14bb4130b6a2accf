//! Rows of tables `account` and `notice`, parsed into the domain's types.

use karcis_database::{StoreError, read_row};
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use sqlx::{postgres::PgRow, types::Json};
use uuid::Uuid;

use super::stored_json::{ContentJson, notification_kind};
use crate::domain::{
    Account, Content, Email, Language, Locale, Mail, Notification, PasswordHash, PersonName, Phone,
    Recipient, TimeZone,
};

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// A query for [`read_account`]: all columns of an [`AccountRow`], and the rest of the statement.
macro_rules! select_accounts {
    ($rest:literal) => {
        sqlx::query(concat!(
            "SELECT user_id, email, password_hash, name, phone, locale, time_zone, role, version, \
             created_at, disabled_at, welcomed, coalesce(verified_email = email, false) AS email_verified \
             FROM account ",
            $rest
        ))
    };
}

pub(super) use select_accounts;

/// The account of this row.
pub(super) fn read_account(row: &PgRow) -> Result<Account, StoreError> {
    Ok(read_row("account", "user_id", row, AccountRow::parsed)?)
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    user_id: Uuid,
    email: String,
    email_verified: bool,
    password_hash: String,
    name: String,
    phone: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    role: String,
    version: i64,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
    welcomed: bool,
}

impl AccountRow {
    fn parsed(self) -> Result<Account, Unreadable> {
        Ok(Account {
            user_id: UserId(self.user_id),
            email: Email::parse(&self.email)?,
            email_verified: self.email_verified,
            is_welcomed: self.welcomed,
            password_hash: PasswordHash(self.password_hash),
            name: PersonName::stored(self.name),
            phone: self.phone.map(Phone::stored),
            locale: self.locale.as_deref().map(Locale::parse).transpose()?,
            time_zone: self.time_zone.as_deref().map(TimeZone::parse).transpose()?,
            role: self.role.parse()?,
            version: self.version,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
        })
    }
}

/// The language of e-mails to the account with this locale.
pub(super) fn language(locale: Option<&str>) -> Language {
    let locale = locale.and_then(|locale| Locale::parse(locale).ok());
    locale.map(|locale| locale.language()).unwrap_or_default()
}

/// A notification with what its e-mail needs of its buyer's account.
#[derive(sqlx::FromRow)]
pub(super) struct NotificationRow {
    booking_id: Uuid,
    kind: String,
    user_id: Uuid,
    event_id: Uuid,
    reason: Option<String>,
    content: Option<Json<ContentJson>>,
    trace: Option<String>,
    email: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    is_verified: Option<bool>,
}

impl NotificationRow {
    pub(super) fn parsed(self) -> Result<Mail, Unreadable> {
        let content = self.content.map(|Json(content)| content);
        let kind = notification_kind(&self.kind, self.reason, content);
        let is_verified = self.is_verified.unwrap_or_default();
        let recipient = match self.email.zip(self.name) {
            Some((email, name)) => {
                let (email, name) = (Email::parse(&email)?, PersonName::stored(name));
                Some(Recipient::owner(email, is_verified, name, language(self.locale.as_deref())))
            }
            None => None,
        };
        let notification = Notification {
            booking_id: BookingId(self.booking_id),
            user_id: UserId(self.user_id),
            event_id: EventId(self.event_id),
            kind: kind.ok_or("unknown kind of notification")?,
        };
        Ok(Mail { content: Content::Booking(notification), recipient, trace: self.trace })
    }
}
