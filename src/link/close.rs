//! The closing handshake (RFC 6455 section 7), and every other end of a link.

use super::Link;
use crate::codes::*;
use crate::endpoint::Endpoint;
use crate::error::{Error, Failure};
use crate::names::CLOSE_TIMEOUT_MS;
use crate::protocol::{close_payload, code_may_be_sent};
use crate::status::{Cause, ErrorCode, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// A close under way.
#[derive(Default)]
pub struct Closing {
    /// The host asked for it.
    by_host: bool,
    /// The code of our close frame, once that is decided; `Some(None)`: a close frame without a code.
    sent: Option<Option<u16>>,
    /// The reason in our close frame.
    sent_reason: String,
    /// Our close frame waits behind messages to be encoded.
    due: bool,
    /// The peer's close frame.
    received: Option<(Option<u16>, String)>,
    /// Why we fail the connection (section 7.1.7), or the library's own reason for closing.
    failure: Option<Failure>,
    /// We fail the connection: nothing more is read.
    stop: bool,
    deadline: Option<Instant>,
    /// Position in the outgoing stream at which our close frame ends, once it is queued. Pongs behind it are not waited for.
    end: Option<u64>,
    /// At the last progress: the position up to which bytes had left, at most `end`, and the number of bytes to be encoded.
    progress: (u64, usize),
}

/// How a link ended.
pub struct End {
    /// Why.
    pub failure: Failure,
    /// The closing handshake was completed.
    pub clean: bool,
    /// The close code for the last event: that of the deciding close frame, 1005 where it had none, 1006 without a close frame.
    pub code: u16,
    /// The reason in the deciding close frame.
    pub reason: String,
    /// Messages that were accepted and have not left.
    pub unsent: usize,
}

impl Closing {
    /// Moves by a gap in polling.
    pub(super) fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
    }

    /// Whether the peer's close frame has come.
    pub(super) fn is_received(&self) -> bool {
        self.received.is_some()
    }

    /// How a connection ends whose peer has sent its close frame; `None`: it has not.
    fn failure_of_received(&self) -> Option<Failure> {
        let (code, reason) = self.received.as_ref()?;
        Some(if self.by_host {
            Failure::new(Phase::App, Cause::ClosedByHost, "closed as the host asked")
        } else {
            Failure::new(Phase::App, Cause::ClosedByPeer, closed_by_peer(*code, reason))
        })
    }
}

/// Checks what a host may close with: 0 (means 1000), -1 (drop) or a code that an endpoint may send, and a reason of at most 123 bytes.
pub fn check_close(code: i32, reason: &str) -> Result<(), Error> {
    let known = matches!(code, 0 | -1) || u16::try_from(code).is_ok_and(code_may_be_sent);
    if !known {
        return Err(Error::new(ErrorCode::Arg, format!("{code} is no close code to send: use 0, -1, 1000-1003, 1007-1014 or 3000-4999")));
    }
    if reason.len() > 123 {
        return Err(Error::new(ErrorCode::Arg, format!("the close reason has {} bytes: at most 123 fit", reason.len())));
    }
    Ok(())
}

impl Link {
    /// Starts the closing handshake behind what was accepted, for the reason that the host has; harmless when closing. `failure`: the library's own reason, for
    /// the last event. Code -1 ends the link at once.
    pub fn close(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, code: i32, reason: &str, failure: Option<Failure>) {
        if code == -1 {
            let failure = failure.unwrap_or_else(|| Failure::new(Phase::App, Cause::Dropped, "the host dropped the connection"));
            self.end(cx, failure, false);
            return;
        }
        if self.closing.is_some() || self.is_over() {
            return;
        }
        let code = if code == 0 { 1000 } else { code as u16 };
        let closing = self.start_close(endpoint, cx.now);
        closing.by_host = true;
        closing.failure = failure;
        self.send_close(Some(code), reason);
        if cx.budget.look() {
            // The polls that follow write.
            self.writes_on = true;
        } else {
            self.write(endpoint, cx);
        }
    }

    /// The peer's close frame has come (section 5.5.1): echoes its code behind what was accepted.
    pub(super) fn close_received(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, code: Option<u16>, reason: String) {
        if self.closing.is_none() {
            self.changes.get_or_insert_default().close_request = Some(Box::new((code.unwrap_or(1005), reason.clone())));
        }
        self.start_close(endpoint, cx.now).received = Some((code, reason));
        self.drop_unfinished(cx);
        self.send_close(code, "");
    }

