using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>A server. Its clients are WebSocketConnections, reported by Connected and Disconnected; Events takes
    /// from all clients in turn.</summary>
    public sealed unsafe class WebSocketServer : WebSocketEndpoint
    {
        readonly Inbox ofOne;

        WebSocketServer(uint handle) : base(handle, true)
        {
            ofOne = new Inbox(this);
        }

        /// <summary>Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (IPv4 and IPv6),
        /// "ws://localhost:0" (any free port). With a path other than "/", only requests for that path are accepted.
        /// wss:// needs CertPem and KeyPem. A bind failure throws WebSocketException at once.</summary>
        public static WebSocketServer Listen(string url, WebSocketConfig config = null) =>
            new WebSocketServer(Open(Opener.Listen, url, config));

        /// <summary>The port that it listens on.</summary>
        public int Port => (int)Connection.GetOption(WebSocketOption.Port);

        /// <summary>Queues a message for one client. Unlike the client's own Send, this checks that it is a client of
        /// this server.</summary>
        public WebSocketResult SendTo(WebSocketConnection client, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Put((int)client.Handle, data, type);
        }

        /// <summary>Queues a message for all clients except one, which may have gone.</summary>
        public WebSocketResult SendToAllBut(WebSocketConnection client, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Put(-(int)client.Handle, data, type);
        }

        /// <summary>SendLatest to one client.</summary>
        public WebSocketResult SendLatestTo(WebSocketConnection client, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Outgoing.SendLatest(Connection.Handle, (int)client.Handle, key, data, type);
        }

        /// <summary>Queues a message for the clients that have subscribed to a topic, with Connection.Subscribe of each,
        /// but not for `except`; default: for all of them. It is encoded once, and costs with the number of subscribers. A
        /// topic without subscribers is no error.</summary>
        public WebSocketResult Publish(string topic, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary,
            WebSocketConnection except = default(WebSocketConnection))
        {
            return Outgoing.Publish(Connection.Handle, topic, data, type, (int)except.Handle);
        }

        /// <summary>Publishes a text message.</summary>
        public WebSocketResult PublishText(string topic, string text,
            WebSocketConnection except = default(WebSocketConnection))
        {
            return Publish(topic, Outgoing.Utf8(text), WebSocketMessageType.Text, except);
        }

        /// <summary>Publishes a message that takes the place of the one with this key that has not left to a subscriber, as
        /// SendLatest does.</summary>
        public WebSocketResult PublishLatest(string topic, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary,
            WebSocketConnection except = default(WebSocketConnection))
        {
            return Outgoing.PublishLatest(Connection.Handle, topic, key, data, type, (int)except.Handle);
        }

        /// <summary>The same with a text.</summary>
        public WebSocketResult PublishLatestText(string topic, uint key, string text,
            WebSocketConnection except = default(WebSocketConnection))
        {
            return PublishLatest(topic, key, Outgoing.Utf8(text), WebSocketMessageType.Text, except);
        }

        /// <summary>All topics that have subscribers, sorted.</summary>
        public string[] GetTopics() => Connection.GetTopics();

        /// <summary>Closes one client; code and reason as for Close.</summary>
        public WebSocketResult Disconnect(WebSocketConnection client, int code = 0, string reason = null) =>
            Disconnect((int)client.Handle, false, code, reason);

        /// <summary>Closes all clients and goes on listening; code and reason as for Close.</summary>
        public WebSocketResult DisconnectAll(int code = 0, string reason = null) =>
            Disconnect(0, false, code, reason);

        /// <summary>Replaces the certificate of a wss:// server for new connections. If it cannot be used or has
        /// expired, the result is ErrTls and the old one stays.</summary>
        public WebSocketResult SetCertificate(string certPem, string keyPem) =>
            WebSocketCertificate.Set(Connection.Handle, certPem, keyPem);

        /// <summary>Serves the files of a directory to GET and HEAD requests for paths below prefix, such as "/". With
        /// isolated, its pages may use threads. ErrDirectory: the directory cannot be opened.</summary>
        public WebSocketResult Serve(string prefix, string directory, bool isolated = false)
        {
            if (directory == null) throw new ArgumentNullException(nameof(directory));
            return Serve(Connection.Handle, prefix, directory, isolated);
        }

        /// <summary>Ends what Serve began for this prefix. Downloads in progress go on.</summary>
        public WebSocketResult StopServing(string prefix) => Serve(Connection.Handle, prefix, null, false);

        internal static WebSocketResult Serve(uint server, string prefix, string directory, bool isolated)
        {
            fixed (byte* start = NativeTexts.Terminated(prefix, nameof(prefix)),
                path = NativeTexts.Terminated(directory, nameof(directory)))
                return (WebSocketResult)Native.ws_serve(server, start, path,
                    isolated ? (uint)WebSocketServeFlags.Isolated : 0);
        }

        /// <summary>Ends the server without losing its players, for a restart: new requests are refused with 503, each
        /// client is closed with 1012 when everything sent to it has arrived, and all that are left after `windowMs`.
        /// They are told to come back after `retryMs` at least, to `url`; null: to the URL that they have. Closed
        /// follows.</summary>
        public WebSocketResult Drain(uint windowMs, uint retryMs = 0, string url = null) =>
            Drain(Connection.Handle, windowMs, retryMs, url);

        internal static WebSocketResult Drain(uint server, uint windowMs, uint retryMs, string url)
        {
            fixed (byte* text = NativeTexts.Terminated(url, nameof(url)))
                return (WebSocketResult)Native.ws_drain(server, windowMs, retryMs, text);
        }

        /// <summary>Takes the next event of one client. Leave a client unread while replies to it do not fit its queue:
        /// it is slowed down and the others are not. The event is lent until the next one is taken by this function, or
        /// until Poll or Dispose. Throws when the client was freed.</summary>
        public bool TryGetEvent(WebSocketConnection client, out WebSocketEvent taken)
        {
            ofOne.Begin();
            return ofOne.TakeEvent(client.Handle, false, out taken);
        }

        /// <summary>A poll may retire a client, which ends what was lent of it.</summary>
        internal override void EndOtherLoans() => ofOne.Drop();

        /// <summary>Lists the clients, including those whose Disconnected has not been taken. Returns their number,
        /// even when `into` is too small.</summary>
        public int GetConnections(Span<WebSocketConnection> into)
        {
            UIntPtr count;
            fixed (WebSocketConnection* list = &MemoryMarshal.GetReference(into))
                ((WebSocketResult)Native.ws_get_conns(Connection.Handle, (uint*)list, (UIntPtr)into.Length,
                    &count)).ThrowIfFailed();
            return (int)count;
        }

        /// <summary>Lists the clients with queued events, for servers that read each client separately. Returns their
        /// number, as GetConnections.</summary>
        public int GetWaiting(Span<WebSocketConnection> into)
        {
            UIntPtr count;
            fixed (WebSocketConnection* list = &MemoryMarshal.GetReference(into))
                ((WebSocketResult)Native.ws_get_waiting(Connection.Handle, (uint*)list, (UIntPtr)into.Length,
                    &count)).ThrowIfFailed();
            return (int)count;
        }

        WebSocketResult Put(int target, ReadOnlySpan<byte> data, WebSocketMessageType type)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_put_packet_to(Connection.Handle, target, bytes, (UIntPtr)data.Length,
                    (int)type);
        }
    }
}
