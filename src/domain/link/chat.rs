//! Linking two chat accounts: the code that goes from one to the other, and its life.

use chrono::{DateTime, Utc};

use crate::domain::id::LinkId;
use crate::domain::person::Platform;
use crate::domain::slash::Slash;

words! {
    /// Where a code stands.
    pub enum CodeState {
        /// It can be typed.
        Open = "open",
        /// Another account typed it, and the first has to confirm.
        Claimed = "claimed",
        /// It was confirmed: both accounts are one person.
        Linked = "linked",
        /// Whoever asked for it said that the other isn't them.
        Refused = "refused",
        /// It wasn't typed, or not confirmed, in time.
        Expired = "expired",
        /// A newer code was asked for, or the two were linked otherwise.
        Replaced = "replaced",
    }
}

/// The letters and digits of codes: Crockford's 32, none of which looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code: 40 bits.
const LENGTH: usize = 8;

/// A code as it is typed: `K7QM-2RXV` is shown, and read however it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeWord([u8; LENGTH]);

impl CodeWord {
    /// The code that these random bytes give.
    pub fn of(random: [u8; LENGTH]) -> Self {
        Self(random.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// What was typed, if it could be a code: in any case, with or without dashes, `O` for 0, `I` and `L` for 1.
    pub fn read(typed: &str) -> Option<Self> {
        let letters = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'O' => Some(b'0'),
                'I' | 'L' => Some(b'1'),
                other => u8::try_from(other).ok().filter(|b| ALPHABET.contains(b)),
            });
        let letters: Option<Vec<u8>> = letters.collect();
        letters?.try_into().ok().map(Self)
    }

    /// What is hashed of it.
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for CodeWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, letter) in self.0.iter().enumerate() {
            if at == LENGTH / 2 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*letter))?;
        }
        Ok(())
    }
}

/// A code is a door: it is never logged.
impl std::fmt::Debug for CodeWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeWord(…)")
    }
}

/// An account as somebody of another chat reads of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: Platform,
    /// The workspace or server.
    pub place: String,
}

/// A code as its cards show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeView {
    /// Which.
    pub id: LinkId,
    /// Where it stands.
    pub state: CodeState,
    /// Who asked for it.
    pub asked: Side,
    /// Who typed it.
    pub other: Option<Side>,
    /// Until when it can be typed, or confirmed.
    pub expires_at: DateTime<Utc>,
    /// The command, as whoever asked for it types it.
    pub slash: Slash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = CodeWord::of([0, 1, 10, 31, 32, 63, 255, 200]);
        assert_eq!(code.to_string(), "01AZ-0ZZ8");
        for typed in [
            "01AZ-0ZZ8",
            "01az0zz8",
            " oiaz - Ozz8 ",
            "o1AZ-0zZ8",
            "OLAZ0ZZ8",
        ] {
            assert_eq!(CodeWord::read(typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in [
            "",
            "01AZ-0ZZ",
            "01AZ-0ZZ80",
            "01AZ-0ZZU",
            "github",
            "01AZ-0ZZé",
        ] {
            assert_eq!(CodeWord::read(typed), None, "{typed}");
        }
        assert_eq!(format!("{code:?}"), "CodeWord(…)");
    }
}
