//! Reconnecting (WS_RECONNECT): which ends are followed by another try, when it begins, and what it opens.

use super::{Connection, Reconnects, Stage};
use crate::codes::{WS_OPT_RETRY_MAX_MS, WS_OPT_RETRY_MIN_MS, WS_OPT_RETRY_TRIES};
use crate::endpoint::{Endpoint, Mark, Options};
use crate::error::Failure;
use crate::link::{End, Waiting};
use crate::net::Stream;
use crate::opening::{Opening, Recipe, Rest};
use crate::protocol::{Headers, RequestSpec};
use crate::session::{Session, Terms};
use crate::status::{Cause, EventKind, Hint, Phase};
use crate::work::Cx;
use std::time::{Duration, Instant};

/// The longest wait for which a server may ask.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Number of queued events above which a loss drops those of earlier links.
const MAX_MARKS: usize = 4_096;
/// Number of unread losses of a server's client above which the events of earlier ones are dropped.
const MAX_LOSSES: usize = 8;

/// When a client tries again.
#[derive(Clone, Copy, Debug)]
struct Backoff {
    /// Upper bound of the first wait.
    min: Duration,
    /// Upper bound of every wait.
    max: Duration,
}

impl Backoff {
    fn of(options: &Options) -> Backoff {
        let time = |option| options.time(option).unwrap_or(Duration::MAX);
        Backoff { min: time(WS_OPT_RETRY_MIN_MS), max: time(WS_OPT_RETRY_MAX_MS) }
    }

    /// A wait: drawn evenly between 0 and its bound ("full jitter"), so that the clients of a server that was lost come
    /// back spread out. `random` has 64 random bits.
    fn wait(self, doublings: u32, random: u64) -> Duration {
        let bound = u64::try_from(self.bound(doublings).as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(((u128::from(random) * (u128::from(bound) + 1)) >> 64) as u64)
    }

    /// The bound of a wait. It doubles with each try.
    fn bound(self, doublings: u32) -> Duration {
        self.min.saturating_mul(1 << doublings.min(31)).min(self.max)
    }
}

/// What a client needs to open its next link, and how its last tries went.
pub struct Retry {
    /// What the next try opens.
    pub recipe: Recipe,
    /// Failed tries in a row.
    failures: u32,
    /// Number of doublings of the next wait's bound.
    doublings: u32,
    /// The bound of the last wait.
    last_bound: Duration,
    /// When the current link was first seen OPEN.
    opened: Option<Instant>,
    /// `Mark::order` of the last ERROR about a failed try.
    told: u64,
    /// No try begins until another hint says so.
    is_suspended: bool,
    /// The next try begins at once.
    is_hurried: bool,
}

impl Retry {
    /// For a client whose first opening is in progress.
    pub fn new(recipe: Recipe) -> Retry {
        Retry {
            recipe,
            failures: 0,
            doublings: 0,
            last_bound: Duration::ZERO,
            opened: None,
            told: 0,
            is_suspended: false,
            is_hurried: false,
        }
    }

    /// Moves times by the length of a gap between polls.
    pub fn shift(&mut self, gap: Duration) {
        self.opened = self.opened.map(|opened| opened + gap);
    }

    /// What the program knows of its device and network.
    pub fn hint(&mut self, peer: &mut Connection, cx: &Cx<'_>, hint: Hint) {
        self.is_suspended = hint == Hint::Suspend;
        if self.is_suspended {
            return;
        }
        self.doublings = 0;
        self.is_hurried = true;
        if let Stage::Opening(opening) = &mut peer.stage
            && let Some(rest) = opening.rest_mut()
        {
            rest.until = rest.until.map(|until| until.min(cx.now));
        }
    }

    /// Begins the next try if its time has come. True: the connection opens anew.
    pub fn begin(&mut self, peer: &mut Connection, cx: &Cx<'_>) -> bool {
        let Stage::Opening(opening) = &mut peer.stage else { return false };
        if self.is_suspended || opening.rest().and_then(|rest| rest.until).is_none_or(|until| cx.now < until) {
            return false;
        }
        if opening.may_keep() || opening.has_pending_close() {
            peer.endpoint.info.forget_link();
        } else {
            peer.endpoint.begin_again();
        }
        opening.dial_on(cx.services, self.recipe.clone(), &peer.endpoint, cx.now);
        true
    }

