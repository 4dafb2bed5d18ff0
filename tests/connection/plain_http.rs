//! Plain HTTP on a server's connection: one request after the other, each answered before the next one is read.

use super::test_connection::*;
use wspeer::codes::*;
use wspeer::internals::protocol::{Accept, Refusal, Reply};
use wspeer::internals::status::{Cause, EventKind, Phase, State};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

fn end() -> End {
    End::asking(256 << 10, 100, &[])
}

fn respond(end: &mut End, body: &[u8], keep_alive: bool) {
    let response = Reply { status: 200, headers: Vec::new(), body: body.to_vec() };
    assert!(end.act(|peer, cx| peer.respond(cx, &response, keep_alive)));
}

/// Path of the request that waits for its answer.
fn path(end: &End) -> Option<String> {
    end.peer.request().map(|request| request.path.clone())
}

fn body(end: &mut End) -> String {
    let output = String::from_utf8(end.output()).unwrap();
    output.split_once("\r\n\r\n").expect("a whole response").1.to_owned()
}

#[test]
fn requests_of_one_connection_are_answered_in_order() {
    let mut end = end();
    for round in 0..5 {
        end.feed(GET);
        end.poll();
        assert_eq!(path(&end).as_deref(), Some("/a"));
        respond(&mut end, format!("{round}").as_bytes(), true);
        assert_eq!(path(&end), None);
        end.poll();
        assert_eq!(body(&mut end), format!("{round}"));
        assert_eq!(end.peer.state(), State::Connecting);
        // Each request has its own time.
        end.pass(ms(2_000));
    }
    assert_eq!(end.items(), []);
}

#[test]
fn pipelined_requests_wait_until_the_one_before_is_answered() {
    let mut end = end();
    let post = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
    end.feed(&[GET, post, GET, b"GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /never"].concat());
    end.poll();
    for expected in ["/a", "/b", "/a", "/c"] {
        assert_eq!(path(&end).as_deref(), Some(expected));
        end.poll();
        assert!(end.output().is_empty(), "nothing is answered by itself");
        if expected == "/b" {
            assert_eq!(end.peer.request().unwrap().body, b"hi");
        }
        respond(&mut end, expected.as_bytes(), true);
        end.poll();
        assert_eq!(body(&mut end), expected);
    }
    assert_eq!(end.peer.state(), State::Closed, "the client asked for the end");
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::HttpStatus, 1006, false, 0)]);
}

#[test]
fn nothing_is_read_while_a_request_waits() {
    let mut end = End::asking(1 << 20, 100, &[]);
    end.feed(GET);
    end.poll();
    let many = GET.repeat(10_000);
    end.feed(&many);
    for _ in 0..10 {
        end.poll();
    }
    assert!(end.peer.kept_bytes() < 64 << 10);
    for round in 0..=10_000 {
        assert_eq!(path(&end).as_deref(), Some("/a"), "request {round}");
        respond(&mut end, b"", true);
        end.poll();
        assert!(end.output().starts_with(b"HTTP/1.1 200 "));
        assert!(end.peer.kept_bytes() < 64 << 10, "{}", end.peer.kept_bytes());
    }
    assert_eq!(path(&end), None);
}

#[test]
fn the_next_request_is_read_when_the_response_has_left() {
    let mut end = End::asking(1_000, 100, &[]);
    end.feed(&[GET, GET].concat());
    end.poll();
    respond(&mut end, &vec![b'x'; 10_000], true);
    let mut received = Vec::new();
    while received.len() < 10_000 {
        assert_eq!(path(&end), None);
        end.poll();
        let output = end.output();
        assert!(!output.is_empty());
        received.extend(output);
    }
    end.poll();
    assert_eq!(path(&end).as_deref(), Some("/a"));
}

#[test]
fn a_connection_can_open_a_websocket_after_plain_requests() {
    let mut end = end();
    end.feed(&[GET, REQUEST, b"\x89\x80\0\0\0\0"].concat());
    end.poll();
    respond(&mut end, b"page", true);
    end.poll();
    assert_eq!(body(&mut end), "page");
    let answer = Accept::default().answer(end.peer.request().unwrap());
    end.act(|peer, cx| peer.decide(cx, answer));
    end.poll();
    assert_eq!((end.peer.state(), end.items()), (State::Open, vec![Event(EventKind::Open, 0)]));
    let output = end.output();
    assert!(output.starts_with(b"HTTP/1.1 101 ") && output.ends_with(b"\x8A\0"), "the frame behind it is answered");
}

