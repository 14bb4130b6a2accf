//! Admins give roles.

use axum::extract::State;
use karcis_http::{Admin, FieldErrors, Json, Problem};
use karcis_kernel::Role;
use karcis_process::trace;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    adapters::http::{
        Api, PROFILES,
        shapes::{EmailAddress, Profile},
    },
    application::give_role::give_role,
    domain::Email,
};

/// Which role for whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Giving {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(value_type = Role)]
    role: String,
}

/// Gives somebody else a role.
#[utoipa::path(post, path = "/user/role", tag = PROFILES, operation_id = "giveRole",
    request_body = Giving, security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The account's profile.", body = Profile),
        (status = 404, description = "not-found"),
    ))]
pub async fn give(
    State(api): State<Api>,
    Admin(admin): Admin,
    Json(body): Json<Giving>,
) -> Result<Json<Profile>, Problem> {
    let mut fields = FieldErrors::new();
    let email = fields.check("email", Email::parse(&body.email));
    let role = fields.check("role", body.role.parse::<Role>());
    let (Some(email), Some(role)) = (email, role) else {
        return Err(fields.into_problem());
    };
    let account =
        trace::span("give_role", give_role(&*api.accounts, admin.user_id, &email, role)).await?;
    Ok(Json(account.into()))
}
