// Generated from include/wspeer.h by `make generate`: do not edit.
using System;

namespace Wspeer
{
    /// <summary>The result of a call. 0 and above: success.</summary>
    public enum WebSocketResult : int
    {
        /// <summary>The call succeeded.</summary>
        Ok = 0,
        /// <summary>The call succeeded, but there is nothing to return. Ask again in the next frame.</summary>
        Empty = 1,
        /// <summary>Poll(): the time budget is exhausted and work is left. Nothing is lost: the next poll continues. A
        /// program with time left may poll again at once.</summary>
        More = 2,
        /// <summary>Some of several targets could not take the message. SKIPPED events name them.</summary>
        Partial = 3,
        /// <summary>The output did not fit, and the buffer holds its beginning: a text is cut at a code point and
        /// NUL-terminated. The call's length or count output is the whole size.</summary>
        Truncated = 4,
        /// <summary>An argument is out of range.</summary>
        ErrArg = -1,
        /// <summary>A required pointer is NULL.</summary>
        ErrNull = -2,
        /// <summary>The handle is invalid: it is 0, stale (freed or retired), or was never issued.</summary>
        ErrHandle = -3,
        /// <summary>The call does not apply to this type of handle; see the tables at the top of this header.</summary>
        ErrKind = -4,
        /// <summary>The handle is in the wrong state for the call. Messages can be sent only while OPEN, or before that
        /// with WebSocketFlags.QueueBeforeOpen.</summary>
        ErrState = -5,
        /// <summary>The outbound queue is full, and the message was not accepted. Poll, and send it again after the
        /// WRITABLE event.</summary>
        ErrFull = -6,
        /// <summary>A length is too large: a message exceeds MaxMessageBytes, a call or value does not fit the buffer,
        /// or memory cannot hold it.</summary>
        ErrTooBig = -7,
        /// <summary>A text is not valid UTF-8.</summary>
        ErrUtf8 = -8,
        /// <summary>The target does not exist, or cannot be reached from this handle.</summary>
        ErrTarget = -9,
        /// <summary>The WebSocketConfig is invalid: its size, its flags, or the value of a field.
        /// WebSocketLibrary.LastError names the field.</summary>
        ErrConfig = -10,
        /// <summary>The URL is invalid, or has a part that the call does not allow.</summary>
        ErrUrl = -11,
        /// <summary>A certificate, a key or PinSha256 in the config cannot be used.</summary>
        ErrTls = -12,
        /// <summary>WebSocketServer.Listen() and WebSocketMultiplayerPeer.Host(): the address cannot be bound.
        /// WebSocketLibrary.LastError has the reason.</summary>
        ErrAddress = -13,
        /// <summary>This build or platform does not support the call or the option; see WebSocketLibrary.Features.
        /// WebSocketCall.Decode() and WebSocketVariant.Decode(): a value has a type that only Godot can read.</summary>
        ErrUnsupported = -14,
        /// <summary>A limit of the library or the system is reached: no handle, descriptor, thread or memory is
        /// left.</summary>
        ErrLimit = -15,
        /// <summary>A defect in wspeer was caught. The handle is retired, and with it those that share its lock; the
        /// program continues. WebSocketLibrary.TryGetLog() has the details.</summary>
        ErrPanic = -16,
        /// <summary>WebSocketServer.Serve(): the directory does not exist or cannot be opened.
        /// WebSocketLibrary.LastError has the reason.</summary>
        ErrDirectory = -17,
    }

    /// <summary>The type of a message.</summary>
    public enum WebSocketMessageType : int
    {
        /// <summary>A text message, always valid UTF-8 (RFC 6455 section 5.6).</summary>
        Text = 1,
        /// <summary>A binary message (RFC 6455 section 5.6).</summary>
        Binary = 2,
        /// <summary>A remote call, with WebSocketFlags.Scene only. WebSocketCall.Encode() makes one to send,
        /// WebSocketCall.Decode() reads a received one.</summary>
        Call = 3,
        /// <summary>With WebSocketFlags.Scene: a packet of Godot's MultiplayerSpawner or MultiplayerSynchronizer, as it
        /// is on the wire. Received with WebSocketFlags.RawReplication only.</summary>
        Replication = 4,
        /// <summary>Received, with WebSocketFlags.Scene: SPAWN, for WebSocketReplicated.Decode().</summary>
        Spawn = 5,
        /// <summary>Received, with WebSocketFlags.Scene: DESPAWN, for WebSocketReplicated.Decode().</summary>
        Despawn = 6,
        /// <summary>Received, with WebSocketFlags.Scene: SYNC, for WebSocketReplicated.Decode().</summary>
        Sync = 7,
    }

    /// <summary>The state of a connection or server (RFC 6455).</summary>
    public enum WebSocketState : int
    {
        /// <summary>Name lookup, TCP, TLS or the opening handshake (RFC 6455 section 4) is in progress; with
        /// WebSocketFlags.Ask the request of a client waits for the program.</summary>
        Connecting = 0,
        /// <summary>Messages can be sent and received. A server is OPEN while it listens.</summary>
        Open = 1,
        /// <summary>The closing handshake (RFC 6455 section 7.1.2) is in progress. Messages that arrive are still
        /// delivered.</summary>
        Closing = 2,
        /// <summary>The connection has ended. Messages received before can still be read.</summary>
        Closed = 3,
        /// <summary>With WebSocketFlags.Reconnect: the link was lost, and the next one is not open yet. Messages
        /// received before can still be read. With SessionMs, of a client of a server too: messages are
        /// accepted.</summary>
        Lost = 4,
    }

