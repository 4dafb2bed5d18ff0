//! `wspeer bench`: round trips to an echo server.

use crate::alarm::Alarm;
use crate::args::Bench;
use crate::failure::{FAILED, Failure, Outcome};
use crate::histogram::{Histogram, shown};
use crate::interrupt::Interrupt;
use crate::terminal::{Progress, Terminal, harmless, print, say};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wspeer::{Client, Conn, Event, MessageKind, Payload};

/// How often the progress is drawn.
const DRAWN: Duration = Duration::from_millis(100);
/// After the measurement, answers that are under way are waited for so long.
const LATE: Duration = Duration::from_secs(2);
/// Messages that one client sends before another has its turn: those of a high rate may all be due.
const AT_ONCE: usize = 256;
/// A wait ends up to a millisecond late, which is no fault of the server.
const OWN_DELAY: Duration = Duration::from_millis(2);

pub fn run(given: &Bench, terminal: Terminal) -> Outcome {
    let config = given.connect.config()?.deflate(given.deflate).max_message_bytes(given.size.max(16 << 20));
    let mut alarm = Alarm::new()?;
    let interrupt = Interrupt::listen(alarm.bell())?;
    let began = Instant::now();
    let clients = (0..given.clients)
        .map(|_| Client::connect_with(&given.connect.url, &config).map(Caller::new))
        .collect::<Result<Vec<_>, _>>()?;
    let mut bench = Measurement {
        given,
        callers: clients,
        latencies: Histogram::new(),
        answered: 0,
        unexpected: 0,
        failure: None,
        start: None,
        took: None,
        in_time: 0,
        opening: Duration::ZERO,
    };
    let mut progress = Progress::new();
    let mut drawn = began;
    loop {
        let now = Instant::now();
        bench.poll()?;
        if bench.callers.iter().all(|caller| caller.has_ended) {
            break;
        }
        if bench.start.is_none() && bench.callers.iter().all(|caller| caller.client.is_open()) {
            bench.start = Some(now);
            bench.opening = now - began;
        }
        let phase = bench.phase(now, interrupt.has_come());
        if bench.took.is_none() && !matches!(phase, Phase::Opening | Phase::Sending) {
            bench.took = bench.start.map(|start| now - start);
            bench.in_time = bench.answered;
        }
        match phase {
            Phase::Opening => {}
            Phase::Sending => bench.send(now)?,
            Phase::Waiting => {}
            Phase::Closing => bench.close()?,
        }
        if terminal.is_err_seen && now - drawn >= DRAWN {
            drawn = now;
            progress.draw(bench.part(now), &bench.summary(now));
        }
        let mut handles: Vec<u32> = bench.callers.iter().map(|caller| caller.client.raw()).collect();
        alarm.wait(&mut handles, bench.next(phase, now, terminal.is_err_seen.then_some(drawn + DRAWN)))?;
    }
    progress.erase();
    if let Some(sentence) = bench.failure.take() {
        return Err(Failure::Said(FAILED, sentence));
    }
    if bench.start.is_some() {
        bench.report(terminal)?;
    }
    if interrupt.has_come() {
        return Ok(interrupt.exit_code());
    }
    let unanswered: usize = bench.callers.iter().map(|caller| caller.under_way.len()).sum();
    match (bench.answered, unanswered) {
        (0, _) => Err(Failure::Said(
            FAILED,
            "no message came back: does the server send back what it gets? `wspeer serve` has /echo".to_owned(),
        )),
        (_, 0) => Ok(0),
        (_, count) => Err(Failure::Said(FAILED, format!("{count} messages did not come back within {}", shown(LATE)))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Sending,
    /// For the answers that are under way.
    Waiting,
    Closing,
}

/// One connection.
struct Caller {
    client: Client,
    /// When each message under way was sent, or due.
    under_way: VecDeque<Instant>,
    sent: u64,
    answered: u64,
    is_closing: bool,
    has_ended: bool,
}

impl Caller {
    fn new(client: Client) -> Caller {
        Caller { client, under_way: VecDeque::new(), sent: 0, answered: 0, is_closing: false, has_ended: false }
    }
}

struct Measurement<'a> {
    given: &'a Bench,
    callers: Vec<Caller>,
    latencies: Histogram,
    answered: u64,
    /// Messages that are not the next one that was sent: a greeting, or those of others.
    unexpected: u64,
    /// Why it cannot go on.
    failure: Option<String>,
    /// When all connections were open.
    start: Option<Instant>,
    /// How long messages were sent, once that is over, and how many were answered until then.
    took: Option<Duration>,
    in_time: u64,
    opening: Duration,
}

impl Measurement<'_> {
    fn phase(&self, now: Instant, is_interrupted: bool) -> Phase {
        if is_interrupted || self.failure.is_some() {
            return Phase::Closing;
        }
        let Some(start) = self.start else { return Phase::Opening };
        let end = start + self.given.duration;
        let has_enough = self.given.messages.is_some_and(|messages| self.answered >= messages);
        if now < end && !has_enough {
            return Phase::Sending;
        }
        let is_answered = self.callers.iter().all(|caller| caller.under_way.is_empty());
        if is_answered || (now >= end + LATE) { Phase::Closing } else { Phase::Waiting }
    }

    fn poll(&mut self) -> Result<(), wspeer::Error> {
        let mut expected = Vec::new();
        for caller in self.callers.iter_mut().filter(|caller| !caller.has_ended) {
            caller.client.poll()?;
            for event in caller.client.events() {
                match event {
                    Event::Message(message) => {
                        fill(&mut expected, self.given.size, caller.answered);
                        let kind = if self.given.text { MessageKind::Text } else { MessageKind::Binary };
                        if message.kind() != kind || message.bytes() != expected || caller.under_way.is_empty() {
                            self.unexpected += 1;
                            continue;
                        }
                        caller.answered += 1;
                        self.answered += 1;
                        if let Some(since) = caller.under_way.pop_front() {
                            self.latencies.add(since.elapsed());
                        }
                    }
                    Event::Closed(end) => {
                        caller.has_ended = true;
                        if !caller.is_closing {
                            self.failure.get_or_insert_with(|| harmless(end.sentence));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn send(&mut self, now: Instant) -> Result<(), wspeer::Error> {
        let Some(start) = self.start else { return Ok(()) };
        let mut message = Vec::new();
        let mut left = self
            .given
            .messages
            .map(|messages| messages.saturating_sub(self.callers.iter().map(|caller| caller.sent).sum()));
        let count = self.callers.len();
        for (index, caller) in self.callers.iter_mut().enumerate() {
            for _ in 0..AT_ONCE {
                let due = self.given.rate.map(|rate| start + due(caller.sent, index, count, rate));
                let may = match due {
                    Some(due) => due <= now,
                    None => caller.under_way.len() < self.given.in_flight as usize,
                };
                if !may || left == Some(0) {
                    break;
                }
                fill(&mut message, self.given.size, caller.sent);
                let since = due.filter(|due| now - *due > OWN_DELAY).unwrap_or_else(Instant::now);
                if !put(caller.client.handle(), self.given.text, &message)? {
                    break;
                }
                caller.under_way.push_back(since);
                caller.sent += 1;
                left = left.map(|left| left - 1);
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), wspeer::Error> {
        for caller in self.callers.iter_mut().filter(|caller| !caller.is_closing && !caller.has_ended) {
            caller.is_closing = true;
            caller.client.close(1000, "")?;
        }
        Ok(())
    }

    /// When something is to be done that no connection reports.
    fn next(&self, phase: Phase, now: Instant, drawn: Option<Instant>) -> Option<Instant> {
        let end = self.start.map(|start| start + self.given.duration);
        let due = match (phase, self.given.rate, self.start) {
            (Phase::Sending, Some(rate), Some(start)) => {
                let count = self.callers.len();
                let times = self.callers.iter().enumerate().map(|(index, caller)| due(caller.sent, index, count, rate));
                times.min().map(|time| (start + time).max(now + Duration::from_micros(100)))
            }
            _ => None,
        };
        let end = match phase {
            Phase::Sending => end,
            Phase::Waiting => end.map(|end| end + LATE),
            Phase::Opening | Phase::Closing => None,
        };
        [due, end, drawn].into_iter().flatten().min()
    }

    fn part(&self, now: Instant) -> f64 {
        let Some(start) = self.start else { return 0.0 };
        let time = (now - start).as_secs_f64() / self.given.duration.as_secs_f64().max(1e-9);
        let messages = self.given.messages.map_or(0.0, |messages| self.answered as f64 / messages as f64);
        time.max(messages)
    }

    /// How long messages have been sent.
    fn time(&self, now: Instant) -> Duration {
        self.took.or(self.start.map(|start| now - start)).unwrap_or_default()
    }

    /// Round trips a second.
    fn speed(&self, now: Instant) -> f64 {
        let answered = if self.took.is_some() { self.in_time } else { self.answered };
        answered as f64 / self.time(now).as_secs_f64().max(1e-9)
    }

    fn summary(&self, now: Instant) -> String {
        if self.start.is_none() {
            let open = self.callers.iter().filter(|caller| caller.client.is_open()).count();
            return format!("{open} of {} connections are open", self.callers.len());
        }
        format!("{:.0} round trips/s, p50 {}", self.speed(now), shown(self.latencies.within(0.5)))
    }

    fn report(&self, terminal: Terminal) -> Outcome<()> {
        let now = Instant::now();
        let time = self.time(now);
        let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
        let count = self.latencies.count();
        if self.given.json {
            let us = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e6);
            let parts: Vec<String> = quantiles
                .iter()
                .map(|(name, part)| format!(r#""{name}_us":{}"#, us(self.latencies.within(*part))))
                .collect();
            return print(&format!(
                r#"{{"clients":{},"size":{},"round_trips":{count},"seconds":{:.3},"round_trips_per_s":{:.1},"opening_ms":{:.1},"mean_us":{},{},"max_us":{},"unexpected":{}}}"#,
                self.callers.len(),
                self.given.size,
                time.as_secs_f64(),
                self.speed(now),
                self.opening.as_secs_f64() * 1e3,
                us(self.latencies.mean()),
                parts.join(","),
                us(self.latencies.longest()),
                self.unexpected,
            ));
        }
        let paint = terminal.out;
        print(&format!(
            "{count} round trips of {} bytes in {} over {} connections, which were open after {}",
            self.given.size,
            shown(time),
            self.callers.len(),
            shown(self.opening)
        ))?;
        let speed = self.speed(now);
        let bytes = speed * f64::from(self.given.size);
        print(&format!("{} round trips/s, {:.2} MB/s each way", paint.bold(&format!("{speed:.0}")), bytes / 1e6))?;
        let mut line = format!("mean {}", shown(self.latencies.mean()));
        for (name, part) in quantiles {
            line += &format!("  {name} {}", shown(self.latencies.within(part)));
        }
        print(&format!("{line}  max {}", paint.bold(&shown(self.latencies.longest()))))?;
        for row in self.latencies.plot(paint) {
            print(&row)?;
        }
        if self.unexpected > 0 {
            say(&format!("{} other messages came, which were not counted", self.unexpected));
        }
        Ok(())
    }
}

/// When a client's message of this number is due, after the start. The clients take turns.
fn due(number: u64, client: usize, clients: usize, rate: f64) -> Duration {
    Duration::from_secs_f64((number as f64 + client as f64 / clients as f64) / rate)
}

/// The message of this number: its number, filled with "x".
fn fill(message: &mut Vec<u8>, size: u32, number: u64) {
    let digits = number.to_string();
    message.clear();
    message.extend(digits.bytes().take(size as usize));
    message.resize(size as usize, b'x');
}

/// Returns false if the queue is full, or the connection has ended.
fn put(conn: Conn, is_text: bool, message: &[u8]) -> Result<bool, wspeer::Error> {
    let kind = if is_text { MessageKind::Text } else { MessageKind::Binary };
    match conn.send(Payload::new(kind, message)) {
        Ok(_) => Ok(true),
        Err(error) if error.is_full() || error.code() == wspeer::ErrorCode::State => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_turns() {
        let times = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(number, client)| due(number, client, 2, 10.0).as_millis());
        assert_eq!(times, [0, 50, 100, 150]);
    }

    #[test]
    fn messages_differ() {
        let mut message = Vec::new();
        fill(&mut message, 8, 1234);
        assert_eq!(message, b"1234xxxx");
        fill(&mut message, 2, 1234);
        assert_eq!(message, b"12");
    }
}
