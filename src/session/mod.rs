//! Sessions (docs/control-channel.md): what outlives a link, so that no message is lost, doubled or reordered when one
//! breaks. No I/O and no clock.

mod log;

pub use log::{EACH, Kept, Log};

use crate::heap::Discarded;
use crate::protocol::{Grant, NewSession, ResumeSession, Secret, SessionId};
use crate::work::{Moment, Payload};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// An acknowledgement is due after this many bytes as session_bytes counts them, or after a quarter of the sender's
/// session_bytes.
const ACK_BYTES: u64 = 64 << 10;
/// An acknowledgement is due this long after the first message that it covers.
pub const ACK_TIME: Duration = Duration::from_secs(1);
/// Acknowledged messages removed between two checks of the budget.
const REMOVED_AT_ONCE: usize = 256;

/// What an end asks of the other for a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// How long a lost session is kept, in milliseconds.
    pub ms: u32,
    /// Limit of the messages that wait for acknowledgement, as `Log::bytes` counts them.
    pub bytes: u32,
    /// Client: a session that is lost is followed by a new one.
    pub renews: bool,
}

/// One end of a session. The host's messages are numbered from 1 in the order in which they are accepted, which is that
/// in which they are handed to links.
pub struct Session {
    id: SessionId,
    secret: Secret,
    /// A client: the secret that replaces `secret` at the next resume. A server: the one that was replaced last, which
    /// counts until a message arrives on the link that was granted with it.
    other_secret: Option<Secret>,
    /// Name of the server's node.
    node: Box<str>,
    /// Client: it was asked for at this node before, and the answer was lost.
    repeats: bool,
    /// What we asked for or offered; once granted, `ms` is the smaller of both.
    terms: Terms,
    is_granted: bool,
    /// Server: a message arrived on the link that was granted last, so the client has the answer.
    is_confirmed: bool,
    /// The session cannot be resumed: END was received, or the server does not have it any more.
    is_over: bool,
    /// When its link was lost; `None`: it has one.
    lost: Option<Moment>,
    /// How long it had no link before that.
    lost_before: Duration,

    /// The host's messages that are accepted and not removed.
    log: Log,
    /// Number of the last message that was removed from the log.
    removed: u64,
    /// Number of the last message that the peer has acknowledged. Those up to it are removed within the budget.
    acknowledged: u64,
    /// Number of the last message that was handed to the current link.
    handed: u64,
    /// Number of the last message that was handed to any link.
    numbered: u64,

    /// Numbers of the messages that can be replaced, by key: they were handed to no link.
    latest: HashMap<u64, u64>,

    /// Value of the endpoint's counters when the session began.
    start: [u64; 2],
    /// Number and bytes of received messages that the last acknowledgement covered.
    told: [u64; 2],
    /// When the first message arrived that no acknowledgement covers.
    untold_since: Option<Moment>,
    /// Bytes after which an acknowledgement is due.
    tell_after: u64,
}

/// Omits the secrets.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = (self.removed, self.acknowledged, self.handed, self.numbered);
        formatter.debug_struct("Session").field("numbers", &numbers).finish_non_exhaustive()
    }
}

impl Discarded for Session {
    fn empty(&mut self, keep: &mut usize) {
        self.log.empty(keep);
    }
}

/// Beginning, losing and resuming.
impl Session {
    /// A client's session that has yet to be granted. `received`: as `Endpoint::received`. `None`: the system has no
    /// randomness.
    pub fn ask(terms: Terms, received: [u64; 2]) -> Option<Box<Session>> {
        let (mut id, mut secret) = (SessionId::default(), Secret::default());
        getrandom::fill(&mut id).ok()?;
        getrandom::fill(&mut secret).ok()?;
        Some(Session::new(id, secret, terms, received))
    }

    /// A server's session, as a client has asked for it.
    pub fn granted(new: &NewSession, terms: Terms, received: [u64; 2]) -> Box<Session> {
        let terms = Terms { ms: terms.ms.min(new.ms), ..terms };
        let mut session = Session::new(new.id, new.secret, terms, received);
        session.is_granted = true;
        session.tell_after = tell_after(new.bytes);
        session
    }

