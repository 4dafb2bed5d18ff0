//! The settings of a connection or server.
//! Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.

use crate::codes::{OFF, OnFull};
use crate::config::Texts;
use crate::error::Error;
use wspeer_core::codes as c;
use wspeer_core::ffi::ws_config;

/// How to open a connection or a server. Set what you need: what is not set, or 0, has its default.
///
/// A limit or time that is [`OFF`](crate::OFF) is unlimited or switched off.
///
/// ```
/// let config = wspeer::Config::new().max_clients(64).heartbeat_ms(5000).deflate(true);
/// let server = wspeer::Server::listen_with("ws://127.0.0.1:0", &config)?;
/// # Ok::<(), wspeer::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Config {
    pub(crate) flags: u32,
    pub(crate) headers: Vec<String>,
    pub(crate) owner: u32,
    pub(crate) poll_budget_us: u32,
    pub(crate) connect_timeout_ms: u32,
    pub(crate) handshake_timeout_ms: u32,
    pub(crate) close_timeout_ms: u32,
    pub(crate) heartbeat_ms: u32,
    pub(crate) pong_timeout_ms: u32,
    pub(crate) max_message_bytes: u32,
    pub(crate) max_fragments: u32,
    pub(crate) max_header_bytes: u32,
    pub(crate) inbound_packets: u32,
    pub(crate) inbound_bytes: u32,
    pub(crate) outbound_packets: u32,
    pub(crate) outbound_bytes: u32,
    pub(crate) max_messages_per_s: u32,
    pub(crate) max_bytes_per_s: u32,
    pub(crate) max_clients: u32,
    pub(crate) max_clients_per_address: u32,
    pub(crate) max_pending_handshakes: u32,
    pub(crate) on_full: u32,
    pub(crate) no_delay: u32,
    pub(crate) deflate_level: u32,
    pub(crate) deflate_threshold_bytes: u32,
    pub(crate) server_max_window_bits: u32,
    pub(crate) client_max_window_bits: u32,
    pub(crate) max_inflate_ratio: u32,
    pub(crate) subprotocols: Option<String>,
    pub(crate) ca_pem: Option<String>,
    pub(crate) cert_pem: Option<String>,
    pub(crate) key_pem: Option<String>,
    pub(crate) server_name: Option<String>,
    pub(crate) pin_sha256: Option<String>,
    pub(crate) user: usize,
    pub(crate) max_call_bytes: u32,
    pub(crate) max_call_items: u32,
    pub(crate) trusted_proxies: Option<String>,
    pub(crate) ipv6_prefix_bits: u32,
    pub(crate) max_body_bytes: u32,
    pub(crate) proxy: Option<String>,
    pub(crate) max_downloads: u32,
    pub(crate) max_downloads_per_address: u32,
    pub(crate) allowed_hosts: Option<String>,
    pub(crate) allowed_origins: Option<String>,
    pub(crate) retry_min_ms: u32,
    pub(crate) retry_max_ms: u32,
    pub(crate) retry_tries: u32,
    pub(crate) session_ms: u32,
    pub(crate) session_bytes: u32,
    pub(crate) max_lost: u32,
    pub(crate) node: Option<String>,
    pub(crate) max_topics: u32,
    pub(crate) max_server_topics: u32,
    pub(crate) max_total_mib: u32,
    pub(crate) max_put_bytes: u32,
}

impl Config {
    /// A number of your choice that groups handles for `free_owner()`. 0: none.
    pub fn owner(mut self, value: u32) -> Config {
        self.owner = value;
        self
    }

    /// Maximum duration of one `poll()`, in microseconds (default: 1000).
    pub fn poll_budget_us(mut self, value: u32) -> Config {
        self.poll_budget_us = value;
        self
    }

    /// Client, join: time limit from `Client::connect()` or `Join::connect()` to OPEN, all phases together, in
    /// milliseconds (default: 10000). With `auth()` it ends when the join has its id.
    pub fn connect_timeout_ms(mut self, value: u32) -> Config {
        self.connect_timeout_ms = value;
        self
    }

