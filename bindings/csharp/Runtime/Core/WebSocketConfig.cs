// Generated from include/wspeer.h by `make generate`: do not edit.
using System;

namespace Wspeer
{
    /// <summary>How to open a connection or a server. Every field that stays 0 or null means its default; everything is copied during the call.</summary>
    [Serializable]
    public sealed class WebSocketConfig
    {
        /// <summary>In a limit or a time of ws_config and ws_set_option(): switched off, or unlimited.</summary>
        public const uint Off = 0xFFFFFFFFu;

        /// <summary>A number of your choice for WebSocketLibrary.FreeOwner(); 0: WebSocketLibrary.Owner.</summary>
        [NonSerialized] public uint Owner;
        /// <summary>WebSocketFlags.Coalesce | WebSocketFlags.QueueBeforeOpen | WebSocketFlags.Insecure | WebSocketFlags.OnlyCaPem | WebSocketFlags.RefuseNew | WebSocketFlags.Deflate | WebSocketFlags.ServerNoContextTakeover |
        /// WebSocketFlags.ClientNoContextTakeover | WebSocketFlags.Godot3 | WebSocketFlags.AnyName | WebSocketFlags.Scene | WebSocketFlags.Auth | WebSocketFlags.NoRelay | WebSocketFlags.AppHeartbeat.</summary>
        public WebSocketFlags Flags;
        /// <summary>How long one ws_poll() may work, in microseconds (default: 1000).</summary>
        public uint PollBudgetUs;
        /// <summary>Client, join: from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds (default: 10000).</summary>
        public uint ConnectTimeoutMs;
        /// <summary>Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000).</summary>
        public uint HandshakeTimeoutMs;
        /// <summary>How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in milliseconds; never WebSocketConfig.Off (default: 3000).</summary>
        public uint CloseTimeoutMs;
        /// <summary>How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers' clients 20000, clients WebSocketConfig.Off).</summary>
        public uint HeartbeatMs;
        /// <summary>Time without any byte from the peer after which it counts as dead, once pinged, in milliseconds; at least heartbeat_ms (default: 3 x heartbeat_ms).
        /// A ping has at least a second to be answered, or heartbeat_ms if that is less.</summary>
        public uint PongTimeoutMs;
        /// <summary>The longest message taken from the peer and from the host, in bytes (default: 16777216).</summary>
        public uint MaxMessageBytes;
        /// <summary>The most fragments of one received message (default: 131072).</summary>
        public uint MaxFragments;
        /// <summary>The longest request or response header, in bytes (default: 16384).</summary>
        public uint MaxHeaderBytes;
        /// <summary>Messages and AUTH events that may wait for the host; at more, reading stops and TCP slows the peer (default: 4096).</summary>
        public uint InboundPackets;
        /// <summary>Bytes of messages and of AUTH events that may wait for the host (default: 4194304).</summary>
        public uint InboundBytes;
        /// <summary>Messages that may wait to be sent (default: 4096).</summary>
        public uint OutboundPackets;
        /// <summary>Bytes that may wait to be sent (default: 4194304).</summary>
        public uint OutboundBytes;
        /// <summary>Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: WebSocketConfig.Off).</summary>
        public uint MaxMessagesPerS;
        /// <summary>Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped (default: WebSocketConfig.Off).</summary>
        public uint MaxBytesPerS;
        /// <summary>Server: clients that may be connected; one that has ended counts until its messages were read; more are answered with 503 (default: 4096).</summary>
        public uint MaxClients;
        /// <summary>Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: WebSocketConfig.Off, as behind a proxy all clients share one).</summary>
        public uint MaxClientsPerAddress;
        /// <summary>Server: opening handshakes under way at a time; more wait in the system's queue (default: 256).</summary>
        public uint MaxPendingHandshakes;
        /// <summary>Server, host: WS_FULL_* (default: WebSocketFullPolicy.Skip; of a host WebSocketFullPolicy.Disconnect, as a game cannot do without a packet).</summary>
        public WebSocketFullPolicy OnFull;
        /// <summary>TCP_NODELAY: WebSocketConfig.Off leaves Nagle's algorithm on (default: small messages leave at once).</summary>
        public uint NoDelay;
        /// <summary>With WebSocketFlags.Deflate: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time).</summary>
        public uint DeflateLevel;
        /// <summary>With WebSocketFlags.Deflate: shorter messages are not compressed, in bytes; WebSocketConfig.Off: none is (default: 64).</summary>
        public uint DeflateThresholdBytes;
        /// <summary>With WebSocketFlags.Deflate: window of the server's compressor as a power of two, 9 to 15 (default: 15).</summary>
        public uint ServerMaxWindowBits;
        /// <summary>With WebSocketFlags.Deflate: window of the client's compressor as a power of two, 9 to 15 (default: 15).</summary>
        public uint ClientMaxWindowBits;
        /// <summary>The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is closed with 1008 (default: 256).
        /// What is sent keeps to half of it.</summary>
        public uint MaxInflateRatio;
        /// <summary>Extra headers of the request (client) or of the answer (server), each "Name: value".</summary>
        public string[] Headers;
        /// <summary>Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server: chooses the client's first that it knows;
        /// a client that offers none of them is refused with 400.</summary>
        public string Subprotocols;
        /// <summary>Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself, even if a CA signed it, it is marked
        /// CA:TRUE, it names its host only in the common name, or it is of X.509 version 1. What cannot be used is left out with a warning in the log;
        /// WebSocketResult.ErrTls if all is. The text may be indented, in one line, or have its line ends written out as \n.</summary>
        public string CaPem;
        /// <summary>PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client sends it when asked.</summary>
        public string CertPem;
        /// <summary>PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).</summary>
        public string KeyPem;
        /// <summary>Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host.</summary>
        public string ServerName;
        /// <summary>Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by this alone.</summary>
        public string PinSha256;
        /// <summary>The first value of ws_set_user().</summary>
        [NonSerialized] public IntPtr User;
        /// <summary>With WebSocketFlags.Scene: the longest remote call, its arguments included, in bytes (default: 1048576).
        /// Who sends a longer one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is WebSocketResult.ErrTooBig.</summary>
        public uint MaxCallBytes;
        /// <summary>With WebSocketFlags.Scene: the most items that the arguments of a remote call may be, as ws_decode_call() counts them (default: 65536).
        /// At more, as max_call_bytes.</summary>
        public uint MaxCallItems;

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
        }
    }
}