    /// <summary>The type of a WebSocketEvent.</summary>
    public enum WebSocketEventType : int
    {
        /// <summary>A connection of WebSocketPeer.Connect(), WebSocketPeer.Pair() or WebSocketPeer.Attach() is OPEN. A
        /// join: it has received its id, event.PeerId, and with WebSocketFlags.Auth it has been admitted.</summary>
        Open = 1,
        /// <summary>A message was received: event.Packet.</summary>
        Message = 2,
        /// <summary>The peer has started the closing handshake (RFC 6455 section 7.1.3). event.Code is its status code,
        /// 1005 if it sent none; event.GetText() is its reason. wspeer answers by itself.</summary>
        CloseRequest = 3,
        /// <summary>The connection, or the server itself, has ended. This is the last event of its handle.</summary>
        Closed = 4,
        /// <summary>Server, host: a client has completed its opening handshake. event.Connection is its handle; on a
        /// host event.PeerId is its id. Join: peer event.PeerId is present. Peer 1 is the host. The others are reported
        /// with WebSocketFlags.Scene and WebSocketFlags.Godot3 only.</summary>
        Connected = 5,
        /// <summary>Server, host: a client's connection has ended. This is the last event of the client's handle, which
        /// retires in the server's next Poll(). Join with WebSocketFlags.Scene or WebSocketFlags.Godot3: peer
        /// event.PeerId has left. When the join's own connection ends, CLOSED stands for all peers.</summary>
        Disconnected = 6,
        /// <summary>The outbound queue has room again, after it refused a message.</summary>
        Writable = 7,
        /// <summary>event.Count messages or events were left out because a queue was full. event.Connection is a client
        /// of a server: its outbound queue had no room for messages to several targets. Reported once until there is
        /// room again. event.Connection is the server's own handle, a join, a client that reconnects, or a client of a
        /// server whose link was lost more than 8 times: the program did not read its events, so lifecycle events, and
        /// on a join errors about other peers, were dropped.</summary>
        Skipped = 8,
        /// <summary>A failure that does not end the connection. event.Cause and the text in event.GetText() describe
        /// it. The text of any event has at most 1024 bytes, and quotes at most 256 bytes of a path or name.</summary>
        Error = 9,
        /// <summary>With WebSocketFlags.Auth: peer event.PeerId has to be authenticated. Answer with SendAuth() and
        /// CompleteAuth(), or refuse it with Disconnect(), on a join Close(). AUTH events report the data that it
        /// sends. CONNECTED follows as CompleteAuth() describes.</summary>
        Authenticating = 10,
        /// <summary>With WebSocketFlags.Auth: event.Packet holds data that peer event.PeerId sent for its
        /// authentication.</summary>
        Auth = 11,
        /// <summary>ws_diagnose(): a step of opening the connection. event.GetText() is a sentence about it,
        /// event.Phase the phase that it belongs to, event.Cause what is wrong (WebSocketCause.None: the step
        /// succeeded), event.TimeNs when it happened.</summary>
        Step = 15,
        /// <summary>Server, host, with WebSocketFlags.ReportRefused: a client failed before CONNECTED. event.Phase,
        /// event.Cause and event.HttpStatus say why; event.GetText() is its address and port, a colon and a space, and
        /// the reason as a sentence. event.Connection is the server. event.Count is 1; when 256 of them wait to be
        /// read, further clients only add to the count of the last.</summary>
        Refused = 14,
        /// <summary>Server, host with WebSocketFlags.Ask: a client has sent a request on which the program decides:
        /// ws_accept() or ws_reply(). event.Connection is its handle, which is CONNECTING and has the texts and headers
        /// of the request. event.Count is 1 for a request to open a WebSocket, 0 for plain HTTP; event.Packet is the
        /// body of the request. Either CONNECTED follows or DISCONNECTED.</summary>
        Request = 16,
        /// <summary>Client, join with WebSocketFlags.Reconnect: the link was lost, and another is opened. The fields
        /// are those of CLOSED; event.Unsent is the number of accepted messages that had not left. OPEN follows, or
        /// CLOSED. On a join it stands for DISCONNECTED of all peers. With SessionMs, also of a server's client:
        /// nothing is lost, peers stay, and RESUMED follows, or CLOSED or DISCONNECTED.</summary>
        Lost = 17,
        /// <summary>With SessionMs: another link continues the session, and nothing was lost. event.Count is the number
        /// of messages that are sent again.</summary>
        Resumed = 18,
        /// <summary>With WebSocketFlags.Scene: peer event.PeerId has spawned a node of a scene that was declared with
        /// DeclareScene(). event.Packet is for WebSocketReplicated.Decode(). The peer's nodes are gone with its
        /// DISCONNECTED; on a join also with CLOSED, and with LOST if there is no session.</summary>
        Spawn = 19,
        /// <summary>With WebSocketFlags.Scene: peer event.PeerId has despawned such a node, or shows it no more to this
        /// one.</summary>
        Despawn = 20,
        /// <summary>With WebSocketFlags.Scene: peer event.PeerId has synchronized properties of one node or
        /// more.</summary>
        Sync = 21,
    }

