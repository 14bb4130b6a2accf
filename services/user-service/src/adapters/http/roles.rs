//! `/user/role`, `/user/disable` and `/user/enable`: admins change other people's accounts.

use axum::extract::State;
use karcis_http::{Admin, FieldErrors, Json, Problem};
use karcis_kernel::Role;
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState, PROFILES,
    live_caller::LiveAdmin,
    responses::{EmailAddress, ProfileResponse, ReasonText},
};
use crate::{
    application::{disable_account, enable_account, give_role},
    domain::{Email, Reason},
};

/// An account and its new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GiveRoleRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(value_type = Role)]
    role: String,
    /// As those who read the audit see it.
    #[schema(value_type = Option<ReasonText>)]
    reason: Option<String>,
}

/// An account, and why it is disabled or enabled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeAccountRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
    /// As those who read the audit see it.
    #[schema(value_type = ReasonText)]
    reason: String,
}

impl ChangeAccountRequest {
    fn parse(self) -> Result<(Email, String), Problem> {
        let mut fields = FieldErrors::new();
        let email = fields.check("email", Email::parse(&self.email));
        let reason = fields.check("reason", Reason::parse(&self.reason));
        match (email, reason) {
            (Some(email), Some(Reason(reason))) => Ok((email, reason)),
            _ => Err(fields.into_problem()),
        }
    }
}

/// Gives somebody else a role. Another role than before ends that person's sessions.
#[utoipa::path(post, path = "/user/role", tag = PROFILES, operation_id = "giveRole",
    request_body = GiveRoleRequest, security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The account's profile.", body = ProfileResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn give(
    State(state): State<ApiState>,
    _token: Admin,
    LiveAdmin(admin): LiveAdmin,
    Json(request): Json<GiveRoleRequest>,
) -> Result<Json<ProfileResponse>, Problem> {
    let mut fields = FieldErrors::new();
    let email = fields.check("email", Email::parse(&request.email));
    let role = fields.check("role", request.role.parse::<Role>());
    let reason = request.reason.map(|text| fields.check("reason", Reason::parse(&text)));
    let (Some(email), Some(role), None | Some(Some(_))) = (email, role, &reason) else {
        return Err(fields.into_problem());
    };
    let reason = reason.flatten().map(|Reason(text)| text);
    let security = &*state.password_check.security;
    let giving = give_role(&*state.accounts, security, admin, &email, role, reason);
    let account = trace::span("give_role", giving).await?;
    Ok(Json(account.into()))
}

/// Disables somebody else's account: its sessions end, and nobody can log in to it.
///
/// A log-in is answered as if the password were wrong. Repeating it changes nothing.
#[utoipa::path(post, path = "/user/disable", tag = PROFILES, operation_id = "disableUser",
    request_body = ChangeAccountRequest, security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The account's profile.", body = ProfileResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn disable(
    State(state): State<ApiState>,
    _token: Admin,
    LiveAdmin(admin): LiveAdmin,
    Json(request): Json<ChangeAccountRequest>,
) -> Result<Json<ProfileResponse>, Problem> {
    let (email, reason) = request.parse()?;
    let security = &*state.password_check.security;
    let disabling = disable_account(&*state.accounts, security, admin, &email, reason, now());
    let account = trace::span("disable_account", disabling).await?;
    Ok(Json(account.into()))
}

/// Enables a disabled account. Repeating it changes nothing.
#[utoipa::path(post, path = "/user/enable", tag = PROFILES, operation_id = "enableUser",
    request_body = ChangeAccountRequest, security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The account's profile.", body = ProfileResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn enable(
    State(state): State<ApiState>,
    _token: Admin,
    LiveAdmin(admin): LiveAdmin,
    Json(request): Json<ChangeAccountRequest>,
) -> Result<Json<ProfileResponse>, Problem> {
    let (email, reason) = request.parse()?;
    let security = &*state.password_check.security;
    let enabling = enable_account(&*state.accounts, security, admin, &email, reason);
    let account = trace::span("enable_account", enabling).await?;
    Ok(Json(account.into()))
}
