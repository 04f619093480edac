//! From the characters that `saphyr-parser` counts to bytes.

/// One checkpoint for so many characters.
const STEP: usize = 64;

/// Byte offsets of characters in one text. ASCII text needs no table.
pub(super) struct Offsets<'a> {
    text: &'a str,
    /// Byte at which every [`STEP`]th character starts; empty for ASCII text.
    checkpoints: Vec<u32>,
}

impl<'a> Offsets<'a> {
    /// Offsets of this text.
    pub(super) fn new(text: &'a str) -> Self {
        let checkpoints = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STEP).map(|(byte, _)| u32::try_from(byte).unwrap_or(u32::MAX)).collect()
        };
        Self { text, checkpoints }
    }

    /// The byte at which a character starts; past the end, the length.
    pub(super) fn byte(&self, character: usize) -> usize {
        if self.checkpoints.is_empty() {
            return character.min(self.text.len());
        }
        let Some(start) = self.checkpoints.get(character / STEP).map(|start| *start as usize) else {
            return self.text.len();
        };
        let rest = self.text.get(start..).unwrap_or("");
        rest.char_indices().nth(character % STEP).map_or(self.text.len(), |(byte, _)| start + byte)
    }
}

#[cfg(test)]
mod tests {
    use super::Offsets;

    #[test]
    fn every_character_has_its_byte() {
        for text in ["plain", "", "é: näh", &"ü€𝄞a".repeat(80)] {
            let offsets = Offsets::new(text);
            for (at, (byte, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(at), byte, "{text} {at}");
            }
            assert_eq!(offsets.byte(text.chars().count()), text.len());
            assert_eq!(offsets.byte(9999), text.len());
        }
    }
}