    /// <summary>How far a connection had come when it ended.</summary>
    public enum WebSocketPhase : int
    {
        /// <summary>The event has no phase.</summary>
        None = 0,
        /// <summary>Name lookup.</summary>
        Dns = 1,
        /// <summary>Establishing the TCP connection.</summary>
        Tcp = 2,
        /// <summary>With WebSocketConfig.proxy: TLS to the proxy, and what it is asked and answers. The phases before
        /// it are those of the proxy's name and address, the phases after it those of the server.</summary>
        Proxy = 3,
        /// <summary>The TLS handshake, or a later failure of TLS.</summary>
        Tls = 4,
        /// <summary>The opening handshake over HTTP (RFC 6455 section 4).</summary>
        Http = 5,
        /// <summary>The WebSocket protocol, after the opening handshake.</summary>
        Websocket = 6,
        /// <summary>The application: a closing handshake that either side requested, a drop by the program, or a
        /// failure in the protocol above WebSocket, such as an authentication.</summary>
        App = 7,
    }

    /// <summary>Why a connection ended, or what an Error event reports.</summary>
    public enum WebSocketCause : int
    {
        /// <summary>The event has no cause.</summary>
        None = 0,
        /// <summary>The program requested the close, and the closing handshake was completed (RFC 6455 section
        /// 7.1.4).</summary>
        ClosedByHost = 1,
        /// <summary>The peer requested the close, and the closing handshake was completed (RFC 6455 section
        /// 7.1.4).</summary>
        ClosedByPeer = 2,
        /// <summary>The program dropped the connection (code -1), or closed it before it was OPEN.</summary>
        Dropped = 3,
        /// <summary>The peer ended the transport without a closing handshake.</summary>
        PeerGone = 4,
        /// <summary>The transport was reset or failed. event.OsError is the system's error number.</summary>
        Reset = 5,
        /// <summary>The server that this client belonged to was closed.</summary>
        ServerClosed = 6,
        /// <summary>The close made no progress for CloseTimeoutMs: the peer did not answer it, or did not read what was
        /// sent before it.</summary>
        CloseTimeout = 7,
        /// <summary>The close made no progress for CloseTimeoutMs, because the inbound queue was full and the program
        /// did not read it.</summary>
        NotReading = 8,
        /// <summary>The peer sent nothing for PongTimeoutMs, not even a pong (RFC 6455 section 5.5.3).</summary>
        PongTimeout = 9,
        /// <summary>The host name has no address.</summary>
        NameNotFound = 20,
        /// <summary>The name lookup failed for another reason.</summary>
        NameFailed = 21,
        /// <summary>ConnectTimeoutMs expired. event.Phase is the phase in which it did.</summary>
        ConnectTimeout = 22,
        /// <summary>Every address refused the TCP connection.</summary>
        Refused = 23,
        /// <summary>There is no route to any of the addresses.</summary>
        Unreachable = 24,
        /// <summary>TCP failed for another reason. event.OsError is the system's error number.</summary>
        TcpFailed = 25,
        /// <summary>The proxy refused to connect to the server, or could not. If it is an HTTP proxy, event.HttpStatus
        /// is its status, and its headers and the start of its answer's body can be read as those of a
        /// server.</summary>
        ProxyRefused = 26,
        /// <summary>The proxy requires a user name and password, or refused those of WebSocketConfig.proxy.</summary>
        ProxyAuth = 27,
        /// <summary>The proxy's answer is neither HTTP nor SOCKS 5, as WebSocketConfig.proxy says.</summary>
        ProxyInvalid = 28,
        /// <summary>The system or the browser probably keeps the program from the local network until the user allows
        /// it: iOS, macOS 15, Android 17, Chrome. The text says what to ask for; docs/platforms.md has what to
        /// declare.</summary>
        LocalNetwork = 29,
        /// <summary>The certificate was not issued by a trusted authority.</summary>
        CertificateUntrusted = 30,
        /// <summary>The certificate has expired, or is not valid yet. Check the clocks of both machines.</summary>
        CertificateExpired = 31,
        /// <summary>The certificate was issued for another name.</summary>
        CertificateName = 32,
        /// <summary>The certificate does not match PinSha256.</summary>
        CertificatePin = 33,
        /// <summary>The certificate cannot be used for another reason.</summary>
        CertificateBad = 34,
        /// <summary>The peer does not speak TLS.</summary>
        NotTls = 35,
        /// <summary>TLS failed for another reason.</summary>
        TlsFailed = 36,
        /// <summary>The server answered the request with a status other than 101, which is event.HttpStatus. With
        /// WebSocketFlags.Ask also the end of a client that was answered by ws_reply().</summary>
        HttpStatus = 40,
        /// <summary>The request or the response is not a valid opening handshake (RFC 6455 section 4).</summary>
        HttpInvalid = 41,
        /// <summary>The header of the request or response exceeds MaxHeaderBytes.</summary>
        HttpTooBig = 42,
        /// <summary>The two sides have no subprotocol in common, or the server chose one that was not
        /// offered.</summary>
        Subprotocol = 43,
        /// <summary>A client of the server did not complete its opening handshake within HandshakeTimeoutMs; with
        /// WebSocketFlags.Ask also: the program did not answer its request.</summary>
        HandshakeTimeout = 44,
        /// <summary>REFUSED: MaxClients or MaxClientsPerAddress is reached, or the server takes no new clients
        /// (WebSocketFlags.RefuseNew).</summary>
        Limit = 45,
        /// <summary>The peer violated RFC 6455 (close code 1002).</summary>
        Protocol = 50,
        /// <summary>The peer sent a text that is not valid UTF-8 (close code 1007, RFC 6455 section 8.1).</summary>
        Utf8 = 51,
        /// <summary>The peer sent a message or frame over MaxMessageBytes (close code 1009), or a message in more than
        /// MaxFragments fragments (1008).</summary>
        TooBig = 52,
        /// <summary>The peer exceeded MaxMessagesPerS or MaxBytesPerS (close code 1008).</summary>
        Rate = 53,
        /// <summary>The peer did not read, so its outbound queue was full, and OnFull is WebSocketFullPolicy.Disconnect
        /// (close code 1008).</summary>
        Full = 54,
        /// <summary>The peer sent compressed data that cannot be decompressed (close code 1007), or that expands to
        /// more than MaxInflateRatio times its size (1008).</summary>
        Deflate = 55,
        /// <summary>The peer violated the multiplayer format (close code 1002): a wrong first message, an id below 2, a
        /// false sender, a truncated header, or a value that cannot be read. ERROR of a join with WebSocketFlags.Scene:
        /// event.Count packets of peer event.PeerId, relayed by the host, violated the format.</summary>
        Multiplayer = 56,
        /// <summary>ERROR of a host with WebSocketFlags.Scene or WebSocketFlags.Godot3: event.Count messages of peer
        /// event.PeerId were addressed to peers that are not present.</summary>
        NoPeer = 57,
        /// <summary>The peer was not authenticated within WebSocketOption.AuthTimeoutMs (close code 1008).</summary>
        AuthTimeout = 58,
        /// <summary>ERROR with WebSocketFlags.Scene: a node has other methods at peer event.PeerId than were declared
        /// here. event.Count calls or paths that the peer sent were affected; its calls of that node are
        /// dropped.</summary>
        Checksum = 59,
        /// <summary>ERROR with WebSocketFlags.Scene: event.Count calls of peer event.PeerId were dropped, because their
        /// node or method is not declared here.</summary>
        NoNode = 62,
        /// <summary>ERROR with WebSocketFlags.Scene: event.Count packets of peer event.PeerId were dropped, because a
        /// program cannot use them: replication, objects as arguments, or authentication or relaying that is not
        /// enabled here.</summary>
        Unsupported = 63,
        /// <summary>ERROR of a client with WebSocketFlags.AppHeartbeat: the server does not offer the application
        /// heartbeat. Pings (RFC 6455 section 5.5.2) are sent instead.</summary>
        NoHeartbeat = 64,
        /// <summary>The session (SessionMs) ended: it was not resumed in time, or the server does not have it any more;
        /// event.Unsent messages may not have arrived. ERROR of a client: there is no session, and the connection goes
        /// on without.</summary>
        Session = 65,
        /// <summary>MaxTotalMib: all clients together make the server hold too much. ERROR of a server: clients that
        /// hold more than their share are not read from, and messages to them are refused. DISCONNECTED: this client
        /// held most and moved least; what had been received from it and not taken is dropped.</summary>
        Ceiling = 66,
        /// <summary>ERROR with WebSocketFlags.Scene: event.Count packets of peer event.PeerId were dropped, because it
        /// spawned or synchronized what only another peer may: the authority that was declared.</summary>
        Authority = 67,
        /// <summary>The system has no descriptor or memory left. ERROR with WebSocketFlags.Scene: event.Count calls of
        /// peer event.PeerId were dropped for lack of memory.</summary>
        Resources = 60,
        /// <summary>A defect in wspeer was caught. WebSocketLibrary.TryGetLog() has the details.</summary>
        Panic = 61,
    }