    /// After a poll of the connection: decides when the next try begins, if the link was lost or a try has failed.
    /// `is_open`: it is OPEN for the program. `random` draws 64 random bits. Returns when the connection must be polled.
    pub fn settle(
        &mut self,
        peer: &mut Connection,
        cx: &mut Cx<'_>,
        is_open: bool,
        random: impl FnOnce() -> u64,
    ) -> Option<Instant> {
        let Some(rest) = peer.rest() else {
            if is_open && self.opened.is_none() {
                (self.opened, self.failures) = (Some(cx.now), 0);
            }
            self.is_hurried &= !is_open;
            return None;
        };
        if rest.until.is_some() {
            return rest.until.filter(|_| !self.is_suspended);
        }
        // The layer above inspects the last messages of the link first: their events go before LOST.
        if peer.endpoint.inbox.held() > 0 {
            return Some(cx.now);
        }
        let (failure, is_loss) = (rest.failure.clone(), rest.lost.is_some());
        let least = rest.retry_after.unwrap_or_default();
        let lived = self.opened.take().map_or(Duration::ZERO, |opened| cx.now.saturating_duration_since(opened));
        self.failures = if is_loss { 0 } else { self.failures.saturating_add(1) };
        if lived > self.last_bound {
            self.doublings = 0;
        }
        let is_last = u64::from(self.failures) >= peer.endpoint.options.limit(WS_OPT_RETRY_TRIES);
        if is_last || least > LONGEST_WAIT {
            let why = if is_last {
                format!("{}; that was try {} of {}", failure.message, self.failures, self.failures)
            } else {
                format!("{}; it may be tried again in {} s, which is too long", failure.message, least.as_secs())
            };
            peer.end_for_good(cx, End::broken(Failure { message: why, ..failure }));
            return None;
        }
        let backoff = Backoff::of(&peer.endpoint.options);
        let drawn = backoff.wait(self.doublings, random());
        let wait = least + if std::mem::take(&mut self.is_hurried) { Duration::ZERO } else { drawn };
        self.last_bound = backoff.bound(self.doublings);
        self.doublings = self.doublings.saturating_add(1);
        let until = cx.now + wait;
        match peer.rest_until(until, self.recipe.queue_before_open) {
            Some(lost) => report_loss(&mut peer.endpoint, cx, *lost),
            None => self.report_failure(&mut peer.endpoint, cx, &failure, wait),
        }
        Some(until)
    }

