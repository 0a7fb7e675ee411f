//! Ctrl-C: the first asks to stop, the second does not ask.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::STACK_BYTES;
use crate::error::{Error, ReportError};

/// Listens for Ctrl-C until dropped.
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    listener: tokio::task::JoinHandle<()>,
}

impl Interrupt {
    /// Begins to listen. Ctrl-C sets the flag; pressed again, it ends the process at once.
    pub(super) fn listen() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let listener = tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if flag.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
        Self { stop, listener }
    }

    /// The flag that says to stop.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// How long interrupted work may take to put its things away.
const GRACE: Duration = Duration::from_secs(1);

/// Runs work that can be dropped anywhere, until Ctrl-C. It has a runtime of its own: a query may
/// compute for long without giving way, and the one that hears Ctrl-C must stay free.
pub(super) async fn unless_interrupted<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(ReportError::Write)?;
    let mut task = runtime.spawn(work);
    let result = tokio::select! {
        result = &mut task => match result {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Interrupted),
            },
        },
        _ = tokio::signal::ctrl_c() => {
            task.abort();
            let _ = tokio::time::timeout(GRACE, task).await;
            Err(Error::Interrupted)
        }
    };
    runtime.shutdown_background();
    result
}
