//! Whether the conditions of one statement keep out everybody whom those of another keep out.
//!
//! The answer errs to "no": two tests of one key that cannot be compared count as different.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use super::conditions::{Conditions, Kind, Quantifier, Reach, Test};
use crate::policy::pattern::matches;

/// Comparisons of two values by pattern in one difference of documents. Beyond it only equal values
/// are seen as such, so that a hostile pair of documents costs bounded time.
const MAX_COMPARISONS: usize = 200_000;
/// Stand for what a wildcard of the narrower pattern lets through: only a wildcard matches them.
const ANY_RUN: &str = "\u{e001}\u{e001}\u{e001}\u{e001}\u{e001}\u{e001}\u{e001}\u{e001}";
const ANY_ONE: &str = "\u{e001}";

/// Compares tests, within a budget.
pub(super) struct Comparison {
    left: Cell<usize>,
}

/// How a later statement stands to one test of an earlier one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept<'a> {
    /// Whoever failed the test still fails.
    Entirely,
    /// The key is not tested any more.
    Not,
    /// The key is tested with the same values, but so that more callers pass.
    Weaker(&'a Test),
    /// The key is tested, and more values pass.
    Wider(&'a Test),
}

impl Comparison {
    pub fn new() -> Self {
        Self {
            left: Cell::new(MAX_COMPARISONS),
        }
    }

    /// Do the later conditions imply all of the earlier ones?
    pub fn implies(&self, later: &Conditions, earlier: &Conditions) -> bool {
        let mut tests = earlier.tests.iter();
        tests.all(|test| self.keeps(later, earlier, test))
    }

    /// What became of one test of the earlier conditions.
    pub fn kept<'a>(&self, later: &'a Conditions, earlier: &Conditions, test: &Test) -> Kept<'a> {
        if self.keeps(later, earlier, test) {
            return Kept::Entirely;
        }
        let on_key = || later.tests.iter().filter(|other| other.key == test.key);
        let same_values = on_key().find(|other| {
            other.negated == test.negated && other.values.iter().all(|v| test.values.contains(v))
        });
        match (same_values, on_key().next()) {
            (Some(other), _) => Kept::Weaker(other),
            (None, Some(other)) => Kept::Wider(other),
            (None, None) => Kept::Not,
        }
    }

    fn keeps(&self, later: &Conditions, earlier: &Conditions, test: &Test) -> bool {
        if test.kind == Kind::Null && test.is_flag("false") {
            let strict = |other: &Test| later.is_strict(other) && !other.negated;
            let demands = |other: &Test| other.kind != Kind::Null || other.is_flag("false");
            let mut on_key = later.tests.iter().filter(|other| other.key == test.key);
            return on_key.any(|other| strict(other) && demands(other));
        }
        // A test that everybody passes who has the key, and that does not demand the key.
        if test.is_positive_text()
            && test.values.contains(&Reach::Anything)
            && !earlier.is_strict(test)
        {
            return true;
        }
        let strict = earlier.is_strict(test);
        later.tests.iter().any(|other| {
            other.key == test.key
                && (later.is_strict(other) || !strict)
                && self.is_as_narrow(other, test)
        })
    }

    /// Does every value that passes `test` pass `wide`?
    fn is_as_narrow(&self, test: &Test, wide: &Test) -> bool {
        let is_text = |test: &Test| test.is_positive_text() || test.is_negated_text();
        if test.negated != wide.negated {
            return false;
        }
        if is_text(test) && is_text(wide) {
            return if test.negated {
                test.quantifier == wide.quantifier && self.covers_all(test, wide)
            } else {
                (test.quantifier != Quantifier::ForAny || wide.quantifier != Quantifier::ForAll)
                    && self.covers_all(wide, test)
            };
        }
        if test.operator != wide.operator || test.quantifier != wide.quantifier {
            return false;
        }
        match test.kind {
            Kind::IpAddress if test.negated => self.networks_cover(test, wide),
            Kind::IpAddress => self.networks_cover(wide, test),
            Kind::Other if same_values(test, wide) => true,
            Kind::Other => bound_is_as_narrow(test, wide),
            Kind::Bool
            | Kind::Null
            | Kind::Unknown
            | Kind::StringEquals
            | Kind::StringLike
            | Kind::Arn => same_values(test, wide),
        }
    }

    /// Is each value of `narrow` taken in by one of `wide`?
    fn covers_all(&self, wide: &Test, narrow: &Test) -> bool {
        let folds = |test: &Test| test.operator.ends_with("ignorecase");
        if folds(narrow) && !folds(wide) {
            return wide.values.contains(&Reach::Anything);
        }
        let exact: BTreeSet<&str> = wide.values.iter().filter_map(exact).collect();
        narrow.values.iter().all(|value| match value {
            Reach::Nothing => true,
            Reach::Anything => wide.values.contains(&Reach::Anything),
            Reach::Exact(text) if exact.contains(text.as_str()) => true,
            Reach::Exact(text) => self.any_covers(wide, text, folds(wide)),
            Reach::Pattern(pattern) => {
                let probe = pattern.replace('?', ANY_ONE).replace('*', ANY_RUN);
                self.any_covers(wide, &probe, folds(wide))
            }
        })
    }

    fn any_covers(&self, wide: &Test, text: &str, folds: bool) -> bool {
        wide.values.iter().any(|value| match value {
            Reach::Nothing => false,
            Reach::Anything => true,
            Reach::Exact(other) => folds && other.eq_ignore_ascii_case(text),
            Reach::Pattern(pattern) => {
                self.spend(pattern.len() * text.len()) && matches(pattern, text)
            }
        })
    }

    fn networks_cover(&self, wide: &Test, narrow: &Test) -> bool {
        narrow.values.iter().all(|inner| {
            wide.values.iter().any(|outer| {
                inner == outer
                    || self.spend(1)
                        && exact(inner)
                            .zip(exact(outer))
                            .is_some_and(|(inner, outer)| network_holds(outer, inner))
            })
        })
    }

    /// Takes from the budget; false once it is spent. Long texts cost more.
    fn spend(&self, work: usize) -> bool {
        let left = self.left.get().saturating_sub(1 + work / 1024);
        self.left.set(left);
        left > 0
    }
}

