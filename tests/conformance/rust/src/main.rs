//! The conformance program in Rust: docs/conformance.md.
//! Usage: wspeer-conformance SCENARIO [URL [CA.pem]]

mod local;
mod shared;

use shared::*;
use std::collections::HashMap;
use wspeer::{
    Certificate, Client, Config, Conn, Event, EventKind, Hint, Host, Join, MessageKind, OFF, Opt, Payload, Server,
    Target,
};

type Scenario = fn(&str);

// ---- Scenarios of a client ----

/// Opens a client and prints its first event. `None`: it cannot be opened.
fn open_client(url: &str, config: &Config) -> Option<Shared<Conn>> {
    let client = shared(check("connect", Client::connect_with(url, config))?);
    polled([client.clone()]);
    take(&client, "", 1);
    Some(client)
}

/// The same; the program ends if it cannot be opened.
fn open(url: &str, config: &Config) -> Shared<Conn> {
    open_client(url, config).unwrap_or_else(|| std::process::exit(1))
}

fn open_plain(url: &str) -> Shared<Conn> {
    open(url, &Config::new())
}

fn close(client: &Shared<Conn>, code: i32, reason: &str) {
    check("close", handle(client).close(code, reason));
    until(client, "", EventKind::Closed);
}

fn put<'a>(client: &Shared<Conn>, message: impl Into<Payload<'a>>) {
    check("put", handle(client).send(message));
}

fn state_of(conn: Conn) -> i32 {
    conn.state().map_or(-3, |state| state as i32)
}

fn echo(url: &str) {
    let client = open_plain(&format!("{url}/echo"));
    put(&client, "hello");
    take(&client, "", 1);
    put(&client, "κόσμε 🎮");
    take(&client, "", 1);
    close(&client, 1000, "");
}

fn sizes(url: &str) {
    let lengths = [0, 1, 125, 126, 65535, 65536, 1 << 20];
    let client = open_plain(&format!("{url}/echo"));
    for length in lengths {
        let text: String = ('a'..='z').cycle().take(length).collect();
        put(&client, &text);
        take(&client, "", 1);
    }
    for length in lengths {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        put(&client, &bytes);
        take(&client, "", 1);
    }
    close(&client, 1000, "");
}

fn wss(url: &str, ca: &str) {
    let client = open(&format!("{url}/echo"), &Config::new().only_ca_pem(true).ca_pem(ca));
    println!("tls {}", if handle(&client).tls().is_empty() { "no" } else { "yes" });
    put(&client, "secret");
    take(&client, "", 1);
    close(&client, 1000, "");
}

fn subprotocol(url: &str) {
    let url = format!("{url}/echo");
    close(&open(&url, &Config::new().subprotocols("chat.v3, chat.v2")), 1000, "");
    open(&url, &Config::new().subprotocols("other"));
}

fn headers(url: &str) {
    let config = Config::new().header("X-Ask", "one").header("X-Ask", "two words");
    let client = open(&format!("{url}/echo?a=1&b=%20"), &config);
    for index in 0..3 {
        print_header("", handle(&client), "x-answer", index);
    }
    print_header("", handle(&client), "x-missing", 0);
    close(&client, 1000, "");
}

fn certificate(url: &str) {
    open_plain(&format!("{url}/echo"));
}

fn status(url: &str) {
    let client = open_plain(&format!("{url}/refuse/403"));
    print_header("", handle(&client), "x-refused", 0);
    println!("body {}", handle(&client).body());
}

fn nobody(url: &str) {
    open_plain(&format!("{url}/"));
}

/// Sentences, and the number of steps, depend on the system.
fn diagnose(url: &str) {
    for path in ["/echo", "/refuse/403"] {
        let client = shared(opened("diagnose", Client::diagnose(&format!("{url}{path}"), &Config::new())));
        polled([client.clone()]);
        put(&client, "no message");
        let mut last = None;
        let mut ended = false;
        while !ended {
            next_event(&client, "", |event| match event {
                Event::Step(step) => {
                    if last.replace(step.phase) != Some(step.phase) {
                        println!("step phase={}", step.phase as i32);
                    }
                }
                Event::Closed(end) => {
                    println!(
                        "advice code={} clean={} phase={} cause={} status={}",
                        end.code,
                        u8::from(end.clean),
                        end.phase as i32,
                        end.cause as i32,
                        end.http_status
                    );
                    ended = true;
                }
                other => print("", other),
            });
        }
    }
}

