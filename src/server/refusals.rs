//! Clients that were turned away: they failed before CONNECTED. They are counted by cause, logged at a limited rate, as
//! anybody can cause them, and reported if the program asks for it.

use super::Server;
use crate::codes::*;
use crate::endpoint::Mark;
use crate::error::Failure;
use crate::journal;
use crate::status::{Cause, EventKind, Level, Phase};
use crate::work::Cx;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Maximum lines per period.
const LINES: u32 = 10;
/// Length of a period.
const PERIOD: Duration = Duration::from_secs(1);
/// Maximum queued REFUSED events. The last of them then counts further clients.
const EVENTS: usize = 256;

/// A client that was turned away.
pub(super) struct TurnedAway {
    /// Its address. `None`: it has none.
    pub(super) address: Option<SocketAddr>,
    /// Why, with the phase that it had reached.
    pub(super) failure: Failure,
    /// HTTP status of the response, or 0.
    pub(super) status: u16,
}

impl TurnedAway {
    /// A client that got no HTTP response.
    pub(super) fn before_http(address: SocketAddr, phase: Phase, cause: Cause, why: impl Into<String>) -> TurnedAway {
        TurnedAway { address: Some(address), failure: Failure::new(phase, cause, why), status: 0 }
    }
}

/// Numbers of clients that were turned away since the server was opened. Each counts in the total and in one group.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct RefusedCounts {
    /// All of them.
    pub total: u64,
    /// By a limit, or because the server takes no new clients.
    pub limit: u64,
    /// By the content of the request.
    pub request: u64,
    /// TLS failed.
    pub tls: u64,
    /// A trusted proxy sent no valid PROXY header.
    pub proxy: u64,
    /// The opening handshake took too long.
    pub timeout: u64,
    /// The client left, or its transport failed.
    pub gone: u64,
}

impl RefusedCounts {
    fn add(&mut self, failure: &Failure) {
        if is_own(failure.cause) {
            return;
        }
        self.total += 1;
        let count = match (failure.cause, failure.phase) {
            (Cause::Limit | Cause::Resources, _) => &mut self.limit,
            (Cause::HandshakeTimeout, _) => &mut self.timeout,
            (Cause::PeerGone | Cause::Reset, _) => &mut self.gone,
            (_, Phase::Tls) => &mut self.tls,
            (_, Phase::Proxy) => &mut self.proxy,
            _ => &mut self.request,
        };
        *count += 1;
    }
}

/// Whether the client was ended by its server, not turned away.
fn is_own(cause: Cause) -> bool {
    matches!(cause, Cause::None | Cause::ServerClosed | Cause::ClosedByHost | Cause::Dropped)
}

/// The counts, and the log lines of the current period.
#[derive(Default)]
pub(super) struct Refusals {
    pub(super) counts: RefusedCounts,
    lines: Lines,
}

impl Refusals {
    /// Logs a request that was refused while its client stays.
    pub(super) fn log(&mut self, now: Instant, line: impl FnOnce() -> String) {
        self.lines.log(now, line);
    }
}

#[derive(Default)]
struct Lines {
    since: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Server {
    /// Counts a client that was turned away, and reports it if the host asked for that. `line` makes its log line; a
    /// client that left after TLS has none.
    pub(super) fn turn_away(&mut self, cx: &Cx<'_>, away: TurnedAway, line: impl FnOnce(&TurnedAway) -> String) {
        self.refusals.counts.add(&away.failure);
        let Failure { phase, cause, .. } = away.failure;
        if is_own(cause) {
            return;
        }
        if phase == Phase::Tls || !matches!(cause, Cause::PeerGone | Cause::Reset) {
            self.refusals.lines.log(cx.now, || line(&away));
        }
        if self.endpoint.options.is_on(WS_OPT_REPORT_REFUSED) {
            self.report_refused(cx, &away);
        }
    }

    fn report_refused(&mut self, cx: &Cx<'_>, away: &TurnedAway) {
        let inbox = &mut self.endpoint.inbox;
        if inbox.marks() >= EVENTS && inbox.add_to_last(EventKind::Refused, 1) {
            return;
        }
        let TurnedAway { address, failure, status } = away;
        let mut mark = Mark {
            phase: failure.phase,
            cause: failure.cause,
            http_status: i32::from(*status),
            os_error: failure.os_error,
            count: 1,
            ..Mark::new(EventKind::Refused, cx.now.saturating_duration_since(cx.epoch).as_nanos() as u64)
        };
        let why = &failure.message;
        mark.set_text(&address.map_or_else(|| why.clone(), |address| format!("{address}: {why}")));
        inbox.push_mark(mark);
    }

    /// Ends an expired period of log lines.
    pub(super) fn pass_refusals(&mut self, now: Instant) {
        self.refusals.lines.pass(now);
    }
}

impl Lines {
    /// Logs a client that was turned away, with its address and the reason.
    fn log(&mut self, now: Instant, line: impl FnOnce() -> String) {
        self.pass(now);
        self.since.get_or_insert(now);
        if self.lines < LINES {
            self.lines += 1;
            journal::note(Level::Warn, line);
        } else {
            self.left_out += 1;
        }
    }

