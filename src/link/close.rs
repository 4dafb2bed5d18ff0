//! The closing handshake (RFC 6455 section 7), and all other ways in which a link ends.

use super::Link;
use super::channel::Away;
use crate::endpoint::Endpoint;
use crate::error::{Error, Failure};
use crate::names::CLOSE_TIMEOUT_MS;
use crate::protocol::{Role, close_payload, code_may_be_sent};
use crate::status::{Cause, ErrorCode, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// State of a close in progress.
#[derive(Default)]
pub struct Closing {
    /// `Link::close` started the close, for the host or the library.
    by_host: bool,
    /// The status code of our close frame, once decided; `Some(None)`: a close frame without a code.
    sent: Option<Option<u16>>,
    /// The reason in our close frame.
    sent_reason: String,
    /// Our close frame has to be queued once no message before it waits to be encoded.
    due: bool,
    /// Status code and reason of the peer's close frame.
    received: Option<(Option<u16>, String)>,
    /// Why we fail the connection (section 7.1.7), or the library's reason for a close that it starts.
    failure: Option<Failure>,
    /// We fail the connection, so nothing more is read.
    stop: bool,
    deadline: Option<Instant>,
    /// Position in the outgoing stream at which our close frame ends, once it is queued. The link ends without waiting
    /// for pongs after it.
    end: Option<u64>,
    /// State at the last progress: position up to which the system has taken bytes, at most `end`, and number of bytes
    /// to be encoded.
    progress: (u64, usize),
}

/// How a link ended.
pub struct End {
    /// Why it ended.
    pub failure: Failure,
    /// The closing handshake was completed.
    pub clean: bool,
    /// The close code of the last event: that of the deciding close frame, 1005 if it had none, 1006 without a close
    /// frame.
    pub code: u16,
    /// The reason in the deciding close frame, or ours if we began the close and the answer has none.
    pub reason: String,
    /// Number of messages that were accepted and not sent.
    pub unsent: usize,
    /// Client: where the server sent it.
    pub away: Option<Box<Away>>,
}

/// A close that the host began, on a link that was lost before it was finished.
pub struct PendingClose {
    /// Its code.
    pub code: u16,
    /// Its reason.
    pub reason: String,
    /// The library's reason.
    pub failure: Option<Failure>,
    /// When it times out.
    pub deadline: Option<Instant>,
}

impl End {
    /// Takes what it says, and leaves its number of unsent messages.
    pub fn take(&mut self) -> End {
        let empty = End { unsent: self.unsent, ..End::broken(Failure::default()) };
        std::mem::replace(self, empty)
    }

    /// An end without close frames.
    pub fn broken(failure: Failure) -> End {
        End { failure, clean: false, code: 1006, reason: String::new(), unsent: 0, away: None }
    }
}

impl Closing {
    /// Moves the deadline by the length of a gap between polls.
    pub(super) fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
    }

    /// Whether the peer's close frame has arrived.
    pub(super) fn is_received(&self) -> bool {
        self.received.is_some()
    }

    /// The peer's reason. If it has none: ours, which an answer does not have to repeat.
    fn reason(&self) -> &str {
        self.received
            .as_ref()
            .map(|(_, reason)| reason.as_str())
            .filter(|reason| !reason.is_empty())
            .unwrap_or(&self.sent_reason)
    }

    /// The failure to report if the peer has sent its close frame; `None`: it has not.
    fn failure_of_received(&self) -> Option<Failure> {
        let (code, reason) = self.received.as_ref()?;
        Some(if self.by_host {
            Failure::new(Phase::App, Cause::ClosedByHost, "closed as the host asked")
        } else {
            Failure::new(Phase::App, Cause::ClosedByPeer, closed_by_peer(*code, reason))
        })
    }
}

/// Checks the arguments of a close: the code is 0 (means 1000), -1 (drop) or one that an endpoint may send, and the
/// reason has at most 123 bytes.
pub fn check_close(code: i32, reason: &str) -> Result<(), Error> {
    let known = matches!(code, 0 | -1) || u16::try_from(code).is_ok_and(code_may_be_sent);
    if !known {
        return Err(Error::new(
            ErrorCode::Arg,
            format!("{code} is not a close code that can be sent: use 0, -1, 1000-1003, 1007-1014 or 3000-4999"),
        ));
    }
    if reason.len() > 123 {
        return Err(Error::new(
            ErrorCode::Arg,
            format!("the close reason has {} bytes: at most 123 fit", reason.len()),
        ));
    }
    Ok(())
}

