//! An instance of the service in the test's process, and requests to it.

use std::net::IpAddr;

use karcis_schemas::USER;
use karcis_testkit::{Answer, RunningService, TestEnvironment};
use karcis_user_service::run;
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The password of every test person.
pub(crate) const PASSWORD: &str = "nine mangoes in a boat";

/// A running instance of the service.
pub(crate) struct TestApp {
    service: RunningService,
    http: Client,
}

impl TestApp {
    /// Starts with these flags besides those of the environment, and returns once it is ready.
    pub(crate) async fn start(environment: &TestEnvironment, flags: &[&str]) -> Self {
        let service = launch(environment, flags);
        service.ready().await;
        Self { service, http: Client::new() }
    }

    /// The error of a start with these flags, which must fail.
    pub(crate) async fn start_error(environment: &TestEnvironment, flags: &[&str]) -> String {
        launch(environment, flags).error().await
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) {
        self.service.stop().await;
    }

    /// The URL of this path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.service.url)
    }

    /// A POST without an access token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.http.post(format!("{}{path}", self.service.url)).json(body)).await
    }

    /// A POST that a gateway passes on for this client.
    pub(crate) async fn post_for(&self, client: &str, path: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.service.url));
        Answer::to(request.header("x-forwarded-for", client).json(body)).await
    }

    /// A GET without an access token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.http.get(format!("{}{path}", self.service.url))).await
    }

    /// A request with an access token.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.service.url));
        Answer::to(request.bearer_auth(token).json(body)).await
    }

    /// A POST with any body.
    pub(crate) async fn send_raw(
        &self,
        path: &str,
        kind: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request =
            self.http.post(format!("{}{path}", self.service.url)).header("content-type", kind);
        Answer::to(request.body(body)).await
    }

    /// Registers `<name>@mail.example` with [`PASSWORD`].
    pub(crate) async fn registers(&self, name: &str) -> Session {
        let body = json!({"email": email(name), "password": PASSWORD, "name": name});
        Session::of(self.post("/register", &body).await.is(201))
    }

    /// Tries to log in.
    pub(crate) async fn logs_in(&self, name: &str, password: &str) -> Answer {
        self.post("/login", &json!({"email": email(name), "password": password})).await
    }

    /// Tries to log in from the address `127.0.0.<host>`; everything else comes from 127.0.0.1.
    pub(crate) async fn logs_in_from(&self, host: u8, name: &str, password: &str) -> Answer {
        let from = Client::builder().local_address(IpAddr::from([127, 0, 0, host]));
        let body = json!({"email": email(name), "password": password});
        let request = from.build().unwrap().post(format!("{}/login", self.service.url));
        Answer::to(request.json(&body)).await
    }

    /// Tries to verify an address with the token of an e-mail.
    pub(crate) async fn verifies(&self, token: &str) -> Answer {
        self.post("/email/verify", &json!({"token": token})).await
    }

    /// Tries to be erased.
    pub(crate) async fn erases(&self, session: &Session, password: &str) -> Answer {
        let body = json!({"current_password": password});
        self.send(Method::DELETE, "/profile", &session.access_token, &body).await
    }

    /// Tries to get the next tokens.
    pub(crate) async fn refreshes(&self, session: &Session) -> Answer {
        self.post("/token/refresh", &json!({"refresh_token": session.refresh_token})).await
    }

    /// The sessions of the person with this session.
    pub(crate) async fn sessions(&self, session: &Session) -> Vec<Value> {
        let path = "/sessions";
        let answer = self.send(Method::GET, path, &session.access_token, &Value::Null).await;
        answer.is(200).body["items"].as_array().unwrap().clone()
    }

    /// Tries to end sessions: all others of the person, or the one with this id.
    pub(crate) async fn ends(&self, session: &Session, path: &str) -> Answer {
        self.send(Method::DELETE, path, &session.access_token, &Value::Null).await
    }

    /// The profile of the person with this session.
    pub(crate) async fn profile(&self, session: &Session) -> Value {
        let answer = self.send(Method::GET, "/profile", &session.access_token, &Value::Null);
        answer.await.is(200).body
    }

    /// Tries to change the profile of the person with this session.
    pub(crate) async fn updates(&self, session: &Session, change: &Value) -> Answer {
        self.send(Method::PUT, "/profile/update", &session.access_token, change).await
    }
}

fn launch(environment: &TestEnvironment, flags: &[&str]) -> RunningService {
    crate::logs::capture();
    RunningService::launch(&USER, environment, "", flags, run)
}

/// The flags that make `admin@mail.example` the first admin.
pub(crate) const ADMIN: [&str; 4] =
    ["--admin-email", "admin@mail.example", "--admin-password", PASSWORD];

/// The e-mail address of this person.
pub(crate) fn email(name: &str) -> String {
    format!("{}@mail.example", name.to_lowercase())
}

/// The session of a person who is logged in.
#[derive(Clone)]
pub(crate) struct Session {
    pub access_token: String,
    pub refresh_token: String,
    pub user: Value,
}

impl Session {
    /// The session in this answer.
    pub(crate) fn of(answer: Answer) -> Self {
        let body = answer.body;
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(900)));
        assert_eq!(answer.headers["cache-control"], "no-store");
        Self {
            access_token: body["access_token"].as_str().unwrap().to_owned(),
            refresh_token: body["refresh_token"].as_str().unwrap().to_owned(),
            user: body["user"].clone(),
        }
    }
}
