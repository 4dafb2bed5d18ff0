//! The application heartbeat (docs/heartbeat.md): how a client asks for it, how a server announces it, and its messages.

/// In the query of the request.
const QUESTION: &str = "wspeer-heartbeat=1";
/// What an announcement begins with; the marker follows.
const ANNOUNCEMENT: &[u8; 16] = b"wspeer-heartbeat";
const PING: u8 = 1;
const PONG: u8 = 2;

/// The length of an announcement, the longest of these messages.
pub const LONGEST_BEAT: u32 = 32;
/// What heartbeats of one connection begin with; drawn at random, so that no message of a host does.
pub type Marker = [u8; 16];

/// What a message means to the heartbeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beating {
    /// The heartbeat is available.
    Announced(Marker),
    /// To be answered with that number.
    Ping(u32),
    /// The answer to the ping of that number.
    Pong(u32),
    /// Of a version to come.
    Other,
}

/// The target of a request that asks for the heartbeat.
pub fn ask_in(target: &str) -> String {
    let separator = if target.contains('?') { '&' } else { '?' };
    format!("{target}{separator}{QUESTION}")
}

/// The query without the question; `None`: it does not ask.
pub fn without_question(query: &str) -> Option<String> {
    let rest: Vec<&str> = query.split('&').filter(|part| *part != QUESTION).collect();
    (rest.len() < query.split('&').count()).then(|| rest.join("&"))
}

/// The first message of a server that offers the heartbeat.
pub fn announcement(marker: &Marker) -> Vec<u8> {
    [*ANNOUNCEMENT, *marker].concat()
}

/// The marker that a client's first message announces.
pub fn read_announcement(bytes: &[u8]) -> Option<Marker> {
    bytes.strip_prefix(ANNOUNCEMENT)?.try_into().ok()
}

/// A ping, or the pong to it.
pub fn beat(marker: &Marker, pong: bool, number: u32) -> Vec<u8> {
    let mut bytes = marker.to_vec();
    bytes.push(if pong { PONG } else { PING });
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

/// A heartbeat; `None`: it is a message of the host's.
pub fn read_beat(marker: &Marker, bytes: &[u8]) -> Option<Beating> {
    let (kind, number) = bytes.strip_prefix(marker)?.split_first()?;
    Some(match (*kind, <[u8; 4]>::try_from(number)) {
        (PING, Ok(number)) => Beating::Ping(u32::from_be_bytes(number)),
        (PONG, Ok(number)) => Beating::Pong(u32::from_be_bytes(number)),
        _ => Beating::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = *b"0123456789abcdef";

    #[test]
    fn the_question_is_one_part_of_the_query() {
        for (target, asking, left) in [
            ("/", "/?wspeer-heartbeat=1", ""),
            ("/chat?room=3", "/chat?room=3&wspeer-heartbeat=1", "room=3"),
            ("/?", "/?&wspeer-heartbeat=1", ""),
            ("/?a=1&&b", "/?a=1&&b&wspeer-heartbeat=1", "a=1&&b"),
        ] {
            assert_eq!(ask_in(target), asking);
            let query = asking.split_once('?').map(|(_, query)| query).unwrap_or_default();
            assert_eq!(without_question(query).as_deref(), Some(left));
        }
        for other in ["", "room=3", "wspeer-heartbeat=10", "xwspeer-heartbeat=1", "wspeer-heartbeat"] {
            assert_eq!(without_question(other), None);
        }
    }

    #[test]
    fn an_announcement_has_its_length_and_its_start() {
        let bytes = announcement(&MARKER);
        assert_eq!(bytes, b"wspeer-heartbeat0123456789abcdef");
        assert_eq!(bytes.len(), LONGEST_BEAT as usize);
        assert_eq!(read_announcement(&bytes), Some(MARKER));
        for other in [&b""[..], &bytes[..31], &[&bytes[..], b"."].concat(), b"wspeer-heartbeaX0123456789abcdef"] {
            assert_eq!(read_announcement(other), None);
        }
    }

    #[test]
    fn only_what_begins_with_the_marker_is_a_heartbeat() {
        assert_eq!(beat(&MARKER, false, 0x0102_0304), b"0123456789abcdef\x01\x01\x02\x03\x04");
        assert_eq!(read_beat(&MARKER, &beat(&MARKER, false, 7)), Some(Beating::Ping(7)));
        assert_eq!(read_beat(&MARKER, &beat(&MARKER, true, u32::MAX)), Some(Beating::Pong(u32::MAX)));
        assert_eq!(read_beat(&MARKER, b"0123456789abcdef\x03"), Some(Beating::Other));
        assert_eq!(read_beat(&MARKER, b"0123456789abcdef\x01\0\0\0"), Some(Beating::Other));
        for of_host in [&b""[..], b"hello", &MARKER, b"0123456789abcdeF\x01\0\0\0\0"] {
            assert_eq!(read_beat(&MARKER, of_host), None);
        }
    }
}