/// The URL is that of the proxy.
fn proxy(url: &str) {
    let through = |place: &str| open_client(place, &Config::new().proxy(url));
    if let Some(client) = through("ws://game.example/echo") {
        put(&client, "through");
        take(&client, "", 1);
        close(&client, 1000, "");
    }
    if let Some(client) = through("ws://refused.example/") {
        print_header("", handle(&client), "x-proxy", 0);
        println!("body {}", handle(&client).body());
    }
    through("ws://login.example/");
    open_client("ws://game.example/", &Config::new().proxy("ftp://127.0.0.1:1"));
}

/// The server has no application heartbeat.
fn heartbeat(url: &str) {
    let client = open(&format!("{url}/echo"), &Config::new().app_heartbeat(true));
    put(&client, "hello");
    take(&client, "", 2);
    close(&client, 1000, "");
}

fn reconnect(url: &str) {
    let config = Config::new().reconnect(true).retry_min_ms(1);
    let first = format!("{url}/echo?try=1");
    open_client(&first, &config.clone().retry_max_ms(OFF));
    let client = open(&first, &config.retry_max_ms(20));
    let conn = handle(&client);
    take(&client, "", 2);
    println!("state {}", state_of(conn));
    put(&client, "too early");
    check("set_url", conn.set_url("http://localhost"));
    check("set_url", conn.set_url(&format!("{url}/echo?try=2")));
    check("set_header", conn.set_header("X-Ask", Some("again")));
    take(&client, "", 2);
    put(&client, "back");
    take(&client, "", 1);
    close(&client, 1000, "");
}

/// Before OPEN, and with `coalesce` until it is flushed, only the newest message of each key waits.
fn latest(url: &str) {
    let config = Config::new().coalesce(true).queue_before_open(true).max_message_bytes(1000);
    let client = shared(opened("connect", Client::connect_with(&format!("{url}/echo"), &config)));
    polled([client.clone()]);
    let conn = handle(&client);
    let text = |key: u32, text: &str| {
        check("put_latest", conn.send_latest(key, text));
    };
    let bytes = |key: u32, bytes: &[u8]| {
        check("put_latest", conn.send_latest(key, bytes));
    };
    text(1, "first");
    put(&client, "plain");
    text(1, "second");
    take(&client, "", 3);
    text(1, "one");
    bytes(u32::MAX, &[0]);
    put(&client, "between");
    text(1, "a longer one");
    bytes(u32::MAX, &[0, 255]);
    text(2, "");
    check("flush", conn.flush());
    text(1, "after");
    take(&client, "", 5);
    println!("replaced {} out {}", conn.stats().replaced, conn.stats().messages_out);
    bytes(1, &[0; 1001]);
    close(&client, 1000, "");
    text(1, "too late");
}

fn close_here(url: &str) {
    let long = "r".repeat(123);
    for (code, reason) in [(0, ""), (1000, "bye"), (1001, ""), (3000, "κόσμε"), (4999, &long)] {
        let client = open_plain(&format!("{url}/sink"));
        put(&client, "last");
        close(&client, code, reason);
    }
    close(&open_plain(&format!("{url}/echo")), -1, "");
}

fn close_there(url: &str) {
    for path in ["/close/1000/", "/close/1001/going", "/close/4001/bye"] {
        until(&open_plain(&format!("{url}{path}")), "", EventKind::Closed);
    }
}

fn burst(url: &str) {
    let client = open_plain(&format!("{url}/burst"));
    let conn = handle(&client);
    poll_until("", || conn.is_closed().then_some(()));
    println!("state {} available {}", state_of(conn), client.borrow().available());
    while client.borrow().available() > 0 {
        for message in client.borrow_mut().messages() {
            print_message("", message);
        }
    }
    until(&client, "", EventKind::Closed);
}

fn limited() -> Config {
    Config::new().max_message_bytes(1000)
}

/// The texts have the program's own name for a word of the header.
fn own_names(url: &str) {
    let client = open(&format!("{url}/echo"), &limited());
    check("set_name", wspeer::set_name("max_message_bytes", Some("Longest")));
    put(&client, &[0; 1001]);
    check("set_name", wspeer::set_name("max_message_bytes", None));
    put(&client, &[0; 1001]);
    close(&client, 1000, "");
}

fn bad_peer(url: &str) {
    for path in ["/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big"] {
        until(&open(&format!("{url}{path}"), &limited()), "", EventKind::Closed);
    }
}