    /// Reports a failed try. An earlier report that has not been read is replaced.
    fn report_failure(&mut self, endpoint: &mut Endpoint, cx: &Cx<'_>, failure: &Failure, wait: Duration) {
        let Failure { phase, cause, os_error, message, .. } = failure;
        let http_status = i32::from(endpoint.info.http_status);
        let (phase, cause, os_error) = (*phase, *cause, *os_error);
        let mut mark = Mark { phase, cause, os_error, http_status, ..Mark::new(EventKind::Error, cx.time_ns()) };
        mark.set_text(&format!(
            "try {} failed: {message}; the next one follows in {} ms",
            self.failures,
            wait.as_millis()
        ));
        endpoint.inbox.take_ordered(self.told, |_| true);
        endpoint.inbox.push_mark(mark);
        self.told = endpoint.inbox.newest_mark();
    }
}

/// Reconnecting.
impl Connection {
    /// Takes the URL to which the server has sent it.
    pub fn take_new_url(&mut self) -> Option<String> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.rest_mut()?.url.take(),
            Stage::Open(_) | Stage::Ended => None,
        }
    }

    /// When its next try begins, once that has been decided.
    pub fn retries_at(&self) -> Option<Instant> {
        self.rest()?.until
    }

    /// Begins its next try on an open transport, as `Retry::begin` does by a dial.
    pub fn retry_on(&mut self, stream: Stream, spec: &RequestSpec, timeout: Option<Duration>, now: Instant) {
        if let Stage::Opening(opening) = &mut self.stage {
            opening.request_again_on(&mut self.endpoint, stream, spec, timeout, now);
        }
    }

    /// A client on an open transport that has just begun to open asks for a session.
    pub fn ask_for_session(&mut self, terms: Terms) {
        let received = self.endpoint.received();
        if let (Stage::Opening(opening), Some(session)) = (&mut self.stage, Session::ask(terms, received)) {
            opening.set_session(session, None);
        }
    }

    /// Whether another try follows such an end.
    pub(super) fn is_retried(&self, end: &End) -> bool {
        is_retried(&end.failure, end.code, self.endpoint.info.http_status)
    }

    /// After the link or the opening has ended: waits for the next try. `Retry::settle` decides when it begins.
    /// `is_loss`: a link was lost, or a session.
    pub(super) fn rest_after(&mut self, cx: &mut Cx<'_>, mut end: End, is_loss: bool) {
        let failure = end.failure.clone();
        let away = end.away.take();
        let wait = match &away {
            Some(away) => Some(Duration::from_millis(away.ms.into())),
            None => retry_after(&failure, &self.endpoint.info.headers),
        };
        let mark = self.note_end(cx, end, EventKind::Lost, if is_loss { "was lost" } else { "was not opened" });
        if is_loss {
            self.reconnects = Reconnects::Lost;
        }
        let early = match &mut self.stage {
            Stage::Opening(opening) => opening.take_early(),
            Stage::Open(_) | Stage::Ended => Waiting::default(),
        };
        let url = away.map(|away| away.url).filter(|url| !url.is_empty());
        let rest = Rest { url, ..Rest::new(failure, is_loss.then(|| Box::new(mark)), wait) };
        let resting = Opening::resting(rest, early, cx.now);
        match std::mem::replace(&mut self.stage, Stage::Opening(Box::new(resting))) {
            Stage::Opening(opening) => opening.give_up(cx),
            Stage::Open(_) | Stage::Ended => {}
        }
    }

    fn rest_until(&mut self, until: Instant, queue_before_open: bool) -> Option<Box<Mark>> {
        match &mut self.stage {
            Stage::Opening(opening) => opening.rest_until(until, queue_before_open),
            Stage::Open(_) | Stage::Ended => None,
        }
    }
}

/// Queues LOST. Where the program has not read many events, those of earlier links are counted in one SKIPPED: LOST
/// says what remains of them.
pub(super) fn report_loss(endpoint: &mut Endpoint, cx: &Cx<'_>, lost: Mark) {
    endpoint.counters.rare().losses += 1;
    let inbox = &mut endpoint.inbox;
    let dropped = if endpoint.of_server && inbox.marks_of(EventKind::Lost) >= MAX_LOSSES {
        inbox.take_marks(|mark| matches!(mark.kind, EventKind::Lost | EventKind::Resumed))
    } else if inbox.marks() > MAX_MARKS {
        inbox.drop_marks_of_link()
    } else {
        Vec::new()
    };
    if !dropped.is_empty() {
        let skipped = inbox.take_mark(EventKind::Skipped).map_or(0, |mark| mark.count);
        let count = skipped + dropped.len() as u64;
        cx.services.discard(Box::new(dropped));
        inbox.push_mark(Mark { count, ..Mark::new(EventKind::Skipped, cx.time_ns()) });
    }
    inbox.push_mark(lost);
}

/// Whether a connection that ended so is opened anew. `code`: the close code that the peer sent, `status`: that of the
/// response to the opening handshake.
fn is_retried(failure: &Failure, code: u16, status: u16) -> bool {
    match failure.cause {
        Cause::PeerGone
        | Cause::Reset
        | Cause::PongTimeout
        | Cause::Resources
        | Cause::NameNotFound
        | Cause::NameFailed
        | Cause::ConnectTimeout
        | Cause::Refused
        | Cause::Unreachable
        | Cause::TcpFailed
        | Cause::LocalNetwork => true,
        Cause::HttpStatus => is_retried_status(status),
        Cause::ProxyRefused => is_retried_status(status) || failure.may_pass,
        Cause::ClosedByPeer => matches!(code, 1001 | 1012 | 1013),
        _ => failure.may_pass,
    }
}

