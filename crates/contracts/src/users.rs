//! user → booking and anyone: accounts come, change and go.

use karcis_kernel::{Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// There is a new account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserRegistered {
    /// The account.
    pub user_id: UserId,
    /// What it may do.
    pub role: Role,
}

/// An account's profile or role has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProfileUpdated {
    /// The account.
    pub user_id: UserId,
    /// What it may do now.
    pub role: Role,
    /// Rises with each change.
    pub version: i64,
}

/// The person is erased; their unconfirmed bookings are cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserErased {
    /// The account.
    pub user_id: UserId,
}
