//! What a deployment names of the services is what the registry says.

use std::{fs, path::Path};

use karcis_schemas::{SERVICES, schemas};

/// Where the services in containers serve what is for operators.
const ADMIN_PORT: u16 = 9090;

fn assert_says(file: &str, texts: impl IntoIterator<Item = String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let content = fs::read_to_string(&path).unwrap();
    let missing: Vec<_> = texts.into_iter().filter(|text| !content.contains(text)).collect();
    assert!(missing.is_empty(), "{file} does not say: {missing:#?}");
}

#[test]
fn every_service_is_deployed_observed_and_shown() {
    for service in SERVICES {
        let (name, port) = (service.full_name(), service.port);
        let variable = format!("{}_PORT", service.name.to_uppercase());
        let role = service.schema.role;
        let compose = [
            format!("\n  {name}:\n"),
            format!("image: karcis/{name}\n"),
            format!("args: {{ PROGRAM: {name} }}"),
            format!("127.0.0.1:${{{variable}:-{port}}}:{port}"),
            format!("KARCIS_LISTEN: 0.0.0.0:{port}\n"),
            format!("DATABASE_URL: postgres://{role}:"),
        ];
        assert_says("docker-compose.yml", compose);
        let scraped = format!("names: [{name}], type: A, port: {ADMIN_PORT},");
        assert_says("docker/observability/prometheus.yaml", [scraped]);
        let watched = format!(r#"label_replace(vector(0), "job", "{name}", "", "")"#);
        assert_says("docker/observability/alerts.yaml", [watched]);
        assert_says(".env.example", [format!("# {variable}={port}\n")]);
        assert_says("README.md", [format!("{name} :{port}<br/>")]);
    }
}

/// Where the web app serves.
const WEB_PORT: u16 = 8080;

#[test]
fn the_web_app_is_deployed_before_every_service() {
    let services = SERVICES.map(|service| {
        let (name, port) = (service.full_name(), service.port);
        format!("KARCIS_{}_URL: http://{name}:{port}\n", service.name.to_uppercase())
    });
    let own = [
        format!("127.0.0.1:${{WEB_PORT:-{WEB_PORT}}}:{WEB_PORT}"),
        format!("KARCIS_WEB_LISTEN: 0.0.0.0:{WEB_PORT}\n"),
    ];
    assert_says("docker-compose.yml", own.into_iter().chain(services));
    let scraped = format!("names: [web], type: A, port: {ADMIN_PORT},");
    assert_says("docker/observability/prometheus.yaml", [scraped]);
    assert_says(".env.example", [format!("# WEB_PORT={WEB_PORT}\n")]);
    assert_says("README.md", [format!("http://127.0.0.1:{WEB_PORT}")]);
}

#[test]
fn containers_serve_what_is_for_operators_apart_and_do_not_publish_it() {
    let listens = format!("\n  KARCIS_ADMIN_LISTEN: 0.0.0.0:{ADMIN_PORT}\n");
    let probed = format!("/dev/tcp/127.0.0.1/{ADMIN_PORT} && printf 'GET /readyz ");
    assert_says("docker-compose.yml", [listens, probed]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker-compose.yml");
    let compose = fs::read_to_string(path).unwrap();
    assert!(!compose.contains(&format!(":{ADMIN_PORT}\"]")), "the port is published");
    assert_says("docs/deploy.md", [format!("KARCIS_ADMIN_LISTEN=0.0.0.0:{ADMIN_PORT}")]);
}

#[test]
fn who_looks_at_messages_logs_in() {
    let login = "AUTH_TYPE: LOGIN_FORM\n      SPRING_SECURITY_USER_NAME: karcis\n";
    let password = "SPRING_SECURITY_USER_PASSWORD: ${KAFKA_PASSWORD:?";
    assert_says("docker-compose.yml", [login.to_owned(), password.to_owned()]);
}

#[test]
fn images_are_built_from_every_folder_of_the_workspace() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let (_, members) = manifest.split_once("\nmembers = [").unwrap();
    let (members, _) = members.split_once(']').unwrap();
    let folders = members.split(", ").map(|member| member.trim_matches('"').trim_end_matches("/*"));
    assert_says(".dockerignore", folders.map(|folder| format!("\n!{folder}\n")));
}

#[test]
fn every_role_gets_a_password_that_development_alone_knows() {
    for schema in schemas() {
        let variable = format!("KARCIS_{}_DATABASE_PASSWORD", schema.part.to_uppercase());
        assert_says(".env.example", [format!("\n{variable}=\n")]);
        assert_says("docker-compose.yml", [format!("{variable}: ${{{variable}:?")]);
        assert_says("docker/development.env", [format!("\n{variable}={}\n", schema.role)]);
    }
}

#[test]
fn no_secret_has_a_default_outside_of_development() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let compose = fs::read_to_string(root.join("docker-compose.yml")).unwrap();
    let secrets = ["PASSWORD", "EMAIL", "GATEWAY"].map(|ending| format!("{ending}:-"));
    let defaults = compose.lines().filter(|line| secrets.iter().any(|it| line.contains(it)));
    assert_eq!(defaults.collect::<Vec<_>>(), Vec::<&str>::new());
    let development = fs::read_to_string(root.join("docker/development.env")).unwrap();
    for (variable, _) in compose.match_indices("${").filter_map(|(at, _)| {
        compose[at + 2..].split('}').next().and_then(|inside| inside.split_once(":?"))
    }) {
        let set = format!("\n{variable}=");
        assert!(development.contains(&set), "docker/development.env does not set {variable}");
    }
}
