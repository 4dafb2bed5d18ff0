//! The conformance program in Rust: scenarios whose ends are all in this program.

use crate::shared::*;
use std::rc::Rc;
use std::time::Duration;
use wspeer::{
    Addressed, Attached, CUSTOM_SCENE, Call, Certificate, Client, Config, Conn, Event, EventKind, Host, HostRef, Join,
    JoinRef, LogLevel, Message, MessageKind, NO_SCENE, Nodes, OnFull, Opt, Pair, Payload, Role, Sent, Server, Sim,
    SimPreset, State, Target, Variant,
};

pub const SCENARIOS: [(&str, crate::Scenario); 12] = [
    ("pair", |_| pair()),
    ("attach", |_| attach()),
    ("full", |_| full()),
    ("options", |_| options()),
    ("texts", |_| texts()),
    ("library", |_| library()),
    ("trust", |_| trust()),
    ("scene", |_| scene()),
    ("auth", |_| auth()),
    ("simulate", |_| simulate()),
    ("topics", |_| topics()),
    ("replication", |_| replication()),
];

// ---- Two ends in memory ----

fn until_state(name: &str, mut state: impl FnMut() -> Option<State>, wanted: State) {
    poll_until(name, || (state() == Some(wanted)).then_some(()));
}

fn pair() {
    let config = Config::new()
        .queue_before_open(true)
        .coalesce(true)
        .deflate(true)
        .server_no_context_takeover(true)
        .client_no_context_takeover(true)
        .owner(7)
        .user(11);
    let ends = opened("pair", Pair::open_with(&config));
    let (server, near) = (shared(ends.server), shared(ends.client));
    let (server_end, client_end) = (handle(&server), handle(&near));
    polled([server.clone(), near.clone()]);
    check("put", server_end.send("early"));
    take(&server, "server", 1);
    take(&near, "client", 2);
    println!("extensions {}", client_end.extensions());

    let two = [0_u8, 255];
    let done = client_end.send_many(&["one".into(), Addressed::from(&two), "three".into()]);
    check("put_packets", done.outcome);
    check("flush", client_end.flush());
    let soon = wspeer::wait(&[server_end.raw(), client_end.raw()], Some(Duration::from_secs(10)));
    println!("taken {} wait {}", done.taken, if soon == Ok(true) { "WS_OK" } else { "WS_EMPTY" });
    poll_until("server", || (server.borrow().available() >= 3).then_some(()));
    if let Some(message) = server.borrow_mut().next_message() {
        print_message("server", message);
        println!("user {}", message.user());
    }
    for event in server.borrow_mut().events() {
        print("server", &event);
    }
    check("set_user", server_end.set_user(12));
    check("put", client_end.send("more"));
    next_event(&server, "server", |event| {
        print("server", event);
        println!("user {}", event.about().user);
    });
    println!("messages in {} out {}", server_end.stats().messages_in, server_end.stats().messages_out);

    println!("ended {}", if client_end.end().is_some() { "yes" } else { "no" });
    check("close", client_end.close(4000, "done"));
    println!("state {}", client_end.state().map_or(-3, |state| state as i32));
    until_state("client", || client_end.state(), State::Closed);
    match client_end.end() {
        Some(end) => println!("ended yes code={} cause={}", end.code, end.cause as i32),
        None => println!("ended no"),
    }
    until(&server, "server", EventKind::Closed);
    until(&near, "client", EventKind::Closed);
    // SAFETY: no event is held.
    unsafe { wspeer::free_owner(7) };
    check("poll", server.borrow_mut().poll());
}

// ---- Two connections whose bytes this program carries ----

struct Carried(std::cell::RefCell<Attached>);

impl Poll for Carried {
    fn poll(&self) {
        let _ = self.0.borrow_mut().poll();
    }
}

impl Carried {
    fn open(role: Role, config: &Config) -> Rc<Carried> {
        Rc::new(Carried(opened("attach", Attached::open(role, config)).into()))
    }

    fn take(&self, name: &str) {
        poll_until(name, || self.0.borrow_mut().next_event().map(|event| print(name, &event)));
    }

    fn put<'a>(&self, message: impl Into<Payload<'a>>) {
        check("put", self.0.borrow().send(message));
    }

    fn carry(&self, to: &Carried) {
        let mut bytes = [0; 4096];
        loop {
            let length = self.0.borrow().take_output(&mut bytes);
            let mut rest = &bytes[..length];
            if rest.is_empty() {
                return;
            }
            while !rest.is_empty() {
                match to.0.borrow().feed(rest) {
                    Ok(taken) if taken > 0 => rest = &rest[taken..],
                    _ => return,
                }
            }
        }
    }
}

