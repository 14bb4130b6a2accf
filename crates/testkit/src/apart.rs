//! Where proxies and doubles run: apart from the test, which may block its own runtime and wait for what they
//! carry.

use std::sync::LazyLock;

use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};

/// Runs this until it ends, or until the process does.
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime starts")
    });
    RUNTIME.spawn(task)
}

/// On a free port, for a task that runs apart.
pub(crate) async fn listener() -> TcpListener {
    let bound = spawn(TcpListener::bind("127.0.0.1:0")).await.expect("binding does not panic");
    bound.expect("a port is free")
}