// ---- Bad input ----

fn bad_open(_: &str) {
    for url in ["", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://"] {
        check("connect", Client::connect(url));
    }
    for url in ["nothing", "ws://game.example:0", "wss://127.0.0.1:0"] {
        check("listen", Server::listen(url));
    }
    let worse = Config::new().header("X-Bad", "one\r\nX-Worse: two");
    check("connect", Client::connect_with("ws://127.0.0.1:1", &worse));
    check("connect", Client::connect_with("ws://127.0.0.1:1", &Config::new().header_line("no colon")));
    check("connect", Client::connect_with("wss://127.0.0.1:1", &Config::new().ca_pem("no certificate")));
    check("connect", Client::connect_with("ws://127.0.0.1:1", &Config::new().deflate(true).deflate_level(10)));
}

fn bad_put(url: &str) {
    let early = opened("connect", Client::connect_with(url, &limited()));
    check("put", early.send("too early"));
    let client = open(&format!("{url}/echo"), &limited());
    put(&client, &[0; 1001]);
    put(&client, &[0; 1000]);
    take(&client, "", 1);
    close(&client, 1000, "");
    put(&client, "too late");
}

fn bad_text(url: &str) {
    let client = open_plain(&format!("{url}/echo"));
    put(&client, Payload::new(MessageKind::Text, b"a\xCE"));
    put(&client, "good");
    take(&client, "", 1);
    close(&client, 1000, "");
}

fn bad_close(url: &str) {
    let client = open_plain(&format!("{url}/echo"));
    check("close", handle(&client).close(1000, &"r".repeat(124)));
    for code in [999, 1005, 5000] {
        check("close", handle(&client).close(code, ""));
    }
    close(&client, 1000, "");
}

// ---- Handles that have ended ----

fn stale(url: &str) {
    let client = open(&format!("{url}/echo"), &Config::new().owner(9));
    // SAFETY: no event is held. Only so there is a client to poll that is freed.
    unsafe { wspeer::free_owner(9) };
    put(&client, "to nobody");
    check("close", handle(&client).close(1000, ""));
    check("poll", client.borrow_mut().poll());
    polled([]);
    drop(client);

    let server = shared(opened("listen", Server::listen(LOCALHOST)));
    let client = shared(opened("connect", Client::connect(&handle(&server).url())));
    polled([server.clone(), client.clone()]);
    take(&client, "client", 1);
    let gone = next_event(&server, "server", |event| {
        print("server", event);
        event.conn()
    });
    check("close", handle(&client).close(-1, ""));
    until(&server, "server", EventKind::Disconnected);
    check("put", gone.send("just gone"));
    check("poll", server.borrow_mut().poll());
    check("put", gone.send("to nobody"));
    check("put_to", handle(&server).send_to(Conn::from_raw(12345), b""));
}

// ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ----

fn session(url: &str) {
    let config = Config::new().session_ms(60000);
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &config.clone().node("node-1"))));
    let config = config.retry_min_ms(1).retry_max_ms(20);
    let port = handle(&server).port();
    let near = shared(opened("connect", Client::connect_with(&format!("{url}/{port}/room"), &config)));
    polled([server.clone(), near.clone()]);
    take(&near, "client", 1);
    let seat = next_event(&server, "server", |event| {
        print("server", event);
        event.conn()
    });
    let client = handle(&near);
    let print_states = || println!("state {} {}", state_of(client), state_of(seat));
    let say = |conn: Conn, text: &str| {
        check("put", conn.send(text));
    };
    say(client, "one");
    take(&server, "server", 1);
    say(seat, "cut");
    take(&near, "client", 1);
    // The client is not polled, so it does not come back before both have put.
    polled([server.clone()]);
    take(&server, "server", 1);
    print_states();
    say(client, "two");
    say(client, "three");
    say(seat, "four");
    polled([server.clone(), near.clone()]);
    take(&server, "server", 3);
    take(&near, "client", 3);
    print_states();
    let stats = handle(&server).stats();
    println!("losses {} resumed {}", stats.losses, stats.resumed);
    say(seat, "five");
    take(&near, "client", 1);
    check("close", client.close(4000, "bye"));
    until(&near, "client", EventKind::Closed);
    until(&server, "server", EventKind::Disconnected);

    // A server without sessions.
    let server = shared(opened("listen", Server::listen(LOCALHOST)));
    let near = shared(opened("connect", Client::connect_with(&handle(&server).url(), &config)));
    polled([server.clone(), near.clone()]);
    take(&near, "client", 2);
    take(&server, "server", 1);
    say(handle(&near), "without");
    take(&server, "server", 1);
    for hint in Hint::ALL {
        check("hint", handle(&near).hint(*hint));
    }
    check("drain", handle(&server).drain(5000, 0, Some("http://localhost")));
    check("drain", handle(&server).drain(5000, 0, None));
    until(&near, "client", EventKind::Closed);
    until(&server, "server", EventKind::Disconnected);
    next_event(&server, "server", |event| println!("server event {}", event.kind() as i32));
}

