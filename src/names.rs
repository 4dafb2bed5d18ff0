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
