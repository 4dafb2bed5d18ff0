//! `wspeer cat`: lines of standard input to messages, messages to standard output.
//!
//! One thread reads standard input, one writes standard output; both may block. Between them and the main loop are
//! bounded queues. The main loop sleeps until the connection has news or one of the threads rings.

use crate::alarm::{Alarm, Bell};
use crate::args::Cat;
use crate::connect::ms;
use crate::failure::{FAILED, Failure, Outcome, UNUSABLE};
use crate::interrupt::Interrupt;
use crate::queue::Queue;
use crate::terminal::{Terminal, harmless, say};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wspeer::{Client, End, Event, Message, MessageKind, Opt, Payload};

/// While the output is full, the connection is looked after so often: it gets no messages taken, but its pings
/// answered.
const WHILE_FULL: Duration = Duration::from_millis(100);
/// How long the rest of the output has after an interrupt.
const AT_THE_END: Duration = Duration::from_secs(1);
/// How long a close may take when nobody reads the output any more.
const BRIEF_MS: u32 = 1_000;
/// Bytes of the input that become one binary message.
const CHUNK: usize = 64 * 1024;

pub fn run(given: &Cat, terminal: Terminal) -> Outcome {
    let mut config = given.connect.config()?.max_message_bytes(given.max_message_bytes);
    config = config.deflate(given.deflate).reconnect(given.reconnect);
    if let Some(ping) = given.ping {
        config = config.heartbeat_ms(ms(ping));
    }
    let mut alarm = Alarm::new()?;
    let interrupt = Interrupt::listen(alarm.bell())?;
    let client = Client::connect_with(&given.connect.url, &config)?;
    let mut cat = Conversation {
        given,
        terminal,
        client,
        interrupt,
        bell: alarm.bell(),
        input: None,
        sent: 0,
        waiting: None,
        output: Output::start(alarm.bell()),
        received: 0,
        ends: None,
        is_closing: false,
        complaint: None,
        unreadable: Arc::default(),
    };
    loop {
        cat.heed_interrupts()?;
        cat.client.poll()?;
        if let Some(code) = cat.take()? {
            return Ok(code);
        }
        cat.send()?;
        cat.end_after_input()?;
        let (mut handles, mut until) = (vec![cat.client.raw()], cat.ends.filter(|_| !cat.is_closing));
        if !cat.may_take() {
            // What waits to be taken would end the wait at once.
            handles.clear();
            until = Some(Instant::now() + WHILE_FULL);
        }
        alarm.wait(&mut handles, until)?;
    }
}

struct Conversation<'a> {
    given: &'a Cat,
    terminal: Terminal,
    client: Client,
    interrupt: Interrupt,
    bell: Bell,
    /// What was read of standard input, which begins when the connection is open.
    input: Option<Arc<Queue>>,
    /// Number of messages that were accepted.
    sent: u64,
    /// A message that found the outbound queue full.
    waiting: Option<Vec<u8>>,
    output: Output,
    received: u64,
    /// After the end of the input: when to close.
    ends: Option<Instant>,
    /// Whether this side has begun to close.
    is_closing: bool,
    /// A fault that ends the conversation.
    complaint: Option<String>,
    /// Why standard input ended before its end.
    unreadable: Arc<OnceLock<String>>,
}

