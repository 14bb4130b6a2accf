//! A person is erased everywhere: in every table, topic and log.

use karcis_fleet::Fleet;
use karcis_schemas::{EVENT, SERVICES, USER};
use karcis_testkit::{TestEnvironment, eventually};
use rdkafka::{Message, message::Headers};
use reqwest::Method;
use serde_json::json;

use crate::history::history;

/// A name, and with it an address, that nobody else has.
const CANARY: &str = "Zwitscherling Kanarienvogel";
/// What is left of it wherever it is stored or said.
const TRACES: [&str; 2] = ["zwitscherling", "kanarienvogel"];

fn is_trace(text: &str) -> bool {
    let text = text.to_lowercase();
    TRACES.iter().any(|trace| text.contains(trace))
}

/// The tables with a row that says something of the person.
async fn tables(environment: &TestEnvironment) -> Vec<String> {
    let all = "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
        ORDER BY 1";
    let all: Vec<String> =
        sqlx::query_scalar(all).fetch_all(environment.superuser()).await.unwrap();
    for service in SERVICES {
        assert!(all.iter().any(|table| table.starts_with(service.schema.name)), "{all:?}");
    }
    let mut found = Vec::new();
    for table in all {
        let rows = format!("SELECT kept::text FROM {table} AS kept");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_all(environment.superuser())
            .await
            .unwrap();
        found.extend(rows.iter().any(|row| is_trace(row)).then_some(table));
    }
    found
}

/// How many messages the topics of this environment have, and those that say something of the person.
fn messages(environment: &TestEnvironment) -> (usize, Vec<String>) {
    let messages = history(environment);
    let mut found = Vec::new();
    for message in &messages {
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        let values = headers.map(|header| header.value.unwrap_or_default());
        let parts = values.chain(message.key()).chain(message.payload());
        let whole: Vec<_> = parts.map(String::from_utf8_lossy).collect();
        let whole = whole.join(" ");
        found.extend(is_trace(&whole).then_some(whole));
    }
    (messages.len(), found)
}

#[tokio::test]
async fn nothing_says_who_an_erased_person_was_and_the_tickets_stay_valid() {
    let fleet = Fleet::of_processes(&[]).await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let person = fleet.registers(CANARY).await;
    let paid = person.books(&concert, "VIP", 1).await;
    person.pays_up(&paid).await;
    eventually(|| person.sees(&paid)).is("confirmed").await;
    let code = person.booking(&paid).await["tickets"][0]["code"].as_str().unwrap().to_owned();
    let unpaid = person.books(&concert, "VIP", 2).await;
    let renamed = json!({"name": "Kanarienvogel II", "phone": "+6281234567890"});
    person.request(Method::PUT, &USER, "/profile/update").json(&renamed).send().await.unwrap();
    let kept = tables(fleet.environment()).await;
    assert!(kept.contains(&"users.account".to_owned()), "the search finds a person who is there");

    let erase = json!({"current_password": person.password()});
    let erased = person.request(Method::DELETE, &USER, "/profile").json(&erase).send().await;
    assert_eq!(erased.unwrap().status(), 204);
    eventually(|| person.sees(&unpaid)).is("cancelled").await;
    assert_eq!(person.sees(&paid).await, "confirmed");
    let ticket = person.get(&EVENT, &format!("/tickets/{code}")).await.is(200).body;
    assert_eq!(ticket["status"], "valid");

    // What was on its way, such as an e-mail, has arrived.
    eventually(|| tables(fleet.environment())).is(Vec::<String>::new()).await;
    let (count, found) = messages(fleet.environment());
    assert!(count >= 10, "{count} messages were read");
    assert_eq!(found, Vec::<String>::new());
    for service in SERVICES {
        let log = fleet.processes().log(service);
        assert!(!log.is_empty());
        assert_eq!(log.lines().find(|line| is_trace(line)), None, "{}", service.name);
    }
}