    /// <summary>Flags of WebSocketConfig.</summary>
    [Flags]
    public enum WebSocketFlags : uint
    {
        /// <summary>None.</summary>
        None = 0,
        /// <summary>Sent messages wait for Flush(), the next Poll() or 128 KiB, so that the messages of a frame leave
        /// in one write.</summary>
        Coalesce = 1,
        /// <summary>Messages are accepted while CONNECTING, and leave after the opening handshake. Not for a join with
        /// WebSocketFlags.Scene or WebSocketFlags.Godot3.</summary>
        QueueBeforeOpen = 2,
        /// <summary>Client: accept any certificate whose key has a supported type: P-256, P-384, Ed25519, or RSA of at
        /// least 2048 bits. For development only; the log has a warning.</summary>
        Insecure = 4,
        /// <summary>Client: trust only CaPem, neither the bundled roots nor those of the system.</summary>
        OnlyCaPem = 8,
        /// <summary>Server: refuse new clients with 503 until WebSocketOption.RefuseNew is set to 0.</summary>
        RefuseNew = 16,
        /// <summary>Use permessage-deflate (RFC 7692): a client offers it, and a server accepts it from clients that
        /// offer it.</summary>
        Deflate = 32,
        /// <summary>With WebSocketFlags.Deflate: the server compresses each message by itself
        /// (server_no_context_takeover, RFC 7692 section 7.1.1.1). This saves memory, and a broadcast is compressed
        /// only once.</summary>
        ServerNoContextTakeover = 64,
        /// <summary>With WebSocketFlags.Deflate: the client compresses each message by itself
        /// (client_no_context_takeover, RFC 7692 section 7.1.1.2).</summary>
        ClientNoContextTakeover = 128,
        /// <summary>WebSocketMultiplayerPeer.Host() and WebSocketMultiplayerPeer.Join(): use the format of Godot 3.2 to
        /// 3.6 with gd_mp_api, not Godot 4's. The host relays messages between clients.</summary>
        Godot3 = 256,
        /// <summary>Client: accept a trusted certificate that was issued for another name. For development
        /// only.</summary>
        AnyName = 512,
        /// <summary>WebSocketMultiplayerPeer.Host() and WebSocketMultiplayerPeer.Join(): speak the protocol of Godot
        /// 4's SceneMultiplayer. Peers learn of each other and reach each other through the host, send raw bytes, and
        /// make remote calls.</summary>
        Scene = 1024,
        /// <summary>With WebSocketFlags.Scene: peers are admitted only after an authentication, like Godot's
        /// auth_callback. AUTHENTICATING reports a new peer; see CompleteAuth().</summary>
        Auth = 2048,
        /// <summary>With WebSocketFlags.Scene: clients do not learn of each other, and the host relays nothing, like
        /// Godot's server_relay switched off. Set it on all sides or on none.</summary>
        NoRelay = 4096,
        /// <summary>Client and server: send the client's heartbeat as messages that the programs do not see, so that
        /// RttUs and PongTimeoutMs also work in a browser, which has no pings. HeartbeatMs then defaults to 20000 on a
        /// client too. If the server does not offer it, ERROR with WebSocketCause.NoHeartbeat is reported.
        /// docs/control-channel.md has the bytes.</summary>
        AppHeartbeat = 8192,
        /// <summary>Server, host: the program decides on each request that is valid and within the limits, and plain
        /// HTTP requests are accepted too: GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. REQUEST reports them;
        /// unless ws_accept() or ws_reply() answers one within HandshakeTimeoutMs, the client gets 503.</summary>
        Ask = 32768,
        /// <summary>Server: requests of TrustedProxies report the address of the client by the header Forwarded (RFC
        /// 7239), and by no other. A request whose header is malformed is refused with 400. Not with
        /// WebSocketFlags.XForwardedFor, because a proxy passes on a header that it does not set, as the client wrote
        /// it.</summary>
        Forwarded = 65536,
        /// <summary>Server: requests of TrustedProxies report the address of the client by the header X-Forwarded-For,
        /// and by no other.</summary>
        XForwardedFor = 131072,
        /// <summary>Server: connections of TrustedProxies begin with a header of the PROXY protocol, version 1 or 2,
        /// before TLS; one that does not is closed. With WebSocketFlags.Forwarded or WebSocketFlags.XForwardedFor too,
        /// that header is read if the address in the PROXY header is itself one of TrustedProxies.</summary>
        ProxyProtocol = 262144,
        /// <summary>Server: report clients that fail before CONNECTED by the event REFUSED; see
        /// WebSocketOption.ReportRefused.</summary>
        ReportRefused = 1048576,
        /// <summary>Client, join: when the link is lost (LOST) or does not open (ERROR), try again, with growing waits,
        /// until it is open, until RetryTries tries in a row have failed, or until Close(). docs/reconnecting.md says
        /// what is tried again, and when.</summary>
        Reconnect = 2097152,
        /// <summary>Server, host: several servers may listen on one port (SO_REUSEPORT), and the system gives each new
        /// connection to one of them: one server for each core, each polled by its own thread. All of them need this
        /// flag and the same user. On Linux connections are spread; other systems may give all to one.
        /// WebSocketResult.ErrUnsupported on Windows. docs/scale.md has an example.</summary>
        SharePort = 4194304,
        /// <summary>With WebSocketFlags.Scene: packets of Godot's MultiplayerSpawner and MultiplayerSynchronizer are
        /// messages of type WebSocketMessageType.Replication, as they are on the wire. Not with DeclareScene() and
        /// DeclareSynchronizer(), which read them.</summary>
        RawReplication = 8388608,
    }

