//! The shell at a terminal: prompt, line editing, history.

use std::path::Path;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::completer::LineHelper;
use super::input::{Input, Piece};
use super::names::Names;
use super::session::{Flow, Session};
use super::work::Interrupts;
use super::{Case, ReplOptions, history};
use crate::error::{ReportError, Result};
use crate::report::safe;

const PROMPT: &str = "spoor> ";
/// Statements kept in the history file.
const HISTORY_ENTRIES: usize = 5_000;

type LineEditor = Editor<LineHelper, FileHistory>;

/// Runs the shell until Ctrl-D or `.quit`.
///
/// # Errors
///
/// Where the terminal cannot be read or written.
pub async fn run(case: Case, options: &ReplOptions, interrupts: Interrupts) -> Result<()> {
    let mut editor = editor(LineHelper::new(names(&case), options.color)).map_err(broken)?;
    let mut session = Session::new(case, options, interrupts);
    session.is_interactive = true;
    let mut history_path = options.history_path.as_deref();
    if let Some(path) = history_path
        && let Err(error) = load_history(&mut editor, path)
    {
        let text = format!("no history: cannot use `{}`: {error}", path.display());
        session.say(&safe::line(&text))?;
        history_path = None;
    }
    greet(&mut session).await?;
    loop {
        let text = match editor.readline(PROMPT) {
            Ok(text) => text,
            // Ctrl-C gives up the line, Ctrl-D the shell.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(broken(error).into()),
        };
        remember(&mut editor, history_path, &text);
        session.width = editor.dimensions().map(|(width, _)| usize::from(width));
        for piece in pieces(&text) {
            let may_add_tables = matches!(&piece, Piece::Command(_));
            match session.run(piece).await? {
                Flow::Continue => {}
                Flow::Interrupted => break,
                Flow::Quit => return Ok(()),
            }
            if may_add_tables && let Some(helper) = editor.helper_mut() {
                helper.names = names(&session.case);
            }
        }
    }
}

fn editor(helper: LineHelper) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .max_history_size(HISTORY_ENTRIES)?
        .history_ignore_dups(true)?
        // A statement that starts with a blank is kept out of the history, as in shells.
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(helper));
    Ok(editor)
}

fn names(case: &Case) -> Names {
    let rules = case.rules.rules.iter().map(|rule| rule.id.to_string());
    let tables = case.engine.tables();
    Names::new(&tables, case.engine.function_names(), rules.collect())
}

/// One or more pieces: a pasted text may hold several.
fn pieces(text: &str) -> Vec<Piece> {
    let mut input = Input::default();
    let mut pieces: Vec<Piece> = text.lines().filter_map(|line| input.push(line)).collect();
    pieces.extend(input.finish());
    pieces
}

async fn greet(session: &mut Session) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let evidence = match session.case.engine.evidence().await {
        Ok(evidence) => match (evidence.first_time, evidence.last_time) {
            (Some(first), Some(last)) => {
                format!("{} events, {first} to {last}", evidence.n_events)
            }
            _ => format!("{} events", evidence.n_events),
        },
        Err(error) => super::session::describe(&error),
    };
    session.say(&format!(
        "spoor {version}: {evidence}\n`.help` lists the commands, statements end with `;`"
    ))
}

fn load_history(editor: &mut LineEditor, path: &Path) -> rustyline::Result<()> {
    history::make_folder(path)?;
    match editor.load_history(path) {
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Adds to the history at once, so that it survives whatever ends the shell.
fn remember(editor: &mut LineEditor, path: Option<&Path>, text: &str) {
    let is_new = editor.add_history_entry(text).unwrap_or(false);
    if let Some(path) = path.filter(|_| is_new) {
        // A history that cannot be written must not stop the work.
        let _ = editor.append_history(path);
    }
}

fn broken(error: ReadlineError) -> ReportError {
    match error {
        ReadlineError::Io(source) => ReportError::Read(source),
        other => ReportError::Read(std::io::Error::other(other)),
    }
}
