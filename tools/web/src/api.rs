//! Which paths are the services': the contract's, and nothing that is for operators of the servers.

use axum::{
    Router,
    extract::{Request, State},
    http::header::AUTHORIZATION,
    response::Response,
    routing::any,
};
use karcis_http::Problem;
use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service, USER};

use crate::pass::Passing;

/// How the paths of each service begin, beside `/ops/<its name>`. What begins so is its own to refuse.
pub(crate) static API: [(&Service, &[&str]); 4] = [
    (
        &USER,
        &[
            "/.well-known/jwks.json",
            "/email",
            "/login",
            "/logout",
            "/password",
            "/profile",
            "/register",
            "/sessions",
            "/token",
            "/user",
        ],
    ),
    (&EVENT, &["/event", "/events", "/tickets"]),
    (&BOOKING, &["/booking", "/bookings"]),
    (&PAYMENT, &["/payment"]),
];

/// The services' paths.
pub(crate) fn routes() -> Router<Passing> {
    let mut routes = Router::new();
    for (service, beginnings) in API {
        let pass = async move |State(passing): State<Passing>, request: Request| {
            passing.pass(service, request).await
        };
        for beginning in beginnings {
            routes = routes
                .route(beginning, any(pass))
                .route(&format!("{beginning}/{{*rest}}"), any(pass));
        }
        let ops = async move |State(passing): State<Passing>, request: Request| {
            pass_of_operator(&passing, service, request).await
        };
        routes = routes.route(&format!("/ops/{}/{{*rest}}", service.name), any(ops));
    }
    routes
}

/// The service looks at the role; who is nobody does not even reach it.
async fn pass_of_operator(
    passing: &Passing,
    service: &'static Service,
    request: Request,
) -> Result<Response, Problem> {
    if !request.headers().contains_key(AUTHORIZATION) {
        return Err(Problem::not_logged_in(
            "operators alone may do this: send Authorization: Bearer and the access_token of POST /login",
        ));
    }
    passing.pass(service, request).await
}
