//! Cleans up after this process, however it ends: statics are never dropped, a test may panic, and
//! a killed process can do nothing itself.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, Once},
};

/// A shell that waits for the end of its input, which only this process holds open.
struct Guard {
    shell: Child,
    input: ChildStdin,
}

static GUARDS: Mutex<Vec<Guard>> = Mutex::new(Vec::new());
static AT_EXIT: Once = Once::new();

/// What a guard is still to be told: its script reads these lines from its standard input.
pub struct Note(usize);

/// Runs `script` in a shell, with `argument` as `$1`, once this process has ended or is ending.
pub fn after_this_process(script: &str, argument: &str) -> std::io::Result<Note> {
    let mut shell = Command::new("sh")
        .args(["-c", script, "karcis-test-guard", argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0) // Ctrl-C is not for it
        .spawn()?;
    let input = shell.stdin.take().expect("its input is a pipe");
    AT_EXIT.call_once(|| {
        // SAFETY: the handler is a plain function that does not unwind.
        #[allow(unsafe_code)]
        unsafe {
            nix::libc::atexit(clean_up);
        }
    });
    let mut guards = GUARDS.lock().expect("nothing panics while it holds the guards");
    guards.push(Guard { shell, input });
    Ok(Note(guards.len() - 1))
}

impl Note {
    /// Passes a line to the script.
    pub fn add(&self, line: &str) -> std::io::Result<()> {
        let mut guards = GUARDS.lock().expect("nothing panics while it holds the guards");
        writeln!(guards[self.0].input, "{line}")
    }
}

/// Lets the guards go on and waits for them, so that nothing is left when a test run has ended.
extern "C" fn clean_up() {
    let Ok(mut guards) = GUARDS.lock() else { return };
    for Guard { mut shell, input } in guards.drain(..) {
        drop(input);
        let _ = shell.wait();
    }
}
