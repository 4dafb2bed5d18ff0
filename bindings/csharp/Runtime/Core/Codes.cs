// Generated from include/wspeer.h by `make generate`: do not edit.
using System;

namespace Wspeer
{
    /// <summary>What a call gives back. 0 and above: success.</summary>
    public enum WebSocketResult : int
    {
        /// <summary>Done.</summary>
        Ok = 0,
        /// <summary>Nothing waits; ask again next frame.</summary>
        Empty = 1,
        /// <summary>ws_poll(): the budget ended with work left. Nothing is lost; the next poll goes on. A host with time left may poll again.</summary>
        More = 2,
        /// <summary>Some of several targets could not take the message; SKIPPED events say which.</summary>
        Partial = 3,
        /// <summary>The buffer was too short: the text was cut at a code point and terminated; *len holds the whole length.</summary>
        Truncated = 4,
        /// <summary>An argument is out of its range.</summary>
        ErrArg = -1,
        /// <summary>A pointer that must not be NULL is NULL.</summary>
        ErrNull = -2,
        /// <summary>The handle is 0, stale (freed or retired) or was never given out.</summary>
        ErrHandle = -3,
        /// <summary>This kind of handle has no such call; see the table of verbs and kinds.</summary>
        ErrKind = -4,
        /// <summary>Not in this state: messages can be put only while OPEN (or before, with WebSocketFlags.QueueBeforeOpen).</summary>
        ErrState = -5,
        /// <summary>The outbound queue is full and the message was not taken. Poll, and put it again after the WRITABLE event.</summary>
        ErrFull = -6,
        /// <summary>The message is over max_message_bytes, or a length is over what memory can hold.</summary>
        ErrTooBig = -7,
        /// <summary>Text is not valid UTF-8.</summary>
        ErrUtf8 = -8,
        /// <summary>There is no such target.</summary>
        ErrTarget = -9,
        /// <summary>The ws_config is not usable: its size, its flags or one of its values. ws_last_error() names the field.</summary>
        ErrConfig = -10,
        /// <summary>The URL cannot be used.</summary>
        ErrUrl = -11,
        /// <summary>A certificate, key or pin in the config cannot be used.</summary>
        ErrTls = -12,
        /// <summary>ws_listen(): the address cannot be bound; ws_last_error() has the reason.</summary>
        ErrAddress = -13,
        /// <summary>This build or platform cannot do it; see ws_get_features().</summary>
        ErrUnsupported = -14,
        /// <summary>A limit of the library or the system: no handle, descriptor, thread or memory left.</summary>
        ErrLimit = -15,
        /// <summary>A defect in wspeer was caught. The handle and its family are retired, the host goes on, the log has the text.</summary>
        ErrPanic = -16,
    }

    /// <summary>The types of messages.</summary>
    public enum WebSocketMessageType : int
    {
        /// <summary>A text message: UTF-8, checked.</summary>
        Text = 1,
        /// <summary>A binary message.</summary>
        Binary = 2,
        /// <summary>A remote call, with WebSocketFlags.Scene alone: put what ws_encode_call() made, give what came to ws_decode_call().</summary>
        Call = 3,
    }

    /// <summary>The states of RFC 6455.</summary>
    public enum WebSocketState : int
    {
        /// <summary>Name lookup, TCP, TLS or the opening handshake is under way.</summary>
        Connecting = 0,
        /// <summary>Messages flow. A server: it listens.</summary>
        Open = 1,
        /// <summary>The closing handshake is under way. Messages that arrive are still delivered.</summary>
        Closing = 2,
        /// <summary>The connection has ended. What it received stays readable.</summary>
        Closed = 3,
    }

