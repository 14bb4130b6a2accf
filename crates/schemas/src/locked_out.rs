//! What changes roles, schemas and tables does not queue for a lock, since others would queue behind it: it
//! lets go, and tries again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// For how long locks are tried for, and the first pause between two tries, which doubles.
const TRY_TIME: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(4);

/// Why the roles, schemas and tables are not there.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("database: {0}")]
    Failed(#[from] sqlx::Error),
    #[error(
        "others kept tables or roles locked for a minute: end their transactions, and try again"
    )]
    Locked(#[source] sqlx::Error),
}

/// Tries until there is no time left.
pub(crate) struct Tries {
    began: Instant,
    pause: Duration,
}

impl Tries {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Returns after a pause if the try failed for a lock that may be free by then.
    pub(crate) async fn again_after(&mut self, error: sqlx::Error) -> Result<(), SetupError> {
        if !is_locked_out(&error) {
            return Err(error.into());
        }
        if self.began.elapsed() > TRY_TIME {
            return Err(SetupError::Locked(error));
        }
        tracing::warn!("this waits: another session has a table or role locked");
        sleep(self.pause).await;
        self.pause = (2 * self.pause).min(LAST_PAUSE);
        Ok(())
    }
}

/// A lock was not got in time, or only a deadlock's end gave it to somebody.
fn is_locked_out(error: &sqlx::Error) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let error = match error {
        sqlx::Error::Migrate(cause) => match &**cause {
            Execute(error) | ExecuteMigration(error, _) => error,
            _ => return false,
        },
        error => error,
    };
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}
