//! Which findings the case's allow-list covers.

use crate::config::Allowance;
use crate::finding::Finding;

/// Whether an allowance speaks of the whole finding: with several actors, of each of them.
pub fn covers(allowance: &Allowance, finding: &Finding) -> bool {
    let account = finding.account.as_deref().unwrap_or_default();
    let actors = &finding.actors;
    fits(&allowance.rule, &finding.rule)
        && fits(&allowance.subject, &finding.subject)
        && fits(&allowance.account, account)
        && (fits(&allowance.actor, "")
            || !actors.is_empty() && actors.iter().all(|actor| fits(&allowance.actor, actor)))
}

/// Whether a text fits a pattern in which `*` stands for any text, without regard to ASCII case.
///
/// The parts between stars are sought from left to right; the first fit of each is as good as any.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(start) => text = &text[start + part.len()..],
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "x", true),
            ("a", "A", true),
            ("a", "ab", false),
            ("*:role/Boot*", "arn:aws:iam::1:role/bootstrap", true),
            ("a*b*c", "a-b-c-c", true),
            ("ab*b", "ab", false),
            ("*b*b", "b", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