    /// <summary>What a WebSocketEvent tells.</summary>
    public enum WebSocketEventType : int
    {
        /// <summary>A connection of ws_connect, ws_pair or ws_attach is open. A join: its id has come, and is event.peer_id.</summary>
        Open = 1,
        /// <summary>A message, in event.packet.</summary>
        Message = 2,
        /// <summary>The peer has started the closing handshake; code and text are its close code (1005: none) and reason. wspeer answers by itself.</summary>
        CloseRequest = 3,
        /// <summary>The connection, or the server itself, has ended. Last event of its handle.</summary>
        Closed = 4,
        /// <summary>Server, host: a client has finished its opening handshake; event.conn is its handle, and on a host event.peer_id its id.
        /// Join: peer event.peer_id is there: the host, 1, and in a scene and in Godot 3's format each other one.</summary>
        Connected = 5,
        /// <summary>Server, host: a client has ended. Last event of its handle, which retires in the server's next ws_poll().
        /// Join in a scene or in Godot 3's format: peer event.peer_id has gone; when this connection itself ends, CLOSED stands for all.</summary>
        Disconnected = 6,
        /// <summary>The outbound queue refused a message earlier and has room again.</summary>
        Writable = 7,
        /// <summary>event.count messages for event.conn were not taken because its queue was full (once per stall), or, when event.conn is the server's own
        /// handle or that of a join, event.count lifecycle events, and of a join errors of others, were left out because nobody read them.</summary>
        Skipped = 8,
        /// <summary>Something went wrong that ends no connection; cause and text say what. The text of any event has at most 1024 bytes, and shows at most 256 of a path
        /// or name.</summary>
        Error = 9,
        /// <summary>With WebSocketFlags.Auth: peer event.peer_id is to be authenticated: ws_send_auth(), ws_complete_auth(), or ws_disconnect(). First comes as AUTH what it
        /// sends for that. CONNECTED follows as ws_complete_auth() says.</summary>
        Authenticating = 10,
        /// <summary>With WebSocketFlags.Auth: event.packet holds data that peer event.peer_id sent for its authentication.</summary>
        Auth = 11,
    }

    /// <summary>Where a connection was when it ended.</summary>
    public enum WebSocketPhase : int
    {
        /// <summary>No phase.</summary>
        None = 0,
        /// <summary>Looking up the name.</summary>
        Dns = 1,
        /// <summary>Connecting by TCP.</summary>
        Tcp = 2,
        /// <summary>Talking to a proxy.</summary>
        Proxy = 3,
        /// <summary>The TLS handshake, or a TLS failure later.</summary>
        Tls = 4,
        /// <summary>The opening handshake (HTTP).</summary>
        Http = 5,
        /// <summary>The WebSocket protocol, after the opening handshake.</summary>
        Websocket = 6,
        /// <summary>Ended by the application: a closing handshake that either side asked for, or a drop by the host.</summary>
        App = 7,
    }

