//! What a server's clients have for the host: counted right, and bounded whatever the host reads.

mod hall;

use hall::*;
use std::net::TcpStream;
use wspeer::codes::*;
use wspeer::peer::Sent;

/// Puts to one client until its queue is full, then has the peer read all; no poll in between.
fn stall_and_recover(hall: &mut Hall, key: u32, client: &mut TcpStream) {
    let payload = vec![7; 60_000];
    let end = std::time::Instant::now() + PATIENCE;
    while hall.act(|server, cx| server.put_one(cx, key, false, &payload)) == Sent::Taken {
        assert!(std::time::Instant::now() < end);
    }
    let mut nothing = Vec::new();
    while hall.server.peer(key).unwrap().queued_out() > 0 {
        assert!(std::time::Instant::now() < end);
        nothing.clear();
        read(client, &mut nothing);
        hall.act(|server, cx| server.flush_one(cx, key));
    }
}

/// Takes an item as `ws_next_event` on the client's own handle does.
fn take_from(hall: &mut Hall, key: u32) -> bool {
    let taken = hall.server.peer(key).unwrap().take_item().is_some();
    if taken {
        hall.server.took(key, false);
    }
    taken
}

#[test]
fn events_that_come_between_polls_are_counted() {
    let mut hall = Hall::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = hall.open();
    hall.items();
    for _ in 0..3 {
        stall_and_recover(&mut hall, key, &mut client);
    }
    assert!(take_from(&mut hall, key), "WRITABLE");
    while take_from(&mut hall, key) {}
    // Had the count gone below 0, this client's events would be thrown away as too many.
    drop(client);
    hall.poll_until("the end of the client", |hall| hall.server.peer(key).is_some_and(|peer| peer.state() == WS_CLOSED));
    assert_eq!(hall.items(), [(Some(key), WS_EVENT_DISCONNECTED)]);
}

#[test]
fn an_event_that_comes_by_a_put_is_there_without_a_poll() {
    let mut hall = Hall::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = hall.open();
    hall.items();
    stall_and_recover(&mut hall, key, &mut client);
    assert_eq!(hall.items(), [(Some(key), WS_EVENT_WRITABLE)]);
}

#[test]
fn a_host_that_reads_no_events_of_a_stalling_client_holds_two_at_most() {
    let mut hall = Hall::new(&[(WS_OPT_OUTBOUND_BYTES, 200_000)]);
    let (mut client, key) = hall.open();
    hall.items();
    for _ in 0..5 {
        stall_and_recover(&mut hall, key, &mut client);
        let payload = vec![7; 60_000];
        let mut partial = 0;
        while partial < 10 {
            partial += u32::from(hall.act(|server, cx| server.put_all(cx, false, &payload, None)) == WS_PARTIAL);
        }
        hall.poll();
    }
    assert_eq!(hall.server.peer(key).unwrap().inbox.marks(), 2);
    let mut told = Vec::new();
    while let Some((_, item)) = hall.server.take_item() {
        let wspeer::peer::Item::Mark(mark) = item else { panic!("a message") };
        told.push((mark.kind, mark.count));
    }
    told.sort_unstable();
    assert_eq!(told, [(WS_EVENT_WRITABLE, 0), (WS_EVENT_SKIPPED, 50)], "every skipped message is counted");
}
