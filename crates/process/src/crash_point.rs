//! Places between two effects, at which tests have the process die. Without the feature `crash-points`, and in
//! every optimised build, they are compiled away.
//!
//! The crate `fail` would not make this shorter: none of its actions ends the process, and it is told at the start
//! or from inside, not while it runs and for one death only.

/// Dies here, as it would by kill -9, if a test has made the file `<pid>.<name>` in the folder for temporary
/// files: this becomes `<pid>.<name>.died`, so that the test sees where, and nothing dies of it twice.
#[cfg(all(feature = "crash-points", debug_assertions))]
pub fn crash_point(name: &str) {
    let wanted = std::env::temp_dir().join(format!("{}.{name}", std::process::id()));
    let mut died = wanted.clone().into_os_string();
    died.push(".died");
    if std::fs::rename(wanted, died).is_ok() {
        eprintln!("dies at {name}");
        std::process::abort();
    }
}

/// Does nothing.
#[cfg(not(all(feature = "crash-points", debug_assertions)))]
#[inline(always)]
pub const fn crash_point(_name: &str) {}