fn attach() {
    let big = vec![0; 300_000];
    let config = Config::new().outbound_packets(1);
    let (server, near) = (Carried::open(Role::Server, &config), Carried::open(Role::Client, &config));
    polled([server.clone(), near.clone()]);
    let (one, other) = (near.clone(), server.clone());
    between_polls(Some(Box::new(move || {
        one.carry(&other);
        other.carry(&one);
    })));
    near.take("client");
    server.take("server");
    near.put("hello");
    server.take("server");
    // The transport takes a part of the first, and the second does not fit in the queue behind it.
    near.put(&big);
    near.put(&big);
    server.take("server");
    near.take("client");
    between_polls(None);
    check("feed", server.0.borrow().feed_end());
    server.take("server");
    check("feed", server.0.borrow().feed(&[0]));
}

// ---- A queue that is full ----

fn full() {
    let big = vec![0; 300_000];
    let put_big = |host: HostRef| {
        if let Some(sent) = check("put", host.send(&big)) {
            println!("put {}", if sent == Sent::All { "WS_OK" } else { "WS_PARTIAL" });
        }
    };
    let config = Config::new().outbound_packets(1).on_full(OnFull::Skip);
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &config)));
    let own = handle(&host);
    let a = shared(opened("join_local", host.borrow().join_local(&Config::new())));
    let player = handle(&a);
    polled([host.clone(), a.clone()]);
    until_state("a", || player.state(), State::Open);
    name_peer(player.peer_id(), "a");
    take(&host, "host", 1);
    take(&a, "a", 2);

    if let Ok(conn) = own.conn(player.peer_id()) {
        println!("conn of {}", peer_name(conn.peer_id()));
    }
    check("get_conn", own.conn(-1));

    // a is not polled, so it does not read.
    polled([host.clone()]);
    put_big(own);
    put_big(own);
    take(&host, "host", 1);
    check("set_option", own.set_on_full(OnFull::AllOrNone));
    put_big(own);
    polled([host.clone(), a.clone()]);
    take(&a, "a", 1);
    take(&host, "host", 1);
    polled([host.clone()]);
    check("set_option", own.set_on_full(OnFull::Disconnect));
    put_big(own);
    put_big(own);
    polled([host.clone(), a]);
    next_event(&host, "host", |event| match event {
        Event::Disconnected(end) => {
            println!("host event {} code={} cause={}", event.kind() as i32, end.code, end.cause as i32);
        }
        other => print("host", other),
    });
}

// ---- Options and texts ----