fn is_retried_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// The wait that a refusal asks for (RFC 9110 section 10.2.3): in seconds, or up to a date, which is compared with the
/// date of the response, so that no clock needs to be right.
fn retry_after(failure: &Failure, headers: &Headers) -> Option<Duration> {
    if failure.phase != Phase::Http && failure.phase != Phase::Proxy {
        return None;
    }
    let value = headers.get("retry-after", 0)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(headers.get("date", 0)?.trim()).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { min: Duration::from_secs(1), max: Duration::from_secs(30) };

    #[test]
    fn waits_are_between_0_and_a_bound_that_doubles() {
        for (failures, bound) in [(0, 1), (1, 2), (4, 16), (5, 30), (6, 30), (1_000, 30), (u32::MAX, 30)] {
            assert_eq!(BACKOFF.wait(failures, 0), Duration::ZERO);
            assert_eq!(BACKOFF.wait(failures, u64::MAX), Duration::from_secs(bound));
            let half = BACKOFF.wait(failures, 1 << 63).as_secs_f64();
            assert!((half - bound as f64 / 2.0).abs() < 1e-6, "{half}");
        }
        let none = Backoff { min: Duration::ZERO, ..BACKOFF };
        assert_eq!(none.wait(40, u64::MAX), Duration::ZERO);
        let wide = Backoff { min: Duration::from_millis(u32::MAX.into()), max: Duration::MAX };
        assert!(wide.wait(40, u64::MAX) > Duration::from_secs(1 << 30));
    }

    /// Waits of a hundred thousand clients whose server is gone for a minute: no second has more than twice as many
    /// tries as an even spread would have.
    #[test]
    fn a_hundred_thousand_clients_come_back_spread_out() {
        const CLIENTS: u64 = 100_000;
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut tries = [0u64; 120];
        let mut back = [0u64; 120];
        for _ in 0..CLIENTS {
            let (mut at, mut failures) = (Duration::ZERO, 0);
            loop {
                at += BACKOFF.wait(failures, random());
                failures += 1;
                let second = (at.as_secs() as usize).min(119);
                tries[second] += 1;
                if at >= Duration::from_secs(60) {
                    back[second] += 1;
                    break;
                }
            }
        }
        assert_eq!(back.iter().sum::<u64>(), CLIENTS);
        // All come within 30 s of the server's return, and evenly: a thirtieth of them is 3 333 a second.
        assert!(back[90..].iter().all(|count| *count == 0), "{back:?}");
        assert!(back[60..88].iter().all(|count| *count < 2 * CLIENTS / 30), "{back:?}");
        // While it is gone, its tries get fewer: more than one a client in the first second, few later.
        assert!(tries[0] >= CLIENTS && tries[30..60].iter().all(|count| *count < CLIENTS / 10), "{tries:?}");
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let of = |cause| Failure::new(Phase::Http, cause, "");
        for cause in [Cause::PeerGone, Cause::Reset, Cause::PongTimeout, Cause::ConnectTimeout, Cause::Refused] {
            assert!(is_retried(&of(cause), 1006, 0));
        }
        for cause in [
            Cause::ClosedByHost,
            Cause::Dropped,
            Cause::CertificateExpired,
            Cause::NotTls,
            Cause::HttpInvalid,
            Cause::Subprotocol,
            Cause::Protocol,
            Cause::Full,
            Cause::ProxyAuth,
            Cause::CloseTimeout,
            Cause::Panic,
        ] {
            assert!(!is_retried(&of(cause), 1006, 503), "{cause:?}");
        }
        for (status, again) in
            [(408, true), (429, true), (500, true), (503, true), (599, true), (404, false), (301, false), (600, false)]
        {
            assert_eq!(is_retried(&of(Cause::HttpStatus), 1006, status), again, "{status}");
        }
        for (code, again) in
            [(1000, false), (1001, true), (1002, false), (1008, false), (1012, true), (1013, true), (4000, false)]
        {
            assert_eq!(is_retried(&of(Cause::ClosedByPeer), code, 101), again, "{code}");
        }
    }

    #[test]
    fn a_server_says_when_to_come_back() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let wait = |pairs: &[(&'static str, &'static str)]| {
            let map = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
                .collect();
            retry_after(&Failure::new(Phase::Http, Cause::HttpStatus, ""), &Headers::from_map(&map))
                .map(|wait| wait.as_secs())
        };
        for (value, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999", Some(u64::MAX)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ] {
            assert_eq!(wait(&[date, ("retry-after", value)]), expected, "{value}");
        }
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]), None, "without a Date it has no meaning");
        assert_eq!(wait(&[date]), None);
    }
}
