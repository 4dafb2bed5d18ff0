//! Opening: creates objects and their handles from a URL and settings.

use super::family::{Body, Family, Kind, Member, Shared};
use super::place::{Place, bad_url, bracketed};
use super::redial::Redial;
use super::way::Way;
use super::{Registry, registry, wake, with};
use crate::codes::*;
use crate::connection::Connection;
use crate::diagnosis::{Diagnosis, Hidden, Subject, Trust};
use crate::endpoint::Options;
use crate::error::Error;
use crate::journal;
use crate::multiplayer::{self, Join, SceneSettings, Wire};
use crate::names::{CERT_PEM, KEY_PEM, SHARE_PORT};
use crate::net::{MemoryEnd, Stream, TlsClientSettings, TlsServer, lacks_interface, listen as listen_at};
use crate::opening::ProxySetting;
use crate::protocol::{
    self, Accept, Allowed, AskedChannel, DeflateSettings, OfferedChannel, RequestSpec, ServerHandshake,
};
use crate::role::Role;
use crate::server::{Proxies, Server, ServerSettings};
use crate::session::Terms;
use crate::status::{ErrorCode, Level, Text};
use crate::trace::Trace;
use crate::work::ROUND_BYTES;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use url::Host;

/// Bytes of a read buffer: one full read, and room for a short one behind it.
const CHUNK: usize = ROUND_BYTES + (32 << 10);
/// Capacity in bytes of the pipes of pairs and attached transports, each way.
const PIPE_BYTES: usize = 256 << 10;

/// A ws_config, checked and with its defaults applied.
pub struct Settings {
    /// Owner, for ws_free_owner.
    pub owner: u32,
    /// Initial user value.
    pub user: u64,
    /// All numeric options.
    pub options: Options,
    /// Time limit for all phases of a client's opening together.
    pub connect_timeout: Option<Duration>,
    /// WS_RECONNECT.
    pub reconnects: bool,
    /// Multiplayer wire format: WS_GODOT3, WS_SCENE or neither.
    pub wire: Wire,
    /// Scene settings, for WS_SCENE.
    pub scene: SceneSettings,
    /// WS_APP_HEARTBEAT.
    pub heartbeat: bool,
    /// Sessions: what is asked for or offered.
    pub session: Option<Terms>,
    /// Name of a server for the clients that come back to it.
    pub node: Arc<str>,
    /// WS_QUEUE_BEFORE_OPEN.
    pub queue_before_open: bool,
    /// Maximum bytes of an HTTP request or response header.
    pub max_header_bytes: usize,
    /// Extra HTTP headers.
    pub headers: Vec<(String, String)>,
    /// Subprotocols that a client offers or a server supports.
    pub subprotocols: Vec<String>,
    /// permessage-deflate, if enabled.
    pub deflate: Option<DeflateSettings>,
    /// The hosts and origins that a server allows.
    pub allowed: Allowed,
    /// WS_ASK.
    pub asks: bool,
    /// WS_SHARE_PORT.
    pub shares_port: bool,
    /// The proxies that a server trusts.
    pub proxies: Option<Proxies>,
    /// Number of leading bits of an IPv6 address that count for the limits per address.
    pub ipv6_prefix_bits: u32,
    /// Certificate chain of a server, in PEM.
    pub cert_pem: Option<String>,
    /// Private key of a server, in PEM.
    pub key_pem: Option<String>,
    /// TLS settings of a client.
    pub tls: TlsClientSettings,
    /// Proxy of a client.
    pub proxy: ProxySetting,
}

/// Opens a client.
pub fn connect(url: &str, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let owner = settings.owner;
    let (peer, redial) = client(registry, url, settings)?;
    add(registry, take_in_client(registry, peer, Role::Plain, owner, redial), Member::Only)
}

