//! Which objects a run is to read.

use std::cmp::Ordering;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::container::{is_log_name, name_as_text};
use super::decode::SourceKind;
use crate::error::{FileError, IngestError, Result};

/// The name of standard input among sources.
pub const STDIN: &str = "-";

/// An object to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The absolute path, or [`STDIN`].
    pub uri: String,
    pub path: PathBuf,
    pub size_bytes: u64,
    /// What its name says it is.
    pub kind: SourceKind,
    /// Its name promises log text, so that anything else in it is worth a reject.
    pub named_as_log: bool,
    /// Why it cannot be read, where looking for sources showed that already.
    pub problem: Option<String>,
}

/// Finds the files behind what the user named: files, folders (with everything below), globs, and
/// `-`. Sorted by the day in their names, then by path, so that days arrive one after another and
/// two runs see one order. Hidden files and folders are left out. What cannot be listed (a dangling
/// link, a loop of links, a folder without permission) is a source with a problem, so that it ends
/// in the rejects and the run goes on.
///
/// # Errors
///
/// [`IngestError::NoSource`] and [`IngestError::NoMatch`] for names that stand for nothing,
/// [`IngestError::Empty`] for a folder without a file.
pub fn discover(names: &[String]) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for name in names {
        let before = sources.len();
        let path = Path::new(name);
        if name == STDIN {
            sources.push(Source {
                uri: STDIN.to_owned(),
                path: path.to_owned(),
                size_bytes: 0,
                kind: SourceKind::Events,
                named_as_log: true,
                problem: None,
            });
        } else if path.is_dir() {
            walk(path, None, &mut sources);
            if sources.len() == before {
                return Err(IngestError::Empty {
                    path: path.to_owned(),
                }
                .into());
            }
        } else if path.exists() {
            let mut source = source_at(path);
            source.named_as_log = true;
            sources.push(source);
        } else if name.contains(['*', '?', '[', '{']) {
            glob(name, &mut sources)?;
            if sources.len() == before {
                return Err(IngestError::NoMatch {
                    pattern: name.clone(),
                }
                .into());
            }
        } else {
            return Err(IngestError::NoSource {
                path: path.to_owned(),
            }
            .into());
        }
    }
    sources.sort_by(by_day_then_path);
    sources.dedup_by(|a, b| a.path == b.path);
    Ok(sources)
}

fn by_day_then_path(a: &Source, b: &Source) -> Ordering {
    day_in_name(&a.uri)
        .cmp(&day_in_name(&b.uri))
        .then_with(|| a.uri.cmp(&b.uri))
}

fn walk(folder: &Path, matcher: Option<&GlobMatcher>, sources: &mut Vec<Source>) {
    let visible = |entry: &walkdir::DirEntry| {
        entry.depth() == 0
            || !entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with('.'))
    };
    for entry in WalkDir::new(folder)
        .follow_links(true)
        .into_iter()
        .filter_entry(visible)
    {
        let found = match entry {
            Ok(entry) if !entry.file_type().is_file() => continue,
            Ok(entry) => source_at(entry.path()),
            Err(error) => {
                let problem = match error.loop_ancestor() {
                    Some(ancestor) => format!("a link back to `{}`", ancestor.display()),
                    None => error
                        .io_error()
                        .map_or(error.to_string(), ToString::to_string),
                };
                Source {
                    problem: Some(problem),
                    ..source_at(error.path().unwrap_or(folder))
                }
            }
        };
        if matcher.is_none_or(|matcher| matcher.is_match(&found.path)) {
            sources.push(found);
        }
    }
}

