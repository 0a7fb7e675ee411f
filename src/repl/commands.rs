//! The commands of the shell: their names, how they are written, and what they ask for.

use std::path::PathBuf;

use crate::error::QueryError;
use crate::report::rows::Format;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Help,
    Tables,
    /// The columns of one table, or of all.
    Schema(Option<String>),
    /// Sets the format, or says which is set.
    Mode(Option<Format>),
    Timer(bool),
    /// How many rows a table shows; `None` for all.
    MaxRows(Option<usize>),
    Read(PathBuf),
    /// Reads a table under another name: the name, and the table.
    Alias(String, String),
    /// Runs one rule, or all.
    Detect(Option<String>),
    Rules,
    /// Tells where a session came from and what was done in it.
    Trace(String),
    Quit,
}

/// A line of the help.
pub struct CommandInfo {
    /// All spellings, the first is the name.
    pub names: &'static [&'static str],
    pub argument: &'static str,
    pub what: &'static str,
}

const fn info(
    names: &'static [&'static str],
    argument: &'static str,
    what: &'static str,
) -> CommandInfo {
    CommandInfo {
        names,
        argument,
        what,
    }
}

/// Every command, in the order of the help.
pub const COMMANDS: &[CommandInfo] = &[
    info(&[".help", "\\?"], "", "show this help"),
    info(&[".tables", "\\dt"], "", "list tables and views"),
    info(
        &[".schema", "\\d"],
        "[TABLE]",
        "show columns and their types",
    ),
    info(
        &[".mode"],
        "[FORMAT]",
        "set how rows are written, or show it",
    ),
    info(&[".timer"], "on|off", "show how long statements take"),
    info(&[".maxrows"], "N|all", "show at most N rows of a table"),
    info(
        &[".read"],
        "FILE",
        "run statements and commands from a file",
    ),
    info(
        &[".alias"],
        "NAME [TABLE]",
        "read TABLE (cloudtrail) under another name",
    ),
    info(
        &[".detect"],
        "[RULE]",
        "run the rules, or one; then query findings and suppressed",
    ),
    info(&[".rules"], "", "list the rules"),
    info(
        &[".trace"],
        "X",
        "follow a key, session, name, event, address or finding",
    ),
    info(&[".quit", ".exit", "\\q"], "", "leave (also Ctrl-D)"),
];

/// The command that a spelling means.
pub fn find(name: &str) -> Option<&'static CommandInfo> {
    COMMANDS.iter().find(|info| info.names.contains(&name))
}

/// Reads a command line.
///
/// # Errors
///
/// Where there is no such command, or it does not take that argument.
pub fn parse(line: &str) -> Result<Command, QueryError> {
    // A semicolon at the end is a habit from SQL.
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = match line.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, Some(argument.trim())),
        None => (line, None),
    };
    let Some(info) = find(name) else {
        return Err(
            QueryError::new(format!("no command `{name}`")).with_hint("`.help` lists the commands")
        );
    };
    let text = |argument: Option<&str>| argument.map(|text| unquoted(text).to_owned());
    let usage = || {
        let usage = format!("`{} {}`", info.names[0], info.argument);
        QueryError::new(format!("expected {usage}"))
    };
    match (info.names[0], argument) {
        (".help", None) => Ok(Command::Help),
        (".tables", None) => Ok(Command::Tables),
        (".schema", argument) => Ok(match text(argument) {
            // `\d` without a name lists the tables, as in psql.
            None if name == "\\d" => Command::Tables,
            table => Command::Schema(table),
        }),
        (".mode", None) => Ok(Command::Mode(None)),
        (".mode", Some(format)) => parse_format(format),
        (".timer", Some("on")) => Ok(Command::Timer(true)),
        (".timer", Some("off")) => Ok(Command::Timer(false)),
        (".maxrows", Some("all")) => Ok(Command::MaxRows(None)),
        (".maxrows", Some(number)) => match number.parse() {
            Ok(number) => Ok(Command::MaxRows(Some(number))),
            Err(_) => Err(usage()),
        },
        (".read", Some(path)) => Ok(Command::Read(PathBuf::from(unquoted(path)))),
        (".alias", Some(argument)) => {
            let (name, table) = match argument.split_once(['=', ' ']) {
                Some((name, table)) => (name.trim(), table.trim()),
                None => (argument, "cloudtrail"),
            };
            if name.is_empty() || table.is_empty() {
                return Err(usage());
            }
            Ok(Command::Alias(name.to_owned(), table.to_owned()))
        }
        (".detect", rule) => Ok(Command::Detect(text(rule))),
        (".rules", None) => Ok(Command::Rules),
        (".trace", Some(handle)) => Ok(Command::Trace(unquoted(handle).to_owned())),
        (".quit", None) => Ok(Command::Quit),
        _ => Err(usage()),
    }
}

