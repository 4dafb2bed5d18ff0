// Generated from include/wspeer.h by `make generate`: do not edit.
using System;
using System.Runtime.InteropServices;

// Fields that the library fills are never assigned in C#.
#pragma warning disable 0649

namespace Wspeer
{
    /// <summary>The C functions, as IL2CPP needs them: static, with blittable types, without marshalling and
    /// without callbacks.</summary>
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
        internal static extern int ws_set_certificate(uint server, byte* cert_pem, byte* key_pem);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_make_certificate(byte* names, uint days, byte* cert, UIntPtr cert_cap, byte* key,
            UIntPtr key_cap, byte* sha256, UIntPtr sha256_cap);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_close(uint h, int code, byte* reason);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_disconnect(uint h, int target, int code, byte* reason);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_drain(uint server, uint window_ms, uint retry_ms, byte* url);

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
        internal static extern int ws_put_latest(uint h, int target, uint key, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_config_init(NativeConfig* config, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_connect(byte* url, NativeConfig* config, uint* @out);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_diagnose(byte* url, NativeConfig* config, uint* @out);

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
        internal static extern int ws_hint(uint h, int hint);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_url(uint h, byte* url);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_header(uint h, byte* name, byte* value);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_declare_scene(uint h, byte* spawner, int authority, uint scene, byte*
            synchronizers);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_declare_synchronizer(uint h, byte* path, int authority, byte* properties, uint*
            node);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_spawn(uint h, byte* spawner, uint scene, byte* name, NativeVariant* items, UIntPtr
            count, uint* node);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_despawn(uint h, uint node);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_sync(uint h, uint node, NativeVariant* items, UIntPtr count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_visible(uint h, uint node, int peer_id, int visible);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_decode_replication(byte* data, UIntPtr len, UIntPtr* at, NativeReplicated* @out,
            NativeVariant* items, UIntPtr cap);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_accept(uint conn, byte* subprotocol, byte** headers, UIntPtr n);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_reply(uint conn, int status, byte** headers, UIntPtr n, byte* body, UIntPtr len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_declare_node(uint h, byte* path, byte* methods);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_send_auth(uint h, int peer_id, byte* data, UIntPtr len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_complete_auth(uint h, int peer_id);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_encode_call(byte* path, byte* method, NativeVariant* items, UIntPtr count, byte*
            buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_decode_call(byte* data, UIntPtr len, NativeCall* @out, NativeVariant* items,
            UIntPtr cap);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_encode_variant(NativeVariant* items, UIntPtr count, byte* buf, UIntPtr cap,
            UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_decode_variant(byte* data, UIntPtr len, NativeVariant* items, UIntPtr cap,
            UIntPtr* count, UIntPtr* used);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_serve(uint server, byte* prefix, byte* directory, uint flags);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_sim_init(WebSocketSim* sim, UIntPtr size, int preset);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_set_sim(uint h, WebSocketSim* sim);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_advance_time(uint h, uint us);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_put_packet(uint h, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_put_packet_to(uint h, int target, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_put_packets(uint h, NativePacketOut* packets, UIntPtr n, UIntPtr* taken);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_flush(uint h);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_subscribe(uint conn, byte* topic);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_unsubscribe(uint conn, byte* topic);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_publish(uint h, byte* topic, int except, byte* data, UIntPtr len, int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_publish_latest(uint h, byte* topic, int except, uint key, byte* data, UIntPtr len,
            int type);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_get_topics(uint h, byte* buf, UIntPtr cap, UIntPtr* len);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int ws_wait(uint* handles, UIntPtr n, int timeout_ms);
    }

    /// <summary>Counters since the handle was opened. A server: the sum over its clients, former ones
    /// included.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct WebSocketStats
    {
        /// <summary>Number of bytes that ws_get_stats() filled.</summary>
        public uint StructSize;
        /// <summary>Server: number of connected clients. Else 1 while OPEN, otherwise 0.</summary>
        public uint Connections;
        /// <summary>Messages received. With WebSocketFlags.Auth, the messages of a peer count once it is
        /// admitted.</summary>
        public ulong MessagesIn;
        /// <summary>Messages accepted for sending.</summary>
        public ulong MessagesOut;
        /// <summary>Bytes of the messages received.</summary>
        public ulong BytesIn;
        /// <summary>Bytes of the messages accepted for sending.</summary>
        public ulong BytesOut;
        /// <summary>Bytes read from the transport, after TLS decryption.</summary>
        public ulong WireBytesIn;
        /// <summary>Bytes written to the transport, before TLS encryption.</summary>
        public ulong WireBytesOut;
        /// <summary>Messages and AUTH events that the program has not taken yet. With WebSocketFlags.Auth, messages of
        /// a peer that is not admitted count in KeptBytes instead.</summary>
        public ulong QueuedPacketsIn;
        /// <summary>Bytes of these messages and AUTH events.</summary>
        public ulong QueuedBytesIn;
        /// <summary>Messages to be sent: the operating system has not taken all of their bytes.</summary>
        public ulong QueuedPacketsOut;
        /// <summary>Bytes to be sent, frame headers included. Over wss:// the bytes of a TLS record count until the
        /// operating system has taken the whole record.</summary>
        public ulong QueuedBytesOut;
        /// <summary>Messages to several targets that a full queue did not take, and received messages that were
        /// dropped: after Disconnect() of their sender, beyond its rate limit, or because it ended before it was
        /// admitted (WebSocketFlags.Auth).</summary>
        public ulong Skipped;
        /// <summary>Number of times that reading paused because the inbound queue was full.</summary>
        public ulong InboundStalls;
        /// <summary>Round-trip time of the last answered ping, in microseconds. 0: none was measured. Always 0 on a
        /// server's own handle.</summary>
        public ulong RttUs;
        /// <summary>Duration of the last Poll() of this handle, in microseconds.</summary>
        public ulong LastPollUs;
        /// <summary>Duration of the longest Poll() of this handle, in microseconds.</summary>
        public ulong LongestPollUs;
        /// <summary>Server: clients accepted since it was opened.</summary>
        public ulong Accepted;
        /// <summary>Server: clients that were refused, or whose opening handshake failed: the sum of RefusedLimit,
        /// RefusedRequest, RefusedTls, RefusedProxy, RefusedTimeout and RefusedGone. Not those that the program's
        /// Close() ended.</summary>
        public ulong Refused;
        /// <summary>Server: opening handshakes in progress.</summary>
        public ulong PendingHandshakes;
        /// <summary>Compressed messages received. They are counted together with MessagesIn.</summary>
        public ulong CompressedIn;
        /// <summary>Messages that were sent compressed.</summary>
        public ulong CompressedOut;
        /// <summary>Memory of the compressors and decompressors, in bytes. A server: of all its clients.</summary>
        public ulong DeflateMemoryBytes;
        /// <summary>Memory kept for peers outside the queues, in bytes: incomplete messages, bytes that were read and
        /// not decoded yet, texts of events; in multiplayer also node numbers and pending notifications of peers, and
        /// with WebSocketFlags.Auth the messages of peers that are not admitted.</summary>
        public ulong KeptBytes;
        /// <summary>Server: files that WebSocketServer.Serve() is sending.</summary>
        public ulong Downloads;
        /// <summary>Server: requests that WebSocketServer.Serve() has begun to answer.</summary>
        public ulong Served;
        /// <summary>Server: of `refused`, those that a limit or WebSocketFlags.RefuseNew refused (WebSocketCause.Limit,
        /// WebSocketCause.Resources).</summary>
        public ulong RefusedLimit;
        /// <summary>Server: of `refused`, those whose request was not valid or not accepted: another path, host, origin
        /// or subprotocol (WebSocketCause.HttpStatus, WebSocketCause.HttpInvalid, WebSocketCause.HttpTooBig,
        /// WebSocketCause.Subprotocol).</summary>
        public ulong RefusedRequest;
        /// <summary>Server: of `refused`, those whose TLS handshake failed (WebSocketPhase.Tls).</summary>
        public ulong RefusedTls;
        /// <summary>Server: of `refused`, connections of TrustedProxies without a valid PROXY header
        /// (WebSocketPhase.Proxy).</summary>
        public ulong RefusedProxy;
        /// <summary>Server: of `refused`, those that took longer than HandshakeTimeoutMs
        /// (WebSocketCause.HandshakeTimeout).</summary>
        public ulong RefusedTimeout;
        /// <summary>Server: of `refused`, those that left, or whose transport failed (WebSocketCause.PeerGone,
        /// WebSocketCause.Reset).</summary>
        public ulong RefusedGone;
        /// <summary>Server: REFUSED events that the program has not taken yet.</summary>
        public ulong RefusedWaiting;
        /// <summary>Server with WebSocketFlags.Ask: requests that wait for ws_accept() or ws_reply(). They count in
        /// PendingHandshakes too.</summary>
        public ulong PendingRequests;
        /// <summary>Server with SessionMs: clients that have lost their link, and may come back. They count in
        /// connections too.</summary>
        public ulong Lost;
        /// <summary>With WebSocketFlags.Reconnect or SessionMs: links that were lost since the opening.</summary>
        public ulong Losses;
        /// <summary>With SessionMs: sessions that were resumed since the opening.</summary>
        public ulong Resumed;
        /// <summary>With SessionMs: messages that were sent again on another link.</summary>
        public ulong SentAgain;
        /// <summary>With SessionMs: messages that were accepted and that the peer has not acknowledged.</summary>
        public ulong UnacknowledgedPackets;
        /// <summary>Bytes of these messages, with 64 for each, as SessionBytes limits them.</summary>
        public ulong UnacknowledgedBytes;
        /// <summary>Bytes that the simulated networks of open links hold (SetSim()), and 64 for each packet.</summary>
        public ulong SimBytes;
        /// <summary>Packets that were lost on these networks, and arrive late. Those of links that have ended do not
        /// count.</summary>
        public ulong SimLosses;
        /// <summary>Server: topics that have subscribers.</summary>
        public ulong Topics;
        /// <summary>Server: subscriptions of all clients to topics; a client: its topics.</summary>
        public ulong Subscriptions;
        /// <summary>Messages of SendLatest() and PublishLatest() that a newer one of the same key has
        /// replaced.</summary>
        public ulong Replaced;
        /// <summary>Server: bytes that its clients make it hold, as MaxTotalMib limits them; a client: what it holds of
        /// them.</summary>
        public ulong HeldBytes;
        /// <summary>Server: the most that HeldBytes was at the end of a poll, once it was above half of
        /// MaxTotalMib.</summary>
        public ulong MostHeldBytes;
        /// <summary>Server: clients that were ended because of MaxTotalMib.</summary>
        public ulong CeilingEnded;
    }

    /// <summary>A received message. 40 bytes with 64-bit pointers, 32 with 32-bit pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativePacket
    {
        /// <summary>The bytes, lent to the program: valid until the next call that takes items through the same handle,
        /// or its ws_free(). Never NULL. A message is not NUL-terminated.</summary>
        public IntPtr Data;
        /// <summary>Length of data in bytes. 0: the message is empty.</summary>
        public UIntPtr Len;
        /// <summary>WS_TEXT, WS_BINARY, WS_CALL, WS_REPLICATION, WS_SPAWN, WS_DESPAWN or WS_SYNC.</summary>
        public int Type;
        /// <summary>Multiplayer: id of the sender. Else 0.</summary>
        public int PeerId;
        /// <summary>The connection that received it: a server's client, or the handle itself.</summary>
        public uint Conn;
        /// <summary>Always 0 in this version.</summary>
        public uint Flags;
        /// <summary>The value that ws_set_user() or ws_config.user gave the connection.</summary>
        public ulong User;
    }

    /// <summary>An event. 128 bytes with 64-bit pointers, 120 with 32-bit pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeEvent
    {
        /// <summary>WS_EVENT_*.</summary>
        public int Type;
        /// <summary>The connection that the event is about.</summary>
        public uint Conn;
        /// <summary>Multiplayer: id of the peer that the event is about; in the OPEN of a join, the join's id. Else
        /// 0.</summary>
        public int PeerId;
        /// <summary>CLOSE_REQUEST, CLOSED, DISCONNECTED: the close code (RFC 6455 section 7.1.5). 1005: the close frame
        /// had none. 1006: there was no close frame. Else 0.</summary>
        public int Code;
        /// <summary>CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_PHASE_*.</summary>
        public int Phase;
        /// <summary>CLOSED, DISCONNECTED, ERROR, STEP, REFUSED: WS_CAUSE_*.</summary>
        public int Cause;
        /// <summary>HTTP status of the response to the opening handshake, or 0.</summary>
        public int HttpStatus;
        /// <summary>The operating system's error number, or 0.</summary>
        public int OsError;
        /// <summary>CLOSED, DISCONNECTED: number of messages that were accepted for sending and not sent.</summary>
        public uint Unsent;
        /// <summary>CLOSED, DISCONNECTED: 1 if the closing handshake was completed, or goes on behind ws_disconnect().
        /// Else 0.</summary>
        public uint Clean;
        /// <summary>Time of the event: nanoseconds on the system's monotonic clock since the first call of the library.
        /// 0 for MESSAGE, SPAWN, DESPAWN and SYNC.</summary>
        public ulong TimeNs;
        /// <summary>SKIPPED: number of messages or events left out. ERROR with WS_SCENE or WS_GODOT3: number of
        /// packets. REFUSED: number of clients. REQUEST: 1 if it opens a WebSocket. Else 0.</summary>
        public ulong Count;
        /// <summary>Always 0 in this version.</summary>
        public fixed ulong Reserved[4];
        /// <summary>MESSAGE, SPAWN, DESPAWN, SYNC: the message. AUTH: data and len are the authentication data.
        /// REQUEST: data and len are the body. Any other event: data is a text, lent like a message and NUL-terminated;
        /// len does not count the NUL. CLOSE_REQUEST: the peer's reason. CLOSED, DISCONNECTED and ERROR: a sentence
        /// that says what happened and what to do. STEP: a sentence that says what happened. REFUSED: WS_EVENT_REFUSED
        /// says what. Else "".</summary>
        public NativePacket Packet;
    }

    /// <summary>How to open a connection or a server. Fill it with ws_config_init(), then set what you need: every
    /// field that stays 0 has its default. The call that opens copies everything, texts included. Texts are UTF-8 and
    /// NUL-terminated; NULL means none.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeConfig
    {
        /// <summary>Size of this struct in bytes; ws_config_init() sets it.</summary>
        public uint StructSize;
        /// <summary>A number of your choice that groups handles for ws_free_owner(). 0: none.</summary>
        public uint Owner;
        /// <summary>Combined by |: WS_COALESCE | WS_QUEUE_BEFORE_OPEN | WS_INSECURE | WS_ONLY_CA_PEM | WS_REFUSE_NEW |
        /// WS_DEFLATE | WS_SERVER_NO_CONTEXT_TAKEOVER | WS_CLIENT_NO_CONTEXT_TAKEOVER | WS_GODOT3 | WS_ANY_NAME |
        /// WS_SCENE | WS_AUTH | WS_NO_RELAY | WS_APP_HEARTBEAT | WS_ASK | WS_FORWARDED | WS_X_FORWARDED_FOR |
        /// WS_PROXY_PROTOCOL | WS_REPORT_REFUSED | WS_RECONNECT | WS_SHARE_PORT | WS_RAW_REPLICATION.</summary>
        public uint Flags;
        /// <summary>Maximum duration of one ws_poll(), in microseconds (default: 1000).</summary>
        public uint PollBudgetUs;
        /// <summary>Client, join: time limit from ws_connect() or ws_join() to OPEN, all phases together, in
        /// milliseconds (default: 10000). With WS_AUTH it ends when the join has its id.</summary>
        public uint ConnectTimeoutMs;
        /// <summary>Server, and the server's end of ws_pair() or ws_attach(): time limit of a client's opening
        /// handshake, from its connection on, TLS included, in milliseconds (default: 3000).</summary>
        public uint HandshakeTimeoutMs;
        /// <summary>Time limit of a close without progress, in milliseconds; never WS_OFF (default: 3000). Progress is
        /// that accepted messages and the close frame leave; then the peer has this time to answer.</summary>
        public uint CloseTimeoutMs;
        /// <summary>Interval of the pings to the peer, which also measure the round-trip time, in milliseconds
        /// (default: servers' clients 20000, clients WS_OFF; RFC 6455 section 5.5.2).</summary>
        public uint HeartbeatMs;
        /// <summary>Time without any byte from the peer after which an unanswered ping ends the connection, in
        /// milliseconds; at least heartbeat_ms (default: 3 x heartbeat_ms). A ping may be answered for at least a
        /// second, or for heartbeat_ms if that is shorter.</summary>
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
        /// WS_ERR_FULL.</summary>
        public uint OutboundPackets;
        /// <summary>Maximum bytes of queued output (default: 4194304). At the limit sending fails with WS_ERR_FULL. An
        /// empty queue accepts any message.</summary>
        public uint OutboundBytes;
        /// <summary>Maximum number of messages that a peer may send in a second (default: WS_OFF). A peer that sends
        /// more is closed with 1008, and its further messages are dropped.</summary>
        public uint MaxMessagesPerS;
        /// <summary>Maximum bytes of messages that a peer may send in a second (default: WS_OFF). A peer that sends
        /// more is closed with 1008, and its further messages are dropped.</summary>
        public uint MaxBytesPerS;
        /// <summary>Server: maximum number of connected clients (default: 4096). An ended client counts until its
        /// messages have been read. Further clients are refused with 503.</summary>
        public uint MaxClients;
        /// <summary>Server: maximum number of clients from one IP address, counted as for max_clients (default: WS_OFF,
        /// because all clients behind a proxy that is not in trusted_proxies share one). Further clients are refused
        /// with 503.</summary>
        public uint MaxClientsPerAddress;
        /// <summary>Server: maximum number of opening handshakes in progress (default: 256). Further connections wait
        /// in the system's listen queue.</summary>
        public uint MaxPendingHandshakes;
        /// <summary>Server, host: what a message to several targets does about a target whose outbound queue is full,
        /// WS_FULL_* (default: WS_FULL_SKIP; for a host WS_FULL_DISCONNECT, because a game cannot do without a
        /// packet).</summary>
        public uint OnFull;
        /// <summary>TCP_NODELAY: WS_OFF leaves Nagle's algorithm on (default: small messages are sent at
        /// once).</summary>
        public uint NoDelay;
        /// <summary>Number of texts that `headers` points to, at most 100.</summary>
        public uint HeadersCount;
        /// <summary>With WS_DEFLATE: compression level, 1 (fast) to 9 (small) (default: 1, because compression takes
        /// frame time).</summary>
        public uint DeflateLevel;
        /// <summary>With WS_DEFLATE: shorter messages are sent uncompressed; in bytes (default: 64). WS_OFF: all
        /// are.</summary>
        public uint DeflateThresholdBytes;
        /// <summary>With WS_DEFLATE: window size of the server's compressor, as a power of two, 9 to 15 (default: 15;
        /// RFC 7692 section 7.1.2.1).</summary>
        public uint ServerMaxWindowBits;
        /// <summary>With WS_DEFLATE: window size of the client's compressor, as a power of two, 9 to 15 (default: 15;
        /// RFC 7692 section 7.1.2.2).</summary>
        public uint ClientMaxWindowBits;
        /// <summary>Maximum decompression ratio, for received messages over 1 MiB (default: 256). Beyond it the
        /// connection is closed with 1008. Sent messages stay within half of it.</summary>
        public uint MaxInflateRatio;
        /// <summary>Must be 0.</summary>
        public uint Reserved;
        /// <summary>Extra headers of the request (client) or of the response (server), each "Name: value".</summary>
        public IntPtr Headers;
        /// <summary>Subprotocols in order of preference, such as "chat.v2, chat.v1" (RFC 6455 section 1.9). Client:
        /// they are offered, and the server must choose one. Server: it chooses the first that the client offers and it
        /// knows; a client that offers none of them is refused with 400.</summary>
        public IntPtr Subprotocols;
        /// <summary>Client: PEM of certificates to trust besides the bundled ones and the system's. Each is that of a
        /// CA, or the server's own, even if a CA signed it, it is marked CA:TRUE, it names its host only in the common
        /// name, or it is of X.509 version 1. Certificates that cannot be used are skipped, with a warning in the log;
        /// if none can, the result is WS_ERR_TLS. The text may be indented, be in one line, or have its line ends
        /// written as \n.</summary>
        public IntPtr CaPem;
        /// <summary>PEM of the certificate chain, own certificate first; read like ca_pem. A wss:// server needs it. A
        /// client sends it if the server asks for it.</summary>
        public IntPtr CertPem;
        /// <summary>PEM of the private key of cert_pem (PKCS #8, PKCS #1 or SEC1).</summary>
        public IntPtr KeyPem;
        /// <summary>Client: the name for SNI (RFC 6066), against which the certificate is checked, instead of the URL's
        /// host.</summary>
        public IntPtr ServerName;
        /// <summary>Client: SHA-256 of the server's own certificate (DER), as 64 hex digits; colons are allowed. The
        /// certificate is trusted if, and only if, it has this value.</summary>
        public IntPtr PinSha256;
        /// <summary>Initial value of ws_set_user().</summary>
        public IntPtr User;
        /// <summary>With WS_SCENE: maximum length of a remote call, arguments included, in bytes (default: 1048576). A
        /// peer that sends a longer one is closed with 1002; a join drops a relayed one, and reports it by ERROR.
        /// Sending one fails with WS_ERR_TOO_BIG.</summary>
        public uint MaxCallBytes;
        /// <summary>With WS_SCENE: maximum number of items in the arguments of a remote call, as ws_decode_call()
        /// counts them (default: 65536). A call with more is treated like one over max_call_bytes.</summary>
        public uint MaxCallItems;
        /// <summary>Server: the addresses of proxies and load balancers that report the client's address, as
        /// WS_FORWARDED, WS_X_FORWARDED_FOR or WS_PROXY_PROTOCOL says: networks in CIDR notation, separated by commas,
        /// such as "127.0.0.1, ::1, 10.0.0.0/8". The client's address is the last one reported that is not itself
        /// trusted; the limits per address and WS_GET_REMOTE_ADDRESS mean it. What others claim is ignored (default:
        /// none).</summary>
        public IntPtr TrustedProxies;
        /// <summary>Server: IPv6 addresses that are equal in this number of leading bits, 1 to 128, count as one
        /// address for max_clients_per_address (default: 64, what a home or a phone has).</summary>
        public uint Ipv6PrefixBits;
        /// <summary>Server that answers plain HTTP: maximum length of the body of a request, in bytes (default: 65536).
        /// A longer one is refused with 413.</summary>
        public uint MaxBodyBytes;
        /// <summary>Client, join: the proxy to connect through (docs/proxies.md). "http://user:password@host:port" and
        /// "https://..." are asked by CONNECT, "https" over TLS; "socks5://..." gets the address of the server,
        /// "socks5h://..." its name. "env": what http_proxy, https_proxy, all_proxy and no_proxy in the environment
        /// say, as curl reads them, and never for a loopback address. The trusted certificates for "https" are those
        /// for the server, and its certificate is checked whatever WS_INSECURE, WS_ANY_NAME and pin_sha256 say
        /// (default: NULL, none).</summary>
        public IntPtr Proxy;
        /// <summary>Server: maximum number of files that ws_serve() sends at a time, each with at most 256 KiB of it in
        /// memory (default: 128). Further requests are answered with 503.</summary>
        public uint MaxDownloads;
        /// <summary>Server: maximum number of files that ws_serve() sends to one address at a time (default: 32; a
        /// browser opens six connections). Further requests are answered with 503.</summary>
        public uint MaxDownloadsPerAddress;
        /// <summary>Server: the hosts that requests may name in their header Host, separated by commas, such as
        /// "game.example, *.game.example, 192.0.2.1:9080"; without a port any port is allowed, and a request without
        /// one has that of the server's scheme, 80 or 443. Names are ASCII (xn--...). Others are refused with 421. It
        /// keeps pages of others from reaching a server on the local network by a name of theirs (DNS rebinding)
        /// (default: any).</summary>
        public IntPtr AllowedHosts;
        /// <summary>Server: the origins (RFC 6454) whose pages may connect, separated by commas, such as
        /// `https://game.example, http://localhost:8000`; "*." before a host stands for all names below it, "null" for
        /// a page without an origin. Others are refused with 403. Programs that are no browsers send no Origin, and are
        /// not concerned (default: any).</summary>
        public IntPtr AllowedOrigins;
        /// <summary>With WS_RECONNECT or session_ms: upper bound of the wait before the first try, in milliseconds
        /// (default: 1000). A wait is drawn evenly between 0 and its bound, which doubles with each try until it is
        /// retry_max_ms.</summary>
        public uint RetryMinMs;
        /// <summary>With WS_RECONNECT or session_ms: upper bound of every wait, in milliseconds (default:
        /// 30000).</summary>
        public uint RetryMaxMs;
        /// <summary>With WS_RECONNECT or session_ms: number of failed tries in a row after which the connection ends
        /// with CLOSED (default: 20, which takes some four minutes); WS_OFF: unlimited.</summary>
        public uint RetryTries;
        /// <summary>Keep a session for so long after its link was lost, in milliseconds: the client opens another one
        /// (as with WS_RECONNECT), and no message is lost, doubled or reordered (docs/sessions.md). Set it at both
        /// ends; the shorter time counts. Without it at the server, ERROR with WS_CAUSE_SESSION is reported, and the
        /// connection goes on without (default: 0, no sessions).</summary>
        public uint SessionMs;
        /// <summary>With session_ms: limit of the messages that were accepted and that the peer has not acknowledged,
        /// in bytes, with 64 for each message (default: 1048576). When nothing is unacknowledged, a message of any size
        /// fits. WS_OFF: no limit.</summary>
        public uint SessionBytes;
        /// <summary>Server with session_ms: maximum number of clients that have lost their link (default: 0, a quarter
        /// of max_clients). Beyond it the session that was lost first ends.</summary>
        public uint MaxLost;
        /// <summary>Server with session_ms or WS_APP_HEARTBEAT: its public name, which a client that comes back has in
        /// its query as "wspeer=1-NODE", so that a balancer can lead it to this server: 1 to 32 ASCII letters, digits,
        /// '.', '_' and '-' (default: NULL, a random name).</summary>
        public IntPtr Node;
        /// <summary>Server: maximum number of topics of a client (default: 256).</summary>
        public uint MaxTopics;
        /// <summary>Server: maximum number of topics that have subscribers (default: 65536).</summary>
        public uint MaxServerTopics;
        /// <summary>Server: memory that all clients together may make it hold, in MiB (default: 512): what was received
        /// and not taken, incomplete messages, what is to be sent, what is not acknowledged (session_ms), compression
        /// contexts, handshakes. A message to several clients counts once.</summary>
        public uint MaxTotalMib;
        /// <summary>Maximum length of a message that is sent, framing of the multiplayer format included, in bytes.
        /// Default: for hosts and joins 65535, because a player with Godot's own classes and default settings leaves
        /// when a longer one comes; for others, ws_join_local() included, WS_OFF: only max_message_bytes counts. A
        /// host's message is not limited by it if only players of ws_join_local() are among its targets; nodes of
        /// ws_spawn() are.</summary>
        public uint MaxPutBytes;
    }

    /// <summary>A Godot value, or the head of a container, whose items follow it in the array. Fields that the type
    /// does not use are 0; set them to 0 when sending too. 160 bytes with 64-bit pointers, 152 with 32-bit
    /// pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeVariant
    {
        /// <summary>WS_VARIANT_*.</summary>
        public int Type;
        /// <summary>Number of items, pairs, elements or names that belong to it.</summary>
        public uint Count;
        /// <summary>BOOL: 0 or 1. INT: the number. ARRAY, DICTIONARY: the required types of the elements, 0 for any.
        /// NODE_PATH: 1 if it is absolute.</summary>
        public long Integer;
        /// <summary>FLOAT: number[0]. Vectors, rectangles, transforms, colours and the like: the components. NODE_PATH:
        /// number[0] is the number of sub-names.</summary>
        public fixed double Number[16];
        /// <summary>STRING, STRING_NAME: UTF-8 without a NUL at the end. Packed arrays: the elements. Decoded values:
        /// lent, and never NULL.</summary>
        public IntPtr Data;
        /// <summary>Length of data in bytes.</summary>
        public UIntPtr Len;
    }

    /// <summary>A node that a peer has spawned, despawned or synchronized. 32 bytes with 64-bit pointers, 24 with
    /// 32-bit pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeReplicated
    {
        /// <summary>Path of the spawner as it was declared, without "/root/"; scene is WS_NO_SCENE: that of the
        /// synchronizer. NUL-terminated; lent as long as the packet.</summary>
        public IntPtr Path;
        /// <summary>SPAWN: the node's name below the spawner's spawn path. Else "". NUL-terminated; lent as long as the
        /// packet.</summary>
        public IntPtr Name;
        /// <summary>The node: its number among those of the peer, which is used again only after its DESPAWN.</summary>
        public uint Node;
        /// <summary>Index of the scene in the spawner's list, WS_CUSTOM_SCENE, or WS_NO_SCENE.</summary>
        public uint Scene;
        /// <summary>Number of items.</summary>
        public uint Items;
        /// <summary>How many of the first items are the data of a custom spawn, one value. 0: there is none.</summary>
        public uint DataItems;
    }

    /// <summary>A received remote call. 24 bytes with 64-bit pointers, 16 with 32-bit pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeCall
    {
        /// <summary>Path of the node as it was declared, without "/root/". NUL-terminated; lent as long as the
        /// packet.</summary>
        public IntPtr Path;
        /// <summary>Name of the method. NUL-terminated; lent as long as the packet.</summary>
        public IntPtr Method;
        /// <summary>Number of arguments.</summary>
        public uint Arguments;
        /// <summary>Number of items in the arguments, those in containers included.</summary>
        public uint Items;
    }

    /// <summary>A bad network, for SetSim(). Fill it with WebSocketSim.Preset(). The fields up_* are about the bytes
    /// from the client to the server, down_* about those from the server to the client, whichever end simulates. 104
    /// bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe partial struct WebSocketSim
    {
        /// <summary>Size of this struct in bytes; WebSocketSim.Preset() sets it.</summary>
        public uint StructSize;
        /// <summary>Seed of the random numbers. The same seed has the same effect.</summary>
        public uint Seed;
        /// <summary>Time that each byte takes, in microseconds; at most 60000000.</summary>
        public uint UpLagUs;
        /// <summary>As UpLagUs.</summary>
        public uint DownLagUs;
        /// <summary>Up to this time is added for each packet, uniformly distributed, in microseconds; at most 60000000.
        /// Bytes never overtake others: a late packet holds up those behind it, and they arrive together.</summary>
        public uint UpJitterUs;
        /// <summary>As UpJitterUs.</summary>
        public uint DownJitterUs;
        /// <summary>Bandwidth in bytes per second. 0: unlimited.</summary>
        public uint UpBytesPerS;
        /// <summary>As UpBytesPerS.</summary>
        public uint DownBytesPerS;
        /// <summary>Bytes that may leave at once after a pause, the size of the token bucket. 0: 14000.</summary>
        public uint UpBurstBytes;
        /// <summary>As UpBurstBytes.</summary>
        public uint DownBurstBytes;
        /// <summary>Packets out of a million that are lost. TCP repeats them: they arrive loss_stall_us later, and all
        /// behind them waits. A packet has up to 1400 bytes of one write.</summary>
        public uint UpLossPpm;
        /// <summary>As UpLossPpm.</summary>
        public uint DownLossPpm;
        /// <summary>Time that a loss costs, in microseconds; at most 60000000. 0: lag_us of both directions and
        /// 200000.</summary>
        public uint UpLossStallUs;
        /// <summary>As UpLossStallUs.</summary>
        public uint DownLossStallUs;
        /// <summary>Bytes that may wait to leave; at most 16777216. 0: 65536. Beside them a line holds those that are
        /// under way, at most 4 MiB of them. Each packet counts 64 bytes more.</summary>
        public uint UpBufferBytes;
        /// <summary>As UpBufferBytes.</summary>
        public uint DownBufferBytes;
        /// <summary>Nothing arrives from this time on, in milliseconds since the link is OPEN, or since the
        /// call.</summary>
        public uint UpStallFromMs;
        /// <summary>As UpStallFromMs.</summary>
        public uint DownStallFromMs;
        /// <summary>Duration of the stall in milliseconds; then all arrives at once. 0: no stall.</summary>
        public uint UpStallForMs;
        /// <summary>As UpStallForMs.</summary>
        public uint DownStallForMs;
        /// <summary>Another stall begins this time after the one before has begun, in milliseconds; more than
        /// stall_for_ms. 0: there is only one.</summary>
        public uint UpStallEveryMs;
        /// <summary>As UpStallEveryMs.</summary>
        public uint DownStallEveryMs;
        /// <summary>After this number of bytes nothing arrives any more, and no error tells of it. 0: never.</summary>
        public uint UpHalfOpenBytes;
        /// <summary>As UpHalfOpenBytes.</summary>
        public uint DownHalfOpenBytes;
        /// <summary>After this number of bytes the link is cut, at both ends: it ends with WebSocketCause.Reset here.
        /// 0: never.</summary>
        public uint UpCutBytes;
        /// <summary>As UpCutBytes.</summary>
        public uint DownCutBytes;
    }

    /// <summary>A message for ws_put_packets(). 24 bytes with 64-bit pointers, 16 with 32-bit pointers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativePacketOut
    {
        /// <summary>The bytes, which ws_put_packets() copies. May be NULL if len is 0.</summary>
        public IntPtr Data;
        /// <summary>Length of data in bytes.</summary>
        public UIntPtr Len;
        /// <summary>WS_TEXT, WS_BINARY, WS_CALL or WS_REPLICATION.</summary>
        public int Type;
        /// <summary>0: the message goes where ws_put_packet() sends it. Otherwise a target of ws_put_packet_to(), and
        /// the handle is a server, a host or a join.</summary>
        public int Target;
    }
}
