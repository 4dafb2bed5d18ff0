// Generated from include/wspeer.h by `make generate`: do not edit.
using System;

namespace Wspeer
{
    /// <summary>How to open a connection or a server. Every field that stays 0 or null has its default. The call that
    /// opens copies everything.</summary>
    [Serializable]
    public sealed class WebSocketConfig
    {
        /// <summary>As a limit or a time, in WebSocketConfig and SetOption(): unlimited, or switched off.</summary>
        public const uint Off = 0xFFFFFFFFu;

        /// <summary>A number of your choice that groups handles for WebSocketLibrary.FreeOwner(). 0: its
        /// Owner.</summary>
        [NonSerialized] public uint Owner;
        /// <summary>Combined by |: WebSocketFlags.Coalesce | WebSocketFlags.QueueBeforeOpen | WebSocketFlags.Insecure |
        /// WebSocketFlags.OnlyCaPem | WebSocketFlags.RefuseNew | WebSocketFlags.Deflate |
        /// WebSocketFlags.ServerNoContextTakeover | WebSocketFlags.ClientNoContextTakeover | WebSocketFlags.Godot3 |
        /// WebSocketFlags.AnyName | WebSocketFlags.Scene | WebSocketFlags.Auth | WebSocketFlags.NoRelay |
        /// WebSocketFlags.AppHeartbeat | WebSocketFlags.Ask | WebSocketFlags.Forwarded | WebSocketFlags.XForwardedFor |
        /// WebSocketFlags.ProxyProtocol | WebSocketFlags.ReportRefused | WebSocketFlags.Reconnect |
        /// WebSocketFlags.SharePort | WebSocketFlags.RawReplication.</summary>
        public WebSocketFlags Flags;
        /// <summary>Maximum duration of one Poll(), in microseconds (default: 1000).</summary>
        public uint PollBudgetUs;
        /// <summary>Client, join: time limit from WebSocketPeer.Connect() or WebSocketMultiplayerPeer.Join() to OPEN,
        /// all phases together, in milliseconds (default: 10000). With WebSocketFlags.Auth it ends when the join has
        /// its id.</summary>
        public uint ConnectTimeoutMs;
        /// <summary>Server, and the server's end of WebSocketPeer.Pair() or WebSocketPeer.Attach(): time limit of a
        /// client's opening handshake, from its connection on, TLS included, in milliseconds (default: 3000).</summary>
        public uint HandshakeTimeoutMs;
        /// <summary>Time limit of a close without progress, in milliseconds; never WebSocketConfig.Off (default: 3000).
        /// Progress is that accepted messages and the close frame leave; then the peer has this time to
        /// answer.</summary>
        public uint CloseTimeoutMs;
        /// <summary>Interval of the pings to the peer, which also measure the round-trip time, in milliseconds
        /// (default: servers' clients 20000, clients WebSocketConfig.Off; RFC 6455 section 5.5.2).</summary>
        public uint HeartbeatMs;
        /// <summary>Time without any byte from the peer after which an unanswered ping ends the connection, in
        /// milliseconds; at least HeartbeatMs (default: 3 x HeartbeatMs). A ping may be answered for at least a second,
        /// or for HeartbeatMs if that is shorter.</summary>
        public uint PongTimeoutMs;
        /// <summary>Maximum length of a message, received or sent, in bytes (default: 16777216).</summary>
        public uint MaxMessageBytes;
        /// <summary>Maximum number of fragments of a received message (default: 131072; RFC 6455 section
        /// 5.4).</summary>
        public uint MaxFragments;
        /// <summary>Maximum length of the header of a request or response, in bytes (default: 16384).</summary>
        public uint MaxHeaderBytes;
        /// <summary>Maximum number of queued inbound messages and AUTH events (default: 4096). At the limit reading
        /// pauses, and TCP slows down the peer.</summary>
        public uint InboundPackets;
        /// <summary>Maximum bytes of queued inbound messages and AUTH events (default: 4194304). At the limit reading
        /// pauses.</summary>
        public uint InboundBytes;
        /// <summary>Maximum number of queued outbound messages (default: 4096). At the limit sending fails with
        /// WebSocketResult.ErrFull.</summary>
        public uint OutboundPackets;
        /// <summary>Maximum bytes of queued output (default: 4194304). At the limit sending fails with
        /// WebSocketResult.ErrFull. An empty queue accepts any message.</summary>
        public uint OutboundBytes;
        /// <summary>Maximum number of messages that a peer may send in a second (default: WebSocketConfig.Off). A peer
        /// that sends more is closed with 1008, and its further messages are dropped.</summary>
        public uint MaxMessagesPerS;
        /// <summary>Maximum bytes of messages that a peer may send in a second (default: WebSocketConfig.Off). A peer
        /// that sends more is closed with 1008, and its further messages are dropped.</summary>
        public uint MaxBytesPerS;
        /// <summary>Server: maximum number of connected clients (default: 4096). An ended client counts until its
        /// messages have been read. Further clients are refused with 503.</summary>
        public uint MaxClients;
        /// <summary>Server: maximum number of clients from one IP address, counted as for MaxClients (default:
        /// WebSocketConfig.Off, because all clients behind a proxy that is not in TrustedProxies share one). Further
        /// clients are refused with 503.</summary>
        public uint MaxClientsPerAddress;
        /// <summary>Server: maximum number of opening handshakes in progress (default: 256). Further connections wait
        /// in the system's listen queue.</summary>
        public uint MaxPendingHandshakes;
        /// <summary>Server, host: what a message to several targets does about a target whose outbound queue is full,
        /// WS_FULL_* (default: WebSocketFullPolicy.Skip; for a host WebSocketFullPolicy.Disconnect, because a game
        /// cannot do without a packet).</summary>
        public WebSocketFullPolicy OnFull;
        /// <summary>TCP_NODELAY: WebSocketConfig.Off leaves Nagle's algorithm on (default: small messages are sent at
        /// once).</summary>
        public uint NoDelay;
        /// <summary>With WebSocketFlags.Deflate: compression level, 1 (fast) to 9 (small) (default: 1, because
        /// compression takes frame time).</summary>
        public uint DeflateLevel;
        /// <summary>With WebSocketFlags.Deflate: shorter messages are sent uncompressed; in bytes (default: 64).
        /// WebSocketConfig.Off: all are.</summary>
        public uint DeflateThresholdBytes;
        /// <summary>With WebSocketFlags.Deflate: window size of the server's compressor, as a power of two, 9 to 15
        /// (default: 15; RFC 7692 section 7.1.2.1).</summary>
        public uint ServerMaxWindowBits;
        /// <summary>With WebSocketFlags.Deflate: window size of the client's compressor, as a power of two, 9 to 15
        /// (default: 15; RFC 7692 section 7.1.2.2).</summary>
        public uint ClientMaxWindowBits;
        /// <summary>Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the
        /// connection is closed with 1008. Sent messages stay within half of it.</summary>
        public uint MaxInflateRatio;
        /// <summary>Extra headers of the request (client) or of the response (server), each "Name: value".</summary>
        public string[] Headers;
        /// <summary>Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client:
        /// they are offered, and the server must choose one. Server: it chooses the first that the client offers and it
        /// knows; a client that offers none of them is refused with 400.</summary>
        public string Subprotocols;
        /// <summary>Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a
        /// CA, or the server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common
        /// name, or it is of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log;
        /// if none can, the result is WebSocketResult.ErrTls. The text may be indented, be in one line, or have its
        /// line ends written as \n.</summary>
        public string CaPem;
        /// <summary>PEM of the certificate chain, own certificate first; read like CaPem. A wss:// server needs it. A
        /// client sends it if the server asks for it.</summary>
        public string CertPem;
        /// <summary>PEM of the private key of CertPem (PKCS #8, PKCS #1 or SEC1).</summary>
        public string KeyPem;
        /// <summary>Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's
        /// host.</summary>
        public string ServerName;
        /// <summary>Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The
        /// certificate is trusted if, and only if, it has this value.</summary>
        public string PinSha256;
        /// <summary>Initial value of SetUser().</summary>
        [NonSerialized] public IntPtr User;
        /// <summary>With WebSocketFlags.Scene: maximum length of a remote call, arguments included, in bytes (default:
        /// 1048576). A peer that sends a longer one is closed with 1002; a join drops a relayed one, and reports it by
        /// ERROR. Sending one fails with WebSocketResult.ErrTooBig.</summary>
        public uint MaxCallBytes;
        /// <summary>With WebSocketFlags.Scene: maximum number of items in the arguments of a remote call, as
        /// WebSocketCall.Decode() counts them (default: 65536). A call with more is treated like one over
        /// MaxCallBytes.</summary>
        public uint MaxCallItems;
        /// <summary>Server: the addresses of proxies and load balancers that report the client's address, as
        /// WebSocketFlags.Forwarded, WebSocketFlags.XForwardedFor or WebSocketFlags.ProxyProtocol says: networks in
        /// CIDR notation, separated by commas, such as "127.0.0.1, ::1, 10.0.0.0/8". The client's address is the last
        /// one reported that is not itself trusted; the limits per address and WebSocketText.RemoteAddress mean it.
        /// What others claim is ignored (default: none).</summary>
        public string TrustedProxies;
        /// <summary>Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one
        /// address for MaxClientsPerAddress (default: 64, what a home or a phone has).</summary>
        public uint Ipv6PrefixBits;
        /// <summary>Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536).
        /// A longer one is refused with 413.</summary>
        public uint MaxBodyBytes;
        /// <summary>Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and
        /// "https://..." are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server,
        /// "socks5h://..." its name. "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment
        /// say, as curl reads them, and never for a loopback address. The trusted certificates for "https" are those
        /// for the server, and its certificate is checked whatever WebSocketFlags.Insecure, WebSocketFlags.AnyName and
        /// PinSha256 say (default: NULL, none).</summary>
        public string Proxy;
        /// <summary>Server: maximum number of files that WebSocketServer.Serve() sends at a time, each with at most 256
        /// KiB of it in memory (default: 128). Further requests are answered with 503.</summary>
        public uint MaxDownloads;
        /// <summary>Server: maximum number of files that WebSocketServer.Serve() sends to one address at a time
        /// (default: 32; a browser opens six connections). Further requests are answered with 503.</summary>
        public uint MaxDownloadsPerAddress;
        /// <summary>Server: the hosts that requests may name in their header Host, separated by commas, such as
        /// "game.example, *.game.example, 192.0.2.1:9080"; without a port any port is allowed, and a request without
        /// one has that of the server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It
        /// keeps pages of others from reaching a server on the local network by a name of theirs (DNS rebinding)
        /// (default: any).</summary>
        public string AllowedHosts;
        /// <summary>Server: the origins (RFC 6454) whose pages may connect, separated by commas, such as
        /// `https://game.example, http://localhost:8000`; "*." before a host stands for all names below it, "null" for
        /// a page without an origin. Others are refused with 403. Programs that are no browsers send no Origin, and are
        /// not concerned (default: any).</summary>
        public string AllowedOrigins;
        /// <summary>With WebSocketFlags.Reconnect or SessionMs: upper bound of the wait before the first try, in
        /// milliseconds (default: 1000). A wait is drawn evenly between 0 and its bound, which doubles with each try
        /// until it is RetryMaxMs.</summary>
        public uint RetryMinMs;
        /// <summary>With WebSocketFlags.Reconnect or SessionMs: upper bound of every wait, in milliseconds (default:
        /// 30000).</summary>
        public uint RetryMaxMs;
        /// <summary>With WebSocketFlags.Reconnect or SessionMs: number of failed tries in a row after which the
        /// connection ends with CLOSED (default: 20, which takes some four minutes); WebSocketConfig.Off:
        /// unlimited.</summary>
        public uint RetryTries;
        /// <summary>Keep a session for so long after its link was lost, in milliseconds: the client opens another one
        /// (as with WebSocketFlags.Reconnect), and no message is lost, doubled or reordered (docs/sessions.md). Set it
        /// at both ends; the shorter time counts. Without it at the server, ERROR with WebSocketCause.Session is
        /// reported, and the connection goes on without (default: 0, no sessions).</summary>
        public uint SessionMs;
        /// <summary>With SessionMs: limit of the messages that were accepted and that the peer has not acknowledged, in
        /// bytes, with 64 for each message (default: 1048576). When nothing is unacknowledged, a message of any size
        /// fits. WebSocketConfig.Off: no limit.</summary>
        public uint SessionBytes;
        /// <summary>Server with SessionMs: maximum number of clients that have lost their link (default: 0, a quarter
        /// of MaxClients). Beyond it the session that was lost first ends.</summary>
        public uint MaxLost;
        /// <summary>Server with SessionMs or WebSocketFlags.AppHeartbeat: its public name, which a client that comes
        /// back has in its query as "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII
        /// letters, digits, '.', '_' and '-' (default: NULL, a random name).</summary>
        public string Node;
        /// <summary>Server: maximum number of topics of a client (default: 256).</summary>
        public uint MaxTopics;
        /// <summary>Server: maximum number of topics that have subscribers (default: 65536).</summary>
        public uint MaxServerTopics;
        /// <summary>Server: memory that all clients together may make it hold, in MiB (default: 512): what was received
        /// and not taken, incomplete messages, what is to be sent, what is not acknowledged (SessionMs), compression
        /// contexts, handshakes. A message to several clients counts once.</summary>
        public uint MaxTotalMib;
        /// <summary>Maximum length of a message that is sent, framing of the multiplayer format included, in bytes.
        /// Default: for hosts and joins 65535, because a player with Godot's own classes and default settings leaves
        /// when a longer one comes; for others, WebSocketMultiplayerPeer.JoinLocal() included, WebSocketConfig.Off:
        /// only MaxMessageBytes counts. A host's message is not limited by it if only players of
        /// WebSocketMultiplayerPeer.JoinLocal() are among its targets; nodes of Spawn() are.</summary>
        public uint MaxPutBytes;

