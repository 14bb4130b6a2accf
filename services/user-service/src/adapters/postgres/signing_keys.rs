//! The keys that sign access tokens: table `signing_key`. All instances share them; the first boot
//! creates one.

use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, ThumbprintHash},
};
use karcis_database::{Pool, StoreError};
use rand::RngExt;

/// The bytes before an Ed25519 seed in PKCS#8 version 1 (RFC 8410, section 7).
const PKCS8_HEADER: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A private key. It has no `Debug`, as it is secret.
#[derive(sqlx::FromRow)]
pub(crate) struct SigningKey {
    /// Its id in tokens.
    pub kid: String,
    /// PKCS#8 version 1 in DER.
    pub private_key: Vec<u8>,
}

/// All keys, the newest first. If there are none, one is created; instances that start at the same
/// time create only one.
pub(crate) async fn signing_keys(pool: &Pool) -> Result<Vec<SigningKey>, StoreError> {
    let stored = read(pool).await?;
    if !stored.is_empty() {
        return Ok(stored);
    }
    let new = generate()?;
    let mut transaction = pool.begin().await?;
    sqlx::query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO signing_key (kid, private_key)
         SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM signing_key)",
    )
    .bind(&new.kid)
    .bind(&new.private_key)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    read(pool).await
}

async fn read(pool: &Pool) -> Result<Vec<SigningKey>, StoreError> {
    let read = "SELECT kid, private_key FROM signing_key ORDER BY created_at DESC, kid";
    Ok(sqlx::query_as(read).fetch_all(pool).await?)
}

/// A new random key; its id is its thumbprint (RFC 7638).
fn generate() -> Result<SigningKey, StoreError> {
    let seed: [u8; 32] = rand::rng().random();
    let private_key = [PKCS8_HEADER.as_slice(), &seed].concat();
    let kid = Jwk::from_encoding_key(&EncodingKey::from_ed_der(&private_key), Algorithm::EdDSA)
        .and_then(|key| key.thumbprint(ThumbprintHash::SHA256))
        .map_err(StoreError::rejected)?;
    Ok(SigningKey { kid, private_key })
}
