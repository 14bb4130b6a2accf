//! Embeds `docs/problems/` into the crate: the page of each problem is served at its `type`.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problems").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut paths: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let mut table = String::from("&[\n");
    for path in paths.iter().filter(|path| path.extension().is_some_and(|is| is == "md")) {
        let slug = path.file_stem().unwrap_or_default();
        writeln!(table, "    ({slug:?}, include_str!({path:?})),").map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("pages.rs"), table)
}
