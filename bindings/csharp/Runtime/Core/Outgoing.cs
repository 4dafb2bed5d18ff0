using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Wspeer
{
    /// <summary>Converts outgoing texts and lists of messages to what the library takes.</summary>
    internal static class Outgoing
    {
        const int Kept = 64 * 1024;

        [ThreadStatic] static byte[] buffer;
        [ThreadStatic] static NativePacketOut[] packets;

        /// <summary>A text as UTF-8, in a buffer of this thread that the next call reuses. Only long texts cost an
        /// allocation.</summary>
        internal static ReadOnlySpan<byte> Utf8(string text)
        {
            if (text == null) throw new ArgumentNullException(nameof(text));
            int most = Encoding.UTF8.GetMaxByteCount(text.Length);
            byte[] into = buffer;
            if (into == null || into.Length < most)
            {
                into = new byte[Math.Max(most, 1024)];
                if (most <= Kept) buffer = into;
            }
            return new ReadOnlySpan<byte>(into, 0, Encoding.UTF8.GetBytes(text, 0, text.Length, into, 0));
        }

        /// <summary>ws_put_packets, with an array of this thread that later calls reuse.</summary>
        internal static unsafe WebSocketResult SendMany(uint handle, ReadOnlySpan<byte> data, ReadOnlySpan<WebSocketMessage> messages, out int taken)
        {
            int count = messages.Length;
            NativePacketOut[] all = packets;
            if (all == null || all.Length < count) packets = all = new NativePacketOut[Math.Max(count, 64)];
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
            fixed (NativePacketOut* first = all)
            {
                for (int i = 0; i < count; i++)
                {
                    ref readonly WebSocketMessage message = ref messages[i];
                    if (message.Start > data.Length - message.Length)
                        throw new ArgumentOutOfRangeException(nameof(messages), "message " + i + " ends behind the data: it has " + message.Length + " bytes from " + message.Start + " on, and there are " + data.Length);
                    first[i].Data = (IntPtr)(bytes + message.Start);
                    first[i].Len = (UIntPtr)message.Length;
                    first[i].Type = (int)message.Type;
                    first[i].Target = message.Target;
                }
                UIntPtr accepted;
                int result = Native.ws_put_packets(handle, first, (UIntPtr)count, &accepted);
                taken = (int)accepted;
                return (WebSocketResult)result;
            }
        }

        /// <summary>ws_put_latest.</summary>
        internal static unsafe WebSocketResult SendLatest(uint handle, int target, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_put_latest(handle, target, key, bytes, (UIntPtr)data.Length, (int)type);
        }

        /// <summary>ws_publish.</summary>
        internal static unsafe WebSocketResult Publish(uint handle, string topic, ReadOnlySpan<byte> data,
            WebSocketMessageType type, int except)
        {
            fixed (byte* name = NativeTexts.Topic(topic), bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_publish(handle, name, except, bytes, (UIntPtr)data.Length, (int)type);
        }

        /// <summary>ws_publish_latest.</summary>
        internal static unsafe WebSocketResult PublishLatest(uint handle, string topic, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type, int except)
        {
            fixed (byte* name = NativeTexts.Topic(topic), bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_publish_latest(handle, name, except, key, bytes, (UIntPtr)data.Length,
                    (int)type);
        }
    }
}
