//! Statements at work, and how Ctrl-C reaches them.
//!
//! A query may compute for long without giving way, and would keep the runtime it runs on from
//! hearing signals or starting anything else. So queries have a runtime of their own, signals are
//! heard on a thread of their own, and after Ctrl-C that does not take effect at once the runtime is
//! left to itself and replaced: the shell is always there, and what was stopped ends at its next step.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::signal;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::engine::{Engine, STACK_BYTES, Statement};
use crate::error::{Cause, Error, QueryError, Result};

/// Batches computed ahead of the output.
const BATCHES_AHEAD: usize = 2;

/// Hears Ctrl-C.
#[derive(Debug, Clone)]
pub struct Interrupts(watch::Receiver<u64>);

impl Interrupts {
    /// Takes Ctrl-C from now on: it no longer ends the process.
    ///
    /// # Errors
    ///
    /// Where no thread or signal handler can be made.
    pub fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (sender, receiver) = watch::channel(0);
        // Ends with the process: there is nothing to clean up.
        thread::Builder::new().spawn(move || {
            runtime.block_on(async move {
                while signal::ctrl_c().await.is_ok() {
                    sender.send_modify(|count| *count += 1);
                }
            });
        })?;
        Ok(Self(receiver))
    }

    /// Hears nothing.
    pub fn ignore() -> Self {
        Self(watch::channel(0).1)
    }

    /// Forgets what was heard so far.
    fn reset(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a Ctrl-C since the last reset.
    async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is listening.
            std::future::pending::<()>().await;
        }
    }
}

/// Where statements run.
#[derive(Debug)]
pub struct Work {
    interrupts: Interrupts,
    /// `None` until the first statement, and after one was left behind.
    runtime: Option<Runtime>,
    was_interrupted: bool,
}

impl Work {
    pub fn new(interrupts: Interrupts) -> Self {
        Self {
            interrupts,
            runtime: None,
            was_interrupted: false,
        }
    }

    /// Whether Ctrl-C ended something since this was last asked.
    pub fn was_interrupted(&mut self) -> bool {
        std::mem::take(&mut self.was_interrupted)
    }

    /// Starts a statement.
    ///
    /// # Errors
    ///
    /// Where no threads can be made.
    pub fn start(&mut self, engine: Arc<Engine>, statement: Statement) -> Result<Answer<'_>> {
        self.interrupts.reset();
        let (sender, parts) = mpsc::channel(BATCHES_AHEAD);
        let task = self.runtime()?.spawn(answer(engine, statement, sender));
        Ok(Answer {
            parts,
            task,
            work: self,
        })
    }

    /// Runs a future that need not be able to change threads, made by `make`.
    ///
    /// # Errors
    ///
    /// What the future gives; also that it was interrupted.
    pub async fn run<T, F>(&mut self, make: impl FnOnce() -> F + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>>,
    {
        self.interrupts.reset();
        let handle = self.runtime()?.handle().clone();
        let inner = handle.clone();
        let mut task = handle.spawn_blocking(move || inner.block_on(make()));
        tokio::select! {
            done = &mut task => done.map_err(|source| stopped(Box::new(source)))?,
            () = self.interrupts.heard() => Err(self.interrupt()),
        }
    }

    fn runtime(&mut self) -> Result<&Runtime> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => {
                let runtime = Builder::new_multi_thread()
                    .thread_stack_size(STACK_BYTES)
                    .enable_all()
                    .build();
                runtime.map_err(|source| stopped(Box::new(source)))?
            }
        };
        Ok(self.runtime.insert(runtime))
    }

    fn interrupt(&mut self) -> Error {
        self.leave();
        self.was_interrupted = true;
        QueryError::new("interrupted").into()
    }

    /// Ends what runs at its next step, without waiting for that.
    fn leave(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // A runtime may not be dropped where others run, and there is nothing to wait for.
        self.leave();
    }
}

/// A running statement. Dropping it ends the statement.
#[derive(Debug)]
pub struct Answer<'a> {
    parts: mpsc::Receiver<Result<Part>>,
    task: JoinHandle<()>,
    work: &'a mut Work,
}