        internal unsafe void Write(NativeConfig* to, NativeTexts texts)
        {
            to->Owner = Owner == 0 ? WebSocketLibrary.Owner : Owner;
            to->Flags = (uint)Flags;
            to->PollBudgetUs = PollBudgetUs;
            to->ConnectTimeoutMs = ConnectTimeoutMs;
            to->HandshakeTimeoutMs = HandshakeTimeoutMs;
            to->CloseTimeoutMs = CloseTimeoutMs;
            to->HeartbeatMs = HeartbeatMs;
            to->PongTimeoutMs = PongTimeoutMs;
            to->MaxMessageBytes = MaxMessageBytes;
            to->MaxFragments = MaxFragments;
            to->MaxHeaderBytes = MaxHeaderBytes;
            to->InboundPackets = InboundPackets;
            to->InboundBytes = InboundBytes;
            to->OutboundPackets = OutboundPackets;
            to->OutboundBytes = OutboundBytes;
            to->MaxMessagesPerS = MaxMessagesPerS;
            to->MaxBytesPerS = MaxBytesPerS;
            to->MaxClients = MaxClients;
            to->MaxClientsPerAddress = MaxClientsPerAddress;
            to->MaxPendingHandshakes = MaxPendingHandshakes;
            to->OnFull = (uint)OnFull;
            to->NoDelay = NoDelay;
            to->DeflateLevel = DeflateLevel;
            to->DeflateThresholdBytes = DeflateThresholdBytes;
            to->ServerMaxWindowBits = ServerMaxWindowBits;
            to->ClientMaxWindowBits = ClientMaxWindowBits;
            to->MaxInflateRatio = MaxInflateRatio;
            to->Headers = texts.List(Headers, nameof(Headers));
            to->HeadersCount = Headers == null ? 0 : (uint)Headers.Length;
            to->Subprotocols = texts.Text(Subprotocols, nameof(Subprotocols));
            to->CaPem = texts.Text(CaPem, nameof(CaPem));
            to->CertPem = texts.Text(CertPem, nameof(CertPem));
            to->KeyPem = texts.Text(KeyPem, nameof(KeyPem));
            to->ServerName = texts.Text(ServerName, nameof(ServerName));
            to->PinSha256 = texts.Text(PinSha256, nameof(PinSha256));
            to->User = User;
            to->MaxCallBytes = MaxCallBytes;
            to->MaxCallItems = MaxCallItems;
            to->TrustedProxies = texts.Text(TrustedProxies, nameof(TrustedProxies));
            to->Ipv6PrefixBits = Ipv6PrefixBits;
            to->MaxBodyBytes = MaxBodyBytes;
            to->Proxy = texts.Text(Proxy, nameof(Proxy));
            to->MaxDownloads = MaxDownloads;
            to->MaxDownloadsPerAddress = MaxDownloadsPerAddress;
            to->AllowedHosts = texts.Text(AllowedHosts, nameof(AllowedHosts));
            to->AllowedOrigins = texts.Text(AllowedOrigins, nameof(AllowedOrigins));
            to->RetryMinMs = RetryMinMs;
            to->RetryMaxMs = RetryMaxMs;
            to->RetryTries = RetryTries;
            to->SessionMs = SessionMs;
            to->SessionBytes = SessionBytes;
            to->MaxLost = MaxLost;
            to->Node = texts.Text(Node, nameof(Node));
            to->MaxTopics = MaxTopics;
            to->MaxServerTopics = MaxServerTopics;
            to->MaxTotalMib = MaxTotalMib;
            to->MaxPutBytes = MaxPutBytes;
        }
    }
}