    fn new(id: SessionId, secret: Secret, terms: Terms, start: [u64; 2]) -> Box<Session> {
        Box::new(Session {
            id,
            secret,
            other_secret: None,
            node: Box::default(),
            repeats: false,
            terms,
            is_granted: false,
            is_confirmed: false,
            is_over: false,
            lost: None,
            lost_before: Duration::ZERO,
            log: Log::default(),
            removed: 0,
            acknowledged: 0,
            handed: 0,
            numbered: 0,
            latest: HashMap::new(),
            start,
            told: start,
            untold_since: None,
            tell_after: ACK_BYTES,
        })
    }

    /// Its id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Client: the node that has it, or was asked for it.
    pub fn node(&self) -> Option<&str> {
        Some(&*self.node).filter(|node| !node.is_empty())
    }

    /// Client: it is asked for at this node.
    pub fn ask_at(&mut self, node: &str) {
        self.repeats = !self.is_granted && !self.node.is_empty();
        self.node = node.into();
    }

    /// Client: whether the last request repeated one for a new session. If so, the next one is a first one again.
    pub fn forget_request(&mut self) -> bool {
        if self.repeats {
            self.node = Box::default();
        }
        std::mem::take(&mut self.repeats)
    }

    /// Client: the request for a session that was not granted yet. `None`: it was.
    pub fn new_request(&self) -> Option<NewSession> {
        let Terms { ms, bytes, .. } = self.terms;
        (!self.is_granted).then_some(NewSession { id: self.id, secret: self.secret, ms, bytes })
    }

    /// Client: the request to resume. `None`: the system has no randomness.
    pub fn resume_request(&mut self, received: [u64; 2]) -> Option<ResumeSession> {
        let next = match self.other_secret {
            Some(next) => next,
            None => {
                let mut next = Secret::default();
                getrandom::fill(&mut next).ok()?;
                *self.other_secret.insert(next)
            }
        };
        self.tell(received);
        Some(ResumeSession { id: self.id, secret: self.secret, next, received: received[0] - self.start[0] })
    }

    /// Client: takes the server's answer to the last request. Returns the number of messages that are sent again (`None`
    /// in a new session), or `None` if the server claims to have received others than it was sent.
    pub fn take_grant(&mut self, grant: &Grant, now: Moment) -> Option<Option<u64>> {
        let again = self.resume(grant.received, now)?;
        if let Some(next) = self.other_secret.take() {
            self.secret = next;
        }
        self.terms.ms = self.terms.ms.min(grant.ms);
        self.tell_after = tell_after(grant.bytes);
        let was_granted = std::mem::replace(&mut self.is_granted, true);
        Some(was_granted.then_some(again))
    }

    /// Server: whether a request to begin a session repeats the one with which this session began, whose answer was
    /// lost: then it goes on as if it were resumed. Returns as `take_resume`.
    pub fn take_new_again(&mut self, new: &NewSession, now: Moment) -> Option<u64> {
        let is_unanswered = !self.is_confirmed && self.other_secret.is_none();
        if is_unanswered && bool::from(self.secret.ct_eq(&new.secret)) { self.resume(0, now) } else { None }
    }

    /// Server: takes a request to resume. Returns the number of messages that are sent again; `None`: its secret is
    /// wrong, or it claims to have received others than it was sent.
    pub fn take_resume(&mut self, request: &ResumeSession, now: Moment) -> Option<u64> {
        let is_current = self.secret.ct_eq(&request.secret);
        // The same request again, whose answer was lost.
        let previous = self.other_secret.as_ref().unwrap_or(&request.next);
        let is_repeated = previous.ct_eq(&request.secret) & self.secret.ct_eq(&request.next);
        if !bool::from(is_current | is_repeated) {
            return None;
        }
        let count = self.resume(request.received, now)?;
        self.other_secret = Some(request.secret);
        self.secret = request.next;
        Some(count)
    }

    /// Server: the answer that grants the session, or its resumption.
    pub fn grant(&mut self, received: [u64; 2]) -> Grant {
        self.tell(received);
        Grant { received: self.told[0] - self.start[0], ms: self.terms.ms, bytes: self.terms.bytes }
    }

