using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>One connection: a client, an end of a pair, or a connection whose bytes travel by a transport of your own.</summary>
    public sealed unsafe class WebSocketPeer : WebSocketEndpoint
    {
        WebSocketPeer(uint handle) : base(handle, false)
        {
        }

        /// <summary>Opens a client: "ws://host:port/path?query" or "wss://...". Returns at once; poll it until Open or Closed. Failures of the network are told by Closed;
        /// a URL or config that cannot be used throws WebSocketException.</summary>
        public static WebSocketPeer Connect(string url, WebSocketConfig config = null) => new WebSocketPeer(Open(Opener.Connect, url, config));

        /// <summary>Opens two connections that talk to each other in memory through the real protocol: for a local player and for tests.</summary>
        public static void Pair(out WebSocketPeer serverEnd, out WebSocketPeer clientEnd, WebSocketConfig config = null)
        {
            uint second;
            serverEnd = new WebSocketPeer(Open(Opener.Pair, null, config, 0, out second));
            clientEnd = new WebSocketPeer(second);
        }

        /// <summary>Opens a connection whose bytes you carry yourself, by Feed and TakeOutput.</summary>
        public static WebSocketPeer Attach(WebSocketRole role, WebSocketConfig config = null) => new WebSocketPeer(Open(Opener.Attach, null, config, (uint)role));

        /// <summary>The subprotocol that both ends agreed on, or "".</summary>
        public string Subprotocol => Connection.GetText(WebSocketText.Subprotocol);

        /// <summary>Why the connection ended, as a sentence that says what to do; "" while it lives.</summary>
        public string Error => Connection.GetText(WebSocketText.Error);

        /// <summary>Of Attach: gives bytes that came by the transport. `taken` may be fewer, when nothing is polled or read: feed the rest later.</summary>
        public WebSocketResult Feed(ReadOnlySpan<byte> bytes, out int taken)
        {
            taken = 0;
            if (bytes.IsEmpty) return WebSocketResult.Ok;
            UIntPtr count = UIntPtr.Zero;
            WebSocketResult result;
            fixed (byte* from = &MemoryMarshal.GetReference(bytes)) result = (WebSocketResult)Native.ws_feed(Connection.Handle, from, (UIntPtr)bytes.Length, &count);
            taken = (int)count;
            return result;
        }

        /// <summary>Of Attach: says that the transport has ended.</summary>
        public WebSocketResult FeedEnd() => (WebSocketResult)Native.ws_feed(Connection.Handle, null, UIntPtr.Zero, null);

        /// <summary>Of Attach: takes bytes that want to leave by the transport. Ask until there are none, after each Poll and Send.</summary>
        public WebSocketResult TakeOutput(Span<byte> into, out int length)
        {
            UIntPtr count = UIntPtr.Zero;
            WebSocketResult result;
            byte none;
            fixed (byte* to = &MemoryMarshal.GetReference(into)) result = (WebSocketResult)Native.ws_take_output(Connection.Handle, to == null ? &none : to, (UIntPtr)into.Length, &count);
            length = (int)count;
            return result;
        }
    }
}
