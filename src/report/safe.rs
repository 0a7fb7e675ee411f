//! Text from a log is an attacker's text: here it is made harmless for what will show it.
//!
//! A terminal obeys escape sequences, a reader is fooled by characters that turn the line around or
//! cannot be seen, a spreadsheet computes cells that look like formulas, Markdown loads images, and
//! HTML runs scripts. Each place gets its own function. JSON stays exact: what is dangerous to look
//! at is written as a JSON escape, which every reader turns back into the same text.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes text safe for one line of a terminal: control characters, line breaks and invisible or
/// direction-changing characters become visible escapes (`\x1b`, `\n`, `\u{202e}`).
///
/// A backslash itself is left alone, so the result is for reading, not for parsing back.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, &[])
}

/// Like [`line()`], but keeps line breaks and tabs, for places that indent or frame every line.
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, &['\n', '\t'])
}

/// Cuts a text that is too long to read, and says how much is missing.
pub fn cut(text: &str, max_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max_chars) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let missing = text[end..].chars().count();
            Cow::Owned(format!("{}… (+{missing} characters)", &text[..end]))
        }
    }
}

/// Makes a text cell safe for a spreadsheet and for a terminal that shows the file.
///
/// A cell that starts like a formula gets a `'` in front, which spreadsheets take as "this is text"
/// (OWASP, "CSV injection"). Plain numbers such as `-12` or `+1.5e3` compute to themselves and stay
/// as they are, so that columns of numbers remain columns of numbers.
pub fn csv(text: &str) -> Cow<'_, str> {
    let escaped = escape(text, &['\n', '\t', '\r']);
    if looks_like_formula(text) {
        Cow::Owned(format!("'{escaped}"))
    } else {
        escaped
    }
}