    /// Server, and the server's end of `Pair::open()` or `Attached::open()`: time limit of a client's opening
    /// handshake, from its connection on, TLS included, in milliseconds (default: 3000).
    pub fn handshake_timeout_ms(mut self, value: u32) -> Config {
        self.handshake_timeout_ms = value;
        self
    }

    /// Time limit of a close without progress, in milliseconds; never `OFF` (default: 3000). Progress is that accepted
    /// messages and the close frame leave; then the peer has this time to answer.
    pub fn close_timeout_ms(mut self, value: u32) -> Config {
        self.close_timeout_ms = value;
        self
    }

    /// Interval of the pings to the peer, which also measure the round-trip time, in milliseconds (default: servers'
    /// clients 20000, clients `OFF`; RFC 6455 section 5.5.2).
    pub fn heartbeat_ms(mut self, value: u32) -> Config {
        self.heartbeat_ms = value;
        self
    }

    /// Time without any byte from the peer after which an unanswered ping ends the connection, in milliseconds; at
    /// least heartbeat_ms (default: 3 x heartbeat_ms). A ping may be answered for at least a second, or for
    /// heartbeat_ms if that is shorter.
    pub fn pong_timeout_ms(mut self, value: u32) -> Config {
        self.pong_timeout_ms = value;
        self
    }

    /// Maximum length of a message, received or sent, in bytes (default: 16777216).
    pub fn max_message_bytes(mut self, value: u32) -> Config {
        self.max_message_bytes = value;
        self
    }

    /// Maximum number of fragments of a received message (default: 131072; RFC 6455 section 5.4).
    pub fn max_fragments(mut self, value: u32) -> Config {
        self.max_fragments = value;
        self
    }

    /// Maximum length of the header of a request or response, in bytes (default: 16384).
    pub fn max_header_bytes(mut self, value: u32) -> Config {
        self.max_header_bytes = value;
        self
    }

    /// Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading pauses, and TCP
    /// slows down the peer.
    pub fn inbound_packets(mut self, value: u32) -> Config {
        self.inbound_packets = value;
        self
    }

    /// Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading pauses.
    pub fn inbound_bytes(mut self, value: u32) -> Config {
        self.inbound_bytes = value;
        self
    }

    /// Maximum number of queued outbound messages (default: 4096). At the limit sending fails with `ErrorCode::Full`.
    pub fn outbound_packets(mut self, value: u32) -> Config {
        self.outbound_packets = value;
        self
    }

    /// Maximum bytes of queued output (default: 4194304). At the limit sending fails with `ErrorCode::Full`. An empty
    /// queue accepts any message.
    pub fn outbound_bytes(mut self, value: u32) -> Config {
        self.outbound_bytes = value;
        self
    }

    /// Maximum number of messages that a peer may send in a second (default: `OFF`). A peer that sends more is closed
    /// with 1008, and its further messages are dropped.
    pub fn max_messages_per_s(mut self, value: u32) -> Config {
        self.max_messages_per_s = value;
        self
    }

    /// Maximum bytes of messages that a peer may send in a second (default: `OFF`). A peer that sends more is closed
    /// with 1008, and its further messages are dropped.
    pub fn max_bytes_per_s(mut self, value: u32) -> Config {
        self.max_bytes_per_s = value;
        self
    }

    /// Server: maximum number of connected clients (default: 4096). An ended client counts until its messages have
    /// been read. Further clients are refused with 503.
    pub fn max_clients(mut self, value: u32) -> Config {
        self.max_clients = value;
        self
    }

    /// Server: maximum number of clients from one IP address, counted as for max_clients (default: `OFF`, because all
    /// clients behind a proxy that is not in trusted_proxies share one). Further clients are refused with 503.
    pub fn max_clients_per_address(mut self, value: u32) -> Config {
        self.max_clients_per_address = value;
        self
    }

    /// Server: maximum number of opening handshakes in progress (default: 256). Further connections wait in the
    /// system's listen queue.
    pub fn max_pending_handshakes(mut self, value: u32) -> Config {
        self.max_pending_handshakes = value;
        self
    }

