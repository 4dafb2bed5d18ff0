//! Where a peer or the host chooses the size, a failed allocation leads to an error result or an event, never to the
//! end of the process. Every long allocation fails in turn, alone or with all later ones, for all kinds of calls and
//! input. Each case runs in a separate process.
#![allow(unsafe_code)] // A failing allocator, and calls of the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use c_host::Certificate;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CString;
use std::process::Command;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Instant;
use wspeer::codes::*;
use wspeer::ffi::*;

/// Shorter allocations are bounded by the library, and their failure may abort the process.
const LEAST: usize = 640 << 10;
/// A long message, below the limit of a call.
const LONG: usize = 900_000;

/// An allocator that fails the `FAILS`th allocation of at least `LEAST` bytes, alone or with all later ones.
struct Failing;

static COUNT: AtomicU32 = AtomicU32::new(0);
/// Number of the allocation that fails; 0 for none.
static FAILS: AtomicU32 = AtomicU32::new(0);
static ONCE: AtomicBool = AtomicBool::new(false);

// SAFETY: every call goes to the system's allocator as it came, or fails as that may.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LEAST {
            let (count, fails) = (COUNT.fetch_add(1, Relaxed) + 1, FAILS.load(Relaxed));
            if fails > 0 && (count == fails || (count > fails && !ONCE.load(Relaxed))) {
                return null_mut();
            }
        }
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

/// The handles and the action of a case.
struct Scene {
    /// All handles that are polled.
    handles: Vec<u32>,
    act: Box<dyn Fn() -> i32>,
    /// Number of long messages that must arrive, unless an event reports why not.
    arrive: usize,
}

