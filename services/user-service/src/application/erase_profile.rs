//! Erase a person, who asks for it with the password.

use karcis_database::StoreError;

use super::{
    CheckPasswordError, Erasing, Erasure, PasswordCheck,
    check_password::{Guess, check_password},
};
use crate::domain::{Account, Actor, ClientIp, SecurityEvent, TypedPassword};

/// Why a person is not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseProfileError {
    #[error("make somebody else an admin first: there would be none left")]
    LastAdmin,
    #[error(transparent)]
    CurrentPassword(#[from] CheckPasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes the account and all that is stored of its person. Other services are told, which know the person
/// by the account's id alone.
pub async fn erase_profile(
    accounts: &dyn Erasing,
    check: &PasswordCheck,
    actor: Actor,
    account: &Account,
    client_ip: &ClientIp,
    typed: TypedPassword,
) -> Result<(), EraseProfileError> {
    let guess = Guess {
        email: &account.email,
        account: Some(account),
        client_ip,
        session: actor.session,
        typed,
    };
    check_password(check, guess).await?;
    match accounts.erase(account).await? {
        Erasure::Erased => {
            check.security.note(SecurityEvent::AccountErased { user: actor.user_id });
            Ok(())
        }
        Erasure::Changed => Err(CheckPasswordError::Wrong.into()),
        Erasure::LastAdmin => Err(EraseProfileError::LastAdmin),
    }
}