/// Walks the folder before the first wildcard.
fn glob(pattern: &str, sources: &mut Vec<Source>) -> Result<()> {
    let is_fixed = |part: &Component<'_>| {
        let part = part.as_os_str().to_string_lossy();
        !part.contains(['*', '?', '[', '{'])
    };
    let parts = Path::new(pattern).components();
    let fixed: PathBuf = parts.clone().take_while(is_fixed).collect();
    let rest: PathBuf = parts.skip_while(is_fixed).collect();
    // Sources have absolute paths, so the pattern needs one too.
    let base =
        std::path::absolute(Path::new(".").join(fixed)).map_err(FileError::at("find", pattern))?;
    let whole = Path::new(&globset::escape(&base.to_string_lossy())).join(rest);
    let matcher = GlobBuilder::new(&whole.to_string_lossy())
        .literal_separator(true)
        .build()
        .map_err(|error| IngestError::Glob {
            pattern: pattern.to_owned(),
            source: error.into(),
        })?
        .compile_matcher();
    if base.is_dir() {
        walk(&base, Some(&matcher), sources);
    }
    Ok(())
}

fn source_at(path: &Path) -> Source {
    // Only an empty path has no absolute form.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let uri = name_as_text(absolute.as_os_str().as_encoded_bytes());
    let (size_bytes, problem) = match fs::metadata(path) {
        Ok(metadata) => (metadata.len(), None),
        Err(error) => (0, Some(error.to_string())),
    };
    Source {
        kind: kind_of_name(&uri),
        named_as_log: is_log_name(&uri),
        uri,
        path: absolute,
        size_bytes,
        problem,
    }
}

/// CloudTrail's own folders and file names tell digests and insights apart from events.
fn kind_of_name(uri: &str) -> SourceKind {
    if uri.contains("/CloudTrail-Digest/") || uri.contains("_CloudTrail-Digest_") {
        SourceKind::Digest
    } else if uri.contains("/CloudTrail-Insight/") || uri.contains("_CloudTrail-Insight_") {
        SourceKind::Insight
    } else {
        SourceKind::Unknown
    }
}

/// The day that CloudTrail puts into its file names (`…_20230710T1145Z_…`), as digits.
fn day_in_name(uri: &str) -> Option<&str> {
    let name = uri.rsplit('/').next()?;
    name.split('_').find_map(|part| {
        let digits = part.get(..8)?;
        let is_stamp = part.as_bytes().get(8) == Some(&b'T')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_stamp.then_some(digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Source], below: &Path) -> Vec<String> {
        found
            .iter()
            .map(|source| {
                let path = source.path.strip_prefix(below).unwrap();
                path.to_string_lossy().into_owned()
            })
            .collect()
    }

    #[test]
    fn folders_files_and_globs_give_each_file_once_in_order_of_days() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "b/1_CloudTrail_r_20240102T0000Z_x.json.gz",
            "a/1_CloudTrail_r_20240103T0000Z_x.json.gz",
            "a/plain.json",
            "a/.hidden.json",
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let all = [
            "a/plain.json",
            "b/1_CloudTrail_r_20240102T0000Z_x.json.gz",
            "a/1_CloudTrail_r_20240103T0000Z_x.json.gz",
        ];
        let check = |patterns: &[&str], expected: &[&str]| {
            let patterns: Vec<String> = patterns
                .iter()
                .map(|pattern| format!("{}/{pattern}", root.display()))
                .collect();
            assert_eq!(names(&discover(&patterns).unwrap(), root), expected);
        };
        check(&[""], &all);
        check(&["a", "a/plain.json", "b"], &all);
        check(&["*/*.gz"], &all[1..]);
        check(&["**/*.json"], &all[..1]);
    }

    #[test]
    fn names_that_stand_for_nothing_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "/none", "/*.json"] {
            let name = format!("{}{name}", folder.path().display());
            assert!(discover(&[name]).is_err());
        }
    }

    #[test]
    fn digests_and_insights_are_known_by_their_names() {
        let check = |uri, kind| assert_eq!(kind_of_name(uri), kind, "{uri}");
        check(
            "/AWSLogs/1/CloudTrail-Digest/r/x.json.gz",
            SourceKind::Digest,
        );
        check("/flat/1_CloudTrail-Digest_r_t.json.gz", SourceKind::Digest);
        check(
            "/AWSLogs/1/CloudTrail-Insight/r/x.json.gz",
            SourceKind::Insight,
        );
        check("/AWSLogs/1/CloudTrail/r/x.json.gz", SourceKind::Unknown);
    }
}
