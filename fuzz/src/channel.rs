//! The control channel, and the bookkeeping of a session whatever the peer claims.

use std::collections::VecDeque;
use std::time::Instant;
use wspeer::internals::protocol::{
    Control, NewSession, ResumeSession, ask_in, encode_announcement, encode_control, read_announcement, read_control,
    read_question,
};
use wspeer::internals::session::{Kept, Session, Terms};

const MARKER: &[u8; 16] = b"0123456789abcdef";

/// The bytes of the channel: what is read is written as it was.
pub fn channel(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    if let Some(question) = read_question(&query) {
        assert!(question.rest.len() < query.len() && read_question(&question.rest).is_none());
        let target = ask_in(&format!("/?{}", question.rest), question.node.as_deref());
        assert_eq!(read_question(&target[2..]).map(|again| again.node), Some(question.node));
    }
    if let Some(announcement) = read_announcement(data) {
        let bytes = encode_announcement(&announcement);
        assert!(data.starts_with(&bytes) || bytes.len() == 16 + usize::from(data[15]));
        assert_eq!(read_announcement(&bytes), Some(announcement));
    }
    match read_control(MARKER, &[MARKER, data].concat()) {
        None => assert!(data.is_empty()),
        Some(Control::Other | Control::Announced(_)) => {}
        Some(control) => {
            let bytes = encode_control(MARKER, &control);
            assert!(bytes[16..].len() <= data.len() && data.starts_with(&bytes[16..]));
            assert!(read_control(MARKER, &bytes) == Some(control));
        }
    }
    session(data);
}

/// A server's session: what waits for acknowledgement is what was put and not acknowledged, in order.
fn session(data: &[u8]) {
    let new = NewSession { id: [1; 16], secret: [0; 32], ms: 1, bytes: 1_000 };
    let terms = Terms { ms: 1, bytes: 2_000, renews: false };
    let mut session = Session::granted(&new, terms, [0; 2]);
    // Number and length of each message that is not acknowledged, the number of the last one that was put, handed to
    // this link, and to any.
    let (mut kept, mut last, mut handed, mut numbered) = (VecDeque::new(), 0_u64, 0, 0);
    let mut secret = 0_u8;
    let mut acknowledged = 0;
    for pair in data.chunks_exact(2) {
        let (act, value) = (pair[0] % 6, u64::from(pair[1]));
        match act {
            0 => {
                let len = value as usize;
                if session.has_room(len, 1) {
                    assert!(session.keep(false, &vec![last as u8; len]));
                    last += 1;
                    kept.push_back((last, len));
                }
            }
            1 => {
                if let Some((_, message)) = session.next() {
                    let (number, len) = kept[(handed - acknowledged) as usize];
                    let Kept::Short(bytes) = message else { panic!("it is short") };
                    assert_eq!((bytes.len(), number), (len, handed + 1));
                    assert!(bytes.iter().all(|byte| *byte == handed as u8));
                    session.note_handed();
                    handed += 1;
                    numbered = numbered.max(handed);
                } else {
                    assert_eq!(handed, last);
                }
            }
            2 => {
                // An acknowledgement near the possible ones.
                let count = (handed + 2).saturating_sub(value % 8);
                assert_eq!(session.take_ack(count), count <= handed);
                if count <= handed {
                    acknowledged = acknowledged.max(count);
                }
            }
            3 | 4 => {
                let (is_right, received) = (value % 3 != 0, (numbered + 1).saturating_sub(value / 8 % 8));
                let request = ResumeSession {
                    id: [1; 16],
                    secret: [if is_right { secret } else { 0xFF }; 32],
                    next: [secret.wrapping_add(1) & 0x7F; 32],
                    received,
                };
                let again = session.take_resume(&request, Instant::now().into());
                if let Some(again) = again {
                    assert!(is_right && received <= numbered);
                    acknowledged = acknowledged.max(received);
                    assert_eq!(again, numbered - acknowledged);
                    handed = acknowledged;
                    secret = secret.wrapping_add(1) & 0x7F;
                    session.confirm();
                }
            }
            _ => {
                session.remove_acknowledged(|| value % 2 == 0);
                session.shrink();
            }
        }
        while kept.front().is_some_and(|(number, _)| *number <= acknowledged) {
            kept.pop_front();
        }
        assert_eq!(session.unacknowledged().0, kept.len());
        assert_eq!(session.is_handed(), handed == last);
        assert_eq!(session.unhanded().0 as u64, last - handed);
    }
}