    /// <summary>Flags of WebSocketServer.Serve().</summary>
    internal enum WebSocketServeFlags : uint
    {
        /// <summary>The pages may use threads: their responses have the headers Cross-Origin-Opener-Policy:
        /// same-origin, Cross-Origin-Embedder-Policy: require-corp and Cross-Origin-Resource-Policy: same-origin. Such
        /// a page loads only from its own server, or what other servers allow it to.</summary>
        Isolated = 1,
    }

    /// <summary>What the app knows of its device and network.</summary>
    public enum WebSocketHint : int
    {
        /// <summary>The app is suspended or hidden: a client that has lost its link begins no try until another
        /// hint.</summary>
        Suspend = 1,
        /// <summary>The app is shown again: the link is lost unless the peer answers a ping within 2 s; a client that
        /// waits for its next try begins it now.</summary>
        Resume = 2,
        /// <summary>The network has changed, for instance from Wi-Fi to mobile: as WebSocketHint.Resume, and with a
        /// session the client opens another link beside its own, to which it moves once that is open.</summary>
        NetworkChanged = 3,
    }

    /// <summary>What a message to several targets does about one whose queue is full.</summary>
    public enum WebSocketFullPolicy : uint
    {
        /// <summary>Skip that target: the call returns WebSocketResult.Partial, SKIPPED is reported, and WRITABLE once
        /// there is room. The default of servers.</summary>
        Skip = 1,
        /// <summary>Disconnect that target with the close code 1008; the call returns WebSocketResult.Partial. The
        /// default of hosts.</summary>
        Disconnect = 2,
        /// <summary>Accept the message for all targets or for none: the call fails with WebSocketResult.ErrFull. A
        /// client that has lost its link (SessionMs) holds up nobody: if it is full, its session ends, and the call
        /// returns WebSocketResult.Partial.</summary>
        AllOrNone = 3,
    }