/// The name of an option in the header: "NoDelay" is NO_DELAY.
fn header_name(option: Opt) -> String {
    let mut name = String::new();
    for letter in format!("{option:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1.
fn options() {
    let config = Config::new()
        .poll_budget_us(101)
        .connect_timeout_ms(102)
        .handshake_timeout_ms(103)
        .close_timeout_ms(104)
        .heartbeat_ms(105)
        .pong_timeout_ms(106)
        .max_message_bytes(107)
        .max_fragments(108)
        .max_header_bytes(1090)
        .inbound_packets(110)
        .inbound_bytes(111)
        .outbound_packets(112)
        .outbound_bytes(113)
        .max_messages_per_s(114)
        .max_bytes_per_s(115)
        .max_clients(116)
        .max_clients_per_address(117)
        .max_pending_handshakes(118)
        .on_full(OnFull::AllOrNone)
        .no_delay(false)
        .deflate_level(9)
        .deflate_threshold_bytes(119)
        .server_max_window_bits(12)
        .client_max_window_bits(13)
        .max_inflate_ratio(120)
        .max_call_bytes(121)
        .max_call_items(122)
        .ipv6_prefix_bits(56)
        .max_body_bytes(123)
        .max_downloads(124)
        .max_downloads_per_address(125)
        .retry_min_ms(126)
        .retry_max_ms(127)
        .retry_tries(128)
        .session_bytes(129)
        .max_lost(130)
        .max_topics(131)
        .max_server_topics(132)
        .max_total_mib(133)
        .max_put_bytes(134)
        .deflate(true)
        .scene(true);
    let host = opened("host", Host::listen_with(LOCALHOST, &config));
    for option in Opt::ALL {
        let value = || host.option(*option).unwrap_or(0);
        let (name, before) = (header_name(*option), value());
        if *option == Opt::Port {
            println!("option {name} {}", if before != 0 { "yes" } else { "no" });
            continue;
        }
        check("set_option", host.set_option(*option, u32::from(before != 1)));
        println!("option {name} {before} {}", value());
    }
}

/// The text with each port replaced.
fn without_ports(text: &str) -> String {
    let mut parts = text.split(':');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        out += if rest.len() < part.len() { ":PORT" } else { ":" };
        out += rest;
    }
    out
}

/// Every text of a server's client, and the lists of clients. The first client is refused.
fn texts() {
    let config = Config::new().subprotocols("chat").deflate(true);
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &config.clone().refuse_new(true))));
    let own = handle(&server);
    let url = format!("{}/room?x=1", own.url());
    for refuse in [true, false] {
        check("set_option", own.set_option(Opt::RefuseNew, u32::from(refuse)));
        let near = shared(opened("connect", Client::connect_with(&url, &config)));
        polled([server.clone(), near.clone()]);
        take(&near, "client", 1);
    }

    poll_until("server", || (!own.waiting().is_empty()).then_some(()));
    let clients = own.conns();
    println!("clients {} waiting {}", clients.len(), own.waiting().len());
    take(&server, "server", 1);
    let one = clients[0];
    for (name, text) in [
        ("URL", one.url()),
        ("PATH", one.path()),
        ("QUERY", one.query()),
        ("SUBPROTOCOL", one.subprotocol()),
        ("CLOSE_REASON", one.close_reason()),
        ("ERROR", one.why()),
        ("LOCAL_ADDRESS", one.local_address()),
        ("REMOTE_ADDRESS", one.remote_address()),
        ("BODY", one.body()),
        ("TLS", one.tls()),
        ("EXTENSIONS", one.extensions()),
        ("PEER_ADDRESS", one.peer_address()),
        ("METHOD", one.method()),
    ] {
        println!("text {name} {}", without_ports(&text));
    }
}

// ---- The library itself ----

fn library() {
    println!("fits {}", if wspeer::fits() { "yes" } else { "no" });
    println!("version {}", if wspeer::version() != 0 { "yes" } else { "no" });
    println!("features {}", wspeer::features().bits());
    for level in LogLevel::ALL {
        check("set_log_level", wspeer::set_log_level(*level));
        drop(opened("listen", Server::listen(LOCALHOST)));
        let mut logged = false;
        while wspeer::next_log().is_some() {
            logged = true;
        }
        println!("log {} {}", *level as i32, if logged { "yes" } else { "no" });
    }
}

// ---- A bad network between two ends in memory, whose time this program advances ----

fn simulate() {
    for preset in SimPreset::ALL {
        let sim = Sim::preset(*preset);
        println!(
            "preset {} up {} {} {} {} {} down {} {} {} {} {}",
            *preset as i32,
            sim.up_lag_us,
            sim.up_jitter_us,
            sim.up_bytes_per_s,
            sim.up_stall_for_ms,
            sim.up_stall_every_ms,
            sim.down_lag_us,
            sim.down_jitter_us,
            sim.down_bytes_per_s,
            sim.down_stall_for_ms,
            sim.down_stall_every_ms
        );
    }
    let ends = opened("pair", Pair::open());
    let (server, near) = (shared(ends.server), shared(ends.client));
    let client = handle(&near);
    polled([server.clone(), near.clone()]);
    check("advance_time", client.advance_time(0));
    take(&server, "server", 1);
    take(&near, "client", 1);

    let mut sim = Sim { up_loss_ppm: 1_000_001, ..Sim::default() };
    check("set_sim", client.set_sim(Some(&sim)));
    sim = Sim { up_lag_us: 30_000, down_loss_ppm: 1_000_000, down_loss_stall_us: 50_000, ..Sim::default() };
    check("set_sim", client.set_sim(Some(&sim)));
    check("put", client.send("up"));
    check("put", handle(&server).send("down"));
    println!("held {}", if client.stats().sim_bytes > 0 { "yes" } else { "no" });
    // What one end passes on, the other reads in its next poll.
    let poll_both = || {
        for end in [&server, &near, &server, &near] {
            check("poll", end.borrow_mut().poll());
        }
    };
    poll_both();
    let (mut server_has, mut client_has) = (false, false);
    for ms in 1..=60 {
        check("advance_time", client.advance_time(1000));
        poll_both();
        for (end, name, has) in [(&server, "server", &mut server_has), (&near, "client", &mut client_has)] {
            if !*has && end.borrow().available() == 1 {
                println!("{name} after {ms} ms");
                *has = true;
            }
        }
    }
    take(&server, "server", 1);
    take(&near, "client", 1);
    println!("losses {}", client.stats().sim_losses);

    sim.up_lag_us = 60_000_000;
    check("set_sim", client.set_sim(Some(&sim)));
    check("put", client.send("at once"));
    check("set_sim", client.set_sim(None));
    take(&server, "server", 1);

    let listening = opened("listen", Server::listen(LOCALHOST));
    check("set_sim", listening.set_sim(Some(&sim)));
    check("advance_time", Conn::from_raw(listening.raw()).advance_time(1));
}

