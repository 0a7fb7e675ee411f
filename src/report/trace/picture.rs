//! A story as a picture: a tree of boxes from the left to the right, as inline SVG.
//!
//! Always true: attributes hold what is made here, every text passes [`safe::html`], and colors are
//! those of the page's style sheet, so that the picture is readable on light and dark grounds.

use std::fmt::Write as _;

use super::words::{
    Group, children, clipped, clock, counted, ended_by, filled, kind_words, parent_of, short_name,
    thousands,
};
use crate::lineage::story::TracedSession;
use crate::report::safe;

const BOX_WIDTH: usize = 240;
const BOX_HEIGHT: usize = 72;
/// Between boxes, from left to right: room for what stands on a line.
const GAP_WIDTH: usize = 190;
/// Between boxes, from top to bottom.
const GAP_HEIGHT: usize = 18;
/// Between trees.
const TREE_GAP: usize = 20;
/// Around the picture.
const MARGIN: usize = 10;
/// A box that says how many are missing.
const MORE_HEIGHT: usize = 30;
/// Where the lines that leave a box part, right of it.
const STEM_WIDTH: usize = 22;
/// Rounding of corners.
const RADIUS: usize = 8;
/// Characters that fit into a box, and onto a line between two.
const BOX_CHARS: usize = 30;
const KIND_CHARS: usize = 28;
const LINE_CHARS: usize = 26;

/// Where something lies: its left side, and its middle from above.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    x: usize,
    y: usize,
}

/// Where everything lies.
#[derive(Debug, Default)]
struct Layout {
    /// One for each session.
    boxes: Vec<Place>,
    /// For sessions of whose children some are left out.
    more: Vec<Option<Place>>,
    width: usize,
    height: usize,
}

