//! What the files of the conformance program in Rust share: the trace, and polling.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};
use wspeer::{Conn, Endpoint, Error, Event, EventKind, Handle, Message, MessageKind, Variant};

pub const LOCALHOST: &str = "ws://127.0.0.1:0";

/// A connection or server of a scenario.
pub type Shared<H> = Rc<RefCell<Endpoint<H>>>;

pub fn shared<H: Handle>(endpoint: Endpoint<H>) -> Shared<H> {
    Rc::new(RefCell::new(endpoint))
}

/// The handle of a shared end, for calls while its events are borrowed.
pub fn handle<H: Handle>(end: &Shared<H>) -> H {
    **end.borrow()
}

pub trait Poll {
    fn poll(&self);
}

impl<H: Handle> Poll for RefCell<Endpoint<H>> {
    fn poll(&self) {
        let _ = self.borrow_mut().poll();
    }
}

type Between = Box<dyn Fn()>;

thread_local! {
    static POLLED: RefCell<Vec<Rc<dyn Poll>>> = const { RefCell::new(Vec::new()) };
    static BETWEEN: RefCell<Option<Between>> = const { RefCell::new(None) };
    static NAMES: RefCell<HashMap<i32, String>> = RefCell::new(HashMap::from([(1, "host".to_owned())]));
}

// ---- The trace ----

pub fn name_peer(id: i32, name: &str) {
    NAMES.with_borrow_mut(|names| names.insert(id, name.to_owned()));
}

pub fn peer_name(id: i32) -> String {
    NAMES.with_borrow(|names| names.get(&id).cloned().unwrap_or_default())
}

pub fn check<T>(verb: &str, result: Result<T, Error>) -> Option<T> {
    result.inspect_err(|error| println!("failed {verb} {}: {error}", error.name())).ok()
}

/// What was opened; the program ends if it was not.
pub fn opened<T>(verb: &str, result: Result<T, Error>) -> T {
    check(verb, result).unwrap_or_else(|| std::process::exit(1))
}

pub fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

/// The beginning of a line of an end.
pub fn start(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name} ") }
}

fn of_peer(id: i32) -> String {
    if id == 0 { String::new() } else { format!(" peer={}", peer_name(id)) }
}

pub fn print_message(name: &str, message: Message<'_>) {
    let kind = match message.kind() {
        MessageKind::Text => "text",
        MessageKind::Replication => "replication",
        _ => "binary",
    };
    let sum = format!("{kind} {} {:08x}", message.len(), adler32(message.bytes()));
    let text = message.text().filter(|text| (1..=64).contains(&text.len())).map(|text| format!(" {text}"));
    println!("{}{sum}{}{}", start(name), of_peer(message.peer_id()), text.unwrap_or_default());
}

/// What a message of a spawn, despawn or synchronization has, one line for each node.
pub fn print_nodes(name: &str, message: Message<'_>) {
    let verb = match message.kind() {
        MessageKind::Spawn => "spawn",
        MessageKind::Despawn => "despawn",
        _ => "sync",
    };
    for node in message.nodes() {
        let Some(node) = check("decode_replication", node) else { return };
        let mut line = format!("path={} name={} node={} scene={}", node.path, node.name, node.node, node.scene);
        if let Some(data) = &node.data {
            line += &format!(" data={}", value(data));
        }
        for (property, one) in &node.properties {
            line += &format!(" {property}={}", value(one));
        }
        println!("{}{verb} {line}{}", start(name), of_peer(message.peer_id()));
    }
}

