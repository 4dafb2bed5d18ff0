//! The target of a message. Godot's sign rule is decoded here and nowhere else.

use crate::error::Error;
use crate::status::ErrorCode;

/// The recipients of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The peer with this id.
    One(i32),
    /// Everyone.
    All,
    /// Everyone but this peer, which need not exist.
    AllBut(i32),
}

impl Target {
    /// Positive: one peer; 0: everyone; negative: everyone but one. INT32_MIN is refused: it has no positive
    /// counterpart.
    pub fn decode(raw: i32) -> Result<Target, Error> {
        match raw {
            i32::MIN => Err(Error::new(ErrorCode::Arg, "INT32_MIN is no target")),
            0 => Ok(Target::All),
            1.. => Ok(Target::One(raw)),
            _ => Ok(Target::AllBut(-raw)),
        }
    }

    /// The number that `decode` decodes to this.
    pub fn encode(self) -> i32 {
        match self {
            Target::One(id) => id,
            Target::All => 0,
            Target::AllBut(id) => -id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_of_a_target_selects_its_recipients() {
        assert_eq!(Target::decode(7), Ok(Target::One(7)));
        assert_eq!(Target::decode(0), Ok(Target::All));
        assert_eq!(Target::decode(-7), Ok(Target::AllBut(7)));
        assert_eq!(Target::decode(i32::MAX), Ok(Target::One(i32::MAX)));
        assert_eq!(Target::decode(i32::MIN + 1), Ok(Target::AllBut(i32::MAX)));
        assert_eq!(Target::decode(i32::MIN).map_err(|error| error.code()), Err(ErrorCode::Arg));
        for raw in [0, 1, -1, 7, -7, i32::MAX, -i32::MAX] {
            assert_eq!(Target::decode(raw).map(Target::encode), Ok(raw));
        }
    }
}
