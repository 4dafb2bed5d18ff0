//! `wspeer sim`: a proxy for WebSockets, with a simulated network between the program and the proxy.
//!
//! Each connection of a program is passed on over one of the proxy to the target. Messages go through one at a time: a
//! message that finds the queue to the other side full waits, and until it has left nothing more is taken of its
//! sender, whose own queue fills, so that the library stops reading and TCP slows the sender down.

use crate::alarm::Alarm;
use crate::args::{Network, Sim as Given};
use crate::connect::text_of;
use crate::failure::Outcome;
use crate::interrupt::Interrupt;
use crate::terminal::{Paint, Terminal, harmless, print, say};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use wspeer::{Client, Config, Conn, End, Event, OwnedMessage, Payload, Request, Server, Sim, SimPreset};

/// Queues of the proxy, in bytes: short ones, so that the simulated network is where messages wait.
const QUEUE: u32 = 64 * 1024;
/// How long a message of a program that has gone waits for the target.
const PATIENCE: Duration = Duration::from_secs(10);
/// While messages wait for room, all connections are looked after so often.
const WHILE_FULL: Duration = Duration::from_millis(2);
/// How long a program waits for the target: the library's time for opening a connection, and a little.
const ANSWER_MS: u32 = 12_000;
/// What is passed on of a request.
const HEADERS: [&str; 5] = ["Origin", "Cookie", "Authorization", "User-Agent", "Accept-Language"];

pub fn run(given: &Given, terminal: Terminal) -> Outcome {
    let target = Target::new(given)?;
    let listen = match given.listen.contains(':') {
        true => given.listen.clone(),
        false => format!("127.0.0.1:{}", given.listen),
    };
    let config = queues(given).ask(true).handshake_timeout_ms(ANSWER_MS);
    let mut server = Server::listen_with(&format!("ws://{listen}"), &config)?;
    let (sim, text) = network(given);
    server.set_sim(Some(&sim))?;
    let mut alarm = Alarm::new()?;
    let interrupt = Interrupt::listen(alarm.bell())?;
    let place = server.url();
    print(&format!("{} -> {}: {text}", terminal.out.bold(place.trim_end_matches('/')), harmless(&given.target)))?;
    let mut proxy = Proxy {
        target,
        links: HashMap::new(),
        closing: Vec::new(),
        is_ending: false,
        quiet: given.quiet,
        paint: terminal.err,
    };
    loop {
        if interrupt.has_come() && server.is_open() {
            server.close(1001, "the proxy ends")?;
            proxy.is_ending = true;
        }
        server.poll()?;
        while let Some(event) = server.next_event_from(|conn| proxy.wants(conn)) {
            proxy.take_of_program(event)?;
        }
        proxy.take_of_targets()?;
        if server.is_closed() && proxy.links.is_empty() && proxy.closing.is_empty() {
            return Ok(0);
        }
        let (mut handles, mut until) = (proxy.handles(), None);
        if proxy.links.values().any(|link| link.to_target.is_some()) {
            // What its program sent besides would end the wait at once.
            until = Some(Instant::now() + WHILE_FULL);
        } else {
            handles.push(server.raw());
        }
        alarm.wait(&mut handles, until)?;
    }
}

/// Where connections are passed on to.
struct Target {
    /// The URL without the query, if it has one.
    url: String,
    query: Option<String>,
    config: Config,
}

impl Target {
    fn new(given: &Given) -> Outcome<Target> {
        let mut config = queues(given).insecure(given.insecure);
        if let Some(path) = &given.ca {
            config = config.ca_pem(text_of(path)?);
        }
        // It is freed before it connects, and says what is wrong with the URL.
        Client::connect_with(&given.target, &config)?;
        let (url, query) = match given.target.split_once('?') {
            Some((url, query)) => (url, Some(query.to_owned())),
            None => (given.target.as_str(), None),
        };
        Ok(Target { url: url.to_owned(), query, config })
    }

    /// The URL for a request: its path and its query stand behind those of the target. "/" is the target itself.
    fn url_for(&self, path: &str, query: &str) -> String {
        let url = match path {
            "/" => self.url.clone(),
            _ => format!("{}{path}", self.url.trim_end_matches('/')),
        };
        match (self.query.as_deref().unwrap_or_default(), query) {
            ("", "") => url,
            ("", query) | (query, "") => format!("{url}?{query}"),
            (first, then) => format!("{url}?{first}&{then}"),
        }
    }
}

/// A program's connection, and that to the target.
struct Link {
    target: Client,
    /// A message of the program for which there is no room, and one of the target.
    to_target: Option<OwnedMessage>,
    to_program: Option<OwnedMessage>,
    /// When `to_target` came.
    since: Instant,
    /// The program has gone, and the target did not take what it had sent: the rest is dropped.
    is_cut: bool,
    /// Whether the program's request was answered.
    is_answered: bool,
    /// Whether the target's last event was taken.
    has_ended: bool,
}

