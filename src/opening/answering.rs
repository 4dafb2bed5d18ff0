//! The server's side of an opening: requests and their answers, until one opens a WebSocket.

use super::streaming::{Streaming, too_slow};
use super::{At, Channel, Opening, Progress, READ_BYTES};
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::heap;
use crate::names::CLOSE_TIMEOUT_MS;
use crate::names::said::{ACCEPT, REPLY};
use crate::net::Stream;
use crate::protocol::{
    Accept, Agreement, CONTINUE, Method, Refusal, Reply, Request, Role, ServerHandshake, not_asked_for,
};
use crate::status::{Cause, Phase, Text};
use crate::work::Cx;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server that waits for a request, or for its owner's decision on one.
pub(super) struct Answering {
    handshake: ServerHandshake,
    /// Decides at once. `None`: the owner decides on `request`.
    accept: Option<Arc<Accept>>,
    pub(super) request: Option<Box<Request>>,
    /// A response in parts, in place of `request`.
    pub(super) streaming: Option<Box<Streaming>>,
    /// The program decides on `request`, later. Meanwhile what the client sends is kept, up to a bound.
    asked: bool,
    /// The client of a plain request has sent all that it wants to send.
    half_closed: bool,
    /// A response after which the connection goes on is being sent: the position in the outgoing stream up to which
    /// bytes had been sent at the last progress.
    responding: Option<u64>,
    /// A response has been sent.
    has_responded: bool,
}

impl Answering {
    /// Whether a request is being answered, so that nothing is read. While the program decides, bytes behind the
    /// request, of which `kept` have been received, are read up to a bound, to notice the end of the transport.
    pub(super) fn is_busy(&self, kept: usize) -> bool {
        let reads_on = self.asked && !self.half_closed && kept < READ_BYTES;
        self.is_responding() || (self.request.is_some() && !reads_on)
    }

    /// Whether a response is being sent, after which the connection may go on.
    pub(super) fn is_responding(&self) -> bool {
        self.responding.is_some() || self.streaming.is_some()
    }

    /// Whether the next request is read once everything queued has been sent.
    pub(super) fn is_answered(&self) -> bool {
        self.responding.is_some() || self.streaming.as_ref().is_some_and(|streaming| streaming.is_complete())
    }

    /// Whether the client of a plain request may end its direction of the transport and wait for the response.
    pub(super) fn stays_half_open(&self) -> bool {
        self.asked && self.request.as_ref().is_some_and(|request| request.opening.is_none())
    }

    /// Heap bytes of the request.
    pub(super) fn heap_bytes(&self) -> usize {
        self.handshake.heap_bytes() + self.request.as_ref().map_or(0, |request| request.body.capacity())
    }
}

impl Opening {
    /// Server: on an open transport. With `accept` it answers the request itself; otherwise its owner calls `decide`,
    /// or `respond` for a plain one.
    pub fn answer_on(
        endpoint: &mut Endpoint,
        stream: Stream,
        accept: Option<Arc<Accept>>,
        handshake: ServerHandshake,
        timeout: Option<Duration>,
        queue_before_open: bool,
        now: Instant,
    ) -> Opening {
        let at = At::Answering(Answering {
            handshake,
            accept,
            request: None,
            streaming: None,
            asked: false,
            half_closed: false,
            responding: None,
            has_responded: false,
        });
        let mut opening = Opening::new(at, timeout, queue_before_open, now);
        opening.take_stream(endpoint, stream);
        opening
    }

    /// The request on which a server's owner has to decide.
    pub fn request(&self) -> Option<&Request> {
        match &self.at {
            At::Answering(answering) => answering.request.as_deref(),
            _ => None,
        }
    }

    /// Whether all requests have been answered and nothing of another one has been received.
    pub fn is_between_requests(&self) -> bool {
        let At::Answering(answering) = &self.at else { return false };
        let is_quiet = self.received.is_empty() && self.output.bytes() == 0 && !self.is_ending();
        is_quiet && answering.request.is_none() && !answering.is_responding() && answering.handshake.is_idle()
    }

    /// Leaves the request that `request` returned to the program, for the time of an opening handshake from now on.
    /// Returns whether it opens a WebSocket, and its body.
    pub fn ask(&mut self, endpoint: &mut Endpoint, now: Instant) -> Option<(bool, Vec<u8>)> {
        let At::Answering(answering) = &mut self.at else { return None };
        let request = answering.request.as_mut()?;
        answering.asked = true;
        self.deadline = self.timeout.map(|timeout| now + timeout);
        let info = &mut endpoint.info;
        info.set_target(&request.path, &request.query);
        info.set_method(request.method.name());
        info.headers = request.headers.clone();
        Some((request.opening.is_some(), std::mem::take(&mut request.body)))
    }

