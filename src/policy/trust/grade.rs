//! What one grant comes to: its verdict and what was noteworthy on the way.

use super::codes::{Code, Verdict};
use crate::finding::Severity;

/// A code with the value that raised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Raised {
    pub code: Code,
    pub severity: Severity,
    pub value: String,
}

impl Raised {
    pub fn new(code: Code, value: &str) -> Self {
        Self::with(code, code.severity(), value)
    }

    pub fn with(code: Code, severity: Severity, value: &str) -> Self {
        Self {
            code,
            severity,
            value: value.to_owned(),
        }
    }
}

/// The verdict of one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grade {
    pub verdict: Verdict,
    pub raised: Vec<Raised>,
}

impl Grade {
    pub fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            raised: Vec::new(),
        }
    }

    pub fn with(verdict: Verdict, code: Code, value: &str) -> Self {
        Self {
            verdict,
            raised: vec![Raised::new(code, value)],
        }
    }

    pub fn and(mut self, raised: Raised) -> Self {
        self.raised.push(raised);
        self
    }

    /// A grant that no call can use.
    pub fn dead(value: &str) -> Self {
        Self::with(Verdict::None, Code::T43, value)
    }

    pub fn severity(&self) -> Severity {
        self.raised
            .iter()
            .map(|raised| raised.severity)
            .fold(self.verdict.severity(), Severity::max)
    }

    /// The more exposed of two: values of one key combine as OR.
    pub fn worse(self, other: Self) -> Self {
        if self.exposure() <= other.exposure() {
            self
        } else {
            other
        }
    }

    /// The less exposed of two: tests combine as AND.
    pub fn better(self, other: Self) -> Self {
        if self.exposure() >= other.exposure() {
            self
        } else {
            other
        }
    }

    /// Smaller is worse.
    fn exposure(&self) -> (Verdict, std::cmp::Reverse<Severity>) {
        (self.verdict, std::cmp::Reverse(self.severity()))
    }
}
