//! What one object may cost.

/// What one string may unpack to. Queues and streams stop at 1 MiB a message.
const MAX_TEXT_BYTES: usize = 32 * 1024 * 1024;

/// The same for short strings, for each byte of theirs: gzip packs repeated records about 1 to 100,
/// and a bomb should leave what its neighbors need.
const MAX_UNPACKED_RATIO: usize = 100;

/// What any string may unpack to, however short.
const MIN_TEXT_BYTES: usize = 64 * 1024;

/// What one object may unpack to: escaped text, base64 and gzip together. Under six layers of escapes
/// an object of 16 MiB needs half of this.
const MAX_UNPACKED_BYTES: usize = 256 * 1024 * 1024;

/// Bytes looked at for each byte of the object and each byte unpacked. Each layer looks at what is in
/// it once; guesses that fail may double that a few times.
const MAX_LOOKS: usize = 64;

/// What may still be spent.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    unpack_bytes: usize,
    look_bytes: usize,
}

impl Budget {
    /// For an object of this length.
    pub fn of(n_bytes: usize) -> Self {
        let unpack_bytes = n_bytes.saturating_mul(2 * MAX_UNPACKED_RATIO);
        Self {
            unpack_bytes: unpack_bytes.clamp(2 * MIN_TEXT_BYTES, MAX_UNPACKED_BYTES),
            look_bytes: n_bytes.saturating_mul(MAX_LOOKS),
        }
    }

    /// What a string of this length may unpack to.
    pub fn text_bytes(&self, n_bytes: usize) -> usize {
        let bytes = n_bytes.saturating_mul(MAX_UNPACKED_RATIO);
        let bytes = bytes.clamp(MIN_TEXT_BYTES, MAX_TEXT_BYTES);
        bytes.min(self.unpack_bytes)
    }

    /// Takes what was unpacked, and allows for looking at it.
    pub fn unpacked(&mut self, n_bytes: usize) {
        self.unpack_bytes = self.unpack_bytes.saturating_sub(n_bytes);
        let more = n_bytes.saturating_mul(MAX_LOOKS);
        self.look_bytes = self.look_bytes.saturating_add(more);
    }

    /// Takes what is looked at. False where nothing is left for it.
    pub fn look(&mut self, n_bytes: usize) -> bool {
        let left = self.look_bytes.checked_sub(n_bytes);
        self.look_bytes = left.unwrap_or(0);
        left.is_some()
    }
}