struct Proxy {
    target: Target,
    links: HashMap<Conn, Link>,
    /// Connections to the target whose programs have ended.
    closing: Vec<Client>,
    /// After an interrupt.
    is_ending: bool,
    quiet: bool,
    paint: Paint,
}

impl Proxy {
    /// Whether something of this program can be passed on.
    fn wants(&mut self, conn: Conn) -> bool {
        let Some(link) = self.links.get_mut(&conn) else { return true };
        if let Some(message) = &link.to_target
            && !is_full(link.target.handle(), message.into())
        {
            link.to_target = None;
        }
        if link.to_target.is_some() && conn.is_closed() && (self.is_ending || link.since.elapsed() > PATIENCE) {
            link.to_target = None;
            link.is_cut = true;
        }
        link.to_target.is_none()
    }

    fn take_of_program(&mut self, event: Event<'_>) -> Outcome<()> {
        match event {
            Event::Request(request) => self.open(&request),
            Event::Message(message) => {
                if let Some(link) = self.links.get_mut(&message.conn())
                    && !link.is_cut
                {
                    link.since = Instant::now();
                    let is_full = is_full(link.target.handle(), message.into());
                    link.to_target = is_full.then(|| message.to_owned());
                }
            }
            Event::Disconnected(end) => {
                let conn = end.about.conn;
                let Some(link) = self.links.remove(&conn) else { return Ok(()) };
                self.log(conn, end.sentence);
                if link.is_cut {
                    let _ = link.target.close(-1, "");
                } else if !link.has_ended {
                    pass_on_end(link.target.handle(), &end, &conn.close_reason());
                    self.closing.push(link.target);
                }
            }
            Event::Error(report) => say(&harmless(report.sentence)),
            _ => {}
        }
        Ok(())
    }

    /// Opens the connection to the target. The program's request waits for it.
    fn open(&mut self, request: &Request<'_>) {
        let conn = request.about.conn;
        if !request.is_websocket {
            let text = "This is `wspeer sim`, which passes on WebSockets only.\n";
            let _ = conn.reply(426, NO_HEADERS, text);
            return;
        }
        let mut config = self.target.config.clone();
        let offered: Vec<String> = (0..).map_while(|index| conn.header("Sec-WebSocket-Protocol", index)).collect();
        if !offered.is_empty() {
            config = config.subprotocols(offered.join(", "));
        }
        for name in HEADERS {
            if let Some(value) = conn.header(name, 0) {
                config = config.header(name, &value);
            }
        }
        let url = self.target.url_for(&conn.path(), &conn.query());
        match Client::connect_with(&url, &config) {
            Ok(target) => {
                let link = Link {
                    target,
                    to_target: None,
                    to_program: None,
                    since: Instant::now(),
                    is_cut: false,
                    is_answered: false,
                    has_ended: false,
                };
                self.links.insert(conn, link);
            }
            Err(error) => {
                say(&harmless(error.sentence()));
                let _ = conn.reply(502, NO_HEADERS, format!("{error}\n"));
            }
        }
    }

    /// Polls the connections to the target, and passes on what came from it.
    fn take_of_targets(&mut self) -> Outcome<()> {
        let mut news = Vec::new();
        for (conn, link) in &mut self.links {
            link.target.poll()?;
            if let Some(message) = &link.to_program
                && !is_full(*conn, message.into())
            {
                link.to_program = None;
            }
            while link.to_program.is_none()
                && let Some(event) = link.target.next_event()
            {
                match event {
                    Event::Open(about) => {
                        link.is_answered = true;
                        accept(*conn, about.conn);
                        news.push((*conn, "connected".to_owned()));
                    }
                    Event::Message(message) => {
                        link.to_program = is_full(*conn, message.into()).then(|| message.to_owned());
                    }
                    Event::Closed(end) => {
                        link.has_ended = true;
                        if !link.is_answered {
                            refuse(*conn, &end);
                        } else {
                            pass_on_end(*conn, &end, &end.about.conn.close_reason());
                        }
                        news.push((*conn, format!("the target: {}", end.sentence)));
                    }
                    _ => {}
                }
            }
        }
        for (conn, what) in news {
            self.log(conn, &what);
        }
        for target in &mut self.closing {
            target.poll()?;
            for _ in target.events() {}
        }
        self.closing.retain(|target| !target.is_closed());
        Ok(())
    }

    /// The connections to the target that are to be waited for: not those of which nothing can be taken now.
    fn handles(&self) -> Vec<u32> {
        let links = self.links.values().filter(|link| link.to_program.is_none() && !link.has_ended);
        links.map(|link| link.target.raw()).chain(self.closing.iter().map(|target| target.raw())).collect()
    }

    fn log(&self, conn: Conn, what: &str) {
        if !self.quiet {
            let place = format!("{} {}", conn.remote_address(), conn.path());
            say(&format!("{} {}", self.paint.dim(&harmless(&place)), harmless(what)));
        }
    }
}

const NO_HEADERS: &[&str] = &[];

