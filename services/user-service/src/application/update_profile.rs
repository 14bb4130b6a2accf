//! Update a profile. A new e-mail address or password needs the current password.

use karcis_database::StoreError;

use super::{
    Accounts, CheckPasswordError, HashError, PasswordCheck, SaveError, Sessions, Urgency,
    check_password::{Guess, check_password},
    until_saved::until_saved,
};
use crate::domain::{
    Account, AccountMail, Actor, ClientIp, InvalidPassword, Password, ProfileChange, SecurityEvent,
    TypedPassword,
};

/// A change that the owner of an account asks for.
pub struct ProfileUpdate {
    /// Whose session is live. It stays open when a new e-mail address or password ends the others.
    pub actor: Actor,
    /// Their account, as it was then.
    pub account: Account,
    /// The version that its owner saw: another one is a conflict.
    pub version: Option<i64>,
    pub client_ip: ClientIp,
    /// The change without the password, which is hashed first.
    pub change: ProfileChange,
    pub password: Option<Password>,
    pub current_password: Option<TypedPassword>,
}

/// Why a profile is not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateProfileError {
    #[error("register: there is no such account")]
    NoSuchAccount,
    /// While the password was checked.
    #[error("log in again: the session has ended")]
    SessionEnded,
    #[error("the profile is now at version {current}: fetch it and change that")]
    VersionConflict { current: i64 },
    #[error("give the current password to change the e-mail address or the password")]
    CurrentPasswordMissing,
    #[error(transparent)]
    CurrentPassword(#[from] CheckPasswordError),
    #[error(transparent)]
    Password(#[from] InvalidPassword),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Updates the profile and returns the account. A new e-mail address is to be verified, and the old one is
/// told.
pub async fn update_profile(
    accounts: &dyn Accounts,
    check: &PasswordCheck,
    update: ProfileUpdate,
) -> Result<Account, UpdateProfileError> {
    let Actor { user_id, session } = update.actor;
    let account = update.account;
    let seen = update.version;
    let is_seen = |account: &Account| match seen {
        Some(version) if version != account.version => {
            Err(UpdateProfileError::VersionConflict { current: account.version })
        }
        _ => Ok(()),
    };
    // Before the password costs a guess.
    is_seen(&account)?;
    let needs_password = update.change.email.is_some() || update.password.is_some();
    if needs_password {
        let typed = update.current_password.ok_or(UpdateProfileError::CurrentPasswordMissing)?;
        let guess = Guess {
            email: &account.email,
            account: Some(&account),
            client_ip: &update.client_ip,
            session,
            typed,
        };
        check_password(check, guess).await?;
    }
    let mut change = update.change;
    if let Some(password) = update.password {
        let password = password.for_account(change.email.as_ref().unwrap_or(&account.email))?;
        change.password_hash = Some(check.passwords.hash(password, Urgency::LogIn).await?);
    }
    let checked = &account;
    let (before, after) = until_saved(|| async {
        let account = accounts.by_id(user_id).await?.ok_or(UpdateProfileError::NoSuchAccount)?;
        if needs_password && account.password_hash != checked.password_hash {
            // The password was changed since it was checked.
            return Err(CheckPasswordError::Wrong.into());
        }
        if account.disabled_at.is_some() || !accounts.is_live(update.actor).await? {
            return Err(UpdateProfileError::SessionEnded);
        }
        is_seen(&account)?;
        let changed = account.changed(change.clone());
        if changed == account {
            return Ok(Some((account, changed)));
        }
        let sessions = if ends_sessions(&account, &changed) {
            Sessions::EndAllBut(session)
        } else {
            Sessions::Keep
        };
        let mails = AccountMail::of_change(&account, &changed);
        let is_saved = accounts.save(account.version, &changed, sessions, &mails, None).await?;
        Ok::<_, UpdateProfileError>(is_saved.then_some((account, changed)))
    })
    .await?;
    if before.email != after.email {
        check.security.note(SecurityEvent::EmailChanged { user: user_id });
    }
    if ends_sessions(&before, &after) {
        check.security.note(SecurityEvent::SessionsEnded { by: user_id, user: user_id });
    }
    Ok(after)
}

/// Whether those who could log in before may not be who can now.
fn ends_sessions(before: &Account, after: &Account) -> bool {
    before.email != after.email || before.password_hash != after.password_hash
}
