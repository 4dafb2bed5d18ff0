//! Opening: creates objects and their handles from a URL and settings.

use super::family::{Body, Family, Kind, Member, Shared};
use super::{Registry, registry, wake, with};
use crate::codes::*;
use crate::connection::Connection;
use crate::diagnosis::{Diagnosis, Hidden, Subject, Trust};
use crate::endpoint::Options;
use crate::error::Error;
use crate::journal;
use crate::multiplayer::{self, Join, SceneSettings, Wire};
use crate::names::{CERT_PEM, KEY_PEM};
use crate::net::{
    Destination, MemoryEnd, Stream, TlsClient, TlsClientSettings, TlsServer, interface, lacks_interface,
    listen as listen_at,
};
use crate::opening::{Goal, MAX_TEXT, ProxyKind, ProxySetting, Recipe, Via};
use crate::protocol::{self, Accept, Allowed, DeflateSettings, Login, RequestSpec, ServerHandshake};
use crate::role::Role;
use crate::server::{Proxies, Server, ServerSettings};
use crate::status::{ErrorCode, Level, Text};
use crate::trace::Trace;
use crate::work::ROUND_BYTES;
use data_encoding::BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use url::{Host, Url};

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
    /// Multiplayer wire format: WS_GODOT3, WS_SCENE or neither.
    pub wire: Wire,
    /// Scene settings, for WS_SCENE.
    pub scene: SceneSettings,
    /// WS_APP_HEARTBEAT.
    pub heartbeat: bool,
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
    let peer = client(registry, url, settings)?;
    add(registry, take_in(registry, Kind::Client(Box::new(peer)), Role::Plain, owner), Member::Only)
}

/// Opens a multiplayer client.
pub fn join(url: &str, settings: Settings) -> Result<u32, Error> {
    let registry = registry();
    let (owner, wire, scene) = (settings.owner, settings.wire, settings.scene);
    let (timeout, early) = (settings.connect_timeout, settings.queue_before_open);
    let mut peer = client(registry, url, settings)?;
    let join = Join::new(wire, scene, &mut peer, timeout, early, Instant::now());
    add(registry, take_in(registry, Kind::Client(Box::new(peer)), Role::Join(Box::new(join)), owner), Member::Only)
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
    let trust = match &settings.tls {
        tls if tls.insecure => Trust::Nothing,
        tls if tls.pin_sha256.is_some() => Trust::Pin,
        tls if tls.any_name => Trust::AnyName,
        _ => Trust::Usual,
    };
    let (user, options, timeout) = (settings.user, Arc::new(settings.options.clone()), settings.connect_timeout);
    let Way { url, zone, recipe } = way(url, settings)?;
    let login =
        Login { user: percent_decoded(url.username()), password: percent_decoded(url.password().unwrap_or("")) };
    let proxy_login = recipe.via.as_ref().and_then(|via| via.proxy.login.clone());
    let logins = [login].into_iter().chain(proxy_login).collect();
    let hidden = Hidden { logins, fragment: url.fragment().unwrap_or("").to_owned() };
    let subject = Subject {
        url: shown_url(&url, zone.as_ref(), url.path()),
        host: url.host_str().unwrap_or("").to_owned(),
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
    describe(&mut peer, &url, zone.as_ref());
    journal::note(Level::Debug, || format!("diagnosing {}", peer.endpoint.info.shown_url()));
    let diagnosis = Diagnosis::new(subject, &hidden, trace, &mut peer, now);
    let role = Role::Diagnosis(Box::new(diagnosis));
    add(registry, take_in(registry, Kind::Client(Box::new(peer)), role, owner), Member::Only)
}

fn client(registry: &Registry, url: &str, settings: Settings) -> Result<Connection, Error> {
    let (user, options) = (settings.user, Arc::new(settings.options.clone()));
    let Way { url, zone, recipe } = way(url, settings)?;
    let through = recipe.via.as_ref().map(|via| format!(" through the proxy {}", via.proxy)).unwrap_or_default();
    let mut peer = Connection::dial(&registry.services, recipe, options, Instant::now());
    peer.endpoint.user = user;
    describe(&mut peer, &url, zone.as_ref());
    journal::note(Level::Debug, || format!("connecting to {}{through}", peer.endpoint.info.shown_url()));
    Ok(peer)
}

/// How to open a client, and its URL.
struct Way {
    url: Url,
    zone: Option<Zone>,
    recipe: Recipe,
}

fn way(url: &str, settings: Settings) -> Result<Way, Error> {
    let (url, zone) = parse(url)?;
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(bad_url("it has no host")),
    };
    let port = match url.port_or_known_default() {
        None | Some(0) => return Err(bad_url("port 0 cannot be connected to")),
        Some(port) => port,
    };
    let (no_delay, trace) = (settings.options.is_on(WS_OPT_NO_DELAY), settings.tls.trace.clone());
    let via = match settings.proxy {
        ProxySetting::None => None,
        setting => proxy(setting, &url, port, &settings.tls, no_delay)?,
    };
    let tls = match url.scheme() {
        "wss" => Some(Arc::new(TlsClient::new(&host, settings.tls)?)),
        _ => None,
    };
    let host = zone.as_ref().map_or(host.clone(), |zone| format!("{host}%{}", zone.number));
    let mut headers = settings.headers;
    let has_own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if !has_own && (!url.username().is_empty() || url.password().is_some()) {
        let plain = |text: &str| percent_decoded(text);
        let pair = [plain(url.username()), b":".to_vec(), plain(url.password().unwrap_or(""))].concat();
        headers.push(("Authorization".to_owned(), format!("Basic {}", BASE64.encode(&pair))));
    }
    let spec = RequestSpec {
        host: authority(&url),
        target: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        headers,
        subprotocols: settings.subprotocols,
        deflate: settings.deflate,
        max_header_bytes: settings.max_header_bytes,
        heartbeat: settings.heartbeat,
    };
    let to = Destination { host, port, tls, no_delay, trace };
    let recipe = Recipe {
        to,
        via,
        request: spec,
        timeout: settings.connect_timeout,
        queue_before_open: settings.queue_before_open,
    };
    Ok(Way { url, zone, recipe })
}

