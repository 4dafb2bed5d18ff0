using System;

namespace Wspeer
{
    /// <summary>The base of WebSocketPeer, WebSocketServer and WebSocketMultiplayerPeer: it owns a handle, polls, reads
    /// and sends. Any thread may call any method, but only one at a time may read. Dispose frees it in any state; so
    /// does the garbage collector. After Dispose, Poll, Send and similar calls return ErrHandle and there is nothing to
    /// read.</summary>
    public abstract unsafe class WebSocketEndpoint : IDisposable
    {
        readonly Inbox inbox;
        readonly uint handle;
        readonly bool hasClients;
        volatile bool disposed;

        internal WebSocketEndpoint(uint handle, bool hasClients)
        {
            this.handle = handle;
            this.hasClients = hasClients;
            inbox = new Inbox(this);
        }

        /// <summary>Its handle, with the calls that query and configure it.</summary>
        public WebSocketConnection Connection => new WebSocketConnection(handle);

        /// <summary>The state now; unread events may describe an earlier one. A server is Open while it
        /// listens.</summary>
        public WebSocketState State => Connection.State;

        /// <summary>Number of messages ready to be read.</summary>
        public int Available => inbox.Messages + Connection.Available;

        /// <summary>Its URL, without user name and password. For a server with the actual port.</summary>
        public string Url => Connection.GetText(WebSocketText.Url);

        /// <summary>Closes clients, and forgets their messages that were taken from the library and not handed
        /// out.</summary>
        internal WebSocketResult Disconnect(int target, bool byId, int code, string reason)
        {
            WebSocketResult result;
            fixed (byte* text = NativeTexts.Terminated(reason, nameof(reason)))
                result = (WebSocketResult)Native.ws_disconnect(handle, target, code, text);
            if (result == WebSocketResult.Ok) inbox.Forget(target, byId);
            return result;
        }

        /// <summary>Does the network work: connects, reads, writes, checks timers. Call it once a frame; it never
        /// blocks. More: the time budget ended with work left.</summary>
        public WebSocketResult Poll()
        {
            inbox.Begin();
            EndOtherLoans();
            return (WebSocketResult)Native.ws_poll(handle);
        }

        /// <summary>The queued events, messages included, in order: foreach (var e in peer.Events()). Up to 256 are
        /// taken from the library at once, so let a server's loop run to its end: a client whose Disconnected was taken
        /// retires in the next Poll, even if the loop ended before that event.</summary>
        public WebSocketEvents Events()
        {
            inbox.Begin();
            return new WebSocketEvents(this);
        }

        /// <summary>The queued messages; other events stay queued: foreach (var packet in peer.Packets()).</summary>
        public WebSocketPackets Packets()
        {
            inbox.Begin();
            return new WebSocketPackets(this);
        }

        /// <summary>Takes the next event; on a server or host it takes only that one from the library. Throws when
        /// WebSocketLibrary.Shutdown or FreeOwner has freed this object.</summary>
        public bool TryGetEvent(out WebSocketEvent taken) => NextEvent(!hasClients, out taken);

        internal bool NextEvent(bool ahead, out WebSocketEvent taken)
        {
            if (!disposed) return inbox.TakeEvent(handle, ahead, out taken);
            taken = default(WebSocketEvent);
            return false;
        }

        /// <summary>Takes the next message; other events stay queued. Throws like TryGetEvent.</summary>
        public bool TryGetPacket(out WebSocketPacket taken)
        {
            if (!disposed) return inbox.TakePacket(handle, out taken);
            taken = default(WebSocketPacket);
            return false;
        }

        /// <summary>Queues a message, to all clients on a server or host; the bytes are copied or written at once. Ok:
        /// accepted. ErrFull: not accepted; send it again after Writable.</summary>
        public WebSocketResult Send(ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary) =>
            Connection.Send(data, type);

        /// <summary>Queues a message.</summary>
        public WebSocketResult Send(byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary) =>
            Connection.Send(data, type);

        /// <summary>Queues a message from unmanaged memory, such as a NativeArray.</summary>
        public WebSocketResult Send(IntPtr data, int length, WebSocketMessageType type = WebSocketMessageType.Binary) =>
            Connection.Send(data, length, type);

        /// <summary>Queues a text message. Unpaired surrogates are sent as U+FFFD, as in a browser.</summary>
        public WebSocketResult SendText(string text) => Connection.SendText(text);