    /// Whether the program has been asked and has not decided yet.
    pub fn is_asked(&self) -> bool {
        matches!(&self.at, At::Answering(answering) if answering.asked && answering.request.is_some())
    }

    /// Refuses the request on which the program has not decided, because of `failure`.
    pub fn turn_away(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, failure: Failure) -> Progress {
        let At::Answering(answering) = &mut self.at else { return Progress::Pending { more: false } };
        let Some(request) = answering.request.take() else { return Progress::Pending { more: false } };
        let refusal = Refusal::new(503, failure.cause, "the server did not answer the request; try again later");
        endpoint.info.http_status = refusal.status;
        self.output.push_bytes(&refusal.to_bytes_for(request.method));
        self.end_after_output(endpoint, cx.now, failure);
        self.write(endpoint, cx);
        self.finish(endpoint, cx, false)
    }

    /// The client has sent everything, and waits for the response to a plain request.
    pub(super) fn end_input(&mut self) -> Progress {
        if let At::Answering(answering) = &mut self.at {
            answering.half_closed = true;
        }
        Progress::Pending { more: false }
    }

    /// Answers the request that `request` returned: opens the WebSocket, or refuses.
    pub fn decide(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, answer: Result<Agreement, Refusal>) -> Progress {
        let At::Answering(answering) = &mut self.at else { return Progress::Pending { more: false } };
        let Some(request) = answering.request.take() else { return Progress::Pending { more: false } };
        let method = request.method;
        // A plain request cannot be accepted.
        let answer = if request.opening.is_some() { answer } else { answer.and_then(|_| Err(not_asked_for(method))) };
        keep_request(endpoint, *request);
        let Agreement { answer, subprotocol, deflate, channel } = match answer {
            Ok(agreement) => agreement,
            Err(refusal) => {
                self.refuse(endpoint, cx.now, &refusal, method);
                return Progress::Pending { more: false };
            }
        };
        let info = &mut endpoint.info;
        info.http_status = 101;
        info.set_text(Text::Subprotocol, subprotocol.unwrap_or_default());
        self.output.push_bytes(&answer);
        let announced = match channel {
            Some((question, offered)) => {
                info.set_text(Text::Query, question.rest);
                Channel::Announced { offered, resumes: question.node.is_some() }
            }
            None => Channel::None,
        };
        self.opened(endpoint, cx.now, Role::Server, deflate, announced)
    }

    /// Answers the request that `request` returned with a response. With `keep_alive` the next request of the client is
    /// read once the response has been sent, if the client wants that too; otherwise the opening ends then. A request
    /// to open a WebSocket ends it always. False: there is no memory for the response, and the request still waits.
    pub fn respond(&mut self, endpoint: &mut Endpoint, now: Instant, response: &Reply, keep_alive: bool) -> bool {
        let At::Answering(answering) = &mut self.at else { return false };
        let Some(request) = &answering.request else { return false };
        let keep_alive = keep_alive && request.keep_alive && request.opening.is_none();
        let (mut bytes, body) = response.parts(request.method, keep_alive);
        if !heap::append(&mut bytes, body) {
            return false;
        }
        let Some(request) = answering.request.take() else { return false };
        endpoint.info.http_status = response.status;
        self.output.push_shared(&Arc::new(bytes), 0, false);
        if keep_alive {
            answering.responding = Some(self.output.left());
            self.deadline = endpoint.close_deadline(now);
            return true;
        }
        keep_request(endpoint, *request);
        let why = format!("the request was answered with {}", response.status);
        self.end_after_output(endpoint, now, Failure::new(Phase::Http, Cause::HttpStatus, why));
        true
    }

    /// Refuses a client before its request has arrived.
    pub fn refuse_request(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, refusal: &Refusal) -> Progress {
        self.refuse(endpoint, cx.now, refusal, Method::Get);
        self.write(endpoint, cx);
        self.finish(endpoint, cx, false)
    }