    /// Ends an expired period, and logs how many lines were left out in it.
    fn pass(&mut self, now: Instant) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) < PERIOD) {
            return;
        }
        let left_out = self.left_out;
        if left_out > 0 {
            journal::note(Level::Warn, || {
                format!("{left_out} more clients were refused or failed; at most {LINES} a second are logged")
            });
        }
        *self = Lines::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_second_are_logged_and_the_others_counted() {
        let (mut refusals, start) = (Lines::default(), Instant::now());
        for period in 0..3 {
            let now = start + PERIOD * period;
            for line in 1..=15 {
                refusals.log(now, || "refused".to_owned());
                let logged = LINES.min(line);
                assert_eq!((refusals.lines, refusals.left_out), (logged, u64::from(line - logged)));
            }
            refusals.pass(now + PERIOD - Duration::from_millis(1));
            assert_eq!((refusals.lines, refusals.left_out), (LINES, 5));
        }
        refusals.pass(start + PERIOD * 3);
        assert_eq!((refusals.lines, refusals.left_out, refusals.since), (0, 0, None));
    }

    #[test]
    fn each_cause_counts_in_one_place() {
        let counted = |cause, phase| {
            let mut counts = RefusedCounts::default();
            counts.add(&Failure::new(phase, cause, ""));
            let groups = [counts.limit, counts.request, counts.tls, counts.proxy, counts.timeout, counts.gone];
            assert_eq!(counts.total, groups.iter().sum::<u64>());
            groups
        };
        for (cause, phase, place) in [
            (Cause::Limit, Phase::Http, 0),
            (Cause::Limit, Phase::Tcp, 0),
            (Cause::Resources, Phase::Http, 0),
            (Cause::HttpStatus, Phase::Http, 1),
            (Cause::HttpInvalid, Phase::Http, 1),
            (Cause::HttpTooBig, Phase::Http, 1),
            (Cause::Subprotocol, Phase::Http, 1),
            (Cause::NotTls, Phase::Tls, 2),
            (Cause::TlsFailed, Phase::Tls, 2),
            (Cause::CertificateBad, Phase::Tls, 2),
            (Cause::ProxyInvalid, Phase::Proxy, 3),
            (Cause::HandshakeTimeout, Phase::Proxy, 4),
            (Cause::HandshakeTimeout, Phase::Tls, 4),
            (Cause::HandshakeTimeout, Phase::Http, 4),
            (Cause::PeerGone, Phase::Proxy, 5),
            (Cause::PeerGone, Phase::Tls, 5),
            (Cause::Reset, Phase::Http, 5),
        ] {
            let expected: [u64; 6] = std::array::from_fn(|at| u64::from(at == place));
            assert_eq!(counted(cause, phase), expected, "{cause:?} in {phase:?}");
        }
        // Who was ended by the server was not turned away, and counts nowhere.
        for cause in [Cause::None, Cause::ServerClosed, Cause::ClosedByHost, Cause::Dropped] {
            assert_eq!(counted(cause, Phase::Http), [0; 6]);
        }
    }
}
