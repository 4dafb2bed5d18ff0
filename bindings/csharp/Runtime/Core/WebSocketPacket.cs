using System;
using System.Text;

namespace Wspeer
{
    /// <summary>A lent message: readable until the next one is taken from the same object or that is disposed; Poll
    /// does not end it. Copy it to keep it.</summary>
    public readonly ref struct WebSocketPacket
    {
        readonly Inbox inbox;
        readonly int index;
        readonly uint turn;

        internal WebSocketPacket(Inbox inbox, int index, uint turn)
        {
            this.inbox = inbox;
            this.index = index;
            this.turn = turn;
        }

        /// <summary>The bytes in the library's memory. The span must not be used after the message's loan has ended. It
        /// does not keep its peer alive: an unreferenced peer is freed by the garbage collector, with this memory. Hold
        /// the peer in a field or a using, or call GC.KeepAlive(peer) after the last use.</summary>
        public ReadOnlySpan<byte> Data => From.Bytes(index, turn);

        /// <summary>Number of bytes.</summary>
        public int Length => checked((int)Native.Len);

        /// <summary>Text or Binary; with Scene also the other types.</summary>
        public WebSocketMessageType Type => (WebSocketMessageType)Native.Type;

        /// <summary>Whether it is a text message.</summary>
        public bool IsText => Type == WebSocketMessageType.Text;

        /// <summary>The connection that received it: a server's client, or the receiver itself.</summary>
        public WebSocketConnection Connection => new WebSocketConnection(Native.Conn);

        /// <summary>Multiplayer: the sender. Else 0.</summary>
        public int PeerId => Native.PeerId;

        /// <summary>The connection's value from SetUser or WebSocketConfig.User.</summary>
        public IntPtr User => (IntPtr)(long)Native.User;

        /// <summary>The bytes as a new array.</summary>
        public byte[] ToArray()
        {
            byte[] copy = Data.ToArray();
            GC.KeepAlive(inbox);
            return copy;
        }

        /// <summary>The bytes as a new string.</summary>
        public string GetText()
        {
            string text = Encoding.UTF8.GetString(Data);
            GC.KeepAlive(inbox);
            return text;
        }

        /// <summary>Copies the bytes to a destination with room for Length of them.</summary>
        public void CopyTo(Span<byte> destination)
        {
            Data.CopyTo(destination);
            GC.KeepAlive(inbox);
        }

        ref NativePacket Native => ref From.Item(index, turn).Packet;

        Inbox From =>
            inbox
                ?? throw new InvalidOperationException(
                    "no message was taken: look at what TryGetPacket gives back, or at Type of the event");
    }
}