/// Opens a multiplayer client.
pub fn join(url: &str, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let (owner, wire, scene) = (settings.owner, settings.wire, settings.scene);
    let (timeout, early) = (settings.connect_timeout, settings.queue_before_open);
    let (mut peer, redial) = client(registry, url, settings)?;
    let join = Join::new(wire, scene, &mut peer, timeout, early, Instant::now());
    add(registry, take_in_client(registry, peer, Role::Join(Box::new(join)), owner, redial), Member::Only)
}

/// Opens a player in the host's own process, with the host's wire format.
pub fn join_local(host: u32, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let now = Instant::now();
    let (host_end, own_end) = MemoryEnd::pair(PIPE_BYTES);
    let (wire, scene) = with(host, |body, member| {
        let (role, kind, mut cx) = body.parts_with_role(now, None);
        role.accept_local(kind.place(member)?, &mut cx, host_end)
    })?;
    let early = settings.queue_before_open;
    let options = Arc::new(settings.options.clone());
    let mut peer = peer_of_client(Stream::Memory(Box::new(own_end)), &settings, options, now);
    let join = Join::new(wire, scene, &mut peer, settings.connect_timeout, early, now);
    let family = take_in(registry, Kind::Client(Box::new(peer)), Role::Join(Box::new(join)), settings.owner);
    let handle = add(registry, family, Member::Only)?;
    // Sends the request now, so that the host's next poll answers it.
    super::flush(handle)?;
    Ok(handle)
}

/// Opens a diagnosis.
pub fn diagnose(url: &str, mut settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let owner = settings.owner;
    let trace = Arc::new(Trace::default());
    settings.tls.trace = Some(trace.clone());
    // It pings once by itself, and reports no round-trip time but that one.
    let _ = settings.options.set(WS_OPT_HEARTBEAT_MS, WS_OFF);
    // And it begins no session, which would end with it.
    settings.session = None;
    let trust = match &settings.tls {
        tls if tls.insecure => Trust::Nothing,
        tls if tls.pin_sha256.is_some() => Trust::Pin,
        tls if tls.any_name => Trust::AnyName,
        _ => Trust::Usual,
    };
    let (user, options, timeout) = (settings.user, Arc::new(settings.options.clone()), settings.connect_timeout);
    let place = Place::parse(url)?;
    let recipe = Way::of(settings).to(&place)?;
    let proxy_login = recipe.via.as_ref().and_then(|via| via.proxy.login.clone());
    let logins = [place.login()].into_iter().chain(proxy_login).collect();
    let hidden = Hidden { logins, fragment: place.url.fragment().unwrap_or("").to_owned() };
    let subject = Subject {
        url: place.shown(place.url.path()),
        host: place.url.host_str().unwrap_or("").to_owned(),
        port: recipe.to.port,
        is_secure: recipe.to.tls.is_some(),
        request: recipe.request.clone(),
        proxy: recipe.via.as_ref().map(|via| via.proxy.to_string()),
        trust,
        timeout,
    };
    let now = Instant::now();
    let mut peer = Connection::dial(&registry.services, recipe, options, now);
    peer.endpoint.user = user;
    place.describe(&mut peer);
    journal::note(Level::Debug, || format!("diagnosing {}", peer.endpoint.info.shown_url()));
    let diagnosis = Diagnosis::new(subject, &hidden, trace, &mut peer, now);
    let role = Role::Diagnosis(Box::new(diagnosis));
    add(registry, take_in(registry, Kind::Client(Box::new(peer)), role, owner), Member::Only)
}

/// A client, and with WS_RECONNECT what it needs to open its next link.
fn client(registry: &Registry, url: &str, settings: Settings) -> Result<(Connection, Option<Box<Redial>>), Error> {
    let (user, options, reconnects) = (settings.user, Arc::new(settings.options.clone()), settings.reconnects);
    let (place, way) = (Place::parse(url)?, Way::of(settings));
    let recipe = way.to(&place)?;
    let through = recipe.via.as_ref().map(|via| format!(" through the proxy {}", via.proxy)).unwrap_or_default();
    let next = reconnects.then(|| recipe.clone());
    let mut peer = Connection::dial(&registry.services, recipe, options, Instant::now());
    peer.endpoint.user = user;
    place.describe(&mut peer);
    journal::note(Level::Debug, || format!("connecting to {}{through}", peer.endpoint.info.shown_url()));
    let redial = next.map(|recipe| {
        peer.reconnect();
        Box::new(Redial::new(recipe, way, place))
    });
    Ok((peer, redial))
}

