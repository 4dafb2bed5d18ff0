//! The names of options in error texts: those of the header, or those that a binding has set.

#[allow(dead_code)] // Generated: one for each field and flag.
mod words;

use crate::forks::Own;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::fmt;
pub use words::*;

/// Maximum bytes of a word, and of a binding's name for it.
pub(crate) const MAX_NAME: usize = 64;

/// Maximum number of names that a binding may set.
const MAX_NAMES: usize = 256;

static OWN: Own<RwLock<BTreeMap<String, String>>> = Own::new(RwLock::new(BTreeMap::new()));

/// A word of the header, displayed as the binding calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(pub &'static str);

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match OWN.get().read().get(self.0) {
            Some(own) => formatter.write_str(own),
            None => formatter.write_str(self.0),
        }
    }
}

/// Functions and constants of the header that messages mention.
pub mod said {
    use super::Name;

    /// `ws_accept`.
    pub const ACCEPT: Name = Name("ws_accept");
    /// `ws_connect`.
    pub const CONNECT: Name = Name("ws_connect");
    /// `ws_get_header`.
    pub const GET_HEADER: Name = Name("ws_get_header");
    /// `ws_get_log`.
    pub const GET_LOG: Name = Name("ws_get_log");
    /// `ws_join_local`.
    pub const JOIN_LOCAL: Name = Name("ws_join_local");
    /// `ws_pair() and ws_attach()`.
    pub const OWN_TIME: Name = Name("ws_pair() and ws_attach()");
    /// `ws_reply`.
    pub const REPLY: Name = Name("ws_reply");
    /// `ws_reply()`.
    pub const REPLY_CALL: Name = Name("ws_reply()");
    /// `ws_set_certificate`.
    pub const SET_CERTIFICATE: Name = Name("ws_set_certificate");
    /// `WS_BINARY`.
    pub const BINARY: Name = Name("WS_BINARY");
    /// `WS_FULL_DISCONNECT`.
    pub const FULL_DISCONNECT: Name = Name("WS_FULL_DISCONNECT");
    /// `WS_FULL_*`.
    pub const FULL_POLICIES: Name = Name("WS_FULL_*");
    /// `WS_GET_BODY`.
    pub const GET_BODY: Name = Name("WS_GET_BODY");
    /// `WS_HINT_*`.
    pub const HINTS: Name = Name("WS_HINT_*");
    /// `event.conn of REQUEST`.
    pub const REQUEST_CONN: Name = Name("event.conn of REQUEST");
    /// `WS_SIM_*`.
    pub const SIM_PRESETS: Name = Name("WS_SIM_*");
    /// `retry_ms`.
    pub const RETRY_MS: Name = Name("retry_ms");
}

/// Sets a binding's name for a word, or removes it if `None`. Returns false if there are too many.
pub fn set(word: &str, name: Option<&str>) -> bool {
    let mut own = OWN.get().write();
    match name {
        Some(name) if own.len() < MAX_NAMES || own.contains_key(word) => own.insert(word.to_owned(), name.to_owned()),
        Some(_) => return false,
        None => own.remove(word),
    };
    true
}

/// In the child of a fork: renews the lock. If another thread of the parent was setting a name, the words of the header
/// are used again.
pub fn forget_parent() {
    let kept = OWN.get().try_read().map(|own| own.clone()).unwrap_or_default();
    OWN.renew(RwLock::new(kept));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_messages_use_the_replacement_name() {
        const WORD: Name = Name("a_word_of_this_test");
        assert_eq!(WORD.to_string(), "a_word_of_this_test");
        assert!(set(WORD.0, Some("its name")));
        assert_eq!(format!("raise {WORD}"), "raise its name");
        let many = (0..).take_while(|index| set(&format!("test {index}"), Some("name"))).count();
        assert!((200..MAX_NAMES).contains(&many) && set(WORD.0, Some("another")));
        (0..many).for_each(|index| assert!(set(&format!("test {index}"), None)));
        assert!(set(WORD.0, None));
        assert_eq!(WORD.to_string(), "a_word_of_this_test");
    }
}
