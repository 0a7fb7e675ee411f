//! Wildcards and ARNs, as IAM reads them.

/// Does the text hold `*` or `?`?
pub fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Does the pattern match every text that is not empty?
pub fn matches_everything(pattern: &str) -> bool {
    let n_single = pattern.matches('?').count();
    pattern.contains('*') && n_single <= 1 && pattern.chars().all(|c| matches!(c, '*' | '?'))
}

/// `*` stands for any run of characters, `?` for exactly one. Case counts.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star when the text does not fit: star position, text position.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || text.get(t) == Some(&c) => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// [`matches()`] without regard to ASCII case, as action names are compared.
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// The six parts of an ARN. The parts may hold wildcards; the partition is not checked, so new ones
/// read the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN; `None` if there are fewer than six parts or the first is not `arn`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// The account, if it is one: twelve digits.
    pub fn account_id(&self) -> Option<&'a str> {
        is_account_id(self.account).then_some(self.account)
    }
}

/// Twelve ASCII digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("iam:*", "iam:GetRole", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_ignoring_case("STS:assumer*", "sts:AssumeRole"));
        assert!(matches_everything("*") && matches_everything("?*"));
        assert!(!matches_everything("") && !matches_everything("?") && !matches_everything("a*"));
    }

    #[test]
    fn arns_split_in_any_partition() {
        let arn = Arn::parse("arn:aws-iso-z:iam::111122223333:role/a:b/c").expect("six parts");
        assert_eq!(arn.account_id(), Some("111122223333"));
        assert_eq!(arn.resource, "role/a:b/c");
        assert_eq!(
            Arn::parse("arn:aws:iam::*:root").and_then(|a| a.account_id()),
            None
        );
        assert_eq!(Arn::parse("arn:aws:iam"), None);
    }
}
