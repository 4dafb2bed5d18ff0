//! The application heartbeat (docs/heartbeat.md): its request, its announcement and its messages.

/// Part of the query that requests the heartbeat.
const QUESTION: &str = "wspeer-heartbeat=1";
/// First bytes of an announcement. The marker follows.
const ANNOUNCEMENT: &[u8; 16] = b"wspeer-heartbeat";
const PING: u8 = 1;
const PONG: u8 = 2;

/// Length of an announcement in bytes. It is the longest message of the heartbeat.
pub const LONGEST_HEARTBEAT: u32 = 32;
/// First bytes of all heartbeats of one connection. Drawn at random, so that no message of the program begins with
/// them.
pub type Marker = [u8; 16];

/// A decoded message of the heartbeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeartbeatMessage {
    /// The server offers the heartbeat.
    Announced(Marker),
    /// A ping, to be answered with this number.
    Ping(u32),
    /// The answer to the ping with this number.
    Pong(u32),
    /// A heartbeat of a later version.
    Other,
}

/// Adds the request for the heartbeat to a target.
pub fn ask_in(target: &str) -> String {
    let separator = if target.contains('?') { '&' } else { '?' };
    format!("{target}{separator}{QUESTION}")
}

/// Removes the request for the heartbeat from a query. `None`: the query has none.
pub fn without_question(query: &str) -> Option<String> {
    let rest: Vec<&str> = query.split('&').filter(|part| *part != QUESTION).collect();
    (rest.len() < query.split('&').count()).then(|| rest.join("&"))
}

/// Encodes the first message of a server that offers the heartbeat.
pub fn announcement(marker: &Marker) -> Vec<u8> {
    [*ANNOUNCEMENT, *marker].concat()
}

/// Decodes an announcement, which can only be the first message that a client receives.
pub fn read_announcement(bytes: &[u8]) -> Option<Marker> {
    bytes.strip_prefix(ANNOUNCEMENT)?.try_into().ok()
}

/// Encodes a ping, or the pong to it.
pub fn encode_heartbeat(marker: &Marker, pong: bool, number: u32) -> Vec<u8> {
    let mut bytes = marker.to_vec();
    bytes.push(if pong { PONG } else { PING });
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

/// Decodes a heartbeat. `None`: it is a message of the program.
pub fn read_heartbeat(marker: &Marker, bytes: &[u8]) -> Option<HeartbeatMessage> {
    let (kind, number) = bytes.strip_prefix(marker)?.split_first()?;
    Some(match (*kind, <[u8; 4]>::try_from(number)) {
        (PING, Ok(number)) => HeartbeatMessage::Ping(u32::from_be_bytes(number)),
        (PONG, Ok(number)) => HeartbeatMessage::Pong(u32::from_be_bytes(number)),
        _ => HeartbeatMessage::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = *b"0123456789abcdef";

    #[test]
    fn the_heartbeat_request_is_one_query_parameter() {
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
    fn an_announcement_has_a_fixed_length_and_prefix() {
        let bytes = announcement(&MARKER);
        assert_eq!(bytes, b"wspeer-heartbeat0123456789abcdef");
        assert_eq!(bytes.len(), LONGEST_HEARTBEAT as usize);
        assert_eq!(read_announcement(&bytes), Some(MARKER));
        for other in [&b""[..], &bytes[..31], &[&bytes[..], b"."].concat(), b"wspeer-heartbeaX0123456789abcdef"] {
            assert_eq!(read_announcement(other), None);
        }
    }

    #[test]
    fn only_messages_with_the_marker_are_heartbeats() {
        assert_eq!(encode_heartbeat(&MARKER, false, 0x0102_0304), b"0123456789abcdef\x01\x01\x02\x03\x04");
        assert_eq!(read_heartbeat(&MARKER, &encode_heartbeat(&MARKER, false, 7)), Some(HeartbeatMessage::Ping(7)));
        assert_eq!(
            read_heartbeat(&MARKER, &encode_heartbeat(&MARKER, true, u32::MAX)),
            Some(HeartbeatMessage::Pong(u32::MAX))
        );
        assert_eq!(read_heartbeat(&MARKER, b"0123456789abcdef\x03"), Some(HeartbeatMessage::Other));
        assert_eq!(read_heartbeat(&MARKER, b"0123456789abcdef\x01\0\0\0"), Some(HeartbeatMessage::Other));
        for of_host in [&b""[..], b"hello", &MARKER, b"0123456789abcdeF\x01\0\0\0\0"] {
            assert_eq!(read_heartbeat(&MARKER, of_host), None);
        }
    }
}