fn exact(reach: &Reach) -> Option<&str> {
    match reach {
        Reach::Exact(text) => Some(text),
        Reach::Nothing | Reach::Pattern(_) | Reach::Anything => None,
    }
}

fn same_values(a: &Test, b: &Test) -> bool {
    let values = |test: &Test| -> BTreeSet<String> {
        let texts = test.values.iter().filter_map(exact);
        texts.map(str::to_ascii_lowercase).collect()
    };
    values(a) == values(b)
}

/// Numbers and dates under `LessThan` and `GreaterThan`: the widest value decides.
fn bound_is_as_narrow(test: &Test, wide: &Test) -> bool {
    let numbers = |test: &Test| -> Option<Vec<f64>> {
        let texts = test.values.iter().map(exact);
        texts.map(|text| text?.parse().ok()).collect()
    };
    let (Some(inner), Some(outer)) = (numbers(test), numbers(wide)) else {
        return false;
    };
    let most = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    if test.operator.contains("lessthan") {
        most(&inner) <= most(&outer)
    } else if test.operator.contains("greaterthan") {
        least(&inner) >= least(&outer)
    } else {
        false
    }
}

/// Is the second network inside the first?
fn network_holds(outer: &str, inner: &str) -> bool {
    let (Some((outer, bits)), Some((inner, more_bits))) = (network(outer), network(inner)) else {
        return false;
    };
    if bits > more_bits {
        return false;
    }
    match (outer, inner) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let keep = u32::MAX
                .checked_shl(32 - u32::from(bits.min(32)))
                .unwrap_or(0);
            u32::from(a) & keep == u32::from(b) & keep
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let keep = u128::MAX
                .checked_shl(128 - u32::from(bits.min(128)))
                .unwrap_or(0);
            u128::from(a) & keep == u128::from(b) & keep
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let full = if address.is_ipv4() { 32 } else { 128 };
    Some((address, bits.unwrap_or(full)))
}
