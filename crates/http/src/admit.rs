//! Before its handler a request's token is checked, once, and its account or client asked for what is
//! left of its limit.

use std::sync::Once;

use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderMap},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    ClientIp, Problem, TokenKeys,
    auth::{Login, bearer},
    client_ip::is_forwarded_by_a_stranger,
    limits::Limits,
};

/// Never limited: who watches the service must see it most of all when it is busy.
pub(crate) const ALWAYS_ANSWERED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

static WARNED: Once = Once::new();

/// Runs the request unless its account or, without a valid token, its client has made too many.
pub(crate) async fn admit(
    State((keys, limits)): State<(TokenKeys, Limits)>,
    mut request: Request,
    next: Next,
) -> Response {
    if ALWAYS_ANSWERED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match log_in(&keys, &limits, request.headers(), request.extensions()).await {
        Ok(login) => {
            request.extensions_mut().insert(login);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Who calls. A token that was verified before costs its account one request. Any other costs its
/// client one before it is looked at, as does none: to check a signature is work too.
async fn log_in(
    keys: &TokenKeys,
    limits: &Limits,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Login, Problem> {
    let token = bearer(headers);
    if let Some(caller) = token.ok().flatten().and_then(|token| keys.verified_before(token)) {
        limits.per_account.admit(&caller.user_id)?;
        return Ok(Login(Ok(Some(caller))));
    }
    let client_ip = ClientIp::of(extensions, headers);
    limits.per_client_ip.admit(&client_ip)?;
    if is_forwarded_by_a_stranger(extensions, headers) {
        WARNED.call_once(|| {
            tracing::warn!(
                "X-Forwarded-For of an address that KARCIS_TRUSTED_PROXIES does not name is not read: \
                 if it is a proxy's, all its clients share one limit"
            );
        });
    }
    let login = match token {
        Ok(Some(token)) => keys.verify(token).await.map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    if let Ok(Some(caller)) = &login {
        limits.per_account.admit(&caller.user_id)?;
    }
    Ok(Login(login))
}
