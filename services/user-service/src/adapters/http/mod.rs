//! The HTTP side: who asks for what.

mod keys;
mod peer;
mod problems;
mod profile;
mod roles;
mod sessions;
mod shapes;

use std::sync::Arc;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    adapters::access_tokens::AccessTokens,
    application::{check_password::PasswordCheck, ports::Accounts},
};

const SESSIONS: &str = "Sessions";
const PROFILES: &str = "Profiles";

#[derive(OpenApi)]
#[openapi(tags(
    (name = SESSIONS, description = "Registering, logging in and out, and staying logged in"),
    (name = PROFILES, description = "People's profiles and roles"),
))]
struct Tags;

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
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Tags::openapi())
        .routes(routes!(sessions::register))
        .routes(routes!(sessions::log_in))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::log_out))
        .routes(routes!(profile::show))
        .routes(routes!(profile::update))
        .routes(routes!(roles::give))
        .routes(routes!(keys::show))
}
