//! What a handle may be, by how it is written.

use std::net::IpAddr;

use crate::lineage::story::HandleKind;

/// What somebody has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// A text of any kind.
    Text(String),
    /// A finding, by the events that prove it.
    Finding { id: String, event_ids: Vec<String> },
}

impl Handle {
    /// As it was written.
    pub fn asked(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Finding { id, .. } => id,
        }
    }
}

/// The text where it has the form of a finding's id: 16 hex digits.
pub fn finding_id(text: &str) -> Option<&str> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == 16 && text.bytes().all(hex)).then_some(text)
}

/// The kind whose form the text has; a name where it has none.
pub fn kind(text: &str) -> HandleKind {
    if text.parse::<IpAddr>().is_ok() {
        HandleKind::Address
    } else if is_network(text) {
        HandleKind::Network
    } else if is_id(text, &["AKIA", "ASIA", "ABIA", "ACCA"]) {
        HandleKind::AccessKey
    } else if is_id(text, &["AIDA", "AROA", "AGPA", "AIPA"]) {
        HandleKind::PrincipalId
    } else if text.starts_with("arn:") {
        arn_kind(text)
    } else if is_uuid(text) {
        HandleKind::EventId
    } else {
        HandleKind::Name
    }
}

fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// `AKIA…`, and for principals also `AROA…:session`.
fn is_id(text: &str, starts: &[&str]) -> bool {
    let id = text.split(':').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    id.len() >= 16 && id.bytes().all(plain) && starts.iter().any(|start| id.starts_with(start))
}

fn arn_kind(arn: &str) -> HandleKind {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    if resource.starts_with("assumed-role/") {
        HandleKind::SessionArn
    } else if resource.starts_with("role/") {
        HandleKind::RoleArn
    } else {
        HandleKind::UserArn
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_told_by_their_form() {
        let check = |text: &str, expected: HandleKind| assert_eq!(kind(text), expected, "{text}");
        check("AKIAIOSFODNN7EXAMPLE", HandleKind::AccessKey);
        check("ASIAIOSFODNN7EXAMPLE", HandleKind::AccessKey);
        check("ASIA", HandleKind::Name);
        check("AIDACKCEVSQ6C2EXAMPLE", HandleKind::PrincipalId);
        check("AROACKCEVSQ6C2EXAMPLE:ann", HandleKind::PrincipalId);
        check("198.51.100.7", HandleKind::Address);
        check("2001:db8::1", HandleKind::Address);
        check("198.51.100.0/24", HandleKind::Network);
        check("198.51.100.0/99", HandleKind::Name);
        check("2001:db8::/32", HandleKind::Network);
        check(
            "arn:aws:sts::111122223333:assumed-role/r/s",
            HandleKind::SessionArn,
        );
        check("arn:aws:iam::111122223333:role/p/r", HandleKind::RoleArn);
        check("arn:aws:iam::111122223333:user/ann", HandleKind::UserArn);
        check("arn:aws:iam::111122223333:root", HandleKind::UserArn);
        check("74fce297-e65b-42b4-9686-557be118fa9c", HandleKind::EventId);
        check("ann", HandleKind::Name);
        check("", HandleKind::Name);
        check("ü/8", HandleKind::Name);
        assert_eq!(finding_id("0123456789abcdef"), Some("0123456789abcdef"));
        assert_eq!(finding_id("0123456789ABCDEF"), None);
    }
}
