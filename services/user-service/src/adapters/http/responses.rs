//! What is answered: Session, Profile and KeySet. Also how the texts of requests are described.

use karcis_http::{LINE, one_of, texts};
use karcis_kernel::{Role, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    adapters::access_tokens::LIFETIME_S,
    domain::{
        Account, Email, Locale, OpenSession, Password, PersonName, Phone, Reason, SessionId,
        TimeZone,
    },
};

/// A profile as its owner sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Profile)]
pub(super) struct ProfileResponse {
    user_id: UserId,
    #[schema(examples("sari@mail.example"))]
    email: String,
    /// Whether its owner has shown to read that address.
    email_verified: bool,
    #[schema(examples("Sari"))]
    name: String,
    #[schema(examples("+6281234567890"))]
    phone: Option<String>,
    #[schema(examples("id-ID"))]
    locale: Option<String>,
    #[schema(examples("Asia/Jakarta"))]
    time_zone: Option<&'static str>,
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(minimum = 1)]
    version: i64,
}

impl From<Account> for ProfileResponse {
    fn from(account: Account) -> Self {
        Self {
            user_id: account.user_id,
            email: account.email.as_str().to_owned(),
            email_verified: account.email_verified,
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

/// A session with its tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionResponse {
    #[schema(examples("eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJrYXJjaXMifQ.c2lnbmF0dXJl"))]
    access_token: String,
    #[schema(schema_with = token_type)]
    token_type: &'static str,
    /// In seconds.
    #[schema(minimum = 1, examples(900))]
    expires_in: i64,
    #[schema(examples("FXwKuzVn0qB7n2QnUj4tP8sV1m6aYd3cE5gHkLrTzWo"))]
    refresh_token: String,
    user: ProfileResponse,
}

impl SessionResponse {
    /// The session of this account, with these tokens.
    pub(super) fn new(access_token: String, refresh_token: String, account: Account) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: LIFETIME_S,
            refresh_token,
            user: account.into(),
        }
    }
}

/// Where a person is logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
pub(super) struct SessionsResponse {
    #[schema(max_items = 100)]
    items: Vec<SessionItem>,
}

/// A session of the caller.
#[derive(Serialize, ToSchema)]
struct SessionItem {
    session_id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
    /// What the client called itself at the log-in, up to 200 characters.
    #[schema(examples("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"))]
    user_agent: Option<String>,
    /// Whether it is the session of this request.
    current: bool,
}

impl SessionsResponse {
    /// These sessions, one of which may be the current one.
    pub(super) fn new(sessions: Vec<OpenSession>, current: Option<SessionId>) -> Self {
        let item = |session: OpenSession| SessionItem {
            session_id: session.id.0,
            created_at: session.began_at,
            last_used_at: session.last_used_at,
            current: current == Some(session.id),
            user_agent: session.user_agent.map(|it| it.as_str().to_owned()),
        };
        Self { items: sessions.into_iter().map(item).collect() }
    }
}

fn token_type() -> utoipa::openapi::Object {
    one_of(["Bearer"])
}

/// A JSON Web Key Set (RFC 7517).
#[derive(ToSchema)]
#[schema(as = KeySet)]
#[expect(dead_code, reason = "it only describes the answer")]
pub(super) struct KeySetResponse {
    keys: Vec<Key>,
}

/// An Ed25519 key (RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the answer")]
struct Key {
    #[schema(examples("OKP"))]
    kty: String,
    #[schema(examples("Ed25519"))]
    crv: String,
    #[schema(examples("EdDSA"))]
    alg: String,
    #[schema(examples("sig"))]
    r#use: String,
    #[schema(examples("2036-08-01"))]
    kid: String,
    #[schema(examples("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))]
    x: String,
}

texts! {
    /// A person's name; spaces and line breaks around it are removed.
    FullName: (*PersonName::LENGTH.start()) to (*PersonName::LENGTH.end()), LINE, such as "Sari";
    /// An e-mail address; spaces around it and capital letters make no difference. Dots stand
    /// between other characters. A domain of other scripts is stored in its ASCII form (`xn--…`).
    EmailAddress: 5 to (Email::MAX_LENGTH), Email::PATTERN, such as "sari@mail.example";
    /// Why somebody does this; spaces and line breaks around it are removed.
    ReasonText: (*Reason::LENGTH.start()) to (*Reason::LENGTH.end()), LINE, such as "sells tickets for the city hall";
    /// A password that is not known from leaks, and has neither the name in the e-mail address nor that
    /// of this product in it.
    NewPassword: (*Password::LENGTH.start()) to (*Password::LENGTH.end()), r"^[^\x00]*$", such as "nine mangoes in a boat";
    /// An international telephone number that its country's numbering plan has; spaces, dashes, dots and
    /// brackets are ignored, and so is a 0 that is dialled within the country only.
    PhoneNumber: 8 to (Phone::MAX_CHARS), Phone::PATTERN, such as "+62 812 3456 7890";
    /// A language tag (BCP 47).
    LanguageTag: (*Locale::LENGTH.start()) to (*Locale::LENGTH.end()), Locale::PATTERN, such as "id-ID";
}
