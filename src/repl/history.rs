//! Where the shell's history is kept: one file for each user, never in the folder of a case.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The default place by the XDG base directory specification: `$XDG_STATE_HOME/spoor/history`, else
/// `~/.local/state/spoor/history`. `None` where neither variable holds an absolute path.
///
/// `variable` reads an environment variable.
pub fn default_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("spoor").join("history"))
}

/// Makes the folder of the history file, readable by its owner alone.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_kept_in_the_users_state_folder() {
        let path = |state: Option<&str>, home: Option<&str>| {
            default_path(|name| {
                let value = match name {
                    "XDG_STATE_HOME" => state,
                    "HOME" => home,
                    _ => None,
                };
                value.map(OsString::from)
            })
        };
        assert_eq!(
            path(Some("/state"), Some("/home/u")),
            Some(PathBuf::from("/state/spoor/history"))
        );
        let home = Some(PathBuf::from("/home/u/.local/state/spoor/history"));
        assert_eq!(path(None, Some("/home/u")), home);
        assert_eq!(path(Some("relative"), Some("/home/u")), home);
        assert_eq!(path(None, None), None);
    }
}