    /// <summary>The role of one end of a connection.</summary>
    public enum WebSocketRole : int
    {
        /// <summary>The client: it sends the request and masks its frames (RFC 6455 section 5.3).</summary>
        Client = 1,
        /// <summary>The server: it answers the request.</summary>
        Server = 2,
    }

    /// <summary>Texts that a connection has.</summary>
    public enum WebSocketText : int
    {
        /// <summary>The URL in use, without user name and password. A server: its own URL, with the actual port. A
        /// server's client: the URL of its request.</summary>
        Url = 1,
        /// <summary>The path of the request, without the query.</summary>
        Path = 2,
        /// <summary>The query of the request, without the question mark.</summary>
        Query = 3,
        /// <summary>The agreed subprotocol (RFC 6455 section 1.9), or "".</summary>
        Subprotocol = 4,
        /// <summary>The reason in the deciding close frame (RFC 6455 section 7.1.6): the peer's, or ours if none was
        /// received.</summary>
        CloseReason = 5,
        /// <summary>Why the connection ended, its link was lost or its last try failed, and what to do about it, as a
        /// sentence; else "".</summary>
        Error = 6,
        /// <summary>The local address and port: "127.0.0.1:9080", "[::1]:9080".</summary>
        LocalAddress = 7,
        /// <summary>The peer's address and port. Behind TrustedProxies it is the client's, with port 0 if the proxy
        /// does not report it.</summary>
        RemoteAddress = 8,
        /// <summary>The first KiB of the response body, if the server refused the request. It ends 250 ms after the
        /// header at the latest; invalid UTF-8 is replaced.</summary>
        Body = 9,
        /// <summary>The TLS version and cipher suite, or "" on ws://.</summary>
        Tls = 10,
        /// <summary>The agreed parameters of permessage-deflate, such as "permessage-deflate;
        /// server_no_context_takeover", or "".</summary>
        Extensions = 11,
        /// <summary>The address and port of the socket's other end: behind TrustedProxies that of the proxy.</summary>
        PeerAddress = 12,
        /// <summary>The method of the request: "GET", or with WebSocketFlags.Ask that of a plain HTTP
        /// request.</summary>
        Method = 13,
    }