#[test]
fn a_request_for_a_websocket_can_be_answered_with_a_response_and_ends_then() {
    let mut end = end();
    end.feed(REQUEST);
    end.poll();
    respond(&mut end, b"no", true);
    end.poll();
    let output = String::from_utf8(end.output()).unwrap();
    assert!(output.contains("\r\nConnection: close\r\n") && output.ends_with("no"), "{output}");
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::HttpStatus, 1006, false, 0)]);
}

#[test]
fn a_plain_request_cannot_be_accepted_as_a_websocket() {
    let mut end = end();
    end.feed(REQUEST);
    end.poll();
    let agreement = Accept::default().answer(end.peer.request().unwrap());
    let mut plain = End::asking(256 << 10, 100, &[]);
    plain.feed(GET);
    plain.poll();
    assert_eq!(Accept::default().answer(plain.peer.request().unwrap()).unwrap_err().status, 426);
    plain.act(|peer, cx| peer.decide(cx, agreement));
    plain.poll();
    assert!(plain.output().starts_with(b"HTTP/1.1 426 "));
    assert_eq!(plain.peer.state(), State::Closed);
}

#[test]
fn head_gets_no_body_in_responses_and_refusals() {
    let head = b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut end = end();
    end.feed(&head.repeat(2));
    end.poll();
    respond(&mut end, b"page", true);
    end.poll();
    let output = String::from_utf8(end.output()).unwrap();
    assert!(output.contains("Content-Length: 4\r\n") && output.ends_with("\r\n\r\n"), "{output}");
    end.act(|peer, cx| peer.decide(cx, Err(Refusal::new(404, Cause::HttpStatus, "none"))));
    end.poll();
    let output = String::from_utf8(end.output()).unwrap();
    assert!(output.starts_with("HTTP/1.1 404 ") && output.ends_with("\r\n\r\n"), "{output}");
}

#[test]
fn a_client_is_told_to_continue_and_sends_its_body() {
    let mut end = end();
    end.feed(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    end.poll();
    assert_eq!(end.output(), b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(path(&end), None);
    end.feed(b"hi");
    end.poll();
    assert_eq!(end.peer.request().unwrap().body, b"hi");
}

#[test]
fn a_body_that_drips_ends_with_the_time_for_the_request() {
    let mut end = end();
    end.feed(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    end.poll();
    for _ in 0..31 {
        end.now += ms(100);
        end.feed(b"x");
        end.poll();
        if end.peer.state() == State::Closed {
            break;
        }
    }
    assert!(end.output().starts_with(b"HTTP/1.1 408 "));
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::HandshakeTimeout, 1006, false, 0)]);
}

#[test]
fn an_idle_connection_ends_without_an_answer() {
    let mut end = end();
    end.feed(GET);
    end.poll();
    respond(&mut end, b"", true);
    end.poll();
    end.output();
    end.feed(b"\r\n");
    let took = end.closed_after(ms(4_000));
    assert!(took >= ms(3_000), "{took:?}");
    assert!(end.output().is_empty());
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::PeerGone, 1006, false, 0)]);
}

#[test]
fn a_client_that_takes_nothing_of_a_response_is_dropped() {
    let mut end = End::asking(1_000, 100, &[(WS_OPT_CLOSE_TIMEOUT_MS, 500)]);
    end.feed(GET);
    end.poll();
    respond(&mut end, &vec![b'x'; 10_000], true);
    // Slow, but it goes on: longer than the time for a request.
    for _ in 0..10 {
        end.pass(ms(400));
        assert_eq!(end.peer.state(), State::Connecting);
        let mut some = [0; 100];
        assert_eq!(end.far.read(&mut some).unwrap(), 100);
    }
    let took = end.closed_after(ms(1_000));
    assert!(took >= ms(490), "{took:?}");
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::CloseTimeout, 1006, false, 0)]);
}

#[test]
fn a_client_that_leaves_while_it_is_answered_is_noticed() {
    let mut end = end();
    end.feed(GET);
    end.poll();
    end.hang_up();
    respond(&mut end, b"page", true);
    end.poll();
    assert_eq!(end.peer.state(), State::Closed);
    let mut end = end_after_response();
    end.hang_up();
    end.poll();
    assert_eq!(end.items(), [Closed(Phase::Http, Cause::PeerGone, 1006, false, 0)]);
}

fn end_after_response() -> End {
    let mut end = end();
    end.feed(GET);
    end.poll();
    respond(&mut end, b"", true);
    end.poll();
    end.output();
    end
}
