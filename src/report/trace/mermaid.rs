//! A story as a graph for Mermaid.
//!
//! Always true: ids are made here, and of texts all that could mean something to Mermaid, Markdown or
//! HTML is written as a number. Mermaid draws no text beyond a size, so neither is more written.

use super::words::{
    Group, clipped, clock, figures, filled, kind_words, parent_of, short_name, thousands,
};
use crate::lineage::story::{Trace, TracedSession};
use crate::report::safe;

/// Longer texts make boxes that are hard to look at.
const MAX_CHARS: usize = 48;
/// Mermaid refuses graphs of more than 50,000 characters or 500 edges, unless it is told otherwise.
const MAX_TEXT_CHARS: usize = 45_000;
const MAX_EDGES: usize = 450;

pub fn text(trace: &Trace) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut n_chars = 0;
    let mut n_edges = 0;
    let mut n_left_out = 0;
    for (at, session) in trace.sessions.iter().enumerate() {
        let part = piece(at, session);
        let chars = part.chars().count();
        // Children stand behind their parents, so nothing shown can hang on what is not.
        if n_left_out > 0 || n_chars + chars > MAX_TEXT_CHARS || n_edges + 2 > MAX_EDGES {
            n_left_out += 1 + session.n_left_out;
            continue;
        }
        n_chars += chars;
        n_edges += 2;
        out.push_str(&part);
    }
    if n_left_out > 0 {
        let more = format!("and {} more", thousands(n_left_out));
        out.push_str(&format!("  more[\"{more}\"]\n"));
    }
    for group in Group::ALL {
        let (fill, line) = group.colors();
        let dashes = if group == Group::Unseen {
            ",stroke-dasharray:5 3"
        } else {
            ""
        };
        let class = group.class();
        out.push_str(&format!(
            "  classDef {class} fill:{fill},stroke:{line},color:#111827{dashes}\n"
        ));
    }
    out.push_str("  classDef asked stroke-width:4px\n");
    out
}

fn piece(at: usize, session: &TracedSession) -> String {
    let group = Group::of(&session.kind).class();
    let lines = [
        escaped(kind_words(&session.kind)),
        escaped(&short_name(session)),
        escaped(&figures(session)),
    ];
    let mark = if session.is_asked {
        "<br/>◀ asked"
    } else {
        ""
    };
    let label = lines.join("<br/>");
    let is_root = parent_of(session, at).is_none();
    let (open, close) = if is_root { ("[[", "]]") } else { ("[", "]") };
    let mut out = format!("  s{at}{open}\"{label}{mark}\"{close}:::{group}\n");
    if session.is_asked {
        out.push_str(&format!("  class s{at} asked\n"));
    }
    if let Some(parent) = parent_of(session, at) {
        let arrow = if session.is_only_likely() {
            "-.->"
        } else {
            "-->"
        };
        let label = edge_label(session);
        let label = if label.is_empty() {
            label
        } else {
            format!("|\"{label}\"|")
        };
        out.push_str(&format!("  s{parent} {arrow}{label} s{at}\n"));
    }
    if session.n_left_out > 0 {
        let more = format!("and {} more", thousands(session.n_left_out));
        out.push_str(&format!("  s{at} -.- m{at}[\"{more}\"]\n"));
    }
    out
}

fn edge_label(session: &TracedSession) -> String {
    let mut lines = Vec::new();
    if let Some(issue) = &session.issue {
        lines.push(escaped(&issue.event_name));
        lines.extend(issue.time.as_deref().map(|time| escaped(&clock(time))));
    }
    lines.extend(filled(session.link.as_ref()).map(escaped));
    lines.join("<br/>")
}

/// Text for between quotes: letters, digits and what is harmless everywhere stay. A blank behind a
/// sign would begin a list.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let text = safe::line(&clipped(text, MAX_CHARS)).into_owned();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_sign = "-./@+".contains(c) && chars.peek() != Some(&' ');
        if c.is_alphanumeric() || is_sign || " ,…–".contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}
