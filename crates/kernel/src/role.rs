//! The roles of accounts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The role an account has; every account has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Books tickets.
    Buyer,
    /// Runs events of their own.
    Organiser,
    /// Runs every event and gives roles.
    Admin,
    /// Watches and repairs sagas, payments and messages.
    Operator,
    /// Checks tickets at the door.
    Door,
}

impl Role {
    /// The role's name on the wire, such as `buyer`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Organiser => "organiser",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Door => "door",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a text that names no [`Role`].
#[derive(Debug, thiserror::Error)]
#[error("give one of buyer, organiser, admin, operator, door")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Buyer, Self::Organiser, Self::Admin, Self::Operator, Self::Door]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}
