//! Rows of tables `account` and `notice`, parsed into the domain's types.

use karcis_database::StoreError;
use karcis_kernel::{BookingId, EventId, Timestamp, UserId};
use uuid::Uuid;

use crate::domain::{
    Account, Buyer, DueNotification, Email, Locale, Notification, NotificationKind, PasswordHash,
    PersonName, Phone, TimeZone,
};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A row of table `account`.
#[derive(sqlx::FromRow)]
pub(crate) struct AccountRow {
    user_id: Uuid,
    email: String,
    password_hash: String,
    name: String,
    phone: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    role: String,
    version: i64,
    created_at: Timestamp,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Ok(Self {
            user_id: UserId(row.user_id),
            email: stored(Email::parse(&row.email))?,
            password_hash: PasswordHash(row.password_hash),
            name: stored(PersonName::parse(&row.name))?,
            phone: stored(row.phone.as_deref().map(Phone::parse).transpose())?,
            locale: stored(row.locale.as_deref().map(Locale::parse).transpose())?,
            time_zone: stored(row.time_zone.as_deref().map(TimeZone::parse).transpose())?,
            role: stored(row.role.parse())?,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

/// A notice with the e-mail address and name of its buyer's account.
#[derive(sqlx::FromRow)]
pub(crate) struct NotificationRow {
    booking_id: Uuid,
    kind: String,
    user_id: Uuid,
    event_id: Uuid,
    reason: Option<String>,
    trace: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

impl TryFrom<NotificationRow> for DueNotification {
    type Error = StoreError;

    fn try_from(row: NotificationRow) -> Result<Self, StoreError> {
        let kind = NotificationKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
        let buyer = row.email.zip(row.name).map(|(email, name)| {
            let (email, name) = (stored(Email::parse(&email))?, stored(PersonName::parse(&name))?);
            Ok::<_, StoreError>(Buyer { email, name })
        });
        let notification = Notification {
            booking_id: BookingId(row.booking_id),
            kind: stored(kind.ok_or("unknown kind of notice"))?,
            user_id: UserId(row.user_id),
            event_id: EventId(row.event_id),
            reason: row.reason,
        };
        Ok(Self { notification, buyer: buyer.transpose()?, trace: row.trace })
    }
}

/// A stored value; an error if it does not follow the domain's rules.
fn stored<T>(parsed: Result<T, impl Into<Cause>>) -> Result<T, StoreError> {
    parsed.map_err(StoreError::rejected)
}
