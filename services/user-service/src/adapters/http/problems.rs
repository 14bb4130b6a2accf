//! Errors of the use cases as problems.

use axum::http::StatusCode;
use karcis_http::{FieldError, Problem};
use karcis_kernel::Timestamp;
use karcis_process::now;

use crate::application::{
    CheckPasswordError, GiveRoleError, HashError, RefreshSessionError, RegisterError, SaveError,
    UpdateProfileError,
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
            CheckPasswordError::TooMany { until } => Self::too_many_requests(seconds_to(until)),
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

impl From<UpdateProfileError> for Problem {
    fn from(error: UpdateProfileError) -> Self {
        let current_password = |message: String| {
            Self::invalid(vec![FieldError { field: "current_password".to_owned(), message }])
        };
        match error {
            UpdateProfileError::NoSuchAccount => Self::not_found(),
            UpdateProfileError::CurrentPasswordMissing => current_password(error.to_string()),
            // The access token is valid: a 401 would make the client log out.
            UpdateProfileError::CurrentPassword(CheckPasswordError::Wrong) => {
                current_password("give the password you log in with".to_owned())
            }
            UpdateProfileError::CurrentPassword(error) => error.into(),
            UpdateProfileError::Hash(error) => error.into(),
            UpdateProfileError::Save(error) => error.into(),
            UpdateProfileError::Store(error) => error.into(),
        }
    }
}

impl From<GiveRoleError> for Problem {
    fn from(error: GiveRoleError) -> Self {
        match error {
            GiveRoleError::NoSuchAccount => {
                Self::not_found().detail("no account has this e-mail address")
            }
            GiveRoleError::OwnRole => {
                let field = "email".to_owned();
                Self::invalid(vec![FieldError { field, message: error.to_string() }])
            }
            GiveRoleError::Save(error) => error.into(),
            GiveRoleError::Store(error) => error.into(),
        }
    }
}

fn seconds_to(until: Timestamp) -> u32 {
    let seconds = (until - now()).num_seconds() + 1;
    u32::try_from(seconds).unwrap_or(1).max(1)
}