/// The formats a shell can show.
pub fn formats() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| format.is_text())
}

fn parse_format(text: &str) -> Result<Command, QueryError> {
    let format: Format = text
        .parse()
        .map_err(|error| QueryError::new(format!("{error}")))?;
    if format.is_text() {
        Ok(Command::Mode(Some(format)))
    } else {
        Err(QueryError::new(format!("`{format}` is not for a terminal"))
            .with_hint("`spoor query -o FILE` writes it"))
    }
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote);
        if let Some(inner) = inner.and_then(|text| text.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let check = |line: &str, expected: Command| match parse(line) {
            Ok(command) => assert_eq!(command, expected),
            Err(error) => panic!("{line}: {error}"),
        };
        check(".help", Command::Help);
        check(".tables;", Command::Tables);
        check("\\d", Command::Tables);
        check("\\d cloudtrail", Command::Schema(Some("cloudtrail".into())));
        check(".schema", Command::Schema(None));
        check(".mode", Command::Mode(None));
        check(".mode  vertical", Command::Mode(Some(Format::Vertical)));
        check(".timer off", Command::Timer(false));
        check(".maxrows 20", Command::MaxRows(Some(20)));
        check(".maxrows all", Command::MaxRows(None));
        check(".read 'a b.sql'", Command::Read("a b.sql".into()));
        let alias = |name: &str, table: &str| Command::Alias(name.into(), table.into());
        check(".alias db.x=activity", alias("db.x", "activity"));
        check(".alias db.x activity;", alias("db.x", "activity"));
        check(".alias x", alias("x", "cloudtrail"));
        check(".detect", Command::Detect(None));
        check(".detect x-y", Command::Detect(Some("x-y".into())));
        let trace = |handle: &str| Command::Trace(handle.into());
        check(".trace ASIAEXAMPLE;", trace("ASIAEXAMPLE"));
        check(".trace 'a b'", trace("a b"));
        check("\\q", Command::Quit);
        check(".exit", Command::Quit);
    }

    #[test]
    fn what_is_no_command_says_so() {
        let check = |line: &str, expected: &str| match parse(line) {
            Ok(command) => panic!("{line} is {command:?}"),
            Err(error) => assert_eq!(error.to_string(), expected),
        };
        check(".foo", "no command `.foo`");
        check(".timer maybe", "expected `.timer on|off`");
        check(".read", "expected `.read FILE`");
        check(".trace", "expected `.trace X`");
        check(".mode parquet", "`parquet` is not for a terminal");
        check(
            ".mode xml",
            "`xml` is not a format (table, csv, tsv, json, ndjson, markdown, vertical, parquet)",
        );
    }

    #[test]
    fn every_command_is_parsed() {
        let arguments = ["", " on", " 1", " x"];
        for info in COMMANDS {
            for name in info.names {
                let parsed = arguments
                    .iter()
                    .any(|argument| parse(&format!("{name}{argument}")).is_ok());
                assert!(parsed, "{name}");
            }
        }
    }
}