    /// Fails the connection (section 7.1.7): a close frame with the code, then no more reading.
    pub fn fail(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, failure: Failure) {
        if self.is_over() {
            return;
        }
        let code = failure.close_code;
        let reason = short(&failure.sentence).to_owned();
        let closing = self.start_close(endpoint, cx.now);
        closing.failure.get_or_insert(failure);
        closing.stop = true;
        if std::mem::take(&mut closing.due) {
            closing.sent = None;
        }
        let has_sent = closing.sent.is_some();
        self.drop_unfinished(cx);
        if code != 0 && !has_sent {
            self.send_close(Some(code), &reason);
        }
    }

    /// Whether nothing more is to be read: the peer's close frame has come, or we fail the connection.
    pub(super) fn has_read_all(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.received.is_some() || closing.stop)
    }

    /// Whether we fail the connection: what was not encoded yet does not leave any more.
    pub(super) fn has_stopped(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.stop)
    }

    /// Ends the link when all that had to leave has left.
    pub fn finish_close(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.is_over() {
            return;
        }
        if self.has_read_all()
            && let Some(failure) = self.write_failure.take()
        {
            // What waits cannot leave any more, and nothing more is read. The peer's close frame says more than the failed write.
            let own = self.closing.as_mut().and_then(|closing| closing.failure.take());
            let received = || self.closing.as_ref().and_then(|closing| closing.failure_of_received());
            let failure = own.or_else(received).unwrap_or(*failure);
            self.end(cx, failure, false);
            return;
        }
        let (unwritten, left, uncompressed) = (self.unwritten(), self.outbox.left(), self.uncompressed());
        let Some(closing) = &mut self.closing else { return };
        let left = closing.end.map_or(left, |end| left.min(end));
        if left > closing.progress.0 || uncompressed < closing.progress.1 {
            // Progress: the time starts anew.
            closing.deadline = close_deadline(endpoint, cx.now);
            closing.progress = (left, uncompressed);
        }
        if unwritten > 0 {
            return;
        }
        let stop = closing.stop;
        match (closing.failure.take(), closing.received.is_some()) {
            (Some(failure), clean) if clean || stop => self.end(cx, failure, clean),
            (Some(failure), _) => closing.failure = Some(failure),
            (None, true) => {
                if let Some(failure) = closing.failure_of_received() {
                    self.end(cx, failure, true);
                }
            }
            (None, false) => {}
        }
    }

    /// When a close under way ends by its timeout.
    pub fn close_deadline(&self) -> Option<Instant> {
        self.closing.as_ref().filter(|_| !self.is_over())?.deadline
    }

    /// Ends a close that takes too long. Returns when to check next.
    pub(super) fn check_close_timeout(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let closing = self.closing.as_mut()?;
        let deadline = closing.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        let own = closing.failure.take();
        let by_peer = closing.failure_of_received().filter(|_| !closing.by_host);
        let failure = if let Some(failure) = own {
            failure
        } else if let Some(mut failure) = by_peer {
            // It does not read any more: its close frame says more than that.
            failure.sentence += &format!("; it did not read what was sent before within {CLOSE_TIMEOUT_MS}");
            failure
        } else if self.reading_rests(endpoint) {
            let sentence =
                "the close could not be finished because the inbound queue was full and the host did not read it: take all items each frame";
            Failure::new(Phase::App, Cause::NotReading, sentence)
        } else {
            let sentence = if self.unwritten() > 0 {
                format!("the peer did not read what was sent before the close within {CLOSE_TIMEOUT_MS}")
            } else {
                format!("the peer did not answer the close within {CLOSE_TIMEOUT_MS}")
            };
            Failure::new(Phase::App, Cause::CloseTimeout, sentence)
        };
        self.end(cx, failure, false);
        None
    }

    /// Ends the link: the stream and all that waits on it go.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, failure: Failure, clean: bool) {
        if self.changes.as_ref().is_some_and(|changes| changes.end.is_some()) {
            return;
        }
        let stream = self.stream.take();
        if let Some(stream) = &stream {
            // A read may have sent what TLS held back.
            self.outbox.acknowledge(stream);
        }
        let unsent = self.queued_messages();
        let finished = self.unwritten() == 0 && self.write_failure.is_none();
        let closing = self.closing.get_or_insert_default();
        let code = match (&closing.received, closing.sent) {
            (Some((code, _)), _) => code.unwrap_or(1005),
            (None, Some(Some(code))) if failure.close_code == code => code,
            _ => 1006,
        };
        let reason = std::mem::take(closing.received.as_mut().map_or(&mut closing.sent_reason, |(_, reason)| reason));
        match stream {
            Some(stream) if finished => cx.services.reap(stream),
            Some(stream) => cx.services.close(vec![stream]),
            None => {}
        }
        cx.discard(self.outbox.bytes(), std::mem::take(&mut self.outbox));
        self.drop_unfinished(cx);
        cx.discard(self.waiting.as_ref().map_or(0, |waiting| waiting.bytes()), self.waiting.take());
        self.changes.get_or_insert_default().end = Some(Box::new(End { failure, clean, code, reason, unsent }));
    }

    /// Nothing more is read: drops what has come of a message that is not whole, and what was not decoded.
    fn drop_unfinished(&mut self, cx: &Cx<'_>) {
        let assembled = self.decoder.abandon();
        cx.discard(assembled.iter().map(Vec::capacity).sum(), assembled);
        cx.discard(self.backlog.heap_bytes(), std::mem::take(&mut self.backlog));
        if let Some((bytes, inflated)) = self.compression.as_mut().map(|compression| compression.abandon()) {
            cx.discard(bytes, inflated);
        }
    }

    /// The reason that decided the close: the peer's, or ours where we failed the connection.
    pub fn close_reason(&self) -> &str {
        match &self.closing {
            Some(closing) => match &closing.received {
                Some((_, reason)) => reason,
                None => &closing.sent_reason,
            },
            None => "",
        }
    }

    fn start_close(&mut self, endpoint: &Endpoint, now: Instant) -> &mut Closing {
        if self.closing.is_none() {
            self.changes.get_or_insert_default().closing = true;
        }
        let progress = (self.outbox.left(), self.uncompressed());
        self.closing.get_or_insert_with(|| Box::new(Closing { deadline: close_deadline(endpoint, now), progress, ..Closing::default() }))
    }

    fn send_close(&mut self, code: Option<u16>, reason: &str) {
        let Some(closing) = &mut self.closing else { return };
        if closing.sent.is_some() {
            return;
        }
        closing.sent = Some(code);
        closing.sent_reason = reason.to_owned();
        closing.due = true;
        self.send_due_close();
    }

    /// Queues our close frame once no message waits to be encoded before it; where the connection fails, at once.
    pub(super) fn send_due_close(&mut self) {
        let is_free = self.waiting.is_none();
        let Some(closing) = self.closing.as_mut().filter(|closing| closing.due && (closing.stop || is_free)) else { return };
        closing.due = false;
        let (payload, len) = close_payload(closing.sent.flatten(), &closing.sent_reason);
        self.put_control(0x8, &payload[..len]);
        let end = self.outbox.end();
        if let Some(closing) = &mut self.closing {
            closing.end = Some(end);
        }
    }

    /// Bytes that have to leave before the end: up to our close frame, once that is queued.
    fn unwritten(&self) -> usize {
        match self.closing.as_ref().and_then(|closing| closing.end) {
            Some(end) => end.saturating_sub(self.outbox.left()) as usize,
            None if self.has_stopped() => self.outbox.bytes(),
            None => self.queued_bytes(),
        }
    }

    /// Bytes of messages that wait to be encoded.
    fn uncompressed(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.bytes())
    }
}

