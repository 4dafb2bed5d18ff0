//! `wspeer serve`: files, an echo, and chat rooms by path.

use crate::alarm::Alarm;
use crate::args::{Serve, When};
use crate::connect::text_of;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::terminal::{Paint, Terminal, harmless, print, say};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};
use wspeer::{Certificate, Config, Conn, Event, OnFull, OwnedMessage, Payload, Request, Server, ServerRef};

const PAGE: &str = include_str!("page.html");
/// What WebSockets of this path send comes back to them.
const ECHO: &str = "/echo";
/// The user value of such connections.
const IS_ECHO: usize = 1;
/// How long a message waits for others that do not take theirs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an echo waits for its own client, who holds up nobody else.
const ECHO_PATIENCE: Duration = Duration::from_secs(60);
/// What the clients together may make the server hold, in MiB, and how many bytes of messages may wait besides.
const HELD_MIB: u32 = 256;
const WAITING: usize = 64 << 20;
/// While messages wait for room, the server is looked after so often.
const WHILE_FULL: Duration = Duration::from_millis(2);
const NO_HEADERS: &[&str] = &[];
/// Days for which a certificate is made.
const DAYS: u32 = 30;

pub fn run(given: &Serve, terminal: Terminal) -> Outcome {
    let (address, port) = listen_on(&given.listen, given.lan)?;
    let lan = if given.lan { lan_addresses() } else { Vec::new() };
    if let Some(host) = given.host.iter().find(|host| host.is_empty() || host.contains([',', ' '])) {
        return Err(Failure::unusable(format!("--host '{host}': give one name, and --host again for another")));
    }
    let hosts = hosts(given, &address, &lan);
    // Other names are those of pages that mean to reach a server of somebody else (DNS rebinding).
    let config = Config::new()
        .allowed_hosts(hosts.join(", "))
        .on_full(OnFull::AllOrNone)
        .deflate(true)
        .ask(true)
        .max_total_mib(HELD_MIB);
    let (config, fingerprint) = with_tls(given, &address, &lan, config)?;
    let scheme = if fingerprint.is_some() { "wss" } else { "ws" };
    let mut server = Server::listen_with(&format!("{scheme}://{address}:{port}"), &config)?;
    if let Some(directory) = &given.dir {
        let name = directory.to_str().ok_or_else(|| Failure::file(directory, "its name is not UTF-8: rename it"))?;
        match given.isolated {
            true => server.serve_isolated("/", name)?,
            false => server.serve("/", name)?,
        }
    }
    let mut alarm = Alarm::new()?;
    let interrupt = Interrupt::listen(alarm.bell())?;
    announce(given, terminal, &address, &lan, server.port(), fingerprint.as_deref())?;
    let mut hall =
        Hall { server: server.handle(), hosts, waiting: HashMap::new(), quiet: given.quiet, paint: terminal.err };
    loop {
        if interrupt.has_come() && server.is_open() {
            server.close(1001, "the server ends")?;
        }
        server.poll()?;
        hall.deliver()?;
        while let Some(event) = server.next_event_from(|conn| !hall.waiting.contains_key(&conn)) {
            hall.handle(event)?;
        }
        if server.is_closed() {
            return Ok(0);
        }
        let (mut handles, mut until) = (vec![server.raw()], None);
        if !hall.waiting.is_empty() {
            // What their senders sent besides would end the wait at once.
            handles.clear();
            until = Some(Instant::now() + WHILE_FULL);
        }
        alarm.wait(&mut handles, until)?;
    }
}

/// The connections of a server, and what they say to each other.
struct Hall {
    server: ServerRef,
    /// The hosts whose pages may connect.
    hosts: Vec<String>,
    /// Messages for which there is no room yet. Their senders are not read from.
    waiting: HashMap<Conn, Waiting>,
    quiet: bool,
    paint: Paint,
}

struct Waiting {
    message: OwnedMessage,
    /// When it came.
    since: Instant,
    /// Whether it goes back to its sender.
    is_echo: bool,
}