impl Link {
    /// Starts the closing handshake after the accepted messages, as the host requested; does nothing if a close is in
    /// progress. `failure`: the library's reason, for the last event. Code -1 ends the link at once.
    pub fn close(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        code: i32,
        reason: &str,
        failure: Option<Failure>,
    ) {
        if code == -1 {
            let failure =
                failure.unwrap_or_else(|| Failure::new(Phase::App, Cause::Dropped, "the host dropped the connection"));
            self.end(cx, failure, false);
            return;
        }
        if self.rare.closing().is_some() || self.is_over() {
            return;
        }
        let code = if code == 0 { 1000 } else { code as u16 };
        let closing = self.start_close(endpoint, cx.now);
        closing.by_host = true;
        closing.failure = failure;
        self.send_close(endpoint, Some(code), reason);
        if cx.budget.is_spent() {
            // The following polls write the queue.
            self.writes_on = true;
        } else {
            self.write(endpoint, cx);
        }
    }

    /// Handles the peer's close frame (section 5.5.1): echoes its code and reason after the accepted messages.
    pub(super) fn close_received(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        code: Option<u16>,
        reason: String,
    ) {
        if self.rare.closing().is_none() {
            self.rare.state().changes.get_or_insert_default().close_request =
                Some(Box::new((code.unwrap_or(1005), reason.clone())));
        }
        self.start_close(endpoint, cx.now).received = Some((code, reason.clone()));
        self.drop_unfinished(cx);
        self.send_close(endpoint, code, &reason);
    }

    /// Takes a close that the host began and that the link's end has cut short.
    pub fn take_pending_close(&mut self) -> Option<Box<PendingClose>> {
        let closing =
            self.rare.get_mut()?.closing.as_mut().filter(|closing| closing.by_host && !closing.is_received())?;
        let (code, reason) = (closing.sent.flatten().unwrap_or(1000), std::mem::take(&mut closing.sent_reason));
        let (failure, deadline) = (closing.failure.take(), closing.deadline);
        Some(Box::new(PendingClose { code, reason, failure, deadline }))
    }

    /// Ends the link at once, because its session goes on with another one.
    pub fn give_up(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.end(cx, failure, false);
    }

    /// Fails the connection (section 7.1.7): sends a close frame with the code and stops reading.
    pub fn fail(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, failure: Failure) {
        if self.is_over() {
            return;
        }
        let code = failure.close_code;
        let reason = close_reason_of(&failure.message).to_owned();
        let closing = self.start_close(endpoint, cx.now);
        closing.failure.get_or_insert(failure);
        closing.stop = true;
        if std::mem::take(&mut closing.due) {
            closing.sent = None;
        }
        let has_sent = closing.sent.is_some();
        self.drop_unfinished(cx);
        if code != 0 && !has_sent {
            self.send_close(endpoint, Some(code), &reason);
        }
    }

    /// Whether nothing more is read: the peer's close frame has arrived, or we fail the connection.
    pub(super) fn has_read_all(&self) -> bool {
        self.rare.closing().is_some_and(|closing| closing.received.is_some() || closing.stop)
    }

    /// Whether we fail the connection. Messages that are not encoded yet are then not sent.
    pub(super) fn has_stopped(&self) -> bool {
        self.rare.closing().is_some_and(|closing| closing.stop)
    }

