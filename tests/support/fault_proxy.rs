//! A faulty network on loopback: a proxy that delays, splits, stalls, discards, resets, ends or corrupts the bytes of
//! each direction. It never reorders bytes, as TCP does not.
#![allow(dead_code)] // Each test program uses a part.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Directions: UP from client to server, DOWN back.
pub const UP: usize = 0;
pub const DOWN: usize = 1;

/// A fault of one direction from a certain byte on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The proxy stops reading, so that TCP slows the sender down.
    Stall,
    /// Bytes are read and discarded, like a pulled cable.
    Swallow,
    /// Both sockets are reset.
    Reset,
    /// The receiver sees the end of the stream.
    Fin,
    /// One bit of one byte is flipped; the rest passes unchanged.
    Flip(u8),
}

/// The faults of one direction of one connection.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub delay: Duration,
    /// Maximum of the additional random delay.
    pub jitter: Duration,
    pub bytes_per_s: Option<u32>,
    /// Maximum length of the pieces that are written; each has a random length.
    pub pieces: Option<usize>,
    /// The fault, and the number of bytes after which it begins.
    pub end: Option<(u64, End)>,
}

/// Number of bytes forwarded by a connection in each direction.
pub type Passed = [u64; 2];

/// Chooses the faults of each connection by its number.
pub type Plan = Box<dyn FnMut(usize) -> [Faults; 2] + Send>;

enum Order {
    Plan(Plan),
    EndAll(End),
    Stop,
}

/// A running proxy; dropping it stops it.
pub struct Proxy {
    pub port: u16,
    orders: Sender<Order>,
    waker: Arc<Waker>,
    passed: Arc<Mutex<Vec<Passed>>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Forwards to the port `to` on 127.0.0.1.
    pub fn new(to: u16) -> Proxy {
        let poll = Poll::new().unwrap();
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE).unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
        let (orders, inbox) = channel();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let mut run = Run {
            poll,
            listener,
            to,
            inbox,
            passed: passed.clone(),
            plan: Box::new(|_| Default::default()),
            lines: Vec::new(),
            dice: 0x5EED,
        };
        Proxy { port, orders, waker, passed, thread: Some(std::thread::spawn(move || run.run())) }
    }

    /// Sets the faults of later connections.
    pub fn plan(&self, plan: impl FnMut(usize) -> [Faults; 2] + Send + 'static) {
        self.order(Order::Plan(Box::new(plan)));
    }

    /// Applies a fault to both directions of all open connections, from now on.
    pub fn end_all(&self, end: End) {
        self.order(Order::EndAll(end));
    }

    /// The bytes forwarded by each connection so far.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap().clone()
    }

    fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
        self.waker.wake().unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.order(Order::Stop);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// Limit of the bytes in transit in one direction; above it the proxy stops reading.
const MOST: usize = 256 << 10;

struct Run {
    poll: Poll,
    listener: TcpListener,
    to: u16,
    inbox: Receiver<Order>,
    passed: Arc<Mutex<Vec<Passed>>>,
    plan: Plan,
    /// Never shrinks: a connection's number is its index.
    lines: Vec<Option<Box<Line>>>,
    dice: u64,
}

/// One connection: its two sockets, and the flow from `sockets[way]` to `sockets[1 - way]`.
struct Line {
    sockets: [TcpStream; 2],
    flows: [Flow; 2],
    /// Set when one end has closed but a fault hides it from the other: the connection is dropped then, as a router
    /// forgets it.
    forgotten_at: Option<Instant>,
}

#[derive(Default)]
struct Flow {
    faults: Faults,
    queue: VecDeque<(Instant, Vec<u8>)>,
    queued: usize,
    arrived: u64,
    written: u64,
    /// When the bytes queued so far have passed, at `bytes_per_s`.
    free_at: Option<Instant>,
    /// The source has ended its stream.
    source_ended: bool,
    /// The end of the stream was forwarded, or is never to be.
    reported: bool,
    ended: Option<End>,
}

impl Run {
    fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            let busy = self.lines.iter().flatten().any(|line| line.flows.iter().any(|flow| !flow.queue.is_empty()));
            let timeout = if busy { Duration::from_millis(1) } else { Duration::from_millis(100) };
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => panic!("{error}"),
                _ => {}
            }
            while let Ok(order) = self.inbox.try_recv() {
                match order {
                    Order::Plan(plan) => self.plan = plan,
                    Order::EndAll(end) => {
                        for line in self.lines.iter_mut().flatten() {
                            for flow in &mut line.flows {
                                flow.faults.end = Some((flow.arrived, end));
                                flow.ended = None;
                            }
                        }
                    }
                    Order::Stop => return,
                }
            }
            self.accept();
            for at in 0..self.lines.len() {
                let Some(line) = &mut self.lines[at] else { continue };
                let lives = line.step(&mut self.dice);
                self.passed.lock().unwrap()[at] = [line.flows[UP].written, line.flows[DOWN].written];
                if !lives {
                    self.lines[at] = None;
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((client, _)) = self.listener.accept() {
            let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.to))).unwrap();
            let number = self.lines.len();
            let mut sockets = [client, server];
            for (side, socket) in sockets.iter_mut().enumerate() {
                self.poll
                    .registry()
                    .register(socket, Token(2 * number + side), Interest::READABLE | Interest::WRITABLE)
                    .unwrap();
                let _ = socket.set_nodelay(true);
            }
            let flows = (self.plan)(number).map(|faults| Flow { faults, ..Flow::default() });
            self.lines.push(Some(Box::new(Line { sockets, flows, forgotten_at: None })));
            self.passed.lock().unwrap().push([0; 2]);
        }
    }
}