/// The proxy for a URL. The environment is read here, once.
fn proxy(
    setting: ProxySetting,
    url: &Url,
    port: u16,
    tls: &TlsClientSettings,
    no_delay: bool,
) -> Result<Option<Box<Via>>, Error> {
    let wrong = |why: String| Error::new(ErrorCode::Config, format!("the config cannot be used: {why}"));
    let Some(host) = url.host() else { return Err(bad_url("it has no host")) };
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let goal = Goal { is_secure: url.scheme() == "wss", host: &host, port };
    let Some(proxy) = setting.choose(goal, &variable).map_err(wrong)? else { return Ok(None) };
    if proxy.kind == ProxyKind::Socks5h && matches!(host, Host::Domain(name) if name.len() > MAX_TEXT) {
        return Err(bad_url(&format!("its host is longer than {MAX_TEXT} bytes, which SOCKS cannot ask for")));
    }
    let trace = tls.trace.clone();
    let tls = match proxy.kind {
        ProxyKind::Https => {
            // What the program says about the server's certificate does not hold for the proxy's.
            let trust = TlsClientSettings {
                ca_pem: tls.ca_pem.clone(),
                only_ca_pem: tls.only_ca_pem,
                trace: tls.trace.clone(),
                ..TlsClientSettings::default()
            };
            let name = proxy.host.split('%').next().unwrap_or("");
            Some(Arc::new(TlsClient::new(name, trust)?))
        }
        _ => None,
    };
    let to = Destination { host: proxy.host.clone(), port: proxy.port, tls, no_delay, trace };
    Ok(Some(Box::new(Via { proxy: *proxy, to })))
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
    // "*" means all addresses of this machine.
    let (any, (parsed, zone)) = match url.split_once("://*") {
        Some((scheme, rest))
            if !scheme.contains(['/', ':']) && (rest.is_empty() || rest.starts_with([':', '/', '?', '#'])) =>
        {
            (true, parse(&format!("{scheme}://0.0.0.0{rest}"))?)
        }
        _ => (false, parse(url)?),
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
    let listeners = bind(&addresses)?;
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
            heartbeat: settings.heartbeat,
        }),
        allowed: settings.allowed,
        proxies: settings.proxies,
        ipv6_prefix_bits: settings.ipv6_prefix_bits,
        max_header_bytes: settings.max_header_bytes,
        options: Arc::new(settings.options),
    };
    let mut server = Server::new(listeners, server_settings)?;
    (server.asks, server.plain) = (settings.asks, settings.asks);
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
        heartbeat: settings.heartbeat,
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
        heartbeat: settings.heartbeat,
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