/// Makes text safe for a Markdown table cell or paragraph: one line, no links, images, HTML, code.
/// Addresses stay text too, so that nobody follows one from a log by a click.
pub fn markdown(text: &str) -> Cow<'_, str> {
    let line = line(text);
    if !line.contains(is_markdown) && !line.contains("://") && !line.contains('.') {
        return line;
    }
    let mut out = String::with_capacity(line.len() + 8);
    for (at, c) in line.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if is_markdown(c)
                || line[at..].starts_with("://")
                || c == '.' && ends_with_www(&line[..at]) =>
            {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A Markdown code span of one line that is exactly this text: nothing in it is a link, an image or
/// HTML.
pub fn markdown_code(text: &str) -> String {
    let line = line(text);
    let fence = "`".repeat(longest_run(&line, '`') + 1);
    // A blank on either side belongs to the fence, and keeps a backtick at an end apart from it.
    let blank = if line.is_empty() || line.starts_with([' ', '`']) || line.ends_with([' ', '`']) {
        " "
    } else {
        ""
    };
    format!("{fence}{blank}{line}{blank}{fence}")
}

/// The same in a cell: tables are cut at bars before anything else is read.
pub fn markdown_code_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

/// A fenced block of Markdown whose text cannot close it.
pub fn markdown_block(language: &str, text: &str) -> String {
    let text = lines(text);
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// Makes text safe for HTML, between tags and inside quoted attributes. Line breaks and tabs stay;
/// other controls and what cannot be seen become visible escapes.
pub fn html(text: &str) -> Cow<'_, str> {
    let text = lines(text);
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Appends finished JSON text, with dangerous characters inside its strings as `\u` escapes.
///
/// Such characters can only stand inside strings, so the JSON value stays the same.
pub fn json(finished: &str, out: &mut Vec<u8>) {
    let bytes = finished.as_bytes();
    if bytes.is_ascii() && !bytes.contains(&0x7f) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut units = [0; 2];
    let mut buffer = [0; 4];
    for c in finished.chars() {
        // Line breaks are layout between values: JSON strings never hold raw ones.
        if c != '\n' && is_dangerous(c) {
            for unit in c.encode_utf16(&mut units) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
}

fn escape<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let escaped = |c: char| is_dangerous(c) && !kept.contains(&c);
    let Some(first) = text.find(escaped) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            c if !escaped(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(out)
}

/// Controls, and characters that change the direction of text or cannot be seen (Unicode's general
/// categories Cc and Cf as far as they are default-ignorable, and the line separators).
fn is_dangerous(c: char) -> bool {
    match c {
        c if c.is_control() => true,
        c if c.is_ascii() => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => {
            true
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' => true,
        '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

fn ends_with_www(text: &str) -> bool {
    let last = text.as_bytes().last_chunk::<3>();
    last.is_some_and(|last| last.eq_ignore_ascii_case(b"www"))
}

fn longest_run(text: &str, of: char) -> usize {
    let runs = text.split(|c| c != of);
    runs.map(str::len).max().unwrap_or_default()
}

fn looks_like_formula(text: &str) -> bool {
    // Spreadsheets skip leading blanks, and some take the full-width forms for the ASCII ones.
    let start = text.trim_start_matches([' ', '\u{a0}', '\u{feff}']);
    start.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%',
    ]) && !is_plain_number(text)
}

fn is_plain_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && text.parse::<f64>().is_ok()
}

fn is_markdown(c: char) -> bool {
    matches!(
        c,
        '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_controls() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected);
        check("plain ünïcode 日本", "plain ünïcode 日本");
        check("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07");
        check("a\r\nb\tc", "a\\r\\nb\\tc");
        check("\u{9b}31m", "\\u{9b}31m");
        check("admin\u{202e}nimda", "admin\\u{202e}nimda");
        check(
            "ro\u{200b}le\u{feff}\u{e0041}",
            "ro\\u{200b}le\\u{feff}\\u{e0041}",
        );
        assert_eq!(lines("a\n\tb\r\x1b"), "a\n\tb\\r\\x1b");
    }

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        let check = |text: &str, expected: &str| assert_eq!(csv(text), expected);
        check("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")");
        check("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
        check("-1+1", "'-1+1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check(" =1", "' =1");
        check("\r=1", "'\r=1");
        check("＝1", "'＝1");
        check("-12", "-12");
        check("+1.5e3", "+1.5e3");
        check("-", "'-");
        check("-inf", "'-inf");
        check("a=1", "a=1");
        check("two\nlines\x1b", "two\nlines\\x1b");
    }

    #[test]
    fn markdown_has_no_links_images_or_cells() {
        assert_eq!(
            markdown("![x](http://e/p.png)|<img>`\n&"),
            "!\\[x\\](http\\://e/p.png)\\|&lt;img&gt;\\`\\\\n&amp;"
        );
    }

    #[test]
    fn addresses_are_not_links_in_markdown() {
        assert_eq!(markdown("see WWW.example.org"), "see WWW\\.example.org");
        assert_eq!(markdown("1.2.3.4 a:b"), "1.2.3.4 a:b");
    }

    #[test]
    fn markdown_code_has_no_way_out() {
        let check = |text: &str, expected: &str| assert_eq!(markdown_code(text), expected);
        check("arn:aws:iam::1:role/a_b", "`arn:aws:iam::1:role/a_b`");
        check("", "`  `");
        check("a`b", "``a`b``");
        check("``", "``` `` ```");
        check("a|b\n\u{202e}", "`a|b\\n\\u{202e}`");
        assert_eq!(markdown_code_cell("a|b"), "`a\\|b`");
        let block = markdown_block("sql", "SELECT 1\n````\n# x\x1b");
        assert_eq!(block, "`````sql\nSELECT 1\n````\n# x\\x1b\n`````\n");
    }

    #[test]
    fn html_has_no_tags_and_no_end_of_attributes() {
        let check = |text: &str, expected: &str| assert_eq!(html(text), expected);
        check("plain ünïcode 日本", "plain ünïcode 日本");
        check(
            "<script>'x' & \"y\"</script>",
            "&lt;script&gt;&#39;x&#39; &amp; &quot;y&quot;&lt;/script&gt;",
        );
        check("a\nb\u{202e}\x00\r", "a\nb\\u{202e}\\x00\\r");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({"a\u{202e}": "\u{1b}\u{7f}\u{9b}é\u{e0041}日"});
        let text = value.to_string();
        let mut out = Vec::new();
        json(&text, &mut out);
        let shown = String::from_utf8(out).unwrap();
        assert!(!shown.contains(is_dangerous), "{shown}");
        assert!(shown.contains('日'));
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn long_text_is_cut_openly() {
        assert_eq!(cut("ééé", 3), "ééé");
        assert_eq!(cut("éééé", 3), "ééé… (+1 characters)");
    }
}
