//! The ports in the service's own schema, a file per table or two.

mod account_mails;
mod accounts;
mod failed_logins;
mod known_peers;
mod mail_counts;
mod notifications;
mod purge;
mod rows;
mod sessions;
mod signing_keys;
mod stored_json;

pub(crate) use account_mails::PgAccountMails;
pub(crate) use accounts::PgAccounts;
pub(crate) use failed_logins::PgFailedLogins;
pub(crate) use mail_counts::PgMailCounts;
pub(crate) use notifications::PgNotifications;
pub(super) use purge::purge;
pub use signing_keys::{KeyError, KeyKeeper, published_keys, retire_key, rotate_keys};
pub(crate) use signing_keys::{SigningKey, signing_keys};

#[cfg(test)]
mod tests {
    use karcis_database::Pool;
    use karcis_messaging::Outbox;
    use karcis_schemas::USERS;
    use karcis_testkit::TestEnvironment;

    use super::*;
    use crate::{
        adapters::kafka::encode,
        application::{Accounts, port_tests},
    };

    /// A database of its own, which goes with the environment.
    async fn database() -> (TestEnvironment, Pool) {
        let environment = TestEnvironment::start().await;
        let url = environment.role_url(USERS);
        let pool = karcis_database::connect_to("DATABASE_URL", &url, 4).await.expect("a database");
        (environment, pool)
    }

    #[tokio::test]
    async fn a_notification_is_due_until_it_is_done() {
        let (_environment, pool) = database().await;
        port_tests::a_notification_is_due_until_it_is_done(&PgNotifications(pool)).await;
    }

    #[tokio::test]
    async fn notifications_come_in_order_and_old_ones_never() {
        let (_environment, pool) = database().await;
        port_tests::notifications_come_in_order_and_old_ones_never(&PgNotifications(pool)).await;
    }

    #[tokio::test]
    async fn who_has_paid_is_not_told_to() {
        let (_environment, pool) = database().await;
        port_tests::who_has_paid_is_not_told_to(&PgNotifications(pool)).await;
    }

    #[tokio::test]
    async fn who_is_erased_gets_no_e_mail() {
        let (_environment, pool) = database().await;
        let outbox = Outbox::new(pool.clone(), "user-service");
        let accounts = PgAccounts::new(pool.clone(), outbox, encode);
        accounts.add(&port_tests::buyer(), None, None).await.expect("a new account");
        port_tests::who_is_erased_gets_no_e_mail(&accounts, &PgNotifications(pool)).await;
    }

    #[tokio::test]
    async fn so_many_e_mails_a_day() {
        let (_environment, pool) = database().await;
        port_tests::so_many_e_mails_a_day(&PgMailCounts(pool)).await;
    }
}
