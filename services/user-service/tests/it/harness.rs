//! An instance of the service in the test's process, and requests to it.

use std::net::SocketAddr;

use clap::Parser;
use karcis_process::{CancellationToken, Process};
use karcis_schemas::USERS;
use karcis_service::StartError;
use karcis_testkit::{Answer, TestEnvironment, eventually};
use karcis_user_service::{Config, run};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The password of every test person.
pub(crate) const PASSWORD: &str = "nine mangoes in a boat";

/// A running instance of the service.
pub(crate) struct TestApp {
    url: String,
    http: Client,
    stopping: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl TestApp {
    /// Starts with these flags besides those of the bed, and returns once it is ready.
    pub(crate) async fn start(bed: &TestEnvironment, flags: &[&str]) -> Self {
        let app = Self::launch(bed, flags).await;
        let ready = format!("{}/readyz", app.url);
        eventually(async || {
            assert!(!app.task.is_finished(), "it ended by itself");
            let answer = app.http.get(&ready).send().await.map_err(|e| e.to_string())?;
            if answer.status() == 200 { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
        app
    }

    async fn launch(bed: &TestEnvironment, flags: &[&str]) -> Self {
        crate::logs::capture();
        let own = bed.flags(USERS);
        let all = ["user-service"].into_iter().chain(own.iter().map(String::as_str));
        let config = Config::try_parse_from(all.chain(flags.iter().copied())).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let task = tokio::spawn(run(config, listener, Process::embedded(stopping.clone())));
        Self { url: format!("http://{address}"), http: Client::new(), stopping, task }
    }

    /// The error of a start with these flags, which must fail.
    pub(crate) async fn start_error(bed: &TestEnvironment, flags: &[&str]) -> String {
        let ended = Self::launch(bed, flags).await.task.await.unwrap();
        ended.expect_err("it must not start").to_string()
    }

    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) {
        self.stopping.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// A POST without an access token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.http.post(format!("{}{path}", self.url)).json(body)).await
    }

    /// A GET without an access token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.http.get(format!("{}{path}", self.url))).await
    }

    /// A request with an access token.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.url));
        Answer::to(request.bearer_auth(token).json(body)).await
    }

    /// A POST with any body.
    pub(crate) async fn send_raw(
        &self,
        path: &str,
        kind: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url)).header("content-type", kind);
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

    /// Tries to get the next tokens.
    pub(crate) async fn refreshes(&self, session: &Session) -> Answer {
        self.post("/token/refresh", &json!({"refresh_token": session.refresh_token})).await
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

/// The e-mail address of this person.
pub(crate) fn email(name: &str) -> String {
    format!("{}@mail.example", name.to_lowercase())
}

/// The session of a person who is logged in.
pub(crate) struct Session {
    pub access_token: String,
    pub refresh_token: String,
    /// The profile.
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
