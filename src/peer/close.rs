//! The closing handshake (RFC 6455 section 7), and every other end.

use super::{Cx, Mark, Peer, Stage};
use crate::codes::*;
use crate::error::{Error, Failure};
use crate::journal;
use crate::protocol::{close_payload, code_may_be_sent};
use crate::status::{Cause, ErrorCode, EventKind, Level, Phase, Text};
use std::time::{Duration, Instant};

/// The facts about a close under way.
#[derive(Default)]
pub struct Closing {
    /// The host asked for it.
    by_host: bool,
    /// The code of our close frame, once it is queued; `Some(None)`: a close frame without a code.
    sent: Option<Option<u16>>,
    /// Of our close frame.
    sent_reason: String,
    /// Our close frame leaves behind messages that wait to be encoded.
    due: bool,
    /// The peer's close frame.
    received: Option<(Option<u16>, String)>,
    /// The peer asked for it while it was not admitted: CLOSE_REQUEST comes when it is.
    untold: bool,
    /// Why we fail the connection (section 7.1.7), or refuse the request.
    failure: Option<Failure>,
    /// Nothing more is read: the connection fails, or the request is refused.
    stop: bool,
    deadline: Option<Instant>,
    /// Place in the outgoing stream at which our close frame ends, once it is queued. Pongs behind it are nothing to wait for.
    end: Option<u64>,
    /// When progress was last seen: the place in the outgoing stream up to which bytes had left, at most `end`, and bytes that waited to be compressed.
    progress: (u64, usize),
}

