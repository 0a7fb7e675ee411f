//! The rules that come with the binary. A new rule is its two files and one line here.

/// A rule's file and its cases, as compiled in.
#[derive(Debug, Clone, Copy)]
pub struct BundledRule {
    /// The rule's file, from the root of the sources.
    pub path: &'static str,
    pub text: &'static str,
    /// The text of the file `<stem>.cases.json` beside it.
    pub cases: &'static str,
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// Every bundled rule, by family and id.
        pub const BUNDLED: &[BundledRule] = &[$(BundledRule {
            path: concat!("sql/detections/", $name, ".sql"),
            text: include_str!(concat!("../../sql/detections/", $name, ".sql")),
            cases: include_str!(concat!("../../sql/detections/", $name, ".cases.json")),
        }),*];
    };
}

bundled! {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_without_doubles() {
        let sorted = BUNDLED.windows(2).all(|pair| pair[0].path < pair[1].path);
        assert!(sorted, "keep the lines in order");
    }
}