    /// <summary>Why a connection ended.</summary>
    public enum WebSocketCause : int
    {
        /// <summary>No cause.</summary>
        None = 0,
        /// <summary>The host asked for the close and the closing handshake was completed.</summary>
        ClosedByHost = 1,
        /// <summary>The peer asked for the close and the closing handshake was completed.</summary>
        ClosedByPeer = 2,
        /// <summary>The host dropped the connection (code -1), or closed it before it was open.</summary>
        Dropped = 3,
        /// <summary>The peer ended the transport without a closing handshake.</summary>
        PeerGone = 4,
        /// <summary>The transport was reset or failed; os_error has the system's number.</summary>
        Reset = 5,
        /// <summary>The server that this client belonged to was closed.</summary>
        ServerClosed = 6,
        /// <summary>The closing handshake, or the sending of what was accepted before it, was not finished within its time.</summary>
        CloseTimeout = 7,
        /// <summary>The closing handshake could not be finished because the host did not read its full inbound queue.</summary>
        NotReading = 8,
        /// <summary>No pong within pong_timeout_ms.</summary>
        PongTimeout = 9,
        /// <summary>The name has no address.</summary>
        NameNotFound = 20,
        /// <summary>The name lookup failed otherwise.</summary>
        NameFailed = 21,
        /// <summary>The connect timeout ended in the phase that the event names.</summary>
        ConnectTimeout = 22,
        /// <summary>Every address refused the connection.</summary>
        Refused = 23,
        /// <summary>No route to any address.</summary>
        Unreachable = 24,
        /// <summary>TCP failed otherwise; os_error has the system's number.</summary>
        TcpFailed = 25,
        /// <summary>The certificate was signed by nobody that this machine trusts.</summary>
        CertificateUntrusted = 30,
        /// <summary>The certificate has expired or is not valid yet. Look at both clocks.</summary>
        CertificateExpired = 31,
        /// <summary>The certificate is for another name.</summary>
        CertificateName = 32,
        /// <summary>The certificate does not have the pinned SHA-256.</summary>
        CertificatePin = 33,
        /// <summary>The certificate cannot be used otherwise.</summary>
        CertificateBad = 34,
        /// <summary>The other end is not speaking TLS.</summary>
        NotTls = 35,
        /// <summary>TLS failed otherwise.</summary>
        TlsFailed = 36,
        /// <summary>The server answered the request with another status than 101; http_status has it.</summary>
        HttpStatus = 40,
        /// <summary>The answer, or the request, is not a valid opening handshake.</summary>
        HttpInvalid = 41,
        /// <summary>The header is over max_header_bytes.</summary>
        HttpTooBig = 42,
        /// <summary>No subprotocol in common, or one that was not asked for.</summary>
        Subprotocol = 43,
        /// <summary>The opening handshake of a server's client took longer than handshake_timeout_ms.</summary>
        HandshakeTimeout = 44,
        /// <summary>The peer broke RFC 6455 (close code 1002).</summary>
        Protocol = 50,
        /// <summary>The peer sent text that is not UTF-8 (1007).</summary>
        Utf8 = 51,
        /// <summary>The peer sent a message or frame over the limits (1009).</summary>
        TooBig = 52,
        /// <summary>The peer sent more than max_messages_per_s or max_bytes_per_s (1008).</summary>
        Rate = 53,
        /// <summary>The peer did not read, its queue was full, and on_full is WebSocketFullPolicy.Disconnect (1008).</summary>
        Full = 54,
        /// <summary>The peer sent compressed data that cannot be decompressed (1007), or that become more than max_inflate_ratio times their size (1008).</summary>
        Deflate = 55,
        /// <summary>The peer broke the multiplayer format: a wrong first message, an id below 2, a sender that is another, a short header, a value that cannot be read (1002).
        /// ERROR of a join in a scene: event.count packets of event.peer_id that the host passed on were broken so.</summary>
        Multiplayer = 56,
        /// <summary>ERROR of a host in a scene or in Godot 3's format: event.count messages of event.peer_id were for peers who are not there.</summary>
        NoPeer = 57,
        /// <summary>The peer was not authenticated within WebSocketOption.AuthTimeoutMs (1008).</summary>
        AuthTimeout = 58,
        /// <summary>ERROR with WebSocketFlags.Scene: event.count calls of event.peer_id, or one of ours to it, were of a node that has other methods there than were declared here.</summary>
        Checksum = 59,
        /// <summary>ERROR with WebSocketFlags.Scene: event.count calls of event.peer_id were of a node or method that is not declared.</summary>
        NoNode = 62,
        /// <summary>ERROR with WebSocketFlags.Scene: event.count packets of event.peer_id were nothing for a program: replication, objects as arguments, authentication or passing on that
        /// is not switched on here.</summary>
        Unsupported = 63,
        /// <summary>ERROR at a client with WebSocketFlags.AppHeartbeat: the server offers no application heartbeat.</summary>
        NoHeartbeat = 64,
        /// <summary>The system has no descriptor or memory left. ERROR with WebSocketFlags.Scene: event.count calls of event.peer_id were lost for lack of memory.</summary>
        Resources = 60,
        /// <summary>A defect in wspeer was caught; the log has the text.</summary>
        Panic = 61,
    }

