//! How long servers live: as long as this process, or as the cargo that runs it.

use std::{io, path::PathBuf, sync::LazyLock};

use uuid::Uuid;

use crate::guard;

/// Why a server did not start.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where servers keep their data; a guard stops them and removes it.
pub(crate) struct Lifetime {
    /// The guard's. Containers carry its path as their label.
    pub folder: PathBuf,
    /// Below it, and new.
    pub data: PathBuf,
    pub outlives_this_process: bool,
}

impl Lifetime {
    /// Of what ends with this process.
    pub(crate) fn of_this_process() -> &'static Self {
        static OWN: LazyLock<Lifetime> = LazyLock::new(|| {
            // Postgres may run as another user, who has to pass through.
            let folder = karcis_dev_servers::paths::temporary()
                .join(format!("karcis-tests-{}", Uuid::now_v7().simple()));
            karcis_dev_servers::paths::make_own(&folder).expect("a temporary folder can be made");
            let folder = folder.canonicalize().expect("a folder that was just made has a path");
            guard::after_this_process(&folder).expect("a shell starts");
            Lifetime::new(folder, false).expect("a folder can be made")
        });
        &OWN
    }

    /// Of what goes on when this process ends; the folder has a guard.
    pub(crate) fn beyond_this_process(folder: PathBuf) -> io::Result<Self> {
        Self::new(folder, true)
    }

    fn new(folder: PathBuf, outlives_this_process: bool) -> io::Result<Self> {
        let data = folder.join(Uuid::now_v7().simple().to_string());
        karcis_dev_servers::paths::make_own(&data)?;
        Ok(Self { folder, data, outlives_this_process })
    }
}
