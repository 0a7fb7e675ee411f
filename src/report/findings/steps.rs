//! The steps of a recipe taken apart: recipes are Markdown of a few forms, so that HTML can be made
//! of them without a reader of all of Markdown.
//!
//! Always true: a line that is none of the forms is a paragraph, so nothing is lost; text comes out
//! unescaped, and the renderer escapes it.

/// A part of a recipe.
#[derive(Debug, PartialEq, Eq)]
pub enum Block<'a> {
    Heading(&'a str),
    Paragraph(String),
    /// Numbered lines.
    Steps(Vec<String>),
    /// Lines after dashes.
    Points(Vec<String>),
    Code(String),
}

/// The parts of a recipe in order.
pub fn blocks(steps: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut lines = steps.lines();
    let mut is_open = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block::Code(code.join("\n")));
            is_open = false;
        } else if line.trim().is_empty() {
            is_open = false;
        } else if let Some(text) = line.strip_prefix('#') {
            blocks.push(Block::Heading(text.trim_start_matches('#').trim()));
            is_open = false;
        } else if let Some(text) = after_number(line) {
            match blocks.last_mut() {
                Some(Block::Steps(items)) => items.push(text.to_owned()),
                _ => blocks.push(Block::Steps(vec![text.to_owned()])),
            }
            is_open = true;
        } else if let Some(text) = line.strip_prefix("- ") {
            match blocks.last_mut() {
                Some(Block::Points(items)) => items.push(text.to_owned()),
                _ => blocks.push(Block::Points(vec![text.to_owned()])),
            }
            is_open = true;
        } else {
            let open = blocks.last_mut().filter(|_| is_open);
            let open = open.and_then(|block| match block {
                Block::Paragraph(text) => Some(text),
                Block::Steps(items) | Block::Points(items) => items.last_mut(),
                Block::Heading(_) | Block::Code(_) => None,
            });
            match open {
                Some(text) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                None => blocks.push(Block::Paragraph(line.trim().to_owned())),
            }
            is_open = true;
        }
    }
    blocks
}

fn after_number(line: &str) -> Option<&str> {
    let (number, text) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)
}

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Code(String),
}

/// A line's code spans and the text between them, without Markdown's escapes.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '`' => {
                if let Some((code, after)) = after.split_once('`') {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Code(code.to_owned()));
                    rest = after;
                    continue;
                }
                plain.push(c);
            }
            '\\' => {
                if let Some(escaped) = after.chars().next().filter(char::is_ascii_punctuation) {
                    plain.push(escaped);
                    rest = &after[1..];
                    continue;
                }
                plain.push(c);
            }
            '&' => {
                let entities = [("amp;", '&'), ("lt;", '<'), ("gt;", '>')];
                let known = entities
                    .into_iter()
                    .find(|(name, _)| after.starts_with(name));
                if let Some((name, meant)) = known {
                    plain.push(meant);
                    rest = &after[name.len()..];
                    continue;
                }
                plain.push(c);
            }
            c => plain.push(c),
        }
        rest = after;
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// The same Markdown under a heading: its headings go down by `levels`.
pub fn lowered(steps: &str, levels: usize) -> String {
    let mut out = String::with_capacity(steps.len() + 64);
    let mut is_code = false;
    for line in steps.trim_end().lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if line.starts_with('#') && !is_code {
            out.push_str(&"#".repeat(levels));
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_comes_apart() {
        let text = "In account `1`.\n\nWhy it\nmatters.\n\n## CLI\n\n```sh\n# a comment\naws x\n```\n\n\
                    1. one\n2. two\n   goes on\n\n- a\n- b\n";
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        let expected = vec![
            Block::Paragraph("In account `1`.".to_owned()),
            Block::Paragraph("Why it matters.".to_owned()),
            Block::Heading("CLI"),
            Block::Code("# a comment\naws x".to_owned()),
            Block::Steps(owned(&["one", "two goes on"])),
            Block::Points(owned(&["a", "b"])),
        ];
        assert_eq!(blocks(text), expected);
        let low = lowered(text, 3);
        assert!(low.contains("\n##### CLI\n") && low.contains("\n# a comment\n"));
    }

    #[test]
    fn a_line_comes_apart() {
        let check = |text: &str, expected: &[Piece]| assert_eq!(pieces(text), expected, "{text}");
        let text = |text: &str| Piece::Text(text.to_owned());
        let code = |text: &str| Piece::Code(text.to_owned());
        check("a `b<c>` d", &[text("a "), code("b<c>"), text(" d")]);
        check(
            "\\[x\\] &lt;b&gt; &amp; &quot;",
            &[text("[x] <b> & &quot;")],
        );
        check("open ` end \\", &[text("open ` end \\")]);
        check("", &[]);
    }
}
