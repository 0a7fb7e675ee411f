//! A story as a graph for Graphviz.
//!
//! Always true: ids are made here, and texts stand in quotes that they cannot leave.

use super::words::{
    Group, clipped, clock, figures, filled, kind_words, parent_of, short_name, thousands,
};
use crate::lineage::story::{Trace, TracedSession};
use crate::report::safe;

/// Longer texts make boxes that are hard to look at.
const MAX_CHARS: usize = 60;

pub fn text(trace: &Trace) -> String {
    let mut out = String::from(
        "digraph trace {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"Helvetica\", fontsize=11];\n  \
         edge [fontname=\"Helvetica\", fontsize=9, color=\"#6b7280\"];\n",
    );
    let kind = trace.kind.map_or("", |kind| kind.as_str());
    let title = format!("{kind} {}", trace.asked);
    out.push_str(&format!(
        "  label=\"{}\";\n  labelloc=t;\n",
        quoted(title.trim_start())
    ));
    for (at, session) in trace.sessions.iter().enumerate() {
        out.push_str(&node(at, session));
        if let Some(parent) = parent_of(session, at) {
            out.push_str(&edge(parent, at, session));
        }
        if session.n_left_out > 0 {
            let more = format!("and {} more", thousands(session.n_left_out));
            out.push_str(&format!(
                "  m{at} [label=\"{more}\", shape=plaintext, style=\"\"];\n  s{at} -> m{at} [style=dotted];\n"
            ));
        }
    }
    out.push_str("}\n");
    out
}

fn node(at: usize, session: &TracedSession) -> String {
    let group = Group::of(&session.kind);
    let (fill, line) = group.colors();
    let lines = [
        kind_words(&session.kind).to_owned(),
        short_name(session),
        figures(session),
    ];
    let label: Vec<String> = lines.iter().map(|line| quoted(line)).collect();
    let mut label = label.join("\\n");
    if session.is_asked {
        label.push_str("\\n◀ asked");
    }
    let border = match (session.is_asked, parent_of(session, at)) {
        (true, _) => ", penwidth=3",
        (false, None) => ", peripheries=2",
        (false, Some(_)) => "",
    };
    let style = if group == Group::Unseen {
        ", style=\"filled,dashed\""
    } else {
        ""
    };
    format!(
        "  s{at} [label=\"{label}\", tooltip=\"{}\", fillcolor=\"{fill}\", color=\"{line}\"{border}{style}];\n",
        quoted(&session.session_id)
    )
}

fn edge(parent: usize, at: usize, session: &TracedSession) -> String {
    let mut lines = Vec::new();
    if let Some(issue) = &session.issue {
        lines.push(issue.event_name.clone());
        lines.extend(issue.time.as_deref().map(clock));
    }
    lines.extend(filled(session.link.as_ref()).map(str::to_owned));
    let label: Vec<String> = lines.iter().map(|line| quoted(line)).collect();
    let style = if session.is_only_likely() {
        ", style=dashed"
    } else {
        ""
    };
    format!(
        "  s{parent} -> s{at} [label=\"{}\"{style}];\n",
        label.join("\\n")
    )
}

/// Text for between quotes. A backslash would begin an escape, and an ampersand an entity.
fn quoted(text: &str) -> String {
    let text = safe::line(&clipped(text, MAX_CHARS)).into_owned();
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('&', "&amp;")
}
