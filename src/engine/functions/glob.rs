//! `glob_match`: the pattern match of the case's lists.

use datafusion::logical_expr::ScalarUDF;

use super::text::{Body, Spec};

/// Only the last star is ever retried, so the cost is at most pattern times text.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // The position after the last star, and where in the text it was tried.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(wanted) if wanted.eq_ignore_ascii_case(byte) => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((after_star, tried)) = retry else {
                    return false;
                };
                retry = Some((after_star, tried + 1));
                p = after_star;
                t = tried + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

pub(super) fn glob_match() -> ScalarUDF {
    Spec {
        name: "glob_match",
        parameters: &[
            ("pattern", "a text in which `*` stands for any text"),
            ("text", "the whole text to test"),
        ],
        description: "Whether the whole text fits the pattern, without regard to the case of ASCII \
            letters. NULL if either is NULL.",
        example: "glob_match('*admin*', 'OrgAdminRole') -- true",
        body: Body::TruthOfTwo(matches),
    }
    .into_udf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("*Admin*", "OrgadminRole", true),
            ("stacksets-exec-*", "StackSets-Exec-1", true),
            ("stacksets-exec-*", "my-stacksets-exec-1", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a?c", "abc", false),
            ("a?c", "a?c", true),
            ("*ö", "schön-ö", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = "*a".repeat(2_000);
        assert!(!matches(&pattern, &"a".repeat(1_999)));
    }
}
