//! What the binding adds to the library: borrows, batches, owners, errors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use wspeer::{
    Attached, Call, Cause, Client, Config, Conn, ErrorCode, Event, EventKind, Host, Join, MessageKind, NodePath, Pair,
    Payload, Phase, Server, State, Target, Variant, VariantKind, Vectors,
};

/// A pair that is open; OPEN of both ends was taken.
fn open_pair() -> Pair {
    let mut pair = Pair::open().unwrap();
    pair.client.advance_time(0).unwrap();
    settle(&mut pair);
    assert_eq!(pair.client.next_event().unwrap().kind(), EventKind::Open);
    assert_eq!(pair.server.next_event().unwrap().kind(), EventKind::Open);
    pair
}

/// Polls both ends until all that was sent has arrived.
fn settle(pair: &mut Pair) {
    for _ in 0..8 {
        pair.client.poll().unwrap();
        pair.server.poll().unwrap();
    }
}

fn send(pair: &mut Pair, texts: &[&str]) {
    for text in texts {
        pair.client.send(*text).unwrap();
    }
    settle(pair);
}

fn text_of(event: Event<'_>) -> String {
    event.message().map_or(format!("{:?}", event.kind()), |message| message.text().unwrap().to_owned())
}

fn texts(client: &mut Client) -> Vec<String> {
    client.events().map(text_of).collect()
}

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn everything_can_be_sent_to_another_thread() {
    is_send_and_sync::<Client>();
    is_send_and_sync::<Server>();
    is_send_and_sync::<Host>();
    is_send_and_sync::<Join>();
    is_send_and_sync::<Pair>();
    is_send_and_sync::<Attached>();
    is_send_and_sync::<Config>();
    is_send_and_sync::<Conn>();
    is_send_and_sync::<Event<'static>>();
    is_send_and_sync::<wspeer::Error>();
    let mut pair = open_pair();
    let conn = pair.client.handle();
    std::thread::scope(|scope| {
        scope.spawn(move || conn.send("from a thread").unwrap());
    });
    settle(&mut pair);
    let mut server = pair.server;
    std::thread::spawn(move || assert_eq!(texts(&mut server), ["from a thread"])).join().unwrap();
}

#[test]
fn a_loop_that_ends_early_leaves_the_others_in_order() {
    let mut pair = open_pair();
    send(&mut pair, &["one", "two", "three", "four"]);
    assert_eq!(pair.server.events().next().map(text_of).unwrap(), "one");
    assert_eq!(pair.server.available(), 3);
    assert_eq!(text_of(pair.server.next_event().unwrap()), "two");
    send(&mut pair, &["five"]);
    assert_eq!(pair.server.messages().next().unwrap().text(), Some("three"));
    assert_eq!(pair.server.next_message().unwrap().text(), Some("four"));
    assert_eq!(pair.server.available(), 1);
    assert_eq!(texts(&mut pair.server), ["five"]);
    assert!(pair.server.next_event().is_none());
}

#[test]
fn messages_come_before_events_that_were_taken_in_a_batch() {
    let mut pair = open_pair();
    send(&mut pair, &["one"]);
    pair.client.close(4000, "enough").unwrap();
    settle(&mut pair);
    // One, CLOSE_REQUEST and CLOSED are in the batch.
    assert_eq!(pair.server.events().len(), 3);
    assert_eq!(pair.server.next_message().unwrap().text(), Some("one"));
    // Takes from the library, where no message is: the two others stay, with their texts.
    assert!(pair.server.next_message().is_none());
    assert_eq!(pair.server.messages().count(), 0);
    match pair.server.next_event().unwrap() {
        Event::CloseRequest(request) => assert_eq!((request.code, request.reason), (4000, "enough")),
        other => panic!("{other:?}"),
    }
    match pair.server.next_event().unwrap() {
        Event::Closed(end) => {
            assert!(end.clean && end.sentence.contains("enough"), "{end:?}");
            let error = end.to_error();
            assert_eq!((error.phase(), error.cause()), (Phase::App, Cause::ClosedByPeer));
            assert_eq!((error.code(), error.sentence()), (ErrorCode::State, end.sentence));
        }
        other => panic!("{other:?}"),
    }
    assert!(pair.server.next_event().is_none());
    assert_eq!(pair.server.state(), Some(State::Closed));
}

#[test]
fn batches_grow_and_lose_nothing() {
    let mut pair = open_pair();
    let mut expected = Vec::new();
    for round in 0..5 {
        for number in 0..700 {
            let text = format!("{round} {number}");
            pair.client.send(&text).unwrap();
            expected.push(text);
        }
        settle(&mut pair);
    }
    let mut found = Vec::new();
    let mut calls = 0;
    while pair.server.available() > 0 {
        calls += 1;
        if calls % 2 == 0 {
            found.extend(pair.server.messages().map(|message| message.text().unwrap().to_owned()));
        } else {
            found.extend(texts(&mut pair.server));
        }
    }
    assert_eq!(found, expected);
    assert!(calls <= 4, "{calls} calls");
}