impl Hall {
    /// Tries again to send what waits.
    fn deliver(&mut self) -> Result<(), wspeer::Error> {
        let mut failure = None;
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|conn, waits| {
            let patience = if waits.is_echo { ECHO_PATIENCE } else { PATIENCE };
            let is_too_late = waits.since.elapsed() > patience;
            match self.pass_on(*conn, waits.is_echo, (&waits.message).into(), is_too_late) {
                Ok(has_room) => !has_room,
                Err(error) => {
                    failure = Some(error);
                    false
                }
            }
        });
        self.waiting = waiting;
        failure.map_or(Ok(()), Err)
    }

    /// Sends a message of a client where it belongs. Returns false if there is no room. With `by_force` clients that
    /// have no room are disconnected.
    fn pass_on(&self, from: Conn, is_echo: bool, message: Payload<'_>, by_force: bool) -> Result<bool, wspeer::Error> {
        let result = if is_echo {
            from.send(message)
        } else if by_force {
            self.server.set_on_full(OnFull::Disconnect)?;
            let result = self.server.publish_except(&from.path(), from, message);
            self.server.set_on_full(OnFull::AllOrNone)?;
            result
        } else {
            self.server.publish_except(&from.path(), from, message)
        };
        match result {
            Err(error) if error.is_full() && by_force => from.close(1008, "read what you receive").map(|()| true),
            Err(error) if error.is_full() => Ok(false),
            // It has ended meanwhile, or the room is empty.
            _ => Ok(true),
        }
    }

    fn handle(&mut self, event: Event<'_>) -> Result<(), wspeer::Error> {
        match event {
            Event::Request(request) => self.answer(&request),
            Event::Connected(about) => {
                let conn = about.conn;
                self.log(conn, "connected");
                // A path that is too long for a topic.
                if conn.path() != ECHO && conn.subscribe(&conn.path()).is_err() {
                    conn.close(1008, "choose a shorter path")?;
                }
            }
            Event::Message(message) => {
                let (conn, is_echo) = (message.conn(), message.user() == IS_ECHO as u64);
                let held: usize = self.waiting.values().map(|waits| waits.message.bytes.len()).sum();
                if held + message.len() > WAITING {
                    conn.close(1013, "too much waits for those who do not read")?;
                } else if !self.pass_on(conn, is_echo, message.into(), false)? {
                    let waits = Waiting { message: message.to_owned(), since: Instant::now(), is_echo };
                    self.waiting.insert(conn, waits);
                }
            }
            Event::Disconnected(end) => self.log(end.about.conn, end.sentence),
            Event::Error(report) if !self.quiet => say(&harmless(report.sentence)),
            _ => {}
        }
        Ok(())
    }

    /// A client that has left meanwhile gets no answer, which is no error.
    fn answer(&self, request: &Request<'_>) {
        let conn = request.about.conn;
        let path = conn.path();
        if request.is_websocket {
            if conn.header("Origin", 0).is_some_and(|origin| !self.hosts.iter().any(|host| allows(host, &origin))) {
                let _ = conn.reply(403, NO_HEADERS, "Pages of this origin may not connect: see --host.\n");
                return;
            }
            // Clients insist on one of those that they offer, and this server has nothing against any.
            let offered = conn.header("Sec-WebSocket-Protocol", 0).unwrap_or_default();
            let first = offered.split(',').map(str::trim).find(|name| !name.is_empty());
            let _ = conn.set_user(if path == ECHO { IS_ECHO } else { 0 });
            let _ = conn.accept::<&str>(first, &[]);
            return;
        }
        let method = conn.method();
        let _ = if !matches!(method.as_str(), "GET" | "HEAD") {
            conn.reply(405, &["Allow: GET, HEAD"], "")
        } else if path == ECHO {
            conn.reply(426, NO_HEADERS, "A WebSocket is expected here: what it sends comes back.\n")
        } else if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
            conn.reply(404, NO_HEADERS, "There is no such file.\n")
        } else {
            let headers = [
                "Content-Type: text/html; charset=utf-8",
                "Cache-Control: no-cache",
                "X-Content-Type-Options: nosniff",
                "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                 connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'",
            ];
            conn.reply(200, &headers, PAGE)
        };
    }

    fn log(&self, conn: Conn, what: &str) {
        if !self.quiet {
            let place = format!("{} {}", conn.remote_address(), conn.path());
            say(&format!("{} {}", self.paint.dim(&harmless(&place)), harmless(what)));
        }
    }
}