    /// Server: a message has arrived on the link that was granted last, so the client has its new secret. It sends none
    /// between its request and the answer.
    pub fn confirm(&mut self) {
        self.is_confirmed = true;
        self.other_secret = None;
    }

    /// A new link begins: all messages that the peer has not received are handed to it. Returns how many of them were
    /// handed to a link before. `None`: `received` is not possible.
    fn resume(&mut self, received: u64, now: Moment) -> Option<u64> {
        if received < self.removed || received > self.numbered {
            return None;
        }
        self.acknowledged = self.acknowledged.max(received);
        self.handed = self.acknowledged;
        self.lost_before = self.lost_for(now);
        self.lost = None;
        Some(self.numbered - self.acknowledged)
    }

    /// How long it is kept when its link is lost.
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.terms.ms.into())
    }

    /// What was asked for, and what of it was granted.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The link is lost.
    pub fn lose(&mut self, now: Moment) {
        self.lost = Some(now);
    }

    /// How long it has had no link since it began.
    pub fn lost_for(&self, now: Moment) -> Duration {
        self.lost_before + self.lost.map_or(Duration::ZERO, |lost| now.since(lost))
    }

    /// When it ends unless it is resumed before; `None`: it has its link.
    pub fn ends_at(&self) -> Option<Moment> {
        self.lost.map(|lost| lost.after(self.time()))
    }

    /// Whether it was granted.
    pub fn is_granted(&self) -> bool {
        self.is_granted
    }

    /// Whether it cannot be resumed.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether it was granted and has not ended.
    pub fn is_alive(&self) -> bool {
        self.is_granted && !self.is_over
    }

    /// END was received, or the server does not have it any more: the session cannot be resumed.
    pub fn end(&mut self) {
        self.is_over = true;
    }
}

/// Sending.
impl Session {
    /// Whether there is room for `count` messages of `len` bytes together. When nothing waits for acknowledgement, there
    /// always is.
    pub fn has_room(&self, len: usize, count: usize) -> bool {
        let more = len as u64 + EACH * count as u64;
        self.log.is_empty() || self.log.bytes() + more <= u64::from(self.terms.bytes)
    }

    /// Keeps a copy of a message. False: there is no memory for it.
    pub fn keep(&mut self, text: bool, payload: &[u8]) -> bool {
        self.log.push(text, payload)
    }

    /// Keeps a message by reference. False: there is no memory for it.
    pub fn keep_shared(&mut self, text: bool, payload: Payload) -> bool {
        self.log.push_shared(text, payload)
    }

    /// Keeps a message in the place of the one with the same key that was handed to no link, or behind the others. False:
    /// there is no memory for it.
    pub fn keep_latest(&mut self, key: u64, text: bool, payload: Payload) -> bool {
        if let Some(number) = self.latest.get(&key) {
            self.log.replace(self.index_of(*number), key, text, payload);
            return true;
        }
        if !self.log.push_latest(key, text, payload) {
            return false;
        }
        self.latest.insert(key, self.removed + self.log.len() as u64);
        true
    }

    /// Length of the message that one with this key replaces; `None`: there is none.
    pub fn len_of_latest(&self, key: u64) -> Option<usize> {
        self.log.latest(self.index_of(*self.latest.get(&key)?)).map(|(_, len)| len)
    }

    /// Whether a newer message may take the place of the next one.
    pub fn begins_with_latest(&self) -> bool {
        self.handed >= self.numbered && self.log.latest((self.handed - self.removed) as usize).is_some()
    }

    fn index_of(&self, number: u64) -> usize {
        (number - self.removed - 1) as usize
    }

    /// The message that was kept last is not sent after all.
    pub fn forget_last(&mut self) {
        let last = self.log.len().checked_sub(1).and_then(|last| self.log.latest(last));
        if let Some((key, _)) = last {
            self.latest.remove(&key);
        }
        self.log.pop_last();
        let last = self.removed + self.log.len() as u64;
        (self.handed, self.numbered) = (self.handed.min(last), self.numbered.min(last));
    }

