//! What the HTTP contract calls Session and Profile.

use karcis_kernel::{Role, Timestamp, UserId};
use serde::Serialize;

use crate::{
    adapters::access_tokens::LIFETIME_S,
    domain::{Account, TimeZone},
};

/// A profile as its owner sees it.
#[derive(Serialize)]
pub struct Profile {
    user_id: UserId,
    email: String,
    name: String,
    phone: Option<String>,
    locale: Option<String>,
    time_zone: Option<&'static str>,
    role: Role,
    created_at: Timestamp,
    version: i64,
}

impl From<Account> for Profile {
    fn from(account: Account) -> Self {
        Self {
            user_id: account.user_id,
            email: account.email.as_str().to_owned(),
            name: account.name.as_str().to_owned(),
            phone: account.phone.map(|phone| phone.as_str().to_owned()),
            locale: account.locale.map(|locale| locale.as_str().to_owned()),
            time_zone: account.time_zone.map(TimeZone::as_str),
            role: account.role,
            created_at: account.created_at,
            version: account.version,
        }
    }
}

/// What a log-in gives.
#[derive(Serialize)]
pub struct Session {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    user: Profile,
}

impl Session {
    /// With these tokens.
    pub fn new(access_token: String, refresh_token: String, account: Account) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: LIFETIME_S,
            refresh_token,
            user: account.into(),
        }
    }
}