impl Conversation<'_> {
    fn close(&mut self) -> Result<(), wspeer::Error> {
        self.is_closing = true;
        self.client.close(self.given.close_code, &self.given.close_reason)
    }

    fn heed_interrupts(&mut self) -> Result<(), wspeer::Error> {
        if self.is_closing {
            return Ok(());
        }
        if self.output.error().is_some() {
            self.client.set_option(Opt::CloseTimeoutMs, BRIEF_MS)?;
            self.close()?;
        } else if self.interrupt.has_come() {
            self.close()?;
        }
        Ok(())
    }

    /// Whether messages may be taken: there is room in the output, or nobody waits for it.
    fn may_take(&self) -> bool {
        self.output.queue.has_room() || self.output.error().is_some() || self.interrupt.has_come()
    }

    /// Takes events. Returns the exit code after the last one.
    fn take(&mut self) -> Outcome<Option<u8>> {
        while self.may_take() {
            let Some(event) = self.client.next_event() else { break };
            match event {
                Event::Open(_) => {
                    note(self.terminal, "connected; Ctrl+D ends the input, Ctrl+C closes");
                    if self.input.is_none() {
                        self.input = Some(read(self.given, self.bell.clone(), self.unreadable.clone()));
                    }
                }
                // Behind the last one that was asked for.
                Event::Message(_) if self.given.count.is_some_and(|count| self.received >= count) => {}
                // After an interrupt, of an output that nobody reads.
                Event::Message(_) if !self.output.queue.has_room() => {}
                Event::Message(message) => {
                    let shown = shown(message, self.given.binary, self.terminal.is_out_seen);
                    self.output.queue.push(shown);
                    self.received += 1;
                    if self.ends.is_some() {
                        self.ends = Some(Instant::now() + self.given.wait);
                    }
                    if self.given.count == Some(self.received) && !self.is_closing {
                        self.close()?;
                    }
                }
                Event::Lost(end) => say(&harmless(end.sentence)),
                Event::Error(report) => say(&harmless(report.sentence)),
                Event::Closed(end) => {
                    let (code, sentence) = judge(&end, self.is_closing);
                    let sentence = sentence.map(|sentence| harmless(&sentence));
                    return self.finish(code, sentence).map(Some);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Sends what was read.
    fn send(&mut self) -> Result<(), wspeer::Error> {
        let Some(input) = self.input.clone() else { return Ok(()) };
        while self.client.is_open() && !self.is_closing {
            let Some(message) = self.waiting.take().or_else(|| input.pop()) else { break };
            let kind = if self.given.binary { MessageKind::Binary } else { MessageKind::Text };
            match self.client.send(Payload::new(kind, &message)) {
                Ok(_) => self.sent += 1,
                Err(error) if error.is_full() => {
                    self.waiting = Some(message);
                    break;
                }
                // The link was lost a moment ago.
                Err(error) if error.code() == wspeer::ErrorCode::State => self.waiting = Some(message),
                Err(error) => {
                    let what = if self.given.binary { "part" } else { "line" };
                    self.complaint = Some(format!("{what} {} of the input: {error}", self.sent + 1));
                    self.close()?;
                }
            }
        }
        Ok(())
    }

    /// When the input has ended, all was sent, and nothing came for a while, closes.
    fn end_after_input(&mut self) -> Result<(), wspeer::Error> {
        let is_over = self.input.as_ref().is_some_and(|input| input.is_over()) && self.waiting.is_none();
        if !is_over || self.given.no_close || self.is_closing || !self.client.is_open() {
            return Ok(());
        }
        let now = Instant::now();
        // While the output has no room, what has come is not taken.
        let is_behind = !self.may_take() || self.client.available() > 0;
        if self.ends.is_none() || is_behind || self.client.stats().queued_packets_out > 0 {
            self.ends = Some(now + self.given.wait);
        }
        if self.ends.is_some_and(|ends| ends <= now) {
            self.close()?;
        }
        Ok(())
    }

    /// After the last event: writes what is left of the output, and says what went wrong.
    fn finish(&mut self, code: u8, sentence: Option<String>) -> Outcome {
        if self.interrupt.has_come() {
            self.output.finish_soon()?;
            return Ok(self.interrupt.exit_code());
        }
        self.output.finish()?;
        let unreadable = self.unreadable.get().map(|error| format!("cannot read the input: {error}"));
        if let Some(complaint) = self.complaint.take().or(unreadable) {
            return Err(Failure::Said(UNUSABLE, complaint));
        }
        let unread = self.waiting.is_some() || self.input.as_ref().is_some_and(|input| !input.is_empty());
        match sentence {
            Some(sentence) if code != 0 => Err(Failure::Said(code, sentence)),
            Some(sentence) => {
                say(&sentence);
                Ok(code)
            }
            None if unread && !self.is_closing => {
                Err(Failure::Said(FAILED, format!("the server closed after {} messages: not all were sent", self.sent)))
            }
            None => Ok(code),
        }
    }
}

/// The exit code of an end, and what is to be said about it.
fn judge(end: &End<'_>, is_closing: bool) -> (u8, Option<String>) {
    if !end.clean {
        return (FAILED, Some(end.sentence.to_owned()));
    }
    if end.unsent > 0 {
        return (FAILED, Some(format!("{}; {} messages were not sent", end.sentence, end.unsent)));
    }
    let is_normal = is_closing || matches!(end.code, 1000 | 1001 | 1005);
    (0, (!is_normal).then(|| end.sentence.to_owned()))
}

/// What the person at the terminal wants to know, and a script does not.
fn note(terminal: Terminal, text: &str) {
    if terminal.is_err_seen && terminal.is_out_seen {
        say(&terminal.err.dim(text));
    }
}

/// A message as it is printed.
fn shown(message: Message<'_>, is_binary: bool, is_terminal: bool) -> Vec<u8> {
    if is_binary {
        return message.bytes().to_vec();
    }
    let mut line = match is_terminal {
        true => harmless(&String::from_utf8_lossy(message.bytes())).into_bytes(),
        false => message.bytes().to_vec(),
    };
    line.push(b'\n');
    line
}

/// Reads standard input in a thread of its own.
fn read(given: &Cat, bell: Bell, unreadable: Arc<OnceLock<String>>) -> Arc<Queue> {
    let queue = Arc::new(Queue::default());
    let fills = queue.clone();
    let (is_binary, longest) = (given.binary, given.max_message_bytes as usize);
    std::thread::spawn(move || {
        let input = io::stdin().lock();
        let mut next: Box<dyn FnMut() -> io::Result<Option<Vec<u8>>>> = match is_binary {
            true => chunks(input, longest.min(CHUNK)),
            false => lines(input, longest),
        };
        loop {
            match next() {
                Ok(Some(message)) => fills.push_in_turn(message),
                Ok(None) => break,
                Err(error) => {
                    let _ = unreadable.set(error.to_string());
                    break;
                }
            }
            bell.ring();
        }
        fills.end();
        bell.ring();
    });
    queue
}

/// Lines without their ends. One that is longer than `longest` is cut behind the byte that is too much, so that sending
/// it fails.
fn lines<'a>(mut input: impl BufRead + 'a, longest: usize) -> Box<dyn FnMut() -> io::Result<Option<Vec<u8>>> + 'a> {
    Box::new(move || {
        let mut line = Vec::new();
        // Room for "\r\n" and the byte that is too much.
        input.by_ref().take(longest as u64 + 3).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.ends_with(b"\n") {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        Ok(Some(line))
    })
}

/// The bytes as they are read.
fn chunks<'a>(input: impl Read + 'a, size: usize) -> Box<dyn FnMut() -> io::Result<Option<Vec<u8>>> + 'a> {
    let mut input = BufReader::with_capacity(size, input);
    Box::new(move || {
        let chunk = input.fill_buf()?.to_vec();
        input.consume(chunk.len());
        Ok((!chunk.is_empty()).then_some(chunk))
    })
}