    /// Server, host: what a message to several targets does about a target whose outbound queue is full, OnFull
    /// (default: `OnFull::Skip`; for a host `OnFull::Disconnect`, because a game cannot do without a packet).
    pub fn on_full(mut self, value: OnFull) -> Config {
        self.on_full = value as u32;
        self
    }

    /// TCP_NODELAY: `OFF` leaves Nagle's algorithm on (default: small messages are sent at once).
    pub fn no_delay(mut self, value: bool) -> Config {
        self.no_delay = if value { 0 } else { OFF };
        self
    }

    /// With `deflate()`: compression level, 1 (fast) to 9 (small) (default: 1, because compression takes frame time).
    pub fn deflate_level(mut self, value: u32) -> Config {
        self.deflate_level = value;
        self
    }

    /// With `deflate()`: shorter messages are sent uncompressed; in bytes (default: 64). `OFF`: all are.
    pub fn deflate_threshold_bytes(mut self, value: u32) -> Config {
        self.deflate_threshold_bytes = value;
        self
    }

    /// With `deflate()`: window size of the server's compressor, as a power of two, 9 to 15 (default: 15; RFC 7692
    /// section 7.1.2.1).
    pub fn server_max_window_bits(mut self, value: u32) -> Config {
        self.server_max_window_bits = value;
        self
    }

    /// With `deflate()`: window size of the client's compressor, as a power of two, 9 to 15 (default: 15; RFC 7692
    /// section 7.1.2.2).
    pub fn client_max_window_bits(mut self, value: u32) -> Config {
        self.client_max_window_bits = value;
        self
    }

    /// Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the connection is
    /// closed with 1008. Sent messages stay within half of it.
    pub fn max_inflate_ratio(mut self, value: u32) -> Config {
        self.max_inflate_ratio = value;
        self
    }

    /// Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client: they are
    /// offered, and the server must choose one. Server: it chooses the first that the client offers and it knows; a
    /// client that offers none of them is refused with 400.
    pub fn subprotocols(mut self, value: impl Into<String>) -> Config {
        self.subprotocols = Some(value.into());
        self
    }

    /// Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a CA, or the
    /// server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common name, or it is
    /// of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log; if none can, the
    /// result is `ErrorCode::Tls`. The text may be indented, be in one line, or have its line ends written as \n.
    pub fn ca_pem(mut self, value: impl Into<String>) -> Config {
        self.ca_pem = Some(value.into());
        self
    }

    /// PEM of the certificate chain, own certificate first; read like ca_pem. A wss:// server needs it. A client sends
    /// it if the server asks for it.
    pub fn cert_pem(mut self, value: impl Into<String>) -> Config {
        self.cert_pem = Some(value.into());
        self
    }

    /// PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).
    pub fn key_pem(mut self, value: impl Into<String>) -> Config {
        self.key_pem = Some(value.into());
        self
    }

    /// Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's host.
    pub fn server_name(mut self, value: impl Into<String>) -> Config {
        self.server_name = Some(value.into());
        self
    }

    /// Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The certificate is
    /// trusted if, and only if, it has this value.
    pub fn pin_sha256(mut self, value: impl Into<String>) -> Config {
        self.pin_sha256 = Some(value.into());
        self
    }

    /// Initial value of `set_user()`.
    pub fn user(mut self, value: usize) -> Config {
        self.user = value;
        self
    }

    /// With `scene()`: maximum length of a remote call, arguments included, in bytes (default: 1048576). A peer that
    /// sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR. Sending one fails
    /// with `ErrorCode::TooBig`.
    pub fn max_call_bytes(mut self, value: u32) -> Config {
        self.max_call_bytes = value;
        self
    }

    /// With `scene()`: maximum number of items in the arguments of a remote call, as `Call::decode()` counts them
    /// (default: 65536). A call with more is treated like one over max_call_bytes.
    pub fn max_call_items(mut self, value: u32) -> Config {
        self.max_call_items = value;
        self
    }