        /// <summary>Queues a message that stands for what is true now, such as the position of an object: it takes the
        /// place of the one with this key that has not left, if there is one. So a slow line carries no old
        /// states.</summary>
        public WebSocketResult SendLatest(uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary) => Connection.SendLatest(key, data, type);

        /// <summary>The same with a text.</summary>
        public WebSocketResult SendLatestText(uint key, string text) => Connection.SendLatestText(key, text);

        /// <summary>Queues several messages, in order, up to the first that is not accepted: Send for each, in one call
        /// that writes once and causes no garbage. The messages are parts of `data`; on a server or host each may have a
        /// target. `taken`: how many were accepted. The result is Ok if all were (Partial: some of several targets did
        /// not accept one), else it is about messages[taken]. ErrFull: send that and those behind it again after
        /// Writable, or skip it.</summary>
        public WebSocketResult SendMany(ReadOnlySpan<byte> data, ReadOnlySpan<WebSocketMessage> messages, out int taken)
        {
            return Connection.SendMany(data, messages, out taken);
        }

        /// <summary>Writes the queued messages: call it at the end of a frame with WebSocketFlags.Coalesce.</summary>
        public WebSocketResult Flush() => (WebSocketResult)Native.ws_flush(handle);

        /// <summary>Starts the closing handshake after the queued messages; poll until Closed to be sure that they were
        /// sent. 0 means 1000 (a server: 1001); -1 drops the connection at once; `reason` has up to 123
        /// bytes.</summary>
        public WebSocketResult Close(int code = 0, string reason = null) => Connection.Close(code, reason);

        /// <summary>Waits until there is something to poll or to read, for programs without frames. See
        /// WebSocketLibrary.Wait.</summary>
        public WebSocketResult Wait(int timeoutMs)
        {
            uint h = handle;
            return (WebSocketResult)Native.ws_wait(&h, (UIntPtr)1, timeoutMs);
        }

        /// <summary>Frees it in any state, with a server's clients; lent views end. Data that the peer has not
        /// acknowledged may be lost: to be sure, Close and poll until Closed first. Never blocks.</summary>
        public void Dispose()
        {
            disposed = true;
            Native.ws_free(handle);
            inbox.Drop();
            EndOtherLoans();
            GC.SuppressFinalize(this);
        }

        /// <summary>Safe at any time and on any thread: freeing a stale handle does nothing.</summary>
        ~WebSocketEndpoint() => Native.ws_free(handle);

        /// <summary>Before a poll and at the end: drops what was lent by handles other than this one.</summary>
        internal virtual void EndOtherLoans()
        {
        }

        /// <summary>Which function opens it.</summary>
        internal enum Opener { Connect, Listen, Host, Join, Diagnose, JoinLocal, Pair, Attach }

        /// <summary>Opens and returns the handle. Throws WebSocketException with the library's error text.</summary>
        internal static uint Open(Opener opener, string url, WebSocketConfig config, uint argument = 0)
        {
            uint second;
            return Open(opener, url, config, argument, out second);
        }

        internal static uint Open(Opener opener, string url, WebSocketConfig config, uint argument, out uint second)
        {
            bool needsUrl = opener <= Opener.Diagnose;
            if (needsUrl && url == null) throw new ArgumentNullException(nameof(url));
            WebSocketLibrary.Ready();
            uint first = 0, other = 0;
            int result;
            NativeConfig native;
            using (var texts = new NativeTexts())
            fixed (byte* u = NativeTexts.Terminated(url, nameof(url)))
            {
                ((WebSocketResult)Native.ws_config_init(&native, (UIntPtr)sizeof(NativeConfig))).ThrowIfFailed();
                (config ?? new WebSocketConfig()).Write(&native, texts);
                switch (opener)
                {
                    case Opener.Connect: result = Native.ws_connect(u, &native, &first); break;
                    case Opener.Listen: result = Native.ws_listen(u, &native, &first); break;
                    case Opener.Host: result = Native.ws_host(u, &native, &first); break;
                    case Opener.Join: result = Native.ws_join(u, &native, &first); break;
                    case Opener.Diagnose: result = Native.ws_diagnose(u, &native, &first); break;
                    case Opener.JoinLocal: result = Native.ws_join_local(argument, &native, &first); break;
                    case Opener.Pair: result = Native.ws_pair(&native, &first, &other); break;
                    default: result = Native.ws_attach(&native, (int)argument, &first); break;
                }
            }
            ((WebSocketResult)result).ThrowIfFailed();
            second = other;
            return first;
        }
    }
}
