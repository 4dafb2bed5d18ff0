using System;
using System.Text;

namespace Wspeer
{
    /// <summary>A message, lent: it can be read until the next one is taken from the same object, or until that is disposed; Poll does not end it. To keep it, copy it.</summary>
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

        /// <summary>The bytes, where the library has them. The span must not be used any longer than the message, and does not keep alive what gave it: a peer that
        /// nothing refers to any more is freed by the garbage collector, with its memory. A field or a using holds it, or GC.KeepAlive(peer) behind the last use.</summary>
        public ReadOnlySpan<byte> Data => From.Bytes(index, turn);

        /// <summary>How many bytes.</summary>
        public int Length => checked((int)Native.Len);

        /// <summary>Text or Binary.</summary>
        public WebSocketMessageType Type => (WebSocketMessageType)Native.Type;

        /// <summary>Whether it is a text.</summary>
        public bool IsText => Type == WebSocketMessageType.Text;

        /// <summary>The connection that it came by: a server's client, or the receiver itself.</summary>
        public WebSocketConnection Connection => new WebSocketConnection(Native.Conn);

        /// <summary>Multiplayer: who sent it. Else 0.</summary>
        public int PeerId => Native.PeerId;

        /// <summary>What SetUser or WebSocketConfig.User gave that connection.</summary>
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

        /// <summary>Copies the bytes to where there is room for Length of them.</summary>
        public void CopyTo(Span<byte> destination)
        {
            Data.CopyTo(destination);
            GC.KeepAlive(inbox);
        }

        ref NativePacket Native => ref From.Item(index, turn).Packet;

        Inbox From => inbox ?? throw new InvalidOperationException("no message was taken: look at what TryGetPacket gives back, or at Type of the event");
    }
}