impl Settings {
    /// The control channel that a server offers.
    fn offered(&self, session: bool) -> Option<OfferedChannel> {
        let (heartbeat, node) = (self.heartbeat, self.node.clone());
        (heartbeat || session).then_some(OfferedChannel { heartbeat, session, node })
    }
}

/// Opens a server.
pub fn listen(url: &str, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let owner = settings.owner;
    let server = server(url, settings)?;
    add(registry, take_in(registry, Kind::Server(Box::new(server)), Role::Plain, owner), Member::Server)
}

/// Opens a multiplayer server.
pub fn host(url: &str, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let (owner, wire, scene) = (settings.owner, settings.wire, settings.scene);
    let mut server = server(url, settings)?;
    let host = multiplayer::Host::new(wire, scene, &mut server);
    add(registry, take_in(registry, Kind::Server(Box::new(server)), Role::Host(Box::new(host)), owner), Member::Server)
}

fn server(url: &str, settings: Settings) -> Result<Server, Error> {
    if settings.shares_port && cfg!(not(unix)) {
        let why = format!("{SHARE_PORT} is not available on this system: open one server for each port");
        return Err(Error::new(ErrorCode::Unsupported, why));
    }
    // "*" means all addresses of this machine.
    let (any, Place { url: parsed, zone }) = match url.split_once("://*") {
        Some((scheme, rest))
            if !scheme.contains(['/', ':']) && (rest.is_empty() || rest.starts_with([':', '/', '?', '#'])) =>
        {
            (true, Place::parse(&format!("{scheme}://0.0.0.0{rest}"))?)
        }
        _ => (false, Place::parse(url)?),
    };
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(bad_url("a server's URL has no query and no #fragment: clients bring their own query"));
    }
    let tls = match (parsed.scheme(), &settings.cert_pem, &settings.key_pem) {
        ("wss", Some(cert), Some(key)) => Some(Arc::new(TlsServer::new(cert, key)?)),
        ("wss", ..) => {
            return Err(Error::new(
                ErrorCode::Tls,
                format!("a wss:// server needs {CERT_PEM} and {KEY_PEM} in its config"),
            ));
        }
        (_, None, None) => None,
        _ => {
            return Err(Error::new(
                ErrorCode::Config,
                format!("{CERT_PEM} or {KEY_PEM} is set for a ws:// server: use wss:// or leave them out"),
            ));
        }
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(bad_url("a server's URL has no user name or password"));
    }
    let port = parsed.port_or_known_default().unwrap_or(0);
    let at = |ip: IpAddr| SocketAddr::new(ip, port);
    let both = |first: IpAddr, second: IpAddr| vec![at(first), at(second)];
    let (addresses, host) = match parsed.host() {
        Some(Host::Ipv4(Ipv4Addr::UNSPECIFIED)) if any => {
            (both(Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()), "*".to_owned())
        }
        Some(Host::Ipv4(address)) if !any => (vec![at(address.into())], address.to_string()),
        Some(Host::Ipv6(address)) => {
            let number = zone.as_ref().map_or(0, |zone| zone.number);
            (vec![SocketAddrV6::new(address, port, 0, number).into()], bracketed(&address.to_string(), zone.as_ref()))
        }
        Some(Host::Domain("localhost")) => {
            (both(Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()), "localhost".to_owned())
        }
        _ => return Err(bad_url("a server listens on an IP address, on localhost or on *")),
    };
    let listeners = bind(&addresses, settings.shares_port)?;
    let channel = settings.offered(settings.session.is_some());
    let path = (parsed.path() != "/").then(|| parsed.path().to_owned());
    let server_settings = ServerSettings {
        url_start: format!("{}://{host}", parsed.scheme()),
        url_path: path.clone().unwrap_or_default(),
        tls,
        accept: Arc::new(Accept {
            path,
            subprotocols: settings.subprotocols,
            headers: settings.headers,
            deflate: settings.deflate,
            channel,
        }),
        allowed: settings.allowed,
        proxies: settings.proxies,
        ipv6_prefix_bits: settings.ipv6_prefix_bits,
        max_header_bytes: settings.max_header_bytes,
        options: Arc::new(settings.options),
    };
    let mut server = Server::new(listeners, server_settings)?;
    (server.asks, server.plain) = (settings.asks, settings.asks);
    if let Some(terms) = settings.session {
        server.keep_sessions(terms);
    }
    server.endpoint.user = settings.user;
    server.check_certificate(Instant::now());
    journal::note(Level::Info, || format!("listening on {}", server.url()));
    Ok(server)
}

