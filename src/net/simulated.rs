//! A stream with a simulated line: what is written leaves, and what was received can be read, when the model of the
//! line says so. It lies above TLS and below frames, and counts the bytes of the WebSocket stream.

mod half;
mod schedule;

pub use schedule::Schedule;

use super::time::Time;
use super::{MemoryEnd, Stream};
use crate::sim::Spec;
use half::{End, Half};
use schedule::Place;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Bytes passed on in one write.
const PIECE: usize = 64 << 10;
/// Bytes passed on and taken over at a time, before others have their turn.
const TURN: usize = 256 << 10;

/// What ws_set_sim gives to a link, or to the links of a server.
#[derive(Debug)]
pub struct Simulation {
    spec: Spec,
    time: Time,
    /// Number of links that it was given to: each has its own random numbers.
    links: Arc<AtomicU32>,
    /// Called when a stream is to be served earlier than it was known before.
    wake: fn(),
}

impl Simulation {
    /// A simulation in the time of a family.
    pub fn new(spec: Spec, time: Time, wake: fn()) -> Simulation {
        Simulation { spec, time, links: Arc::default(), wake }
    }

    /// The simulation for the next link of a client: without what happens only once.
    pub fn again(&self) -> Simulation {
        Simulation { spec: self.spec.again(), time: self.time.clone(), links: self.links.clone(), wake: self.wake }
    }
}

/// A stream with a simulated line. Its methods are never inlined: every read and write passes the choice of the stream,
/// whose other ways have to stay short.
pub struct Simulated {
    below: Stream,
    time: Time,
    /// The zero of the line's times.
    origin: Instant,
    /// From here to the peer.
    out: Half,
    /// From the peer to here.
    back: Half,
    /// The stream below takes nothing now; it will report when it does.
    blocked: bool,
    /// Why writing to the stream below has failed.
    failed: Option<ErrorKind>,
    /// Our direction has been ended.
    finished: bool,
    /// Bytes are left in the stream below which nothing will announce.
    more: bool,
    /// The simulation was switched off: what is held leaves, then the line is removed.
    off: bool,
    wake: fn(),
    /// When it is known that this stream has to be served.
    known: Option<Instant>,
    /// Where a server looks for the streams that it has to serve.
    place: Option<Place>,
}

impl Simulated {
    /// Gives a stream a line. `client`: this is the client's end.
    #[cold]
    #[inline(never)]
    pub(super) fn new(below: Stream, simulation: &Simulation, client: bool) -> Simulated {
        let index = simulation.links.fetch_add(1, Ordering::Relaxed);
        let [up, down] = simulation.spec.lines(index, 0);
        let (out, back) = if client { (up, down) } else { (down, up) };
        Simulated {
            below,
            time: simulation.time.clone(),
            origin: simulation.time.now(),
            out: Half::new(out),
            back: Half::new(back),
            blocked: false,
            failed: None,
            finished: false,
            more: true,
            off: false,
            wake: simulation.wake,
            known: None,
            place: None,
        }
    }

    /// Replaces the conditions. What is held keeps its times, and what follows comes behind it.
    pub(super) fn change(&mut self, simulation: &Simulation, client: bool) {
        let (index, now) = (simulation.links.fetch_add(1, Ordering::Relaxed), self.now());
        let [up, down] = simulation.spec.lines(index, now);
        let (out, back) = if client { (up, down) } else { (down, up) };
        self.out.change(out, now);
        self.back.change(back, now);
        self.off = false;
        self.note(now);
    }

    /// Removes the line once what it holds has left, which it does now.
    pub(super) fn switch_off(&mut self) {
        let now = self.now();
        let [first, second] = Spec::default().lines(0, now);
        for (half, line) in [(&mut self.out, first), (&mut self.back, second)] {
            half.change(line, now);
            half.hurry(now);
        }
        self.off = true;
        self.note(now);
    }

    /// Passes on what is due in both directions.
    #[cold]
    #[inline(never)]
    pub fn advance(&mut self) {
        let now = self.now();
        self.pass_on(now);
        self.take_over(now);
        self.note(now);
    }

    /// Whether the line was switched off and holds nothing any more.
    pub(super) fn is_spent(&self) -> bool {
        let is_free = self.out.is_empty() && self.back.is_empty() && !self.blocked && self.failed.is_none();
        self.off && is_free && !self.finished
    }

    /// The stream below. What is held is lost, or, with `passes_on`, leaves first as far as the stream takes it.
    #[cold]
    #[inline(never)]
    pub(super) fn into_below(mut self, passes_on: bool) -> Stream {
        if passes_on {
            let now = self.now();
            self.out.hurry(now);
            self.pass_on(now);
        }
        self.below
    }

