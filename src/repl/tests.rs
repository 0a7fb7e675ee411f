use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::engine::EngineOptions;

/// A `Write` whose bytes can be read afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Outcome {
    out: String,
    talk: String,
    n_failed: u64,
}

/// What a script says over an empty lake.
async fn run_text(script: &str) -> Outcome {
    let engine = Engine::over_batches(Vec::new(), EngineOptions::default());
    let case = Case {
        engine: Arc::new(engine.await.unwrap()),
        rules: Arc::new(RuleSet::default()),
        lists: Arc::new(Lists::default()),
    };
    let options = ReplOptions {
        history_path: None,
        color: false,
        format: Format::Csv,
    };
    let (out, talk) = (Shared::default(), Shared::default());
    let mut session = Session::with_output(
        case,
        &options,
        Box::new(out.clone()),
        Box::new(talk.clone()),
    );
    run_script(&mut session, script.as_bytes()).await.unwrap();
    Outcome {
        out: out.text(),
        talk: talk.text(),
        n_failed: session.n_failed,
    }
}

#[tokio::test]
async fn scripts_run_without_prompts() {
    let outcome = run_text("SELECT 1 AS a;\n.mode ndjson\nSELECT 2\n AS b; SELECT 3 AS c").await;
    assert_eq!(outcome.out, "a\n1\n{\"b\":2}\n{\"c\":3}\n");
    assert_eq!(outcome.talk, "");
    assert_eq!(outcome.n_failed, 0);
}

#[tokio::test]
async fn what_fails_is_counted_and_the_rest_runs() {
    let outcome = run_text("SELECT 1 AS a;\n\nSELECT nope;\n.nope\nSELECT 2 AS b;").await;
    assert_eq!(outcome.out, "a\n1\nb\n2\n");
    assert_eq!(outcome.n_failed, 2);
    let lines: Vec<&str> = outcome.talk.lines().collect();
    assert!(lines[0].starts_with("error: line 3, "), "{lines:?}");
    assert!(
        outcome
            .talk
            .ends_with("error: no command `.nope`\nhint: `.help` lists the commands\n")
    );
}

#[tokio::test]
async fn quit_ends_a_script() {
    let outcome = run_text("SELECT 1 AS a;\n.quit\nSELECT 2 AS b;").await;
    assert_eq!(outcome.out, "a\n1\n");
}

#[tokio::test]
async fn files_are_read_and_may_not_loop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.sql");
    std::fs::write(
        &path,
        format!("SELECT 7 AS n;\n.read '{}'\n", path.display()),
    )
    .unwrap();
    let outcome = run_text(&format!(".read {}\n", path.display())).await;
    assert_eq!(outcome.out, "n\n7\n".repeat(8));
    assert_eq!(outcome.n_failed, 1);
    assert!(outcome.talk.contains("deeper than 8 files"));

    let outcome = run_text(".read /no/such/file.sql\n").await;
    assert!(
        outcome
            .talk
            .starts_with("error: cannot read `/no/such/file.sql`: ")
    );
}

#[tokio::test]
async fn tables_and_columns_are_listed() {
    let outcome = run_text(".tables\n.schema sources\n.schema nope\n").await;
    assert!(outcome.out.contains("\ncloudtrail,"));
    assert!(outcome.out.contains("\nuri,text\n"));
    assert_eq!(
        outcome.talk,
        "error: no table `nope`\nhint: `.tables` lists the tables\n"
    );
}

#[tokio::test]
async fn the_timer_counts_rows() {
    let outcome = run_text(".timer on\nSELECT 1 AS a;").await;
    assert!(outcome.talk.starts_with("1 row in "), "{}", outcome.talk);
}

#[tokio::test]
async fn a_trace_of_nothing_says_so_and_the_shell_goes_on() {
    let outcome = run_text(".trace ann\nSELECT 1 AS a;").await;
    assert_eq!((outcome.n_failed, outcome.out.as_str()), (1, "a\n1\n"));
    assert!(outcome.talk.contains("is called `ann`"), "{}", outcome.talk);
}