// ---- Topics: who receives what a server or host publishes ----

fn print_topics(name: &str, topics: Vec<String>) {
    println!("topics of {name}: {}", topics.join(","));
}

fn topics() {
    let names = ["a", "b", "c"];
    let subscribe = |conn: Conn, topic: &str| {
        check("subscribe", conn.subscribe(topic));
    };
    let config = Config::new().coalesce(true).share_port(true).max_topics(2).max_server_topics(3);
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &config)));
    let own = handle(&server);
    polled([server.clone()]);
    let (mut clients, mut conns) = (Vec::new(), Vec::new());
    for name in names {
        let client = shared(opened("connect", Client::connect(&own.url())));
        also_polled(client.clone());
        take(&client, name, 1);
        clients.push(client);
        conns.push(next_event(&server, "server", |event| {
            print("server", event);
            event.conn()
        }));
    }
    for (index, topic) in [(0, "red"), (0, "blue"), (0, "red"), (0, "green"), (1, "green"), (1, "red"), (2, "yellow")] {
        subscribe(conns[index], topic);
    }
    for (name, conn) in names.iter().zip(&conns) {
        print_topics(name, conn.topics());
    }
    print_topics("server", own.topics());
    println!("topics {} subscriptions {}", own.stats().topics, own.stats().subscriptions);

    let take_all = |counts: &[usize]| {
        for ((client, name), count) in clients.iter().zip(names).zip(counts) {
            take(client, name, *count);
        }
    };
    check("publish", own.publish("red", "to red"));
    check("publish", own.publish_except("red", conns[0], "to red but a"));
    check("publish", own.publish("yellow", "to nobody"));
    check("put", own.send("to all"));
    take_all(&[2, 3, 1]);
    // With `coalesce` only the newest of each key leaves.
    check("publish_latest", own.publish_latest("red", 1, "one"));
    check("publish_latest", own.publish_latest("red", 2, "two"));
    check("publish", own.publish("red", "between"));
    check("publish_latest", own.publish_latest_except("red", conns[1], 1, "one for a"));
    check("publish_latest", own.publish_latest("red", 2, "two again"));
    take_all(&[3, 3]);
    println!("replaced {}", own.stats().replaced);

    check("publish", own.publish("red", "before"));
    check("unsubscribe", conns[1].unsubscribe("red"));
    check("unsubscribe", conns[1].unsubscribe("red"));
    check("publish", own.publish("red", "without b"));
    check("unsubscribe", conns[0].unsubscribe_all());
    check("publish", own.publish("red", "to nobody"));
    check("put", own.send("to all"));
    take_all(&[3, 2, 1]);
    print_topics("server", own.topics());
    subscribe(conns[2], "");
    subscribe(conns[2], "two\nlines");
    check("publish", own.publish("", ""));
    check("close", handle(&clients[1]).close(1000, ""));
    until(&server, "server", EventKind::Disconnected);
    poll_all();
    print_topics("server", own.topics());

    let host = shared(opened("host", Host::listen(LOCALHOST)));
    let own = handle(&host);
    polled([host.clone()]);
    let (mut joins, mut ids) = (Vec::new(), Vec::new());
    for name in &names[..2] {
        let join = shared(opened("join", Join::connect(&own.url())));
        let player = handle(&join);
        also_polled(join.clone());
        until_state(name, || player.state(), State::Open);
        name_peer(player.peer_id(), name);
        take(&host, "host", 1);
        take(&join, name, 2);
        subscribe(opened("get_conn", own.conn(player.peer_id())), "room");
        ids.push(player.peer_id());
        joins.push(join);
    }
    check("publish", own.publish("room", "to both"));
    check("publish", own.publish_except("room", ids[0], "to b"));
    check("publish_latest", own.publish_latest_except("room", ids[1], 1, "to a"));
    check("publish", own.publish_except("room", -1, ""));
    for (join, name) in joins.iter().zip(names) {
        take(join, name, 2);
    }
    print_topics("host", own.topics());
}

