using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>One connection: a client, one end of a pair, or a connection over your own transport.</summary>
    public sealed unsafe class WebSocketPeer : WebSocketEndpoint
    {
        WebSocketPeer(uint handle) : base(handle, false)
        {
        }

        /// <summary>Opens a client: "ws://host:port/path?query" or "wss://...". Returns at once; poll it until Open or
        /// Closed. Network failures arrive as Closed; a URL or config that cannot be used throws
        /// WebSocketException.</summary>
        public static WebSocketPeer Connect(string url, WebSocketConfig config = null) =>
            new WebSocketPeer(Open(Opener.Connect, url, config));

        /// <summary>Finds out why Connect fails. It opens a connection of its own, pings the server and closes. Poll it:
        /// each step is a Step event with a sentence; the text of Closed is the advice, and its Cause is None if
        /// everything works. It sends and delivers no messages. The texts have no query, password, cookie or
        /// authorization, so they can be pasted into a bug report.</summary>
        public static WebSocketPeer Diagnose(string url, WebSocketConfig config = null) =>
            new WebSocketPeer(Open(Opener.Diagnose, url, config));

        /// <summary>Opens two connections that are joined in memory and speak the real protocol: for a local player and
        /// for tests.</summary>
        public static void Pair(out WebSocketPeer serverEnd, out WebSocketPeer clientEnd, WebSocketConfig config = null)
        {
            uint second;
            serverEnd = new WebSocketPeer(Open(Opener.Pair, null, config, 0, out second));
            clientEnd = new WebSocketPeer(second);
        }

        /// <summary>Opens a connection whose bytes you transport yourself, with Feed and TakeOutput.</summary>
        public static WebSocketPeer Attach(WebSocketRole role, WebSocketConfig config = null) =>
            new WebSocketPeer(Open(Opener.Attach, null, config, (uint)role));

        /// <summary>The subprotocol that both ends agreed on, or "".</summary>
        public string Subprotocol => Connection.GetText(WebSocketText.Subprotocol);

        /// <summary>Why the connection ended and what to do about it; "" while it is open.</summary>
        public string Error => Connection.GetText(WebSocketText.Error);

        /// <summary>After Attach: passes in bytes from the transport. `taken` may be fewer, when nothing is polled or
        /// read: feed the remainder later.</summary>
        public WebSocketResult Feed(ReadOnlySpan<byte> bytes, out int taken)
        {
            taken = 0;
            if (bytes.IsEmpty) return WebSocketResult.Ok;
            UIntPtr count = UIntPtr.Zero;
            WebSocketResult result;
            fixed (byte* from = &MemoryMarshal.GetReference(bytes))
                result = (WebSocketResult)Native.ws_feed(Connection.Handle, from, (UIntPtr)bytes.Length, &count);
            taken = (int)count;
            return result;
        }

        /// <summary>After Attach: reports that the transport has ended.</summary>
        public WebSocketResult FeedEnd() =>
            (WebSocketResult)Native.ws_feed(Connection.Handle, null, UIntPtr.Zero, null);

        /// <summary>After Attach: takes bytes to send by the transport. Call it until there are none, after each Poll
        /// and Send.</summary>
        public WebSocketResult TakeOutput(Span<byte> into, out int length)
        {
            UIntPtr count = UIntPtr.Zero;
            WebSocketResult result;
            byte none;
            fixed (byte* to = &MemoryMarshal.GetReference(into))
                result = (WebSocketResult)Native.ws_take_output(Connection.Handle, to == null ? &none : to,
                    (UIntPtr)into.Length, &count);
            length = (int)count;
            return result;
        }
    }
}
