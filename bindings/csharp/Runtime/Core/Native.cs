// Generated from include/wspeer.h by `make generate`: do not edit.
using System;
using System.Runtime.InteropServices;

// What the library fills is never assigned here.
#pragma warning disable 0649

namespace Wspeer
{
    /// <summary>The C functions as they are: static, blittable, nothing marshalled, nothing called back, as IL2CPP needs it.</summary>
    internal static unsafe class Native
    {
#if (UNITY_IOS || UNITY_TVOS || UNITY_VISIONOS || UNITY_WEBGL) && !UNITY_EDITOR
        const string Library = "__Internal";
#else
        const string Library = "wspeer";
#endif

        internal const uint AbiVersion = 1;

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_state(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_available(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_text(uint h, int what, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_header(uint h, byte* name, uint index, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_stats(uint h, WebSocketStats* @out, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_end(uint h, NativeEvent* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_option(uint h, int option, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_option(uint h, int option, uint value);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_user(uint h, UIntPtr user);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_conns(uint h, uint* @out, UIntPtr cap, UIntPtr* count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_waiting(uint h, uint* @out, UIntPtr cap, UIntPtr* count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_conn(uint h, int peer_id, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_peer_id(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* ws_result_name(int r);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_last_error(byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_log_level(int level);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_name(byte* word, byte* name);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_log(byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint ws_get_features();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint ws_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint ws_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint ws_struct_size(int which);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_close(uint h, int code, byte* reason);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_disconnect(uint h, int target, int code, byte* reason);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ws_free(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ws_free_owner(uint owner);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void ws_shutdown();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_poll(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_packet(uint h, NativePacket* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_packets(uint h, NativePacket* @out, UIntPtr cap, UIntPtr* count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_next_event(uint h, NativeEvent* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_next_events(uint h, NativeEvent* @out, UIntPtr cap, UIntPtr* count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_config_init(NativeConfig* config, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_connect(byte* url, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_listen(byte* url, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_host(byte* url, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_join(byte* url, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_join_local(uint host, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_pair(NativeConfig* config, uint* server_end, uint* client_end);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_attach(NativeConfig* config, int role, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_feed(uint h, byte* bytes, UIntPtr len, UIntPtr* taken);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_take_output(uint h, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_declare_node(uint h, byte* path, byte* methods);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_send_auth(uint h, int peer_id, byte* data, UIntPtr len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_complete_auth(uint h, int peer_id);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_encode_call(byte* path, byte* method, NativeVariant* items, UIntPtr count, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_decode_call(byte* data, UIntPtr len, NativeCall* @out, NativeVariant* items, UIntPtr cap);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_encode_variant(NativeVariant* items, UIntPtr count, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_decode_variant(byte* data, UIntPtr len, NativeVariant* items, UIntPtr cap, UIntPtr* count, UIntPtr* used);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_put_packet(uint h, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_put_packet_to(uint h, int target, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_flush(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_wait(uint* handles, UIntPtr n, int timeout_ms);
    }

    /// <summary>Counters since the handle was opened. A server: the sum over its clients, past ones included.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct WebSocketStats
    {
        /// <summary>How many bytes were filled.</summary>
        public uint StructSize;
        /// <summary>Server: connected clients. Else 1 while OPEN.</summary>
        public uint Connections;
        /// <summary>Messages received. With WS_AUTH those of a peer count once it is admitted.</summary>
        public ulong MessagesIn;
        /// <summary>Messages accepted for sending.</summary>
        public ulong MessagesOut;
        /// <summary>Bytes of messages received.</summary>
        public ulong BytesIn;
        /// <summary>Bytes of messages accepted for sending.</summary>
        public ulong BytesOut;
        /// <summary>Bytes read from the transport, above TLS.</summary>
        public ulong WireBytesIn;
        /// <summary>Bytes written to the transport, above TLS.</summary>
        public ulong WireBytesOut;
        /// <summary>Messages that wait for the host, and AUTH events. Messages of a peer that is not admitted (WS_AUTH) count for kept_bytes instead.</summary>
        public ulong QueuedPacketsIn;
        /// <summary>Their bytes.</summary>
        public ulong QueuedBytesIn;
        /// <summary>Messages that wait to be sent: the operating system has not taken them whole.</summary>
        public ulong QueuedPacketsOut;
        /// <summary>Bytes that wait to be sent, with the headers of frames. Over wss:// the bytes of a TLS record wait until all of it was taken.</summary>
        public ulong QueuedBytesOut;
        /// <summary>Messages not taken by a full queue of one of several targets, and messages that came and were dropped, because ws_disconnect() had been called for
        /// their sender, because it had sent more in a second than it may, or because it ended before it was admitted (WS_AUTH).</summary>
        public ulong Skipped;
        /// <summary>How often reading stopped because the host's queue was full.</summary>
        public ulong InboundStalls;
        /// <summary>The last round-trip time of a ping, in microseconds; 0: none measured.</summary>
        public ulong RttUs;
        /// <summary>Duration of the last ws_poll() of this handle, in microseconds.</summary>
        public ulong LastPollUs;
        /// <summary>Duration of the longest ws_poll() of this handle, in microseconds.</summary>
        public ulong LongestPollUs;
        /// <summary>Server: clients accepted since it was opened.</summary>
        public ulong Accepted;
        /// <summary>Server: clients whose opening handshake failed or was refused.</summary>
        public ulong Refused;
        /// <summary>Server: opening handshakes under way.</summary>
        public ulong PendingHandshakes;
        /// <summary>Messages that came compressed. They count when those of messages_in do.</summary>
        public ulong CompressedIn;
        /// <summary>Messages that were compressed.</summary>
        public ulong CompressedOut;
        /// <summary>Memory of the contexts of compressors and decompressors, in bytes. A server: of all its clients.</summary>
        public ulong DeflateMemoryBytes;
        /// <summary>Memory kept for peers beside the queues, in bytes: messages that have not come whole, what was read and not looked at, texts of events, path numbers
        /// and news of a scene.</summary>
        public ulong KeptBytes;
    }

    /// <summary>A message. 40 bytes with 64-bit pointers, 32 with 32-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativePacket
    {
        /// <summary>The bytes, lent: valid until the next call that reads items through the same handle, or its ws_free(). Never NULL; not NUL-terminated when it is a message.</summary>
        public IntPtr Data;
        /// <summary>How many bytes; 0 is an empty message.</summary>
        public UIntPtr Len;
        /// <summary>WS_TEXT, WS_BINARY or WS_CALL.</summary>
        public int Type;
        /// <summary>Multiplayer: who sent it. Else 0.</summary>
        public int PeerId;
        /// <summary>The connection that it came by: a server's client, or the handle itself.</summary>
        public uint Conn;
        /// <summary>Zero for now.</summary>
        public uint Flags;
        /// <summary>What ws_set_user() or ws_config.user gave that connection.</summary>
        public ulong User;
    }

    /// <summary>One thing that happened. 128 bytes with 64-bit pointers, 120 with 32-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeEvent
    {
        /// <summary>WS_EVENT_*.</summary>
        public int Type;
        /// <summary>The connection that it is about.</summary>
        public uint Conn;
        /// <summary>Multiplayer: which peer it is about; OPEN of a join: its own id. Else 0.</summary>
        public int PeerId;
        /// <summary>CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code; 1005: a close frame without one; 1006: no close frame. Else 0.</summary>
        public int Code;
        /// <summary>CLOSED, DISCONNECTED, ERROR: WS_PHASE_*.</summary>
        public int Phase;
        /// <summary>CLOSED, DISCONNECTED, ERROR: WS_CAUSE_*.</summary>
        public int Cause;
        /// <summary>The HTTP status of the answer to the opening handshake, or 0.</summary>
        public int HttpStatus;
        /// <summary>The operating system's error number, or 0.</summary>
        public int OsError;
        /// <summary>CLOSED, DISCONNECTED: how many messages were accepted for sending and never left.</summary>
        public uint Unsent;
        /// <summary>CLOSED, DISCONNECTED: 1 when the closing handshake was completed. Else 0.</summary>
        public uint Clean;
        /// <summary>When it happened: nanoseconds of the system's monotonic clock since the library's first call.</summary>
        public ulong TimeNs;
        /// <summary>SKIPPED, and ERROR about what a peer sent: how many.</summary>
        public ulong Count;
        /// <summary>Zero.</summary>
        public fixed ulong Reserved[4];
        /// <summary>MESSAGE: the message. AUTH: packet.data and len are the data. Any other event: packet.data is a text, lent likewise, NUL-terminated, packet.len without the NUL: the peer's reason
        /// for CLOSE_REQUEST, a sentence that says what happened and what to do for CLOSED, DISCONNECTED and ERROR, else "".</summary>
        public NativePacket Packet;
    }

    /// <summary>How to open a connection or a server. Fill it with ws_config_init(), then set what you need; every field that stays 0 means its default.
    /// Everything is copied during the call. Texts are UTF-8 and NUL-terminated; NULL means none.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeConfig
    {
        /// <summary>Set by ws_config_init().</summary>
        public uint StructSize;
        /// <summary>A number of your choice for ws_free_owner(); 0: none.</summary>
        public uint Owner;
        /// <summary>WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW | WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER |
        /// WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME | WS_SCENE | WS_AUTH | WS_NO_RELAY | WS_APP_HEARTBEAT.</summary>
        public uint Flags;
        /// <summary>How long one ws_poll() may work, in microseconds (default: 1000).</summary>
        public uint PollBudgetUs;
        /// <summary>Client, join: from ws_connect() or ws_join() to OPEN, all phases together, in milliseconds (default: 10000).</summary>
        public uint ConnectTimeoutMs;
        /// <summary>Server: from a client's arrival to its CONNECTED, TLS included, in milliseconds (default: 3000).</summary>
        public uint HandshakeTimeoutMs;
        /// <summary>How long a close may wait for the peer, and for what was accepted to leave, counted from the last progress, in milliseconds; never WS_OFF (default: 3000).</summary>
        public uint CloseTimeoutMs;
        /// <summary>How often the peer is pinged, which measures the round-trip time too, in milliseconds (default: servers' clients 20000, clients WS_OFF).</summary>
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
        /// <summary>Messages a peer may send in a second before it is closed with 1008; those behind are dropped (default: WS_OFF).</summary>
        public uint MaxMessagesPerS;
        /// <summary>Bytes of messages a peer may send in a second before it is closed with 1008; messages behind are dropped (default: WS_OFF).</summary>
        public uint MaxBytesPerS;
        /// <summary>Server: clients that may be connected; one that has ended counts until its messages were read; more are answered with 503 (default: 4096).</summary>
        public uint MaxClients;
        /// <summary>Server: clients from one IP address, counted as for max_clients; more are answered with 503 (default: WS_OFF, as behind a proxy all clients share one).</summary>
        public uint MaxClientsPerAddress;
        /// <summary>Server: opening handshakes under way at a time; more wait in the system's queue (default: 256).</summary>
        public uint MaxPendingHandshakes;
        /// <summary>Server, host: WS_FULL_* (default: WS_FULL_SKIP; of a host WS_FULL_DISCONNECT, as a game cannot do without a packet).</summary>
        public uint OnFull;
        /// <summary>TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages leave at once).</summary>
        public uint NoDelay;
        /// <summary>How many texts `headers` points to.</summary>
        public uint HeadersCount;
        /// <summary>With WS_DEFLATE: how hard to compress, 1 (fast) to 9 (small) (default: 1, as a game pays in frame time).</summary>
        public uint DeflateLevel;
        /// <summary>With WS_DEFLATE: shorter messages are not compressed, in bytes; WS_OFF: none is (default: 64).</summary>
        public uint DeflateThresholdBytes;
        /// <summary>With WS_DEFLATE: window of the server's compressor as a power of two, 9 to 15 (default: 15).</summary>
        public uint ServerMaxWindowBits;
        /// <summary>With WS_DEFLATE: window of the client's compressor as a power of two, 9 to 15 (default: 15).</summary>
        public uint ClientMaxWindowBits;
        /// <summary>The most that a message over 1 MiB may have been compressed, in bytes for a byte; at more the connection is closed with 1008 (default: 256).
        /// What is sent keeps to half of it.</summary>
        public uint MaxInflateRatio;
        /// <summary>Zero.</summary>
        public uint Reserved;
        /// <summary>Extra headers of the request (client) or of the answer (server), each "Name: value".</summary>
        public IntPtr Headers;
        /// <summary>Subprotocols in order of preference, "chat.v2, chat.v1". Client: offered; the server must choose one. Server: chooses the client's first that it knows;
        /// a client that offers none of them is refused with 400.</summary>
        public IntPtr Subprotocols;
        /// <summary>Client: PEM of certificates to trust besides the bundled and the system's: of CAs, or of the server itself, even if a CA signed it, it is marked
        /// CA:TRUE, it names its host only in the common name, or it is of X.509 version 1. What cannot be used is left out with a warning in the log;
        /// WS_ERR_TLS if all is. The text may be indented, in one line, or have its line ends written out as \n.</summary>
        public IntPtr CaPem;
        /// <summary>PEM of the certificate chain, own certificate first; as ca_pem is read. A wss:// server needs it; a client sends it when asked.</summary>
        public IntPtr CertPem;
        /// <summary>PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).</summary>
        public IntPtr KeyPem;
        /// <summary>Client: the name to ask for (SNI) and to check the certificate against, instead of the URL's host.</summary>
        public IntPtr ServerName;
        /// <summary>Client: SHA-256 of the server's own certificate (DER), 64 hex digits, colons allowed. It is then trusted by this alone.</summary>
        public IntPtr PinSha256;
        /// <summary>The first value of ws_set_user().</summary>
        public IntPtr User;
        /// <summary>With WS_SCENE: the longest remote call, its arguments included, in bytes (default: 1048576).
        /// Who sends a longer one is closed with 1002; a join drops one that was passed on, and reports it by ERROR. A put of one is WS_ERR_TOO_BIG.</summary>
        public uint MaxCallBytes;
        /// <summary>With WS_SCENE: the most items that the arguments of a remote call may be, as ws_decode_call() counts them (default: 65536).
        /// At more, as max_call_bytes.</summary>
        public uint MaxCallItems;
    }

    /// <summary>A value of Godot's, or the head of a container whose items follow it in the array. Fields that a type has no use for are zero; zero them too when you
    /// make one. 160 bytes with 64-bit pointers, 152 with 32-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeVariant
    {
        /// <summary>WS_VARIANT_*.</summary>
        public int Type;
        /// <summary>How many items, pairs, elements or names belong to it.</summary>
        public uint Count;
        /// <summary>BOOL: 0 or 1. INT. ARRAY, DICTIONARY: what its elements have to be, 0: anything. NODE_PATH: 1 when it is absolute.</summary>
        public long Integer;
        /// <summary>FLOAT: number[0]. The components of vectors, rectangles, transforms and colours. NODE_PATH: number[0] is how many of its names are sub-names.</summary>
        public fixed double Number[16];
        /// <summary>STRING, STRING_NAME: UTF-8, not NUL-terminated. Packed arrays: their elements. Lent; never NULL in what was decoded.</summary>
        public IntPtr Data;
        /// <summary>How many bytes.</summary>
        public UIntPtr Len;
    }

    /// <summary>A call that has come. 24 bytes with 64-bit pointers, 16 with 32-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeCall
    {
        /// <summary>The path of the node as it was declared, without "/root/"; NUL-terminated, lent as the packet is.</summary>
        public IntPtr Path;
        /// <summary>The name of the method; NUL-terminated, lent likewise.</summary>
        public IntPtr Method;
        /// <summary>How many arguments it has.</summary>
        public uint Arguments;
        /// <summary>How many items these are, those in containers included.</summary>
        public uint Items;
    }
}
