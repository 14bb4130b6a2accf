//! A disk that is full, for one server, which needs no right to mount anything: a library tells the server so. The
//! linker that Rust needs compiles it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use karcis_dev_servers::paths;

/// Where a server keeps its data. While it is full, no file on it can become longer.
pub(crate) struct Disk {
    /// Tells its server that the disk is full while file `full` is there.
    pub(crate) library: PathBuf,
    full: PathBuf,
}

impl Disk {
    /// The one on which a server of the folder `data` has its `part`.
    pub(crate) fn of(data: &Path, part: &str) -> Self {
        // The user as whom Postgres runs passes through.
        paths::make_own(data).expect("a folder can be made");
        let disk = Self { library: data.join("full_disk.so"), full: data.join("full") };
        let source = data.join("full_disk.c");
        fs::write(&source, include_str!("full_disk.c")).expect("the source can be written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1"]).arg("-o").arg(&disk.library).arg(&source);
        compiler.arg(format!("-DDISK=\"{}/\"", data.join(part).display()));
        compiler.arg(format!("-DFULL=\"{}\"", disk.full.display()));
        assert!(compiler.status().is_ok_and(|status| status.success()), "cc compiles it");
        disk
    }

    /// Leaves no room on it.
    pub(crate) fn fill(&self) {
        fs::write(&self.full, "").expect("a file can be made");
    }

    /// Somebody has made room.
    pub(crate) fn make_room(&self) {
        fs::remove_file(&self.full).expect("it was full");
    }
}
