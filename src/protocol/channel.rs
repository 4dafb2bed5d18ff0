//! The control channel (docs/control-channel.md): its question, its announcement and its messages, for the application
//! heartbeat and for sessions.

/// Name of the query parameter that asks for the channel.
const PARAMETER: &str = "wspeer=";
/// First bytes of an announcement. The version, a length, the marker, the grants and the node follow.
const ANNOUNCEMENT: &[u8; 14] = b"wspeer-control";
/// The version that this library speaks.
const VERSION: u8 = 1;
/// Offset of the marker in an announcement.
const MARKER_AT: usize = 16;
/// Bytes of the marker and the grants.
const BEFORE_NODE: usize = 17;
/// Longest name of a node in bytes.
pub(super) const LONGEST_NODE: usize = 32;

const GRANTS_HEARTBEAT: u8 = 1;
const GRANTS_SESSION: u8 = 2;

const PING: u8 = 1;
const PONG: u8 = 2;
const NO_SESSION: u8 = 3;
const NEW: u8 = 4;
const RESUME: u8 = 5;
const GRANT: u8 = 6;
const REFUSED: u8 = 7;
const ACK: u8 = 8;
const END: u8 = 9;
const DRAIN: u8 = 10;

/// The shortest `max_message_bytes` with which the channel works: no message of it but DRAIN is longer.
pub const LONGEST_CONTROL: u32 = 128;
/// The same with sessions, where DRAIN may arrive.
pub const LONGEST_DRAIN: u32 = 1_024;
/// The longest URL that fits in a DRAIN.
pub const LONGEST_DRAIN_URL: usize = LONGEST_DRAIN as usize - 21;

/// First bytes of all control messages of one connection. Drawn at random, so that no message of the program begins with
/// them.
pub type Marker = [u8; 16];
/// Identifies a session at its server.
pub type SessionId = [u8; 16];
/// Proves that a client owns a session.
pub type Secret = [u8; 32];

/// What a query asks for: a control channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The node that has the session which the client resumes; `None`: it resumes none.
    pub node: Option<String>,
    /// The query without the question.
    pub rest: String,
}

/// The first message of a server that offers the channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// First bytes of all later control messages.
    pub marker: Marker,
    /// The server answers the application heartbeat.
    pub heartbeat: bool,
    /// The server keeps sessions.
    pub session: bool,
    /// Name of the server, for a balancer to route by.
    pub node: String,
}

/// The client's request for a new session, repeated unchanged until it is answered.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its id, drawn by the client.
    pub id: SessionId,
    /// Its first secret.
    pub secret: Secret,
    /// How long the client would keep it, in milliseconds.
    pub ms: u32,
    /// The client's session_bytes.
    pub bytes: u32,
}

/// The client's request to resume a session on a new link, repeated unchanged until it is answered.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeSession {
    /// The session.
    pub id: SessionId,
    /// Its current secret.
    pub secret: Secret,
    /// The secret that replaces it.
    pub next: Secret,
    /// Number of messages that the client has received in the session.
    pub received: u64,
}

/// The server's answer to either.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Number of messages that the server has received in the session.
    pub received: u64,
    /// How long both sides keep it, in milliseconds.
    pub ms: u32,
    /// The server's session_bytes.
    pub bytes: u32,
}

/// A decoded control message.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs)] // Those without a comment say what they are.
pub enum Control {
    /// The server's first message.
    Announced(Box<Announcement>),
    /// A ping, to be answered with this number.
    Ping(u32),
    /// The answer to the ping with this number.
    Pong(u32),
    /// The client wants no session.
    NoSession,
    New(Box<NewSession>),
    Resume(Box<ResumeSession>),
    Grant(Grant),
    /// The server does not grant the session that the client asked for.
    Refused,
    /// Number of messages that the sender has received in the session.
    Ack(u64),
    /// The sender ends the session; its close frame follows.
    End,
    /// The server is drained: when to come back, in milliseconds, and where; "": to the same URL.
    Drain(u32, String),
    /// A message of a later version.
    Other,
}

/// Adds the question to a target. `node`: see `Question`.
pub fn ask_in(target: &str, node: Option<&str>) -> String {
    let separator = if target.contains('?') { '&' } else { '?' };
    match node {
        None => format!("{target}{separator}{PARAMETER}{VERSION}"),
        Some(node) => format!("{target}{separator}{PARAMETER}{VERSION}-{node}"),
    }
}

/// Finds the question in a query. `None`: the query has none.
pub fn read_question(query: &str) -> Option<Question> {
    let parts = || query.split('&');
    let node = parts().find_map(asked)?.map(str::to_owned);
    let rest: Vec<&str> = parts().filter(|part| asked(part).is_none()).collect();
    Some(Question { node, rest: rest.join("&") })
}

