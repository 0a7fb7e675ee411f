//! Made-up CloudTrail logs from a seed: a big trail for measuring, and the sample case of the docs.
//!
//! Independent of the library on purpose: what checks a reader should not share its code.

mod calls;
mod event;
mod kit;
mod lineage;
mod sample;
mod trail;

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Makes CloudTrail logs from a seed")]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The sample case: three weeks of a small company and one intrusion
    Sample {
        /// Folder to write; lists of what was planted go beside it
        #[arg(long)]
        out: PathBuf,
    },
    /// A trail of any size, for measuring
    Trail(trail::Options),
    /// Sessions that begin in every way and go on through roles, with the truth of each beside them
    Lineage(lineage::Options),
}

fn main() -> io::Result<()> {
    match Args::parse().what {
        What::Sample { out } => write_sample(&out),
        What::Trail(options) => {
            let made = trail::build(&options)?;
            println!(
                "{} files, {} events and {} duplicates, {} bytes of JSON, {} of gzip",
                made.files, made.records, made.duplicates, made.json_bytes, made.gzip_bytes
            );
            Ok(())
        }
        What::Lineage(options) => {
            let made = lineage::build(&options)?;
            println!(
                "{} sessions, {} files, {} events and {} duplicates",
                made.sessions, made.files, made.records, made.duplicates
            );
            Ok(())
        }
    }
}

fn write_sample(out: &Path) -> io::Result<()> {
    let sample = sample::build()?;
    for (path, bytes) in &sample.files {
        let path = out.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    fs::write(out.with_extension("expected.json"), &sample.expected)?;
    fs::write(out.with_extension("silent.json"), &sample.silent)
}
