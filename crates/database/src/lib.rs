//! A service's own Postgres schema: pools and time limits, which server takes writes, the migration runner, one store error,
//! unreadable rows, readiness, the database's clock, group commit, decide-and-commit, idempotency keys
//! the audit table, and what the reconciler found.

mod audit;
mod batcher;
mod clock;
mod connection;
mod decide;
mod differences;
mod idempotency_keys;
mod loaded;
mod pool;
mod primary;
mod readiness;
mod schema_version;
mod store_error;
mod watch;

pub use audit::{AuditRow, ByOperator, PrivilegedAct, audit};
pub use batcher::{BatchLimits, Batcher};
pub use clock::Clock;
pub use connection::{Connection, Pool, Transaction};
pub use decide::{Decider, decide_and_commit, decide_batch, decide_each};
pub use differences::{
    Compared, DifferenceRow, Reconcile, close_difference, differences, differs_longest, end_turn,
    first_id_since, open_differences, record_agreement, record_differences, take_turn,
};
pub use idempotency_keys::{IdempotencyKeys, KEY_LIFETIME, KeyUse, RequestKey};
pub use loaded::{Loaded, UnreadableRow, describe_unreadable_rows, read_row};
pub use pool::{
    DatabaseConfig, DatabaseError, Pools, bare_pool, connect, connect_patiently, connect_to,
    once_more,
};
pub use primary::{AtPrimary, primary};
pub use readiness::DatabaseReadiness;
pub use schema_version::check_migrations;
pub use store_error::{StoreError, describe_full_disk};
pub use watch::watch;
