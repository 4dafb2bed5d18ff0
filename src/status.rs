//! States, causes and other codes as enums. Only `ffi` converts them to the numbers of `codes.rs` and back.

use std::ffi::CStr;

/// The name of a constant, with its NUL.
const fn terminated(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name of a constant has no NUL inside"),
    }
}

/// Defines an enum whose variants have the numbers of constants in `codes.rs`.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($(#[$mark:meta])* $variant:ident = $constant:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $name {
            $(#[doc = concat!("`", stringify!($constant), "`.")] $(#[$mark])* $variant = $constant,)*
        }

        impl $name {
            /// All values, in the order of the header.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The number in the header.
            #[inline]
            pub const fn code(self) -> i32 {
                self as i32
            }

            /// The value with this number in the header.
            pub fn from_code(code: i32) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.code() == code)
            }

            /// The name of the constant in the header.
            pub const fn name(self) -> &'static CStr {
                match self {
                    $($name::$variant => terminated(concat!(stringify!($constant), "\0")),)*
                }
            }
        }
    };
}

mod enums;
pub use enums::*;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constant_of_the_header_has_a_variant() {
        let declared = |prefix: &str, of_prefix: &[&str]| {
            let sources = [include_str!("codes.rs"), include_str!("codes/variants.rs")];
            let names = sources
                .into_iter()
                .flat_map(str::lines)
                .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
            names.filter(|name| name.starts_with(prefix) || of_prefix.contains(name)).collect::<Vec<_>>()
        };
        let names =
            |all: &[&'static CStr]| all.iter().map(|name| name.to_str().unwrap_or_default()).collect::<Vec<_>>();
        macro_rules! check {
            ($name:ident, $prefix:literal $(, $constant:literal)*) => {{
                let all: Vec<_> = $name::ALL.iter().map(|one| one.name()).collect();
                assert_eq!(names(&all), declared($prefix, &[$($constant),*]));
                assert!($name::ALL.iter().all(|one| $name::from_code(one.code()) == Some(*one)));
                assert_eq!($name::from_code(i32::MAX), None);
            }};
        }
        check!(State, "-", "WS_CONNECTING", "WS_OPEN", "WS_CLOSING", "WS_CLOSED", "WS_LOST");
        check!(
            MessageType,
            "-",
            "WS_TEXT",
            "WS_BINARY",
            "WS_CALL",
            "WS_REPLICATION",
            "WS_SPAWN",
            "WS_DESPAWN",
            "WS_SYNC"
        );
        check!(EventKind, "WS_EVENT_");
        check!(Phase, "WS_PHASE_");
        check!(Cause, "WS_CAUSE_");
        check!(Success, "-", "WS_OK", "WS_EMPTY", "WS_MORE", "WS_PARTIAL", "WS_TRUNCATED");
        check!(ErrorCode, "WS_ERR_");
        check!(Text, "WS_GET_");
        check!(Level, "WS_LOG_");
        check!(Hint, "WS_HINT_");
    }
}
