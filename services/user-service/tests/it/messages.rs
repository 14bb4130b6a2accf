//! What is published of people.

use async_trait::async_trait;
use karcis_contracts::{Message, UserFact};
use karcis_database::connect_to;
use karcis_messaging::{Consumer, HandleError, Received};
use karcis_process::CancellationToken;
use karcis_schemas::USERS;
use karcis_testkit::{Inbox, TestEnvironment, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    harness::{PASSWORD, Session, TestApp},
    logs,
};

/// A type and a body.
type Raw = (String, Value);

/// Reads all messages of a topic, types and bodies unchanged.
#[derive(Clone, Default)]
struct Listener(Inbox<Raw>);

#[async_trait]
impl Consumer for Listener {
    type Message = Raw;

    fn decode(
        &self,
        _topic: &str,
        kind: &str,
        body: &[u8],
    ) -> serde_json::Result<Option<(String, Value)>> {
        Ok(Some((kind.to_owned(), serde_json::from_slice(body)?)))
    }

    async fn handle(&self, batch: &[Received<Raw>]) -> Result<(), HandleError> {
        self.0.keep(batch);
        Ok(())
    }
}

#[tokio::test]
async fn registrations_changes_and_erasures_are_published_without_anything_personal() {
    let environment = TestEnvironment::start().await;
    let admin = ["--admin-email", "admin@mail.example", "--admin-password", PASSWORD];
    let users = TestApp::start(&environment, &admin).await;
    let listener = Listener::default();
    let stopping = CancellationToken::new();
    let pool = connect_to("DATABASE_URL", environment.database_url(), 2).await.unwrap();
    let consume = environment.kafka().clone().consume(
        "spy",
        &[UserFact::TOPIC],
        pool,
        listener.clone(),
        stopping.clone(),
    );
    let listening = tokio::spawn(consume);

    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let sari = users.registers("Sarimawar").await;
    users.logs_in("Sarimawar", "wrong").await.is(401);
    let change = json!({
        "name": "Dewisekar", "phone": "+6281234567890", "email": "putri@mail.example",
        "password": "ten mangoes in a boat", "current_password": PASSWORD,
    });
    users.updates(&sari, &change).await.is(200);
    users.updates(&sari, &json!({})).await.is(200);
    let role = json!({"email": "putri@mail.example", "role": "door"});
    users.send(Method::POST, "/user/role", &admin.access_token, &role).await.is(200);
    let login = json!({"email": "putri@mail.example", "password": "ten mangoes in a boat"});
    let putri = Session::of(users.post("/login", &login).await.is(200));
    users.erases(&putri, "ten mangoes in a boat").await.is(204);

    let (sari_id, admin_id) = (&sari.user["user_id"], &admin.user["user_id"]);
    let of = |id: &Value| {
        listener.0.pick(|message| (message.1["user_id"] == *id).then(|| message.clone()))
    };
    let message = |kind: &str, body: Value| (format!("karcis.{kind}.v1"), body);
    let expected = vec![
        message("UserRegistered", json!({"user_id": sari_id, "role": "buyer"})),
        message("ProfileUpdated", json!({"user_id": sari_id, "role": "buyer", "version": 2})),
        message("ProfileUpdated", json!({"user_id": sari_id, "role": "door", "version": 3})),
        message("UserErased", json!({"user_id": sari_id})),
    ];
    eventually(async || of(sari_id)).is(expected).await;
    let expected = vec![message("UserRegistered", json!({"user_id": admin_id, "role": "admin"}))];
    eventually(async || of(admin_id)).is(expected).await;

    environment.all_sent(USERS).await;
    stopping.cancel();
    listening.await.unwrap().unwrap();
    users.stop().await;
    for personal in [
        "sarimawar",
        "Sarimawar",
        "Dewisekar",
        "putri@",
        "+6281234567890",
        "mangoes",
        &sari.refresh_token,
    ] {
        assert_eq!(logs::lines_with(&[personal]), Vec::<String>::new());
    }
}