    /// Server: the addresses of proxies and load balancers that report the client's address, as `forwarded()`,
    /// `x_forwarded_for()` or `proxy_protocol()` says: networks in CIDR notation, separated by commas, such as
    /// "127.0.0.1, ::1, 10.0.0.0/8". The client's address is the last one reported that is not itself trusted; the
    /// limits per address and `remote_address()` mean it. What others claim is ignored (default: none).
    pub fn trusted_proxies(mut self, value: impl Into<String>) -> Config {
        self.trusted_proxies = Some(value.into());
        self
    }

    /// Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one address for
    /// max_clients_per_address (default: 64, what a home or a phone has).
    pub fn ipv6_prefix_bits(mut self, value: u32) -> Config {
        self.ipv6_prefix_bits = value;
        self
    }

    /// Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536). A longer
    /// one is refused with 413.
    pub fn max_body_bytes(mut self, value: u32) -> Config {
        self.max_body_bytes = value;
        self
    }

    /// Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and
    /// "https://..." are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server,
    /// "socks5h://..." its name. "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment say,
    /// as curl reads them, and never for a loopback address. The trusted certificates for "https" are those for the
    /// server, and its certificate is checked whatever `insecure()`, `any_name()` and pin_sha256 say (default: NULL,
    /// none).
    pub fn proxy(mut self, value: impl Into<String>) -> Config {
        self.proxy = Some(value.into());
        self
    }

    /// Server: maximum number of files that `serve()` sends at a time, each with at most 256 KiB of it in memory
    /// (default: 128). Further requests are answered with 503.
    pub fn max_downloads(mut self, value: u32) -> Config {
        self.max_downloads = value;
        self
    }

    /// Server: maximum number of files that `serve()` sends to one address at a time (default: 32; a browser opens six
    /// connections). Further requests are answered with 503.
    pub fn max_downloads_per_address(mut self, value: u32) -> Config {
        self.max_downloads_per_address = value;
        self
    }

    /// Server: the hosts that requests may name in their header Host, separated by commas, such as `"game.example,
    /// *.game.example, 192.0.2.1:9080"`; without a port any port is allowed, and a request without one has that of the
    /// server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It keeps pages of others
    /// from reaching a server on the local network by a name of theirs (DNS rebinding) (default: any).
    pub fn allowed_hosts(mut self, value: impl Into<String>) -> Config {
        self.allowed_hosts = Some(value.into());
        self
    }

    /// Server: the origins (RFC 6454) whose pages may connect, separated by commas, such as `https://game.example,
    /// http://localhost:8000`; `"*."` before a host stands for all names below it, "null" for a page without an
    /// origin. Others are refused with 403. Programs that are no browsers send no Origin, and are not concerned
    /// (default: any).
    pub fn allowed_origins(mut self, value: impl Into<String>) -> Config {
        self.allowed_origins = Some(value.into());
        self
    }

    /// With `reconnect()` or session_ms: upper bound of the wait before the first try, in milliseconds (default:
    /// 1000). A wait is drawn evenly between 0 and its bound, which doubles with each try until it is retry_max_ms.
    pub fn retry_min_ms(mut self, value: u32) -> Config {
        self.retry_min_ms = value;
        self
    }

    /// With `reconnect()` or session_ms: upper bound of every wait, in milliseconds (default: 30000).
    pub fn retry_max_ms(mut self, value: u32) -> Config {
        self.retry_max_ms = value;
        self
    }

    /// With `reconnect()` or session_ms: number of failed tries in a row after which the connection ends with CLOSED
    /// (default: 20, which takes some four minutes); `OFF`: unlimited.
    pub fn retry_tries(mut self, value: u32) -> Config {
        self.retry_tries = value;
        self
    }

    /// Keep a session for so long after its link was lost, in milliseconds: the client opens another one (as with
    /// `reconnect()`), and no message is lost, doubled or reordered (docs/sessions.md). Set it at both ends; the
    /// shorter time counts. Without it at the server, ERROR with `Cause::Session` is reported, and the connection goes
    /// on without (default: 0, no sessions).
    pub fn session_ms(mut self, value: u32) -> Config {
        self.session_ms = value;
        self
    }

