//! What ws_diagnose makes of a client: it reports each step of the opening, pings the server once, closes, and ends
//! with advice. It delivers no message and sends none.

mod advice;
mod clock;
mod evidence;
mod redact;
mod secrets;
mod sentences;

use crate::connection::Connection;
use crate::endpoint::Mark;
use crate::net::unix_time;
use crate::protocol::RequestSpec;
use crate::status::{Cause, EventKind, Phase, State, Text};
use crate::trace::Trace;
use crate::work::Cx;
use evidence::{Came, Evidence};
use secrets::Secrets;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use secrets::Hidden;

/// Time for the answer to the ping if the connect timeout is off.
const PING_TIME: Duration = Duration::from_secs(10);
/// Maximum steps of one diagnosis.
const MAX_STEPS: u32 = 200;

/// What is diagnosed.
pub struct Subject {
    /// URL without user name, password and query.
    pub url: String,
    /// Host of the URL.
    pub host: String,
    /// Port of the URL.
    pub port: u16,
    /// wss://
    pub is_secure: bool,
    /// The request of the opening handshake.
    pub request: RequestSpec,
    /// The proxy, without its user name and password.
    pub proxy: Option<String>,
    /// How the server's certificate is verified.
    pub trust: Trust,
    /// Timeout of the opening.
    pub timeout: Option<Duration>,
}

/// How the server's certificate is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// By its chain and its name.
    Usual,
    /// By its chain alone: WS_ANY_NAME.
    AnyName,
    /// By its fingerprint.
    Pin,
    /// Not at all: WS_INSECURE.
    Nothing,
}

/// A diagnosis in progress.
pub struct Diagnosis {
    subject: Subject,
    secrets: Secrets,
    trace: Arc<Trace>,
    evidence: Evidence,
    stage: Stage,
    started: Instant,
    /// Number of steps reported.
    steps: u32,
    /// Time of the last step, which those reported later do not precede.
    newest: Instant,
}

enum Stage {
    /// Nothing has been reported.
    New,
    /// The connection is being opened.
    Opening,
    /// The ping was sent at this time, after so many bytes were received, and times out at that.
    Pinging { sent: Instant, wire_in: u64, deadline: Instant },
    /// The closing handshake is in progress. The fault that was found before it.
    Closing { fault: Option<Fault> },
    /// The advice was given.
    Over,
}

/// What is wrong.
#[derive(Clone, Debug, Default)]
struct Fault {
    phase: Phase,
    cause: Cause,
    /// Status of the server's or proxy's answer, or 0.
    http_status: u16,
    /// Close code of the peer, or 0.
    code: u16,
    /// The sentence of an ordinary client.
    message: String,
}

/// A step to be reported.
#[derive(Clone, Debug, Default)]
struct Step {
    phase: Phase,
    /// `Cause::None`: the step succeeded.
    cause: Cause,
    os_error: i32,
    http_status: u16,
    text: String,
}

impl Diagnosis {
    /// Begins. `trace` is that of the connection's recipe.
    pub fn new(subject: Subject, hidden: &Hidden, trace: Arc<Trace>, peer: &mut Connection, now: Instant) -> Diagnosis {
        // Messages of the server are not the program's.
        peer.endpoint.inbox.refuse_messages();
        let secrets = Secrets::of(&subject.request, hidden);
        let evidence = Evidence::new(subject.proxy.is_some(), now, unix_time());
        Diagnosis { subject, secrets, trace, evidence, stage: Stage::New, started: now, steps: 0, newest: now }
    }

    /// The state of the connection as the program sees it: nothing can be put, so it is never OPEN.
    pub fn state(&self, peer: &Connection) -> State {
        match peer.state() {
            State::Open => State::Connecting,
            state => state,
        }
    }

    /// Call after the connection was polled. `gap` is the time by which its deadlines were moved. Returns as
    /// `Role::after_poll`.
    #[cold]
    pub fn after_poll(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, gap: Duration) -> (bool, Option<Instant>) {
        if matches!(self.stage, Stage::New) {
            self.report(peer, cx, self.started, sentences::beginning(&self.subject, self.evidence.clock));
            self.stage = Stage::Opening;
        }
        for (at, fact) in self.trace.take() {
            let step = sentences::of_fact(&fact, at, &self.subject, &self.evidence, &self.secrets);
            self.evidence.learn(&fact, at);
            if let Some(step) = step {
                self.report(peer, cx, at, step);
            }
        }
        self.take_marks(peer, cx);
        if let Stage::Pinging { deadline, .. } = &mut self.stage {
            *deadline += gap;
        }
        match &self.stage {
            Stage::Opening if peer.state() == State::Open => self.ping(peer, cx),
            Stage::Pinging { sent, wire_in, deadline } => {
                let (sent, wire_in, deadline) = (*sent, *wire_in, *deadline);
                self.check_ping(peer, cx, sent, wire_in, deadline);
            }
            _ => {}
        }
        if peer.state() == State::Closed && !matches!(self.stage, Stage::Over) {
            self.finish(peer, cx);
        }
        match self.stage {
            Stage::Pinging { deadline, .. } => (false, Some(deadline)),
            // The timers were checked before the close began.
            Stage::Closing { .. } => (false, peer.close_deadline()),
            _ => (false, None),
        }
    }

    /// Turns events of the connection into steps.
    fn take_marks(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        peer.endpoint.inbox.take_mark(EventKind::Open);
        while let Some(mark) = peer.endpoint.inbox.take_mark(EventKind::Error) {
            let text = self.secrets.cover_message(&text_of(&mark));
            let step = Step { phase: mark.phase, cause: mark.cause, text, ..Step::default() };
            self.report(peer, cx, cx.now, step);
        }
        // The end reports it.
        peer.endpoint.inbox.take_mark(EventKind::CloseRequest);
    }

