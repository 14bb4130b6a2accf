//! From where people logged in: table `known_peer`.

use karcis_database::{Connection, Pool};
use karcis_kernel::UserId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::ClientIp;

/// How many addresses of an account are remembered.
const MAX_PEERS: i64 = 20;

/// Whether somebody has logged in from this network address to this account within 90 days. Without an
/// account it takes the same statement.
pub(super) async fn is_known(
    pool: &Pool,
    user: Option<UserId>,
    client_ip: &ClientIp,
) -> Result<bool, sqlx::Error> {
    let user = user.unwrap_or(UserId(Uuid::nil()));
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM known_peer
         WHERE user_id = $1 AND peer = $2 AND last_used_at > now() - interval '90 days')",
    )
    .bind(user.0)
    .bind(hash(user, client_ip))
    .fetch_one(pool)
    .await
}

/// Remembers that the account's owner was here, in place of the address that was used least recently; nothing
/// if the account is gone.
pub(super) async fn remember(
    transaction: &mut Connection,
    user: UserId,
    client_ip: &ClientIp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO known_peer (user_id, peer)
         SELECT user_id, $2 FROM account WHERE user_id = $1 FOR KEY SHARE
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
