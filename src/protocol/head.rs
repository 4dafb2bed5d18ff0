//! The head of an HTTP message: its end, start line and headers (RFC 9112).

use super::Headers;
use httparse::{EMPTY_HEADER, Error, Header, Status};

/// Maximum number of header lines.
const MAX_LINES: usize = 124;

/// Length of the head, including its blank line. The first `from` bytes were searched before. A line may end in LF
/// alone (section 2.2).
pub(super) fn find_end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(2);
    let mut breaks = bytes.iter().enumerate().skip(start).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    breaks.find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// Length of the empty lines before a start line, which are ignored (section 2.2).
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether a byte may be part of a token: a method, a header name or a subprotocol (RFC 9110 section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Status line and headers of a response.
pub(super) struct AnswerHead {
    /// The minor version: x in HTTP/1.x.
    pub minor: u8,
    /// Status code, 100 to 999.
    pub status: u16,
    /// In the order received.
    pub headers: Headers,
}

impl AnswerHead {
    /// Parses a complete head. Folded lines are unfolded, as section 5.2 requires of a user agent.
    pub fn parse(mut head: Vec<u8>) -> Result<AnswerHead, Error> {
        unfold(&mut head);
        let mut lines = [EMPTY_HEADER; MAX_LINES];
        let mut parsed = httparse::Response::new(&mut lines);
        match (parsed.parse(&head)?, parsed.version, parsed.code) {
            (Status::Complete(_), Some(minor), Some(status @ 100..)) => {
                Ok(AnswerHead { minor, status, headers: headers(parsed.headers) })
            }
            _ => Err(Error::Status),
        }
    }
}

/// Receives the head of a final response, in pieces of any size, after interim ones.
pub(super) struct AnswerReader {
    received: Vec<u8>,
    /// Offset in `received` of the current response: interim responses (1xx) come before it.
    start: usize,
    max_bytes: usize,
}

/// Why a response cannot be read.
pub(super) enum Unreadable {
    /// It is of another protocol; its first bytes.
    NotHttp(Vec<u8>),
    /// Its head is longer than the limit.
    TooBig,
    /// It is not valid HTTP.
    Invalid(Error),
}

impl AnswerReader {
    /// Expects heads of at most `max_bytes` altogether.
    pub fn new(max_bytes: usize) -> AnswerReader {
        AnswerReader { received: Vec::new(), start: 0, max_bytes }
    }

    /// Whether no byte has been received.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Receives bytes. `Some`: the head, and how many of the bytes belong to it.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(usize, AnswerHead)>, Unreadable> {
        let before = self.received.len();
        self.received.extend_from_slice(bytes);
        loop {
            self.start += empty_lines(&self.received[self.start..]);
            if !may_be_answer(&self.received[self.start..]) {
                return Err(Unreadable::NotHttp(self.received.split_off(self.start)));
            }
            let end =
                find_end(&self.received[self.start..], before.saturating_sub(self.start)).map(|end| self.start + end);
            if end.unwrap_or(self.received.len()) > self.max_bytes {
                return Err(Unreadable::TooBig);
            }
            let Some(end) = end else { return Ok(None) };
            let head = AnswerHead::parse(self.received[self.start..end].to_vec()).map_err(Unreadable::Invalid)?;
            // An interim response (RFC 9110 section 15.2): the final one follows. 101 is none.
            if !matches!(head.status, 100 | 102..=199) {
                self.received = Vec::new();
                return Ok(Some((end - before.min(end), head)));
            }
            self.start = end;
        }
    }
}

/// Whether bytes can be the start of an HTTP/1 response.
fn may_be_answer(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(byte, expected)| byte == expected)
}

/// Request line and headers of a request.
pub(super) struct RequestHead {
    /// As received: methods are case-sensitive.
    pub method: String,
    /// As received.
    pub target: String,
    /// The minor version: x in HTTP/1.x.
    pub minor: u8,
    /// In the order received.
    pub headers: Headers,
}

impl RequestHead {
    /// Parses a complete head. A folded line is an error (section 5.2: a server that does not refuse it has to unfold
    /// it before any further processing).
    pub fn parse(head: &[u8]) -> Result<RequestHead, Error> {
        let mut lines = [EMPTY_HEADER; MAX_LINES];
        let mut parsed = httparse::Request::new(&mut lines);
        match (parsed.parse(head)?, parsed.method, parsed.path, parsed.version) {
            (Status::Complete(_), Some(method), Some(target), Some(minor)) => Ok(RequestHead {
                method: method.to_owned(),
                target: target.to_owned(),
                minor,
                headers: headers(parsed.headers),
            }),
            _ => Err(Error::Token),
        }
    }
}

fn headers(parsed: &[Header<'_>]) -> Headers {
    Headers::from_pairs(parsed.iter().map(|header| (header.name, header.value)))
}

/// Replaces the line breaks of folded header lines by spaces. The line after the start line begins a header and is no
/// fold.
fn unfold(head: &mut [u8]) {
    let Some(start) = head.iter().skip(empty_lines(head)).position(|byte| *byte == b'\n') else { return };
    for at in empty_lines(head) + start + 1..head.len().saturating_sub(1) {
        if head[at] == b'\n' && matches!(head[at + 1], b' ' | b'\t') {
            head[at] = b' ';
            if head[at - 1] == b'\r' {
                head[at - 1] = b' ';
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_from_any_offset() {
        for (bytes, end) in [
            (b"a\r\n\r\nb".as_slice(), Some(5)),
            (b"a\n\nb", Some(3)),
            (b"a\r\n\nb", Some(4)),
            (b"a\n\r\nb", Some(4)),
            (b"a\r\nb\r\n", None),
            (b"a\r\r\nb", None),
            (b"a\n\r", None),
        ] {
            for from in 0..=end.unwrap_or(bytes.len() + 1) - 1 {
                assert_eq!(find_end(bytes, from), end, "{bytes:?} from {from}");
            }
        }
    }

    #[test]
    fn folded_lines_are_unfolded_except_after_the_start_line() {
        let mut folded = b"\r\nHTTP/1.1 200 OK\r\nA: b\r\n c\n\td\r\n\r\n".to_vec();
        unfold(&mut folded);
        assert_eq!(folded, b"\r\nHTTP/1.1 200 OK\r\nA: b   c \td\r\n\r\n");
        let mut start = b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n".to_vec();
        unfold(&mut start);
        assert_eq!(start, b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n");
    }
}