    /// As `Stream::read`.
    #[cold]
    #[inline(never)]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let now = self.now();
        self.pass_on(now);
        self.take_over(now);
        let result = if buffer.is_empty() { Ok(0) } else { self.back.read(now, buffer) };
        if self.back.line.is_cut() {
            self.cut();
        }
        self.note(now);
        result
    }

    /// As `Stream::write`.
    #[cold]
    #[inline(never)]
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = self.now();
        self.pass_on(now);
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        let count = self.out.write(now, bytes);
        self.pass_on(now);
        self.note(now);
        if count == 0 && !bytes.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }

    /// As `Stream::write_vectored`.
    #[cold]
    #[inline(never)]
    pub(super) fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut total = 0;
        for part in parts.iter().filter(|part| !part.is_empty()) {
            match self.write(part) {
                Ok(count) if count < part.len() => return Ok(total + count),
                Ok(count) => total += count,
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// As `Stream::flush`: what the line holds counts as sent.
    #[cold]
    #[inline(never)]
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let now = self.now();
        self.pass_on(now);
        self.note(now);
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// Ends our direction behind what is held.
    #[cold]
    #[inline(never)]
    pub(super) fn shutdown_write(&mut self) {
        let now = self.now();
        self.finished = true;
        self.out.finish(now, End::Finished);
        self.pass_on(now);
        self.note(now);
    }

    /// Whether a read would return something now.
    #[cold]
    #[inline(never)]
    pub(super) fn holds_input(&self) -> bool {
        self.back.is_due(self.now()) || (self.more && self.back.line.has_room())
    }

    /// Whether bytes that are due wait for the stream below to take them.
    pub fn holds_output(&self) -> bool {
        self.blocked
    }

    /// Whether a write would be accepted, in part at least.
    pub fn has_room(&self) -> bool {
        self.out.line.has_room() && self.failed.is_none()
    }

    /// Bytes that wait for the bandwidth of the line; `None`: it has no limit.
    pub(super) fn waiting(&self) -> Option<usize> {
        self.out.line.waiting(self.now()).map(|bytes| bytes as usize)
    }

    /// Whether the line takes bytes over from the stream below.
    pub fn wants_input(&self) -> bool {
        self.back.line.has_room() && !self.back.has_end()
    }

    /// Bytes sent that the stream below has not taken.
    pub fn held_out(&self) -> usize {
        self.out.len()
    }

    /// Bytes of both directions, with what each packet counts beside its bytes, and the number of packets that were lost.
    pub fn counts(&self) -> [u64; 2] {
        [self.out.held() + self.back.held(), self.out.line.losses() + self.back.line.losses()]
    }

    /// When this stream has to be served next, if later than now.
    pub fn next(&self) -> Option<Instant> {
        self.next_after(self.now())
    }

    /// From now on the stream is reported to a server when it has to be served.
    pub fn report_to(&mut self, schedule: &Arc<Schedule>, key: u32, serial: u32) {
        self.place = Some(Place { schedule: schedule.clone(), key, serial });
        self.known = None;
        self.note(self.now());
    }

    pub(super) fn below(&self) -> &Stream {
        &self.below
    }

    pub(super) fn below_mut(&mut self) -> &mut Stream {
        &mut self.below
    }

    fn now(&self) -> u64 {
        self.time.now().saturating_duration_since(self.origin).as_micros() as u64
    }

    fn next_after(&self, now: u64) -> Option<Instant> {
        let out = if self.blocked { None } else { self.out.next() };
        // What has arrived waits for its reader, who knows of it.
        let back = self.back.next().filter(|next| *next > now);
        let more = (self.more && self.back.line.has_room()).then_some(now);
        let next = [out, back, more].into_iter().flatten().min()?;
        Some(self.origin + Duration::from_micros(next))
    }

    /// Reports when this stream has to be served, if that is earlier than what is known.
    fn note(&mut self, now: u64) {
        let Some(next) = self.next_after(now) else { return };
        if self.known.is_some_and(|known| known <= next && known > self.origin + Duration::from_micros(now)) {
            return;
        }
        self.known = Some(next);
        if let Some(place) = &self.place {
            place.report(next);
        }
        (self.wake)();
    }

    /// Passes what is due on to the stream below.
    fn pass_on(&mut self, now: u64) {
        let (mut tried, mut passed) = (std::mem::take(&mut self.blocked), 0);
        while self.failed.is_none()
            && passed < TURN
            && let Some(bytes) = self.out.due(now, PIECE)
        {
            tried = true;
            match self.below.write(bytes) {
                Ok(count) => {
                    passed += count;
                    self.out.take(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error.kind());
                    self.out.clear();
                }
            }
            if self.out.line.is_cut() {
                return self.cut();
            }
        }
        if tried && self.failed.is_none() {
            match self.below.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.blocked = true,
                Err(error) => self.failed = Some(error.kind()),
                Ok(()) => {}
            }
        }
        if !self.blocked && self.out.has_ended(now) {
            self.below.shutdown_write();
        }
    }

    /// Takes over what the stream below has received.
    fn take_over(&mut self, now: u64) {
        if self.back.has_end() {
            self.more = false;
            return;
        }
        let mut taken = 0;
        self.more = true;
        half::with_space(|space| {
            while self.back.line.has_room() && taken < TURN {
                match self.below.read(space) {
                    Ok(0) => self.back.finish(now, End::Finished),
                    Ok(count) => {
                        taken += count;
                        self.back.take_over(now, &space[..count]);
                        continue;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => self.back.finish(now, End::Failed(error)),
                }
                self.more = false;
                break;
            }
        });
    }

    /// Cuts the link: the other end loses it too.
    fn cut(&mut self) {
        let reset = || io::Error::from(ErrorKind::ConnectionReset);
        self.failed = Some(ErrorKind::ConnectionReset);
        self.out.clear();
        self.back.clear();
        self.back.end_now(End::Failed(reset()));
        self.blocked = false;
        self.more = false;
        let (dead, _) = MemoryEnd::pair(0);
        self.below = Stream::Memory(Box::new(dead));
    }
}
