//! Messages queued before OPEN arrive whole and in order, before those put after OPEN, for every size and transport.

use crate::c_host::*;
use wspeer::codes::*;
use wspeer::ffi::*;

/// Lengths around the limits at which a message is fragmented, compressed in slices, or written directly.
const LENGTHS: [usize; 12] = [0, 1, 40, 1_000, 16_384, 65_535, 65_536, 65_537, 300_000, 3, 1_500_000, 7];

/// Message number `index`: text with multi-byte characters, so that fragments end inside a character.
fn message(index: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = format!("{index:03}é").repeat(LENGTHS[index % LENGTHS.len()] / 5).into_bytes();
    bytes.extend(std::iter::repeat_n(b'.', LENGTHS[index % LENGTHS.len()] % 5));
    bytes
}

fn put_text(handle: u32, bytes: &[u8]) -> i32 {
    // SAFETY: the bytes live.
    unsafe { ws_put_packet(handle, bytes.as_ptr(), bytes.len(), WS_TEXT) }
}

#[test]
fn messages_queued_before_open_arrive_first_and_in_order() {
    let certificate = Certificate::new();
    for (tls, at_client, at_server) in [
        (false, 0, 0),
        (true, 0, 0),
        (false, WS_DEFLATE, WS_DEFLATE),
        (true, WS_DEFLATE, WS_DEFLATE),
        (false, WS_DEFLATE, 0),
        (false, WS_COALESCE, 0),
    ] {
        let certificate = tls.then_some(&certificate);
        let (server, port) = listen(certificate, |config| config.flags |= at_server);
        let client = connect(port, certificate, |config| {
            config.flags |= at_client | WS_QUEUE_BEFORE_OPEN;
            config.outbound_bytes = 64 << 20;
        });
        let early = 2 * LENGTHS.len();
        for index in 0..early {
            assert_eq!(put_text(client, &message(index)), WS_OK);
        }
        assert_eq!(stats(client).queued_packets_out, early as u64);
        until("it is open", || {
            poll(server);
            poll(client);
            ws_get_state(client) == WS_OPEN
        });
        // Queued after the early messages, some of which are still waiting.
        let all = early + LENGTHS.len();
        for index in early..all {
            assert_eq!(put_text(client, &message(index)), WS_OK);
        }
        assert_eq!(close(client, 1000), WS_OK);
        let (mut got, mut ended) = (0, false);
        until("all messages and the end arrive", || {
            poll(client);
            poll(server);
            while let Some(event) = next(server) {
                match event.kind {
                    WS_EVENT_MESSAGE => {
                        assert!(event.bytes == message(got), "message {got} has {} bytes", event.bytes.len());
                        got += 1;
                    }
                    WS_EVENT_DISCONNECTED => ended = true,
                    _ => {}
                }
            }
            ended
        });
        assert_eq!(got, all);
        let mut last = None;
        until("the client reports its end", || {
            poll(client);
            last = last.take().or_else(|| std::iter::from_fn(|| next(client)).find(Event::is_end));
            last.is_some()
        });
        assert!(last.is_some_and(|event| event.clean && event.unsent == 0));
        free(client);
        free(server);
    }
}

#[test]
fn messages_queued_before_open_are_reported_as_unsent_after_a_drop() {
    let (server, port) = listen(None, |_| ());
    let client = connect(port, None, |config| (config.flags, config.outbound_bytes) = (WS_QUEUE_BEFORE_OPEN, 64 << 20));
    for index in 0..40 {
        assert_eq!(put_text(client, &message(8 + 4 * index)), WS_OK);
    }
    until("it is open", || {
        poll(server);
        poll(client);
        ws_get_state(client) == WS_OPEN
    });
    // More bytes are queued than the socket buffers accept while the server does not read.
    close(client, -1);
    let end = std::iter::from_fn(|| next(client)).find(Event::is_end).unwrap();
    assert!(end.unsent > 0 && end.unsent <= 40, "{} unsent", end.unsent);
    assert_eq!(stats(client).queued_packets_out, 0);
    free(client);
    free(server);
}