// ---- Certificates that a client trusts, or not ----

fn trust() {
    let made = opened("make_certificate", Certificate::make("game.example", 30));
    let config = Config::new().certificate(&made.cert_pem, &made.key_pem);
    let server = shared(opened("listen", Server::listen_with("wss://127.0.0.1:0", &config)));
    let trusting = Config::new().ca_pem(&made.cert_pem).only_ca_pem(true);
    polled([server.clone()]);
    for (name, config) in [
        ("strict", trusting.clone()),
        ("named", trusting.clone().server_name("game.example")),
        ("any name", trusting.any_name(true)),
        ("insecure", Config::new().insecure(true)),
    ] {
        let visitor = shared(opened("connect", Client::connect_with(&handle(&server).url(), &config)));
        also_polled(visitor.clone());
        take(&visitor, name, 1);
        if name != "strict" {
            take(&server, "server", 1);
        }
    }
}

// ---- Scenes ----

fn settle(host: &Shared<HostRef>, one: &Shared<JoinRef>, name: &str) {
    let player = handle(one);
    until_state(name, || player.state(), State::Open);
    name_peer(player.peer_id(), name);
    take(host, "host", 1);
    take(one, name, 2);
}

/// The next event, which must be a call. Returns its bytes.
fn hear_call<H: wspeer::Handle>(one: &Shared<H>, name: &str) -> Vec<u8> {
    next_event(one, name, |event| {
        let Some(call) = event.message().as_ref().and_then(Message::call) else {
            print(name, event);
            return Vec::new();
        };
        let Some(call) = check("decode_call", call) else { return Vec::new() };
        let arguments: Vec<String> = call.arguments.iter().map(value).collect();
        println!(
            "{name} call {}.{}({}) peer={}",
            call.path,
            call.method,
            arguments.join(", "),
            peer_name(event.about().peer_id)
        );
        event.message().map_or_else(Vec::new, |message| message.bytes().to_vec())
    })
}

fn say_call(one: JoinRef, target: impl Into<Target<i32>>, path: &str, method: &str, arguments: &[Variant]) {
    if let Some(call) = check("encode_call", Call::encode(path, method, arguments)) {
        check("put_to", one.send_to(target, Payload::new(MessageKind::Call, &call)));
    }
}

fn scene() {
    let config = Config::new().scene(true);
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &config)));
    let own = handle(&host);
    let a = shared(opened("join", Join::connect_with(&own.url(), &config)));
    polled([host.clone(), a.clone()]);
    settle(&host, &a, "a");
    let b = shared(opened("join_local", host.borrow().join_local(&Config::new())));
    also_polled(b.clone());
    settle(&host, &b, "b");
    take(&b, "b", 1);
    take(&a, "a", 1);
    check("declare_node", own.declare_node("/root/Game", "hello, move"));
    for one in [&a, &b] {
        check("declare_node", handle(one).declare_node("/root/Game", "hello, move"));
    }

    let list = Variant::Array(vec![1.into(), "x".into()]);
    let place = Variant::Vector2([1.5, -2.0]);
    let (a_end, b_end) = (handle(&a), handle(&b));
    say_call(
        a_end,
        1,
        "Game",
        "hello",
        &[
            Variant::Nil,
            true.into(),
            (-5).into(),
            1.5.into(),
            "κόσμε".into(),
            list.clone(),
            Variant::Dictionary(vec![("k".into(), 2.into())]),
            vec![1_u8, 2, 255].into(),
        ],
    );
    let heard = hear_call(&host, "host");
    // The call goes back as it came.
    check("put_to", own.send_to(a_end.peer_id(), Payload::new(MessageKind::Call, &heard)));
    hear_call(&a, "a");
    if let Some(call) = check("encode_call", Call::encode("Game", "move", std::slice::from_ref(&place))) {
        check("put_to", own.send_to(Target::All, Payload::new(MessageKind::Call, &call)));
    }
    hear_call(&a, "a");
    hear_call(&b, "b");
    say_call(b_end, a_end.peer_id(), "Game", "move", &[place]);
    hear_call(&a, "a");

    // A value as the bytes of a packet.
    let bytes = opened("encode_variant", list.encode());
    check("put_to", own.send_to(a_end.peer_id(), &bytes));
    next_event(&a, "a", |event| {
        print("a", event);
        let bytes = event.message().map_or(&[][..], |message| message.bytes());
        if let Some((decoded, _)) = check("decode_variant", Variant::decode(bytes)) {
            println!("a value {}", value(&decoded));
        }
    });

    // A node that the host has not declared.
    check("declare_node", a_end.declare_node("Secret", "open"));
    say_call(a_end, 1, "Secret", "open", &[]);
    take(&host, "host", 1);
    check("declare_node", a_end.forget_node("Secret"));
    check("close", a_end.close(4001, "bye"));
    until(&host, "host", EventKind::Disconnected);
    until(&a, "a", EventKind::Closed);
    take(&b, "b", 1);
}

