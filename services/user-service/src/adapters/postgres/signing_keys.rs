//! The keys that sign access tokens: table `signing_key`. All instances share them; the first boot
//! creates one.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, ThumbprintHash},
};
use karcis_database::{Connection, Pool, PrivilegedAct, StoreError};
use karcis_kernel::Timestamp;
use rand::RngExt;
use uuid::Uuid;

use crate::domain::{KeyInUse, KeyStatus, PublishedKey, Reason};

/// The bytes before an Ed25519 seed in PKCS#8 version 1 (RFC 8410, section 7).
const PKCS8_HEADER: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The key that signs is the first, then those that signed, the newest first, and those that will. If
/// none has begun to sign, the first that will does.
const IN_ORDER: &str = "SELECT kid, private_key, created_at, signs_from, now() AS read_at
    FROM signing_key
    ORDER BY signs_from > now(), CASE WHEN signs_from <= now() THEN signs_from END DESC, signs_from,
             created_at DESC, kid";

/// A private key. It has no `Debug`, as it is secret.
#[derive(sqlx::FromRow)]
pub(crate) struct SigningKey {
    /// Its id in tokens.
    pub kid: String,
    /// PKCS#8 version 1 in DER.
    pub private_key: Vec<u8>,
    created_at: Timestamp,
    signs_from: Timestamp,
    /// By the database's clock.
    read_at: Timestamp,
}

/// Who changes the keys from outside of the service, and why: this is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyKeeper {
    /// A user of the machine, as there is no account to name.
    pub name: String,
    pub reason: Option<Reason>,
}

/// Why the keys stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "key {kid} will sign from {signs_from} on: wait for it, or retire it before another is made"
    )]
    Pending { kid: String, signs_from: Timestamp },
    #[error("there is no key {0}: karcis keys list shows them")]
    Unknown(String),
    #[error("key {kid} stays: {reason}")]
    InUse { kid: String, reason: KeyInUse },
    #[error(
        "the keys cannot be read or written: is DATABASE_URL that of user-service, and migrated?"
    )]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for KeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// All keys; the first is the one that signs. If there are none, one is created; instances that start
/// at the same time create only one.
pub(crate) async fn signing_keys(pool: &Pool) -> Result<Vec<SigningKey>, StoreError> {
    let mut connection = pool.acquire().await?;
    let stored = read(&mut connection).await?;
    // The pool may have no second one.
    drop(connection);
    if !stored.is_empty() {
        return Ok(stored);
    }
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let mut stored = read(&mut transaction).await?;
    if stored.is_empty() {
        add(&mut transaction, Duration::ZERO).await?;
        stored = read(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(stored)
}

/// All keys that user-service publishes, in the order of their use: the one that signs is the first.
pub async fn published_keys(pool: &Pool) -> Result<Vec<PublishedKey>, KeyError> {
    let mut connection = pool.acquire().await?;
    Ok(published(&read(&mut connection).await?))
}

/// Makes a key that signs after `lead`, and returns its id. Until then there can be no other.
pub async fn rotate_keys(
    pool: &Pool,
    lead: Duration,
    keeper: KeyKeeper,
) -> Result<String, KeyError> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let keys = published(&read(&mut transaction).await?);
    if let Some(key) = keys.into_iter().find(|key| key.status == KeyStatus::Pending) {
        return Err(KeyError::Pending { kid: key.kid, signs_from: key.signs_from });
    }
    let kid = add(&mut transaction, lead).await?;
    keeper.did("rotate_keys", &kid).record(&mut transaction).await?;
    transaction.commit().await?;
    Ok(kid)
}

/// Deletes a key: once all have read the keys again, its tokens are refused. One whose tokens are valid stays, unless it
/// `is_forced`.
pub async fn retire_key(
    pool: &Pool,
    kid: &str,
    is_forced: bool,
    keeper: KeyKeeper,
) -> Result<(), KeyError> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let keys = published(&read(&mut transaction).await?);
    let key = keys.into_iter().find(|key| key.kid == kid);
    let key = key.ok_or_else(|| KeyError::Unknown(kid.to_owned()))?;
    if let (Err(reason), false) = (key.status.may_retire(), is_forced) {
        return Err(KeyError::InUse { kid: key.kid, reason });
    }
    let delete = sqlx::query("DELETE FROM signing_key WHERE kid = $1").bind(kid);
    delete.execute(&mut *transaction).await?;
    keeper.did("retire_key", kid).record(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

impl KeyKeeper {
    fn did(self, action: &'static str, kid: &str) -> PrivilegedAct {
        PrivilegedAct {
            actor: None,
            action,
            subject: Uuid::nil(),
            detail: Some(format!("key {kid} by {}", self.name).into()),
            reason: self.reason.map(|Reason(text)| text),
        }
    }
}

fn published(keys: &[SigningKey]) -> Vec<PublishedKey> {
    let Some(first) = keys.first() else { return Vec::new() };
    let signs_from: Vec<_> = keys.iter().map(|key| key.signs_from).collect();
    let with_statuses = keys.iter().zip(KeyStatus::all(&signs_from, first.read_at));
    let published = with_statuses.map(|(key, status)| PublishedKey {
        kid: key.kid.clone(),
        created_at: key.created_at,
        signs_from: key.signs_from,
        status,
    });
    published.collect()
}

async fn read(connection: &mut Connection) -> Result<Vec<SigningKey>, sqlx::Error> {
    sqlx::query_as(IN_ORDER).fetch_all(connection).await
}

/// Until the end of the transaction nobody else changes the keys.
async fn lock(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let lock = sqlx::query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE");
    lock.execute(connection).await.map(drop)
}

/// Adds a new random key; its id is its thumbprint (RFC 7638).
async fn add(connection: &mut Connection, lead: Duration) -> Result<String, StoreError> {
    let seed: [u8; 32] = rand::rng().random();
    let private_key = [PKCS8_HEADER.as_slice(), &seed].concat();
    let kid = Jwk::from_encoding_key(&EncodingKey::from_ed_der(&private_key), Algorithm::EdDSA)
        .and_then(|key| key.thumbprint(ThumbprintHash::SHA256))
        .map_err(StoreError::rejected)?;
    let add = "INSERT INTO signing_key (kid, private_key, signs_from)
               VALUES ($1, $2, now() + make_interval(secs => $3))";
    let add = sqlx::query(add).bind(&kid).bind(private_key).bind(lead.as_secs_f64());
    add.execute(connection).await?;
    Ok(kid)
}