/// The address and port of "[ADDRESS:]PORT".
fn listen_on(text: &str, lan: bool) -> Outcome<(String, u16)> {
    let (address, port) = text.rsplit_once(':').unwrap_or(("", text));
    let Ok(port) = port.parse() else {
        return Err(Failure::unusable(format!(
            "--listen {text}: give a port, or an address and a port: 127.0.0.1:9080"
        )));
    };
    match address {
        "" if lan => Ok(("*".to_owned(), port)),
        "" => Ok((Ipv4Addr::LOCALHOST.to_string(), port)),
        _ if lan => Err(Failure::unusable("--lan listens on all addresses: give --listen a port only")),
        _ => Ok((address.to_owned(), port)),
    }
}

/// The hosts that requests may name, and whose pages may connect.
fn hosts(given: &Serve, address: &str, lan: &[IpAddr]) -> Vec<String> {
    let mut hosts = given.host.clone();
    hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
    hosts.extend(lan.iter().map(|address| in_url(*address)));
    if !matches!(address, "*" | "0.0.0.0" | "[::]") {
        hosts.push(address.to_owned());
    }
    hosts
}

/// Whether pages of an origin may connect, by the rules of the library for hosts: any case, "*.example" for all names
/// below, and a port only if one is given.
fn allows(host: &str, origin: &str) -> bool {
    let (host, origin) = (host.trim().to_ascii_lowercase(), origin.to_ascii_lowercase());
    let (name, whole) = (host_of(&origin), origin.split_once("://").map_or(origin.as_str(), |(_, rest)| rest));
    match host.strip_prefix("*.") {
        Some(domain) => name.strip_suffix(domain).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None if host_of(&host) == host => host == name,
        None => host == whole,
    }
}

/// The host of an origin, "https://game.example:8000"; "null" is its own.
fn host_of(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let end = if host.starts_with('[') { host.find(']').map(|end| end + 1) } else { host.find(':') };
    end.map_or(host, |end| &host[..end])
}

/// Adds the certificate. Returns its fingerprint with `--tls`: of a certificate that was given, "".
fn with_tls(given: &Serve, address: &str, lan: &[IpAddr], config: Config) -> Outcome<(Config, Option<String>)> {
    if let (Some(cert), Some(key)) = (&given.cert, &given.key) {
        return Ok((config.certificate(text_of(cert)?, text_of(key)?), Some(String::new())));
    }
    if !given.tls {
        return Ok((config, None));
    }
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    names.extend(lan.iter().map(IpAddr::to_string));
    let plain = address.trim_matches(['[', ']']);
    if !matches!(plain, "*" | "0.0.0.0" | "::") && !names.iter().any(|name| name == plain) {
        names.push(plain.to_owned());
    }
    names.extend(given.host.iter().cloned());
    let made = Certificate::make(&names.join(", "), DAYS)?;
    Ok((config.certificate(made.cert_pem, made.key_pem), Some(made.sha256)))
}