fn close_deadline(endpoint: &Endpoint, now: Instant) -> Option<Instant> {
    endpoint.options.time(WS_OPT_CLOSE_TIMEOUT_MS).map(|time| now + time)
}

/// That the peer closed the connection, with which code and why.
fn closed_by_peer(code: Option<u16>, reason: &str) -> String {
    let Some(code) = code else { return "the peer closed the connection without a code".to_owned() };
    let meaning = match code {
        1001 => " (going away)",
        1002 => " (protocol error)",
        1003 => " (unsupported data)",
        1007 => " (invalid data)",
        1008 => " (policy violation)",
        1009 => " (message too big)",
        1010 => " (extension needed)",
        1011 => " (internal error)",
        1012 => " (service restart)",
        1013 => " (try again later)",
        1014 => " (bad gateway)",
        _ => "",
    };
    let colon = if reason.is_empty() { "" } else { ": " };
    // A peer cannot begin a line of its own.
    let reason = reason.replace(char::is_control, " ");
    format!("the peer closed the connection with {code}{meaning}{colon}{reason}")
}

/// As much of a sentence as a close frame has room for.
fn short(sentence: &str) -> &str {
    let mut end = sentence.len().min(123);
    while !sentence.is_char_boundary(end) {
        end -= 1;
    }
    &sentence[..end]
}
