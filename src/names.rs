//! What sentences call the options: the words of the header, or those of a binding that gave its own.

use crate::forks::Own;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::fmt;

/// The longest word and the longest name of a binding's own, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// Names of a binding's own, at most.
const MAX_NAMES: usize = 256;

static OWN: Own<RwLock<BTreeMap<String, String>>> = Own::new(RwLock::new(BTreeMap::new()));

/// A word of the header, shown in a sentence as the binding calls it.
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

/// Gives a word a name of the binding's own, or with `None` takes it back. False: there are too many.
pub fn set(word: &str, name: Option<&str>) -> bool {
    let mut own = OWN.get().write();
    match name {
        Some(name) if own.len() < MAX_NAMES || own.contains_key(word) => own.insert(word.to_owned(), name.to_owned()),
        Some(_) => return false,
        None => own.remove(word),
    };
    true
}

/// In the child of a fork: a lock of its own. Where another thread of the parent was giving a name, the words of the header are used again.
pub fn forget_parent() {
    let kept = OWN.get().try_read().map(|own| own.clone()).unwrap_or_default();
    OWN.renew(RwLock::new(kept));
}

/// `no_delay`.
pub const NO_DELAY: Name = Name("no_delay");
/// `pong_timeout_ms`.
pub const PONG_TIMEOUT_MS: Name = Name("pong_timeout_ms");
/// `close_timeout_ms`.
pub const CLOSE_TIMEOUT_MS: Name = Name("close_timeout_ms");
/// `connect_timeout_ms`.
pub const CONNECT_TIMEOUT_MS: Name = Name("connect_timeout_ms");
/// `WS_OPT_AUTH_TIMEOUT_MS`.
pub const AUTH_TIMEOUT_MS: Name = Name("WS_OPT_AUTH_TIMEOUT_MS");
/// `max_message_bytes`.
pub const MAX_MESSAGE_BYTES: Name = Name("max_message_bytes");
/// `max_fragments`.
pub const MAX_FRAGMENTS: Name = Name("max_fragments");
/// `max_header_bytes`.
pub const MAX_HEADER_BYTES: Name = Name("max_header_bytes");
/// `outbound_packets`.
pub const OUTBOUND_PACKETS: Name = Name("outbound_packets");
/// `outbound_bytes`.
pub const OUTBOUND_BYTES: Name = Name("outbound_bytes");
/// `max_messages_per_s`.
pub const MAX_MESSAGES_PER_S: Name = Name("max_messages_per_s");
/// `max_bytes_per_s`.
pub const MAX_BYTES_PER_S: Name = Name("max_bytes_per_s");
/// `on_full`.
pub const ON_FULL: Name = Name("on_full");
/// `deflate_level`.
pub const DEFLATE_LEVEL: Name = Name("deflate_level");
/// `max_clients`.
pub const MAX_CLIENTS: Name = Name("max_clients");
/// `max_inflate_ratio`.
pub const MAX_INFLATE_RATIO: Name = Name("max_inflate_ratio");
/// `max_call_bytes`.
pub const MAX_CALL_BYTES: Name = Name("max_call_bytes");
/// `max_call_items`.
pub const MAX_CALL_ITEMS: Name = Name("max_call_items");
/// `pin_sha256`.
pub const PIN_SHA256: Name = Name("pin_sha256");
/// `server_name`.
pub const SERVER_NAME: Name = Name("server_name");
/// `ca_pem`.
pub const CA_PEM: Name = Name("ca_pem");
/// `cert_pem`.
pub const CERT_PEM: Name = Name("cert_pem");
/// `key_pem`.
pub const KEY_PEM: Name = Name("key_pem");
/// `WS_QUEUE_BEFORE_OPEN`.
pub const QUEUE_BEFORE_OPEN: Name = Name("WS_QUEUE_BEFORE_OPEN");
/// `WS_APP_HEARTBEAT`.
pub const APP_HEARTBEAT: Name = Name("WS_APP_HEARTBEAT");
/// `WS_INSECURE`.
pub const INSECURE: Name = Name("WS_INSECURE");
/// `WS_NO_RELAY`.
pub const NO_RELAY: Name = Name("WS_NO_RELAY");
/// `WS_AUTH`.
pub const AUTH: Name = Name("WS_AUTH");
/// `WS_SCENE`.
pub const SCENE: Name = Name("WS_SCENE");
/// `WS_ONLY_CA_PEM`.
pub const ONLY_CA_PEM: Name = Name("WS_ONLY_CA_PEM");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_the_name_that_was_given() {
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
