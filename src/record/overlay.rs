//! The members of `extra`, and of the objects in it, that are laid over the columns.

use std::borrow::Cow;

use sonic_rs::to_object_iter;

use crate::error::Cause;

/// An object's members as names and raw values.
#[derive(Default)]
pub(super) struct Overlay<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
    /// Members that columns hold but the record does not have.
    pub(super) absent: Vec<String>,
}

impl<'a> Overlay<'a> {
    /// Reads an object one level deep.
    pub(super) fn parse(json: &'a str) -> Result<Self, Cause> {
        let mut members = Vec::new();
        for member in to_object_iter(json) {
            let (name, value) = member?;
            let Cow::Borrowed(raw) = value.as_raw_cow() else {
                // Slices of a borrowed text stay borrowed.
                return Err("a member of `extra` cannot be read".into());
            };
            members.push((name, raw));
        }
        let absent = Vec::new();
        Ok(Self { members, absent })
    }

    /// The value of a member, which is then done.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        if self.members.is_empty() {
            return None;
        }
        let place = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(place).1)
    }

    pub(super) fn is_absent(&self, name: &str) -> bool {
        self.absent.iter().any(|absent| absent == name)
    }

    /// The members that are not done, in their order.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.members.iter().map(|(name, raw)| (name.as_ref(), *raw))
    }
}