    /// <summary>Options that can be read and set while a connection or server is open.</summary>
    public enum WebSocketOption : int
    {
        /// <summary>TCP_NODELAY: 1 (default) or 0.</summary>
        NoDelay = 1,
        /// <summary>WebSocketConfig.HeartbeatMs; 0 and WebSocketConfig.Off: no pings. If it is switched on while OPEN,
        /// the next poll pings.</summary>
        HeartbeatMs = 2,
        /// <summary>WebSocketConfig.PongTimeoutMs; 0: three times HeartbeatMs.</summary>
        PongTimeoutMs = 3,
        /// <summary>WebSocketConfig.CloseTimeoutMs.</summary>
        CloseTimeoutMs = 4,
        /// <summary>WebSocketConfig.PollBudgetUs.</summary>
        PollBudgetUs = 5,
        /// <summary>WebSocketConfig.MaxMessageBytes.</summary>
        MaxMessageBytes = 6,
        /// <summary>WebSocketConfig.MaxFragments.</summary>
        MaxFragments = 7,
        /// <summary>WebSocketConfig.InboundPackets.</summary>
        InboundPackets = 8,
        /// <summary>WebSocketConfig.InboundBytes.</summary>
        InboundBytes = 9,
        /// <summary>WebSocketConfig.OutboundPackets.</summary>
        OutboundPackets = 10,
        /// <summary>WebSocketConfig.OutboundBytes.</summary>
        OutboundBytes = 11,
        /// <summary>WebSocketConfig.MaxMessagesPerS.</summary>
        MaxMessagesPerS = 12,
        /// <summary>WebSocketConfig.MaxBytesPerS.</summary>
        MaxBytesPerS = 13,
        /// <summary>The flag WebSocketFlags.Coalesce: 0 or 1.</summary>
        Coalesce = 14,
        /// <summary>Server: the flag WebSocketFlags.RefuseNew: 0 or 1.</summary>
        RefuseNew = 15,
        /// <summary>Server: WebSocketConfig.MaxClients.</summary>
        MaxClients = 16,
        /// <summary>Server: WebSocketConfig.MaxClientsPerAddress.</summary>
        MaxClientsPerAddress = 17,
        /// <summary>Server: WebSocketConfig.MaxPendingHandshakes.</summary>
        MaxPendingHandshakes = 18,
        /// <summary>Server: WebSocketConfig.HandshakeTimeoutMs.</summary>
        HandshakeTimeoutMs = 19,
        /// <summary>Server: WebSocketConfig.OnFull.</summary>
        OnFull = 20,
        /// <summary>The local port, read only: the one chosen for "ws://127.0.0.1:0".</summary>
        Port = 21,
        /// <summary>WebSocketConfig.DeflateThresholdBytes.</summary>
        DeflateThresholdBytes = 22,
        /// <summary>WebSocketConfig.MaxInflateRatio.</summary>
        MaxInflateRatio = 23,
        /// <summary>Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default).
        /// Only stored: every packet is reliable and ordered.</summary>
        TransferMode = 24,
        /// <summary>Host, join: Godot's transfer channel (default 0). Only stored: every packet uses the one
        /// connection.</summary>
        TransferChannel = 25,
        /// <summary>Host, join with WebSocketFlags.Auth: time limit of the authentication of a peer, in milliseconds
        /// (default: 3000); WebSocketConfig.Off: none. It applies to peers that arrive later.</summary>
        AuthTimeoutMs = 26,
        /// <summary>Host, join: WebSocketConfig.MaxCallBytes.</summary>
        MaxCallBytes = 27,
        /// <summary>Host, join: WebSocketConfig.MaxCallItems.</summary>
        MaxCallItems = 28,
        /// <summary>Server: WebSocketConfig.MaxBodyBytes.</summary>
        MaxBodyBytes = 29,
        /// <summary>Server: the flag WebSocketFlags.ReportRefused: 0 or 1. ws_get_stats() counts refused clients in any
        /// case.</summary>
        ReportRefused = 30,
        /// <summary>Server: WebSocketConfig.MaxDownloads.</summary>
        MaxDownloads = 32,
        /// <summary>Server: WebSocketConfig.MaxDownloadsPerAddress.</summary>
        MaxDownloadsPerAddress = 33,
        /// <summary>Server: time in which a client of WebSocketServer.Serve() must take 64 KiB of a file, in
        /// milliseconds (default: 30000); WebSocketConfig.Off: any. A slower client is dropped.</summary>
        DownloadTimeoutMs = 34,
        /// <summary>WebSocketConfig.RetryMinMs.</summary>
        RetryMinMs = 35,
        /// <summary>WebSocketConfig.RetryMaxMs.</summary>
        RetryMaxMs = 36,
        /// <summary>WebSocketConfig.RetryTries.</summary>
        RetryTries = 37,
        /// <summary>Server: WebSocketConfig.MaxLost.</summary>
        MaxLost = 38,
        /// <summary>Server: WebSocketConfig.MaxTopics.</summary>
        MaxTopics = 39,
        /// <summary>Server: WebSocketConfig.MaxServerTopics.</summary>
        MaxServerTopics = 40,
        /// <summary>Server: WebSocketConfig.MaxTotalMib.</summary>
        MaxTotalMib = 41,
        /// <summary>WebSocketConfig.MaxPutBytes; a host or join has 65535 unless it is set.</summary>
        MaxPutBytes = 42,
        /// <summary>Server: 1: new clients are not even accepted but wait in the system's queue until it is 0 again, as
        /// with Godot's own classes; those in their opening handshake are refused as by
        /// WebSocketOption.RefuseNew.</summary>
        HoldNew = 43,
    }

    /// <summary>The level of log lines.</summary>
    public enum WebSocketLogLevel : int
    {
        /// <summary>No lines.</summary>
        Off = 0,
        /// <summary>Defects of wspeer, and system failures that concern no single connection.</summary>
        Error = 1,
        /// <summary>Probable mistakes such as WebSocketFlags.Insecure, and clients that were refused. The
        /// default.</summary>
        Warn = 2,
        /// <summary>Connections that open and end, and servers that listen.</summary>
        Info = 3,
        /// <summary>Details of connecting and freeing.</summary>
        Debug = 4,
    }

    /// <summary>Structs whose size the library reports.</summary>
    internal enum WebSocketStruct : int
    {
        /// <summary>WebSocketConfig, which may grow in later versions.</summary>
        Config = 1,
        /// <summary>WebSocketStats, which may grow in later versions.</summary>
        Stats = 2,
        /// <summary>ws_packet, whose layout is fixed.</summary>
        Packet = 3,
        /// <summary>ws_event, whose layout is fixed.</summary>
        Event = 4,
        /// <summary>ws_variant, whose layout is fixed.</summary>
        Variant = 5,
        /// <summary>ws_call, whose layout is fixed.</summary>
        Call = 6,
        /// <summary>ws_packet_out, whose layout is fixed.</summary>
        PacketOut = 7,
        /// <summary>WebSocketSim, which may grow in later versions.</summary>
        Sim = 8,
        /// <summary>ws_replicated, whose layout is fixed.</summary>
        Replicated = 9,
    }