impl Line {
    /// Forwards what is due. Returns false when the connection has ended.
    fn step(&mut self, dice: &mut u64) -> bool {
        let now = Instant::now();
        for way in [UP, DOWN] {
            let flow = &mut self.flows[way];
            let failed = flow.receive(&mut self.sockets[way], now, dice).is_err()
                || flow.send(&mut self.sockets[1 - way], now).is_err();
            if failed || flow.ended == Some(End::Reset) {
                for socket in &self.sockets {
                    // Closing without linger sends a reset.
                    let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
                }
                return false;
            }
        }
        let silent = self.flows.iter().any(|flow| matches!(flow.ended, Some(End::Stall | End::Swallow)));
        if silent && self.flows.iter().any(|flow| flow.source_ended) {
            let forgotten_at = *self.forgotten_at.get_or_insert(now + Duration::from_secs(10));
            if now >= forgotten_at {
                return false;
            }
        }
        !self.flows.iter().all(|flow| flow.reported)
    }
}

impl Flow {
    fn receive(&mut self, from: &mut TcpStream, now: Instant, dice: &mut u64) -> std::io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while self.queued < MOST
            && !self.source_ended
            && self.ended != Some(End::Stall)
            && self.ended != Some(End::Reset)
        {
            match from.read(&mut buffer) {
                Ok(0) => self.source_ended = true,
                Ok(count) => self.take(&mut buffer[..count], now, dice),
                Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::NotConnected => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // A fault that begins at the next byte takes effect without waiting for that byte.
        if let Some((at, end)) = self.faults.end
            && self.ended.is_none()
            && self.arrived >= at
            && !matches!(end, End::Flip(_))
        {
            self.ended = Some(end);
        }
        Ok(())
    }

    fn take(&mut self, bytes: &mut [u8], now: Instant, dice: &mut u64) {
        let start = self.arrived;
        self.arrived += bytes.len() as u64;
        let mut good = bytes.len();
        if let Some((at, end)) = self.faults.end
            && self.arrived > at
        {
            let place = at.saturating_sub(start) as usize;
            match end {
                End::Flip(bit) if self.ended.is_none() => {
                    bytes[place] ^= 1 << (bit & 7);
                    self.ended = Some(end);
                }
                End::Flip(_) => {}
                _ => {
                    good = place;
                    self.ended = Some(end);
                }
            }
        }
        let mut rest = &bytes[..good];
        while !rest.is_empty() {
            let most = self.faults.pieces.unwrap_or(rest.len());
            let (piece, after) = rest.split_at(if self.faults.pieces.is_some() {
                1 + roll(dice, most.min(rest.len()))
            } else {
                rest.len()
            });
            rest = after;
            let jitter = self.faults.jitter.mul_f64(roll(dice, 1_000) as f64 / 1_000.0);
            let mut due = now + self.faults.delay + jitter;
            if let Some(rate) = self.faults.bytes_per_s {
                due = due.max(self.free_at.unwrap_or(due))
                    + Duration::from_secs_f64(piece.len() as f64 / f64::from(rate));
                self.free_at = Some(due);
            }
            // In order, despite the jitter.
            due = self.queue.back().map_or(due, |(last, _)| due.max(*last));
            self.queued += piece.len();
            self.queue.push_back((due, piece.to_vec()));
        }
    }

    fn send(&mut self, to: &mut TcpStream, now: Instant) -> std::io::Result<()> {
        while let Some((due, piece)) = self.queue.front_mut() {
            if *due > now {
                return Ok(());
            }
            match to.write(piece) {
                Ok(count) => {
                    self.written += count as u64;
                    self.queued -= count;
                    piece.drain(..count);
                    if piece.is_empty() {
                        self.queue.pop_front();
                        // One piece, one segment.
                        if self.faults.pieces.is_some() && self.faults.delay > Duration::ZERO {
                            return Ok(());
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::NotConnected => {
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if (self.source_ended && self.ended.is_none_or(|end| matches!(end, End::Flip(_)))
            || self.ended == Some(End::Fin))
            && !self.reported
        {
            self.reported = true;
            let _ = to.shutdown(Shutdown::Write);
        }
        // A discarding flow does not forward the end, but counts as ended.
        self.reported |= self.source_ended && self.ended.is_some();
        Ok(())
    }
}

/// A number from 0 to `end` - 1, by Marsaglia's xorshift64.
fn roll(dice: &mut u64, end: usize) -> usize {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    (*dice % end.max(1) as u64) as usize
}
