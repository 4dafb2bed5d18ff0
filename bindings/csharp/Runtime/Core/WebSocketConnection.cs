using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>The number of a connection or server in the library: a client of a server, or what a WebSocketPeer and its like stand for. It owns nothing, may be
    /// copied and kept, and asks and sends. A stale one is ErrHandle, never a crash: a server's client retires in the server's first Poll after its Disconnected was taken.</summary>
    public readonly struct WebSocketConnection : IEquatable<WebSocketConnection>
    {
        /// <summary>The ws_handle.</summary>
        public readonly uint Handle;

        /// <summary>Of a ws_handle that was kept.</summary>
        public WebSocketConnection(uint handle)
        {
            Handle = handle;
        }

        /// <summary>Its state now, while the queue may lag. Closed when it is gone.</summary>
        public WebSocketState State
        {
            get
            {
                int state = Native.ws_get_state(Handle);
                return state < 0 ? WebSocketState.Closed : (WebSocketState)state;
            }
        }

        /// <summary>How many messages wait to be read. 0 when it is gone.</summary>
        public int Available => Math.Max(0, Native.ws_get_available(Handle));

        /// <summary>The id of a multiplayer peer: 1 is the host, 0 a join whose id has not come or none at all.</summary>
        public int PeerId => Math.Max(0, Native.ws_get_peer_id(Handle));

        /// <summary>A text of WebSocketText: its URL, its address, why it ended. Throws when the connection is gone or has no such text.</summary>
        public string GetText(WebSocketText what) => NativeTexts.Copied(NativeTexts.Source.OfConnection, Handle, (int)what) ?? "";

        /// <summary>The value of a header: of the request on a server's client, of the answer on a client; null when there is none. `index` counts those of the
        /// same name. Throws when the connection is gone.</summary>
        public string GetHeader(string name, int index = 0)
        {
            if (name == null) throw new ArgumentNullException(nameof(name));
            if (index < 0) throw new ArgumentOutOfRangeException(nameof(index));
            return NativeTexts.Copied(NativeTexts.Source.Header, Handle, 0, name, (uint)index);
        }

        /// <summary>The counters. Throws when the connection is gone.</summary>
        public unsafe WebSocketStats GetStats()
        {
            WebSocketStats stats;
            ((WebSocketResult)Native.ws_get_stats(Handle, &stats, (UIntPtr)sizeof(WebSocketStats))).ThrowIfFailed();
            return stats;
        }

        /// <summary>How the connection ended, while its Closed or Disconnected may still wait behind messages; false while it lives. Throws when it is gone.</summary>
        public unsafe bool TryGetEnd(out WebSocketEnd end)
        {
            NativeEvent native;
            WebSocketResult result = ((WebSocketResult)Native.ws_get_end(Handle, &native)).ThrowIfFailed();
            end = result == WebSocketResult.Ok ? new WebSocketEnd(native) : default(WebSocketEnd);
            return result == WebSocketResult.Ok;
        }

        /// <summary>Reads an option. Throws when there is no such one here.</summary>
        public unsafe uint GetOption(WebSocketOption option)
        {
            uint value;
            ((WebSocketResult)Native.ws_get_option(Handle, (int)option, &value)).ThrowIfFailed();
            return value;
        }

        /// <summary>Sets an option from now on.</summary>
        public WebSocketResult SetOption(WebSocketOption option, uint value) => (WebSocketResult)Native.ws_set_option(Handle, (int)option, value);

        /// <summary>Sets a value of your own that comes back in every packet and event of this connection.</summary>
        public unsafe WebSocketResult SetUser(IntPtr user) => (WebSocketResult)Native.ws_set_user(Handle, (UIntPtr)user.ToPointer());

        /// <summary>Puts a message; the bytes are copied. Ok: it is accepted. ErrFull: it is not; put it again after Writable.</summary>
        public unsafe WebSocketResult Send(ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data)) return (WebSocketResult)Native.ws_put_packet(Handle, bytes, (UIntPtr)data.Length, (int)type);
        }

        /// <summary>Puts a message.</summary>
        public WebSocketResult Send(byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Send(new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))), type);
        }

        /// <summary>Puts a message from memory of your own, such as a NativeArray.</summary>
        public unsafe WebSocketResult Send(IntPtr data, int length, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            if (length < 0) throw new ArgumentOutOfRangeException(nameof(length));
            return (WebSocketResult)Native.ws_put_packet(Handle, (byte*)data, (UIntPtr)length, (int)type);
        }

        /// <summary>Puts a text. Halves of surrogate pairs leave as U+FFFD, as in a browser.</summary>
        public WebSocketResult SendText(string text) => Send(Outgoing.Utf8(text), WebSocketMessageType.Text);

        /// <summary>Starts the closing handshake, behind what was accepted. 0 means 1000; -1 drops the connection at once.</summary>
        public unsafe WebSocketResult Close(int code = 0, string reason = null)
        {
            fixed (byte* text = NativeTexts.Terminated(reason, nameof(reason))) return (WebSocketResult)Native.ws_close(Handle, code, text);
        }

        /// <summary>Whether both are the same connection.</summary>
        public bool Equals(WebSocketConnection other) => Handle == other.Handle;

        /// <inheritdoc/>
        public override bool Equals(object other) => other is WebSocketConnection connection && Equals(connection);

        /// <inheritdoc/>
        public override int GetHashCode() => (int)Handle;

        /// <summary>Its number.</summary>
        public override string ToString() => Handle.ToString();

        /// <summary>Whether both are the same connection.</summary>
        public static bool operator ==(WebSocketConnection one, WebSocketConnection other) => one.Handle == other.Handle;

        /// <summary>Whether they are two connections.</summary>
        public static bool operator !=(WebSocketConnection one, WebSocketConnection other) => one.Handle != other.Handle;
    }
}
