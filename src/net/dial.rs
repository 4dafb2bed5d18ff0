//! Opens a client's transport: name lookup, TCP with Happy Eyeballs (RFC 8305), TLS. Section numbers are RFC 8305's.

use super::local::{self, GUARD, Guard};
use super::mailbox::{CancelToken, Mailbox};
use super::resolve::{Lookup, lacks_interface};
use super::{Services, Stream, TlsClient};
use crate::error::Failure;
use crate::status::{Cause, Phase};
use crate::trace::{Fact, MAX_LISTED, Trace};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::{HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Delay between the starts of two attempts (section 5, "Connection Attempt Delay").
const STAGGER: Duration = Duration::from_millis(250);

/// The destination of a client.
#[derive(Clone)]
pub struct Destination {
    /// A name, an IPv4 address, or an IPv6 address without brackets, with the index of its interface if it has one:
    /// "fe80::1%2".
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS settings, for wss://.
    pub tls: Option<Arc<TlsClient>>,
    /// TCP_NODELAY.
    pub no_delay: bool,
    /// What a diagnosis records.
    pub trace: Option<Arc<Trace>>,
}

impl Destination {
    fn note(&self, now: Instant, fact: impl FnOnce() -> Fact) {
        if let Some(trace) = &self.trace {
            trace.note(now, fact());
        }
    }

    fn note_found(&self, now: Instant, addresses: &[SocketAddr]) {
        self.note(now, || Fact::found(&self.host, addresses));
    }
}

/// A transport being opened.
pub struct Dial {
    to: Destination,
    at: At,
}

/// What a `Dial` waits for.
enum At {
    /// The result of the name lookup.
    LookingUp(Arc<Lookup>),
    /// The first TCP connection.
    Connecting(Race),
    /// The TLS handshake, which runs on the worker.
    Securing(Arc<Mailbox<Result<Stream, Failure>>>, #[expect(dead_code, reason = "its drop cancels")] CancelToken),
    /// Nothing: `step` has returned `Done` or `Failed`.
    Over,
}

/// The progress of a `Dial`.
pub enum Step {
    /// Not done: call `step` again in the next frame.
    Pending,
    /// The transport is open.
    Done(Stream),
    /// The transport cannot be opened.
    Failed(Failure),
}

impl Dial {
    /// Starts the name lookup, if one is needed.
    pub fn start(services: &Services, to: Destination, now: Instant) -> Dial {
        let at = match services.resolver().resolve(&to.host) {
            Ok(addresses) => {
                to.note_found(now, &addresses);
                At::Connecting(Race::new(&addresses, to.port, now))
            }
            Err(lookup) => At::LookingUp(lookup),
        };
        Dial { to, at }
    }

    /// Starts TLS to a destination over a stream that leads to it, of which `received` has been read.
    pub fn secure(services: &Services, to: Destination, tls: Arc<TlsClient>, under: Stream, received: Vec<u8>) -> Dial {
        to.note(Instant::now(), || Fact::Securing { name: tls.shown_name().to_owned() });
        Dial { to, at: secure(services, under, received, tls) }
    }

    /// Makes progress without blocking. Call it until it returns `Done` or `Failed`.
    pub fn step(&mut self, services: &Services, now: Instant) -> Step {
        if let At::LookingUp(lookup) = &self.at {
            match lookup.result() {
                None => return Step::Pending,
                Some(Err(failure)) => {
                    self.at = At::Over;
                    return Step::Failed(failure);
                }
                Some(Ok(addresses)) => {
                    self.to.note_found(now, &addresses);
                    self.at = At::Connecting(Race::new(&addresses, self.to.port, now));
                }
            }
        }
        if let At::Connecting(race) = &mut self.at {
            let tcp = match race.step(&self.to, now) {
                None => return Step::Pending,
                Some(Err(failure)) => {
                    self.at = At::Over;
                    return Step::Failed(failure.of_host(&self.to));
                }
                Some(Ok(tcp)) => tcp,
            };
            if self.to.no_delay {
                let _ = tcp.set_nodelay(true);
            }
            match self.to.tls.clone() {
                None => {
                    self.at = At::Over;
                    return Step::Done(Stream::Tcp(tcp));
                }
                Some(tls) => {
                    self.to.note(now, || Fact::Securing { name: tls.shown_name().to_owned() });
                    self.at = secure(services, Stream::Tcp(tcp), Vec::new(), tls);
                }
            }
        }
        if let At::Securing(mailbox, _) = &self.at {
            if mailbox.is_empty() {
                return Step::Pending;
            }
            let result = mailbox.take().pop();
            self.at = At::Over;
            return match result {
                Some((_, Ok(stream))) => {
                    self.to.note(now, || Fact::Secured(stream.describe_tls().unwrap_or_default()));
                    Step::Done(stream)
                }
                Some((_, Err(failure))) => Step::Failed(failure),
                None => Step::Pending,
            };
        }
        Step::Pending
    }

    /// Why no address answers, if a missing permission may explain it.
    pub fn silent_permission(&self) -> Option<&'static str> {
        let At::Connecting(race) = &self.at else { return None };
        race.attempts.iter().find_map(|(_, address)| local::silent_permission(GUARD, address.ip()))
    }

    /// Records which addresses have not answered when the time is over.
    pub fn note_silent(&self, now: Instant) {
        if let At::Connecting(race) = &self.at {
            self.to.note(now, || Fact::Silent { addresses: race.unanswered(), untried: race.waiting.len() });
        }
    }

    /// The current phase, WS_PHASE_*.
    pub fn phase(&self) -> Phase {
        match self.at {
            At::LookingUp(_) => Phase::Dns,
            At::Securing(..) => Phase::Tls,
            At::Connecting(_) | At::Over => Phase::Tcp,
        }
    }

    /// Whether `step` would make progress now: a thread of the library has a result, or the next address is due.
    /// Sockets that are connecting are not checked; see `wait_fd`.
    pub fn is_due(&self, now: Instant) -> bool {
        match &self.at {
            At::LookingUp(lookup) => lookup.result().is_some(),
            At::Connecting(race) => race.next_start().is_some_and(|start| start <= now),
            At::Securing(mailbox, _) => !mailbox.is_empty(),
            At::Over => false,
        }
    }

    /// When to try the next address; `None`: none is left.
    pub fn next_start(&self) -> Option<Instant> {
        match &self.at {
            At::Connecting(race) => race.next_start(),
            _ => None,
        }
    }

    /// Calls `each` for every socket that is connecting. When one becomes writable, its attempt has ended: call `step`.
    pub fn wait_fd(&self, each: &mut dyn FnMut(&mio::net::TcpStream)) {
        if let At::Connecting(race) = &self.at {
            race.attempts.iter().for_each(|(tcp, _)| each(tcp));
        }
    }
}

fn secure(services: &Services, under: Stream, received: Vec<u8>, tls: Arc<TlsClient>) -> At {
    let mailbox = Arc::new(Mailbox::new());
    let token = services.connect_tls(under, received, tls, &mailbox);
    At::Securing(mailbox, token)
}

/// A failed attempt.
struct Lost {
    address: SocketAddr,
    error: io::Error,
}

impl Lost {
    /// The failure of one address, for a diagnosis.
    fn fact(address: SocketAddr, error: &io::Error) -> Fact {
        let (cause, why) = explain(&address, error.kind());
        Fact::Lost { address, cause, os_error: error.raw_os_error().unwrap_or(0), why: why.to_owned() }
    }

    /// The failure to report: its cause, and a message with a remedy.
    fn of_host(self, to: &Destination) -> Failure {
        self.of_host_behind(GUARD, to)
    }

    /// As `of_host`, on a system with this guard.
    fn of_host_behind(self, guard: Guard, to: &Destination) -> Failure {
        let permission = local::missing_permission(guard, self.address.ip(), self.error.kind());
        let (cause, hint) =
            permission.map_or_else(|| explain(&self.address, self.error.kind()), |hint| (Cause::LocalNetwork, hint));
        let what = format!("connecting to {}:{} ({}) failed: {hint}", to.host, to.port, self.address);
        Failure::of_io(Phase::Tcp, cause, &what, &self.error)
    }
}

/// The cause and the remedy of a failed attempt, without regard to permissions.
fn explain(address: &SocketAddr, error: ErrorKind) -> (Cause, &'static str) {
    match error {
        _ if lacks_interface(address) => {
            (Cause::TcpFailed, "a link-local address needs its interface: write [fe80::1%25eth0], or connect by name")
        }
        ErrorKind::ConnectionRefused => {
            (Cause::Refused, "nothing listens there: check host and port, and that the server runs")
        }
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::NetworkDown => {
            (Cause::Unreachable, "no route to it: check the network")
        }
        ErrorKind::TimedOut => (Cause::ConnectTimeout, "it did not answer: check address and firewall"),
        _ => (Cause::TcpFailed, "the connection could not be made"),
    }
}

/// Connection attempts to all addresses, with staggered starts. The first one that connects wins.
struct Race {
    /// Addresses not tried yet, in order.
    waiting: VecDeque<SocketAddr>,
    /// Sockets that are connecting.
    attempts: Vec<(mio::net::TcpStream, SocketAddr)>,
    /// When to try the next address.
    next_start: Instant,
    /// The failure to report if no attempt succeeds.
    lost: Option<Lost>,
}

impl Race {
    fn new(addresses: &[SocketAddr], port: u16, now: Instant) -> Race {
        let with_port = |mut address: SocketAddr| {
            address.set_port(port);
            address
        };
        let waiting = interleave(addresses).into_iter().map(with_port).collect();
        Race { waiting, attempts: Vec::new(), next_start: now, lost: None }
    }

    /// Checks the attempts and starts those that are due. Returns the first connection, an error once all attempts have
    /// failed, or `None` while any is left.
    fn step(&mut self, to: &Destination, now: Instant) -> Option<Result<mio::net::TcpStream, Lost>> {
        let mut index = 0;
        while index < self.attempts.len() {
            match connected(&self.attempts[index].0) {
                Ok(true) => {
                    let (tcp, address) = self.attempts.swap_remove(index);
                    to.note(now, || Fact::Connected { address, unanswered: self.unanswered() });
                    return Some(Ok(tcp));
                }
                Ok(false) => index += 1,
                Err(error) => {
                    let (_, address) = self.attempts.swap_remove(index);
                    to.note(now, || Lost::fact(address, &error));
                    self.lose(address, error);
                    // Section 5: after a failed attempt the next one starts at once.
                    self.next_start = now;
                }
            }
        }
        while now >= self.next_start {
            let Some(address) = self.waiting.pop_front() else { break };
            to.note(now, || Fact::Trying(address));
            match start(address) {
                Ok(tcp) => {
                    self.attempts.push((tcp, address));
                    self.next_start = now + STAGGER;
                }
                Err(error) => {
                    to.note(now, || Lost::fact(address, &error));
                    self.lose(address, error);
                }
            }
        }
        if self.attempts.is_empty() && self.waiting.is_empty() {
            // For an empty list of addresses.
            let nothing =
                || Lost { address: SocketAddr::from(([0, 0, 0, 0], 0)), error: ErrorKind::AddrNotAvailable.into() };
            return Some(Err(self.lost.take().unwrap_or_else(nothing)));
        }
        None
    }

    /// The first addresses that have not answered.
    fn unanswered(&self) -> Vec<SocketAddr> {
        self.attempts.iter().map(|(_, address)| *address).take(MAX_LISTED).collect()
    }

    fn next_start(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_start)
    }

    /// Keeps the first refusal, or the last failure if nothing was refused: a refusal says more than a missing route.
    fn lose(&mut self, address: SocketAddr, error: io::Error) {
        let better = self.lost.as_ref().is_none_or(|lost| lost.error.kind() != ErrorKind::ConnectionRefused);
        if better {
            self.lost = Some(Lost { address, error });
        }
    }
}

