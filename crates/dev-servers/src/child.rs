//! Child processes that never outlive this one.

use std::{
    fs::File,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus},
    sync::{LazyLock, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::{Pid, getppid},
};
use tokio::sync::watch;

/// The signals that end a child when [`Child::stop`] is not called.
#[derive(Clone, Copy)]
pub struct StopSignals {
    /// What the kernel sends when this process ends; `None` lets the child go on.
    pub orphaned: Option<Signal>,
    /// What the drop of the handle sends. The drop waits for the end, so no child may ignore it.
    pub dropped: Signal,
}

impl StopSignals {
    /// For a child that has nothing to save.
    pub const KILL: Self = Self { orphaned: Some(Signal::SIGKILL), dropped: Signal::SIGKILL };
}

/// A running child in a process group of its own, which Ctrl-C does not reach.
pub struct Child {
    pid: Pid,
    dropped: Signal,
    exit: watch::Receiver<Option<ExitStatus>>,
    waiter: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts it. The locks are held for as long as it, or any descendant, lives.
    pub fn spawn(mut command: Command, signals: StopSignals, locks: Vec<File>) -> io::Result<Self> {
        let parent = Pid::this();
        command.process_group(0);
        // Runs between fork and exec, where only async-signal-safe calls are allowed: these are
        // plain system calls and allocate nothing.
        #[expect(unsafe_code, reason = "only libc offers it")]
        unsafe {
            command.pre_exec(move || {
                #[cfg(target_os = "linux")]
                nix::sys::prctl::set_pdeathsig(signals.orphaned)?;
                if getppid() != parent {
                    return Err(io::Error::from_raw_os_error(nix::libc::ECHILD));
                }
                for lock in &locks {
                    fcntl(lock, FcntlArg::F_SETFD(FdFlag::empty()))?;
                }
                Ok(())
            });
        }
        let child = spawn_for_good(command)?;
        let pid = Pid::from_raw(child.id() as i32);
        let (sender, exit) = watch::channel(None);
        let waiter = std::thread::Builder::new()
            .name(format!("wait-{pid}"))
            .spawn(move || wait(child, &sender))?;
        Ok(Self { pid, dropped: signals.dropped, exit, waiter: Some(waiter) })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// How it ended, once it has.
    pub fn exit(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Waits for its end.
    pub fn exited(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        let mut exit = self.exit.clone();
        async move {
            match exit.wait_for(Option::is_some).await {
                Ok(status) => status.unwrap_or_default(),
                // The waiter always sends before it ends.
                Err(_) => ExitStatus::from_raw(0),
            }
        }
    }

    /// Signals it, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        // The waiter needs this lock to reap it, so the pid cannot be another's by now.
        let exit = self.exit.borrow();
        if exit.is_none() {
            let _ = kill(self.pid, signal);
        }
    }

    fn kill_group(&self) {
        let exit = self.exit.borrow();
        if exit.is_none() {
            let _ = killpg(self.pid, Signal::SIGKILL);
        }
    }

    /// Asks it to stop, and kills it if it is still there after `timeout`.
    pub async fn stop(&self, signal: Signal, timeout: Duration) -> ExitStatus {
        self.signal(signal);
        match tokio::time::timeout(timeout, self.exited()).await {
            Ok(status) => status,
            Err(_) => {
                self.kill_group();
                self.exited().await
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.dropped == Signal::SIGKILL {
            // Its own children, such as initdb's, learn no other way.
            self.kill_group();
        } else {
            self.signal(self.dropped);
        }
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}

/// Waits for the child without reaping it, then reaps it where no signal can be under way.
fn wait(mut child: std::process::Child, exit: &watch::Sender<Option<ExitStatus>>) {
    let pid = Pid::from_raw(child.id() as i32);
    while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)
        == Err(nix::errno::Errno::EINTR)
    {}
    exit.send_modify(|exit| *exit = Some(child.wait().unwrap_or_default()));
}

type Spawned = io::Result<std::process::Child>;

/// Spawns on a thread that lives as long as this process: the kernel sends the death signal when
/// the *thread* that spawned ends.
fn spawn_for_good(command: Command) -> Spawned {
    static SPAWNER: LazyLock<mpsc::Sender<(Command, mpsc::SyncSender<Spawned>)>> =
        LazyLock::new(|| {
            let (sender, jobs) = mpsc::channel::<(Command, mpsc::SyncSender<Spawned>)>();
            // Without the thread the channel is closed, which every caller reports.
            let _ = std::thread::Builder::new().name("spawner".into()).spawn(move || {
                for (mut command, reply) in jobs {
                    let _ = reply.send(command.spawn());
                }
            });
            sender
        });
    let (reply, spawned) = mpsc::sync_channel(1);
    SPAWNER.send((command, reply)).map_err(io::Error::other)?;
    spawned.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        let mut command = Command::new("sleep");
        command.arg("1000");
        Child::spawn(command, StopSignals::KILL, Vec::new()).expect("sleep starts")
    }

    #[tokio::test]
    async fn outlives_the_thread_that_asked_for_it() {
        let child = std::thread::spawn(sleeper).join().expect("it was spawned");
        assert!(
            tokio::time::timeout(Duration::from_millis(100), child.exited()).await.is_err(),
            "it still runs"
        );
    }

    #[tokio::test]
    async fn is_gone_once_dropped() {
        let child = sleeper();
        let exited = child.exited();
        drop(child);
        assert_eq!(exited.await.signal(), Some(Signal::SIGKILL as i32));
    }

    #[tokio::test]
    async fn keeps_its_locks_until_its_end() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lock = File::open(file.path()).expect("opens");
        lock.lock().expect("is free");
        let mut command = Command::new("sleep");
        command.arg("1000");
        let child = Child::spawn(command, StopSignals::KILL, vec![lock]).expect("sleep starts");
        let other = File::open(file.path()).expect("opens");
        assert!(other.try_lock().is_err());
        drop(child);
        // A child that another test forks has it too, until it has become its program.
        let freed = async {
            while other.try_lock().is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), freed).await.expect("is free again");
    }
}