    /// With session_ms: limit of the messages that were accepted and that the peer has not acknowledged, in bytes,
    /// with 64 for each message (default: 1048576). When nothing is unacknowledged, a message of any size fits. `OFF`:
    /// no limit.
    pub fn session_bytes(mut self, value: u32) -> Config {
        self.session_bytes = value;
        self
    }

    /// Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter of
    /// max_clients). Beyond it the session that was lost first ends.
    pub fn max_lost(mut self, value: u32) -> Config {
        self.max_lost = value;
        self
    }

    /// Server with session_ms or `app_heartbeat()`: its public name, which a client that comes back has in its query
    /// as "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII letters, digits, '.', '_' and
    /// '-' (default: NULL, a random name).
    pub fn node(mut self, value: impl Into<String>) -> Config {
        self.node = Some(value.into());
        self
    }

    /// Server: maximum number of topics of a client (default: 256).
    pub fn max_topics(mut self, value: u32) -> Config {
        self.max_topics = value;
        self
    }

    /// Server: maximum number of topics that have subscribers (default: 65536).
    pub fn max_server_topics(mut self, value: u32) -> Config {
        self.max_server_topics = value;
        self
    }

    /// Server: memory that all clients together may make it hold, in MiB (default: 512): what was received and not
    /// taken, incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression contexts,
    /// handshakes. A message to several clients counts once.
    pub fn max_total_mib(mut self, value: u32) -> Config {
        self.max_total_mib = value;
        self
    }

    /// Maximum length of a message that is sent, framing of the multiplayer format included, in bytes. Default: for
    /// hosts and joins 65535, because a player with Godot's own classes and default settings leaves when a longer one
    /// comes; for others, `Host::join_local()` included, `OFF`: only max_message_bytes counts. A host's message is not
    /// limited by it if only players of `Host::join_local()` are among its targets; nodes of `spawn()` are.
    pub fn max_put_bytes(mut self, value: u32) -> Config {
        self.max_put_bytes = value;
        self
    }

    /// Sent messages wait for `flush()`, the next `poll()` or 128 KiB, so that the messages of a frame leave in one
    /// write.
    pub fn coalesce(self, on: bool) -> Config {
        self.flag(c::WS_COALESCE, on)
    }

    /// Messages are accepted while CONNECTING, and leave after the opening handshake. Not for a join with `scene()` or
    /// `godot3()`.
    pub fn queue_before_open(self, on: bool) -> Config {
        self.flag(c::WS_QUEUE_BEFORE_OPEN, on)
    }

    /// Client: accept any certificate whose key has a supported type: P-256, P-384, Ed25519, or RSA of at least 2048
    /// bits. For development only; the log has a warning.
    pub fn insecure(self, on: bool) -> Config {
        self.flag(c::WS_INSECURE, on)
    }

    /// Client: trust only ca_pem, neither the bundled roots nor those of the system.
    pub fn only_ca_pem(self, on: bool) -> Config {
        self.flag(c::WS_ONLY_CA_PEM, on)
    }

    /// Server: refuse new clients with 503 until `Opt::RefuseNew` is set to 0.
    pub fn refuse_new(self, on: bool) -> Config {
        self.flag(c::WS_REFUSE_NEW, on)
    }

    /// Use permessage-deflate (RFC 7692): a client offers it, and a server accepts it from clients that offer it.
    pub fn deflate(self, on: bool) -> Config {
        self.flag(c::WS_DEFLATE, on)
    }

    /// With `deflate()`: the server compresses each message by itself (server_no_context_takeover, RFC 7692 section
    /// 7.1.1.1). This saves memory, and a broadcast is compressed only once.
    pub fn server_no_context_takeover(self, on: bool) -> Config {
        self.flag(c::WS_SERVER_NO_CONTEXT_TAKEOVER, on)
    }

    /// With `deflate()`: the client compresses each message by itself (client_no_context_takeover, RFC 7692 section
    /// 7.1.1.2).
    pub fn client_no_context_takeover(self, on: bool) -> Config {
        self.flag(c::WS_CLIENT_NO_CONTEXT_TAKEOVER, on)
    }

