//! Processes as the kernel lists them.

use std::time::Duration;

use crate::eventually;

/// The processes whose parent is `pid`, and theirs.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all().into_iter().filter(|(_, ppid)| *ppid == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found.remove(0);
    found
}

/// Waits until none of them runs. A zombie is gone: it only waits for its parent to notice.
pub async fn are_gone(pids: &[u32]) {
    eventually(|| async {
        let alive: Vec<_> = pids.iter().copied().filter(|pid| is_alive(*pid)).collect();
        if alive.is_empty() { Ok(()) } else { Err(alive) }
    })
    .within(Duration::from_secs(300))
    .await;
}

/// Whether it runs.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.lives())
}

/// A process that no later one of the same id is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub pid: u32,
    /// In clock ticks since the machine started.
    pub started: u64,
}

impl Identity {
    /// The process that has this id now; `None` if there is none.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = stat(pid).filter(Stat::lives)?;
        Some(Self { pid, started: stat.started })
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }
}

/// Kills it with signal 9.
pub fn kill_9(pid: u32) {
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid as i32),
        nix::sys::signal::Signal::SIGKILL,
    )
    .expect("it is there to be killed");
}

/// The processes with this text in their environment, which children inherit.
pub fn marked_with(text: &str) -> Vec<u32> {
    let is_marked = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(text) && is_alive(*pid)
    };
    all().into_iter().map(|(pid, _)| pid).filter(is_marked).collect()
}

fn all() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect()
}

/// What the kernel says of a process.
struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

impl Stat {
    fn lives(&self) -> bool {
        self.state != 'Z' && self.state != 'X'
    }
}

/// Of `pid (name) state ppid …`, whose name may hold spaces and brackets.
fn stat(pid: u32) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}