/// The addresses by which others reach this machine: those that it would send from. Nothing is sent.
fn lan_addresses() -> Vec<IpAddr> {
    let from = |any: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
    };
    // Addresses of documentation, RFC 5737 and RFC 3849: the default route leads to them.
    let v4 = from(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let v6 = from(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    [v4, v6].into_iter().flatten().collect()
}

fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Prints where the server is found.
fn announce(
    given: &Serve,
    terminal: Terminal,
    address: &str,
    lan: &[IpAddr],
    port: u16,
    fingerprint: Option<&str>,
) -> Outcome<()> {
    let (http, ws) = if fingerprint.is_some() { ("https", "wss") } else { ("http", "ws") };
    let mut hosts: Vec<String> = match address {
        "*" | "0.0.0.0" => vec![Ipv4Addr::LOCALHOST.to_string()],
        // It takes no IPv4.
        "[::]" => vec![in_url(Ipv6Addr::LOCALHOST.into())],
        _ => vec![address.to_owned()],
    };
    hosts.extend(lan.iter().map(|address| in_url(*address)));
    let paint = terminal.out;
    for host in &hosts {
        let page = paint.bold(&format!("{http}://{host}:{port}/"));
        print(&format!("page {page}  echo {ws}://{host}:{port}{ECHO}  chat {ws}://{host}:{port}/ROOM"))?;
    }
    match fingerprint {
        Some("") | None => {}
        Some(sha256) => print(&format!(
            "certificate made for {DAYS} days; browsers warn of it, and wspeer trusts it by --pin {sha256}"
        ))?,
    }
    let wants_qr = match given.qr {
        When::Auto => given.lan && terminal.is_out_seen,
        When::Always => true,
        When::Never => false,
    };
    if wants_qr {
        // The first address is that of this machine only.
        let host = hosts.get(1).or(hosts.first()).cloned().unwrap_or_default();
        print(&qr(&format!("{http}://{host}:{port}/"), paint)?)?;
    }
    Ok(())
}

/// A QR code of half blocks. Cameras want dark on light: with colours so it is said, without them the terminal is taken
/// to be dark, and the light modules are drawn.
fn qr(text: &str, paint: Paint) -> Outcome<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)
        .map_err(|error| Failure::unusable(format!("no QR code for {text}: {error}")))?;
    let (dark, light) = match paint.is_coloured() {
        true => (Dense1x2::Dark, Dense1x2::Light),
        false => (Dense1x2::Light, Dense1x2::Dark),
    };
    let image = code.render::<Dense1x2>().dark_color(dark).light_color(light).build();
    if !paint.is_coloured() {
        return Ok(image);
    }
    Ok(image.lines().map(|line| format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m")).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listens(text: &str, lan: bool) -> Option<(String, u16)> {
        listen_on(text, lan).ok()
    }

    #[test]
    fn pages_that_may_connect() {
        for (host, origin) in [
            ("Game.Example", "https://game.example"),
            ("game.example", "http://Game.example:8000"),
            ("*.game.example", "https://eu.game.example"),
            ("game.example:8000", "http://game.example:8000"),
            ("[::1]", "http://[::1]:80"),
            ("null", "null"),
        ] {
            assert!(allows(host, origin), "{host} {origin}");
        }
        for (host, origin) in [
            ("game.example", "https://game.example.net"),
            ("*.game.example", "https://game.example"),
            ("*.game.example", "https://evilgame.example"),
            ("game.example:8000", "http://game.example:8001"),
            ("", "null"),
        ] {
            assert!(!allows(host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn hosts_of_origins() {
        let origins = ["http://localhost:5173", "https://game.example", "http://[::1]:80", "null", "x://["];
        assert_eq!(origins.map(host_of), ["localhost", "game.example", "[::1]", "null", "["]);
    }

    #[test]
    fn addresses_to_listen_on() {
        assert_eq!(listens("0", false), Some(("127.0.0.1".to_owned(), 0)));
        assert_eq!(listens(":80", true), Some(("*".to_owned(), 80)));
        assert_eq!(listens("[::1]:9080", false), Some(("[::1]".to_owned(), 9080)));
        for (text, lan) in [("", false), ("x", false), ("1.2.3.4", false), ("1.2.3.4:99999", false), ("::1:80", true)] {
            assert_eq!(listens(text, lan), None, "{text}");
        }
    }
}
