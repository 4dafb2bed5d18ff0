//! A message of `max_message_bytes` arrives, and a longer one closes the connection, plain and compressed.
//! `WSPEER_LONG_BYTES` sets the size; above 4 GiB the limit is off, and only the 32-bit length field limits a message.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use wspeer::codes::*;
use wspeer::ffi::*;
use wspeer::internals::protocol::Compressor;

const DEFAULT_BYTES: u64 = 3 << 20;
/// The longest possible message.
const MAX_BYTES: u64 = u32::MAX as u64 - 64;

fn long_bytes() -> u64 {
    std::env::var("WSPEER_LONG_BYTES").map_or(DEFAULT_BYTES, |bytes| bytes.parse().unwrap())
}

/// A compressed frame of `len` zeros, with masking key 0.
fn compressed(len: u64) -> Vec<u8> {
    let piece = vec![0; 1 << 20];
    let (mut compressor, mut payload, mut left) = (Compressor::new(15, 1), Vec::new(), len);
    while left > 0 {
        let take = left.min(piece.len() as u64);
        left -= take;
        compressor.compress(&piece[..take as usize], left == 0, &mut payload).map_err(|_| "no memory").unwrap();
    }
    match u16::try_from(payload.len()) {
        Ok(len) => [b"\xC2\xFE".as_slice(), &len.to_be_bytes(), &[0; 4], &payload].concat(),
        Err(_) => [b"\xC2\xFF".as_slice(), &(payload.len() as u64).to_be_bytes(), &[0; 4], &payload].concat(),
    }
}

/// Sends a message of `len` bytes to a server with this limit. Returns its length on arrival, or the close code.
fn receive(len: u64, limit: u32) -> Result<u64, i32> {
    let (server, port) = listen(None, |config| {
        config.flags |= WS_DEFLATE;
        (config.max_message_bytes, config.max_inflate_ratio) = (limit, WS_OFF);
        (config.poll_budget_us, config.heartbeat_ms) = (100_000, WS_OFF);
    });
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let sender = std::thread::spawn(move || {
        // Fails when the server closes the connection.
        let _ = client.write_all(&compressed(len));
        let _ = client.read_to_end(&mut Vec::new());
    });
    let result = loop {
        poll(server);
        // SAFETY: an event is numbers and pointers.
        let mut event: ws_event = unsafe { std::mem::zeroed() };
        // SAFETY: it lives.
        if unsafe { ws_next_event(server, &mut event) } != WS_OK {
            std::thread::yield_now();
            continue;
        }
        match event.r#type {
            WS_EVENT_MESSAGE => break Ok(event.packet.len as u64),
            WS_EVENT_DISCONNECTED => break Err(event.code),
            _ => {}
        }
    };
    free(server);
    sender.join().unwrap();
    result
}

#[test]
fn the_size_limit_is_the_same_for_compressed_messages() {
    let len = long_bytes();
    let (limit, most) = if len > MAX_BYTES { (WS_OFF, MAX_BYTES) } else { (len as u32 - 5, len - 5) };
    assert_eq!(receive(len, limit), Err(1009), "{len} bytes where {most} are allowed");
    assert_eq!(receive(most, limit), Ok(most));
}