/// Connections of a server, each with one message: CONNECTED and the message by turns.
#[test]
fn taking_messages_leaves_the_order_of_events() {
    let mut server = Server::listen("ws://127.0.0.1:0").unwrap();
    let config = Config::new().queue_before_open(true);
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect_with(&server.url(), &config).unwrap()).collect();
    for client in &clients {
        client.send("hello").unwrap();
    }
    while server.available() < 5 {
        for client in &mut clients {
            client.poll().unwrap();
        }
        server.poll().unwrap();
    }
    let first = server.events().next().unwrap().conn();
    // A look at the messages takes none of them.
    assert_eq!(server.messages().len(), 5);
    assert_eq!(server.next_message().unwrap().conn(), first);
    let mut known = vec![first];
    let kinds: Vec<_> = server
        .events()
        .map(|event| {
            let is_new = !known.contains(&event.conn());
            assert_eq!(event.kind() == EventKind::Connected, is_new, "{event:?}");
            known.push(event.conn());
            event.kind()
        })
        .collect();
    assert_eq!(kinds, [EventKind::Connected, EventKind::Message].repeat(4));
}

/// What a loop left comes later, however often messages are asked for meanwhile. The inbox's own test counts its copies.
#[test]
fn what_stays_is_there_after_many_other_calls() {
    let mut pair = open_pair();
    send(&mut pair, &["one", "two"]);
    pair.client.close(4000, "enough").unwrap();
    settle(&mut pair);
    assert_eq!(pair.server.messages().count(), 2);
    // CLOSE_REQUEST and CLOSED are in the batch.
    assert_eq!(pair.server.events().len(), 2);
    for _ in 0..1000 {
        assert!(pair.server.next_message().is_none());
        assert_eq!(pair.server.messages().len(), 0);
    }
    let mut found = pair.server.events().map(|event| event.kind());
    assert_eq!(found.next(), Some(EventKind::CloseRequest));
    assert_eq!(found.next(), Some(EventKind::Closed));
    assert_eq!(found.next(), None);
}

/// Random ways to take items of a server, against the order in which each client sent.
#[test]
fn every_message_comes_once_and_in_order_however_it_is_taken() {
    for seed in 1..20_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut server = Server::listen("ws://127.0.0.1:0").unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| Client::connect(&server.url()).unwrap()).collect();
        let (mut sent, mut seen) = (0, std::collections::HashMap::<Conn, u64>::new());
        let (heard, mut connected) = (std::cell::Cell::new(0), 0);
        let mut hear = |message: wspeer::Message<'_>| {
            let next = seen.entry(message.conn()).or_default();
            assert_eq!(message.text(), Some(next.to_string().as_str()), "seed {seed}");
            *next += 1;
            heard.set(heard.get() + 1);
        };
        while sent < 300 || heard.get() < 3 * sent || connected < 3 {
            for client in &mut clients {
                client.poll().unwrap();
            }
            if sent < 300 && clients.iter().all(|client| client.is_open()) {
                for _ in 0..1 + random(20) {
                    for client in &clients {
                        client.send(&sent.to_string()).unwrap();
                    }
                    sent += 1;
                }
            }
            server.poll().unwrap();
            let most = random(40) as usize;
            match random(4) {
                0 => server.events().take(most).for_each(|event| match event {
                    Event::Message(message) => hear(message),
                    other => connected += usize::from(other.kind() == EventKind::Connected),
                }),
                1 => server.messages().take(most).for_each(&mut hear),
                2 => {
                    while let Some(message) = server.next_message() {
                        hear(message);
                    }
                }
                _ => match server.next_event() {
                    Some(Event::Message(message)) => hear(message),
                    Some(other) => connected += usize::from(other.kind() == EventKind::Connected),
                    None => {}
                },
            }
        }
    }
}

#[test]
fn a_panic_in_the_loop_leaves_what_it_did_not_take() {
    let mut pair = open_pair();
    send(&mut pair, &["one", "two", "three"]);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        for event in pair.server.events() {
            assert_ne!(text_of(event), "two", "on purpose");
        }
    }));
    assert!(panicked.is_err());
    assert_eq!(texts(&mut pair.server), ["three"]);
    pair.server.send("still here").unwrap();
    settle(&mut pair);
    assert_eq!(texts(&mut pair.client), ["still here"]);
}

