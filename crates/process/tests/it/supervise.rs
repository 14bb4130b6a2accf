//! Tasks that live and stop together.

use karcis_process::{CancellationToken, Process, StopError};

async fn until(stopping: CancellationToken) -> Result<(), String> {
    stopping.cancelled().await;
    Ok(())
}

#[tokio::test]
async fn a_stop_ends_every_task_and_is_no_error() {
    let process = Process::embedded(CancellationToken::new());
    let stopping = process.stopping();
    let process = process
        .run("one", until(stopping.clone()))
        .run("two", until(stopping.clone()))
        .run("asks", async move {
            stopping.cancel();
            Ok::<_, String>(())
        });
    process.until_stopped().await.expect("a stop that was asked for");
}

#[tokio::test]
async fn a_task_that_fails_while_stopping_is_no_error() {
    let process = Process::embedded(CancellationToken::new());
    let stopping = process.stopping();
    stopping.cancel();
    let process = process.run("late", async move {
        stopping.cancelled().await;
        Err("connection lost")
    });
    process.until_stopped().await.expect("a stop that was asked for");
}

#[tokio::test]
async fn a_task_that_ends_early_stops_the_others_and_is_named() {
    type End = fn() -> Result<(), String>;
    let cases: [(&str, End, &str); 3] = [
        ("fails", || Err("no route".to_owned()), "no route"),
        ("returns", || Ok(()), "it returned"),
        ("panics", || panic!("out of luck"), "out of luck"),
    ];
    for (name, end, expected) in cases {
        let process = Process::embedded(CancellationToken::new());
        let stopping = process.stopping();
        let process = process.run("other", until(stopping.clone())).run(name, async move { end() });
        match process.until_stopped().await {
            Err(StopError::TaskEnded { task, reason }) => {
                assert_eq!(task, name);
                assert!(reason.contains(expected), "{reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(stopping.is_cancelled());
    }
}

#[tokio::test]
async fn a_process_without_tasks_waits_for_its_stop() {
    let stopping = CancellationToken::new();
    let waiting = tokio::spawn(Process::embedded(stopping.clone()).until_stopped());
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    stopping.cancel();
    waiting.await.expect("no panic").expect("a stop that was asked for");
}
