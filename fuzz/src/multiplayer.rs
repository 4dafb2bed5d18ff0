//! The bytes of both multiplayer formats.

use wspeer::internals::multiplayer::wire::{HEADER, Message3, about, put_header, read_id, read3};

pub fn formats(data: &[u8]) {
    if let Ok(id) = read_id(false, data) {
        assert!(id >= 2 && data == id.to_le_bytes());
    }
    assert!(read_id(true, data).is_err() && read3(true, data).is_err(), "neither format has text");
    match read3(false, data) {
        Ok(Message3::Payload { from, to }) => {
            let mut again = Vec::new();
            put_header(&mut again, from, to);
            assert_eq!(data[..HEADER], again, "a header is written as it was read");
        }
        Ok(message) => {
            let (Message3::Add(id) | Message3::Del(id) | Message3::Id(id)) = message else {
                unreachable!("a packet came above")
            };
            assert!(id >= 1);
            assert_eq!(read3(false, &about(message)), Ok(message), "what is written about an id is read again");
        }
        Err(sentence) => assert!(!sentence.is_empty()),
    }
}
