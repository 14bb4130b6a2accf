//! The HTTP side: who asks for what.

mod keys;
mod peer;
mod problems;
mod profile;
mod roles;
mod sessions;
mod shapes;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    adapters::access_tokens::AccessTokens,
    application::{check_password::PasswordCheck, ports::Accounts},
};

/// What `GET /` lists.
pub const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/register"),
    ("POST", "/login"),
    ("POST", "/token/refresh"),
    ("POST", "/logout"),
    ("GET", "/profile"),
    ("PUT", "/profile/update"),
    ("POST", "/user/role"),
    ("GET", "/.well-known/jwks.json"),
];

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    /// The accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Checks and hashes passwords.
    pub check: PasswordCheck,
    /// Signs.
    pub tokens: Arc<AccessTokens>,
}

/// The service's routes.
pub fn routes(api: Api) -> Router {
    let update = post(profile::update).put(profile::update).patch(profile::update);
    Router::new()
        .route("/register", post(sessions::register))
        .route("/login", post(sessions::log_in))
        .route("/token/refresh", post(sessions::refresh))
        .route("/logout", post(sessions::log_out))
        .route("/profile", get(profile::show))
        .route("/profile/update", update)
        .route("/user/role", post(roles::give))
        .route("/.well-known/jwks.json", get(keys::show))
        .with_state(api)
}