/// Alternates the address families, IPv6 first if there is one (section 4). Each address is tried once, however often
/// the resolver returns it.
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut seen = HashSet::new();
    let (mut six, mut four): (VecDeque<SocketAddr>, VecDeque<SocketAddr>) =
        addresses.iter().filter(|address| seen.insert(**address)).partition(|address| address.is_ipv6());
    let mut order = Vec::new();
    while !six.is_empty() || !four.is_empty() {
        order.extend(six.pop_front());
        order.extend(four.pop_front());
    }
    order
}

/// Starts a non-blocking connect.
fn start(address: SocketAddr) -> io::Result<mio::net::TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(mio::net::TcpStream::from_std(socket.into()))
}

/// Whether a non-blocking connect has completed.
fn connected(tcp: &mio::net::TcpStream) -> io::Result<bool> {
    if let Some(error) = tcp.take_error()? {
        return Err(error);
    }
    match tcp.peer_addr() {
        // Nobody listens on this local port, and the system chose the same port for our end: the socket is connected to
        // itself.
        Ok(peer) if tcp.local_addr().is_ok_and(|own| own == peer) => {
            // Frees the port at once: a server may be about to listen on it.
            let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
            Err(ErrorKind::ConnectionRefused.into())
        }
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve::Resolver;
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

    fn at(ip: impl Into<IpAddr>) -> SocketAddr {
        SocketAddr::new(ip.into(), 0)
    }

    fn nowhere() -> Destination {
        Destination { host: "h".to_owned(), port: 1, tls: None, no_delay: true, trace: None }
    }

    fn run(mut race: Race) -> Result<mio::net::TcpStream, Lost> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(result) = race.step(&nowhere(), Instant::now()) {
                return result;
            }
            assert!(Instant::now() < end, "the race did not end");
            std::thread::yield_now();
        }
    }

    #[test]
    fn address_families_alternate_with_ipv6_first() {
        let v4 = |last| SocketAddr::from(([10, 0, 0, last], 0));
        let v6 = |last| SocketAddr::from(([0xFD00, 0, 0, 0, 0, 0, 0, last], 0));
        assert_eq!(interleave(&[v4(1), v4(2), v4(3), v6(1)]), [v6(1), v4(1), v4(2), v4(3)]);
        let repeated = [v4(1), v6(1), v4(1), v4(2), v6(1), v4(2)];
        assert_eq!(interleave(&repeated), [v6(1), v4(1), v4(2)], "each address once");
    }

    #[test]
    fn a_refused_address_starts_the_next_attempt_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let before = Instant::now();
        // Nobody listens on 127.0.0.2 at this port.
        let race = Race::new(&[SocketAddr::from(([127, 0, 0, 2], 0)), at(Ipv4Addr::LOCALHOST)], port, before);
        let tcp = run(race).map_err(|lost| lost.error).unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), listener.local_addr().unwrap());
        assert!(before.elapsed() < STAGGER * 4);
    }

    #[test]
    fn attempts_start_one_stagger_interval_apart() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let now = Instant::now();
        let mut race = Race::new(
            &[at(Ipv4Addr::LOCALHOST), at(Ipv4Addr::new(127, 0, 0, 2)), at(Ipv4Addr::new(127, 0, 0, 3))],
            port,
            now,
        );
        for left in [2, 1, 0] {
            let begun = now + STAGGER * (2 - left);
            if left < 2 {
                assert!(race.step(&nowhere(), begun - Duration::from_millis(1)).is_none());
                assert_eq!(race.attempts.len(), 0, "too early for the next one");
            }
            assert!(race.step(&nowhere(), begun).is_none());
            let left = left as usize;
            assert_eq!((race.attempts.len(), race.waiting.len()), (1, left), "one at a time");
            assert_eq!(race.next_start(), (left > 0).then_some(begun + STAGGER));
            // Discards the attempt, as its refusal would start the next one at once.
            race.attempts.clear();
        }
    }

    #[test]
    fn a_dial_is_due_when_a_result_or_the_next_attempt_is() {
        let dial = |at| Dial { to: nowhere(), at };
        let now = Instant::now();
        let (result, gate) = std::sync::mpsc::channel();
        let gate = parking_lot::Mutex::new(gate);
        let resolver = Resolver::with_system(Arc::new(|| {}), Box::new(move |_| gate.lock().recv().unwrap()));
        let lookup = resolver.resolve("a.name").unwrap_err();
        let looking_up = dial(At::LookingUp(lookup.clone()));
        assert!(!looking_up.is_due(now));
        result.send(Ok(vec![at(Ipv4Addr::LOCALHOST)])).unwrap();
        while lookup.result().is_none() {
            assert!(now.elapsed() < Duration::from_secs(20), "the lookup did not end");
            std::thread::yield_now();
        }
        assert!(looking_up.is_due(now));
        let mailbox = Arc::new(Mailbox::new());
        let securing = dial(At::Securing(mailbox.clone(), CancelToken(Arc::default())));
        assert!(!securing.is_due(now));
        mailbox.post(0, Err(Failure::default()));
        assert!(securing.is_due(now));
        let mut connecting =
            dial(At::Connecting(Race::new(&[at(Ipv4Addr::LOCALHOST), at(Ipv6Addr::LOCALHOST)], 1, now)));
        assert!(connecting.is_due(now));
        assert_eq!(connecting.next_start(), Some(now));
        if let At::Connecting(race) = &mut connecting.at {
            race.waiting.pop_front();
            race.next_start = now + STAGGER;
        }
        assert!(!connecting.is_due(now) && connecting.is_due(now + STAGGER));
    }

    #[test]
    fn a_tcp_self_connect_counts_as_refused() {
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let socket =
                Socket::new(Domain::for_address(SocketAddr::new(ip, 0)), Type::STREAM, Some(Protocol::TCP)).unwrap();
            // A machine without IPv6 has one case fewer.
            if socket.bind(&SocketAddr::new(ip, 0).into()).is_err() {
                continue;
            }
            let own = socket.local_addr().unwrap().as_socket().unwrap();
            socket.connect(&own.into()).unwrap();
            socket.set_nonblocking(true).unwrap();
            let tcp = mio::net::TcpStream::from_std(socket.into());
            let mut race = Race::new(&[], own.port(), Instant::now());
            race.attempts.push((tcp, own));
            let lost = run(race).err().unwrap();
            let to = Destination { host: "h".to_owned(), port: own.port(), tls: None, no_delay: true, trace: None };
            assert_eq!(lost.of_host(&to).cause, Cause::Refused);
            assert!(TcpListener::bind(own).is_ok(), "its port is free again");
        }
    }

    #[test]
    fn a_missing_scope_id_is_named_in_the_error() {
        let race = Race::new(&["[fe80::1]:0".parse().unwrap()], 9, Instant::now());
        let to = Destination { host: "fe80::1".to_owned(), port: 9, tls: None, no_delay: true, trace: None };
        let lost = run(race).err().unwrap();
        assert!(lost.of_host(&to).message.contains("needs its interface"));
    }

    #[test]
    fn a_missing_permission_for_the_local_network_is_the_cause() {
        let to = Destination { host: "pc.local".to_owned(), port: 9, tls: None, no_delay: true, trace: None };
        let failure = |guard, error: ErrorKind| {
            let lost = Lost { address: SocketAddr::from(([192, 168, 1, 2], 9)), error: error.into() };
            let failure = lost.of_host_behind(guard, &to);
            assert_eq!(failure.phase, Phase::Tcp);
            (failure.cause, failure.message.contains("Local Network"), failure.message.contains("ACCESS_LOCAL_NETWORK"))
        };
        use ErrorKind::{HostUnreachable, PermissionDenied};
        assert_eq!(failure(Guard::Apple, HostUnreachable), (Cause::LocalNetwork, true, false));
        assert_eq!(failure(Guard::Android, PermissionDenied), (Cause::LocalNetwork, false, true));
        assert_eq!(failure(Guard::Nobody, HostUnreachable), (Cause::Unreachable, false, false));
        assert_eq!(failure(Guard::Android, HostUnreachable), (Cause::Unreachable, false, false));
    }

    #[test]
    fn of_several_failures_the_first_refusal_or_else_the_last_is_reported() {
        let to = |last: u8| SocketAddr::from(([10, 0, 0, last], 9));
        let (no_route, refused) = (|| ErrorKind::HostUnreachable.into(), || ErrorKind::ConnectionRefused.into());
        let mut race = Race::new(&[], 9, Instant::now());
        let mut kept = |last, error| {
            race.lose(to(last), error);
            race.lost.as_ref().map(|lost| lost.address)
        };
        assert_eq!(kept(1, no_route()), Some(to(1)));
        assert_eq!(kept(2, no_route()), Some(to(2)));
        assert_eq!(kept(3, refused()), Some(to(3)));
        assert_eq!(kept(4, no_route()), Some(to(3)));
        assert_eq!(kept(5, refused()), Some(to(3)));
    }

    #[test]
    fn when_all_attempts_fail_the_refusal_is_reported() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let lost = run(Race::new(&[at(Ipv4Addr::LOCALHOST)], port, Instant::now())).err().unwrap();
        let to = Destination { host: "h".to_owned(), port, tls: None, no_delay: true, trace: None };
        let failure = lost.of_host(&to);
        assert_eq!((failure.phase, failure.cause), (Phase::Tcp, Cause::Refused));
        assert!(failure.os_error != 0);
    }
}
