//! From where people logged in: table `known_peer`.

use karcis_kernel::UserId;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::{ClientIp, Email};

/// How many addresses of an account are remembered.
const MAX_PEERS: i64 = 20;

/// Whether somebody has logged in from this network address to the account with this e-mail address
/// within 90 days. An address without an account takes as many statements.
pub(super) async fn is_known(
    pool: &PgPool,
    email: &Email,
    client_ip: &ClientIp,
) -> Result<bool, sqlx::Error> {
    let account = sqlx::query_scalar("SELECT user_id FROM account WHERE email = $1");
    let account: Option<Uuid> = account.bind(email.as_str()).fetch_optional(pool).await?;
    let user = UserId(account.unwrap_or_default());
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM known_peer
         WHERE user_id = $1 AND peer = $2 AND last_used_at > now() - interval '90 days')",
    )
    .bind(user.0)
    .bind(hash(user, client_ip))
    .fetch_one(pool)
    .await
}

/// Remembers that the account's owner was here, in place of the address that was used least recently.
pub(super) async fn remember(
    transaction: &mut PgConnection,
    user: UserId,
    client_ip: &ClientIp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO known_peer (user_id, peer) VALUES ($1, $2)
         ON CONFLICT (user_id, peer) DO UPDATE SET last_used_at = now()",
    )
    .bind(user.0)
    .bind(hash(user, client_ip))
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "DELETE FROM known_peer WHERE user_id = $1 AND peer IN (
             SELECT peer FROM known_peer WHERE user_id = $1
             ORDER BY last_used_at DESC, peer OFFSET $2)",
    )
    .bind(user.0)
    .bind(MAX_PEERS)
    .execute(transaction)
    .await?;
    Ok(())
}

fn hash(user: UserId, ClientIp(ip): &ClientIp) -> Vec<u8> {
    Sha256::new().chain_update(user.0).chain_update(ip).finalize().to_vec()
}
