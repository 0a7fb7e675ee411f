//! What tests of whole runs share: a scratch folder with a lake, made-up events, and the binary.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use spoor::engine::{Engine, EngineOptions, Params};
use spoor::ingest::{Silent, Summary};
use spoor::lake::Lake;
use spoor::report::rows::{Format, RowOptions, RowWriter};
use spoor::schema::Table;

/// A folder of its own, with evidence in it and a lake.
pub struct Scratch {
    folder: tempfile::TempDir,
}

/// How a process ended.
#[derive(Debug)]
pub struct Done {
    /// `None`: by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Scratch {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with everything above it.
    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Where [`Scratch::ingest`] and [`Scratch::spoor`] have their lake.
    pub fn lake(&self) -> PathBuf {
        self.path("spoor-lake")
    }

    /// Reads sources, named relative to the folder, into the lake.
    pub async fn try_ingest(&self, names: &[&str]) -> spoor::Result<Summary> {
        let named = |name: &&str| self.path(name).to_str().unwrap().to_owned();
        let sources: Vec<String> = names.iter().map(named).collect();
        let (_, summary) =
            spoor::app::read_into(&self.lake(), &sources, Arc::new(Silent), Arc::default()).await?;
        Ok(summary)
    }

    pub async fn ingest(&self, names: &[&str]) -> Summary {
        self.try_ingest(names).await.unwrap()
    }

    /// The rows of a statement over the lake.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        rows(&self.lake(), sql).await
    }

    /// One column of the rows, as text without quotes.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let values = self.rows(sql).await.into_iter().map(|row| {
            let value = row.as_object().unwrap().values().next().unwrap().clone();
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        values.collect()
    }

    /// The versions of the three tables, which every commit raises.
    pub async fn versions(&self) -> Vec<u64> {
        let lake = Lake::open(&self.lake()).unwrap();
        let mut versions = Vec::new();
        for table in Table::ALL {
            versions.push(lake.snapshot(table).await.unwrap().version);
        }
        versions
    }

    /// The program, working in the folder, deaf to this process's settings.
    pub fn spoor<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spoor"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("SPOOR_LAKE")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        run(&mut self.spoor(args))
    }

    /// A shell script in which `"$SPOOR"` is the program.
    #[cfg(unix)]
    pub fn shell(&self, script: &str) -> Done {
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("SPOOR", env!("CARGO_BIN_EXE_spoor"))
            .env_remove("SPOOR_LAKE")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        run(&mut command)
    }
}

pub fn run(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The rows of a statement over a lake.
pub async fn rows(lake: &Path, sql: &str) -> Vec<Value> {
    let lake = Lake::open(lake).unwrap();
    let engine = Engine::open(&lake, EngineOptions::default()).await.unwrap();
    let rows = engine.query(sql, &Params::new()).await.unwrap();
    let schema = Arc::clone(&rows.schema);
    let mut text = Vec::new();
    let mut writer =
        RowWriter::new(Format::Ndjson, &schema, &mut text, RowOptions::default()).unwrap();
    for batch in rows.collect().await.unwrap() {
        writer.write(&batch).unwrap();
    }
    writer.finish().unwrap();
    serde_json::Deserializer::from_slice(&text)
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// A record with the id `id`, on the `1 + id / 3600`th of March.
pub fn event(id: u32) -> String {
    event_named(id, "GetCallerIdentity")
}

/// The record `id` with other content.
pub fn event_named(id: u32, name: &str) -> String {
    let (day, minute, second) = (1 + id / 3600, id / 60 % 60, id % 60);
    format!(
        "{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"AssumedRole\",\
         \"arn\":\"arn:aws:sts::111122223333:assumed-role/Reader/ana\",\"accountId\":\"111122223333\"}},\
         \"eventTime\":\"2025-03-{day:02}T10:{minute:02}:{second:02}Z\",\
         \"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"{name}\",\"awsRegion\":\"eu-west-1\",\
         \"requestParameters\":{{\"n\":{id}}},\
         \"eventID\":\"00000000-0000-4000-8000-{id:012}\",\"recipientAccountId\":\"111122223333\"}}"
    )
}

/// Records as CloudTrail delivers them.
pub fn envelope(records: &[String]) -> String {
    format!("{{\"Records\":[{}]}}", records.join(","))
}

pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes.as_ref()).unwrap();
    packer.finish().unwrap()
}