// ---- A certificate that is replaced while the server runs ----

fn renew(_: &str) {
    check("make_certificate", Certificate::make("", 30));
    check("make_certificate", Certificate::make("localhost:443", 30));
    check("make_certificate", Certificate::make("localhost", 0));
    let make = || opened("make_certificate", Certificate::make("localhost, 127.0.0.1, ::1", 30));
    let (first, second) = (make(), make());
    println!("sha256 {}", first.sha256.len());
    let plain = opened("listen", Server::listen(LOCALHOST));
    check("set_certificate", plain.set_certificate(&first.cert_pem, &first.key_pem));
    drop(plain);

    let config = Config::new().certificate(&first.cert_pem, &first.key_pem);
    let server = shared(opened("listen", Server::listen_with("wss://127.0.0.1:0", &config)));
    polled([server.clone()]);
    let own = handle(&server);
    let visit = |name: &str, config: Config| {
        let one = shared(opened("connect", Client::connect_with(&own.url(), &config)));
        also_polled(one.clone());
        take(&one, name, 1);
        handle(&one)
    };
    let a = visit("a", Config::new().pin_sha256(&first.sha256));
    take(&server, "server", 1);
    check("set_certificate", own.set_certificate(&second.cert_pem, &second.key_pem));
    visit("b", Config::new().pin_sha256(&second.sha256));
    take(&server, "server", 1);
    check("put", a.send("still here"));
    take(&server, "server", 1);
    visit("c", Config::new().only_ca_pem(true).ca_pem(&first.cert_pem));
    check("set_certificate", own.set_certificate(&first.cert_pem, &second.key_pem));
    check("set_certificate", own.set_certificate("no certificate", &second.key_pem));
    visit("d", Config::new().only_ca_pem(true).ca_pem(&second.cert_pem));
    take(&server, "server", 1);
}

// ---- A client behind a proxy, which is this program ----

/// A server with these settings, and a client that sends both headers.
fn visit_behind(config: Config) {
    let Some(server) = check("listen", Server::listen_with(LOCALHOST, &config)).map(shared) else { return };
    let sent =
        Config::new().header("X-Forwarded-For", "198.51.100.1, 203.0.113.7").header("Forwarded", "for=198.51.100.2");
    let client = shared(opened("connect", Client::connect_with(&handle(&server).url(), &sent)));
    polled([server.clone(), client.clone()]);
    take(&client, "client", 1);
    next_event(&server, "server", |event| {
        print("server", event);
        let without_port = |address: String| address.split(':').next().unwrap_or_default().to_owned();
        println!("remote {}", without_port(event.conn().remote_address()));
        println!("peer {}", without_port(event.conn().peer_address()));
    });
}

fn proxied(_: &str) {
    let local = "127.0.0.0/8, ::1";
    for config in [
        Config::new().forwarded(true),
        Config::new().forwarded(true).trusted_proxies("127.0.0.1/33"),
        Config::new().forwarded(true).x_forwarded_for(true).trusted_proxies(local),
    ] {
        check("listen", Server::listen_with(LOCALHOST, &config));
    }
    visit_behind(Config::new().x_forwarded_for(true).trusted_proxies(local));
    visit_behind(Config::new().forwarded(true).trusted_proxies(local));
    // The client is none of the proxies, so it sends no header of the PROXY protocol.
    visit_behind(Config::new().proxy_protocol(true).trusted_proxies("192.0.2.0/24"));
}

// ---- Clients that a server turns away ----

