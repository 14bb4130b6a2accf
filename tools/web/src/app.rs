//! The app's files: compiled in, and in a debug build read from the folder once it has changed, so that a
//! change shows at the next reload.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::SystemTime,
};

use ::brotli::enc::BrotliEncoderParams;
use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue},
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use crate::policy::policies;

/// Where the files are in a checkout.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/app");
/// What the files beside the hashed ones write for the hashed ones' folder.
const BASE: &str = "{{base}}";
/// The page that is every page.
pub(crate) const INDEX: &str = "index.html";
/// What browsers look for at the root, or what only works from there.
pub(crate) const AT_ROOT: [&str; 5] =
    ["favicon.ico", "icon.svg", "manifest.webmanifest", "robots.txt", "sw.js"];

/// What may be served, by its ending: its type, and whether compression makes it smaller.
const KINDS: [(&str, &str, bool); 16] = [
    ("css", "text/css; charset=utf-8", true),
    ("html", "text/html; charset=utf-8", true),
    ("ico", "image/x-icon", false),
    ("jpg", "image/jpeg", false),
    ("js", "text/javascript; charset=utf-8", true),
    ("json", "application/json", true),
    ("mjs", "text/javascript; charset=utf-8", true),
    ("mp3", "audio/mpeg", false),
    ("png", "image/png", false),
    ("svg", "image/svg+xml", true),
    ("txt", "text/plain; charset=utf-8", true),
    ("wasm", "application/wasm", true),
    ("wav", "audio/wav", false),
    ("webmanifest", "application/manifest+json", true),
    ("webp", "image/webp", false),
    ("woff2", "font/woff2", false),
];

/// The files as they were when this was compiled, by their paths.
const COMPILED_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/app.rs"));

/// A file of the app.
pub(crate) struct File {
    pub kind: &'static str,
    pub plain: Bytes,
    is_compressible: bool,
    gzip: OnceLock<Option<Bytes>>,
    brotli: OnceLock<Option<Bytes>>,
}

/// All files of the app at one time.
pub(crate) struct App {
    files: BTreeMap<String, File>,
    /// Of all files: what is at a path below `/a/<hash>/` never changes.
    pub hash: String,
    pub policies: Vec<(HeaderName, HeaderValue)>,
}

/// The app as it is now.
pub(crate) fn current() -> Arc<App> {
    static KEPT: OnceLock<Arc<App>> = OnceLock::new();
    if cfg!(debug_assertions)
        && let Ok(app) = of_folder(Path::new(FOLDER))
    {
        return app;
    }
    let compiled_in = || {
        let files =
            COMPILED_IN.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec()));
        let app = App::new(files.collect());
        for file in app.files.values() {
            file.gzip();
            file.brotli();
        }
        Arc::new(app)
    };
    KEPT.get_or_init(compiled_in).clone()
}

/// A file, its length and when it was changed.
type Stamp = (PathBuf, u64, SystemTime);

/// The app of the folder's files as they are now.
fn of_folder(folder: &Path) -> io::Result<Arc<App>> {
    static KEPT: Mutex<Option<(Vec<Stamp>, Arc<App>)>> = Mutex::new(None);
    let mut stamps = Vec::new();
    add_stamps(folder, &mut stamps)?;
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, app)) = &*kept
        && *of == stamps
    {
        return Ok(app.clone());
    }
    let app = Arc::new(App::new(read(folder)?));
    *kept = Some((stamps, app.clone()));
    Ok(app)
}

fn add_stamps(folder: &Path, stamps: &mut Vec<Stamp>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        if about.is_dir() {
            add_stamps(&path, stamps)?;
        } else {
            stamps.push((path, about.len(), about.modified()?));
        }
    }
    Ok(())
}

