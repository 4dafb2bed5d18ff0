//! What a proxy, or somebody who pretends to be one, says about a client: PROXY headers, and the headers of requests.

use super::input::{Input, pieces};
use std::net::IpAddr;
use wspeer::internals::net::Networks;
use wspeer::internals::protocol::{Forwarding, MAX_PROXY_HEADER, ProxyHeader, ServerHandshake};

pub fn header(data: &[u8]) {
    let whole = ProxyHeader::parse(data);
    match whole {
        ProxyHeader::Complete { len, .. } => {
            assert!(len <= data.len() && len <= MAX_PROXY_HEADER);
            assert_eq!(ProxyHeader::parse(&data[..len]), whole, "bytes behind the header change it");
            for end in 0..len {
                assert_eq!(ProxyHeader::parse(&data[..end]), ProxyHeader::Incomplete, "{end} bytes");
            }
        }
        // A refusal is final: more bytes change nothing.
        ProxyHeader::Invalid(why) => {
            let longer = [data, b"\r\n\r\n"].concat();
            assert!(!why.is_empty() && matches!(ProxyHeader::parse(&longer), ProxyHeader::Invalid(_)));
        }
        ProxyHeader::Incomplete => assert!(data.len() < MAX_PROXY_HEADER),
    }
}

/// The first byte chooses how the request is cut, the rest is put into its headers, or is the list of trusted networks.
pub fn request(data: &[u8]) {
    let mut input = Input(data);
    let cut = input.byte();
    if let Ok(text) = std::str::from_utf8(input.0)
        && let Ok(networks) = Networks::parse(text)
    {
        let _ = networks.contain(IpAddr::from([10, 0, 0, 1]));
    }
    let start = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let bytes = [start, input.0, b"\r\n\r\n"].concat();
    let mut handshake = ServerHandshake::new(4_096);
    for piece in pieces(&bytes, cut) {
        match handshake.receive(piece) {
            Ok(None) => {}
            Ok(Some((_, request))) => {
                for by in [Forwarding::Forwarded, Forwarding::XForwardedFor] {
                    let trusts_none = by.client(&request.headers, |_| false);
                    let trusts_all = by.client(&request.headers, |_| true);
                    assert_eq!(trusts_none.is_ok(), trusts_all.is_ok());
                    assert_eq!(matches!(trusts_none, Ok(Some(_))), matches!(trusts_all, Ok(Some(_))));
                    if request.headers.count(by.header()) == 0 {
                        assert_eq!(trusts_all, Ok(None));
                    }
                }
                return;
            }
            Err(_) => return,
        }
    }
}
