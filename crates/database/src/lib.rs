//! A service's own Postgres schema: pools and time limits, the migration runner, one store error,
//! unreadable rows, readiness, group commit, decide-and-commit, idempotency keys and the audit table.

mod audit;
mod batcher;
mod decide;
mod idempotency_keys;
mod loaded;
mod migrate;
mod pool;
mod readiness;
mod schema_version;
mod store_error;

pub use audit::{AuditRow, PrivilegedAct, audit};
pub use batcher::{BatchLimits, Batcher};
pub use decide::{Decider, decide_and_commit, decide_each};
pub use idempotency_keys::{IdempotencyKeys, KEY_LIFETIME, KeyUse, RequestKey};
pub use loaded::{Loaded, UnreadableRow, describe_unreadable_rows, read_row};
pub use migrate::migrate;
pub use pool::{DatabaseConfig, DatabaseError, connect, connect_to};
pub use readiness::DatabaseReadiness;
pub use schema_version::check_migrations;
pub use store_error::StoreError;
