//! A machine whose clock is wrong, for one process. The linker that Rust needs compiles it.

use std::process::Command;

use tempfile::TempDir;

/// A library that shifts the clock of the processes it is loaded into.
pub struct WrongClock {
    folder: TempDir,
    offset_s: i64,
}

impl WrongClock {
    /// A clock that is so many seconds ahead.
    pub fn ahead_by(offset_s: i64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let source = folder.path().join("wrong_clock.c");
        std::fs::write(&source, include_str!("wrong_clock.c")).expect("the source can be written");
        let clock = Self { folder, offset_s };
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(clock.library()).arg(&source);
        assert!(compiler.status().is_ok_and(|status| status.success()), "cc compiles it");
        clock
    }

    /// The variables that make a process believe this clock.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let library = self.library().to_string_lossy().into_owned();
        [("LD_PRELOAD", library), ("KARCIS_TEST_CLOCK_OFFSET_S", self.offset_s.to_string())]
    }

    fn library(&self) -> std::path::PathBuf {
        self.folder.path().join("wrong_clock.so")
    }
}