/// Opens two connected ends in memory. Returns the handles of the server's and of the client's end.
pub fn pair(settings: Settings) -> Result<(u32, u32), Error> {
    let (server_end, client_end) = MemoryEnd::pair(PIPE_BYTES);
    let now = Instant::now();
    let options = Arc::new(settings.options.clone());
    let server = peer_of_server(Stream::Memory(Box::new(server_end)), &settings, options.clone(), now);
    let client = peer_of_client(Stream::Memory(Box::new(client_end)), &settings, options, now);
    let registry = registry();
    let ends = [Some(Box::new(server)), Some(Box::new(client))];
    let family = take_in(registry, Kind::Pair(ends), Role::Plain, settings.owner);
    let first = add(registry, family, Member::End(0))?;
    let second = add(registry, family, Member::End(1)).inspect_err(|_| {
        registry.remove(first);
    })?;
    Ok((first, second))
}

/// Opens one end of a connection whose bytes the program transports.
pub fn attach(role: protocol::Role, settings: Settings) -> Result<u32, Error> {
    let (own, host_end) = MemoryEnd::pair(PIPE_BYTES);
    let now = Instant::now();
    let options = Arc::new(settings.options.clone());
    let peer = match role {
        protocol::Role::Server => peer_of_server(Stream::Memory(Box::new(own)), &settings, options, now),
        protocol::Role::Client => peer_of_client(Stream::Memory(Box::new(own)), &settings, options, now),
    };
    let registry = registry();
    add(
        registry,
        take_in(registry, Kind::Attached(Box::new(peer), host_end), Role::Plain, settings.owner),
        Member::Only,
    )
}

fn peer_of_server(stream: Stream, settings: &Settings, options: Arc<Options>, now: Instant) -> Connection {
    let (subprotocols, headers) = (settings.subprotocols.clone(), settings.headers.clone());
    let accept = Arc::new(Accept {
        path: None,
        subprotocols,
        headers,
        deflate: settings.deflate,
        channel: settings.offered(false),
    });
    let timeout = options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS);
    let mut peer = Connection::answer_on(
        stream,
        Some(accept),
        ServerHandshake::new(settings.max_header_bytes),
        options,
        timeout,
        settings.queue_before_open,
        now,
    );
    peer.endpoint.user = settings.user;
    peer
}

fn peer_of_client(stream: Stream, settings: &Settings, options: Arc<Options>, now: Instant) -> Connection {
    let spec = RequestSpec {
        host: "localhost".to_owned(),
        target: "/".to_owned(),
        headers: settings.headers.clone(),
        subprotocols: settings.subprotocols.clone(),
        deflate: settings.deflate,
        max_header_bytes: settings.max_header_bytes,
        channel: settings.heartbeat.then_some(AskedChannel { heartbeat: true, node: None }),
    };
    let mut peer =
        Connection::request_on(stream, &spec, options, settings.connect_timeout, settings.queue_before_open, now);
    peer.endpoint.user = settings.user;
    peer.endpoint.info.set_text(Text::Url, "ws://localhost/");
    peer.endpoint.info.set_target("/", "");
    peer
}

