//! What no parser takes, made into what it takes, on tokens. Places stay those of the text.
//!
//! - Names of tables that are not names: placeholders of documentation (`<EDS ID>`, `$EDS_ID`,
//!   `{table}`), bare identifiers of event data stores, hyphens (`cloudtrail_my-bucket`). They become
//!   quoted names.
//! - Types of CAST that nest in parentheses, `array(row(a varchar))`: they become one name with a text.
//! - `IS DISTINCT FROM`, of which the parser reads too much, and rows of VALUES without parentheses.
//! - A comparison in two pieces (`< =`), as pages that lost a character have it.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Word};

use super::is_space;
use super::types::WRITTEN_TYPE;
use crate::engine::places::cut;

/// In calls of these, FROM is not followed by a table.
const CALLS_WITH_FROM: [&str; 5] = ["EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"];

/// Types that take others in parentheses.
const NESTING_TYPES: [&str; 3] = ["ROW", "ARRAY", "MAP"];

/// How many tokens a placeholder in brackets may have: `<your event data store id>`.
const MAX_PLACEHOLDER_TOKENS: usize = 24;

/// The tokens of `sql`, mended.
pub(super) fn mended(sql: &str, tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut calls: Vec<Call> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at..).unwrap_or_default();
        let (mut made, used) = match &token.token {
            Token::LParen => {
                calls.push(Call::after(&out));
                (Vec::new(), 0)
            }
            Token::RParen => {
                calls.pop();
                (Vec::new(), 0)
            }
            _ if is_space(&token.token) => (Vec::new(), 0),
            _ if expects_rows(&out) && token.token != Token::LParen => rows_of_values(rest),
            _ if expects_type(&out, &calls) => nested_type(sql, rest),
            _ if expects_table(&out, &calls) => table_name(sql, rest),
            Token::Placeholder(name) if followed_by_point(rest) => {
                let name = Token::make_word(name, Some('"'));
                (vec![TokenWithSpan::new(name, token.span)], 1)
            }
            Token::Word(word) if word.keyword == Keyword::IS => distinct(rest),
            Token::Lt | Token::Gt | Token::ExclamationMark => comparison(rest),
            _ => (Vec::new(), 0),
        };
        out.append(&mut made);
        if used == 0 {
            out.push(token.clone());
        }
        at += used.max(1);
    }
    out
}

/// A pair of parentheses that is open.
struct Call {
    /// The word before it, in capitals.
    name: Option<String>,
}

impl Call {
    fn after(out: &[TokenWithSpan]) -> Self {
        let name = last_word(out).map(|word| word.value.to_uppercase());
        Self { name }
    }

    fn is(&self, names: &[&str]) -> bool {
        let name = self.name.as_deref();
        name.is_some_and(|name| names.contains(&name))
    }
}

/// The last token that says something.
fn last(out: &[TokenWithSpan]) -> Option<&Token> {
    let mut said = out.iter().rev().map(|token| &token.token);
    said.find(|token| !is_space(token))
}

fn last_word(out: &[TokenWithSpan]) -> Option<&Word> {
    match last(out)? {
        Token::Word(word) if word.quote_style.is_none() => Some(word),
        _ => None,
    }
}

/// Whether what follows is the name of a table.
fn expects_table(out: &[TokenWithSpan], calls: &[Call]) -> bool {
    let Some(word) = last_word(out) else {
        return false;
    };
    match word.keyword {
        Keyword::JOIN => true,
        Keyword::FROM => !calls.last().is_some_and(|call| call.is(&CALLS_WITH_FROM)),
        _ => false,
    }
}

/// The key words at the end, the last first.
fn last_keywords(out: &[TokenWithSpan]) -> [Keyword; 4] {
    let mut words = out
        .iter()
        .rev()
        .filter(|token| !is_space(&token.token))
        .map(|token| keyword(&token.token));
    [(); 4].map(|()| words.next().unwrap_or(Keyword::NoKeyword))
}

fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