#[test]
fn messages_of_one_batch_stay_readable_together() {
    let mut pair = open_pair();
    let long = "x".repeat(100_000);
    send(&mut pair, &["short", &long, "end"]);
    let all: Vec<_> = pair.server.messages().collect();
    assert_eq!(all.iter().map(|message| message.len()).collect::<Vec<_>>(), [5, 100_000, 3]);
    assert!(all[1].bytes().iter().all(|byte| *byte == b'x'));
    let kept = all[0].to_owned();
    assert_eq!((kept.kind, &kept.bytes[..]), (MessageKind::Text, &b"short"[..]));
    pair.client.send(&kept).unwrap();
}

#[test]
fn a_dropped_owner_is_freed_and_its_handle_stale() {
    let server = Server::listen("ws://127.0.0.1:0").unwrap();
    let handle = server.handle();
    assert_eq!(handle.state(), Some(State::Open));
    // What is alive keeps the library: its loans must not end.
    assert_eq!(wspeer::shutdown().unwrap_err().code(), ErrorCode::State);
    drop(server);
    assert_eq!(handle.state(), None);
    assert!(handle.is_closed());
    assert_eq!(handle.send("to nobody").unwrap_err().code(), ErrorCode::Handle);
    assert_eq!(handle.stats().accepted, 0);
    assert!(handle.url().is_empty() && handle.conns().is_empty());
}

#[test]
fn a_target_is_never_everyone_by_mistake() {
    let host = Host::listen("ws://127.0.0.1:0").unwrap();
    for id in [0, -1, i32::MIN] {
        for target in [Target::Only(id), Target::Except(id)] {
            assert_eq!(host.send_to(target, "to whom").unwrap_err().code(), ErrorCode::Target);
        }
    }
    let server = Server::listen("ws://127.0.0.1:0").unwrap();
    let nobody = Conn::from_raw(0);
    assert_eq!(server.send_to(nobody, "to whom").unwrap_err().code(), ErrorCode::Target);
    assert_eq!(server.disconnect(Target::Except(nobody), 0, "").unwrap_err().code(), ErrorCode::Target);
}

#[test]
fn texts_with_a_nul_are_refused() {
    let error = Client::connect("ws://127.0.0.1:1/\0").unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("NUL")), (ErrorCode::Arg, true));
    let error = Client::connect_with("ws://127.0.0.1:1", &Config::new().ca_pem("a\0b")).unwrap_err();
    assert!(error.to_string().starts_with("ca_pem: "), "{error}");
}

#[test]
fn a_config_shows_no_secrets() {
    let config = Config::new().key_pem("-----SECRET-----").proxy("http://user:SECRET@127.0.0.1:1");
    assert!(!format!("{config:?}").contains("SECRET"));
}

#[test]
fn a_config_does_not_depend_on_the_order_of_its_calls() {
    let config = Config::new().deflate(true).coalesce(true).deflate(false).max_clients(3);
    let server = Server::listen_with("ws://127.0.0.1:0", &config).unwrap();
    assert_eq!(server.option(wspeer::Opt::MaxClients), Ok(3));
    assert_eq!(server.option(wspeer::Opt::Coalesce), Ok(1));
    assert_eq!(server.option(wspeer::Opt::AuthTimeoutMs).unwrap_err().code(), ErrorCode::Kind);
}