    /// <summary>Switches of WebSocketConfig.</summary>
    [Flags]
    public enum WebSocketFlags : uint
    {
        /// <summary>None.</summary>
        None = 0,
        /// <summary>A put waits for ws_flush(), the next poll or 128 KiB, so that the messages of a frame leave in one write.</summary>
        Coalesce = 1,
        /// <summary>Messages may be put while CONNECTING; they leave after the opening handshake.</summary>
        QueueBeforeOpen = 2,
        /// <summary>Client: accept any certificate with a key of a kind that is supported: P-256, P-384, Ed25519, or RSA of 2048 bits and more.
        /// For development alone; the log says so.</summary>
        Insecure = 4,
        /// <summary>Client: trust only ca_pem, neither the bundled nor the system's roots.</summary>
        OnlyCaPem = 8,
        /// <summary>Server: answer every request with 503 until WebSocketOption.RefuseNew is set to 0.</summary>
        RefuseNew = 16,
        /// <summary>permessage-deflate (RFC 7692): a client offers it, a server accepts it where a client offers it.</summary>
        Deflate = 32,
        /// <summary>With WebSocketFlags.Deflate: the server's compressor shall forget each message, which saves memory and lets a broadcast be compressed once.</summary>
        ServerNoContextTakeover = 64,
        /// <summary>With WebSocketFlags.Deflate: the client's compressor shall forget each message.</summary>
        ClientNoContextTakeover = 128,
        /// <summary>ws_host and ws_join: the format of Godot 3.2 to 3.6 with gd_mp_api, where the host passes on what is for others, instead of Godot 4's.</summary>
        Godot3 = 256,
        /// <summary>Client: a certificate may be for any name, if it is trusted otherwise. For development alone.</summary>
        AnyName = 512,
        /// <summary>ws_host and ws_join: what Godot 4's SceneMultiplayer says too: other peers told and reached by way of the host, its raw bytes, remote calls.</summary>
        Scene = 1024,
        /// <summary>With WebSocketFlags.Scene: who comes is told by AUTHENTICATING, and is there only after its authentication, see ws_complete_auth(): Godot's auth_callback.</summary>
        Auth = 2048,
        /// <summary>With WebSocketFlags.Scene: clients do not hear of each other, and the host passes nothing on: Godot's server_relay switched off. The same on all sides.</summary>
        NoRelay = 4096,
        /// <summary>Both ends: the client's heartbeat goes as messages that the host does not see, as a browser hides pings: rtt_us and pong_timeout_ms work there too. A
        /// client's heartbeat_ms is then 20000 unless set. A server that does not offer it is told by ERROR with WebSocketCause.NoHeartbeat. docs/heartbeat.md has the bytes.</summary>
        AppHeartbeat = 8192,
    }

    /// <summary>What a message to several targets does with one whose queue is full.</summary>
    public enum WebSocketFullPolicy : uint
    {
        /// <summary>Skip that target: WebSocketResult.Partial, a SKIPPED event, WRITABLE when it recovers. The default.</summary>
        Skip = 1,
        /// <summary>Disconnect that target with 1008.</summary>
        Disconnect = 2,
        /// <summary>Take the message for all targets or for none (WebSocketResult.ErrFull).</summary>
        AllOrNone = 3,
    }

    /// <summary>Which end of a connection.</summary>
    public enum WebSocketRole : int
    {
        /// <summary>The client's end: sends the request, masks its frames.</summary>
        Client = 1,
        /// <summary>The server's end: answers the request.</summary>
        Server = 2,
    }

    /// <summary>Texts that a connection can be asked for.</summary>
    public enum WebSocketText : int
    {
        /// <summary>The URL as it is used, without user name and password. A server: its own, with the real port. A server's client: of its request.</summary>
        Url = 1,
        /// <summary>The path of the request, without the query.</summary>
        Path = 2,
        /// <summary>The query of the request, without the question mark.</summary>
        Query = 3,
        /// <summary>The subprotocol that both ends agreed on, or "".</summary>
        Subprotocol = 4,
        /// <summary>The reason in the close frame that decided the close: the peer's, or ours where we failed the connection.</summary>
        CloseReason = 5,
        /// <summary>Why the connection ended, as a sentence that says what to do; "" while it lives.</summary>
        Error = 6,
        /// <summary>The local address and port: "127.0.0.1:9080", "[::1]:9080".</summary>
        LocalAddress = 7,
        /// <summary>The peer's address and port.</summary>
        RemoteAddress = 8,
        /// <summary>The first KiB of the body of a refused request, as far as it came within 250 ms of the header, invalid UTF-8 replaced.</summary>
        Body = 9,
        /// <summary>The TLS version and cipher suite, or "" on ws://.</summary>
        Tls = 10,
        /// <summary>What was agreed on of permessage-deflate, as "permessage-deflate; server_no_context_takeover", or "".</summary>
        Extensions = 11,
    }

