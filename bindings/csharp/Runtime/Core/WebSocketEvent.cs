using System;
using System.Text;

namespace Wspeer
{
    /// <summary>An event. It is lent like a WebSocketPacket: read it before the next one is taken.</summary>
    public readonly ref struct WebSocketEvent
    {
        readonly Inbox inbox;
        readonly int index;
        readonly uint turn;

        internal WebSocketEvent(Inbox inbox, int index, uint turn)
        {
            this.inbox = inbox;
            this.index = index;
            this.turn = turn;
        }

        /// <summary>What happened.</summary>
        public WebSocketEventType Type => (WebSocketEventType)Native.Type;

        /// <summary>The connection that the event is about.</summary>
        public WebSocketConnection Connection => new WebSocketConnection(Native.Conn);

        /// <summary>Multiplayer: the peer that the event is about; Open of a join: its own id. Else 0.</summary>
        public int PeerId => Native.PeerId;

        /// <summary>Message, Spawn, Despawn, Sync: the message.</summary>
        public WebSocketPacket Packet =>
            Inbox.IsMessage(Native.Type) ? new WebSocketPacket(inbox, index, turn) : default(WebSocketPacket);

        /// <summary>Auth: the data for the authentication, lent like the Data of a packet. Message, Spawn, Despawn,
        /// Sync: its bytes.</summary>
        public ReadOnlySpan<byte> Data => From.Bytes(index, turn);

        /// <summary>CloseRequest: the peer's reason. Closed, Disconnected, Lost, Error: what happened and what to do
        /// about it. Message, Request: its bytes as text. Else "". Allocates a new string each time.</summary>
        public string GetText()
        {
            string text = Encoding.UTF8.GetString(From.Bytes(index, turn));
            GC.KeepAlive(inbox);
            return text;
        }

        /// <summary>CloseRequest, Closed, Disconnected, Lost: the close code; 1005: a close frame without one; 1006: no close
        /// frame. Else 0.</summary>
        public int Code => Native.Code;

        /// <summary>Closed, Disconnected, Lost: whether the closing handshake was completed.</summary>
        public bool Clean => Native.Clean != 0;

        /// <summary>Closed, Disconnected, Lost, Error: the phase in which it happened.</summary>
        public WebSocketPhase Phase => (WebSocketPhase)Native.Phase;

        /// <summary>Closed, Disconnected, Lost, Error: the cause.</summary>
        public WebSocketCause Cause => (WebSocketCause)Native.Cause;

        /// <summary>The HTTP status of the answer to the opening handshake, or 0.</summary>
        public int HttpStatus => Native.HttpStatus;

        /// <summary>The operating system's error number, or 0.</summary>
        public int OsError => Native.OsError;

        /// <summary>Closed, Disconnected, Lost: number of messages that were accepted for sending and not sent; with
        /// SessionMs not acknowledged, of which some may have arrived (Lost: 0, as they are kept).</summary>
        public uint Unsent => Native.Unsent;

        /// <summary>Skipped, and Error with NoPeer: number of messages or events. Refused: number of clients. Resumed:
        /// number of messages that are sent again.</summary>
        public ulong Count => Native.Count;

        /// <summary>When it happened: nanoseconds of the system's monotonic clock since the library's first call. 0 for
        /// messages that were taken by TryGetPacket or Packets.</summary>
        public ulong TimeNs => Native.TimeNs;

        /// <summary>The connection's value from SetUser or WebSocketConfig.User.</summary>
        public IntPtr User => (IntPtr)(long)Native.Packet.User;

        /// <summary>Closed, Disconnected, Lost: how the connection or its link ended.</summary>
        public WebSocketEnd End => new WebSocketEnd(Native);

        ref NativeEvent Native => ref From.Item(index, turn);

        Inbox From =>
            inbox ?? throw new InvalidOperationException("no event was taken: look at what TryGetEvent gives back");
    }

    /// <summary>For foreach: the queued events.</summary>
    public readonly ref struct WebSocketEvents
    {
        readonly WebSocketEndpoint endpoint;

        internal WebSocketEvents(WebSocketEndpoint endpoint)
        {
            this.endpoint = endpoint;
        }

        /// <summary>Begins the loop.</summary>
        public Enumerator GetEnumerator() => new Enumerator(endpoint);

        /// <summary>The position of a loop.</summary>
        public ref struct Enumerator
        {
            readonly WebSocketEndpoint endpoint;
            WebSocketEvent current;

            internal Enumerator(WebSocketEndpoint endpoint)
            {
                this.endpoint = endpoint;
                current = default(WebSocketEvent);
            }

            /// <summary>The event.</summary>
            public WebSocketEvent Current => current;

            /// <summary>Takes the next event.</summary>
            public bool MoveNext() => endpoint.NextEvent(true, out current);
        }
    }

    /// <summary>For foreach: the queued messages.</summary>
    public readonly ref struct WebSocketPackets
    {
        readonly WebSocketEndpoint endpoint;

        internal WebSocketPackets(WebSocketEndpoint endpoint)
        {
            this.endpoint = endpoint;
        }

        /// <summary>Begins the loop.</summary>
        public Enumerator GetEnumerator() => new Enumerator(endpoint);

        /// <summary>The position of a loop.</summary>
        public ref struct Enumerator
        {
            readonly WebSocketEndpoint endpoint;
            WebSocketPacket current;

            internal Enumerator(WebSocketEndpoint endpoint)
            {
                this.endpoint = endpoint;
                current = default(WebSocketPacket);
            }

            /// <summary>The message.</summary>
            public WebSocketPacket Current => current;

            /// <summary>Takes the next message.</summary>
            public bool MoveNext() => endpoint.TryGetPacket(out current);
        }
    }
}