// ---- Authentication; the clients do not learn of each other ----

/// One that joins, and its id.
fn knock(host: &Shared<HostRef>, name: &str, config: &Config) -> (Shared<JoinRef>, i32) {
    let one = shared(opened("join", Join::connect_with(&handle(host).url(), config)));
    also_polled(one.clone());
    let id = next_event(host, "host", |event| {
        let id = event.about().peer_id;
        name_peer(id, name);
        print("host", event);
        id
    });
    take(&one, name, 1);
    (one, id)
}

fn auth() {
    let config = Config::new().scene(true).auth(true).no_relay(true);
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &config)));
    let own = handle(&host);
    polled([host.clone()]);
    let mut joins = Vec::new();
    for name in ["a", "b"] {
        let (one, id) = knock(&host, name, &config);
        let player = handle(&one);
        check("send_auth", player.send_auth(1, "password"));
        take(&host, "host", 1);
        check("send_auth", own.send_auth(id, "welcome"));
        take(&one, name, 1);
        check("complete_auth", own.complete_auth(id));
        check("complete_auth", player.complete_auth(1));
        take(&host, "host", 1);
        take(&one, name, 2);
        joins.push(one);
    }
    check("put_to", handle(&joins[0]).send_to(Target::All, Payload::binary("to all")));
    take(&host, "host", 1);
    check("put_to", own.send_to(Target::All, Payload::binary("to both")));
    take(&joins[0], "a", 1);
    take(&joins[1], "b", 1);
    let (c, id) = knock(&host, "c", &config);
    check("disconnect", own.disconnect(id, 4003, "wrong password"));
    until(&c, "c", EventKind::Closed);
    until(&host, "host", EventKind::Disconnected);
}

// ---- Replication: nodes that a host and a client spawn and synchronize ----

/// What the ends of the scenario have in common.
trait Player: Copy {
    fn name(self) -> &'static str;
    fn declare_scene(self, spawner: &str, authority: i32, scene: u32, synchronizers: &str);
    fn forget_scene(self, spawner: &str, scene: u32);
    fn declare_synchronizer(self, path: &str, authority: i32, properties: &str) -> u32;
    fn forget_synchronizer(self, path: &str);
    fn spawn(self, spawner: &str, scene: u32, node: &str, data: Option<&Variant>, of: &[(&str, Variant)]) -> u32;
    fn despawn(self, node: u32);
    fn sync(self, node: u32, properties: &[(&str, Variant)]);
    fn set_visible(self, node: u32, peer_id: i32, visible: bool);
}

macro_rules! players {
    ($($type:ty),+) => {$(
        impl Player for (&'static str, $type) {
            fn name(self) -> &'static str {
                self.0
            }
            fn declare_scene(self, spawner: &str, authority: i32, scene: u32, synchronizers: &str) {
                check("declare_scene", self.1.declare_scene(spawner, authority, scene, synchronizers));
            }
            fn forget_scene(self, spawner: &str, scene: u32) {
                check("declare_scene", self.1.forget_scene(spawner, scene));
            }
            fn declare_synchronizer(self, path: &str, authority: i32, properties: &str) -> u32 {
                let node = self.1.declare_synchronizer(path, authority, properties);
                check("declare_synchronizer", node).unwrap_or(0)
            }
            fn forget_synchronizer(self, path: &str) {
                check("declare_synchronizer", self.1.forget_synchronizer(path));
            }
            fn spawn(
                self,
                spawner: &str,
                scene: u32,
                node: &str,
                data: Option<&Variant>,
                properties: &[(&str, Variant)],
            ) -> u32 {
                let Some(number) = check("spawn", self.1.spawn(spawner, scene, node, data, properties)) else {
                    return 0;
                };
                println!("{} spawned {node} {number}", self.name());
                number
            }
            fn despawn(self, node: u32) {
                check("despawn", self.1.despawn(node));
            }
            fn sync(self, node: u32, properties: &[(&str, Variant)]) {
                check("sync", self.1.sync(node, properties));
            }
            fn set_visible(self, node: u32, peer_id: i32, visible: bool) {
                check("set_visible", self.1.set_visible(node, peer_id, visible));
            }
        }
    )+};
}

