//! What a rush leaves behind in memory.

use std::fs;

use karcis_fleet::Fleet;
use karcis_schemas::USER;
use karcis_testkit::{eventually, together};

/// Half of what a container may use (docker-compose.yml).
const MOST_KIB: u64 = 256 * 1024;

/// Each password takes 19 MiB while it is hashed.
#[tokio::test]
async fn two_hundred_who_register_at_once_leave_little_behind() {
    let fleet = Fleet::of_processes(&[]).await;
    let names: Vec<_> = (0..200).map(|number| format!("Sari {number}")).collect();
    together(32, names.iter().map(|name| fleet.registers(name))).await;
    let pid = fleet.processes().pid(&USER);
    eventually(async || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident_kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        if resident_kib < MOST_KIB { Ok(()) } else { Err(format!("{resident_kib} KiB")) }
    })
    .await;
}