pub fn value(variant: &Variant) -> String {
    let list = |values: &[Variant]| values.iter().map(value).collect::<Vec<_>>().join(", ");
    match variant {
        Variant::Nil => "null".to_owned(),
        Variant::Bool(value) => value.to_string(),
        Variant::Int(value) => value.to_string(),
        Variant::Float(value) => value.to_string(),
        Variant::String(text) => format!("\"{text}\""),
        Variant::Vector2([x, y]) => format!("Vector2({x}, {y})"),
        Variant::PackedByteArray(bytes) => format!("bytes {} {:08x}", bytes.len(), adler32(bytes)),
        Variant::Array(values) => format!("[{}]", list(values)),
        Variant::Dictionary(pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(key, one)| format!("{}: {}", value(key), value(one))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => format!("type {other:?}"),
    }
}

pub fn print(name: &str, event: &Event<'_>) {
    let conn = event.conn();
    let end_of = |verb: &str, end: &wspeer::End<'_>| {
        format!(
            "{verb} code={} clean={} phase={} cause={} status={} unsent={} reason={} error={}",
            end.code,
            u8::from(end.clean),
            end.phase as i32,
            end.cause as i32,
            end.http_status,
            end.unsent,
            conn.close_reason(),
            end.sentence
        )
    };
    let peer_id = event.about().peer_id;
    let line = match event {
        Event::Message(message) => return print_message(name, *message),
        Event::Spawn(message) | Event::Despawn(message) | Event::Sync(message) => return print_nodes(name, *message),
        Event::Open(_) => return println!("{}open protocol={}", start(name), conn.subprotocol()),
        Event::Connected(_) if peer_id == 0 => {
            format!("connected path={} query={} protocol={}", conn.path(), conn.query(), conn.subprotocol())
        }
        Event::Connected(_) => "connected".to_owned(),
        Event::CloseRequest(request) => format!("close-request code={} reason={}", request.code, request.reason),
        Event::Lost(end) => format!(
            "lost code={} phase={} cause={} status={} unsent={}",
            end.code, end.phase as i32, end.cause as i32, end.http_status, end.unsent
        ),
        Event::Resumed(resumed) => format!("resumed count={}", resumed.count),
        Event::Closed(end) => end_of("closed", end),
        Event::Disconnected(end) => end_of("disconnected", end),
        Event::Writable(_) => "writable".to_owned(),
        Event::Skipped(skipped) => format!("skipped count={}", skipped.count),
        Event::Error(report) => {
            // A text about a peer has its random id.
            let text = if peer_id == 0 { format!(" error={}", report.sentence) } else { String::new() };
            format!("error phase={} cause={} count={}{text}", report.phase as i32, report.cause as i32, report.count)
        }
        Event::Step(report) => format!("step phase={}", report.phase as i32),
        Event::Refused(report) => format!(
            "refused phase={} cause={} status={} count={} error={}",
            report.phase as i32,
            report.cause as i32,
            report.http_status,
            report.count,
            report.sentence.split_once(": ").map_or("", |(_, text)| text)
        ),
        Event::Authenticating(_) => "authenticating".to_owned(),
        Event::Auth(auth) => format!("auth {} {:08x}", auth.data.len(), adler32(auth.data)),
        Event::Request(_) => "request".to_owned(),
        other => format!("event {:?}", other.kind()),
    };
    println!("{}{line}{}", start(name), of_peer(peer_id));
}

pub fn print_header(name: &str, conn: Conn, header: &str, index: u32) {
    match conn.header(header, index) {
        Some(value) => println!("{}header {header} {index}={value}", start(name)),
        None => println!("{}no header {header} {index}", start(name)),
    }
}

// ---- Polling ----

/// The ends that are polled from now on.
pub fn polled<const N: usize>(ends: [Rc<dyn Poll>; N]) {
    POLLED.with_borrow_mut(|polled| *polled = ends.into());
}

pub fn also_polled(end: Rc<dyn Poll>) {
    POLLED.with_borrow_mut(|polled| polled.push(end));
}

/// What is done in each round of polling besides.
pub fn between_polls(between: Option<Between>) {
    BETWEEN.set(between);
}

pub fn poll_all() {
    BETWEEN.with_borrow(|between| {
        if let Some(between) = between {
            between();
        }
    });
    POLLED.with_borrow(|polled| polled.iter().for_each(|end| end.poll()));
    std::thread::sleep(Duration::from_micros(500));
}

/// Polls all ends until `done` has a result, for at most 10 s.
pub fn poll_until<T>(name: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(result) = done() {
            return result;
        }
        if Instant::now() > limit {
            println!("nothing came to '{name}' for 10 s");
            std::process::exit(1);
        }
        poll_all();
    }
}

/// Passes the next event to `see`.
pub fn next_event<H: Handle, T>(end: &Shared<H>, name: &str, mut see: impl FnMut(&Event<'_>) -> T) -> T {
    poll_until(name, || end.borrow_mut().next_event().map(|event| see(&event)))
}

pub fn take<H: Handle>(end: &Shared<H>, name: &str, count: usize) {
    for _ in 0..count {
        next_event(end, name, |event| print(name, event));
    }
}

/// Prints events up to the first of this kind.
pub fn until<H: Handle>(end: &Shared<H>, name: &str, kind: EventKind) {
    while next_event(end, name, |event| {
        print(name, event);
        event.kind() != kind
    }) {}
}
