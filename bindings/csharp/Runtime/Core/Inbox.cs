using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>What was taken from a handle and not given out yet. One call to the library takes as much as waits, up to the size of the buffer, which grows while it is
    /// found full. Nothing taken is lost when a loop is left early: the next one goes on here.</summary>
    internal sealed unsafe class Inbox
    {
        const int Least = 8, Most = 256;

        /// <summary>What the library had no more of when it was asked last. A loop then ends without asking again.</summary>
        enum Exhausted { No, Messages, All }

        readonly WebSocketEndpoint owner;
        readonly int most;
        NativeEvent[] items;
        int next, count;
        Exhausted exhausted;

        /// <summary>From this place on the items' texts lie in `kept`, at the offset that stands for their address.</summary>
        int keptFrom = int.MaxValue;
        byte[] kept;

        /// <summary>Counts what was given out: a view of another turn than the last is over.</summary>
        uint turn;
        int shutdowns;

        /// <summary>The owner is kept alive by what is lent. `most` is how many are taken at once.</summary>
        internal Inbox(WebSocketEndpoint owner, int most = Most)
        {
            this.owner = owner;
            this.most = most;
            items = new NativeEvent[Math.Min(Least, most)];
        }

        /// <summary>A new loop, or a new poll: the library may have more.</summary>
        internal void Begin() => exhausted = Exhausted.No;

        internal bool TakeEvent(uint handle, out WebSocketEvent taken)
        {
            if (next == count && !FillWithEvents(handle)) return Nothing(out taken);
            taken = new WebSocketEvent(this, next, NewTurn());
            next++;
            return true;
        }

        internal bool TakePacket(uint handle, out WebSocketPacket taken)
        {
            if (!FindMessage() && !(FillWithPackets(handle) && FindMessage()))
            {
                Nothing(out _);
                taken = default(WebSocketPacket);
                return false;
            }
            taken = new WebSocketPacket(this, next, NewTurn());
            next++;
            return true;
        }

        /// <summary>The handle is gone: nothing is to be read any more, and what was lent is over.</summary>
        internal void Drop()
        {
            next = count = 0;
            Begin();
            turn++;
        }

        internal ref NativeEvent Item(int index, uint ofTurn)
        {
            if (ofTurn != turn || shutdowns != WebSocketLibrary.Shutdowns)
                throw new InvalidOperationException("this message or event was lent until the next one is taken or until Dispose (what TryGetEvent gave of one client of a server: until Poll): copy what you keep, by ToArray or GetText");
            return ref items[index];
        }

        internal ReadOnlySpan<byte> Bytes(int index, uint ofTurn)
        {
            ref NativeEvent item = ref Item(index, ofTurn);
            int length = checked((int)item.Packet.Len);
            GC.KeepAlive(owner);
            return index >= keptFrom ? new ReadOnlySpan<byte>(kept, (int)item.Packet.Data, length) : new ReadOnlySpan<byte>((void*)item.Packet.Data, length);
        }

        uint NewTurn()
        {
            shutdowns = WebSocketLibrary.Shutdowns;
            return ++turn;
        }

        bool Nothing(out WebSocketEvent taken)
        {
            Begin();
            turn++;
            taken = default(WebSocketEvent);
            return false;
        }

        /// <summary>Takes what waits. A call that did not fill the buffer took all there was, so the loop ends without another.</summary>
        bool FillWithEvents(uint handle)
        {
            if (exhausted == Exhausted.All) return false;
            if (count == items.Length && items.Length < most) items = new NativeEvent[items.Length * 2];
            next = count = 0;
            keptFrom = int.MaxValue;
            UIntPtr got;
            fixed (NativeEvent* into = items) Check(Native.ws_next_events(handle, into, (UIntPtr)items.Length, &got));
            count = (int)got;
            exhausted = count < items.Length ? Exhausted.All : Exhausted.No;
            return count > 0;
        }

        /// <summary>Takes messages alone, and puts them before the events that are still to be given out. Those are kept by copy, as this call ends their loan.</summary>
        bool FillWithPackets(uint handle)
        {
            if (exhausted != Exhausted.No && next == count) return false;
            Keep();
            int left = count - next;
            const int Room = 64;
            NativePacket* packets = stackalloc NativePacket[Room];
            UIntPtr got;
            Check(Native.ws_get_packets(handle, packets, (UIntPtr)Room, &got));
            int messages = (int)got;
            NativeEvent[] old = items;
            if (messages + left > items.Length) items = new NativeEvent[Math.Max(messages + left, items.Length * 2)];
            Array.Copy(old, next, items, messages, left);
            for (int i = 0; i < messages; i++) items[i] = new NativeEvent { Type = (int)WebSocketEventType.Message, Conn = packets[i].Conn, PeerId = packets[i].PeerId, Packet = packets[i] };
            next = 0;
            count = messages + left;
            keptFrom = left > 0 ? messages : int.MaxValue;
            exhausted = messages < Room ? Exhausted.Messages : Exhausted.No;
            return messages > 0;
        }

        void Keep()
        {
            if (next == count || keptFrom <= next) return;
            int size = 0;
            for (int i = next; i < count; i++) size += checked((int)items[i].Packet.Len);
            byte[] copy = new byte[size];
            int at = 0;
            for (int i = next; i < count; i++)
            {
                int length = (int)items[i].Packet.Len;
                Marshal.Copy(items[i].Packet.Data, copy, at, length);
                items[i].Packet.Data = (IntPtr)at;
                at += length;
            }
            kept = copy;
            keptFrom = next;
        }

        /// <summary>Brings the next message of the buffer to its front. Other events keep their order.</summary>
        bool FindMessage()
        {
            int at = next;
            while (at < count && items[at].Type != (int)WebSocketEventType.Message) at++;
            if (at == count) return false;
            NativeEvent message = items[at];
            for (; at > next; at--) items[at] = items[at - 1];
            items[next] = message;
            return true;
        }

        static void Check(int result) => ((WebSocketResult)result).ThrowIfFailed();
    }
}
