//! The HTTP side: routes and what their handlers share.

mod client_ip;
mod email;
mod keys;
mod live_caller;
mod ops;
mod passwords;
mod problems;
mod profile;
mod responses;
mod roles;
mod session_list;
mod sessions;
mod user_agent;

use std::sync::Arc;

use karcis_http::{RateLimit, TokenKeys};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    adapters::access_tokens::AccessTokens,
    application::{AccountMails, Accounts, PasswordCheck},
    domain::ClientIp,
};

const SESSIONS: &str = "Sessions";
const PROFILES: &str = "Profiles";

#[derive(OpenApi)]
#[openapi(tags(
    (name = SESSIONS, description = "Registering, logging in and out, and staying logged in"),
    (name = PROFILES, description = "People's profiles and roles"),
))]
struct Document;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub accounts: Arc<dyn Accounts>,
    pub mails: Arc<dyn AccountMails>,
    pub password_check: PasswordCheck,
    pub access_tokens: Arc<AccessTokens>,
    pub token_keys: TokenKeys,
    /// How many log-ins a client may try, and how many e-mails it may ask for.
    pub logins: RateLimit<ClientIp>,
    /// How many accounts a client may make.
    pub registrations: RateLimit<ClientIp>,
}

/// The service's routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(sessions::register))
        .routes(routes!(sessions::log_in))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::log_out))
        .routes(routes!(session_list::list, session_list::end_others))
        .routes(routes!(session_list::end))
        .routes(routes!(passwords::forgot))
        .routes(routes!(passwords::reset))
        .routes(routes!(profile::show, profile::erase))
        .routes(routes!(profile::update))
        .routes(routes!(email::verify))
        .routes(routes!(email::send))
        .routes(routes!(roles::give))
        .routes(routes!(roles::disable))
        .routes(routes!(roles::enable))
        .routes(routes!(keys::show))
        .merge(ops::routes())
}