type Case = (&'static str, fn() -> Scene);

const CASES: &[Case] = &[
    ("put by a client", || pair(|_| {}, |pair| put_of(pair.client))),
    ("put by a client over wss", || over(Some(Certificate::new()), |_| {}, |pair| put_of(pair.client))),
    ("put by a client, WS_COALESCE", || pair(|config| config.flags |= WS_COALESCE, |pair| put_of(pair.client))),
    ("put by a client, compressed", || pair(|config| config.flags |= WS_DEFLATE, |pair| put_of(pair.client))),
    ("put by a client, without takeover", || pair(shared, |pair| put_of(pair.client))),
    ("put by a server to one", || pair(|_| {}, |pair| put_of(pair.conn))),
    ("put by a server to all", || pair(|_| {}, |pair| put_of(pair.server))),
    ("put by a server to all over wss", || over(Some(Certificate::new()), |_| {}, |pair| put_of(pair.server))),
    ("put by a server to all, compressed", || pair(|config| config.flags |= WS_DEFLATE, |pair| put_of(pair.server))),
    ("put by a server to all, compressed once", || pair(shared, |pair| put_of(pair.server))),
    ("put before OPEN", early),
    ("a pair in memory", in_memory),
    ("Godot 3: put by the host", || game(WS_GODOT3, 2, |game| to_all(game.host, 0, LONG), 2)),
    ("Godot 3: put by a join to all", || game(WS_GODOT3, 2, |game| to_all(game.joins[0], 0, LONG), 2)),
    ("Godot 3: put by a join to one", || game(WS_GODOT3, 2, |game| to_one(&game, WS_BINARY, vec![1; LONG]), 1)),
    ("scene: put by the host", || game(WS_SCENE, 2, |game| to_all(game.host, 0, LONG), 2)),
    ("scene: put by a join to all", || game(WS_SCENE, 2, |game| to_all(game.joins[0], 0, LONG), 2)),
    ("scene: put by a join to one", || game(WS_SCENE, 2, |game| to_one(&game, WS_BINARY, vec![1; LONG]), 1)),
    ("scene: call by the host to all", || game(WS_SCENE, 2, |game| put(game.host, WS_CALL, call("bytes")), 2)),
    ("scene: call by the host to some by number", || game(WS_SCENE, 2, |game| known(&game, game.host, "bytes"), 2)),
    ("scene: call by the host of a text", || game(WS_SCENE, 2, |game| put(game.host, WS_CALL, call("text")), 2)),
    ("scene: call by a client's handle", || {
        game(WS_SCENE, 1, |game| put(c_host::conns(game.host)[0], WS_CALL, call("bytes")), 1)
    }),
    ("scene: call by a join to all", || game(WS_SCENE, 2, |game| put(game.joins[0], WS_CALL, call("bytes")), 2)),
    ("scene: call by a join to all by number", || game(WS_SCENE, 2, |game| known(&game, game.joins[0], "text"), 2)),
    ("scene: call by a join to one", || game(WS_SCENE, 2, |game| to_one(&game, WS_CALL, call("text")), 1)),
    ("scene: call of many items", || game(WS_SCENE, 2, |game| put(game.joins[0], WS_CALL, call("items")), 2)),
    ("scene: a stranger's raw packet", || stranger(|_| [&[3], &[7; LONG][..]].concat(), 1)),
    ("scene: a stranger's call of bytes", || stranger(|_| by_path("Game", 0x80, &[7; LONG]), 1)),
    ("scene: a stranger's call of a text", || stranger(|_| by_path("Game", 0, &call("text")[10..]), 1)),
    ("scene: a stranger's call that cannot be read", || stranger(|_| by_path("Game", 0, &[0xFF; LONG]), 1)),
    ("scene: a stranger's call with an Object", || {
        stranger(|_| by_path("Game", 0, &[&[1, 24, 0, 1, 0], &[0xFF; LONG][..]].concat()), 1)
    }),
    ("scene: a stranger's call by a long path", || stranger(|_| by_path(&"x".repeat(LONG), 0x80, &[]), 1)),
    ("scene: a stranger's long path of a number", || stranger(|_| simplify(&"x".repeat(LONG)), 0)),
    ("scene: a stranger's packet for all", || stranger(|_| relay(0, &[&[3], &[7; LONG][..]].concat()), 2)),
    ("scene: a stranger's packet for one", || stranger(|id| relay(id, &[&[3], &[7; LONG][..]].concat()), 1)),
    ("scene: a stranger's call for all", || stranger(|_| relay(0, &by_path("Game", 0x80, &[7; LONG])), 2)),
    ("scene: a stranger's long path for all", || stranger(|_| relay(0, &by_path(&"x".repeat(LONG), 0x80, &[])), 2)),
    ("scene: a stranger's authentication", || stranger(|_| [&[7, 0], &[7; LONG][..]].concat(), 1)),
    ("scene: a stranger's long packet of no kind", || stranger(|_| vec![7; LONG], 1)),
    ("scene: a host's call", || false_host(|| by_path("Game", 0x80, &[7; LONG]))),
    ("scene: a host's call by a long path", || false_host(|| by_path(&"x".repeat(LONG), 0x80, &[]))),
    ("scene: a host's raw packet", || false_host(|| [&[3], &[7; LONG][..]].concat())),
];

#[test]
fn a_failed_allocation_never_ends_the_process() {
    let program = std::env::current_exe().unwrap();
    let mut dead = Vec::new();
    for (index, (name, _)) in CASES.iter().enumerate() {
        let mut child = Command::new(&program);
        child.args(["one_case", "--exact", "--ignored", "--nocapture"]).env("WSPEER_LACK", index.to_string());
        let done = child.output().unwrap();
        if !done.status.success() {
            let reported = [done.stdout, done.stderr].concat();
            dead.push(format!("{name}: {}\n{}", done.status, String::from_utf8_lossy(&reported)));
        }
    }
    assert!(dead.is_empty(), "{} of {} cases:\n{}", dead.len(), CASES.len(), dead.join("\n"));
}

/// Runs the case whose number is in WSPEER_LACK.
#[test]
#[ignore = "a part of the other test"]
fn one_case() {
    let index: usize = std::env::var("WSPEER_LACK").expect("WSPEER_LACK says which case").parse().unwrap();
    let (name, open) = CASES[index];
    for once in [true, false] {
        let mut most = 0;
        for fails in 1..=50 {
            let scene = open();
            println!("{name}: long allocation {fails} fails{}", if once { "" } else { ", and all behind it" });
            COUNT.store(0, Relaxed);
            ONCE.store(once, Relaxed);
            FAILS.store(fails, Relaxed);
            play(name, &scene);
            FAILS.store(0, Relaxed);
            most = COUNT.load(Relaxed);
            scene.handles.iter().for_each(|handle| c_host::free(*handle));
            if most < fails {
                break;
            }
        }
        let still = pair(|_| {}, |pair| put_of(pair.client));
        assert_eq!(play(name, &still), 1, "{name}: a new connection works");
        still.handles.iter().for_each(|handle| c_host::free(*handle));
        assert!(most < 50, "{name}: {most} long allocations for one message");
    }
}

/// Acts, and polls until all messages have arrived or an event reports why not. Returns the number of messages.
fn play(name: &str, scene: &Scene) -> usize {
    let result = (scene.act)();
    if result < 0 {
        assert_eq!(result, WS_ERR_LIMIT, "{name}: {}", c_host::last_error());
        assert!(c_host::last_error().contains("memory"), "{name}: {}", c_host::last_error());
    }
    let (mut arrived, mut reported, end) = (0, 0, Instant::now() + c_host::PATIENCE);
    let mut idle = 0;
    while idle < 100 && (result < 0 || scene.arrive == 0 || arrived + reported < scene.arrive) {
        assert!(Instant::now() < end, "{name}: {result}, {arrived} arrived, {reported} reported");
        // If nothing is expected, polls 100 times.
        idle += u32::from(result < 0 || scene.arrive == 0);
        for handle in &scene.handles {
            c_host::poll(*handle);
            // Without copying the bytes.
            // SAFETY: an event is numbers and pointers.
            let mut event: ws_event = unsafe { std::mem::zeroed() };
            // SAFETY: it lives.
            while unsafe { ws_next_event(*handle, &mut event) } == WS_OK {
                match event.r#type {
                    WS_EVENT_MESSAGE if event.packet.len >= LONG / 2 => arrived += 1,
                    WS_EVENT_CLOSED | WS_EVENT_DISCONNECTED => reported += scene.arrive,
                    WS_EVENT_ERROR | WS_EVENT_SKIPPED => reported += 1,
                    _ => {}
                }
            }
        }
        if idle == 0 {
            std::thread::yield_now();
        }
    }
    arrived
}