    /// `Host::listen()` and `Join::connect()`: use the format of Godot 3.2 to 3.6 with gd_mp_api, not Godot 4's. The
    /// host relays messages between clients.
    pub fn godot3(self, on: bool) -> Config {
        self.flag(c::WS_GODOT3, on)
    }

    /// Client: accept a trusted certificate that was issued for another name. For development only.
    pub fn any_name(self, on: bool) -> Config {
        self.flag(c::WS_ANY_NAME, on)
    }

    /// `Host::listen()` and `Join::connect()`: speak the protocol of Godot 4's SceneMultiplayer. Peers learn of each
    /// other and reach each other through the host, send raw bytes, and make remote calls.
    pub fn scene(self, on: bool) -> Config {
        self.flag(c::WS_SCENE, on)
    }

    /// With `scene()`: peers are admitted only after an authentication, like Godot's auth_callback. AUTHENTICATING
    /// reports a new peer; see `complete_auth()`.
    pub fn auth(self, on: bool) -> Config {
        self.flag(c::WS_AUTH, on)
    }

    /// With `scene()`: clients do not learn of each other, and the host relays nothing, like Godot's server_relay
    /// switched off. Set it on all sides or on none.
    pub fn no_relay(self, on: bool) -> Config {
        self.flag(c::WS_NO_RELAY, on)
    }

    /// Client and server: send the client's heartbeat as messages that the programs do not see, so that rtt_us and
    /// pong_timeout_ms also work in a browser, which has no pings. heartbeat_ms then defaults to 20000 on a client
    /// too. If the server does not offer it, ERROR with `Cause::NoHeartbeat` is reported. docs/control-channel.md has
    /// the bytes.
    pub fn app_heartbeat(self, on: bool) -> Config {
        self.flag(c::WS_APP_HEARTBEAT, on)
    }

    /// Server, host: the program decides on each request that is valid and within the limits, and plain HTTP requests
    /// are accepted too: GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. REQUEST reports them; unless `accept()` or
    /// `reply()` answers one within handshake_timeout_ms, the client gets 503.
    pub fn ask(self, on: bool) -> Config {
        self.flag(c::WS_ASK, on)
    }

    /// Server: requests of trusted_proxies report the address of the client by the header Forwarded (RFC 7239), and by
    /// no other. A request whose header is malformed is refused with 400. Not with `x_forwarded_for()`, because a
    /// proxy passes on a header that it does not set, as the client wrote it.
    pub fn forwarded(self, on: bool) -> Config {
        self.flag(c::WS_FORWARDED, on)
    }

    /// Server: requests of trusted_proxies report the address of the client by the header X-Forwarded-For, and by no
    /// other.
    pub fn x_forwarded_for(self, on: bool) -> Config {
        self.flag(c::WS_X_FORWARDED_FOR, on)
    }

    /// Server: connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, before TLS;
    /// one that does not is closed. With `forwarded()` or `x_forwarded_for()` too, that header is read if the address
    /// in the PROXY header is itself one of trusted_proxies.
    pub fn proxy_protocol(self, on: bool) -> Config {
        self.flag(c::WS_PROXY_PROTOCOL, on)
    }

    /// Server: report clients that fail before CONNECTED by the event REFUSED; see `Opt::ReportRefused`.
    pub fn report_refused(self, on: bool) -> Config {
        self.flag(c::WS_REPORT_REFUSED, on)
    }

    /// Client, join: when the link is lost (LOST) or does not open (ERROR), try again, with growing waits, until it is
    /// open, until retry_tries tries in a row have failed, or until `close()`. docs/reconnecting.md says what is tried
    /// again, and when.
    pub fn reconnect(self, on: bool) -> Config {
        self.flag(c::WS_RECONNECT, on)
    }

    /// Server, host: several servers may listen on one port (SO_REUSEPORT), and the system gives each new connection
    /// to one of them: one server for each core, each polled by its own thread. All of them need this flag and the
    /// same user. On Linux connections are spread; other systems may give all to one. `ErrorCode::Unsupported` on
    /// Windows. docs/scale.md has an example.
    pub fn share_port(self, on: bool) -> Config {
        self.flag(c::WS_SHARE_PORT, on)
    }

