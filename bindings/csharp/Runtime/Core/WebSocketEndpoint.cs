using System;

namespace Wspeer
{
    /// <summary>What a peer, a server and a multiplayer peer have in common: the handle that it owns, polling, reading and sending. Any thread may call anything, one thread
    /// at a time reads. Dispose frees it in any state; so does the garbage collector. Poll, Send and the like of a disposed one are ErrHandle, and it has nothing to read.</summary>
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

        /// <summary>Its number in the library, with what can be asked and set.</summary>
        public WebSocketConnection Connection => new WebSocketConnection(handle);

        /// <summary>Its state now, while the queue may lag. A server is Open while it listens.</summary>
        public WebSocketState State => Connection.State;

        /// <summary>How many messages wait to be read.</summary>
        public int Available => inbox.Messages + Connection.Available;

        /// <summary>Its URL, without user name and password. A server: with the real port.</summary>
        public string Url => Connection.GetText(WebSocketText.Url);

        /// <summary>Moves it on: connects, reads, writes, judges timers. Call it once a frame. Never blocks. More: the budget ended with work left.</summary>
        public WebSocketResult Poll()
        {
            inbox.Begin();
            EndOtherLoans();
            return (WebSocketResult)Native.ws_poll(handle);
        }

        /// <summary>The events that wait, messages among them, in order: foreach (var e in peer.Events()). Up to 256 are taken from the library at once, so let a server's
        /// loop run to its end: a client whose Disconnected was taken retires in the next Poll, even when the loop was left before it.</summary>
        public WebSocketEvents Events()
        {
            inbox.Begin();
            return new WebSocketEvents(this);
        }

        /// <summary>The messages that wait; other events stay: foreach (var packet in peer.Packets()).</summary>
        public WebSocketPackets Packets()
        {
            inbox.Begin();
            return new WebSocketPackets(this);
        }

        /// <summary>Takes the next event; a server and a host take no other with it. Throws when the library has freed this one, by WebSocketLibrary.Shutdown or FreeOwner.</summary>
        public bool TryGetEvent(out WebSocketEvent taken) => NextEvent(!hasClients, out taken);

        internal bool NextEvent(bool ahead, out WebSocketEvent taken)
        {
            if (!disposed) return inbox.TakeEvent(handle, ahead, out taken);
            taken = default(WebSocketEvent);
            return false;
        }

        /// <summary>Takes the next message; other events stay. Throws as TryGetEvent.</summary>
        public bool TryGetPacket(out WebSocketPacket taken)
        {
            if (!disposed) return inbox.TakePacket(handle, out taken);
            taken = default(WebSocketPacket);
            return false;
        }

        /// <summary>Puts a message; the bytes are copied, or written at once. A server or host: to all. Ok: it is accepted. ErrFull: it is not; put it again after Writable.</summary>
        public WebSocketResult Send(ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary) => Connection.Send(data, type);

        /// <summary>Puts a message.</summary>
        public WebSocketResult Send(byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary) => Connection.Send(data, type);

        /// <summary>Puts a message from memory of your own, such as a NativeArray.</summary>
        public WebSocketResult Send(IntPtr data, int length, WebSocketMessageType type = WebSocketMessageType.Binary) => Connection.Send(data, length, type);

        /// <summary>Puts a text. Halves of surrogate pairs leave as U+FFFD, as in a browser.</summary>
        public WebSocketResult SendText(string text) => Connection.SendText(text);

        /// <summary>Writes what waits to be sent: at the end of a frame, with WebSocketFlags.Coalesce.</summary>
        public WebSocketResult Flush() => (WebSocketResult)Native.ws_flush(handle);

        /// <summary>Starts the closing handshake, behind what was accepted; poll until Closed to be sure that it left. 0 means 1000 (a server: 1001); -1 drops
        /// the connection at once; `reason` has up to 123 bytes.</summary>
        public WebSocketResult Close(int code = 0, string reason = null) => Connection.Close(code, reason);

        /// <summary>Waits until there is something to poll or to read, for hosts without frames. See WebSocketLibrary.Wait.</summary>
        public WebSocketResult Wait(int timeoutMs)
        {
            uint h = handle;
            return (WebSocketResult)Native.ws_wait(&h, (UIntPtr)1, timeoutMs);
        }

        /// <summary>Frees it in any state; what was lent ends. A server: its clients too. What the peer has not acknowledged may be lost: to be sure, Close and poll until
        /// Closed first. Never blocks.</summary>
        public void Dispose()
        {
            disposed = true;
            Native.ws_free(handle);
            inbox.Drop();
            EndOtherLoans();
            GC.SuppressFinalize(this);
        }

        /// <summary>Handles are numbers, so it does no harm to free one late, twice or on another thread.</summary>
        ~WebSocketEndpoint() => Native.ws_free(handle);

        /// <summary>Before a poll and after the end: what was lent by other handles than this one's.</summary>
        internal virtual void EndOtherLoans()
        {
        }

        /// <summary>Which function opens.</summary>
        internal enum Opener { Connect, Listen, Host, Join, JoinLocal, Pair, Attach }

        /// <summary>Opens, and gives the handle. Throws WebSocketException with the sentence.</summary>
        internal static uint Open(Opener opener, string url, WebSocketConfig config, uint argument = 0)
        {
            uint second;
            return Open(opener, url, config, argument, out second);
        }

        internal static uint Open(Opener opener, string url, WebSocketConfig config, uint argument, out uint second)
        {
            bool needsUrl = opener <= Opener.Join;
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