fn refused(_: &str) {
    let hosts = Config::new().allowed_hosts("localhost, 127.0.0.1");
    check("listen", Server::listen_with(LOCALHOST, &Config::new().allowed_hosts("localhost, game.example/")));
    check("listen", Server::listen_with(LOCALHOST, &hosts.clone().allowed_origins("game.example")));
    let config = hosts.allowed_origins("https://game.example, https://*.game.example").report_refused(true);
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &config)));
    let own = handle(&server);
    let knock = |origin: &str| {
        let client = opened("connect", Client::connect_with(&own.url(), &Config::new().header("Origin", origin)));
        let client = shared(client);
        polled([server.clone(), client.clone()]);
        take(&client, "client", 1);
        take(&server, "server", 1);
        client
    };
    let _first = knock("https://evil.example");
    let _second = knock("https://www.game.example");
    check("set_option", own.set_option(Opt::RefuseNew, 1));
    let _third = knock("https://game.example");
    let stats = own.stats();
    println!("refused {} request {} limit {}", stats.refused, stats.refused_request, stats.refused_limit);
}

// ---- A server ----

fn serve(_: &str) {
    let config = Config::new().subprotocols("chat").header("X-Answer", "yes");
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &config)));
    let own = handle(&server);
    polled([server.clone()]);
    println!("port {}", own.port());
    let mut clients: Vec<Conn> = Vec::new();
    let mut running = true;
    while running {
        next_event(&server, "", |event| {
            if let Event::Closed(_) = event {
                running = false;
                return;
            }
            let conn = event.conn();
            if let Event::Connected(_) = event {
                clients.push(conn);
            }
            let number = clients.iter().position(|one| *one == conn).map_or(0, |index| index + 1).to_string();
            print(&number, event);
            match event {
                Event::Connected(_) => {
                    print_header(&number, conn, "x-name", 0);
                    check("put", conn.send(&format!("welcome {number}")));
                }
                Event::Message(message) => match message.text().unwrap_or_default() {
                    "me" => drop(check("put_to", own.send_to(conn, message))),
                    "others" => drop(check("put_to", own.send_to(Target::Except(conn), message))),
                    "end" => drop(check("disconnect", own.disconnect(conn, 4004, "as you wish"))),
                    "stop" => drop(check("close", own.close(4100, "over"))),
                    _ => drop(check("put", own.send(message))),
                },
                Event::Disconnected(_) if own.is_open() => {
                    check("put", own.send(&format!("{number} has left")));
                }
                _ => {}
            }
        });
    }
    println!("server closed");
}

// ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ----

fn files(directory: &str) {
    let server = shared(opened("listen", Server::listen(LOCALHOST)));
    let own = handle(&server);
    polled([server.clone()]);
    println!("port {}", own.port());
    check("serve", own.serve("page", directory));
    check("serve", own.serve("/.git", directory));
    check("serve", own.serve("/", "no such directory"));
    check("stop_serving", own.stop_serving("/threads"));
    check("serve", own.serve("/", directory));
    check("serve", own.serve_isolated("/threads", directory));
    let visitor = next_event(&server, "server", |event| {
        print("server", event);
        event.conn()
    });
    take(&server, "server", 1);
    check("stop_serving", own.stop_serving("/threads"));
    check("put", visitor.send("stopped"));
    take(&server, "server", 2);
    println!("served {}", own.stats().served);
}

// ---- A server that decides on requests ----

const NO_HEADERS: &[&str] = &[];

fn decide(request: &wspeer::Request<'_>) {
    let conn = request.about.conn;
    let query = conn.query();
    println!(
        "request websocket={} method={} path={} query={query} body={}",
        u8::from(request.is_websocket),
        conn.method(),
        conn.path(),
        String::from_utf8_lossy(request.body)
    );
    if !request.is_websocket {
        check("accept", conn.accept(None, NO_HEADERS));
        check("reply", conn.reply(200, &["Content-Type: text/html"], request.body));
    } else if query == "token=good" {
        check("accept", conn.accept(Some("chat.v9"), NO_HEADERS));
        check("accept", conn.accept(Some("chat.v2"), &["X-Room: 7\r\nX-Other: 8"]));
        check("accept", conn.accept(Some("chat.v2"), &["X-Room: 7"]));
        check("reply", conn.reply(200, NO_HEADERS, "no"));
    } else {
        check("reply", conn.reply(101, NO_HEADERS, "no"));
        check("reply", conn.reply(401, &["WWW-Authenticate: Bearer"], "no"));
    }
}

fn requests(_: &str) {
    let server = shared(opened("listen", Server::listen_with(LOCALHOST, &Config::new().ask(true))));
    polled([server.clone()]);
    println!("port {}", handle(&server).port());
    let (mut connected, mut running) = (false, true);
    while running {
        next_event(&server, "", |event| match event {
            Event::Request(request) => decide(request),
            other => {
                connected |= other.kind() == EventKind::Connected;
                print("", other);
                running = !connected || other.kind() != EventKind::Disconnected;
            }
        });
    }
}