    /// Ends the link once the closing handshake is complete and all bytes up to our close frame have been sent.
    pub fn finish_close(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        if self.is_over() {
            return;
        }
        self.advance_line();
        if self.has_read_all()
            && let Some(failure) = self.rare.state().write_failure.take()
        {
            // Queued bytes cannot be sent, and nothing more is read. The peer's close frame is a better explanation
            // than the failed write.
            let own = self.rare.state().closing.as_mut().and_then(|closing| closing.failure.take());
            let received = || self.rare.closing().and_then(|closing| closing.failure_of_received());
            let failure = own.or_else(received).unwrap_or(*failure);
            // What could not be written may be behind our close frame: the answer to a ping.
            let left = self.outbox.left();
            let clean = self
                .rare
                .closing()
                .is_some_and(|closing| closing.is_received() && closing.end.is_some_and(|end| left >= end));
            self.end(cx, failure, clean);
            return;
        }
        let left = self.passed_on();
        let (unwritten, uncompressed) = (self.unwritten(), self.uncompressed());
        let Some(closing) = &mut self.rare.state().closing else { return };
        let left = closing.end.map_or(left, |end| left.min(end));
        if left > closing.progress.0 || uncompressed < closing.progress.1 {
            // Progress restarts the timeout.
            closing.deadline = endpoint.close_deadline(cx.now);
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

    /// When the close in progress times out; `None`: never, or none is in progress.
    pub fn close_deadline(&self) -> Option<Instant> {
        self.rare.closing().filter(|_| !self.is_over())?.deadline
    }

    /// The part of `check_timers` that concerns a close in progress.
    pub fn check_closing(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        if self.is_closing() && !self.is_over() { self.check_close_timeout(endpoint, cx) } else { None }
    }

    /// Ends a close that has timed out. Returns when to check next.
    pub(super) fn check_close_timeout(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Option<Instant> {
        let closing = self.rare.state().closing.as_mut()?;
        let deadline = closing.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        let own = closing.failure.take();
        let by_peer = closing.failure_of_received().filter(|_| !closing.by_host);
        let failure = if let Some(failure) = own {
            failure
        } else if let Some(mut failure) = by_peer {
            // The peer has stopped reading. Its close frame is the better explanation.
            failure.message += &format!("; it did not read what was sent before within {CLOSE_TIMEOUT_MS}");
            failure
        } else if self.is_reading_paused(endpoint) {
            let why = "the close could not be finished because the inbound queue was full and the host did not read it: take all items each frame";
            Failure::new(Phase::App, Cause::NotReading, why)
        } else {
            let why = if self.unwritten() > 0 {
                format!("the peer did not read what was sent before the close within {CLOSE_TIMEOUT_MS}")
            } else {
                format!("the peer did not answer the close within {CLOSE_TIMEOUT_MS}")
            };
            Failure::new(Phase::App, Cause::CloseTimeout, why)
        };
        self.end(cx, failure, false);
        None
    }

    /// Ends the link: closes the stream and discards all queued bytes and messages.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, failure: Failure, clean: bool) {
        if self.rare.changes().is_some_and(|changes| changes.end.is_some()) {
            return;
        }
        let held = self.held_by_line();
        let stream = self.stream.take();
        let away = self.take_away().filter(|_| self.role == Role::Client).map(Box::new);
        if let Some(stream) = &stream {
            // A read may have sent bytes that TLS had buffered.
            self.outbox.acknowledge(stream);
        }
        let unsent = self.rare.session().map_or_else(|| self.queued_messages(), |session| session.unacknowledged().0);
        let finished = held == 0 && self.unwritten() == 0 && self.rare.write_failure().is_none();
        let closing = self.rare.state().closing.get_or_insert_default();
        let code = match (&closing.received, closing.sent) {
            (Some((code, _)), _) => code.unwrap_or(1005),
            (None, Some(Some(code))) if failure.close_code == code => code,
            _ => 1006,
        };
        let reason = closing.reason().to_owned();
        match stream.map(|stream| stream.without_sim(false)) {
            Some(stream) if finished => cx.services.reap(stream),
            Some(stream) => cx.services.close(vec![stream]),
            None => {}
        }
        cx.discard(self.outbox.bytes(), std::mem::take(&mut self.outbox));
        self.drop_unfinished(cx);
        cx.discard(self.rare.waiting().map_or(0, |waiting| waiting.bytes()), self.rare.state().waiting.take());
        self.rare.state().changes.get_or_insert_default().end =
            Some(Box::new(End { failure, clean, code, reason, unsent, away }));
    }

    /// Drops incomplete messages and bytes that were not decoded, as nothing more is read.
    fn drop_unfinished(&mut self, cx: &Cx<'_>) {
        let assembled = self.decoder.abandon();
        cx.discard(assembled.iter().map(Vec::capacity).sum(), assembled);
        cx.discard(self.rare.backlog_bytes(), std::mem::take(&mut self.rare.state().backlog));
        if let Some((bytes, inflated)) = self.rare.state().compression.as_mut().map(|compression| compression.abandon())
        {
            cx.discard(bytes, inflated);
        }
    }

    /// The reason of the close: the peer's, or ours if the peer has sent none.
    pub fn close_reason(&self) -> &str {
        self.rare.closing().map_or("", Closing::reason)
    }

    /// How a link ends whose closing handshake is in progress, for a program that does not wait for the rest of it.
    pub fn end_so_far(&self) -> End {
        let closed = || Failure::new(Phase::App, Cause::ClosedByHost, "closed as the host asked");
        let unsent = self.rare.session().map_or_else(|| self.queued_messages(), |session| session.unacknowledged().0);
        let Some(closing) = self.rare.closing() else { return End { unsent, ..End::broken(closed()) } };
        let clean = closing.failure.is_none() && !closing.stop;
        let failure = closing.failure.clone().or_else(|| closing.failure_of_received()).unwrap_or_else(closed);
        let decided = closing.received.as_ref().map(|(code, _)| *code).or(closing.sent);
        let code = decided.map_or(1006, |code| code.unwrap_or(1005));
        End { code, clean, reason: closing.reason().to_owned(), unsent, ..End::broken(failure) }
    }

    fn start_close(&mut self, endpoint: &Endpoint, now: Instant) -> &mut Closing {
        if self.rare.closing().is_none() {
            self.rare.state().changes.get_or_insert_default().closing = true;
        }
        let progress = (self.passed_on(), self.uncompressed());
        self.rare.state().closing.get_or_insert_with(|| {
            Box::new(Closing { deadline: endpoint.close_deadline(now), progress, ..Closing::default() })
        })
    }

    fn send_close(&mut self, endpoint: &Endpoint, code: Option<u16>, reason: &str) {
        let Some(closing) = &mut self.rare.state().closing else { return };
        if closing.sent.is_some() {
            return;
        }
        closing.sent = Some(code);
        closing.sent_reason = reason.to_owned();
        closing.due = true;
        self.send_due_close(endpoint);
    }

    /// Queues our close frame once no message before it waits to be encoded; if we fail the connection, at once.
    /// A session is ended before it, if we start the close.
    pub(super) fn send_due_close(&mut self, endpoint: &Endpoint) {
        let is_free = self.rare.unencoded().0 == 0;
        let Some(closing) =
            self.rare.state().closing.as_mut().filter(|closing| closing.due && (closing.stop || is_free))
        else {
            return;
        };
        closing.due = false;
        let closing_by_us = closing.by_host && closing.received.is_none();
        if self.rare.session().is_some() {
            self.end_session(endpoint.received(), closing_by_us);
        }
        let Some(closing) = self.rare.closing() else { return };
        let (payload, len) = close_payload(closing.sent.flatten(), &closing.sent_reason);
        self.put_control(0x8, &payload[..len]);
        let end = self.outbox.end();
        if let Some(closing) = &mut self.rare.state().closing {
            closing.end = Some(end);
        }
    }

    /// Bytes that have to be sent before the link ends: up to our close frame, once it is queued.
    fn unwritten(&self) -> usize {
        match self.rare.closing().and_then(|closing| closing.end) {
            Some(end) => end.saturating_sub(self.passed_on()) as usize,
            None if self.has_stopped() => self.outbox.bytes(),
            None => self.queued_bytes(),
        }
    }

    /// Bytes of messages waiting to be encoded.
    fn uncompressed(&self) -> usize {
        self.rare.unencoded().1
    }
}

/// The text of the event for a close by the peer: its code and reason.
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
    // Control characters are replaced, so that the reason cannot forge a line in a log.
    let reason = reason.replace(char::is_control, " ");
    format!("the peer closed the connection with {code}{meaning}{colon}{reason}")
}

/// Truncates a text to the 123 bytes of a close reason.
fn close_reason_of(message: &str) -> &str {
    let mut end = message.len().min(123);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}
