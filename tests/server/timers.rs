//! Timeouts of a server, with a fake clock.

use crate::test_server::*;
use wspeer::internals::status::EventKind;

#[test]
fn a_closing_client_does_not_exhaust_the_budget() {
    let mut test = TestServer::new(&[]);
    let (_client, key) = test.open();
    test.act(|server, cx| {
        server.peer(key).unwrap().close(cx, 1000, "");
        server.take_account(cx, key);
    });
    for _ in 0..10 {
        test.now += ms(16);
        let clock = test.clock(ms(1) / 1_000);
        assert!(!test.poll_within(&clock, Some(1_000)));
        assert!(clock.asked.get() < 50, "an idle poll checked its budget {} times", clock.asked.get());
    }
}

#[test]
fn a_client_that_ignores_a_close_is_dropped_after_3_s() {
    let mut test = TestServer::new(&[]);
    let (_client, key) = test.open();
    test.items();
    test.act(|server, cx| {
        server.peer(key).unwrap().close(cx, 1000, "");
        server.take_account(cx, key);
    });
    let clock = test.clock(ms(1) / 1_000);
    for _ in 0..29 {
        test.now += ms(100);
        test.poll_within(&clock, Some(1_000));
        assert_eq!(test.items(), []);
    }
    test.now += ms(200);
    test.poll_within(&clock, Some(1_000));
    assert_eq!(test.items(), [(Some(key), EventKind::Disconnected)]);
}