/// `IS NOT DISTINCT FROM x` as `<=> x`, and `IS DISTINCT FROM x` as `<=> (x) = false`, which never is NULL:
/// of the words, the parser takes all that follows for the right side, ANDs and ORs included.
fn distinct(rest: &[TokenWithSpan]) -> (Vec<TokenWithSpan>, usize) {
    let mut words = rest
        .iter()
        .enumerate()
        .filter(|(_, token)| !is_space(&token.token))
        .map(|(at, token)| (at, keyword(&token.token)));
    let mut next = || words.next().unwrap_or((0, Keyword::NoKeyword));
    let _is = next();
    let mut second = next();
    let negated = second.1 == Keyword::NOT;
    if negated {
        second = next();
    }
    let (from, last) = next();
    if second.1 != Keyword::DISTINCT || last != Keyword::FROM {
        return (Vec::new(), 0);
    }
    let written = rest.get(..=from).unwrap_or(rest);
    let span = spanned(written);
    let mut tokens = vec![TokenWithSpan::new(Token::Spaceship, span)];
    if negated {
        return (tokens, from + 1);
    }
    let (operand, used) = wrapped(rest.get(from + 1..).unwrap_or_default(), ends_operand);
    let no = [Token::Eq, Token::make_keyword("FALSE")];
    tokens.extend(operand);
    tokens.extend(no.map(|token| TokenWithSpan::new(token, span)));
    (tokens, from + 1 + used)
}

/// Whether rows follow: in Trino, rows of one column need no parentheses.
fn expects_rows(out: &[TokenWithSpan]) -> bool {
    last_keywords(out)[0] == Keyword::VALUES
}

/// Whether the right side of a comparison ends here.
fn ends_operand(token: &Token) -> bool {
    matches!(token, Token::Comma | Token::SemiColon | Token::EOF)
        || matches!(
            keyword(token),
            Keyword::AND
                | Keyword::OR
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::WHEN
                | Keyword::AS
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::WINDOW
                | Keyword::JOIN
                | Keyword::LEFT
                | Keyword::INNER
                | Keyword::CROSS
        )
        || ends_query(token)
}

fn ends_query(token: &Token) -> bool {
    matches!(token, Token::SemiColon | Token::EOF)
        || matches!(
            keyword(token),
            Keyword::ORDER
                | Keyword::LIMIT
                | Keyword::OFFSET
                | Keyword::FETCH
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
        )
}

/// The tokens before the first that `ends`, outside of parentheses and of CASE.
fn extent(rest: &[TokenWithSpan], ends: impl Fn(&Token) -> bool) -> usize {
    let mut depth = 0_usize;
    for (at, token) in rest.iter().enumerate() {
        match (&token.token, keyword(&token.token)) {
            (Token::LParen | Token::LBracket, _) | (_, Keyword::CASE) => depth += 1,
            (Token::RParen | Token::RBracket, _) | (_, Keyword::END) if depth == 0 => return at,
            (Token::RParen | Token::RBracket, _) | (_, Keyword::END) => depth -= 1,
            (token, _) if depth == 0 && ends(token) => return at,
            _ => {}
        }
    }
    rest.len()
}

/// An operand in parentheses.
fn wrapped(rest: &[TokenWithSpan], ends: impl Fn(&Token) -> bool) -> (Vec<TokenWithSpan>, usize) {
    let mut used = extent(rest, ends);
    while rest
        .get(..used)
        .and_then(<[_]>::last)
        .is_some_and(|token| is_space(&token.token))
    {
        used -= 1;
    }
    let operand = rest.get(..used).unwrap_or_default();
    let (Some(first), Some(last)) = (operand.first(), operand.last()) else {
        return (Vec::new(), 0);
    };
    let space = operand.iter().take_while(|token| is_space(&token.token));
    let space = space.count();
    let mut tokens = operand.get(..space).unwrap_or_default().to_vec();
    tokens.push(TokenWithSpan::new(Token::LParen, first.span));
    tokens.extend_from_slice(operand.get(space..).unwrap_or_default());
    tokens.push(TokenWithSpan::new(Token::RParen, last.span));
    (tokens, used)
}

/// `VALUES 1, 2` with its rows in parentheses.
fn rows_of_values(rest: &[TokenWithSpan]) -> (Vec<TokenWithSpan>, usize) {
    let all = extent(rest, ends_query);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < all {
        let within = rest.get(at..all).unwrap_or_default();
        let (row, used) = wrapped(within, |token| *token == Token::Comma);
        tokens.extend(row);
        at += used;
        // The comma, and the space around it.
        while let Some(token) = rest.get(at).filter(|_| at < all)
            && (is_space(&token.token) || token.token == Token::Comma)
        {
            tokens.push(token.clone());
            at += 1;
        }
        if used == 0 {
            break;
        }
    }
    (tokens, at)
}

/// Whether what follows is the type of a CAST.
fn expects_type(out: &[TokenWithSpan], calls: &[Call]) -> bool {
    last_word(out).is_some_and(|word| word.keyword == Keyword::AS)
        && calls
            .last()
            .is_some_and(|call| call.is(&["CAST", "TRY_CAST"]))
}

