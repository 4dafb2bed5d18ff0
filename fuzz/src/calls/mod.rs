//! Any sequence of calls of the C ABI, right and wrong, over ends in memory and over loopback, beside a model that knows what was accepted.

mod ask;
mod open;
mod scenes;
mod topics;

use super::input::Input;
use super::links::Way;
use std::ffi::CString;
use std::ptr::{null, null_mut};
use std::slice;
use wspeer::codes::*;
use wspeer::ffi::*;

/// Handles at a time; those of a server's clients come beside them.
const MOST_ENDS: usize = 12;
/// Calls in one input.
const MOST_CALLS: usize = 400;

/// Helps the other targets.
pub struct Call;

impl Call {
    /// What an attached end wants to send.
    pub fn output(handle: u32) -> Vec<u8> {
        let (mut buffer, mut len) = (vec![0; 1 << 16], 0);
        // SAFETY: the buffer and the length live.
        unsafe { ws_take_output(handle, buffer.as_mut_ptr(), buffer.len(), &mut len) };
        buffer.truncate(len);
        buffer
    }
}

/// This thread's last error.
pub fn sentence() -> String {
    let mut buffer = [0u8; 512];
    // SAFETY: the buffer lives.
    unsafe { ws_last_error(buffer.as_mut_ptr().cast(), buffer.len(), null_mut()) };
    let end = buffer.iter().position(|byte| *byte == 0).expect("text ends with a NUL");
    String::from_utf8(buffer[..end].to_vec()).expect("text is UTF-8")
}

pub fn calls(data: &[u8]) {
    let mut world = World::default();
    let mut input = Input(data);
    for _ in 0..MOST_CALLS {
        if input.is_empty() {
            break;
        }
        world.call(&mut input);
    }
    world.settle();
    if input.byte() & 1 == 0 {
        ws_shutdown();
    }
    world.free_all();
}

/// What a handle is to the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// An end of a link, and which.
    End {
        link: usize,
        side: usize,
    },
    Server,
    /// An end with a transport of the host's, or of a game: only its calls are checked.
    Other,
}

struct Known {
    handle: u32,
    part: Part,
    /// What was lent last, and the bytes as they were.
    lent: Option<(*const u8, Vec<u8>)>,
    /// The end was told.
    over: bool,
}

/// Ways of a link: `ways[side]` is what that side put.
#[derive(Default)]
struct Link {
    ways: [Way; 2],
    /// The path that tells a server's client from others; empty for a pair.
    path: String,
    /// The topics of the server's client.
    topics: [bool; 2],
}

#[derive(Default)]
struct World {
    known: Vec<Known>,
    links: Vec<Link>,
    /// A server and its port.
    server: Option<(u32, u32)>,
    clients: usize,
    /// Messages that were put as the latest of their keys.
    keys: u32,
    /// Numbers of nodes that were spawned or declared.
    nodes: Vec<u32>,
}

impl World {
    fn call(&mut self, input: &mut Input) {
        let what = input.below(21);
        if std::env::var_os("WSPEER_FUZZ_TELL").is_some() {
            eprintln!(
                "{what} {:?} of {:x?}",
                &input.0[..input.0.len().min(6)],
                self.known.iter().map(|k| (k.handle, k.part)).collect::<Vec<_>>()
            );
        }
        match what {
            0 => self.pair(input),
            1 => self.listen(input),
            2 => self.connect(input),
            3 => self.others(input),
            4..=6 => self.put(input),
            7..=9 => self.poll(input),
            10..=12 => self.read(input),
            13 => self.close(input),
            14 => self.free(input),
            15 => self.ask(input),
            16 => self.set(input),
            17 => self.feed(input),
            18 => self.wrong(input),
            20 => self.replicate(input),
            _ => self.put_to_all(input),
        }
    }

    fn add(&mut self, handle: u32, part: Part) {
        assert!(handle != 0 && handle < 1 << 31, "{handle:#x} is no handle");
        assert!(self.known.iter().all(|known| known.handle != handle), "a handle that is in use was given again");
        self.known.push(Known { handle, part, lent: None, over: false });
    }

    fn choose(&self, input: &mut Input) -> Option<usize> {
        let which = input.byte();
        (!self.known.is_empty()).then(|| usize::from(which) % self.known.len())
    }

