using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>Events and messages that were taken from a handle and have not been handed out. One call to the library
    /// takes what is queued, up to the size of the buffer, which grows when it was full. Nothing is lost when a loop
    /// ends early: the next loop continues here.</summary>
    internal sealed unsafe class Inbox
    {
        const int Least = 8, Most = 256;

        /// <summary>What the library had no more of at the last call, so that a loop ends without another
        /// call.</summary>
        enum Exhausted { No, Messages, All }

        // Never read: it keeps the owner of the lent memory alive.
#pragma warning disable 0414
        readonly WebSocketEndpoint owner;
#pragma warning restore 0414

        NativeEvent[] items;
        NativePacket[] packets;
        int next, count;

        /// <summary>Whether `items` may hold events with more fields set than messages have.</summary>
        bool holdEvents;

        /// <summary>The last messages filled their buffer, so it grows before the next call.</summary>
        bool full;
        Exhausted exhausted;

        /// <summary>From this index on the texts of `items` lie in `kept`; their address field is an offset into
        /// it.</summary>
        int keptFrom = int.MaxValue;
        byte[] kept;

        /// <summary>Number of items handed out. A view is valid only while its turn is the latest.</summary>
        uint turn;

        /// <summary>Counts the calls that may free handles of others: FreeOwner and Shutdown.</summary>
        internal static volatile int Frees;

        /// <summary>The handle that was read last, and the value of `Frees` for which it was found alive.</summary>
        uint source;
        int outlived;

        internal Inbox(WebSocketEndpoint owner)
        {
            this.owner = owner;
            items = new NativeEvent[Least];
        }

        /// <summary>A new loop or poll begins: the library may have more.</summary>
        internal void Begin() => exhausted = Exhausted.No;

        /// <summary>Number of messages that were taken from the library and not handed out.</summary>
        internal int Messages
        {
            get
            {
                NativeEvent[] all = items;
                int messages = 0;
                for (int i = next; i < Math.Min(count, all.Length); i++)
                    if (IsMessage(all[i].Type)) messages++;
                return messages;
            }
        }

        /// <summary>Whether an event brings a message.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal static bool IsMessage(int type) => type == (int)WebSocketEventType.Message
            || type >= (int)WebSocketEventType.Spawn && type <= (int)WebSocketEventType.Sync;

        /// <summary>The event that brings a message of this type.</summary>
        static int EventOf(int type)
        {
            switch ((WebSocketMessageType)type)
            {
                case WebSocketMessageType.Spawn: return (int)WebSocketEventType.Spawn;
                case WebSocketMessageType.Despawn: return (int)WebSocketEventType.Despawn;
                case WebSocketMessageType.Sync: return (int)WebSocketEventType.Sync;
                default: return (int)WebSocketEventType.Message;
            }
        }

        /// <summary>Takes the next event. `ahead`: more events may be taken from the library with it.</summary>
        internal bool TakeEvent(uint handle, bool ahead, out WebSocketEvent taken)
        {
            if (outlived != Frees) Outlive(handle);
            if (next == count && !FillWithEvents(handle, ahead)) return Nothing(out taken);
            taken = new WebSocketEvent(this, next++, ++turn);
            return true;
        }

        internal bool TakePacket(uint handle, out WebSocketPacket taken)
        {
            if (outlived != Frees) Outlive(handle);
            if ((next == count || !IsMessage(items[next].Type)) && !FindMessage() && !FillWithPackets(handle))
            {
                Nothing(out _);
                taken = default(WebSocketPacket);
                return false;
            }
            taken = new WebSocketPacket(this, next++, ++turn);
            return true;
        }

        /// <summary>Forgets everything that was taken, because the handle was freed; lent views end.</summary>
        internal void Drop()
        {
            next = count = 0;
            Begin();
            turn++;
        }

        /// <summary>Forgets the messages of clients that the program has disconnected: of one, of all (0), or of all but
        /// one (negative); `byId`: named by the ids of peers. What was handed out stays lent.</summary>
        internal void Forget(int target, bool byId)
        {
            int keep = next, firstKept = keptFrom;
            for (int i = next; i < count; i++)
            {
                int sender = byId ? items[i].PeerId : (int)items[i].Conn;
                bool gone = target == 0 || (target > 0 ? sender == target : sender != -target);
                if (IsMessage(items[i].Type) && gone)
                {
                    if (i < firstKept && keptFrom != int.MaxValue) keptFrom--;
                    continue;
                }
                items[keep++] = items[i];
            }
            count = keep;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal ref NativeEvent Item(int index, uint ofTurn)
        {
            if (ofTurn != turn) Over();
            if (outlived != Frees) Outlive(source);
            return ref items[index];
        }

        static void Over()
        {
            throw new InvalidOperationException(
                "this message or event was lent until the next one is taken or until Dispose (what TryGetEvent gave of one client of a server: "
                + "until Poll): copy what you keep, by ToArray or GetText");
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal ReadOnlySpan<byte> Bytes(int index, uint ofTurn)
        {
            ref NativeEvent item = ref Item(index, ofTurn);
            int length = checked((int)item.Packet.Len);
            return index >= keptFrom ? new ReadOnlySpan<byte>(kept, (int)item.Packet.Data, length)
                : new ReadOnlySpan<byte>((void*)item.Packet.Data, length);
        }

        /// <summary>Called after FreeOwner or Shutdown: throws if this handle was freed too.</summary>
        void Outlive(uint handle)
        {
            int frees = Frees;
            int state = Native.ws_get_state(handle);
            if (state < 0) ((WebSocketResult)state).ThrowIfFailed();
            outlived = frees;
        }

        bool Nothing(out WebSocketEvent taken)
        {
            Begin();
            turn++;
            taken = default(WebSocketEvent);
            return false;
        }

        /// <summary>Takes what is queued. If a call does not fill the buffer, nothing is left and the loop ends without
        /// another call.</summary>
        bool FillWithEvents(uint handle, bool ahead)
        {
            if (exhausted == Exhausted.All) return false;
            if (count == items.Length && items.Length < Most) items = new NativeEvent[items.Length * 2];
            next = count = 0;
            keptFrom = int.MaxValue;
            holdEvents = true;
            source = handle;
            int room = ahead ? items.Length : 1;
            UIntPtr got;
            fixed (NativeEvent* into = items) Check(Native.ws_next_events(handle, into, (UIntPtr)room, &got));
            count = (int)got;
            exhausted = count < room ? Exhausted.All : Exhausted.No;
            return count > 0;
        }

        /// <summary>Takes only messages and puts them in front of the events that have not been handed out. Those are
        /// copied first, as this call ends their loan.</summary>
        bool FillWithPackets(uint handle)
        {
            if (exhausted != Exhausted.No && next == count) return false;
            Keep();
            source = handle;
            int left = count - next;
            if (packets == null) packets = new NativePacket[Least];
            if (full) packets = new NativePacket[packets.Length * 2];
            UIntPtr got;
            fixed (NativePacket* into = packets)
                Check(Native.ws_get_packets(handle, into, (UIntPtr)packets.Length, &got));
            int messages = (int)got;
            full = messages == packets.Length && messages < Most;
            NativeEvent[] old = items;
            if (messages + left > items.Length) items = new NativeEvent[Math.Max(messages + left, items.Length * 2)];
            Array.Copy(old, next, items, messages, left);
            if (holdEvents)
            {
                Array.Clear(items, 0, messages);
                Array.Clear(items, messages + left, items.Length - messages - left);
            }
            holdEvents = left > 0;
            for (int i = 0; i < messages; i++)
            {
                ref NativeEvent item = ref items[i];
                ref NativePacket packet = ref packets[i];
                item.Type = EventOf(packet.Type);
                item.Conn = packet.Conn;
                item.PeerId = packet.PeerId;
                item.Packet = packet;
            }
            next = 0;
            count = messages + left;
            keptFrom = left > 0 ? messages : int.MaxValue;
            exhausted = messages < packets.Length ? Exhausted.Messages : Exhausted.No;
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

        /// <summary>Moves the next message in the buffer to the front. Other events keep their order.</summary>
        bool FindMessage()
        {
            int at = next;
            while (at < count && !IsMessage(items[at].Type)) at++;
            if (at == count) return false;
            NativeEvent message = items[at];
            for (; at > next; at--) items[at] = items[at - 1];
            items[next] = message;
            return true;
        }

        static void Check(int result) => ((WebSocketResult)result).ThrowIfFailed();
    }
}