/// One value of each type that can be sent.
fn every_value() -> Vec<Variant> {
    let path = NodePath { absolute: true, names: vec!["root".into(), "A".into()], sub_names: vec!["x".into()] };
    vec![
        Variant::Nil,
        true.into(),
        (-7_i64).into(),
        1.5.into(),
        "κόσμε".into(),
        Variant::StringName("name".into()),
        Variant::NodePath(path),
        Variant::NodePath(NodePath::default()),
        Variant::Vector2([1.0, 2.0]),
        Variant::Vector2i([1, -2]),
        Variant::Rect2([1.0, 2.0, 3.0, 4.0]),
        Variant::Rect2i([1, 2, 3, 4]),
        Variant::Vector3([1.0, 2.0, 3.0]),
        Variant::Vector3i([1, 2, i32::MIN]),
        Variant::Transform2d([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        Variant::Vector4([1.0, 2.0, 3.0, 4.0]),
        Variant::Vector4i([1, 2, 3, 4]),
        Variant::Plane([1.0, 2.0, 3.0, 4.0]),
        Variant::Quaternion([0.0, 0.0, 0.0, 1.0]),
        Variant::Aabb([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        Variant::Basis([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
        Variant::Transform3d([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 5.0, 6.0, 7.0]),
        Variant::Projection(std::array::from_fn(|index| index as f64)),
        Variant::Color([0.5, 0.25, 0.0, 1.0]),
        Variant::Dictionary(vec![("k".into(), Variant::Array(vec![1.into(), Variant::Nil]))]),
        Variant::TypedDictionary(VariantKind::String, VariantKind::Int, vec![("k".into(), 2.into())]),
        Variant::Array(Vec::new()),
        Variant::TypedArray(VariantKind::Int, vec![1.into(), 2.into()]),
        vec![1_u8, 2, 255].into(),
        Variant::PackedInt32Array(vec![1, -2]),
        Variant::PackedInt64Array(vec![i64::MIN]),
        Variant::PackedFloat32Array(vec![0.5]),
        Variant::PackedFloat64Array(vec![0.1]),
        Variant::PackedStringArray(vec!["a".into(), String::new()]),
        Variant::PackedVector2Array(Vectors::Single(vec![[1.0, 2.0], [3.0, 4.0]])),
        Variant::PackedVector3Array(Vectors::Single(vec![[1.0, 2.0, 3.0]])),
        Variant::PackedVector4Array(Vectors::Single(vec![[1.0, 2.0, 3.0, 4.0]])),
        Variant::PackedColorArray(vec![[0.5, 0.25, 0.0, 1.0]]),
    ]
}

#[test]
fn every_value_can_be_encoded_and_decoded() {
    for value in every_value() {
        let mut bytes = value.encode().unwrap();
        let length = bytes.len();
        bytes.extend([1, 2, 3]);
        assert_eq!(Variant::decode(&bytes), Ok((value, length)));
    }
    let all = Variant::Array(every_value());
    assert_eq!(Variant::decode(&all.encode().unwrap()).unwrap().0, all);
    let call = Call { path: "Game".into(), method: "hello".into(), arguments: every_value() };
    assert_eq!(Call::decode(&Call::encode("Game", "hello", &every_value()).unwrap()), Ok(call));
}

#[test]
fn what_cannot_be_encoded_or_decoded_is_an_error() {
    let nested = (0..100).fold(Variant::Nil, |inside, _| Variant::Array(vec![inside]));
    assert_eq!(nested.encode().unwrap_err().code(), ErrorCode::Arg);
    assert_eq!(Variant::decode(b"\xff\xff\xff\xff").unwrap_err().code(), ErrorCode::Arg);
    assert_eq!(Call::decode(b"no call").unwrap_err().code(), ErrorCode::Arg);
    let mut pair = open_pair();
    let bad = Payload::new(MessageKind::Text, b"\xff");
    assert_eq!(pair.client.send(bad).unwrap_err().code(), ErrorCode::Utf8);
    assert_eq!(pair.client.send(Payload::new(MessageKind::Call, b"")).unwrap_err().code(), ErrorCode::Kind);
    assert!(texts(&mut pair.server).is_empty());
}

fn poll_all(clients: &mut [Client]) {
    for client in clients {
        client.poll().unwrap();
    }
}

#[test]
fn a_server_takes_events_of_some_clients_only() {
    let mut server = Server::listen("ws://127.0.0.1:0").unwrap();
    let url = server.url();
    let mut clients = [Client::connect(&url).unwrap(), Client::connect(&url).unwrap()];
    let mut conns = Vec::new();
    while conns.len() < 2 {
        server.poll().unwrap();
        poll_all(&mut clients);
        conns.extend(server.events().filter(|event| event.kind() == EventKind::Connected).map(|event| event.conn()));
    }
    while !clients.iter().all(|client| client.is_open()) {
        poll_all(&mut clients);
    }
    for client in &clients {
        for text in ["one", "two", "three"] {
            client.send(text).unwrap();
        }
        client.close(4000, "").unwrap();
    }
    while server.waiting().len() < 2 || server.conns().iter().any(|conn| !conn.is_closed()) {
        server.poll().unwrap();
        poll_all(&mut clients);
    }
    let (wanted, other) = (conns[0], conns[1]);
    let mut taken = Vec::new();
    while let Some(event) = server.next_event_from(|conn| conn == wanted) {
        assert_eq!(event.conn(), wanted);
        taken.push(text_of(event));
    }
    assert_eq!(taken, ["one", "two", "three", "CloseRequest", "Disconnected"]);
    // What the other one sent is still there, also after a poll that retires the first.
    server.poll().unwrap();
    assert_eq!(server.conns(), [other]);
    assert_eq!(server.events().next().map(text_of).as_deref(), Some("one"));
    // What that loop left comes first, though nobody is wanted.
    assert_eq!(server.next_event_from(|_| false).map(text_of).as_deref(), Some("two"));
    let rest: Vec<_> = std::iter::from_fn(|| server.next_event_from(|_| true).map(text_of)).collect();
    assert_eq!(rest, ["three", "CloseRequest", "Disconnected"]);
    assert!(server.next_event_from(|_| true).is_none());
}