    /// The connection is open: reports the answer of the server and pings it.
    fn ping(&mut self, peer: &mut Connection, cx: &mut Cx<'_>) {
        self.report_answer(peer, cx);
        let agreed = sentences::agreed(&self.subject, &peer.endpoint.info, &self.secrets);
        self.report(peer, cx, cx.now, agreed);
        self.report(peer, cx, cx.now, sentences::pinging());
        peer.ping(cx);
        let time = self.subject.timeout.unwrap_or(PING_TIME);
        let wire_in = peer.endpoint.counters.wire_in;
        self.stage = Stage::Pinging { sent: cx.now, wire_in, deadline: cx.now + time };
    }

    fn check_ping(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, sent: Instant, wire_in: u64, deadline: Instant) {
        let rtt = Duration::from_micros(peer.endpoint.rtt_us);
        if !rtt.is_zero() {
            self.evidence.rtt = Some(rtt);
            self.report(peer, cx, cx.now, sentences::pong(rtt));
            self.close(peer, cx, None);
        } else if cx.now >= deadline {
            let waited = deadline.saturating_duration_since(sent);
            let counters = &peer.endpoint.counters;
            self.evidence.came = match (counters.messages_in, counters.wire_in.saturating_sub(wire_in)) {
                (0, 0) => Came::Nothing,
                (0, bytes) => Came::Bytes(bytes),
                (messages, _) => Came::Messages(messages),
            };
            let message = sentences::no_pong(waited, self.evidence.came);
            let fault = Fault { phase: Phase::Websocket, cause: Cause::PongTimeout, message, ..Fault::default() };
            let step = Step { phase: fault.phase, cause: fault.cause, text: fault.message.clone(), ..Step::default() };
            self.report(peer, cx, cx.now, step);
            self.close(peer, cx, Some(fault));
        }
    }

    fn close(&mut self, peer: &mut Connection, cx: &mut Cx<'_>, fault: Option<Fault>) {
        self.stage = Stage::Closing { fault };
        peer.close(cx, 1000, "");
        peer.finish(cx);
    }

    /// Reports status and headers of the answer to the opening handshake, or of a proxy's answer.
    fn report_answer(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        let info = &peer.endpoint.info;
        let steps = sentences::answer(info.http_status, &info.headers, cx.now, &self.evidence, &self.secrets);
        for step in steps {
            self.report(peer, cx, cx.now, step);
        }
    }

    /// The connection has ended: makes the advice the text of its last event.
    fn finish(&mut self, peer: &mut Connection, cx: &Cx<'_>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let Some(end) = peer.endpoint.info.end().cloned() else { return };
        let mut fault = Fault {
            phase: end.phase,
            cause: end.cause,
            http_status: peer.endpoint.info.http_status,
            code: u16::try_from(end.code).unwrap_or(0),
            message: match end.cause {
                Cause::ClosedByPeer => sentences::closed_by_peer(end.code, peer.close_reason(), &self.secrets),
                _ => self.secrets.cover_message(&text_of(&end)),
            },
        };
        match stage {
            Stage::Closing { fault: Some(found) } => fault = found,
            // It is clean whoever closed first.
            Stage::Closing { fault: None } if end.clean => fault = Fault::default(),
            Stage::Opening | Stage::New => {
                if peer.endpoint.info.http_status != 0 {
                    self.report_answer(peer, cx);
                }
            }
            Stage::Closing { .. } | Stage::Pinging { .. } | Stage::Over => {}
        }
        if fault.cause != Cause::None && fault.cause != Cause::PongTimeout {
            let step = Step {
                phase: fault.phase,
                cause: fault.cause,
                os_error: end.os_error,
                http_status: fault.http_status,
                text: fault.message.clone(),
            };
            self.report(peer, cx, cx.now, step);
        }
        match self.trace.omitted() {
            0 => {}
            count => self.report(peer, cx, cx.now, sentences::omitted(count)),
        }
        let advice = advice::of(&fault, &self.subject, &self.evidence, &peer.endpoint.info, &self.secrets);
        let (phase, cause) = (fault.phase, fault.cause);
        let advise = |mark: &mut Mark| {
            (mark.phase, mark.cause) = (phase, cause);
            mark.set_text(&advice);
        };
        if let Some(mark) = peer.endpoint.inbox.find_mark(|mark| mark.kind == EventKind::Closed) {
            advise(mark);
        }
        let mut last = end;
        advise(&mut last);
        peer.endpoint.info.set_end(last);
        peer.endpoint.info.set_text(Text::Error, advice.as_str());
    }

    fn report(&mut self, peer: &mut Connection, cx: &Cx<'_>, at: Instant, step: Step) {
        if self.steps == MAX_STEPS {
            return;
        }
        self.steps += 1;
        // A thread of the library may have recorded it since this poll began.
        self.newest = self.newest.max(at.min(cx.now));
        let time_ns = self.newest.saturating_duration_since(cx.epoch).as_nanos() as u64;
        let Step { phase, cause, os_error, http_status, text } = step;
        let http_status = i32::from(http_status);
        let mut mark = Mark { phase, cause, os_error, http_status, ..Mark::new(EventKind::Step, time_ns) };
        mark.set_text(&text);
        peer.endpoint.inbox.push_mark(mark);
    }
}

/// The text of a mark, without its NUL.
fn text_of(mark: &Mark) -> String {
    let text = mark.text.as_ref().map_or(&[][..], |text| &text[..text.len().saturating_sub(1)]);
    String::from_utf8_lossy(text).into_owned()
}