    /// <summary>Bad networks with names, for WebSocketSim.Preset().</summary>
    public enum WebSocketSimPreset : int
    {
        /// <summary>A perfect network.</summary>
        None = 0,
        /// <summary>A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back.</summary>
        Wifi = 1,
        /// <summary>4G (LTE) of somebody who moves.</summary>
        Mobile4g = 2,
        /// <summary>A train or a car between cells: nothing arrives for two seconds every half minute.</summary>
        Train = 3,
        /// <summary>A geostationary satellite: 630 ms there and back.</summary>
        Satellite = 4,
    }

    /// <summary>Types of the values in a Godot remote call: Variant.Type.</summary>
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
        /// <summary>Basis: row by row. The first row has the x components of the three axes.</summary>
        Basis = 17,
        /// <summary>Transform3D: its Basis, then its origin.</summary>
        Transform3d = 18,
        /// <summary>Projection: column by column.</summary>
        Projection = 19,
        /// <summary>Color: r, g, b, a.</summary>
        Color = 20,
        /// <summary>StringName: as STRING.</summary>
        StringName = 21,
        /// <summary>NodePath: `count` STRING items follow, first names, then number[0] sub-names. `integer` is 1 if the
        /// path is absolute.</summary>
        NodePath = 22,
        /// <summary>RID: cannot be sent.</summary>
        Rid = 23,
        /// <summary>Object: cannot be sent.</summary>
        Object = 24,
        /// <summary>Callable: cannot be sent.</summary>
        Callable = 25,
        /// <summary>Signal: cannot be sent.</summary>
        Signal = 26,
        /// <summary>Dictionary: `count` pairs of items follow, each a key and its value. In a typed one `integer` is
        /// the type of the keys plus 256 times the type of the values.</summary>
        Dictionary = 27,
        /// <summary>Array: `count` values follow. In a typed one `integer` is the type of the elements.</summary>
        Array = 28,
        /// <summary>PackedByteArray: `count` bytes in data.</summary>
        PackedByteArray = 29,
        /// <summary>PackedInt32Array: `count` int32_t in data. The elements of this and the following arrays are
        /// little-endian and may be unaligned: copy them out.</summary>
        PackedInt32Array = 30,
        /// <summary>PackedInt64Array: `count` int64_t.</summary>
        PackedInt64Array = 31,
        /// <summary>PackedFloat32Array: `count` floats.</summary>
        PackedFloat32Array = 32,
        /// <summary>PackedFloat64Array: `count` doubles.</summary>
        PackedFloat64Array = 33,
        /// <summary>PackedStringArray: `count` STRING items follow.</summary>
        PackedStringArray = 34,
        /// <summary>PackedVector2Array: 2 floats for each element, or 2 doubles from an engine built with double
        /// precision; `len` is then twice as large.</summary>
        PackedVector2Array = 35,
        /// <summary>PackedVector3Array: 3 floats or doubles for each element.</summary>
        PackedVector3Array = 36,
        /// <summary>PackedColorArray: 4 floats for each element.</summary>
        PackedColorArray = 37,
        /// <summary>PackedVector4Array: 4 floats or doubles for each element.</summary>
        PackedVector4Array = 38,
    }

    /// <summary>What a build and platform support.</summary>
    [Flags]
    public enum WebSocketFeatures : uint
    {
        /// <summary>WebSocketPeer.Connect() over ws://.</summary>
        Client = 1,
        /// <summary>WebSocketServer.Listen().</summary>
        Server = 2,
        /// <summary>wss:// URLs.</summary>
        Tls = 4,
        /// <summary>Setting request headers and reading response headers.</summary>
        Headers = 8,
        /// <summary>Pings and their round-trip time (RFC 6455 section 5.5.2).</summary>
        Ping = 16,
        /// <summary>Wait().</summary>
        Wait = 32,
        /// <summary>WebSocketPeer.Pair() and WebSocketPeer.Attach().</summary>
        Pair = 64,
        /// <summary>permessage-deflate (RFC 7692).</summary>
        Deflate = 128,
        /// <summary>WebSocketMultiplayerPeer.Join(); with WebSocketFeatures.Server also WebSocketMultiplayerPeer.Host()
        /// and WebSocketMultiplayerPeer.JoinLocal().</summary>
        Multiplayer = 256,
        /// <summary>WebSocketFlags.Scene.</summary>
        Scene = 512,
    }

    /// <summary>Scenes of a MultiplayerSpawner that are no index in its list.</summary>
    public static class WebSocketScene
    {
        /// <summary>DeclareScene(), Spawn(): what MultiplayerSpawner.spawn(data) makes, by the spawner's
        /// spawn_function.</summary>
        public const uint Custom = 255;
        /// <summary>WebSocketReplicated.Scene: the synchronizer is of no spawned node; DeclareSynchronizer() declared
        /// it.</summary>
        public const uint None = 256;
    }
}
