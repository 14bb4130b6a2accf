//! Java and Kafka's jars.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{ServerError, maven, paths};

const POM: &str = include_str!("../../pom.xml");

/// Kafka's classes are of this version.
const OLDEST: u32 = 17;

/// A Java that can run Kafka.
pub(super) struct Java {
    /// The program.
    pub program: PathBuf,
    /// Its whole version, such as `17.0.15`.
    pub version: String,
}

/// `JAVA_HOME`'s, else the one on the path.
pub(super) fn find() -> Result<Java, ServerError> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    for program in home.into_iter().chain([PathBuf::from("java")]) {
        let Ok(output) = Command::new(&program).arg("-version").output() else { continue };
        let text = String::from_utf8_lossy(&output.stderr);
        if let Some(version) = version(&text).filter(|version| major(version) >= OLDEST) {
            return Ok(Java { program, version: version.to_owned() });
        }
    }
    Err(ServerError::Missing {
        what: "Java 17 or later",
        fix: "apt-get install -y --no-install-recommends default-jre-headless maven",
    })
}

/// Of `openjdk version "17.0.15" 2025-04-15 …`, the part in quotes.
fn version(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

fn major(version: &str) -> u32 {
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().unwrap_or(0)
}

/// Where Kafka's jars are, once they are fetched.
pub(super) fn folder() -> PathBuf {
    paths::home().join(format!("kafka-{}", paths::fingerprint(POM)))
}

/// The folder of Kafka's jars, fetched once.
pub(super) async fn jars() -> Result<PathBuf, ServerError> {
    let home = paths::home();
    paths::make_own(&home)?;
    let folder = folder();
    maven::make_once("Kafka", &folder, async |folder| fetch(folder, &home).await).await?;
    Ok(folder)
}

async fn fetch(folder: &Path, home: &Path) -> Result<(), ServerError> {
    let pom = folder.join("pom.xml");
    std::fs::write(&pom, POM)?;
    let pom = pom.display().to_string();
    let output = format!("-DoutputDirectory={}", folder.display());
    let goal = "dependency:copy-dependencies";
    maven::run("Kafka", &["-f", &pom, goal, &output], &home.join("maven.log")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_way_a_version_is_written() {
        for (text, expected) in [
            ("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment", 17),
            ("openjdk version \"25\" 2025-09-16", 25),
            ("openjdk version \"21-ea\" 2023-09-19", 21),
            ("java version \"1.8.0_452\"", 1),
            ("", 0),
        ] {
            assert_eq!(version(text).map_or(0, major), expected, "{text}");
        }
    }
}