impl Closing {
    /// Moves by a gap in polling.
    pub fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
    }

    /// Whether the peer's close frame has come.
    pub fn is_received(&self) -> bool {
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

impl Peer {
    /// Starts the closing handshake as the host asked, behind what was accepted; -1 drops at once. Harmless when closed or closing.
    pub fn close(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.close_because(cx, code, reason, None);
    }

    /// As `close`, for a host that wants to hear nothing more of the peer: all that waits and comes is dropped, but the end.
    pub fn disconnect(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str) {
        self.inbox.silence();
        self.drop_refused(cx);
        self.close(cx, code, reason);
    }

    /// As `close`, for a reason of the library's own that the last event shall tell.
    pub fn close_because(&mut self, cx: &mut Cx<'_>, code: i32, reason: &str, failure: Option<Failure>) {
        if matches!(self.stage, Stage::Ended) {
            return;
        }
        let dropped = |sentence: &str| Failure::new(Phase::App, Cause::Dropped, sentence);
        if code == -1 {
            self.end(cx, failure.unwrap_or_else(|| dropped("the host dropped the connection")), false);
            return;
        }
        if !matches!(self.stage, Stage::Open) {
            if self.closing.is_none() {
                self.end(cx, failure.unwrap_or_else(|| dropped("the host closed the connection before it was open")), false);
            }
            return;
        }
        if self.closing.is_some() {
            return;
        }
        self.start_close(cx.now);
        let code = if code == 0 { 1000 } else { code as u16 };
        if let Some(closing) = &mut self.closing {
            closing.by_host = true;
            closing.failure = failure;
        }
        self.send_close(Some(code), reason);
        if cx.budget.look() {
            // The polls that follow write.
            self.writes_on = true;
        } else {
            self.write(cx);
        }
    }

    /// The peer's close frame has come (section 5.5.1): echoes its code behind what was accepted.
    pub(super) fn close_received(&mut self, cx: &mut Cx<'_>, code: Option<u16>, reason: String) {
        let asked_here = self.closing.is_some();
        self.start_close(cx.now);
        if let Some(closing) = &mut self.closing {
            closing.received = Some((code, reason));
            closing.untold = !asked_here;
        }
        if !self.apart {
            self.tell_close_request(cx.time_ns());
        }
        self.drop_unfinished(cx);
        self.send_close(code, "");
    }

    /// Multiplayer: the peer is not admitted. Nothing is told of it but its authentication and its end.
    pub fn keep_apart(&mut self) {
        self.apart = true;
        let was_told = self.inbox.take_mark(EventKind::CloseRequest).is_some();
        if let Some(closing) = self.closing.as_mut().filter(|_| was_told) {
            closing.untold = true;
        }
    }

    /// Multiplayer: the peer is admitted.
    pub fn let_in(&mut self, cx: &Cx<'_>) {
        self.apart = false;
        self.tell_close_request(cx.time_ns());
    }

    fn tell_close_request(&mut self, time_ns: u64) {
        let Some(closing) = self.closing.as_mut().filter(|closing| closing.untold) else { return };
        closing.untold = false;
        let Some((code, reason)) = &closing.received else { return };
        let mut mark = Mark { code: i32::from(code.unwrap_or(1005)), ..Mark::new(EventKind::CloseRequest, time_ns) };
        mark.set_text(reason);
        self.inbox.push_mark(mark);
    }

    /// Fails the connection (section 7.1.7): a close frame with the code, then no more reading.
    pub fn fail(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.start_close(cx.now);
        let code = failure.close_code;
        let reason = short(&failure.sentence).to_owned();
        let mut has_sent = false;
        if let Some(closing) = &mut self.closing {
            closing.failure.get_or_insert(failure);
            closing.stop = true;
            if std::mem::take(&mut closing.due) {
                closing.sent = None;
            }
            has_sent = closing.sent.is_some();
        }
        self.drop_unfinished(cx);
        if code != 0 && !has_sent && matches!(self.stage, Stage::Open) {
            self.send_close(Some(code), &reason);
        }
    }

    /// Whether nothing more is to be read: the peer has said its last, or we do not listen any more.
    pub(super) fn has_read_all(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.received.is_some() || closing.stop)
    }

    /// Whether the connection fails: what was not encoded yet does not leave any more.
    pub(super) fn has_stopped(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.stop)
    }

    /// Ends the connection when all that had to leave has left.
    pub(super) fn finish_close(&mut self, cx: &mut Cx<'_>) {
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
            closing.deadline = self.options.time(WS_OPT_CLOSE_TIMEOUT_MS).map(|time| cx.now + time);
            closing.progress = (left, uncompressed);
        }
        if unwritten > 0 || matches!(self.stage, Stage::Ended) {
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
        match self.stage {
            Stage::Ended => None,
            _ => self.closing.as_ref()?.deadline,
        }
    }

    /// Ends a close that takes too long. When to look again.
    pub(super) fn judge_close(&mut self, cx: &mut Cx<'_>) -> Option<Instant> {
        let closing = self.closing.as_mut()?;
        let deadline = closing.deadline?;
        if matches!(self.stage, Stage::Ended) {
            return None;
        }
        if cx.now < deadline {
            return Some(deadline);
        }
        let own = closing.failure.take();
        let by_peer = closing.failure_of_received().filter(|_| !closing.by_host);
        let failure = if let Some(failure) = own {
            failure
        } else if let Some(mut failure) = by_peer {
            // It does not read any more: its close frame says more than that.
            failure.sentence += "; it did not read what was sent before within close_timeout_ms";
            failure
        } else if self.reading_rests() {
            let sentence =
                "the close could not be finished because the inbound queue was full and the host did not read it: take all items each frame";
            Failure::new(Phase::App, Cause::NotReading, sentence)
        } else {
            let sentence = if self.unwritten() > 0 {
                "the peer did not read what was sent before the close within close_timeout_ms"
            } else {
                "the peer did not answer the close within close_timeout_ms"
            };
            Failure::new(Phase::App, Cause::CloseTimeout, sentence)
        };
        self.end(cx, failure, false);
        None
    }

    /// The connection is over: one last event, and the stream goes.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, failure: Failure, clean: bool) {
        if matches!(self.stage, Stage::Ended) {
            return;
        }
        let closing = self.closing.take().unwrap_or_default();
        let code = match (&closing.received, closing.sent) {
            (Some((code, _)), _) => code.unwrap_or(1005),
            (None, Some(Some(code))) if failure.close_code == code => code,
            _ => 1006,
        };
        let asked_for = clean && failure.close_code == 0 && failure.phase == Phase::App;
        self.info.set_text(Text::Error, if asked_for { "" } else { &failure.sentence });
        if let Some(stream) = &self.stream {
            // A read may have sent what TLS held back.
            self.outbox.acknowledge(stream);
        }
        let unsent = self.queued_messages_out() + self.unopened_messages();
        let mut mark = Mark {
            code: i32::from(code),
            phase: failure.phase,
            cause: failure.cause,
            os_error: failure.os_error,
            http_status: i32::from(self.info.http_status),
            unsent: u32::try_from(unsent).unwrap_or(u32::MAX),
            clean,
            ..Mark::new(if self.of_server { EventKind::Disconnected } else { EventKind::Closed }, cx.time_ns())
        };
        mark.set_text(&failure.sentence);
        self.info.end = Some(Box::new(mark.clone()));
        self.inbox.push_end(mark);
        // The reason is the peer's text: the event has it, and the log does not.
        let why = if failure.cause == Cause::ClosedByPeer { "the peer closed the connection" } else { &failure.sentence };
        journal::note(Level::Info, || format!("{} ended: {why} (code {code})", self.info.shown_url()));
        self.keep_reason(closing);
        let early = self.early().1;
        cx.discard(early, std::mem::replace(&mut self.stage, Stage::Ended));
        let finished = self.unwritten() == 0 && self.write_failure.is_none();
        match self.stream.take() {
            Some(stream) if finished => cx.services.reap(stream),
            Some(stream) => cx.services.close(vec![stream]),
            None => {}
        }
        cx.discard(self.outbox.bytes(), std::mem::take(&mut self.outbox));
        self.drop_unfinished(cx);
        cx.discard(self.waiting.as_ref().map_or(0, |waiting| waiting.bytes()), self.waiting.take());
        if let Some(ended) = self.compression.as_mut().map(|compression| compression.end()) {
            cx.discard(ended.message_bytes(), ended);
        }
        self.decoder.shrink();
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

    fn keep_reason(&mut self, closing: Box<Closing>) {
        // Kept for ws_get_text; the state is CLOSED by its stage.
        if closing.received.is_some() || closing.sent.is_some() {
            self.closing = Some(closing);
        }
    }

    fn start_close(&mut self, now: Instant) {
        if self.closing.is_none() {
            let deadline = self.options.time(WS_OPT_CLOSE_TIMEOUT_MS).map(|time| now + time);
            let progress = (self.outbox.left(), self.uncompressed());
            self.closing = Some(Box::new(Closing { deadline, progress, ..Closing::default() }));
        }
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
            None => self.queued_out(),
        }
    }

    /// Bytes of messages that wait to be encoded.
    fn uncompressed(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.bytes())
    }

    /// Lets a refusal or a failed handshake leave before the end.
    pub(super) fn end_after_output(&mut self, cx: &mut Cx<'_>, failure: Failure) {
        self.start_close(cx.now);
        if let Some(closing) = &mut self.closing {
            closing.failure = Some(failure);
            closing.stop = true;
        }
    }
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