    /// <summary>What can be read and set while a connection lives.</summary>
    public enum WebSocketOption : int
    {
        /// <summary>TCP_NODELAY: 1 (default) or 0.</summary>
        NoDelay = 1,
        /// <summary>heartbeat_ms; 0 and WebSocketConfig.Off: no pings.</summary>
        HeartbeatMs = 2,
        /// <summary>pong_timeout_ms; 0: three times heartbeat_ms.</summary>
        PongTimeoutMs = 3,
        /// <summary>close_timeout_ms.</summary>
        CloseTimeoutMs = 4,
        /// <summary>poll_budget_us.</summary>
        PollBudgetUs = 5,
        /// <summary>max_message_bytes.</summary>
        MaxMessageBytes = 6,
        /// <summary>max_fragments.</summary>
        MaxFragments = 7,
        /// <summary>inbound_packets.</summary>
        InboundPackets = 8,
        /// <summary>inbound_bytes.</summary>
        InboundBytes = 9,
        /// <summary>outbound_packets.</summary>
        OutboundPackets = 10,
        /// <summary>outbound_bytes.</summary>
        OutboundBytes = 11,
        /// <summary>max_messages_per_s.</summary>
        MaxMessagesPerS = 12,
        /// <summary>max_bytes_per_s.</summary>
        MaxBytesPerS = 13,
        /// <summary>The flag WebSocketFlags.Coalesce: 0 or 1.</summary>
        Coalesce = 14,
        /// <summary>Server: the flag WebSocketFlags.RefuseNew: 0 or 1.</summary>
        RefuseNew = 15,
        /// <summary>Server: max_clients.</summary>
        MaxClients = 16,
        /// <summary>Server: max_clients_per_address.</summary>
        MaxClientsPerAddress = 17,
        /// <summary>Server: max_pending_handshakes.</summary>
        MaxPendingHandshakes = 18,
        /// <summary>Server: handshake_timeout_ms.</summary>
        HandshakeTimeoutMs = 19,
        /// <summary>Server: on_full.</summary>
        OnFull = 20,
        /// <summary>The local port, to read only: which one "ws://127.0.0.1:0" got.</summary>
        Port = 21,
        /// <summary>deflate_threshold_bytes.</summary>
        DeflateThresholdBytes = 22,
        /// <summary>max_inflate_ratio.</summary>
        MaxInflateRatio = 23,
        /// <summary>Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Kept and told; every packet is reliable and ordered.</summary>
        TransferMode = 24,
        /// <summary>Host, join: Godot's transfer channel (default 0). Kept and told; every packet travels on the one connection.</summary>
        TransferChannel = 25,
        /// <summary>Host, join with WebSocketFlags.Auth: how long the authentication of a peer may take, in milliseconds; WebSocketConfig.Off: without end (default: 3000). For those who come later.</summary>
        AuthTimeoutMs = 26,
        /// <summary>Host, join: max_call_bytes.</summary>
        MaxCallBytes = 27,
        /// <summary>Host, join: max_call_items.</summary>
        MaxCallItems = 28,
    }

    /// <summary>Which log lines are kept.</summary>
    public enum WebSocketLogLevel : int
    {
        /// <summary>Nothing.</summary>
        Off = 0,
        /// <summary>Defects and what no event tells.</summary>
        Error = 1,
        /// <summary>What is likely a mistake, such as WebSocketFlags.Insecure. The default.</summary>
        Warn = 2,
        /// <summary>Connections that open and end.</summary>
        Info = 3,
        /// <summary>Steps of the handshakes.</summary>
        Debug = 4,
    }

    /// <summary>Structs whose size the library tells.</summary>
    internal enum WebSocketStruct : int
    {
        /// <summary>ws_config, which may grow.</summary>
        Config = 1,
        /// <summary>ws_stats, which may grow.</summary>
        Stats = 2,
        /// <summary>ws_packet, which stays as it is.</summary>
        Packet = 3,
        /// <summary>ws_event, which stays as it is.</summary>
        Event = 4,
        /// <summary>ws_variant.</summary>
        Variant = 5,
        /// <summary>ws_call.</summary>
        Call = 6,
    }

