//! Admins give roles.

use axum::extract::State;
use karcis_http::{Admin, Fields, Json, Problem};
use karcis_kernel::Role;
use serde::Deserialize;

use crate::{
    adapters::http::{Api, shapes::Profile},
    application::give_role::give_role,
    domain::Email,
};

/// Which role for whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Giving {
    email: String,
    role: String,
}

/// POST /user/role
pub async fn give(
    State(api): State<Api>,
    Admin(admin): Admin,
    Json(body): Json<Giving>,
) -> Result<Json<Profile>, Problem> {
    let mut fields = Fields::new();
    let email = fields.check("email", Email::parse(&body.email));
    let role = fields.check("role", body.role.parse::<Role>());
    let (Some(email), Some(role)) = (email, role) else {
        return Err(fields.refused());
    };
    let account = give_role(&*api.accounts, admin.user_id, &email, role).await?;
    Ok(Json(account.into()))
}