/// All characters but the unreserved ones of RFC 3986.
const NOT_IN_ZONE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The interface of a link-local address: its name in the URL, and its index.
struct Zone {
    name: String,
    number: u32,
}

fn parse(url: &str) -> Result<(Url, Option<Zone>), Error> {
    if url.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(bad_url("it has a space or a control character in it"));
    }
    let begins = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !begins("ws://") && !begins("wss://") {
        return Err(bad_url("it must start with ws:// or wss://"));
    }
    let parsed = |url: &str| Url::parse(url).map_err(|error| bad_url(&error.to_string()));
    let Some((name, without)) = split_zone(url) else { return Ok((parsed(url)?, None)) };
    let url = parsed(&without)?;
    let number = match url.host() {
        Some(Host::Ipv6(address)) => interface(address, &name),
        _ => None,
    };
    let no_such =
        || bad_url("this machine has no interface of the name behind the %, or the address is not a link-local one");
    Ok((url, Some(Zone { number: number.ok_or_else(no_such)?, name })))
}

/// Splits the zone off a URL's IPv6 address: RFC 6874 writes "[fe80::1%25eth0]", many tools "[fe80::1%eth0]".
fn split_zone(url: &str) -> Option<(String, String)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#', '\\']).map_or(url.len(), |len| start + len);
    let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let host = url[start..end].strip_prefix('[')?;
    let (address, zone) = host[..host.find(']')?].split_once('%')?;
    let name = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
    let name = String::from_utf8(percent_decoded(name)).ok()?;
    let (from, to) = (start + 1 + address.len(), start + 2 + address.len() + zone.len());
    Some((name, format!("{}{}", &url[..from], &url[to..])))
}

/// Formats an IPv6 address for a URL.
fn bracketed(address: &str, zone: Option<&Zone>) -> String {
    match zone {
        Some(zone) => format!("[{address}%25{}]", utf8_percent_encode(&zone.name, NOT_IN_ZONE)),
        None => format!("[{address}]"),
    }
}

fn bad_url(why: &str) -> Error {
    Error::new(ErrorCode::Url, format!("the URL cannot be used: {why}"))
}

/// Host and port in the form of the Host header.
fn authority(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or("")),
        None => url.host_str().unwrap_or("").to_owned(),
    }
}

fn describe(peer: &mut Connection, url: &Url, zone: Option<&Zone>) {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    peer.endpoint.info.set_text(Text::Url, shown_url(url, zone, target));
    peer.endpoint.info.set_target(url.path(), url.query().unwrap_or(""));
}

/// A URL without user name and password, and with this target.
fn shown_url(url: &Url, zone: Option<&Zone>, target: &str) -> String {
    let shown = match (url.host(), zone) {
        (Some(Host::Ipv6(address)), Some(_)) => {
            format!(
                "{}{}",
                bracketed(&address.to_string(), zone),
                url.port().map_or(String::new(), |port| format!(":{port}"))
            )
        }
        _ => authority(url),
    };
    format!("{}://{shown}{target}", url.scheme())
}

fn percent_decoded(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

/// Binds all addresses to one port. If the machine lacks one of two address families, it listens on the other only.
fn bind(addresses: &[SocketAddr]) -> Result<Vec<mio::net::TcpListener>, Error> {
    let failed = |address: SocketAddr, error: &std::io::Error| {
        let hint = match error.kind() {
            _ if lacks_interface(&address) => "a link-local address needs its interface: write [fe80::1%25eth0]",
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
            match listen_at(address, true) {
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
