//! `/user/role`: admins give roles.

use axum::extract::State;
use karcis_http::{Admin, FieldErrors, Json, Problem};
use karcis_kernel::Role;
use karcis_process::trace;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState, PROFILES,
    responses::{EmailAddress, ProfileResponse},
};
use crate::{application::give_role, domain::Email};

/// An account and its new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GiveRoleRequest {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(value_type = Role)]
    role: String,
}

/// Gives somebody else a role.
#[utoipa::path(post, path = "/user/role", tag = PROFILES, operation_id = "giveRole",
    request_body = GiveRoleRequest, security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The account's profile.", body = ProfileResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn give(
    State(state): State<ApiState>,
    Admin(admin): Admin,
    Json(request): Json<GiveRoleRequest>,
) -> Result<Json<ProfileResponse>, Problem> {
    let mut fields = FieldErrors::new();
    let email = fields.check("email", Email::parse(&request.email));
    let role = fields.check("role", request.role.parse::<Role>());
    let (Some(email), Some(role)) = (email, role) else {
        return Err(fields.into_problem());
    };
    let giving = give_role(&*state.accounts, admin.user_id, &email, role);
    let account = trace::span("give_role", giving).await?;
    Ok(Json(account.into()))
}