/// The picture. Boxes lead to `#s0`, `#s1`, … of the page.
pub fn svg(sessions: &[TracedSession]) -> String {
    let layout = Layout::of(sessions);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Tree of sessions\" \
         width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n",
        layout.width, layout.height
    );
    for (at, session) in sessions.iter().enumerate() {
        if let Some(parent) = parent_of(session, at) {
            edge(&layout, parent, at, session, &mut out);
        }
        if let Some(place) = layout.more[at] {
            more(layout.boxes[at], place, session.n_left_out, &mut out);
        }
    }
    for (at, session) in sessions.iter().enumerate() {
        let is_root = parent_of(session, at).is_none();
        node(layout.boxes[at], at, session, is_root, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

impl Layout {
    fn of(sessions: &[TracedSession]) -> Self {
        let children = children(sessions);
        let mut layout = Self {
            boxes: vec![Place::default(); sessions.len()],
            more: vec![None; sessions.len()],
            width: 0,
            height: MARGIN,
        };
        layout.rows(sessions, &children);
        layout.heads(&children);
        layout
    }

    /// Gives every leaf a row of its own, from the top down, and every box its column.
    fn rows(&mut self, sessions: &[TracedSession], children: &[Vec<usize>]) {
        for (at, session) in sessions.iter().enumerate() {
            let parent = parent_of(session, at);
            if parent.is_none() && at > 0 {
                self.height += TREE_GAP;
            }
            let x = parent.map_or(MARGIN, |parent| {
                self.boxes[parent].x + BOX_WIDTH + GAP_WIDTH
            });
            self.boxes[at].x = x;
            self.width = self.width.max(x + BOX_WIDTH + MARGIN);
            if children[at].is_empty() {
                self.boxes[at].y = self.row(BOX_HEIGHT);
            }
            // What is missing of a session's children comes behind the last of them.
            for ended in ended_by(at, sessions, children) {
                self.more_below(ended, sessions);
            }
        }
        self.height = self.height + MARGIN - GAP_HEIGHT.min(self.height);
    }

    fn more_below(&mut self, at: usize, sessions: &[TracedSession]) {
        if sessions[at].n_left_out == 0 {
            return;
        }
        let x = self.boxes[at].x + BOX_WIDTH + GAP_WIDTH;
        let y = self.row(MORE_HEIGHT);
        self.more[at] = Some(Place { x, y });
        self.width = self.width.max(x + BOX_WIDTH + MARGIN);
    }

    /// The middle of a new row.
    fn row(&mut self, height: usize) -> usize {
        let middle = self.height + height / 2;
        self.height += height + GAP_HEIGHT;
        middle
    }

    /// Puts every other box beside the first of its children, so that whoever has many is at their
    /// head: from the last to the first, since children stand behind.
    fn heads(&mut self, children: &[Vec<usize>]) {
        for at in (0..children.len()).rev() {
            if let Some(first) = children[at].first() {
                self.boxes[at].y = self.boxes[*first].y;
            }
        }
    }
}

// Writing into a String cannot fail, so the results of `write!` are let go.

fn node(place: Place, at: usize, session: &TracedSession, is_root: bool, out: &mut String) {
    let Place { x, y } = place;
    let top = y - BOX_HEIGHT / 2;
    let group = Group::of(&session.kind).class();
    let asked = if session.is_asked { " asked" } else { "" };
    let _ = writeln!(
        out,
        "<a href=\"#s{at}\"><g class=\"box {group}{asked}\"><title>{}</title>",
        text(&format!("{} {}", session.session_id, session.name()))
    );
    if is_root {
        // A second line around it marks where it all begins.
        let _ = writeln!(
            out,
            "<rect class=\"rim\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"9\"/>",
            x - 4,
            top - 4,
            BOX_WIDTH + 8,
            BOX_HEIGHT + 8
        );
    }
    let _ = writeln!(
        out,
        "<rect class=\"frame\" x=\"{x}\" y=\"{top}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/>"
    );
    // A picture in the picture cuts off what does not fit.
    let _ = writeln!(
        out,
        "<svg x=\"{x}\" y=\"{top}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\">\n\
         <text class=\"kind\" x=\"12\" y=\"19\">{}</text>\n\
         <text class=\"name\" x=\"12\" y=\"39\">{}</text>\n\
         <text class=\"count\" x=\"12\" y=\"59\">{}</text>",
        text(&clipped(kind_words(&session.kind), KIND_CHARS)),
        text(&clipped(&short_name(session), BOX_CHARS)),
        counts(session)
    );
    let marks = [
        is_root.then_some("root"),
        session.is_asked.then_some("asked"),
    ];
    let marks: Vec<&str> = marks.into_iter().flatten().collect();
    if !marks.is_empty() {
        let _ = writeln!(
            out,
            "<text class=\"mark\" x=\"{}\" y=\"19\">{}</text>",
            BOX_WIDTH - 12,
            marks.join(" · ")
        );
    }
    out.push_str("</svg>\n</g></a>\n");
}

/// The figures, those that matter in colors.
fn counts(session: &TracedSession) -> String {
    let mut out = counted(session.n_events, "event");
    if session.n_denied > 0 {
        let denied = thousands(session.n_denied);
        let _ = write!(out, " · <tspan class=\"denied\">{denied} denied</tspan>");
    }
    if session.n_writes > 0 {
        let writes = counted(session.n_writes, "write");
        let _ = write!(out, " · <tspan class=\"write\">{writes}</tspan>");
    }
    out
}

fn edge(layout: &Layout, parent: usize, at: usize, session: &TracedSession, out: &mut String) {
    let (from, to) = (layout.boxes[parent], layout.boxes[at]);
    let likely = if session.is_only_likely() {
        " likely"
    } else {
        ""
    };
    line(from, to, likely, out);
    let x = to.x - 8;
    let mut put = |class: &str, y: usize, line: &str| {
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>",
            text(&clipped(line, LINE_CHARS))
        );
    };
    if let Some(issue) = &session.issue {
        put("issue", to.y - 18, &issue.event_name);
        if let Some(time) = &issue.time {
            put("time", to.y - 5, &clock(time));
        }
    }
    if let Some(link) = filled(session.link.as_ref()) {
        let confidence = filled(session.confidence.as_ref()).unwrap_or_default();
        put("link", to.y + 14, link);
        put("time", to.y + 27, confidence);
    }
}

/// From the right side of a box to the left side of another: level, up or down, level.
fn line(from: Place, to: Place, class: &str, out: &mut String) {
    let start = from.x + BOX_WIDTH;
    let stem = start + STEM_WIDTH;
    let (y, end) = (from.y, to.y);
    let rise = y.abs_diff(end);
    let _ = if rise == 0 {
        writeln!(
            out,
            "<path class=\"edge{class}\" d=\"M{start} {y}H{}\"/>",
            to.x
        )
    } else {
        let radius = RADIUS.min(rise / 2);
        let (before, after) = if end > y {
            (end - radius, y + radius)
        } else {
            (end + radius, y - radius)
        };
        writeln!(
            out,
            "<path class=\"edge{class}\" d=\"M{start} {y}H{}Q{stem} {y} {stem} {after}V{before}Q{stem} {end} {} {end}H{}\"/>",
            stem - radius,
            stem + radius,
            to.x
        )
    };
}

fn more(from: Place, to: Place, n: u64, out: &mut String) {
    line(from, to, " left-out", out);
    let _ = writeln!(
        out,
        "<rect class=\"more\" x=\"{}\" y=\"{}\" width=\"{BOX_WIDTH}\" height=\"{MORE_HEIGHT}\" rx=\"6\"/>\n\
         <text class=\"count\" x=\"{}\" y=\"{}\">and {} more</text>",
        to.x,
        to.y - MORE_HEIGHT / 2,
        to.x + 12,
        to.y + 5,
        thousands(n)
    );
}

fn text(text: &str) -> String {
    safe::html(&safe::line(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(parent: Option<usize>, n_left_out: u64) -> TracedSession {
        TracedSession {
            parent,
            n_left_out,
            ..TracedSession::default()
        }
    }

    #[test]
    fn boxes_never_lie_over_one_another() {
        let mut sessions = vec![
            session(None, 0),
            session(Some(0), 3),
            session(Some(1), 0),
            session(Some(0), 7),
            session(None, 2),
        ];
        // A chain, and a fan at its end.
        sessions.extend((4..30).map(|parent| session(Some(parent), 0)));
        sessions.extend((0..40).map(|_| session(Some(30), 0)));
        let layout = Layout::of(&sessions);
        let boxes = layout.boxes.iter().map(|place| (*place, BOX_HEIGHT));
        let more = layout.more.iter().flatten();
        let all: Vec<(Place, usize)> = boxes
            .chain(more.map(|place| (*place, MORE_HEIGHT)))
            .collect();
        assert_eq!(all.len(), sessions.len() + 3);
        for (n, (one, height)) in all.iter().enumerate() {
            assert!(one.y + height / 2 + MARGIN <= layout.height, "{one:?}");
            assert!(one.x + BOX_WIDTH + MARGIN <= layout.width, "{one:?}");
            for (other, other_height) in &all[n + 1..] {
                let apart = one.y.abs_diff(other.y) >= height.midpoint(*other_height);
                assert!(one.x != other.x || apart, "{one:?} {other:?}");
            }
        }
    }
}
