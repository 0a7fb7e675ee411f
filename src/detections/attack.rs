//! The ATT&CK techniques that rules may name, from one pinned version.
//!
//! The table is `data/reference/attack.toml`. Version 19 revoked ids that many consumers still know,
//! so each technique carries the older ids it replaces.

use serde::Deserialize;

use crate::error::RuleError;
pub use crate::finding::Technique;

const TABLE: &str = include_str!("../../data/reference/attack.toml");

/// The pinned table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// The version of the Enterprise matrix.
    pub version: String,
    #[serde(rename = "technique")]
    pub techniques: Vec<Technique>,
}

impl Attack {
    /// Reads the built-in table.
    ///
    /// # Errors
    ///
    /// Only where the built-in file itself is malformed.
    pub fn pinned() -> Result<Self, RuleError> {
        toml::from_str(TABLE).map_err(|source| RuleError {
            rule: "data/reference/attack.toml".to_owned(),
            message: "cannot read the table of techniques".to_owned(),
            source: Some(Box::new(source)),
        })
    }

    /// The technique with this id, in the pinned version's spelling.
    pub fn technique(&self, id: &str) -> Option<&Technique> {
        self.techniques.iter().find(|technique| technique.id == id)
    }

    /// The technique that replaced an older id.
    pub fn replacement(&self, older: &str) -> Option<&Technique> {
        self.techniques
            .iter()
            .find(|technique| technique.older.iter().any(|id| id == older))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_ids_are_unique_and_sorted() {
        let attack = Attack::pinned().unwrap();
        let ids: Vec<_> = attack.techniques.iter().map(|t| &t.id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }

    #[test]
    fn revoked_ids_lead_to_their_replacement() {
        let attack = Attack::pinned().unwrap();
        assert!(attack.technique("T1562.008").is_none());
        assert_eq!(attack.replacement("T1562.008").unwrap().id, "T1685.002");
    }
}