    /// Reads the next request once a response has been sent. What arrived behind the last request comes first.
    pub(super) fn go_on(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) -> Progress {
        let At::Answering(answering) = &mut self.at else { return Progress::Pending { more: false } };
        if !answering.is_responding() {
            return Progress::Pending { more: false };
        }
        if let Some(failure) = self.write_failure.take() {
            return Progress::Failed(failure);
        }
        if answering.streaming.is_some() {
            match self.end_streaming(cx.now) {
                None => return Progress::Pending { more: false },
                Some(true) => {}
                Some(false) => {
                    let failure = Failure::new(Phase::Http, Cause::HttpStatus, "the request was answered with a file");
                    self.end_after_output(endpoint, cx.now, failure);
                    return Progress::Pending { more: false };
                }
            }
        } else if self.output.bytes() > 0 {
            if answering.responding.is_some_and(|left| self.output.left() > left) {
                answering.responding = Some(self.output.left());
                self.deadline = endpoint.close_deadline(cx.now);
            }
            return Progress::Pending { more: false };
        }
        let At::Answering(answering) = &mut self.at else { return Progress::Pending { more: false } };
        answering.responding = None;
        answering.has_responded = true;
        self.deadline = self.timeout.map(|timeout| cx.now + timeout);
        let received = std::mem::take(&mut self.received);
        if received.is_empty() { Progress::Pending { more: false } } else { self.take_request(endpoint, cx, &received) }
    }

    /// Handles received bytes of requests.
    pub(super) fn take_request(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let At::Answering(answering) = &mut self.at else { return Progress::Pending { more: false } };
        if answering.request.is_some() {
            self.received.extend_from_slice(bytes);
            return Progress::Pending { more: false };
        }
        match answering.handshake.receive(bytes) {
            Ok(None) => {
                if answering.handshake.takes_continue() {
                    self.output.push_bytes(CONTINUE);
                }
            }
            Ok(Some((used, received))) => {
                let answer = answering.accept.as_ref().map(|accept| accept.answer(&received));
                answering.request = Some(Box::new(received));
                answering.asked = false;
                self.received = bytes[used..].to_vec();
                if let Some(answer) = answer {
                    return self.decide(endpoint, cx, answer);
                }
            }
            Err(refusal) => self.refuse(endpoint, cx.now, &refusal, Method::Get),
        }
        Progress::Pending { more: false }
    }

    /// The time for a request, or for sending a response, is over. Returns when to check again.
    pub(super) fn answer_too_late(
        &mut self,
        endpoint: &mut Endpoint,
        cx: &mut Cx<'_>,
        ms: u128,
    ) -> Result<Option<Instant>, Failure> {
        let At::Answering(answering) = &self.at else { return Ok(None) };
        if answering.streaming.is_some() {
            return Err(too_slow());
        }
        if answering.is_responding() {
            let why = format!("the client did not take the response within {CLOSE_TIMEOUT_MS}");
            return Err(Failure::new(Phase::Http, Cause::CloseTimeout, why));
        }
        if self.is_asked() {
            let why = format!("the program did not answer the request within {ms} ms: call {ACCEPT} or {REPLY}");
            return match self.turn_away(endpoint, cx, Failure::new(Phase::Http, Cause::HandshakeTimeout, why)) {
                Progress::Failed(failure) => Err(failure),
                _ => Ok(self.close_deadline()),
            };
        }
        if answering.has_responded && answering.handshake.is_idle() {
            let why = format!("the client sent no other request within {ms} ms");
            return Err(Failure::new(Phase::Http, Cause::PeerGone, why));
        }
        let why = format!("the client did not finish its opening handshake within {ms} ms");
        let refusal = Refusal::new(408, Cause::HandshakeTimeout, why);
        match self.refuse_request(endpoint, cx, &refusal) {
            Progress::Failed(failure) => Err(failure),
            _ => Ok(self.close_deadline()),
        }
    }

    fn refuse(&mut self, endpoint: &mut Endpoint, now: Instant, refusal: &Refusal, method: Method) {
        endpoint.info.http_status = refusal.status;
        self.output.push_bytes(&refusal.to_bytes_for(method));
        self.end_after_output(endpoint, now, Failure::new(Phase::Http, refusal.cause, refusal.message.clone()));
    }
}

/// Keeps the target and headers of a request, which the program can query.
fn keep_request(endpoint: &mut Endpoint, request: Request) {
    endpoint.info.set_target(&request.path, &request.query);
    endpoint.info.set_method(request.method.name());
    endpoint.info.headers = request.headers;
}
