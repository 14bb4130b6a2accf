//! `/profile`: people see and change their own profiles.

use std::fmt::Display;

use axum::{extract::State, http::StatusCode, response::Response};
use karcis_http::{Caller, FieldErrors, IfMatch, IfNoneMatch, Json, Patch, Problem, TimeZoneName};
use karcis_process::trace;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApiState, PROFILES,
    live_caller::LiveCaller,
    responses::{EmailAddress, FullName, LanguageTag, NewPassword, PhoneNumber, ProfileResponse},
};
use crate::{
    application::{ProfileUpdate, erase_profile, update_profile},
    domain::{
        ClientIp, Email, Locale, Password, PersonName, Phone, ProfileChange, TimeZone,
        TypedPassword,
    },
};

// The bodies have no `Debug`, as they contain secrets.

/// What to change in a profile.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProfileRequest {
    #[serde(default)]
    #[schema(value_type = FullName)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<PhoneNumber>)]
    phone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<LanguageTag>)]
    locale: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<TimeZoneName>)]
    time_zone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = EmailAddress)]
    email: Patch<String>,
    #[serde(default)]
    #[schema(value_type = NewPassword)]
    password: Patch<String>,
    /// Needed for a new e-mail address or password.
    #[schema(format = Password, pattern = r"^[^\x00]*$", examples("nine mangoes in a boat"))]
    current_password: Option<String>,
}

/// The password of a person who wants to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseProfileRequest {
    #[schema(format = Password, pattern = r"^[^\x00]*$", examples("nine mangoes in a boat"))]
    current_password: String,
}

/// The caller's profile.
#[utoipa::path(get, path = "/profile", tag = PROFILES, operation_id = "profile",
    params(IfNoneMatch), security(("bearer" = [])),
    responses(
        (status = 200, description = "The profile.", body = ProfileResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn show(
    State(state): State<ApiState>,
    caller: Caller,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let account = state.accounts.by_id(caller.user_id).await?.ok_or_else(Problem::not_found)?;
    Ok(known.answer(account.version, ProfileResponse::from(account)))
}

/// Changes the caller's profile.
///
/// A new e-mail address or password ends all the caller's other sessions. A new address is to be verified,
/// and the old one gets an e-mail.
#[utoipa::path(method(put, post, patch), path = "/profile/update", tag = PROFILES,
    operation_id = "updateProfile", params(IfMatch), request_body = UpdateProfileRequest, security(("bearer" = [])),
    responses(
        (status = 200, description = "The profile as it is now.", body = ProfileResponse),
        (status = 404, description = "not-found"),
        (status = 409, description = "email-taken version-conflict"),
        (status = 429, description = "too-many-requests"),
    ))]
pub(super) async fn update(
    State(state): State<ApiState>,
    LiveCaller { actor, account }: LiveCaller,
    client_ip: ClientIp,
    // Its error comes after the errors of the body.
    seen: Result<IfMatch, Problem>,
    Json(request): Json<UpdateProfileRequest>,
) -> Result<Response, Problem> {
    let version = seen?.or(None)?;
    let mut fields = FieldErrors::new();
    let change = ProfileChange {
        name: required(&mut fields, "name", request.name, |text| PersonName::parse(&text)),
        phone: optional(&mut fields, "phone", request.phone, Phone::parse),
        locale: optional(&mut fields, "locale", request.locale, Locale::parse),
        time_zone: optional(&mut fields, "time_zone", request.time_zone, TimeZone::parse),
        email: required(&mut fields, "email", request.email, |text| Email::parse(&text)),
        password_hash: None,
    };
    let password = required(&mut fields, "password", request.password, Password::choose);
    fields.finish()?;
    if change.email.is_some() {
        state.logins.admit(&client_ip)?;
    }
    let update = ProfileUpdate {
        actor,
        account: account.ok_or_else(Problem::not_found)?,
        version,
        client_ip,
        change,
        password,
        current_password: request.current_password.map(TypedPassword),
    };
    let updating = update_profile(&*state.accounts, &state.password_check, update);
    let account = trace::span("update_profile", updating).await?;
    Ok(IfNoneMatch::default().answer(account.version, ProfileResponse::from(account)))
}

/// Erases the caller: nothing that names the person is kept.
///
/// Bookings that are not confirmed are cancelled; tickets stay valid by their codes. The last admin stays.
#[utoipa::path(delete, path = "/profile", tag = PROFILES, operation_id = "eraseProfile",
    request_body = EraseProfileRequest, security(("bearer" = [])),
    responses(
        (status = 204, description = "The person is erased."),
        (status = 403, description = "wrong-role"),
        (status = 404, description = "not-found"),
        (status = 429, description = "too-many-requests"),
    ))]
pub(super) async fn erase(
    State(state): State<ApiState>,
    LiveCaller { actor, account }: LiveCaller,
    client_ip: ClientIp,
    Json(request): Json<EraseProfileRequest>,
) -> Result<StatusCode, Problem> {
    let account = account.ok_or_else(Problem::not_found)?;
    let typed = TypedPassword(request.current_password);
    let (accounts, check) = (&*state.accounts, &state.password_check);
    let erasing = erase_profile(accounts, check, actor, &account, &client_ip, typed);
    trace::span("erase_profile", erasing).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A field that cannot be cleared.
fn required<T, E: Display>(
    fields: &mut FieldErrors,
    name: &str,
    patch: Patch<String>,
    parse: impl Fn(String) -> Result<T, E>,
) -> Option<T> {
    match patch {
        Patch::Unchanged => None,
        Patch::Null => {
            fields.add(name, "give a value, or leave the field out");
            None
        }
        Patch::Value(text) => fields.check(name, parse(text)),
    }
}

/// A field that may be cleared.
fn optional<T, E: Display>(
    fields: &mut FieldErrors,
    name: &str,
    patch: Patch<String>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    match patch {
        Patch::Unchanged => None,
        Patch::Null => Some(None),
        Patch::Value(text) => fields.check(name, parse(&text)).map(Some),
    }
}