players!(HostRef, JoinRef);

fn bad_replication(host: impl Player) {
    let x = [(".:x", Variant::Int(5))];
    host.declare_scene("", 0, 0, "");
    host.declare_scene("Bad", -1, 0, "");
    host.declare_scene("Bad", 0, NO_SCENE, "");
    host.declare_scene("Bad", 0, 0, ".:x always change");
    host.declare_scene("Bad", 0, 0, ".:x, .:x");
    host.forget_scene("Bad", 0);
    host.forget_synchronizer("Bad");
    host.declare_scene("Bad", 0, 0, ".:x");
    host.declare_scene("Bad", 0, 0, ".:y");
    host.declare_scene("Bad", 5, 1, "");
    host.declare_scene("Theirs", 5, 0, ".:x");
    host.spawn("Bad", 1, "One", None, &x);
    host.spawn("Theirs", 0, "One", None, &x);
    host.spawn("Bad", 0, "a/b", None, &x);
    host.spawn("Bad", 0, "One", None, &[]);
    host.spawn("Bad", 0, "One", None, &[x[0].clone(), (".:y", 5.into())]);
    // Only a custom scene has data.
    host.spawn("Bad", 0, "One", Some(&5.into()), &x);
    host.despawn(99);
    host.sync(99, &x);
    host.set_visible(99, 0, true);
    host.forget_scene("Bad", 0);
    host.forget_scene("Theirs", 0);
}