/// Settings of both sides.
fn queues(given: &Given) -> Config {
    Config::new().max_message_bytes(given.max_message_bytes).inbound_bytes(QUEUE).outbound_bytes(QUEUE)
}

/// Sends a message. Returns true if there is no room: it is to be sent again. A connection that has ended takes all.
fn is_full(conn: Conn, message: Payload<'_>) -> bool {
    conn.send(message).is_err_and(|error| error.is_full())
}

/// The target has accepted: so does the proxy, with the same subprotocol and cookies. It fails if the program has left
/// meanwhile, which its last event says.
fn accept(conn: Conn, target: Conn) {
    let subprotocol = Some(target.subprotocol()).filter(|name| !name.is_empty());
    let cookies: Vec<String> = (0..)
        .map_while(|index| target.header("Set-Cookie", index))
        .map(|cookie| format!("Set-Cookie: {cookie}"))
        .collect();
    let _ = conn.accept(subprotocol.as_deref(), &cookies);
}

/// The target has not accepted: its answer, or 502 with why.
fn refuse(conn: Conn, end: &End<'_>) {
    let _ = match end.http_status {
        status @ 300..=599 => {
            let names = ["Location", "WWW-Authenticate", "Retry-After", "Content-Type"];
            let value = |name: &&str| end.about.conn.header(name, 0).map(|value| format!("{name}: {value}"));
            let headers: Vec<String> = names.iter().filter_map(value).collect();
            conn.reply(status, &headers, end.about.conn.body())
        }
        _ => conn.reply(502, NO_HEADERS, format!("{}\n", end.sentence)),
    };
}

/// Ends the other side as this one has ended: by its code and reason, or without a closing handshake.
fn pass_on_end(other: Conn, end: &End<'_>, reason: &str) {
    let code = match end.code {
        // There was no code: 1000 means the same.
        1005 => 1000,
        1006 | 1015 => -1,
        code => code,
    };
    // It fails if the other side has ended meanwhile. A code that no program may send means a failure, too.
    if other.close(code, reason).is_err() {
        let _ = other.close(-1, "");
    }
}

/// The network, and its description.
fn network(given: &Given) -> (Sim, String) {
    let (preset, name) = match given.network {
        Network::None => (SimPreset::None, ""),
        Network::Wifi => (SimPreset::Wifi, "wifi"),
        Network::Mobile4g => (SimPreset::Mobile4g, "4g"),
        Network::Train => (SimPreset::Train, "train"),
        Network::Satellite => (SimPreset::Satellite, "satellite"),
    };
    let mut sim = Sim::preset(preset);
    sim.seed = given.seed;
    if let Some(us) = given.lag {
        (sim.up_lag_us, sim.down_lag_us) = (us, us);
    }
    if let Some(us) = given.jitter {
        (sim.up_jitter_us, sim.down_jitter_us) = (us, us);
    }
    if let Some(ppm) = given.loss {
        (sim.up_loss_ppm, sim.down_loss_ppm) = (ppm, ppm);
    }
    if let Some(bytes) = given.bandwidth {
        (sim.up_bytes_per_s, sim.down_bytes_per_s) = (bytes, bytes);
    }
    let ways = [
        ("up", sim.up_lag_us, sim.up_jitter_us, sim.up_loss_ppm, sim.up_bytes_per_s),
        ("down", sim.down_lag_us, sim.down_jitter_us, sim.down_loss_ppm, sim.down_bytes_per_s),
    ];
    let mut text = name.to_owned();
    for (way, lag, jitter, loss, bytes) in ways {
        let bandwidth = if bytes == 0 { "any bandwidth".to_owned() } else { format!("{bytes} bytes/s") };
        let (lag, jitter, loss) = (f64::from(lag) / 1e3, f64::from(jitter) / 1e3, f64::from(loss) / 1e4);
        let separator = if text.is_empty() { "" } else { "; " };
        text += &format!("{separator}{way} {lag} ms + 0 to {jitter} ms, {loss} % lost, {bandwidth}");
    }
    (sim, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_of_programs() {
        let target = |url: &str, query: Option<&str>| Target {
            url: url.to_owned(),
            query: query.map(str::to_owned),
            config: Config::new(),
        };
        let plain = target("ws://game:9080", None);
        assert_eq!(plain.url_for("/", ""), "ws://game:9080");
        assert_eq!(plain.url_for("/room/7", "token=1"), "ws://game:9080/room/7?token=1");
        let below = target("ws://game:9080/v2", Some("key=x"));
        assert_eq!(below.url_for("/", ""), "ws://game:9080/v2?key=x");
        assert_eq!(below.url_for("/room", "a=b"), "ws://game:9080/v2/room?key=x&a=b");
        let slash = target("ws://game:9080/v2/", Some(""));
        assert_eq!(slash.url_for("/", ""), "ws://game:9080/v2/");
        assert_eq!(slash.url_for("/room/", "a=b"), "ws://game:9080/v2/room/?a=b");
    }
}
