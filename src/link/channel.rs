//! The control channel (docs/control-channel.md): the application heartbeat, because a browser hides pings and pongs of
//! RFC 6455 from the page, and the agreement on a session. The client pings and asks; the server answers.

use super::Link;
use crate::endpoint::Endpoint;
use crate::error::Failure;
use crate::names::{APP_HEARTBEAT, SESSION_MS};
use crate::protocol::{
    Announcement, Control, Grant, LONGEST_DRAIN_URL, Lead, Marker, NewSession, ResumeSession, Role,
    encode_announcement, encode_control, opcode_of, read_announcement, read_control,
};
use crate::session::Session;
use crate::status::{Cause, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// State of the channel.
pub(super) struct Channel {
    /// Prefix of each control message. A client receives it in the server's first message, the announcement.
    marker: Option<Marker>,
    /// Client: its heartbeat uses the channel, if the server grants that.
    beats: bool,
    /// When a client stops waiting for the announcement.
    deadline: Option<Instant>,
    /// Number of the client's last ping; 0: none was sent.
    number: u32,
    /// The next heartbeat message: whether it is a pong, and its number. It is sent once the previous one has left; a
    /// newer one replaces it.
    due: Option<(bool, u32)>,
    /// The next acknowledgement, sent and replaced like `due`.
    due_ack: Option<u64>,
    /// Server: where to send the client before the close. Client: where the server sends it.
    away: Option<Away>,
    /// Position in the outgoing stream at which the last of these ends.
    end: u64,
    greeting: Greeting,
}

/// The agreement on a session, before any message of the programs.
enum Greeting {
    /// There is none, or it is over.
    None,
    /// A client waits for the announcement, a server for the client's request.
    Waiting,
    /// A client has asked, and waits for the answer.
    Asked,
    /// It is over; the owner has yet to take the result.
    Over(Greeted),
}

/// Where a server that is drained sends its clients.
pub struct Away {
    /// How long they wait at least, in milliseconds.
    pub ms: u32,
    /// The URL; "": the same.
    pub url: String,
}

/// The result of the agreement.
pub enum Greeted {
    /// Server: the client asks for a session, or resumes one. The owner decides.
    Claim(Claim),
    /// Client: the session was granted. If it was resumed, the number of messages that are sent again.
    Granted(Option<u64>),
    /// There is no session. A client's reason; `None`: it wants none.
    Without(Option<&'static str>),
}

/// A request for a session.
#[derive(Clone)]
pub enum Claim {
    /// A new one.
    New(Box<NewSession>),
    /// One that lost its link.
    Resume(Box<ResumeSession>),
}

/// Receiver of a received message.
pub(super) enum Watched {
    /// A message for the host.
    Message,
    /// A message for the host where the channel expected its own: the peer has no channel, or wants no session.
    Foreign,
    /// A message of the channel.
    Control(Control),
}

/// Why a client's link has no session.
const NOT_OFFERED: &str = "the server keeps no sessions: it is another than wspeer or has no session_ms";
const REFUSED: &str = "the server does not have this session: it was started again, has ended it, or is another one";

impl Channel {
    fn new(marker: Option<Marker>, beats: bool, deadline: Option<Instant>) -> Box<Channel> {
        Box::new(Channel {
            marker,
            beats,
            deadline,
            number: 0,
            due: None,
            due_ack: None,
            away: None,
            end: 0,
            greeting: Greeting::None,
        })
    }

    /// Whether no agreement on a session is awaited.
    pub(super) fn is_greeted(&self) -> bool {
        matches!(self.greeting, Greeting::None)
    }

    /// Moves the deadline by the length of a gap between polls.
    pub(super) fn shift(&mut self, gap: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline + gap);
    }
}

/// Beginning.
impl Link {
    /// Client: it has asked for the channel in its opening handshake, so the announcement has to arrive by `deadline`.
    /// `beats`: for the heartbeat. A link with a session asks for that too.
    pub fn expect_announcement(&mut self, beats: bool, deadline: Option<Instant>) {
        self.rare.state().channel = Some(Channel::new(None, beats, deadline));
        if let Some(session) = self.take_session() {
            self.take_up(session);
        }
    }

    /// Client: asks for a session, or resumes it, once the announcement has arrived.
    pub fn take_up(&mut self, session: Box<Session>) {
        self.set_session(session);
        if let Some(channel) = &mut self.rare.state().channel {
            channel.greeting = Greeting::Waiting;
        }
        // A server without the channel answers this before it sends a message, if it ever does.
        self.put_ping();
    }

    /// Client: when it stops waiting for the announcement.
    pub fn announcement_deadline(&self) -> Option<Instant> {
        self.rare.channel()?.deadline
    }

    /// Server: announces the channel to a client that asked for it, before any other message. False: it has no random
    /// marker, without which a message of the host could be taken for one of the channel, so it is not offered.
    pub fn announce(&mut self, heartbeat: bool, session: bool, node: &str) -> bool {
        let mut marker = Marker::default();
        if getrandom::fill(&mut marker).is_err() {
            return false;
        }
        let announcement = Announcement { marker, heartbeat, session, node: node.to_owned() };
        let mut channel = Channel::new(Some(marker), false, None);
        if session {
            channel.greeting = Greeting::Waiting;
        }
        self.push_message(&encode_announcement(&announcement));
        self.rare.state().channel = Some(channel);
        true
    }

    /// Takes the result of the agreement on a session, once there is one.
    pub fn take_greeted(&mut self) -> Option<Greeted> {
        let channel = self.rare.get_mut()?.channel.as_mut()?;
        if !matches!(channel.greeting, Greeting::Over(_)) {
            return None;
        }
        match std::mem::replace(&mut channel.greeting, Greeting::None) {
            Greeting::Over(greeted) => Some(greeted),
            _ => None,
        }
    }

    /// Whether no agreement on a session is awaited.
    pub(super) fn is_greeted(&self) -> bool {
        self.rare.channel().is_none_or(Channel::is_greeted)
    }

    /// Client: stops waiting for the agreement. False: the server has announced sessions, and has yet to answer.
    pub fn stop_greeting(&mut self) -> bool {
        let Some(channel) = self.rare.get_mut().and_then(|rare| rare.channel.as_mut()) else { return false };
        let waits = matches!(channel.greeting, Greeting::Waiting);
        if waits {
            channel.greeting = Greeting::Over(Greeted::Without(Some(NOT_OFFERED)));
        }
        waits
    }
}

/// Receiving.
impl Link {
    /// Classifies a received message.
    pub(super) fn watch(&self, text: bool, bytes: &[u8]) -> Watched {
        let Some(channel) = self.rare.channel() else { return Watched::Message };
        let control = match &channel.marker {
            _ if text => None,
            Some(marker) => read_control(marker, bytes),
            None => read_announcement(bytes).map(|announcement| Control::Announced(Box::new(announcement))),
        };
        match control {
            Some(control) => Watched::Control(control),
            // A server without the channel does not have the session for which the client comes: its message is for
            // nobody.
            None if channel.marker.is_none() && self.rare.session().is_some_and(Session::is_alive) => {
                Watched::Control(Control::Refused)
            }
            None if channel.marker.is_none() || !channel.is_greeted() => Watched::Foreign,
            None => Watched::Message,
        }
    }

    /// Handles a message of the channel.
    pub(super) fn take_control(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, control: Control) {
        let role = self.role;
        let Some(channel) = &mut self.rare.state().channel else { return };
        match (control, role) {
            (Control::Announced(announcement), _) => self.take_announcement(endpoint, cx, *announcement),
            (Control::Ping(number), Role::Server) => channel.due = Some((true, number)),
            (Control::Pong(number), Role::Client) if number == channel.number => {
                endpoint.rtt_us = self.heartbeat.answered(cx.now).unwrap_or(endpoint.rtt_us);
            }
            (Control::NoSession, Role::Server) => self.end_greeting(Greeted::Without(None)),
            (Control::New(new), Role::Server) => self.end_greeting(Greeted::Claim(Claim::New(new))),
            (Control::Resume(resume), Role::Server) => self.end_greeting(Greeted::Claim(Claim::Resume(resume))),
            (Control::Grant(grant), Role::Client) => self.take_grant(endpoint, cx, &grant),
            (Control::Refused, Role::Client) => match channel.greeting {
                Greeting::Asked => channel.greeting = Greeting::Over(Greeted::Without(Some(REFUSED))),
                Greeting::Waiting => channel.greeting = Greeting::Over(Greeted::Without(Some(NOT_OFFERED))),
                _ => {}
            },
            (Control::Ack(received), _) => self.take_ack(endpoint, cx, received),
            (Control::Drain(ms, mut url), Role::Client) => {
                if url.len() > LONGEST_DRAIN_URL {
                    url.clear();
                }
                channel.away = Some(Away { ms, url });
            }
            (Control::End, _) => {
                if let Some(session) = self.rare.session_mut() {
                    session.end();
                }
            }
            _ => {}
        }
    }

    /// Client: the server offers the channel.
    fn take_announcement(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>, announcement: Announcement) {
        let Announcement { marker, heartbeat, session, node } = announcement;
        let Some(channel) = &mut self.rare.state().channel else { return };
        channel.marker = Some(marker);
        let lacks_heartbeat = channel.beats && !heartbeat;
        channel.beats &= heartbeat;
        match (matches!(channel.greeting, Greeting::Waiting), session) {
            (true, true) => {
                channel.greeting = Greeting::Asked;
                self.ask_for_session(endpoint, &node);
            }
            (true, false) => channel.greeting = Greeting::Over(Greeted::Without(Some(NOT_OFFERED))),
            (false, true) => self.push_control(&Control::NoSession),
            (false, false) => {}
        }
        if lacks_heartbeat {
            report_no_heartbeat(endpoint, cx);
        }
    }

    fn ask_for_session(&mut self, endpoint: &Endpoint, node: &str) {
        let received = endpoint.received();
        let Some(session) = self.rare.session_mut() else { return };
        session.ask_at(node);
        let request = match session.new_request() {
            Some(new) => Some(Control::New(Box::new(new))),
            None => session.resume_request(received).map(|resume| Control::Resume(Box::new(resume))),
        };
        match request {
            Some(request) => self.push_control(&request),
            None => self.memory_failed(),
        }
    }

    fn take_grant(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>, grant: &Grant) {
        let Some(rare) = self.rare.get_mut() else { return };
        let (Some(channel), Some(session)) = (&mut rare.channel, &mut rare.session) else { return };
        if !matches!(channel.greeting, Greeting::Asked) {
            return;
        }
        match session.take_grant(grant, cx.now.into()) {
            Some(again) => channel.greeting = Greeting::Over(Greeted::Granted(again)),
            None => self.fail(endpoint, cx, impossible_count()),
        }
    }

    /// Server: ends the agreement, if the client's request is awaited.
    fn end_greeting(&mut self, greeted: Greeted) {
        if let Some(channel) = &mut self.rare.state().channel
            && matches!(channel.greeting, Greeting::Waiting)
        {
            channel.greeting = Greeting::Over(greeted);
        }
    }

    /// A message of the host came where one of the channel was expected.
    #[cold]
    pub(super) fn take_foreign(&mut self, endpoint: &mut Endpoint, cx: &mut Cx<'_>) {
        let role = self.role;
        let Some(channel) = &mut self.rare.state().channel else { return };
        match (role, &channel.greeting) {
            (Role::Server, Greeting::Waiting) => channel.greeting = Greeting::Over(Greeted::Without(None)),
            (Role::Client, Greeting::Asked) => {
                let why = "the server sent a message before it answered the request for a session";
                self.fail(endpoint, cx, Failure::of_protocol(1002, why.to_owned()));
            }
            _ if channel.marker.is_none() => self.give_up_announcement(endpoint, cx),
            _ => {}
        }
    }

    /// Stops waiting for the announcement at its deadline. Returns when to check next.
    pub(super) fn check_announcement(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>) -> Option<Instant> {
        let deadline = self.rare.channel().filter(|channel| channel.marker.is_none())?.deadline?;
        if cx.now < deadline {
            return Some(deadline);
        }
        self.give_up_announcement(endpoint, cx);
        None
    }

    /// A pong of RFC 6455 has arrived: a server that answers it before it announces the channel has none.
    pub(super) fn note_pong(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>) {
        if self
            .rare
            .channel()
            .is_some_and(|channel| channel.marker.is_none() && matches!(channel.greeting, Greeting::Waiting))
        {
            self.give_up_announcement(endpoint, cx);
        }
    }

    /// Client: the server has no channel. Reports with one ERROR event that it does not offer the heartbeat.
    #[cold]
    pub(super) fn give_up_announcement(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>) {
        let Some(channel) = &mut self.rare.state().channel else { return };
        let beats = std::mem::replace(&mut channel.beats, false);
        if matches!(channel.greeting, Greeting::Waiting) {
            // The owner takes the result, then the channel is given up.
            channel.greeting = Greeting::Over(Greeted::Without(Some(NOT_OFFERED)));
            channel.deadline = None;
        } else {
            self.rare.state().channel = None;
        }
        if beats {
            report_no_heartbeat(endpoint, cx);
        }
    }

    /// Client: the link goes on without a session.
    pub fn drop_channel_without_marker(&mut self) {
        if self.rare.channel().is_some_and(|channel| channel.marker.is_none()) {
            self.rare.state().channel = None;
        }
    }
}

/// Sending.
impl Link {
    /// Sends a ping as a message. False: this link does not use the application heartbeat, or is a server's.
    pub(super) fn ping_by_message(&mut self) -> bool {
        let unanswered = self.heartbeat.is_unanswered();
        let Some(channel) = self
            .rare
            .get_mut()
            .and_then(|rare| rare.channel.as_mut())
            .filter(|channel| channel.marker.is_some() && channel.beats && channel.is_greeted())
        else {
            return false;
        };
        // An earlier ping is not repeated: TCP loses nothing, so it is answered or the link times out.
        if !unanswered || channel.number == 0 {
            channel.number = channel.number.wrapping_add(1).max(1);
            channel.due = Some((false, channel.number));
            self.send_due_control();
        }
        true
    }

    /// Acknowledges `count` messages of the session, once the last message of the channel has left.
    pub(super) fn acknowledge_messages(&mut self, count: u64) {
        if let Some(channel) = &mut self.rare.state().channel {
            channel.due_ack = Some(count);
            self.send_due_control();
        }
    }

    /// Server: sends the client away with the close that follows.
    pub fn send_away(&mut self, ms: u32, url: &str) {
        if let Some(channel) = self.rare.get_mut().and_then(|rare| rare.channel.as_mut()) {
            channel.away = Some(Away { ms, url: url.to_owned() });
        }
    }

    /// Takes where the client goes.
    pub(super) fn take_away(&mut self) -> Option<Away> {
        self.rare.get_mut()?.channel.as_mut()?.away.take()
    }

    /// Queues the due heartbeat and acknowledgement, unless they would fall between the fragments of another message.
    pub(super) fn send_due_control(&mut self) {
        let Some(rare) = self.rare.get_mut() else { return };
        let Some(channel) = &mut rare.channel else { return };
        if (channel.due.is_none() && channel.due_ack.is_none())
            || channel.marker.is_none()
            || rare.waiting.is_some()
            || rare.closing.is_some()
            || channel.end > self.outbox.left()
        {
            return;
        }
        let beat =
            channel.due.take().map(|(pong, number)| if pong { Control::Pong(number) } else { Control::Ping(number) });
        let ack = channel.due_ack.take().map(Control::Ack);
        beat.into_iter().chain(ack).for_each(|control| self.push_control(&control));
        if let Some(channel) = &mut self.rare.state().channel {
            channel.end = self.outbox.end();
        }
    }

    /// Queues a control message. The caller has seen to it that it does not fall between the fragments of another one.
    pub(super) fn push_control(&mut self, control: &Control) {
        if let Some(marker) = self.rare.channel().and_then(|channel| channel.marker) {
            self.push_message(&encode_control(&marker, control));
        }
    }

    fn push_message(&mut self, message: &[u8]) {
        self.outbox.push_frame(self.role, &mut self.keys, Lead::whole(opcode_of(false)), message, false);
    }
}

/// The peer claims to have received messages that it was never sent.
pub(super) fn impossible_count() -> Failure {
    let why = "the peer claims to have received more messages of the session than it was sent";
    Failure { cause: Cause::Session, ..Failure::of_protocol(1002, why.to_owned()) }
}

fn report_no_heartbeat(endpoint: &mut Endpoint, cx: &Cx<'_>) {
    endpoint.report_error(
        cx,
        Phase::Websocket,
        Cause::NoHeartbeat,
        &format!(
            "the server offers no application heartbeat: it is another than wspeer or has no {APP_HEARTBEAT}; pings of RFC 6455 take its place"
        ),
    );
}

/// Reports that a client's link has no session.
pub fn report_no_session(endpoint: &mut Endpoint, cx: &Cx<'_>, why: &str) {
    let why = format!("there is no session ({SESSION_MS}): {why}");
    endpoint.report_error(cx, Phase::Websocket, Cause::Session, &why);
}