struct Pair {
    server: u32,
    client: u32,
    conn: u32,
}

fn shared(config: &mut ws_config) {
    config.flags |= WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER;
}

fn pair(edit: fn(&mut ws_config), act: fn(Pair) -> Box<dyn Fn() -> i32>) -> Scene {
    over(None, edit, act)
}

fn over(certificate: Option<Certificate>, edit: fn(&mut ws_config), act: fn(Pair) -> Box<dyn Fn() -> i32>) -> Scene {
    let (server, port) = c_host::listen(certificate.as_ref(), edit);
    let client = c_host::connect(port, certificate.as_ref(), edit);
    drain_until("OPEN", &[server, client], || ws_get_state(client) == WS_OPEN && c_host::conns(server).len() == 1);
    let conn = c_host::conns(server)[0];
    Scene { handles: vec![server, client], act: act(Pair { server, client, conn }), arrive: 1 }
}

/// Polls and takes all events until `done`.
fn drain_until(what: &str, handles: &[u32], done: impl Fn() -> bool) {
    c_host::until(what, || {
        for handle in handles {
            c_host::poll(*handle);
            while c_host::next(*handle).is_some() {}
        }
        done()
    });
}

/// Puts a long message.
fn put_of(handle: u32) -> Box<dyn Fn() -> i32> {
    put(handle, WS_BINARY, (0..LONG as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect())
}

fn put(handle: u32, kind: i32, bytes: Vec<u8>) -> Box<dyn Fn() -> i32> {
    // SAFETY: the bytes live.
    Box::new(move || unsafe { ws_put_packet(handle, bytes.as_ptr(), bytes.len(), kind) })
}

fn to_all(handle: u32, target: i32, len: usize) -> Box<dyn Fn() -> i32> {
    let bytes = vec![1; len];
    // SAFETY: the bytes live.
    Box::new(move || unsafe { ws_put_packet_to(handle, target, bytes.as_ptr(), bytes.len(), WS_BINARY) })
}

fn early() -> Scene {
    let edit = |config: &mut ws_config| config.flags |= WS_QUEUE_BEFORE_OPEN;
    let (server, port) = c_host::listen(None, edit);
    let client = c_host::connect(port, None, edit);
    Scene { handles: vec![server, client], act: put_of(client), arrive: 1 }
}

fn in_memory() -> Scene {
    let (mut server, mut client) = (0, 0);
    // SAFETY: the handles live, and NULL means the defaults.
    assert_eq!(unsafe { ws_pair(std::ptr::null(), &mut server, &mut client) }, WS_OK);
    drain_until("OPEN", &[server, client], || ws_get_state(client) == WS_OPEN && ws_get_state(server) == WS_OPEN);
    Scene { handles: vec![server, client], act: put_of(client), arrive: 1 }
}

struct Game {
    host: u32,
    joins: Vec<u32>,
}

/// A game whose node Game has the methods bytes, items and text.
fn game(flags: u32, joins: usize, act: fn(Game) -> Box<dyn Fn() -> i32>, arrive: usize) -> Scene {
    let game = open_game(flags, joins);
    let handles = [&[game.host], &game.joins[..]].concat();
    Scene { handles, act: act(game), arrive }
}

fn open_game(flags: u32, joins: usize) -> Game {
    let (host, port) = c_host::host(|config| {
        config.flags |= flags;
        config.max_put_bytes = WS_OFF;
    });
    let url = CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    let joins: Vec<u32> = (0..joins)
        .map(|_| {
            // SAFETY: a config is numbers and pointers.
            let (mut join, mut config) = (0, unsafe { std::mem::zeroed::<ws_config>() });
            // SAFETY: it lives.
            assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
            config.flags |= flags;
            config.max_put_bytes = WS_OFF;
            // SAFETY: everything lives.
            assert_eq!(unsafe { ws_join(url.as_ptr(), &config, &mut join) }, WS_OK, "{}", c_host::last_error());
            join
        })
        .collect();
    let all = [&[host], &joins[..]].concat();
    if flags & WS_SCENE != 0 {
        all.iter().for_each(|handle| declare(*handle));
    }
    // Until every peer knows all others.
    let mut met = 0;
    let every = joins.len() + joins.len() * joins.len();
    c_host::until("all have met", || {
        for handle in &all {
            c_host::poll(*handle);
            met +=
                std::iter::from_fn(|| c_host::next(*handle)).filter(|event| event.kind == WS_EVENT_CONNECTED).count();
        }
        met == every
    });
    Game { host, joins }
}

fn declare(handle: u32) {
    // SAFETY: the texts live.
    assert_eq!(
        unsafe { ws_declare_node(handle, c"Game".as_ptr(), c"bytes, items, text".as_ptr()) },
        WS_OK,
        "{}",
        c_host::last_error()
    );
}

/// Sends from the first join to the second.
fn to_one(game: &Game, kind: i32, bytes: Vec<u8>) -> Box<dyn Fn() -> i32> {
    let (from, to) = (game.joins[0], ws_get_peer_id(game.joins[1]));
    // SAFETY: the bytes live.
    Box::new(move || unsafe { ws_put_packet_to(from, to, bytes.as_ptr(), bytes.len(), kind) })
}

/// A call whose node id some receivers have confirmed; at a host with two joins, the other one gets it by path.
fn known(game: &Game, from: u32, method: &str) -> Box<dyn Fn() -> i32> {
    let short = encode(method, &[]);
    let to = if from == game.host { ws_get_peer_id(game.joins[0]) } else { 1 };
    // SAFETY: the bytes live.
    assert_eq!(unsafe { ws_put_packet_to(from, to, short.as_ptr(), short.len(), WS_CALL) }, WS_OK);
    let all = [&[game.host], &game.joins[..]].concat();
    let polls = std::cell::Cell::new(0);
    drain_until("the number is known", &all, || polls.replace(polls.get() + 1) > 20);
    put(from, WS_CALL, call(method))
}

fn call(method: &str) -> Vec<u8> {
    let blank = || ws_variant {
        r#type: WS_VARIANT_NIL,
        count: 0,
        integer: 0,
        number: [0.0; 16],
        data: std::ptr::null(),
        len: 0,
    };
    let bytes = vec![b'x'; LONG];
    let with = |kind| ws_variant { r#type: kind, count: LONG as u32, data: bytes.as_ptr(), len: LONG, ..blank() };
    match method {
        "bytes" => encode(method, &[with(WS_VARIANT_PACKED_BYTE_ARRAY)]),
        "text" => encode(method, &[with(WS_VARIANT_STRING)]),
        _ => {
            let count = 50_000;
            let mut items = vec![ws_variant { r#type: WS_VARIANT_ARRAY, count, ..blank() }];
            items.extend((0..count).map(|n| ws_variant {
                r#type: WS_VARIANT_INT,
                integer: i64::from(n) << 33,
                ..blank()
            }));
            encode(method, &items)
        }
    }
}

fn encode(method: &str, items: &[ws_variant]) -> Vec<u8> {
    let (method, mut out, mut len) = (CString::new(method).unwrap(), vec![0; LONG + 4_096], 0);
    // SAFETY: everything lives.
    let result = unsafe {
        ws_encode_call(
            c"Game".as_ptr(),
            method.as_ptr(),
            items.as_ptr(),
            items.len(),
            out.as_mut_ptr(),
            out.len(),
            &mut len,
        )
    };
    assert_eq!(result, WS_OK, "{}", c_host::last_error());
    out.truncate(len);
    out
}

/// A call of the first method of a node by its path, as Godot sends it.
fn by_path(path: &str, flags: u8, arguments: &[u8]) -> Vec<u8> {
    let place = (6 + arguments.len()) as u32 | 1 << 31;
    [&[0x20 | flags], &place.to_le_bytes()[..], &[0], arguments, path.as_bytes(), &[0]].concat()
}

fn simplify(path: &str) -> Vec<u8> {
    [&[1], &[b'0'; 32][..], &[0], &9_u32.to_le_bytes(), path.as_bytes(), &[0]].concat()
}

fn relay(to: i32, packet: &[u8]) -> Vec<u8> {
    [&[7, 3], &to.to_le_bytes()[..], packet].concat()
}

/// A plain client that sends raw bytes to a scene with one honest join, whose id is passed to `packet`.
fn stranger(packet: fn(i32) -> Vec<u8>, arrive: usize) -> Scene {
    let game = open_game(WS_SCENE, 1);
    let mut port = 0;
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_get_option(game.host, WS_OPT_PORT, &mut port) }, WS_OK);
    let client = c_host::connect(port as u16, None, |_| {});
    let all = [game.host, game.joins[0], client];
    drain_until("the plain client is connected", &all, || {
        c_host::conns(game.host).len() == 2 && ws_get_state(client) == WS_OPEN
    });
    let bytes = packet(ws_get_peer_id(game.joins[0]));
    Scene { handles: all.to_vec(), act: put(client, WS_BINARY, bytes), arrive }
}

/// A plain server that sends raw bytes to a join of a scene.
fn false_host(packet: fn() -> Vec<u8>) -> Scene {
    let (server, port) = c_host::listen(None, |_| {});
    let url = CString::new(format!("ws://127.0.0.1:{port}")).unwrap();
    // SAFETY: a config is numbers and pointers.
    let (mut join, mut config) = (0, unsafe { std::mem::zeroed::<ws_config>() });
    // SAFETY: everything lives.
    unsafe {
        assert_eq!(ws_config_init(&mut config, size_of::<ws_config>()), WS_OK);
        config.flags |= WS_SCENE;
        assert_eq!(ws_join(url.as_ptr(), &config, &mut join), WS_OK);
    }
    declare(join);
    drain_until("the client", &[server, join], || c_host::conns(server).len() == 1);
    assert_eq!(c_host::put(server, &7_i32.to_le_bytes()), WS_OK);
    drain_until("the id", &[server, join], || ws_get_state(join) == WS_OPEN);
    Scene { handles: vec![server, join], act: put(server, WS_BINARY, packet()), arrive: 1 }
}
