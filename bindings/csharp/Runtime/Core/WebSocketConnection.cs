using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>The handle of a connection or server: a client of a server, or the Connection of a WebSocketPeer,
    /// WebSocketServer or WebSocketMultiplayerPeer. It owns nothing and may be copied and kept. A stale one gives
    /// ErrHandle, never a crash: a server's client retires in the server's first Poll after its Disconnected was
    /// taken.</summary>
    public readonly struct WebSocketConnection : IEquatable<WebSocketConnection>
    {
        /// <summary>The ws_handle.</summary>
        public readonly uint Handle;

        /// <summary>Wraps a ws_handle that was kept.</summary>
        public WebSocketConnection(uint handle)
        {
            Handle = handle;
        }

        /// <summary>The state now; unread events may describe an earlier one. Closed when the connection was
        /// freed.</summary>
        public WebSocketState State
        {
            get
            {
                int state = Native.ws_get_state(Handle);
                return state < 0 ? WebSocketState.Closed : (WebSocketState)state;
            }
        }

        /// <summary>Number of messages ready to be read; 0 when the connection was freed.</summary>
        public int Available => Math.Max(0, Native.ws_get_available(Handle));

        /// <summary>The multiplayer peer id: 1 is the host; 0 for a join that has not received its id, and outside
        /// multiplayer.</summary>
        public int PeerId => Math.Max(0, Native.ws_get_peer_id(Handle));

        /// <summary>A text that WebSocketText names: URL, address, why the connection ended. Throws when the connection
        /// was freed or has no such text.</summary>
        public string GetText(WebSocketText what) =>
            NativeTexts.Copied(NativeTexts.Source.OfConnection, Handle, (int)what) ?? "";

        /// <summary>The value of a header of the HTTP request (a server's client) or response (a client); null when
        /// there is none. `index` counts headers of the same name. Throws when the connection was freed.</summary>
        public string GetHeader(string name, int index = 0)
        {
            if (name == null) throw new ArgumentNullException(nameof(name));
            if (index < 0) throw new ArgumentOutOfRangeException(nameof(index));
            return NativeTexts.Copied(NativeTexts.Source.Header, Handle, 0, name, (uint)index);
        }

        /// <summary>The statistics. Throws when the connection was freed.</summary>
        public unsafe WebSocketStats GetStats()
        {
            WebSocketStats stats;
            ((WebSocketResult)Native.ws_get_stats(Handle, &stats, (UIntPtr)sizeof(WebSocketStats))).ThrowIfFailed();
            return stats;
        }

        /// <summary>How the connection ended, even if its Closed or Disconnected is still queued behind messages; false
        /// while it is open. Throws when it was freed.</summary>
        public unsafe bool TryGetEnd(out WebSocketEnd end)
        {
            NativeEvent native;
            WebSocketResult result = ((WebSocketResult)Native.ws_get_end(Handle, &native)).ThrowIfFailed();
            end = result == WebSocketResult.Ok ? new WebSocketEnd(native) : default(WebSocketEnd);
            return result == WebSocketResult.Ok;
        }

        /// <summary>Reads an option. Throws when this connection does not have it.</summary>
        public unsafe uint GetOption(WebSocketOption option)
        {
            uint value;
            ((WebSocketResult)Native.ws_get_option(Handle, (int)option, &value)).ThrowIfFailed();
            return value;
        }

        /// <summary>With WebSocketFlags.Reconnect: changes the URL from the next try on.</summary>
        public unsafe WebSocketResult SetUrl(string url)
        {
            fixed (byte* text = NativeTexts.Terminated(url, nameof(url)))
                return (WebSocketResult)Native.ws_set_url(Handle, text);
        }

        /// <summary>With WebSocketFlags.Reconnect: sets an extra header of the request from the next try on, in the place
        /// of all with this name; null removes them.</summary>
        public unsafe WebSocketResult SetHeader(string name, string value)
        {
            fixed (byte* key = NativeTexts.Terminated(name, nameof(name)),
                text = NativeTexts.Terminated(value, nameof(value)))
                return (WebSocketResult)Native.ws_set_header(Handle, key, value == null ? null : text);
        }

        /// <summary>A client: tells it what the app knows of its device and network.</summary>
        public WebSocketResult Hint(WebSocketHint hint) => (WebSocketResult)Native.ws_hint(Handle, (int)hint);

        /// <summary>Sets an option from now on.</summary>
        public WebSocketResult SetOption(WebSocketOption option, uint value) =>
            (WebSocketResult)Native.ws_set_option(Handle, (int)option, value);

        /// <summary>Sets a value for your use that comes back in every packet and event of this connection.</summary>
        public unsafe WebSocketResult SetUser(IntPtr user) =>
            (WebSocketResult)Native.ws_set_user(Handle, (UIntPtr)user.ToPointer());

        /// <summary>Simulates a bad network between this end and its peer. On a server: for all clients, and those to
        /// come. ErrConfig: a figure cannot be used; WebSocketLibrary.LastError names it.</summary>
        public unsafe WebSocketResult SetSim(WebSocketSim sim) => (WebSocketResult)Native.ws_set_sim(Handle, &sim);

        /// <summary>A perfect network again. What was held leaves at once, in order.</summary>
        public unsafe WebSocketResult ClearSim() => (WebSocketResult)Native.ws_set_sim(Handle, null);

        /// <summary>For ends of WebSocketPeer.Pair() and Attach(): advances their time by `us` microseconds. From the
        /// first call on it moves in no other way, so that a test does the same each time.</summary>
        public WebSocketResult AdvanceTime(uint us) => (WebSocketResult)Native.ws_advance_time(Handle, us);

        /// <summary>Queues a message; the bytes are copied. Ok: accepted. ErrFull: not accepted; send it again after
        /// Writable.</summary>
        public unsafe WebSocketResult Send(ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_put_packet(Handle, bytes, (UIntPtr)data.Length, (int)type);
        }

        /// <summary>Queues a message.</summary>
        public WebSocketResult Send(byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Send(new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))), type);
        }

        /// <summary>Queues a message from unmanaged memory, such as a NativeArray.</summary>
        public unsafe WebSocketResult Send(IntPtr data, int length,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            if (length < 0) throw new ArgumentOutOfRangeException(nameof(length));
            return (WebSocketResult)Native.ws_put_packet(Handle, (byte*)data, (UIntPtr)length, (int)type);
        }

        /// <summary>Queues a text message. Unpaired surrogates are sent as U+FFFD, as in a browser.</summary>
        public WebSocketResult SendText(string text) => Send(Outgoing.Utf8(text), WebSocketMessageType.Text);

        /// <summary>Queues several messages, in order, up to the first that is not accepted: Send for each, in one call
        /// that writes once and causes no garbage. The messages are parts of `data`. `taken`: how many were accepted.
        /// The result is Ok if all were, else it is about messages[taken]. ErrFull: send that and those behind it again
        /// after Writable.</summary>
        public WebSocketResult SendMany(ReadOnlySpan<byte> data, ReadOnlySpan<WebSocketMessage> messages, out int taken)
        {
            return Outgoing.SendMany(Handle, data, messages, out taken);
        }

        /// <summary>Queues a message that stands for what is true now, such as the position of an object: it takes the
        /// place of the one with this key that has not left, if there is one. So a slow line carries no old states. ErrFull
        /// leaves the older one in its place.</summary>
        public WebSocketResult SendLatest(uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary) => Outgoing.SendLatest(Handle, 0, key, data, type);

        /// <summary>The same with a text.</summary>
        public WebSocketResult SendLatestText(uint key, string text) =>
            SendLatest(key, Outgoing.Utf8(text), WebSocketMessageType.Text);

        /// <summary>A client of a server or host: from now on it receives what Publish sends to this topic. The name has 1
        /// to 255 bytes without control characters. ErrLimit: MaxTopics or MaxServerTopics.</summary>
        public unsafe WebSocketResult Subscribe(string topic)
        {
            fixed (byte* name = NativeTexts.Topic(topic)) return (WebSocketResult)Native.ws_subscribe(Handle, name);
        }

        /// <summary>A client of a server or host: ends the subscription to a topic, if there is one.</summary>
        public unsafe WebSocketResult Unsubscribe(string topic)
        {
            fixed (byte* name = NativeTexts.Topic(topic)) return (WebSocketResult)Native.ws_unsubscribe(Handle, name);
        }

        /// <summary>A client of a server or host: leaves all topics.</summary>
        public unsafe WebSocketResult UnsubscribeAll() => (WebSocketResult)Native.ws_unsubscribe(Handle, null);

        /// <summary>The topics of a client of a server or host, sorted; of a server or host: all that have subscribers.
        /// Throws when the connection was freed, or is neither.</summary>
        public string[] GetTopics() => NativeTexts.Topics(Handle);

        /// <summary>Server with Ask, after Request: opens the WebSocket; Connected follows. `subprotocol` is one that
        /// the client offers; null chooses by the server's Subprotocols. `headers` are more lines of the response,
        /// "Name: value". ErrState: the client has left, or the time to answer is over.</summary>
        public unsafe WebSocketResult Accept(string subprotocol = null, string[] headers = null)
        {
            using (NativeTexts texts = new NativeTexts())
            {
                fixed (byte* chosen = NativeTexts.Terminated(subprotocol, nameof(subprotocol)))
                    return (WebSocketResult)Native.ws_accept(Handle, chosen,
                        (byte**)texts.List(headers, nameof(headers)), (UIntPtr)(headers?.Length ?? 0));
            }
        }

        /// <summary>Server with Ask, after Request: answers with an HTTP response, status 200 to 599. The connection
        /// ends when it has left; Disconnected follows. ErrState as for Accept.</summary>
        public unsafe WebSocketResult Reply(int status, ReadOnlySpan<byte> body, string[] headers = null)
        {
            using (NativeTexts texts = new NativeTexts())
            {
                fixed (byte* bytes = &MemoryMarshal.GetReference(body))
                    return (WebSocketResult)Native.ws_reply(Handle, status,
                        (byte**)texts.List(headers, nameof(headers)), (UIntPtr)(headers?.Length ?? 0), bytes,
                        (UIntPtr)body.Length);
            }
        }

        /// <summary>Answers a request with a text.</summary>
        public WebSocketResult Reply(int status, string body = "", string[] headers = null) =>
            Reply(status, new ReadOnlySpan<byte>(System.Text.Encoding.UTF8.GetBytes(body ?? "")), headers);

        /// <summary>Starts the closing handshake after the queued messages. 0 means 1000; -1 drops the connection at
        /// once.</summary>
        public unsafe WebSocketResult Close(int code = 0, string reason = null)
        {
            fixed (byte* text = NativeTexts.Terminated(reason, nameof(reason)))
                return (WebSocketResult)Native.ws_close(Handle, code, text);
        }

        /// <summary>Whether both are the same connection.</summary>
        public bool Equals(WebSocketConnection other) => Handle == other.Handle;

        /// <inheritdoc/>
        public override bool Equals(object other) => other is WebSocketConnection connection && Equals(connection);

        /// <inheritdoc/>
        public override int GetHashCode() => (int)Handle;

        /// <summary>The number of the handle.</summary>
        public override string ToString() => Handle.ToString();

        /// <summary>Whether both are the same connection.</summary>
        public static bool operator ==(WebSocketConnection one, WebSocketConnection other) =>
            one.Handle == other.Handle;

        /// <summary>Whether they are different connections.</summary>
        public static bool operator !=(WebSocketConnection one, WebSocketConnection other) =>
            one.Handle != other.Handle;
    }
}