// ---- A game ----

fn play(godot3: bool) {
    let names = ["a", "b", "c"];
    // Godot 3's format has no texts.
    let words = |text: &'static str| if godot3 { Payload::binary(text) } else { Payload::from(text) };
    let config = Config::new().godot3(godot3);
    let host = shared(opened("host", Host::listen_with(LOCALHOST, &config)));
    let own = handle(&host);
    polled([host.clone()]);
    let mut joins = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let join = shared(opened("join", Join::connect_with(&own.url(), &config)));
        let of = handle(&join);
        also_polled(join.clone());
        poll_until(name, || (of.state() != Some(wspeer::State::Connecting)).then_some(()));
        name_peer(of.peer_id(), name);
        joins.push(join);
        take(&host, "host", 1);
        take(&joins[index], name, if godot3 { 2 + index } else { 2 });
        for there in 0..if godot3 { index } else { 0 } {
            take(&joins[there], names[there], 1);
        }
    }
    let hears = |who: usize| take(&joins[who], names[who], 1);
    let ids: Vec<i32> = joins.iter().map(|join| handle(join).peer_id()).collect();

    check("put", own.send(words("to all")));
    (0..3).for_each(hears);
    check("put_to", own.send_to(ids[1], words("to b")));
    hears(1);
    check("put_to", own.send_to(Target::Except(ids[2]), words("not to c")));
    hears(0);
    hears(1);
    check("put_to", own.send_to(1, words("to myself")));
    for (who, join) in joins.iter().enumerate() {
        check("put", handle(join).send(words("from me")));
        take(&host, "host", 1);
        (0..3).filter(|other| godot3 && *other != who).for_each(hears);
    }
    check("put_to", handle(&joins[0]).send_to(1, words("to the host")));
    take(&host, "host", 1);
    check("put_to", handle(&joins[0]).send_to(ids[2], words("to c")));
    if godot3 {
        hears(2);
    }

    check("disconnect", own.disconnect(ids[1], 4003, "kicked"));
    until(&host, "host", EventKind::Disconnected);
    until(&joins[1], "b", EventKind::Closed);
    if godot3 {
        hears(0);
        hears(2);
    }
    check("close", handle(&joins[2]).close(4005, "leaving"));
    until(&host, "host", EventKind::Disconnected);
    until(&joins[2], "c", EventKind::Closed);
    if godot3 {
        hears(0);
    }
    check("close", own.close(0, "the game is over"));
    until(&host, "host", EventKind::Disconnected);
    until(&joins[0], "a", EventKind::Closed);
}

fn main() {
    let client: [(&str, Scenario); 31] = [
        ("echo", echo),
        ("sizes", sizes),
        ("subprotocol", subprotocol),
        ("headers", headers),
        ("certificate", certificate),
        ("status", status),
        ("nobody", nobody),
        ("diagnose", diagnose),
        ("proxy", proxy),
        ("reconnect", reconnect),
        ("session", session),
        ("close-here", close_here),
        ("close-there", close_there),
        ("burst", burst),
        ("bad-peer", bad_peer),
        ("bad-open", bad_open),
        ("bad-put", bad_put),
        ("bad-text", bad_text),
        ("bad-close", bad_close),
        ("stale", stale),
        ("requests", requests),
        ("renew", renew),
        ("proxied", proxied),
        ("refused", refused),
        ("server", serve),
        ("files", files),
        ("heartbeat", heartbeat),
        ("names", own_names),
        ("latest", latest),
        ("multiplayer", |_| play(false)),
        ("multiplayer3", |_| play(true)),
    ];
    let scenarios: HashMap<&str, Scenario> = client.into_iter().chain(local::SCENARIOS).collect();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, url) = (arguments.first().map_or("", String::as_str), arguments.get(1).map_or("", String::as_str));
    if let ("wss", Some(ca)) = (name, arguments.get(2)) {
        wss(url, &std::fs::read_to_string(ca).unwrap_or_default());
    } else if let Some(scenario) = scenarios.get(name) {
        scenario(url);
    } else {
        eprintln!("usage: wspeer-conformance SCENARIO [URL [CA.pem]]");
        std::process::exit(2);
    }
    between_polls(None);
    polled([]);
    opened("shutdown", wspeer::shutdown());
}
