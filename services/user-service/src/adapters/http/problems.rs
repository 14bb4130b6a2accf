//! Errors of the use cases as problems.

use axum::http::StatusCode;
use karcis_http::Problem;

use crate::application::{
    ChangeAccountError, CheckPasswordError, EraseProfileError, HashError, MailedTokenError,
    RefreshSessionError, RegisterError, ResetPasswordError, SaveError, UpdateProfileError,
};

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::unavailable(error),
            HashError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<SaveError> for Problem {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::EmailTaken => {
                Self::conflict("email-taken", "The e-mail address has an account")
                    .detail("log in with POST /login, or give another e-mail address")
            }
            SaveError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Hash(error) => error.into(),
            RegisterError::Save(error) => error.into(),
        }
    }
}

impl From<CheckPasswordError> for Problem {
    fn from(error: CheckPasswordError) -> Self {
        match error {
            CheckPasswordError::Wrong => Self::new(
                StatusCode::UNAUTHORIZED,
                "wrong-credentials",
                "Wrong e-mail address or password",
            )
            .detail("check both, or register with POST /register"),
            CheckPasswordError::TooMany { wait } => {
                // Rounded up, and at least a second.
                let seconds = u32::try_from(wait.num_seconds() + 1).unwrap_or(u32::MAX);
                Self::too_many_requests(seconds)
            }
            CheckPasswordError::Hash(error) => error.into(),
            CheckPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshSessionError> for Problem {
    fn from(error: RefreshSessionError) -> Self {
        match error {
            RefreshSessionError::Ended => Self::not_logged_in(
                "the session has ended, or this is no refresh token; log in with POST /login",
            ),
            RefreshSessionError::ReuseDetected => Self::not_logged_in(
                "this refresh token was used before, which ends its session, as somebody else may \
                 have it; log in with POST /login",
            ),
            RefreshSessionError::Store(error) => error.into(),
        }
    }
}

/// What is wrong with the password that a logged-in person gave. The access token is valid: a 401 would make
/// the client log out.
fn current_password(error: CheckPasswordError) -> Problem {
    match error {
        CheckPasswordError::Wrong => {
            Problem::invalid_field("current_password", "give the password you log in with")
        }
        error => error.into(),
    }
}

impl From<UpdateProfileError> for Problem {
    fn from(error: UpdateProfileError) -> Self {
        match error {
            UpdateProfileError::NoSuchAccount => Self::not_found(),
            UpdateProfileError::SessionEnded => {
                Self::not_logged_in("the session has ended; log in with POST /login")
            }
            UpdateProfileError::VersionConflict { current } => {
                Self::conflict("version-conflict", "The profile was changed meanwhile")
                    .detail(error.to_string())
                    .with("version", current)
            }
            UpdateProfileError::CurrentPasswordMissing => {
                Self::invalid_field("current_password", error.to_string())
            }
            UpdateProfileError::CurrentPassword(error) => current_password(error),
            UpdateProfileError::Password(error) => {
                Self::invalid_field("password", error.to_string())
            }
            UpdateProfileError::Hash(error) => error.into(),
            UpdateProfileError::Save(error) => error.into(),
            UpdateProfileError::Store(error) => error.into(),
        }
    }
}

impl From<EraseProfileError> for Problem {
    fn from(error: EraseProfileError) -> Self {
        match error {
            EraseProfileError::LastAdmin => Self::wrong_role().detail(error.to_string()),
            EraseProfileError::CurrentPassword(error) => current_password(error),
            EraseProfileError::Store(error) => error.into(),
        }
    }
}

impl From<MailedTokenError> for Problem {
    fn from(error: MailedTokenError) -> Self {
        match error {
            MailedTokenError::Invalid => Self::invalid_field("token", error.to_string()),
            MailedTokenError::Save(error) => error.into(),
            MailedTokenError::Store(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::Password(error) => {
                Self::invalid_field("password", error.to_string())
            }
            ResetPasswordError::Hash(error) => error.into(),
            ResetPasswordError::Token(error) => error.into(),
        }
    }
}

impl From<ChangeAccountError> for Problem {
    fn from(error: ChangeAccountError) -> Self {
        match error {
            ChangeAccountError::NoSuchAccount => {
                Self::not_found().detail("no account has this e-mail address")
            }
            ChangeAccountError::OwnAccount => Self::invalid_field("email", error.to_string()),
            ChangeAccountError::NoAdmin => Self::wrong_role(),
            ChangeAccountError::Save(error) => error.into(),
            ChangeAccountError::Store(error) => error.into(),
        }
    }
}
