//! `stack.json`: where everything is, for programs that use or break it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use super::{ServersAt, terminal::print, urls::Urls};
use crate::options::Admin;

/// The file, and what it says.
pub(super) struct State {
    path: PathBuf,
    content: Mutex<Content>,
}

#[derive(Serialize)]
struct Content {
    services: BTreeMap<&'static str, String>,
    web: String,
    database_url: String,
    kafka_bootstrap_servers: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kafka: Option<Login>,
    admin: Credentials,
    pids: BTreeMap<&'static str, u32>,
    /// Whether the file is there, so that a changed pid is written at once.
    #[serde(skip)]
    published: bool,
}

/// Whom clients of Kafka log in as.
#[derive(Serialize)]
struct Login {
    username: String,
    password: String,
}

#[derive(Serialize)]
struct Credentials {
    email: String,
    password: String,
}

impl State {
    /// Nothing is written before [`Self::publish`].
    pub(crate) fn new(path: PathBuf, urls: &Urls, servers: &ServersAt, admin: &Admin) -> Self {
        let security = servers.kafka.security.clone();
        let login = security.kafka_sasl_username.zip(security.kafka_sasl_password);
        let content = Content {
            services: urls.services.clone(),
            web: urls.web.clone(),
            database_url: servers.database_url.clone(),
            kafka_bootstrap_servers: servers.kafka.kafka_bootstrap_servers.clone(),
            kafka: login.map(|(username, password)| Login { username, password }),
            admin: Credentials {
                email: admin.admin_email.clone(),
                password: admin.admin_password.clone(),
            },
            pids: BTreeMap::new(),
            published: false,
        };
        Self { path, content: Mutex::new(content) }
    }

    /// Writes the file: from now on all is ready.
    pub(crate) fn publish(&self) -> io::Result<()> {
        let mut content = self.content();
        write(&self.path, &content)?;
        content.published = true;
        Ok(())
    }

    /// Removes the file: nothing it names is there any more.
    pub(crate) fn retract(&self) {
        self.content().published = false;
        let _ = std::fs::remove_file(&self.path);
    }

    /// Notes the process that runs this part from now on.
    pub(crate) fn note_pid(&self, part: &'static str, pid: u32) {
        let mut content = self.content();
        let changed = content.pids.insert(part, pid) != Some(pid);
        if changed
            && content.published
            && let Err(error) = write(&self.path, &content)
        {
            print(format!("{} cannot be written: {error}", self.path.display()));
        }
    }

    /// The addresses of the services and the web app, of the database without the password, and of Kafka.
    pub(crate) fn addresses(&self) -> (Urls, String, String) {
        let content = self.content();
        let urls = Urls { services: content.services.clone(), web: content.web.clone() };
        let database = content.database_url.rsplit_once('@');
        let database = database.map_or(content.database_url.as_str(), |(_, at)| at);
        (urls, database.to_owned(), content.kafka_bootstrap_servers.clone())
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces the file at once, so that no reader sees half of it. Only its owner may read it.
fn write(path: &Path, content: &Content) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.persist(path)?;
    Ok(())
}