    /// With `scene()`: packets of Godot's MultiplayerSpawner and MultiplayerSynchronizer are messages of type
    /// `MessageKind::Replication`, as they are on the wire. Not with `declare_scene()` and `declare_synchronizer()`,
    /// which read them.
    pub fn raw_replication(self, on: bool) -> Config {
        self.flag(c::WS_RAW_REPLICATION, on)
    }

    /// Writes all fields but the headers. The pointers are those of `texts`.
    pub(crate) fn write(&self, raw: &mut ws_config, texts: &mut Texts) -> Result<(), Error> {
        raw.flags = self.flags;
        raw.owner = self.owner;
        raw.poll_budget_us = self.poll_budget_us;
        raw.connect_timeout_ms = self.connect_timeout_ms;
        raw.handshake_timeout_ms = self.handshake_timeout_ms;
        raw.close_timeout_ms = self.close_timeout_ms;
        raw.heartbeat_ms = self.heartbeat_ms;
        raw.pong_timeout_ms = self.pong_timeout_ms;
        raw.max_message_bytes = self.max_message_bytes;
        raw.max_fragments = self.max_fragments;
        raw.max_header_bytes = self.max_header_bytes;
        raw.inbound_packets = self.inbound_packets;
        raw.inbound_bytes = self.inbound_bytes;
        raw.outbound_packets = self.outbound_packets;
        raw.outbound_bytes = self.outbound_bytes;
        raw.max_messages_per_s = self.max_messages_per_s;
        raw.max_bytes_per_s = self.max_bytes_per_s;
        raw.max_clients = self.max_clients;
        raw.max_clients_per_address = self.max_clients_per_address;
        raw.max_pending_handshakes = self.max_pending_handshakes;
        raw.on_full = self.on_full;
        raw.no_delay = self.no_delay;
        raw.deflate_level = self.deflate_level;
        raw.deflate_threshold_bytes = self.deflate_threshold_bytes;
        raw.server_max_window_bits = self.server_max_window_bits;
        raw.client_max_window_bits = self.client_max_window_bits;
        raw.max_inflate_ratio = self.max_inflate_ratio;
        raw.subprotocols = texts.add("subprotocols", self.subprotocols.as_deref())?;
        raw.ca_pem = texts.add("ca_pem", self.ca_pem.as_deref())?;
        raw.cert_pem = texts.add("cert_pem", self.cert_pem.as_deref())?;
        raw.key_pem = texts.add("key_pem", self.key_pem.as_deref())?;
        raw.server_name = texts.add("server_name", self.server_name.as_deref())?;
        raw.pin_sha256 = texts.add("pin_sha256", self.pin_sha256.as_deref())?;
        raw.user = std::ptr::without_provenance_mut(self.user);
        raw.max_call_bytes = self.max_call_bytes;
        raw.max_call_items = self.max_call_items;
        raw.trusted_proxies = texts.add("trusted_proxies", self.trusted_proxies.as_deref())?;
        raw.ipv6_prefix_bits = self.ipv6_prefix_bits;
        raw.max_body_bytes = self.max_body_bytes;
        raw.proxy = texts.add("proxy", self.proxy.as_deref())?;
        raw.max_downloads = self.max_downloads;
        raw.max_downloads_per_address = self.max_downloads_per_address;
        raw.allowed_hosts = texts.add("allowed_hosts", self.allowed_hosts.as_deref())?;
        raw.allowed_origins = texts.add("allowed_origins", self.allowed_origins.as_deref())?;
        raw.retry_min_ms = self.retry_min_ms;
        raw.retry_max_ms = self.retry_max_ms;
        raw.retry_tries = self.retry_tries;
        raw.session_ms = self.session_ms;
        raw.session_bytes = self.session_bytes;
        raw.max_lost = self.max_lost;
        raw.node = texts.add("node", self.node.as_deref())?;
        raw.max_topics = self.max_topics;
        raw.max_server_topics = self.max_server_topics;
        raw.max_total_mib = self.max_total_mib;
        raw.max_put_bytes = self.max_put_bytes;
        Ok(())
    }
}