/// Puts objects into a family. They have no handles yet.
fn take_in(registry: &Registry, kind: Kind, role: Role, owner: u32) -> &'static Family {
    let family = registry.slots.write().take_family();
    family.owner.store(owner, Ordering::Relaxed);
    // If the first poll is late, it moves deadlines like any other late poll.
    let attended = [Some(Instant::now()); 2];
    *family.body.lock() = Body { kind, role, shared: Shared::new(CHUNK), attended, ..Body::default() };
    family
}

/// Puts a client into a family.
fn take_in_client(
    registry: &Registry,
    peer: Connection,
    role: Role,
    owner: u32,
    redial: Option<Box<Redial>>,
) -> &'static Family {
    let family = take_in(registry, Kind::Client(Box::new(peer)), role, owner);
    family.body.lock().redial = redial;
    family
}

/// Creates a handle and stores it in its object. If no handle is free, the family is emptied.
fn add(registry: &Registry, family: &'static Family, member: Member) -> Result<u32, Error> {
    // Under the family's lock, so that a concurrent ws_shutdown sees the object with its handle.
    let mut body = family.body.lock();
    let Some(handle) = registry.add(family, member) else {
        let mut gone = std::mem::take(&mut *body);
        drop(body);
        registry.slots.write().give_family(family);
        // On return a server's port is free, and the other end of a pipe reads the end of the stream.
        registry.services.close(gone.kind.take_streams());
        registry.services.discard(Box::new(gone));
        wake::all();
        return Err(Error::new(ErrorCode::Limit, "all 1048576 handles are in use: free some"));
    };
    match (&mut body.kind, member) {
        (Kind::Server(server), Member::Server) => server.endpoint.handle = handle,
        (kind, member) => {
            if let Some(peer) = kind.peer(member) {
                peer.endpoint.handle = handle;
            }
        }
    }
    Ok(handle)
}

/// Binds all addresses to one port. If the machine lacks one of two address families, it listens on the other only.
fn bind(addresses: &[SocketAddr], shares_port: bool) -> Result<Vec<mio::net::TcpListener>, Error> {
    let failed = |address: SocketAddr, error: &std::io::Error| {
        let hint = match error.kind() {
            _ if lacks_interface(&address) => "a link-local address needs its interface: write [fe80::1%25eth0]",
            ErrorKind::AddrInUse if shares_port => {
                &format!("another program has that port, or not all servers on it were opened with {SHARE_PORT}")
            }
            ErrorKind::AddrInUse => "choose another port, or end the program that has it",
            ErrorKind::AddrNotAvailable => {
                "this machine does not have that address: use * for all of its addresses, or localhost"
            }
            ErrorKind::PermissionDenied => "ports below 1024 need rights: choose a higher one",
            _ => "choose another address or port",
        };
        Error::new(ErrorCode::Address, format!("cannot listen on {address}: {error}; {hint}"))
    };
    let mut tries = 0;
    'again: loop {
        let mut listeners: Vec<mio::net::TcpListener> = Vec::new();
        let mut last = None;
        for address in addresses {
            let mut address = *address;
            address.set_port(
                listeners
                    .first()
                    .and_then(|first| first.local_addr().ok())
                    .map_or(address.port(), |first| first.port()),
            );
            match listen_at(address, true, shares_port) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == ErrorKind::AddrInUse && addresses[0].port() == 0 && tries < 16 => {
                    tries += 1;
                    continue 'again;
                }
                Err(error) if addresses.len() > 1 && error.kind() != ErrorKind::AddrInUse => {
                    last = Some(failed(address, &error))
                }
                Err(error) => return Err(failed(address, &error)),
            }
        }
        return match last {
            Some(error) if listeners.is_empty() => Err(error),
            _ => Ok(listeners),
        };
    }
}