/// The thread that writes standard output.
struct Output {
    queue: Arc<Queue>,
    error: Arc<OnceLock<io::Error>>,
    thread: Option<JoinHandle<()>>,
}

impl Output {
    fn start(bell: Bell) -> Output {
        let (queue, error) = (Arc::new(Queue::default()), Arc::new(OnceLock::new()));
        let (takes, failed) = (queue.clone(), error.clone());
        let thread = std::thread::spawn(move || {
            if let Err(error) = write(&takes, &bell) {
                let _ = failed.set(error);
                bell.ring();
            }
        });
        Output { queue, error, thread: Some(thread) }
    }

    fn error(&self) -> Option<&io::Error> {
        self.error.get()
    }

    /// Waits until everything is written, but not long for somebody who does not read.
    fn finish_soon(&mut self) -> Outcome<()> {
        self.queue.end();
        let until = Instant::now() + AT_THE_END;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.error().map_or(Ok(()), |error| Err(Failure::output(error)))
    }

    /// Waits until everything is written.
    fn finish(&mut self) -> Outcome<()> {
        self.queue.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.error().map_or(Ok(()), |error| Err(Failure::output(error)))
    }
}

/// Writes what is queued, and flushes when nothing is.
fn write(queue: &Queue, bell: &Bell) -> io::Result<()> {
    // A lock of its own buffer: that of standard output would be flushed at each line.
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    while let Some((bytes, was_full)) = queue.pop_in_turn() {
        if was_full {
            bell.ring();
        }
        out.write_all(&bytes)?;
        if queue.is_empty() {
            out.flush()?;
            out.get_mut().flush()?;
        }
    }
    out.flush()?;
    out.get_mut().flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends() {
        let mut next = lines(&b"one\r\n\ntwo\rthree\nlast"[..], 10);
        let all: Vec<_> = std::iter::from_fn(|| next().unwrap()).collect();
        assert_eq!(all, [&b"one"[..], b"", b"two\rthree", b"last"]);
        let mut next = lines(&b"12345\r\n123456\n"[..], 5);
        assert_eq!(next().unwrap().unwrap(), b"12345");
        assert_eq!(next().unwrap().unwrap().len(), 6);
    }

    #[test]
    fn binary_input_is_cut_into_chunks() {
        let mut next = chunks(&[7; 10][..], 4);
        let sizes: Vec<_> = std::iter::from_fn(|| next().unwrap()).map(|chunk| chunk.len()).collect();
        assert_eq!(sizes, [4, 4, 2]);
    }
}
