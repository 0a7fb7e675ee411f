//! IAM policy documents as values: who a trust policy lets in, what a permission policy allows.
//!
//! Everything here is pure: text in, report out. There is no SQL, no clock, no network and no file.
//! Every entry point is total: any text gives a report, in bounded time and depth, because the
//! documents come from logs that an attacker may have written.
//!
//! - [`trust`] grades the trust policy of a role: [`trust::analyze`].
//! - [`permissions`] classes a permission policy: [`permissions::classify`].
//! - [`escalation`] knows the paths from some rights to more.
//! - [`managed`] knows the AWS managed policies that matter by name.
//! - [`document`], [`readings`], [`statement`] and [`pattern`] read the shared grammar.

pub mod document;
pub mod escalation;
pub mod managed;
pub mod pattern;
pub mod permissions;
pub mod readings;
pub mod statement;
pub mod trust;
