//! `spoor rules new`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::Outcome;
use crate::cli::output::Target;
use crate::detections::new::{Start, new_rule};
use crate::detections::{RuleId, RuleSet};
use crate::error::{FileError, ReportError, Result, RuleError};
use crate::report::safe;
use crate::util::{AtomicFile, create_folder};

/// What is begun, and where.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The rule's id: lower-case words joined by hyphens
    id: String,
    /// What the rule looks at to decide
    #[arg(long, value_enum, default_value = "stateless")]
    kind: KindOfStart,
    /// The folder to write to; it becomes the rule's family
    #[arg(long, value_name = "DIR", default_value = "rules")]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindOfStart {
    /// One event
    Stateless,
    /// Several events of one principal in a span of time
    Window,
    /// History: what was never there before
    FirstSeen,
    /// Events that follow one another
    Sequence,
}

impl From<KindOfStart> for Start {
    fn from(kind: KindOfStart) -> Self {
        match kind {
            KindOfStart::Stateless => Self::Stateless,
            KindOfStart::Window => Self::Window,
            KindOfStart::FirstSeen => Self::FirstSeen,
            KindOfStart::Sequence => Self::Sequence,
        }
    }
}

impl New {
    pub(super) fn run(&self, bundled: &RuleSet) -> Result<Outcome> {
        let id = RuleId::new(&self.id)?;
        if bundled.rule(id.as_str()).is_some() {
            let message = format!(
                "a bundled rule has this id; `spoor rules show --raw {id}` prints it, to be changed \
                 and put in its place"
            );
            return Err(RuleError::new(id.as_str(), message).into());
        }
        let new = new_rule(&id, self.kind.into());
        let files = [new.rule, new.cases].map(|(name, text)| (self.dir.join(name), text));
        for (path, _) in &files {
            if path.symlink_metadata().is_ok() {
                let message = format!("`{}` is there already", path.display());
                return Err(RuleError::new(id.as_str(), message).into());
            }
        }
        create_folder(&self.dir)?;
        let mut out = Target::stdout().open()?;
        for (path, text) in files {
            let mut file = AtomicFile::create(&path)?;
            file.write_all(text.as_bytes())
                .map_err(FileError::at("write", &path))?;
            file.commit()?;
            let name = path.display().to_string();
            writeln!(out, "{}", safe::line(&name)).map_err(ReportError::Write)?;
        }
        out.finish()?;
        Ok(Outcome::Done)
    }
}