/// The node that a part of a query names, if the part is a question.
fn asked(part: &str) -> Option<Option<&str>> {
    let value = part.strip_prefix(PARAMETER)?;
    let (version, node) = value.split_once('-').map_or((value, None), |(version, node)| (version, Some(node)));
    let is_version = (1..=3).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit());
    let known = is_version && version.parse::<u32>().is_ok_and(|version| version >= u32::from(VERSION));
    (known && node.is_none_or(is_node)).then_some(node)
}

/// Whether a text can be the name of a node: 1 to 32 letters, digits, '.', '_' and '-' of ASCII.
pub fn is_node(text: &str) -> bool {
    (1..=LONGEST_NODE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Encodes the first message of a server that offers the channel.
pub fn encode_announcement(announcement: &Announcement) -> Vec<u8> {
    let Announcement { marker, heartbeat, session, node } = announcement;
    let grants = if *heartbeat { GRANTS_HEARTBEAT } else { 0 } | if *session { GRANTS_SESSION } else { 0 };
    let mut bytes = ANNOUNCEMENT.to_vec();
    bytes.extend([VERSION, (BEFORE_NODE + node.len()) as u8]);
    bytes.extend(marker);
    bytes.push(grants);
    bytes.extend(node.as_bytes());
    bytes
}

/// Decodes an announcement, which can only be the first message that a client receives. Bytes behind those of its
/// length are ignored.
pub fn read_announcement(bytes: &[u8]) -> Option<Announcement> {
    let [VERSION, length, rest @ ..] = bytes.strip_prefix(ANNOUNCEMENT)? else { return None };
    let (marker, rest) = rest.get(..usize::from(*length))?.split_first_chunk::<{ MARKER_AT }>()?;
    let (grants, node) = rest.split_first()?;
    let node = std::str::from_utf8(node).ok().filter(|node| is_node(node))?;
    Some(Announcement {
        marker: *marker,
        heartbeat: grants & GRANTS_HEARTBEAT != 0,
        session: grants & GRANTS_SESSION != 0,
        node: node.to_owned(),
    })
}

/// Encodes a control message other than the announcement.
pub fn encode_control(marker: &Marker, control: &Control) -> Vec<u8> {
    let mut bytes = marker.to_vec();
    match control {
        Control::Ping(number) => put(&mut bytes, PING, &[&number.to_be_bytes()]),
        Control::Pong(number) => put(&mut bytes, PONG, &[&number.to_be_bytes()]),
        Control::NoSession => put(&mut bytes, NO_SESSION, &[]),
        Control::New(new) => {
            let NewSession { id, secret, ms, bytes: most } = &**new;
            put(&mut bytes, NEW, &[id, secret, &ms.to_be_bytes(), &most.to_be_bytes()]);
        }
        Control::Resume(resume) => {
            let ResumeSession { id, secret, next, received } = &**resume;
            put(&mut bytes, RESUME, &[id, secret, next, &received.to_be_bytes()]);
        }
        Control::Grant(Grant { received, ms, bytes: most }) => {
            put(&mut bytes, GRANT, &[&received.to_be_bytes(), &ms.to_be_bytes(), &most.to_be_bytes()]);
        }
        Control::Refused => put(&mut bytes, REFUSED, &[]),
        Control::Ack(count) => put(&mut bytes, ACK, &[&count.to_be_bytes()]),
        Control::End => put(&mut bytes, END, &[]),
        Control::Drain(ms, url) => put(&mut bytes, DRAIN, &[&ms.to_be_bytes(), url.as_bytes()]),
        Control::Announced(_) | Control::Other => {}
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, kind: u8, fields: &[&[u8]]) {
    bytes.push(kind);
    fields.iter().for_each(|field| bytes.extend_from_slice(field));
}

/// Decodes a control message. `None`: it is a message of the program. Bytes behind the known ones are ignored.
pub fn read_control(marker: &Marker, bytes: &[u8]) -> Option<Control> {
    let (kind, fields) = bytes.strip_prefix(marker)?.split_first()?;
    Some(read_fields(*kind, Fields(fields)).unwrap_or(Control::Other))
}

fn read_fields(kind: u8, mut fields: Fields<'_>) -> Option<Control> {
    Some(match kind {
        PING => Control::Ping(fields.u32()?),
        PONG => Control::Pong(fields.u32()?),
        NO_SESSION => Control::NoSession,
        NEW => Control::New(Box::new(NewSession {
            id: fields.array()?,
            secret: fields.array()?,
            ms: fields.u32()?,
            bytes: fields.u32()?,
        })),
        RESUME => Control::Resume(Box::new(ResumeSession {
            id: fields.array()?,
            secret: fields.array()?,
            next: fields.array()?,
            received: fields.u64()?,
        })),
        GRANT => Control::Grant(Grant { received: fields.u64()?, ms: fields.u32()?, bytes: fields.u32()? }),
        REFUSED => Control::Refused,
        ACK => Control::Ack(fields.u64()?),
        END => Control::End,
        DRAIN => Control::Drain(fields.u32()?, std::str::from_utf8(fields.0).ok()?.to_owned()),
        _ => return None,
    })
}

/// The undecoded rest of a message.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = *b"0123456789abcdef";

    #[test]
    fn the_question_is_one_query_parameter() {
        for (target, node, asking, left) in [
            ("/", None, "/?wspeer=1", ""),
            ("/chat?room=3", None, "/chat?room=3&wspeer=1", "room=3"),
            ("/?", Some("eu-3.b_c"), "/?&wspeer=1-eu-3.b_c", ""),
            ("/?a=1&&b", Some("n"), "/?a=1&&b&wspeer=1-n", "a=1&&b"),
        ] {
            assert_eq!(ask_in(target, node), asking);
            let query = asking.split_once('?').map(|(_, query)| query).unwrap_or_default();
            let read = Question { node: node.map(str::to_owned), rest: left.to_owned() };
            assert_eq!(read_question(query), Some(read));
        }
        // A later version, and what is none.
        assert_eq!(read_question("wspeer=12"), Some(Question { node: None, rest: String::new() }));
        let long = format!("wspeer=1-{}", "n".repeat(LONGEST_NODE + 1));
        for other in
            ["", "room=3", "wspeer=0", "wspeer=", "xwspeer=1", "wspeer=1-", "wspeer=1-a%20b", "wspeer=+1", &long]
        {
            assert_eq!(read_question(other), None, "{other}");
        }
    }

    fn announced(node: &str) -> Announcement {
        Announcement { marker: MARKER, heartbeat: true, session: false, node: node.to_owned() }
    }

    #[test]
    fn an_announcement_has_a_prefix_a_version_and_a_length() {
        let bytes = encode_announcement(&announced("eu3"));
        assert_eq!(bytes, b"wspeer-control\x01\x140123456789abcdef\x01eu3");
        assert_eq!(read_announcement(&bytes), Some(announced("eu3")));
        assert_eq!(read_announcement(&[&bytes[..], b"later"].concat()), Some(announced("eu3")));
        let longest = encode_announcement(&announced(&"n".repeat(LONGEST_NODE)));
        assert!(longest.len() <= LONGEST_CONTROL as usize && read_announcement(&longest).is_some());
        let mut others: Vec<Vec<u8>> = (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect();
        // Another prefix, version 0 and 2, a length without a node, a node with a space.
        for (at, byte) in [(13, b'x'), (14, 0), (14, 2), (15, 17), (15, 16), (34, b' ')] {
            let mut other = bytes.clone();
            other[at] = byte;
            others.push(other);
        }
        for other in others {
            assert_eq!(read_announcement(&other), None, "{other:?}");
        }
    }

    #[test]
    fn every_message_is_read_as_it_was_written() {
        let new = NewSession { id: [1; 16], secret: [2; 32], ms: 30_000, bytes: 1 << 20 };
        let resume = ResumeSession { id: [1; 16], secret: [2; 32], next: [3; 32], received: u64::MAX };
        let messages = [
            Control::Ping(0x0102_0304),
            Control::Pong(u32::MAX),
            Control::NoSession,
            Control::New(Box::new(new)),
            Control::Resume(Box::new(resume)),
            Control::Grant(Grant { received: 7, ms: 1, bytes: 2 }),
            Control::Refused,
            Control::Ack(1 << 40),
            Control::End,
        ];
        for message in messages {
            let bytes = encode_control(&MARKER, &message);
            assert!(bytes.len() <= LONGEST_CONTROL as usize);
            assert!(read_control(&MARKER, &bytes) == Some(message.clone()));
            // A later version may append fields; a message that is cut is ignored.
            assert!(read_control(&MARKER, &[&bytes[..], b"later"].concat()) == Some(message));
            for len in 17..bytes.len() {
                assert!(read_control(&MARKER, &bytes[..len]) == Some(Control::Other));
            }
        }
        let drain = Control::Drain(1_000, "u".repeat(LONGEST_DRAIN_URL));
        let bytes = encode_control(&MARKER, &drain);
        assert!(bytes.len() == LONGEST_DRAIN as usize && read_control(&MARKER, &bytes) == Some(drain));
    }

    #[test]
    fn only_messages_with_the_marker_belong_to_the_channel() {
        assert_eq!(encode_control(&MARKER, &Control::Ping(0x0102_0304)), b"0123456789abcdef\x01\x01\x02\x03\x04");
        assert!(read_control(&MARKER, b"0123456789abcdef\x63") == Some(Control::Other));
        for of_host in [&b""[..], b"hello", &MARKER, b"0123456789abcdeF\x01\0\0\0\0"] {
            assert!(read_control(&MARKER, of_host).is_none());
        }
    }
}
