//! Processor time and memory of the fleet's processes, and how busy the machine was otherwise; from /proc.

use std::{collections::BTreeMap, fs, time::Duration};

/// A process: pid, parent and ticks of processor time; proc_pid_stat(5).
struct Process(u32, u32, u64);

/// Processor time since the start, by process with all that it started.
pub(crate) fn cpu(pids: &BTreeMap<String, u32>) -> BTreeMap<String, Duration> {
    let all = all();
    let of = |pid: u32| tree(&all, pid).iter().map(|process| process.2).sum::<u64>();
    // `karcis` itself is the parent of all.
    let parts = pids.iter().filter(|(name, _)| *name != "karcis");
    // Linux counts in hundredths of a second, whatever the kernel's own tick.
    parts.map(|(name, pid)| (name.clone(), Duration::from_millis(10 * of(*pid)))).collect()
}

/// The most memory that each ever had, in MiB; what it started counts with it. Not of Postgres, whose processes share
/// most of theirs.
pub(crate) fn peak_mib(pids: &BTreeMap<String, u32>) -> BTreeMap<String, u64> {
    let all = all();
    let parts = pids.iter().filter(|(name, _)| !["karcis", "postgres"].contains(&name.as_str()));
    let peak =
        |pid: u32| tree(&all, pid).iter().filter_map(|process| peak_kb(process.0)).sum::<u64>();
    parts.map(|(name, pid)| (name.clone(), peak(*pid) / 1024)).collect()
}

/// Processor time that the whole machine has spent, with what its host took; proc_stat(5).
pub(crate) fn machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).enumerate();
    // All but idle and waiting for a disk; guests are in what users took already.
    let busy = ticks.filter(|(place, _)| ![3, 4].contains(place) && *place < 8);
    let busy: u64 = busy.filter_map(|(_, ticks)| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * busy)
}

/// Processor time of this process.
pub(crate) fn own() -> Duration {
    let own = process(&std::process::id().to_string());
    Duration::from_millis(10 * own.map_or(0, |own| own.2))
}

fn peak_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

fn tree(all: &[Process], root: u32) -> Vec<&Process> {
    let mut found: Vec<&Process> = all.iter().filter(|process| process.0 == root).collect();
    let mut looked = 0;
    while looked < found.len() {
        let parent = found[looked].0;
        found.extend(all.iter().filter(|process| process.1 == parent));
        looked += 1;
    }
    found
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?)).collect()
}

fn process(pid: &str) -> Option<Process> {
    let number = pid.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Process(number, field(1)?.try_into().ok()?, field(11)? + field(12)?))
}
