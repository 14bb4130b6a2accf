//! Every `karcis …` that the documents name is one that the command line takes.

use std::{fs, path::Path};

use clap::{Parser, error::ErrorKind};

use crate::cli::Cli;

/// A command as a document has it, and where.
struct Named {
    page: String,
    words: Vec<String>,
    /// Whether it stands in a block of commands, to be typed as it is.
    is_typed: bool,
}

#[test]
fn every_command_that_a_document_names_is_one() {
    let named = pages().into_iter().flat_map(|(page, text)| commands(&page, &text));
    let named: Vec<Named> = named.collect();
    let runbooks = named.iter().filter(|one| one.page.starts_with("docs/runbooks/"));
    assert!(runbooks.count() > 30 && named.len() > 80, "{} commands were found", named.len());
    let wrong: Vec<String> = named.iter().filter_map(complaint).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn commands_are_found_where_they_stand() {
    let page = "Not `karcis.users.v1`. Run `karcis ops\nstuck`, then `karcis ops resume <booking id> \
                --reason \"…\"`.\n```sh\nA=b/karcis karcis keys list   # all\ncargo run -- --demo && true\n\
                X=$(karcis ops token)\nkarcis ops \\\n    audit\n```\n";
    let found = commands("page", page);
    let words: Vec<String> = found.iter().map(|one| one.words.join("|")).collect();
    let id = SOME_ID;
    assert_eq!(
        words,
        [
            "karcis|ops|stuck",
            &format!("karcis|ops|resume|{id}|--reason|…"),
            "karcis|keys|list",
            "karcis|--demo",
            "karcis|ops|token",
            "karcis|ops|audit",
        ]
    );
    assert_eq!(found.iter().filter(|one| one.is_typed).count(), 4);
    let wrong = |command: &str| complaint(&commands("page", &format!("`{command}`"))[0]);
    assert_eq!(wrong("karcis ops dead-letters redrive"), None, "it names a kind of command");
    assert!(wrong("karcis ops resume <booking id>").is_some(), "a reason is missing");
    assert!(wrong("karcis ops stuck --nonsense").is_some() && wrong("karcis op").is_some());
}

/// What a placeholder stands for, where it is not a service or a topic.
const SOME_ID: &str = "01980a5c-2f7e-7000-8000-2f3a4b5c6d7e";

/// The pages for people who run Karcis, with their paths; what was before is in the change log.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/runbooks", "docs/decisions", "docs/problems", "migrations"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder").flatten() {
            let is_page = entry.path().extension().is_some_and(|extension| extension == "md");
            if is_page && entry.file_name() != "CHANGELOG.md" {
                let name = entry.file_name().display().to_string();
                let text = fs::read_to_string(entry.path()).expect("a text");
                pages.push((Path::new(folder).join(name).display().to_string(), text));
            }
        }
    }
    pages
}

fn commands(page: &str, text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for (at, part) in text.split("```").enumerate() {
        let is_typed = at % 2 == 1;
        let commands: Vec<String> = match is_typed {
            true => part.replace("\\\n", " ").lines().flat_map(typed).collect(),
            false => part.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        };
        for command in commands {
            let words = words(&command.replace("cargo run -- ", "karcis "));
            if words.first().is_some_and(|word| word == "karcis") && words.len() > 1 {
                found.push(Named { page: page.to_owned(), words, is_typed });
            }
        }
    }
    found
}

/// The commands of a line, without comments, variables and what surrounds them.
fn typed(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default().replace(['(', ')', '|', ';'], "\n");
    let commands = line.split("&&").flat_map(str::lines).map(|command| {
        let command = format!(" {command}");
        let starts = [" karcis ", " cargo run -- "].iter().filter_map(|name| command.find(name));
        starts.min().map(|start| command[start..].trim_start().to_owned()).unwrap_or_default()
    });
    commands.collect()
}

/// The words of a command, as a shell would split them; placeholders are filled.
fn words(command: &str) -> Vec<String> {
    let mut filled = String::new();
    let mut rest = command;
    while let Some((before, after)) = rest.split_once('<') {
        let (placeholder, after) = after.split_once('>').unwrap_or((after, ""));
        filled += before;
        filled += match placeholder {
            "service" => "booking",
            "topic" => "karcis.bookings.v1",
            _ => SOME_ID,
        };
        rest = after;
    }
    filled += rest;
    let mut words = Vec::new();
    for (at, part) in filled.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Why the command line does not take it.
fn complaint(named: &Named) -> Option<String> {
    // What the environment gives.
    let database = ["--database-url", "postgres://"].map(str::to_owned);
    let from_environment =
        database.into_iter().filter(|_| named.words[1] == "keys" && named.words.len() > 2);
    let words = named.words.iter().cloned().chain(from_environment);
    let error = Cli::try_parse_from(words).err()?;
    let is_bare = named.words[1..].iter().all(|word| !word.starts_with('-') && word != SOME_ID);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
        // In a sentence it may say which command is meant, without what that takes.
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if is_bare && !named.is_typed =>
        {
            None
        }
        _ => Some(format!("{}: {}: {error}", named.page, named.words.join(" "))),
    }
}
