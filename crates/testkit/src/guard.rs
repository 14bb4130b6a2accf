//! Cleans up after a process, however it ends: statics are never dropped, a test may panic, and a
//! killed process can do nothing itself.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, Once},
};

use crate::processes::Identity;

/// Waits for the end of the input, which only the process that is waited for holds open.
const WAIT_FOR_INPUT: &str = "cat >/dev/null";

/// Waits until this process id is free, a zombie's, or of a process that started at another time.
/// The folder has one guard, which holds the lock of file `guarded`: any other ends at once. A test
/// binary that is starting servers holds the lock of file `lock`.
const WAIT_FOR_PROCESS: &str = r#"
if [ -d "$1" ]; then exec 8>>"$1/guarded"; flock -n 8 || exit 0; fi
lives() {
  read -r stat <"/proc/$1/stat" || return 1
  set -- "$2" ${stat##*) }
  [ "$2" != Z ] && [ "${21}" = "$1" ]
}
while lives "$2" "$3"; do sleep 0.5 8>&-; done
if [ -d "$1" ]; then exec 9>>"$1/lock"; flock 9; fi
"#;

/// Stops the processes that work below the folder, removes the containers that are labelled with it,
/// and then the folder. Postgres would leave shared memory behind if it were killed; its pid is also
/// read from its data, as root may not see the folder in which the process of another user works.
const CLEAN_UP: &str = r#"
folder=$1
children() {
  ls -ld /proc/[0-9]*/cwd | sed -n 's|.*/proc/\([0-9]*\)/cwd -> |\1 |p' | while read -r pid path; do
    case $path in "$folder"/*) echo "$pid ${path#"$folder"}" ;; esac
  done
  for file in "$folder"/*/postgres/cluster/postmaster.pid; do
    if { read -r pid <"$file" && read -r name <"/proc/$pid/comm"; } 2>/dev/null; then
      [ "$name" != postgres ] || echo "$pid /postgres"
    fi
  done
}
rounds=0
while children | grep -q . && [ "$rounds" -lt 1000 ]; do
  children | while read -r pid path; do
    case $path in */postgres*) kill -s QUIT "$pid" ;; *) kill -s KILL "$pid" ;; esac
  done
  rounds=$((rounds + 1))
  sleep 0.02
done
if [ -e "$folder/containers" ]; then
  docker ps -aq --filter "label=karcis.tests=$folder" | xargs -r docker rm -f -v
fi
rm -rf "$folder"
"#;

/// A shell that waits for the end of its input, which only this process holds open.
struct Guard {
    shell: Child,
    input: ChildStdin,
}

static GUARDS: Mutex<Vec<Guard>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();

/// Cleans up what is in and below the folder once this process has ended or is ending.
pub(crate) fn after_this_process(folder: &Path) -> io::Result<()> {
    let mut shell = shell(WAIT_FOR_INPUT).arg(folder).stdin(Stdio::piped()).spawn()?;
    let input = shell.stdin.take().expect("its input is a pipe");
    AT_EXIT.call_once(|| {
        // SAFETY: the handler is a plain function that does not unwind.
        #[expect(unsafe_code, reason = "only libc offers it")]
        unsafe {
            nix::libc::atexit(clean_up);
        }
    });
    let mut guards = GUARDS.lock().expect("nothing panics while it holds the guards");
    guards.push(Guard { shell, input });
    Ok(())
}

/// Cleans up what is in and below the folder once that process has ended. Does nothing if the folder
/// has a guard.
pub(crate) fn after(process: Identity, folder: &Path) -> io::Result<()> {
    let mut shell = shell(WAIT_FOR_PROCESS);
    shell.arg(folder).arg(process.pid.to_string()).arg(process.started.to_string());
    shell.stdin(Stdio::null()).spawn().map(drop)
}

fn shell(wait: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{wait}\n{CLEAN_UP}"), "karcis-test-guard"]);
    shell.stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C does not reach it.
    shell.process_group(0);
    shell
}

/// Lets the guards go on and waits for them, so that nothing is left when a test run has ended.
extern "C" fn clean_up() {
    let Ok(mut guards) = GUARDS.lock() else { return };
    for Guard { mut shell, input } in guards.drain(..) {
        drop(input);
        let _ = shell.wait();
    }
}
