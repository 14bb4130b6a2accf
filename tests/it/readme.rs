//! The README's booking, pasted as it stands.

use karcis_fleet::{Fleet, TIMEOUT};
use karcis_schemas::SERVICES;
use tokio::{process::Command, time::timeout};

#[tokio::test]
async fn the_lines_of_the_readme_end_with_a_ticket() {
    let fleet = Fleet::of_processes(&[]).await;
    // A reader who pastes them waits 10 s for the seats: time for the first booking of a fleet, unless the
    // machine is slow.
    let concert = fleet.concert().tickets("VIP", 1).published().await;
    fleet.buyer("Budi").await.books(&concert, "VIP", 1).await;
    let blocks: Vec<&str> = include_str!("../../README.md").split("```").collect();
    let lines = blocks.iter().filter_map(|block| block.strip_prefix("sh\n"));
    let lines = lines.into_iter().nth(1).expect("the second block of commands is the booking");
    let lines = SERVICES.into_iter().fold(lines.to_owned(), |lines, service| {
        lines.replace(&format!("http://127.0.0.1:{}", service.port), fleet.url(service))
    });
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut pasted = Command::new("bash");
    let pasted = pasted.arg("-ec").arg(lines).current_dir(folder.path()).kill_on_drop(true);
    let said = timeout(TIMEOUT, pasted.output()).await.expect("the booking is confirmed");
    let said = said.expect("bash runs");
    let shown = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{said:?}");
    assert!(shown.contains(r#""to":"confirmed""#), "{shown}");
    assert!(shown.trim_end().ends_with("</svg>"), "{shown}");
}
