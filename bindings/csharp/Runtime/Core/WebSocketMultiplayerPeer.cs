using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>A peer of Godot's multiplayer format: the host, 1, or one who joined it. A stock Godot game on the other side notices no difference.
    /// A target above 0 is one peer, 0 is everyone, below 0 everyone but that one.</summary>
    public sealed unsafe class WebSocketMultiplayerPeer : WebSocketEndpoint
    {
        WebSocketMultiplayerPeer(uint handle, bool isHost) : base(handle, isHost)
        {
            IsHost = isHost;
        }

        /// <summary>Opens a host, peer 1. The URL is as for WebSocketServer.Listen.</summary>
        public static WebSocketMultiplayerPeer Host(string url, WebSocketConfig config = null) => new WebSocketMultiplayerPeer(Open(Opener.Host, url, config), true);

        /// <summary>Joins a host. It is Connecting until its id has come; then come Open, with the id as PeerId, and Connected of peer 1.</summary>
        public static WebSocketMultiplayerPeer Join(string url, WebSocketConfig config = null) => new WebSocketMultiplayerPeer(Open(Opener.Join, url, config), false);

        /// <summary>Joins a host of this process in memory: the player who sits at the host's machine. Poll both.</summary>
        public static WebSocketMultiplayerPeer JoinLocal(WebSocketMultiplayerPeer host, WebSocketConfig config = null)
        {
            if (host == null) throw new ArgumentNullException(nameof(host));
            return new WebSocketMultiplayerPeer(Open(Opener.JoinLocal, null, config, host.Connection.Handle), false);
        }

        /// <summary>Whether this is the host.</summary>
        public bool IsHost { get; }

        /// <summary>The id: 1 of the host, of others what the host drew, or 0 until it has come.</summary>
        public int UniqueId => Connection.PeerId;

        /// <summary>The port that a host listens on.</summary>
        public int Port => (int)Connection.GetOption(WebSocketOption.Port);

        /// <summary>Host: whether newcomers are answered with 503.</summary>
        public bool RefuseNew
        {
            get => Connection.GetOption(WebSocketOption.RefuseNew) != 0;
            set => Connection.SetOption(WebSocketOption.RefuseNew, value ? 1u : 0u).ThrowIfFailed();
        }

        /// <summary>Puts a packet to a target.</summary>
        public WebSocketResult SendTo(int target, ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data)) return (WebSocketResult)Native.ws_put_packet_to(Connection.Handle, target, bytes, (UIntPtr)data.Length, (int)type);
        }

        /// <summary>Puts a packet to a target.</summary>
        public WebSocketResult SendTo(int target, byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return SendTo(target, new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))), type);
        }

        /// <summary>Host: closes the connection to a target; code -1 is Godot's force.</summary>
        public WebSocketResult DisconnectPeer(int target, int code = 0, string reason = null)
        {
            fixed (byte* text = NativeTexts.Terminated(reason, nameof(reason))) return (WebSocketResult)Native.ws_disconnect(Connection.Handle, target, code, text);
        }

        /// <summary>The connection to a peer: on a host that of its client, on a join its own for 1. Throws when there is no such peer.</summary>
        public WebSocketConnection GetConnection(int peerId)
        {
            uint found;
            ((WebSocketResult)Native.ws_get_conn(Connection.Handle, peerId, &found)).ThrowIfFailed();
            return new WebSocketConnection(found);
        }
    }
}
