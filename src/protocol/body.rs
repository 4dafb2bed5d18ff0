//! The start of the body of a refusal, for users to read (RFC 7230 section 3.3.3).

use super::Headers;
use httparse::{Status, parse_chunk_size};

/// Maximum bytes kept of a body.
const KEPT_BYTES: usize = 1 << 10;
/// Maximum bytes received of a chunked body: enough for KEPT_BYTES in chunks of one byte.
const CHUNKED_BYTES: usize = 8 << 10;

/// A body being received.
pub struct Body {
    received: Vec<u8>,
    chunked: bool,
    wanted: usize,
}

impl Body {
    /// A body as announced by the status and headers of the response.
    pub fn announced(status: u16, headers: &Headers) -> Body {
        let chunked = headers.has_token("transfer-encoding", "chunked");
        let wanted = match length(headers) {
            _ if matches!(status, 100..=199 | 204 | 304) => 0,
            _ if chunked => CHUNKED_BYTES,
            Some(len) => len.min(KEPT_BYTES),
            // Such a body ends with the transport.
            None => KEPT_BYTES,
        };
        Body { received: Vec::new(), chunked, wanted }
    }

    /// Receives bytes. Returns true if the body is complete, or as much of it as is kept.
    pub fn receive(&mut self, bytes: &[u8]) -> bool {
        let take = bytes.len().min(self.wanted - self.received.len());
        self.received.extend_from_slice(&bytes[..take]);
        self.received.len() == self.wanted || (self.chunked && unchunk(&self.received).1)
    }

    /// What was received, without the framing of chunks.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.chunked { unchunk(&self.received).0 } else { self.received }
    }
}

/// Content-Length, if all such headers have the same value (RFC 9112 section 6.3).
fn length(headers: &Headers) -> Option<usize> {
    let mut all = headers.list("content-length");
    let first = all.next().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    all.all(|other| other == first).then(|| first.parse().ok()).flatten()
}

/// The content of the chunks, and whether no more is needed (RFC 7230 section 4.1). Everything after a broken chunk is
/// ignored.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let (start, size) = match parse_chunk_size(rest) {
            Ok(Status::Complete((start, size))) => (start, usize::try_from(size).unwrap_or(usize::MAX)),
            Ok(Status::Partial) => return (body, false),
            Err(_) => return (body, true),
        };
        let data = &rest[start..];
        body.extend_from_slice(&data[..size.min(data.len()).min(KEPT_BYTES - body.len())]);
        if size == 0 || body.len() == KEPT_BYTES {
            return (body, true);
        }
        match size.checked_add(2).and_then(|next| data.get(next..)) {
            Some(next) => rest = next,
            None => return (body, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> Headers {
        let value = http::HeaderValue::from_static(value);
        Headers::from_map(&http::HeaderMap::from_iter([(http::HeaderName::from_static(name), value)]))
    }

    /// The body after `bytes` were received in pieces of `cut`, and whether that was enough.
    fn received(mut body: Body, bytes: &[u8], cut: usize) -> (Vec<u8>, bool) {
        let whole = bytes.chunks(cut).any(|piece| body.receive(piece));
        (body.into_bytes(), whole)
    }

    #[test]
    fn chunks_are_joined() {
        let bytes = b"4;note=x\r\nwiki\r\nA \r\npedia in c\r\n0\r\nTrailer: x\r\n\r\n";
        for cut in 1..bytes.len() {
            let body = Body::announced(401, &headers("transfer-encoding", "gzip, Chunked"));
            assert_eq!(received(body, bytes, cut), (b"wikipedia in c".to_vec(), true), "in pieces of {cut}");
        }
    }

    #[test]
    fn chunks_are_bounded() {
        let chunked = || Body::announced(200, &headers("transfer-encoding", "chunked"));
        let many = b"1\r\nx\r\n".repeat(5_000);
        assert_eq!(received(chunked(), &many, 100), (vec![b'x'; KEPT_BYTES], true));
        let long = [b"fffffffffffffff\r\n".as_slice(), &vec![b'y'; 20_000]].concat();
        assert_eq!(received(chunked(), &long, 300), (vec![b'y'; KEPT_BYTES], true));
        let two = [b"3e8\r\n".as_slice(), &[b'z'; 1_000], b"\r\n"].concat().repeat(2);
        assert_eq!(received(chunked(), &two, 3_000), (vec![b'z'; KEPT_BYTES], true));
        let padded = [b"1;".as_slice(), &vec![b' '; 20_000]].concat();
        assert_eq!(received(chunked(), &padded, 500), (Vec::new(), true));
    }

    #[test]
    fn an_invalid_or_partial_chunk_keeps_the_bytes_before_it() {
        let chunked = || Body::announced(500, &headers("transfer-encoding", "chunked"));
        assert_eq!(received(chunked(), b"2\r\nab\r\nzz", 1), (b"ab".to_vec(), true));
        assert_eq!(received(chunked(), b"2\r\nab\r\n9\r\ncd", 1), (b"abcd".to_vec(), false));
        assert_eq!(received(chunked(), b"ffffffffffffffff\r\nab", 1), (b"ab".to_vec(), false));
    }

    #[test]
    fn an_announced_length_ends_the_body() {
        let long = |text| Body::announced(403, &headers("content-length", text));
        assert_eq!(received(long("3"), b"nope", 1), (b"nop".to_vec(), true));
        assert_eq!(received(long("5"), b"nope", 4), (b"nope".to_vec(), false));
        assert_eq!(received(long("9999"), &[b'x'; 3_000], 7), (vec![b'x'; KEPT_BYTES], true));
        assert_eq!(received(Body::announced(403, &Headers::default()), b"nope", 4), (b"nope".to_vec(), false));
        assert_eq!(received(Body::announced(204, &headers("content-length", "4")), b"", 1), (Vec::new(), false));
        assert!(Body::announced(304, &Headers::default()).receive(b""));
    }
}