/// The files below the folder, by their paths.
fn read(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let below = read(&entry.path())?.into_iter();
            files.extend(below.map(|(path, content)| (format!("{name}/{path}"), content)));
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

impl App {
    /// The app of these files; those of unknown kinds are left out.
    fn new(mut files: BTreeMap<String, Vec<u8>>) -> Self {
        files.retain(|name, _| kind(name).is_some());
        let hash = hash(&files);
        for name in AT_ROOT.into_iter().chain([INDEX]) {
            if let Some(text) = files.get_mut(name)
                && let Ok(with_base) = str::from_utf8(text)
            {
                *text = with_base.replace(BASE, &format!("/a/{hash}/")).into_bytes();
            }
        }
        let page = files.get(INDEX).map(Vec::as_slice).unwrap_or_default();
        let policies = policies(&String::from_utf8_lossy(page));
        let policies = policies.map(Vec::from).unwrap_or_default();
        let files = files.into_iter().filter_map(|(name, content)| {
            let file = File::new(kind(&name)?, content);
            Some((name, file))
        });
        Self { files: files.collect(), hash, policies }
    }

    /// The file at this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}

fn kind(name: &str) -> Option<(&'static str, bool)> {
    let (_, ending) = name.rsplit_once('.')?;
    let found = KINDS.iter().find(|(of, ..)| *of == ending);
    found.map(|(_, kind, is_compressible)| (*kind, *is_compressible))
}

fn hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        for part in [name.as_bytes(), content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl File {
    fn new((kind, is_compressible): (&'static str, bool), content: Vec<u8>) -> Self {
        let (gzip, brotli) = (OnceLock::new(), OnceLock::new());
        Self { kind, plain: content.into(), is_compressible, gzip, brotli }
    }

    /// Its gzip, if that is smaller.
    pub(crate) fn gzip(&self) -> Option<&Bytes> {
        self.gzip.get_or_init(|| self.smaller(gzip)).as_ref()
    }

    /// Its brotli, if that is smaller. Unoptimised code takes seconds for it, so debug builds have none.
    pub(crate) fn brotli(&self) -> Option<&Bytes> {
        let compress = || if cfg!(debug_assertions) { None } else { self.smaller(brotli) };
        self.brotli.get_or_init(compress).as_ref()
    }

    fn smaller(&self, compress: fn(&[u8]) -> io::Result<Vec<u8>>) -> Option<Bytes> {
        let compressed = self.is_compressible.then(|| compress(&self.plain))?.ok()?;
        (compressed.len() < self.plain.len()).then(|| compressed.into())
    }
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(mut content: &[u8]) -> io::Result<Vec<u8>> {
    // A window for 4 MiB, as it is by default, would have to be cleared for every small file.
    let lgwin = (content.len().checked_ilog2().unwrap_or_default() as i32 + 1).clamp(10, 22);
    let params = BrotliEncoderParams { quality: 11, lgwin, ..Default::default() };
    let mut compressed = Vec::new();
    ::brotli::BrotliCompress(&mut content, &mut compressed, &params)?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(files: &[(&str, &str)]) -> App {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        App::new(files.collect())
    }

    #[test]
    fn the_hash_is_of_all_files() {
        let files = [("index.html", "<script src=\"{{base}}a.js\">"), ("a.js", "{{base}}")];
        let before = app(&files);
        let text = |app: &App, name| {
            String::from_utf8(app.file(name).expect("is there").plain.to_vec()).expect("is text")
        };
        assert_eq!(text(&before, INDEX), format!("<script src=\"/a/{}/a.js\">", before.hash));
        assert_eq!(text(&before, "a.js"), "{{base}}", "hashed files know where they are");
        let after = app(&[files[0], ("a.js", "other")]);
        assert_ne!(before.hash, after.hash);
        assert_eq!(before.hash, app(&files).hash);
    }

    #[test]
    fn notes_are_no_part_of_the_app() {
        let app = app(&[("README.md", "how"), ("a.d.ts", "types"), ("a.css", "")]);
        assert!(app.file("README.md").is_none() && app.file("a.d.ts").is_none());
        assert!(app.file("a.css").is_some());
    }
}