/// Whether a placeholder stands for a table, whose column follows.
fn followed_by_point(rest: &[TokenWithSpan]) -> bool {
    rest.get(1).is_some_and(|next| next.token == Token::Period)
}

/// `< =` as `<=`.
fn comparison(rest: &[TokenWithSpan]) -> (Vec<TokenWithSpan>, usize) {
    let Some(first) = rest.first() else {
        return (Vec::new(), 0);
    };
    let spaces = rest
        .iter()
        .skip(1)
        .take_while(|token| is_space(&token.token))
        .count();
    let joined = match (&first.token, rest.get(1 + spaces).map(|next| &next.token)) {
        (Token::Lt, Some(Token::Eq)) => Token::LtEq,
        (Token::Gt, Some(Token::Eq)) => Token::GtEq,
        (Token::ExclamationMark, Some(Token::Eq)) => Token::Neq,
        _ => return (Vec::new(), 0),
    };
    let span = spanned(rest.get(..spaces + 2).unwrap_or(rest));
    (vec![TokenWithSpan::new(joined, span)], spaces + 2)
}

/// `array(row(a varchar))` as one name that holds the text.
fn nested_type(sql: &str, rest: &[TokenWithSpan]) -> (Vec<TokenWithSpan>, usize) {
    let nests = matches!(rest, [first, ..] if matches!(&first.token, Token::Word(word)
        if NESTING_TYPES.contains(&word.value.to_uppercase().as_str())));
    let mut depth = 0_usize;
    let mut end = None;
    for (at, token) in rest.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth <= 1 => {
                end = (depth == 1).then_some(at + 1);
                break;
            }
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
    let (true, Some(end)) = (nests, end) else {
        return (Vec::new(), 0);
    };
    let written = rest.get(..end).unwrap_or(rest);
    let span = spanned(written);
    let text = cut(sql, span.start, span.end).to_owned();
    let tokens = [
        Token::make_word(WRITTEN_TYPE, None),
        Token::LParen,
        Token::SingleQuotedString(text),
        Token::RParen,
    ];
    let tokens = tokens.map(|token| TokenWithSpan::new(token, span));
    (tokens.to_vec(), end)
}

/// A name of a table that is no name, as a quoted one.
fn table_name(sql: &str, rest: &[TokenWithSpan]) -> (Vec<TokenWithSpan>, usize) {
    let used = match rest.first().map(|first| &first.token) {
        Some(Token::Lt) => bracketed(rest, &Token::Gt),
        Some(Token::LBracket) => bracketed(rest, &Token::RBracket),
        Some(Token::LBrace) => bracketed(rest, &Token::RBrace),
        _ => 0,
    };
    let used = used + run_length(rest.get(used..).unwrap_or_default());
    let written = rest.get(..used).unwrap_or_default();
    let is_name = |token: &TokenWithSpan| matches!(token.token, Token::Word(_) | Token::Period);
    let holds_text = |token: &TokenWithSpan| matches!(token.token, Token::SingleQuotedString(_));
    if written.is_empty() || written.iter().all(is_name) || written.iter().any(holds_text) {
        return (Vec::new(), 0);
    }
    let span = spanned(written);
    let text = cut(sql, span.start, span.end);
    let mut tokens = Vec::new();
    for part in parts(text) {
        if !tokens.is_empty() {
            tokens.push(TokenWithSpan::new(Token::Period, span));
        }
        tokens.push(TokenWithSpan::new(Token::make_word(&part, Some('"')), span));
    }
    (tokens, used)
}