fn replication() {
    let (mob, spawner) = (".:position, .:skin spawn, .:health spawn change; Body:aim always", "Game/Spawner");
    let clock_values = ".:time spawn change, .:day always";
    let vector2 = |x: f64, y: f64| Variant::Vector2([x, y]);
    let config = Config::new().scene(true);
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &config)));
    let own = ("host", handle(&host));
    polled([host.clone()]);
    bad_replication(own);
    own.declare_scene("/root/Game/Spawner", 1, 0, mob);
    own.declare_scene(spawner, 0, CUSTOM_SCENE, "");
    let a = shared(opened("join", Join::connect_with(&own.1.url(), &config)));
    let a_end = ("a", handle(&a));
    also_polled(a.clone());
    a_end.declare_scene(spawner, 1, 0, mob);
    a_end.declare_scene(spawner, 1, CUSTOM_SCENE, "");
    settle(&host, &a, "a");

    let of_mob = [(".:position", vector2(1.5, -2.0)), (".:skin", "red".into()), (".:health", 5.into())];
    let one = own.spawn(spawner, 0, "Mob", None, &of_mob);
    take(&a, "a", 2);
    // Each synchronizer with a property that is given sends all it sends always.
    own.sync(one, &[(".:position", vector2(2.0, 3.0))]);
    take(&a, "a", 1);
    own.sync(one, &[("Body:aim", 0.5.into()), (".:position", vector2(4.0, 5.0))]);
    take(&a, "a", 1);
    // The same value again is no change, and a spawn alone brings the skin.
    own.sync(one, &[(".:health", 4.into())]);
    own.sync(one, &[(".:health", 4.into())]);
    own.sync(one, &[(".:skin", "blue".into())]);
    own.sync(one, &[(".:health", 3.into())]);
    take(&a, "a", 2);

    // A late one gets what is there.
    let b = shared(opened("join_local", host.borrow().join_local(&Config::new())));
    let b_end = ("b", handle(&b));
    also_polled(b.clone());
    b_end.declare_scene(spawner, 1, 0, mob);
    b_end.declare_scene(spawner, 1, CUSTOM_SCENE, "");
    settle(&host, &b, "b");
    take(&b, "b", 3);
    take(&a, "a", 1);
    let data = Variant::Dictionary(vec![("k".into(), 2.into())]);
    let item = own.spawn(spawner, CUSTOM_SCENE, "Item", Some(&data), &[]);
    take(&a, "a", 1);
    take(&b, "b", 1);

    // Hidden from all, shown to one, shown to all.
    let (a_id, b_id) = (a_end.1.peer_id(), b_end.1.peer_id());
    own.set_visible(item, 5, true);
    own.set_visible(item, 0, false);
    take(&a, "a", 1);
    take(&b, "b", 1);
    own.set_visible(item, b_id, true);
    take(&b, "b", 1);
    own.set_visible(item, 0, true);
    take(&a, "a", 1);
    own.set_visible(item, b_id, false);
    own.despawn(one);
    own.despawn(one);
    take(&a, "a", 1);
    take(&b, "b", 1);

    // A client is the authority of another spawner.
    a_end.declare_scene("Players", 0, 0, ".:position");
    own.declare_scene("Players", a_id, 0, ".:position");
    b_end.declare_scene("Players", a_id, 0, ".:position");
    let position = [(".:position", vector2(0.0, 1.0))];
    let other = a_end.spawn("Players", 0, "A", None, &position);
    take(&host, "host", 1);
    take(&b, "b", 1);
    a_end.sync(other, &[(".:position", vector2(0.0, 2.0))]);
    take(&host, "host", 1);
    take(&b, "b", 1);

    // A synchronizer by its path.
    let clock_node = own.declare_synchronizer("Game/Clock", 0, clock_values);
    println!("host synchronizer {clock_node}");
    println!("b synchronizer {}", b_end.declare_synchronizer("/root/Game/Clock", 1, clock_values));
    a_end.declare_synchronizer("Game/Clock", 1, clock_values);
    own.sync(clock_node, &[(".:time", 1.into())]);
    take(&a, "a", 1);
    take(&b, "b", 1);
    own.sync(clock_node, &[(".:day", 2.into())]);
    take(&a, "a", 1);
    take(&b, "b", 1);
    own.set_visible(clock_node, 0, false);
    own.set_visible(clock_node, a_id, true);
    own.sync(clock_node, &[(".:day", 3.into())]);
    take(&a, "a", 2);
    own.despawn(clock_node);
    own.forget_synchronizer("Game/Clock");

    // The nodes of one that leaves are gone with it.
    check("close", a_end.1.close(1000, ""));
    until(&a, "a", EventKind::Closed);
    until(&host, "host", EventKind::Disconnected);
    take(&b, "b", 1);

    // What is not declared, of another authority, or with other properties does not arrive.
    b_end.declare_scene("Secret", 0, 0, "");
    b_end.spawn("Secret", 0, "One", None, &[]);
    take(&host, "host", 1);
    b_end.declare_scene("Game/Other", 0, 0, "");
    own.declare_scene("Game/Other", 1, 0, "");
    b_end.spawn("Game/Other", 0, "One", None, &[]);
    take(&host, "host", 1);
    b_end.declare_scene("Mine", 0, 0, ".:position");
    own.declare_scene("Mine", b_id, 0, ".:position, .:skin");
    let mine = b_end.spawn("Mine", 0, "One", None, &position);
    take(&host, "host", 1);
    b_end.despawn(mine);
    take(&host, "host", 1);

    // As messages, without the events.
    own.despawn(item);
    poll_until("b", || b.borrow_mut().next_message().map(|message| print_nodes("b", message)));
    raw_replication();
}

/// Packets as they are on the wire.
fn raw_replication() {
    let raw = Config::new().scene(true).raw_replication(true);
    let gone = [5, 1, 0, 0, 0];
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &raw)));
    let own = ("host", handle(&host));
    let a = shared(opened("join", Join::connect_with(&own.1.url(), &raw)));
    let player = handle(&a);
    polled([host.clone(), a.clone()]);
    settle(&host, &a, "a");
    own.declare_scene("Game/Spawner", 0, 0, "");
    check("put", own.1.send(Payload::new(MessageKind::Replication, &gone)));
    take(&a, "a", 1);
    check("put_to", player.send_to(1, Payload::new(MessageKind::Replication, &gone)));
    take(&host, "host", 1);
    check("put_to", player.send_to(1, Payload::new(MessageKind::Replication, b"\x03hello")));

    for node in Nodes::new(&gone) {
        check("decode_replication", node);
    }
    let plain = opened("host", Host::listen(LOCALHOST));
    ("host", plain.handle()).declare_scene("Game/Spawner", 0, 0, "");
}
