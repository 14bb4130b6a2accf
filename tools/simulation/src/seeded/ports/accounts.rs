//! The ports of user-service with which people are erased. Who asks for it here knows the password.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use karcis_database::StoreError;
use karcis_kernel::UserId;
use karcis_process::timer::monotonic;
use karcis_user_service::{
    application::{
        Erasing, Erasure, FailedLogins, HashError, PasswordCheck, PasswordMatch, Passwords,
        SecurityLog, Urgency,
    },
    domain::{
        Account, Allowance, ClientIp, LoginLimits, Password, PasswordHash, SecurityEvent, Subject,
        TypedPassword,
    },
};

use super::Ports;
use crate::seeded::{broker::Group, messages::Message, processes::instance_name};

impl Ports {
    /// The same with this account.
    pub fn with(self, account: Account) -> Self {
        self.world.lock().tables.users.add_account(account);
        self
    }

    /// The account with this id.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let ports = self.about(Some(id.0));
        ports.read(|state| state.tables.users.account(id).cloned()).await
    }

    pub(crate) fn password_check(&self) -> PasswordCheck {
        let ports = Arc::new(self.clone());
        PasswordCheck {
            passwords: ports.clone(),
            failed_logins: ports.clone(),
            limits: LoginLimits { per_account: 10, per_client_ip: 300 },
            security: ports,
        }
    }

    async fn erase_once(&self, account: &Account) -> Result<Erasure, StoreError> {
        let (id, instance) = (account.user_id, self.instance);
        self.write(|state| {
            let erasure = state.tables.users.erase(account);
            if erasure == Erasure::Erased {
                state.told.erased(id, monotonic());
                state.send(Group::User, [Message::user_erased(id)]);
                let name = state.name(id.0);
                state.tell(|| format!("{} erases {name}", instance_name(instance)));
            }
            erasure
        })
        .await
    }
}

#[async_trait]
impl Erasing for Ports {
    async fn erase(&self, account: &Account) -> Result<Erasure, StoreError> {
        let ports = self.about(Some(account.user_id.0));
        match ports.erase_once(account).await {
            Err(StoreError::Unavailable(_)) => {}
            outcome => return outcome,
        }
        if ports.account(account.user_id).await?.is_none() {
            return Ok(Erasure::Erased);
        }
        ports.erase_once(account).await
    }
}

#[async_trait]
impl Passwords for Ports {
    async fn hash(&self, _password: Password, _for: Urgency) -> Result<PasswordHash, HashError> {
        unreachable!("nobody chooses a password");
    }

    async fn matches(
        &self,
        _typed: TypedPassword,
        _hash: Option<PasswordHash>,
    ) -> Result<PasswordMatch, HashError> {
        self.step().await;
        Ok(PasswordMatch::Right)
    }
}

#[async_trait]
impl FailedLogins for Ports {
    async fn is_known(&self, _user: Option<UserId>, _ip: &ClientIp) -> Result<bool, StoreError> {
        unreachable!("everybody is in a session");
    }

    async fn charge(
        &self,
        _subjects: &[(Subject, Allowance)],
    ) -> Result<Option<TimeDelta>, StoreError> {
        self.write(|_| None).await
    }

    async fn forgive(&self, _subjects: &[(Subject, Allowance)]) -> Result<(), StoreError> {
        self.write(|_| ()).await
    }

    async fn trust(&self, _account: &Account, _ip: &ClientIp) -> Result<(), StoreError> {
        unreachable!("nobody logs in");
    }
}

impl SecurityLog for Ports {
    fn note(&self, _event: SecurityEvent<'_>) {}
}