    /// <summary>Types of values in a remote call of Godot's: Variant.Type.</summary>
    public enum WebSocketVariantType : int
    {
        /// <summary>null.</summary>
        Nil = 0,
        /// <summary>bool, in `integer`.</summary>
        Bool = 1,
        /// <summary>int, in `integer`.</summary>
        Int = 2,
        /// <summary>float, in number[0].</summary>
        Float = 3,
        /// <summary>String: UTF-8 in data and len.</summary>
        String = 4,
        /// <summary>Vector2: x, y in `number`.</summary>
        Vector2 = 5,
        /// <summary>Vector2i: x, y.</summary>
        Vector2i = 6,
        /// <summary>Rect2: position, size.</summary>
        Rect2 = 7,
        /// <summary>Rect2i: position, size.</summary>
        Rect2i = 8,
        /// <summary>Vector3: x, y, z.</summary>
        Vector3 = 9,
        /// <summary>Vector3i: x, y, z.</summary>
        Vector3i = 10,
        /// <summary>Transform2D: x axis, y axis, origin.</summary>
        Transform2d = 11,
        /// <summary>Vector4: x, y, z, w.</summary>
        Vector4 = 12,
        /// <summary>Vector4i: x, y, z, w.</summary>
        Vector4i = 13,
        /// <summary>Plane: normal, d.</summary>
        Plane = 14,
        /// <summary>Quaternion: x, y, z, w.</summary>
        Quaternion = 15,
        /// <summary>AABB: position, size.</summary>
        Aabb = 16,
        /// <summary>Basis: row by row, the first row is the x of all three axes.</summary>
        Basis = 17,
        /// <summary>Transform3D: its Basis, then its origin.</summary>
        Transform3d = 18,
        /// <summary>Projection: column by column.</summary>
        Projection = 19,
        /// <summary>Color: r, g, b, a.</summary>
        Color = 20,
        /// <summary>StringName, as STRING.</summary>
        StringName = 21,
        /// <summary>NodePath: `count` STRINGs follow, names and then number[0] sub-names; `integer` is 1 when it is absolute.</summary>
        NodePath = 22,
        /// <summary>RID: cannot be sent.</summary>
        Rid = 23,
        /// <summary>Object: cannot be sent.</summary>
        Object = 24,
        /// <summary>Callable: cannot be sent.</summary>
        Callable = 25,
        /// <summary>Signal: cannot be sent.</summary>
        Signal = 26,
        /// <summary>Dictionary: `count` pairs follow, a key and a value each. A typed one: `integer` is the type of the keys plus 256 times that of the values.</summary>
        Dictionary = 27,
        /// <summary>Array: `count` values follow. A typed one: `integer` is the type of its elements.</summary>
        Array = 28,
        /// <summary>PackedByteArray: `count` bytes in data.</summary>
        PackedByteArray = 29,
        /// <summary>PackedInt32Array: `count` int32_t in data, little-endian and maybe not aligned, so copy them out; so are all that follow.</summary>
        PackedInt32Array = 30,
        /// <summary>PackedInt64Array: `count` int64_t.</summary>
        PackedInt64Array = 31,
        /// <summary>PackedFloat32Array: `count` floats.</summary>
        PackedFloat32Array = 32,
        /// <summary>PackedFloat64Array: `count` doubles.</summary>
        PackedFloat64Array = 33,
        /// <summary>PackedStringArray: `count` STRINGs follow.</summary>
        PackedStringArray = 34,
        /// <summary>PackedVector2Array: 2 floats each; of an engine with double precision 2 doubles, and `len` is then twice as much.</summary>
        PackedVector2Array = 35,
        /// <summary>PackedVector3Array: 3 floats each, or doubles.</summary>
        PackedVector3Array = 36,
        /// <summary>PackedColorArray: 4 floats each.</summary>
        PackedColorArray = 37,
        /// <summary>PackedVector4Array: 4 floats each, or doubles.</summary>
        PackedVector4Array = 38,
    }

    /// <summary>What a build and platform can do.</summary>
    [Flags]
    public enum WebSocketFeatures : uint
    {
        /// <summary>ws_connect over ws://.</summary>
        Client = 1,
        /// <summary>ws_listen.</summary>
        Server = 2,
        /// <summary>wss://.</summary>
        Tls = 4,
        /// <summary>Request headers can be set and response headers read.</summary>
        Headers = 8,
        /// <summary>Protocol pings and their round-trip time.</summary>
        Ping = 16,
        /// <summary>ws_wait.</summary>
        Wait = 32,
        /// <summary>ws_pair and ws_attach.</summary>
        Pair = 64,
        /// <summary>permessage-deflate.</summary>
        Deflate = 128,
        /// <summary>ws_host, ws_join and ws_join_local.</summary>
        Multiplayer = 256,
        /// <summary>WebSocketFlags.Scene.</summary>
        Scene = 512,
    }
}