    /// Whether all messages were handed to the current link.
    pub fn is_handed(&self) -> bool {
        self.handed == self.removed + self.log.len() as u64
    }

    /// Number and bytes of the messages that have not been handed to the current link.
    pub fn unhanded(&self) -> (usize, usize) {
        let first = (self.handed - self.removed) as usize;
        if first == self.log.len() {
            return (0, 0);
        }
        (self.log.len() - first, self.log.bytes_from(first) as usize)
    }

    /// The next message to be handed to the current link.
    pub fn next(&self) -> Option<(bool, Kept<'_>)> {
        self.log.get((self.handed - self.removed) as usize)
    }

    /// The next message was handed to the current link.
    pub fn note_handed(&mut self) {
        if !self.latest.is_empty()
            && let Some((key, _)) = self.log.latest((self.handed - self.removed) as usize)
            && self.latest.get(&key) == Some(&(self.handed + 1))
        {
            self.latest.remove(&key);
        }
        self.handed += 1;
        self.numbered = self.numbered.max(self.handed);
    }

    /// Takes an acknowledgement. False: it acknowledges messages that the link was not handed.
    pub fn take_ack(&mut self, received: u64) -> bool {
        let possible = received <= self.handed;
        if possible {
            self.acknowledged = self.acknowledged.max(received);
        }
        possible
    }

    /// Whether acknowledged messages are still in the log.
    pub fn has_acknowledged(&self) -> bool {
        self.removed < self.acknowledged
    }

    /// Removes acknowledged messages until `is_spent`. Returns large storage of theirs, to be freed by the caller.
    pub fn remove_acknowledged(&mut self, mut is_spent: impl FnMut() -> bool) -> Vec<Payload> {
        let mut large = Vec::new();
        while self.removed < self.acknowledged {
            for _ in 0..REMOVED_AT_ONCE.min((self.acknowledged - self.removed) as usize) {
                large.extend(self.log.pop_first());
                self.removed += 1;
            }
            if is_spent() {
                break;
            }
        }
        large
    }

    /// Number and bytes (as session_bytes counts them) of the messages that are accepted and not acknowledged.
    pub fn unacknowledged(&self) -> (usize, u64) {
        ((self.removed + self.log.len() as u64 - self.acknowledged) as usize, self.log.bytes())
    }

    /// Frees memory that an idle session does not need.
    pub fn shrink(&mut self) {
        self.log.shrink();
    }
}

/// Receiving. `received` is `Endpoint::received`: messages are counted where they are queued.
impl Session {
    /// After messages may have arrived: the count to acknowledge, if an acknowledgement is due.
    pub fn ack(&mut self, received: [u64; 2], now: Moment) -> Option<u64> {
        let [messages, bytes] = [received[0] - self.told[0], received[1] - self.told[1]];
        if messages == 0 {
            return None;
        }
        let since = *self.untold_since.get_or_insert(now);
        if bytes + EACH * messages < self.tell_after && now < since.after(ACK_TIME) {
            return None;
        }
        self.tell(received);
        Some(received[0] - self.start[0])
    }

    /// The last acknowledgement before the session ends; `None`: nothing is left to acknowledge.
    pub fn last_ack(&mut self, received: [u64; 2]) -> Option<u64> {
        let has_more = received[0] > self.told[0];
        self.tell(received);
        has_more.then_some(received[0] - self.start[0])
    }

    /// Whether messages have arrived since the last acknowledgement, or since the answer to the client's request.
    pub fn has_arrived(&self, received: [u64; 2]) -> bool {
        received[0] > self.told[0]
    }

    /// When an acknowledgement is due.
    pub fn ack_at(&self) -> Option<Moment> {
        self.untold_since.map(|since| since.after(ACK_TIME))
    }

    fn tell(&mut self, received: [u64; 2]) {
        self.told = received;
        self.untold_since = None;
    }

    /// Moves the times by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        self.untold_since = self.untold_since.map(|since| since.after(gap));
        self.lost = self.lost.map(|lost| lost.after(gap));
    }
}

fn tell_after(bytes_of_peer: u32) -> u64 {
    ACK_BYTES.min(u64::from(bytes_of_peer) / 4)
}