    fn put(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let (how, len) = (input.byte(), length(input));
        let kind = 1 + i32::from(how & 1);
        // A quarter of the puts are several messages in one call.
        let several = if how & 6 == 6 { usize::from(how >> 4) } else { 1 };
        let handle = self.known[at].handle;
        let (link, side) = match self.known[at].part {
            Part::End { link, side } => (link, side),
            Part::Server => return,
            Part::Other => {
                let bytes = vec![b'x'; len];
                // SAFETY: the bytes live.
                unsafe {
                    match how & 8 {
                        0 => checked(ws_put_packet(handle, bytes.as_ptr(), len, kind)),
                        _ => checked(ws_put_latest(handle, 0, u32::from(how >> 4), bytes.as_ptr(), len, kind)),
                    }
                };
                return;
            }
        };
        let way = &mut self.links[link].ways[side];
        let bytes: Vec<_> = (0..several as u64).map(|ahead| way.bytes_ahead(ahead, len)).collect();
        let result = match &bytes[..] {
            // Each key is another one, so nothing is replaced.
            [one] if how & 8 != 0 => {
                self.keys += 1;
                // SAFETY: the bytes live.
                checked(unsafe { ws_put_latest(handle, 0, self.keys, one.as_ptr(), len, kind) })
            }
            // SAFETY: the bytes live.
            [one] => checked(unsafe { ws_put_packet(handle, one.as_ptr(), len, kind) }),
            all => {
                let of = |bytes: &Vec<u8>| ws_packet_out { data: bytes.as_ptr(), len, r#type: kind, target: 0 };
                let packets: Vec<_> = all.iter().map(of).collect();
                let mut taken = usize::MAX;
                // SAFETY: the packets and their bytes live.
                let result = checked(unsafe { ws_put_packets(handle, packets.as_ptr(), several, &mut taken) });
                assert_eq!(result == WS_OK, taken == several, "{taken} of {several} messages were taken: {result}");
                // One that is accepted is counted below.
                (usize::from(result == WS_OK)..taken).for_each(|_| way.accepted(len, kind, false));
                result
            }
        };
        match result {
            WS_OK if several == 0 => {}
            WS_OK => way.accepted(len, kind, false),
            WS_ERR_FULL | WS_ERR_STATE | WS_ERR_TOO_BIG => {}
            // A server's client retires when its server is polled after its end.
            WS_ERR_HANDLE if side == 0 && self.known[at].over => {}
            _ => panic!("a put gave {result}: {}", sentence()),
        }
    }

    fn put_to_all(&mut self, input: &mut Input) {
        let how = input.byte();
        if how & 2 != 0 {
            return self.topics(input, how);
        }
        let Some((server, _)) = self.server else { return };
        let (kind, len) = (1 + i32::from(how & 1), length(input));
        // All clients have to expect the same bytes, so nothing but the first of each link can be put.
        let bytes = Way::default().next_bytes(len);
        let fresh = self.links.iter().filter(|link| !link.path.is_empty()).all(|link| link.ways[0].is_new());
        if !fresh {
            return;
        }
        // SAFETY: the bytes live.
        let result = checked(unsafe { ws_put_packet(server, bytes.as_ptr(), len, kind) });
        if result < 0 {
            return;
        }
        // A client may be there of whom the host has not read yet.
        for link in self.links.iter_mut().filter(|link| !link.path.is_empty()) {
            link.ways[0].accepted(len, kind, true);
        }
    }

    fn poll(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let result = self.poll_one(at);
        assert!(result >= 0 || result == WS_ERR_HANDLE && self.retires(at), "a poll gave {result}");
    }

    fn poll_one(&mut self, at: usize) -> i32 {
        let result = checked(ws_poll(self.known[at].handle));
        // What was read through the handle of a server's client is lent until it retires.
        self.known
            .iter_mut()
            .filter(|known| ws_get_state(known.handle) == WS_ERR_HANDLE)
            .for_each(|known| known.lent = None);
        result
    }

    /// Whether the handle may be stale: a server's client whose end was told, or whose server is gone.
    fn retires(&self, at: usize) -> bool {
        let Part::End { link, side: 0 } = self.known[at].part else { return self.known[at].part == Part::Other };
        !self.links[link].path.is_empty()
    }

    fn read(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let how = input.byte();
        self.check_loan(at);
        let handle = self.known[at].handle;
        // SAFETY: events and packets are numbers and pointers; the arrays live.
        unsafe {
            let mut events = [std::mem::zeroed::<ws_event>(); 3];
            let mut count = 0;
            let result = match how % 4 {
                0 => {
                    let result = ws_next_event(handle, &mut events[0]);
                    count = usize::from(result == WS_OK);
                    result
                }
                1 => ws_next_events(handle, events.as_mut_ptr(), 1 + usize::from(how >> 7), &mut count),
                _ => {
                    let mut packets = [std::mem::zeroed::<ws_packet>(); 3];
                    let result = if how % 4 == 2 {
                        let result = ws_get_packet(handle, &mut packets[0]);
                        count = usize::from(result == WS_OK);
                        result
                    } else {
                        ws_get_packets(handle, packets.as_mut_ptr(), 3, &mut count)
                    };
                    for (event, packet) in events.iter_mut().zip(packets) {
                        (event.r#type, event.conn, event.packet) = (scenes::event_of(&packet), packet.conn, packet);
                    }
                    result
                }
            };
            checked(result);
            assert!(count <= 3 && (result == WS_OK) == (count > 0), "{result} with {count} items");
            for event in &events[..count] {
                self.item(at, event);
            }
            self.known[at].lent = events[..count].last().map(|event| {
                let bytes = slice::from_raw_parts(event.packet.data, event.packet.len);
                (event.packet.data, bytes.to_vec())
            });
        }
    }

    fn item(&mut self, at: usize, event: &ws_event) {
        assert!(!event.packet.data.is_null());
        // SAFETY: what was lent by the last read.
        let bytes = unsafe { slice::from_raw_parts(event.packet.data, event.packet.len) };
        scenes::check_nodes(event, bytes);
        let of_server = self.known[at].part == Part::Server;
        // A host that takes messages alone meets a client by its first one.
        if of_server && event.conn != self.known[at].handle && self.of_conn(event.conn).is_none() {
            self.connected(event.conn);
        }
        let Some(owner) = (if of_server { self.of_conn(event.conn) } else { Some(at) }) else { return };
        let Part::End { link, side } = self.known[owner].part else { return };
        match event.r#type {
            WS_EVENT_MESSAGE => {
                let way = &mut self.links[link].ways[1 - side];
                way.arrived(bytes, event.packet.r#type);
                assert!(!self.known[owner].over, "a message came after the end");
            }
            WS_EVENT_CLOSED | WS_EVENT_DISCONNECTED => {
                assert!(!self.known[owner].over, "the end was told twice");
                assert!(!bytes.is_empty() && std::str::from_utf8(bytes).is_ok(), "an end says why");
                self.known[owner].over = true;
                // What the other end put may be lost only when this end says that it is not a clean one.
                let way = &self.links[link].ways[1 - side];
                assert!(
                    event.clean == 0 || way.broken || way.waiting() == 0,
                    "{} messages were lost before a clean end",
                    way.waiting()
                );
            }
            WS_EVENT_OPEN
            | WS_EVENT_CLOSE_REQUEST
            | WS_EVENT_WRITABLE
            | WS_EVENT_SKIPPED
            | WS_EVENT_ERROR
            | WS_EVENT_CONNECTED => {}
            other => panic!("{other} is no event"),
        }
    }

    /// A server's client: its path says whose other end it is.
    fn connected(&mut self, conn: u32) {
        let mut path = [0u8; 16];
        let mut len = 0;
        // SAFETY: the buffer lives.
        if unsafe { ws_get_text(conn, WS_GET_PATH, path.as_mut_ptr().cast(), path.len(), &mut len) } != WS_OK {
            return;
        }
        let path = std::str::from_utf8(&path[..len]).expect("text is UTF-8");
        let link = self.links.iter().position(|link| link.path == path).expect("a client of this server");
        self.add(conn, Part::End { link, side: 0 });
    }

    fn of_conn(&self, conn: u32) -> Option<usize> {
        self.known.iter().position(|known| known.handle == conn)
    }

    fn check_loan(&mut self, at: usize) {
        if let Some((data, was)) = self.known[at].lent.take() {
            // SAFETY: nothing was read through this handle since, and it was not freed.
            let now = unsafe { slice::from_raw_parts(data, was.len()) };
            assert_eq!(now, was, "lent bytes have changed");
        }
    }

    fn close(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let (how, code) = (input.byte(), input.byte());
        let code = [0, -1, 1000, 1001, 1005, 1006, 1015, 2999, 3000, 4999, 5000, i32::MIN][usize::from(code) % 12];
        let handle = self.known[at].handle;
        let reason = CString::new(vec![b'r'; usize::from(how) % 140]).expect("no NUL");
        // SAFETY: the text lives.
        let result = checked(unsafe {
            match how % 3 {
                0 => ws_close(handle, code, null()),
                1 => ws_close(handle, code, reason.as_ptr()),
                _ => ws_disconnect(handle, code.wrapping_neg().min(1), 0, null()),
            }
        });
        if result >= 0 && code == -1 {
            self.break_links_of(at);
        }
        if result >= 0 && how % 3 == 2 {
            // Nothing that a client sent is delivered after ws_disconnect.
            let of_server = |link: &&mut Link| !link.path.is_empty();
            self.links.iter_mut().filter(of_server).for_each(|link| link.ways[1].broken = true);
        }
    }

    fn break_links_of(&mut self, at: usize) {
        match self.known[at].part {
            Part::End { link, .. } => self.links[link].ways.iter_mut().for_each(|way| way.broken = true),
            Part::Server => self
                .links
                .iter_mut()
                .filter(|link| !link.path.is_empty())
                .for_each(|link| link.ways.iter_mut().for_each(|way| way.broken = true)),
            Part::Other => {}
        }
    }

    fn free(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        self.check_loan(at);
        self.break_links_of(at);
        let gone = self.known.remove(at);
        ws_free(gone.handle);
        assert_eq!(ws_get_state(gone.handle), WS_ERR_HANDLE, "a freed handle is stale");
        ws_free(gone.handle);
        if gone.part == Part::Server {
            self.server = None;
            self.known.retain(|known| ws_get_state(known.handle) != WS_ERR_HANDLE);
        }
    }

    /// Polls and reads everything: what was accepted over a link that lives on has to arrive.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            let mut moved = false;
            for at in 0..self.known.len() {
                moved |= self.poll_one(at) == WS_MORE;
            }
            let mut at = 0;
            while at < self.known.len() {
                self.check_loan(at);
                // SAFETY: an event is numbers and pointers.
                let mut event = unsafe { std::mem::zeroed::<ws_event>() };
                // SAFETY: it lives.
                while unsafe { ws_next_event(self.known[at].handle, &mut event) } == WS_OK {
                    self.item(at, &event);
                    moved = true;
                }
                at += 1;
            }
            let open = |world: &World, link: usize| {
                let ends =
                    world.known.iter().filter(|known| matches!(known.part, Part::End { link: of, .. } if of == link));
                ends.filter(|known| ws_get_state(known.handle) == WS_OPEN).count() == 2
            };
            let waits = (0..self.links.len()).any(|link| {
                open(self, link) && self.links[link].ways.iter().any(|way| !way.broken && way.waiting() > 0)
            });
            if !waits && !moved {
                return;
            }
        }
        panic!("what was accepted does not arrive");
    }

    fn free_all(&mut self) {
        for known in self.known.drain(..) {
            ws_free(known.handle);
            assert_eq!(ws_get_state(known.handle), WS_ERR_HANDLE);
        }
    }
}

/// No result is a caught panic or an unknown number; failures have a sentence.
fn checked(result: i32) -> i32 {
    assert!((WS_ERR_PANIC + 1..=WS_TRUNCATED).contains(&result), "{result}: {}", sentence());
    if result < 0 {
        assert!(!sentence().is_empty(), "{result} without a sentence");
    }
    result
}

/// Around the places where something changes.
fn length(input: &mut Input) -> usize {
    let low = usize::from(input.byte());
    match input.byte() % 16 {
        0 => 120 + low % 12,
        1 => 65_530 + low % 12,
        2 => low * 1_024,
        3 => 0,
        _ => low,
    }
}