/// The tokens up to the last `close` that stands without space after the first one.
fn bracketed(rest: &[TokenWithSpan], close: &Token) -> usize {
    let open = rest.first().map(|token| &token.token);
    let mut depth = 0_usize;
    for (at, token) in rest.iter().take(MAX_PLACEHOLDER_TOKENS).enumerate() {
        if Some(&token.token) == open {
            depth += 1;
        } else if token.token == *close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    0
}

/// The tokens up to the first that cannot be in a name.
fn run_length(rest: &[TokenWithSpan]) -> usize {
    rest.iter()
        .take_while(|token| {
            !is_space(&token.token)
                && !matches!(
                    token.token,
                    Token::Comma | Token::SemiColon | Token::LParen | Token::RParen | Token::EOF
                )
        })
        .count()
}

/// A dotted name in its parts; dots in quotes and brackets belong to a part.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut close = None;
    for character in text.chars() {
        match (close, character) {
            (Some('}'), '}') => {
                close = None;
                push(&mut parts, character);
            }
            (Some(end), _) if character == end => close = None,
            (None, '"' | '`') => close = Some(character),
            (None, '<') => close = Some('>'),
            (None, '{') => {
                close = Some('}');
                push(&mut parts, character);
            }
            (None, '.') => parts.push(String::new()),
            (_, '<' | '>') => {}
            _ => push(&mut parts, character),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn push(parts: &mut [String], character: char) {
    if let Some(part) = parts.last_mut() {
        part.push(character);
    }
}

fn spanned(tokens: &[TokenWithSpan]) -> Span {
    let start = tokens
        .first()
        .map_or(Location::empty(), |token| token.span.start);
    let end = tokens.last().map_or(start, |token| token.span.end);
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::super::tokenize;

    fn mended(sql: &str) -> String {
        let tokens = tokenize(sql).unwrap();
        tokens.iter().map(|token| token.token.to_string()).collect()
    }

    #[test]
    fn names_that_are_none_are_quoted() {
        for (sql, expected) in [
            ("FROM <EDS ID>\nWHERE a", "FROM \"EDS ID\"\nWHERE a"),
            (
                "from <event_data_store_id> where",
                "from \"event_data_store_id\" where",
            ),
            ("FROM $EDS_ID WHERE", "FROM \"$EDS_ID\" WHERE"),
            (
                "FROM\n 5e2676f8-9fce-46ef-8142-3e36a94e6691\nWHERE",
                "FROM\n \"5e2676f8-9fce-46ef-8142-3e36a94e6691\"\nWHERE",
            ),
            ("FROM eds-ID)", "FROM \"eds-ID\")"),
            (
                "FROM a.cloudtrail_DOC-EXAMPLE-BUCKET1_table t",
                "FROM \"a\".\"cloudtrail_DOC-EXAMPLE-BUCKET1_table\" t",
            ),
            ("JOIN {table} AS x", "JOIN \"{table}\" AS x"),
            (
                "FROM ${database}.${table};",
                "FROM \"${database}\".\"${table}\";",
            ),
            ("FROM \"a\".\"b-c\" JOIN b.c", "FROM \"a\".\"b-c\" JOIN b.c"),
            ("FROM (SELECT a-b FROM c)", "FROM (SELECT a-b FROM c)"),
            ("extract(day FROM a-b)", "extract(day FROM a-b)"),
            ("a IS NOT DISTINCT FROM b-c", "a <=> b-c"),
            ("SELECT $EDS_ID.a, $b", "SELECT \"$EDS_ID\".a, $b"),
            ("FROM a,b WHERE c", "FROM a,b WHERE c"),
            ("SELECT $name, a-b", "SELECT $name, a-b"),
            ("FROM {{ a.b }}.{{c}} x", "FROM \"{{ a.b }}\".\"{{c}}\" x"),
        ] {
            assert_eq!(mended(sql), expected, "{sql}");
        }
    }

    #[test]
    fn nested_types_become_one_name() {
        for (sql, expected) in [
            (
                "CAST(a AS array(row(b varchar, c bigint)))",
                "CAST(a AS written_type('array(row(b varchar, c bigint))'))",
            ),
            (
                "try_cast(f(x AS y) AS MAP(VARCHAR, JSON))",
                "try_cast(f(x AS y) AS written_type('MAP(VARCHAR, JSON)'))",
            ),
            ("CAST(a AS decimal(10, 2))", "CAST(a AS decimal(10, 2))"),
            ("SELECT a AS map FROM b", "SELECT a AS map FROM b"),
        ] {
            assert_eq!(mended(sql), expected, "{sql}");
        }
    }

    #[test]
    fn operands_and_rows_get_parentheses() {
        for (sql, expected) in [
            ("a IS DISTINCT FROM 'x' AND b", "a <=> ('x')=FALSE AND b"),
            (
                "(a IS NOT DISTINCT FROM f(b, c)) OR d IS NOT NULL",
                "(a <=> f(b, c)) OR d IS NOT NULL",
            ),
            (
                "a IS DISTINCT FROM CASE WHEN b AND c THEN d END",
                "a <=> (CASE WHEN b AND c THEN d END)=FALSE",
            ),
            (
                "VALUES 1, f(2, 3) ORDER BY 1",
                "VALUES (1), (f(2, 3)) ORDER BY 1",
            ),
            ("= ANY (VALUES 1,2)", "= ANY (VALUES (1),(2))"),
            ("VALUES (1, 2), (3, 4)", "VALUES (1, 2), (3, 4)"),
        ] {
            assert_eq!(mended(sql), expected, "{sql}");
        }
    }

    #[test]
    fn comparisons_are_joined() {
        assert_eq!(mended("a < ='x' AND b > = c"), "a <='x' AND b >= c");
    }
}
