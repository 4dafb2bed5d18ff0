using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>A server. Its clients are WebSocketConnections, told by Connected and Disconnected; Events gives those of all clients in turn.</summary>
    public sealed unsafe class WebSocketServer : WebSocketEndpoint
    {
        readonly Inbox ofOne;

        WebSocketServer(uint handle) : base(handle, true)
        {
            ofOne = new Inbox(this);
        }

        /// <summary>Opens a server: "ws://127.0.0.1:9080", "wss://[::]:443", "ws://*:9080" (both families), "ws://localhost:0" (any free port). A path other than "/"
        /// restricts requests to it. wss:// needs CertPem and KeyPem. Failures to bind throw WebSocketException at once.</summary>
        public static WebSocketServer Listen(string url, WebSocketConfig config = null) => new WebSocketServer(Open(Opener.Listen, url, config));

        /// <summary>The port that it listens on.</summary>
        public int Port => (int)Connection.GetOption(WebSocketOption.Port);

        /// <summary>Puts a message to one client. Unlike its own Send, this looks whether it is a client of this server.</summary>
        public WebSocketResult SendTo(WebSocketConnection client, ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Put((int)client.Handle, data, type);
        }

        /// <summary>Puts a message to all clients but one, who need not be there any more.</summary>
        public WebSocketResult SendToAllBut(WebSocketConnection client, ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Put(-(int)client.Handle, data, type);
        }

        /// <summary>Closes one client; code and reason as Close.</summary>
        public WebSocketResult Disconnect(WebSocketConnection client, int code = 0, string reason = null) => End((int)client.Handle, code, reason);

        /// <summary>Closes all clients and goes on listening; code and reason as Close.</summary>
        public WebSocketResult DisconnectAll(int code = 0, string reason = null) => End(0, code, reason);

        /// <summary>Takes the next event of one client alone: so a client whose answers find no room can be left unread, and its sending slows down, while others go on.
        /// It is lent until the next one is taken by this function, or until Poll or Dispose. Throws when the client is gone.</summary>
        public bool TryGetEvent(WebSocketConnection client, out WebSocketEvent taken)
        {
            ofOne.Begin();
            return ofOne.TakeEvent(client.Handle, false, out taken);
        }

        /// <summary>A client may retire in a poll, and what was read from it alone goes with it.</summary>
        internal override void EndOtherLoans() => ofOne.Drop();

        /// <summary>Lists the clients, those included whose Disconnected was not taken yet. Gives how many there are, even when there is no room for all.</summary>
        public int GetConnections(Span<WebSocketConnection> into)
        {
            UIntPtr count;
            fixed (WebSocketConnection* list = &MemoryMarshal.GetReference(into))
                ((WebSocketResult)Native.ws_get_conns(Connection.Handle, (uint*)list, (UIntPtr)into.Length, &count)).ThrowIfFailed();
            return (int)count;
        }

        /// <summary>Lists the clients that have something to take, for who reads each by itself. Gives how many there are, as GetConnections.</summary>
        public int GetWaiting(Span<WebSocketConnection> into)
        {
            UIntPtr count;
            fixed (WebSocketConnection* list = &MemoryMarshal.GetReference(into))
                ((WebSocketResult)Native.ws_get_waiting(Connection.Handle, (uint*)list, (UIntPtr)into.Length, &count)).ThrowIfFailed();
            return (int)count;
        }

        WebSocketResult Put(int target, ReadOnlySpan<byte> data, WebSocketMessageType type)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_put_packet_to(Connection.Handle, target, bytes, (UIntPtr)data.Length, (int)type);
        }

        WebSocketResult End(int target, int code, string reason)
        {
            fixed (byte* text = NativeTexts.Terminated(reason, nameof(reason))) return (WebSocketResult)Native.ws_disconnect(Connection.Handle, target, code, text);
        }
    }
}