/// What comes of a statement: first the columns, then rows.
#[derive(Debug)]
pub enum Part {
    /// The columns, and what the user should know of how the statement was read.
    Schema(SchemaRef, Vec<String>),
    Rows(RecordBatch),
}

impl Answer<'_> {
    /// The next part; `None` at the end.
    ///
    /// # Errors
    ///
    /// What fails in the statement; also that it was interrupted.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        tokio::select! {
            biased;
            () = self.work.interrupts.heard() => Err(self.work.interrupt()),
            part = self.parts.recv() => match part {
                Some(part) => part.map(Some),
                // The sender is gone: at the end of the task, or because it broke.
                None => match (&mut self.task).await {
                    Ok(()) => Ok(None),
                    Err(source) => Err(stopped(Box::new(source))),
                },
            },
        }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(engine: Arc<Engine>, statement: Statement, sender: mpsc::Sender<Result<Part>>) {
    let mut rows = match engine.execute(&statement).await {
        Ok(rows) => rows,
        Err(error) => {
            // A receiver that is gone wants no answer.
            let _ = sender.send(Err(error)).await;
            return;
        }
    };
    let mut part = Some(Ok(Part::Schema(
        Arc::clone(&rows.schema),
        std::mem::take(&mut rows.notes),
    )));
    while let Some(sent) = part {
        if sender.send(sent).await.is_err() {
            return;
        }
        part = rows.next().await.map(|batch| batch.map(Part::Rows));
    }
}

fn stopped(source: Cause) -> Error {
    QueryError {
        message: "the work stopped before its end".to_owned(),
        hint: None,
        source: Some(source),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;

    async fn engine() -> Arc<Engine> {
        let engine = Engine::over_batches(Vec::new(), EngineOptions::default()).await;
        Arc::new(engine.unwrap())
    }

    fn statement(engine: &Engine, sql: &str) -> Statement {
        engine.parse(sql).unwrap().remove(0)
    }

    async fn n_rows(answer: &mut Answer<'_>) -> Result<usize> {
        let mut n_rows = 0;
        while let Some(part) = answer.next().await? {
            if let Part::Rows(batch) = part {
                n_rows += batch.num_rows();
            }
        }
        Ok(n_rows)
    }

    #[tokio::test]
    async fn interrupts_end_a_statement_and_not_the_next() {
        let engine = engine().await;
        let (sender, receiver) = watch::channel(0);
        let mut work = Work::new(Interrupts(receiver));
        // Heard before the statement: not meant for it.
        sender.send_modify(|count| *count += 1);

        let endless = statement(&engine, "SELECT * FROM generate_series(1, 1000000000000)");
        let mut answer = work.start(Arc::clone(&engine), endless).unwrap();
        assert!(matches!(answer.next().await, Ok(Some(Part::Schema(..)))));
        sender.send_modify(|count| *count += 1);
        let error = n_rows(&mut answer).await.unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
        drop(answer);
        assert!(work.was_interrupted());
        assert!(!work.was_interrupted());

        let short = statement(&engine, "SELECT * FROM generate_series(1, 10)");
        let mut answer = work.start(engine, short).unwrap();
        assert_eq!(n_rows(&mut answer).await.unwrap(), 10);
    }

    #[tokio::test]
    async fn interrupts_end_other_work() {
        let (sender, receiver) = watch::channel(0);
        let mut work = Work::new(Interrupts(receiver));
        let done = work.run(|| async { Ok(7) }).await;
        assert_eq!(done.unwrap(), 7);
        // Comes from inside the work, so it is surely heard while that runs.
        let error = work
            .run(move || async move {
                sender.send_modify(|count| *count += 1);
                std::future::pending::<Result<()>>().await
            })
            .await;
        assert_eq!(error.unwrap_err().to_string(), "interrupted");
    }

    #[tokio::test]
    async fn errors_come_through() {
        let engine = engine().await;
        let mut work = Work::new(Interrupts::ignore());
        let wrong = statement(&engine, "SELECT nope");
        let mut answer = work.start(engine, wrong).unwrap();
        assert!(answer.next().await.is_err());
    }
}
