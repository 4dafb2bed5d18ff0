using System;
using System.Runtime.InteropServices;

namespace Wspeer
{
    /// <summary>A peer in Godot's multiplayer format: the host (id 1) or a client that joined it. The other side may be
    /// an unchanged Godot game. A target above 0 is one peer, 0 is everyone, below 0 everyone but that peer.</summary>
    public sealed unsafe class WebSocketMultiplayerPeer : WebSocketEndpoint
    {
        WebSocketMultiplayerPeer(uint handle, bool isHost) : base(handle, isHost)
        {
            IsHost = isHost;
        }

        /// <summary>Opens a host, peer 1. The URL is that of WebSocketServer.Listen.</summary>
        public static WebSocketMultiplayerPeer Host(string url, WebSocketConfig config = null) =>
            new WebSocketMultiplayerPeer(Open(Opener.Host, url, config), true);

        /// <summary>Joins a host. State is Connecting until the id arrives; then follow Open, with the id as PeerId,
        /// and Connected of peer 1.</summary>
        public static WebSocketMultiplayerPeer Join(string url, WebSocketConfig config = null) =>
            new WebSocketMultiplayerPeer(Open(Opener.Join, url, config), false);

        /// <summary>Joins a host of this process in memory: the player on the host's own machine. Poll both.</summary>
        public static WebSocketMultiplayerPeer JoinLocal(WebSocketMultiplayerPeer host, WebSocketConfig config = null)
        {
            if (host == null) throw new ArgumentNullException(nameof(host));
            return new WebSocketMultiplayerPeer(Open(Opener.JoinLocal, null, config, host.Connection.Handle), false);
        }

        /// <summary>Whether this is the host.</summary>
        public bool IsHost { get; }

        /// <summary>The id: 1 for the host; for a join the id that the host assigned, or 0 until it arrives.</summary>
        public int UniqueId => Connection.PeerId;

        /// <summary>The port that the host listens on.</summary>
        public int Port => (int)Connection.GetOption(WebSocketOption.Port);

        /// <summary>Host: whether new clients are refused with HTTP status 503.</summary>
        public bool RefuseNew
        {
            get => Connection.GetOption(WebSocketOption.RefuseNew) != 0;
            set => Connection.SetOption(WebSocketOption.RefuseNew, value ? 1u : 0u).ThrowIfFailed();
        }

        /// <summary>Queues a packet for a target.</summary>
        public WebSocketResult SendTo(int target, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_put_packet_to(Connection.Handle, target, bytes, (UIntPtr)data.Length,
                    (int)type);
        }

        /// <summary>Queues a packet for a target.</summary>
        public WebSocketResult SendTo(int target, byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return SendTo(target, new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))), type);
        }

        /// <summary>SendLatest to a target; 0: where Send sends it.</summary>
        public WebSocketResult SendLatestTo(int target, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return Outgoing.SendLatest(Connection.Handle, target, key, data, type);
        }

        /// <summary>Host: queues a packet for the peers that have subscribed to a topic, with
        /// GetConnection(id).Subscribe, but not for the peer `except`; 0: for all of them.</summary>
        public WebSocketResult Publish(string topic, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary, int except = 0)
        {
            return Outgoing.Publish(Connection.Handle, topic, data, type, except);
        }

        /// <summary>Host: publishes a packet that takes the place of the one with this key that has not left to a
        /// subscriber, as SendLatest does.</summary>
        public WebSocketResult PublishLatest(string topic, uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary, int except = 0)
        {
            return Outgoing.PublishLatest(Connection.Handle, topic, key, data, type, except);
        }

        /// <summary>Host: all topics that have subscribers, sorted.</summary>
        public string[] GetTopics() => Connection.GetTopics();

        /// <summary>Host: closes the connection to a target; code -1 is Godot's force.</summary>
        public WebSocketResult DisconnectPeer(int target, int code = 0, string reason = null) =>
            Disconnect(target, true, code, reason);

        /// <summary>With Scene: declares a node of the game and all its RPCs, so that calls of them can be sent and
        /// received. `methods` names every function of the node's script that is annotated @rpc, and no other, in any
        /// order: "hello, move, shoot"; behind a semicolon those that Node.rpc_config() made callable. Null forgets the
        /// node. Declare nodes right after Host or Join.</summary>
        public WebSocketResult DeclareNode(string path, string methods)
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            fixed (byte* p = NativeTexts.Terminated(path, nameof(path)))
            fixed (byte* m = NativeTexts.Terminated(methods, nameof(methods)))
                return (WebSocketResult)Native.ws_declare_node(Connection.Handle, p, m);
        }

        /// <summary>With Scene: calls a method of a declared node at a target: Call(0, "Game", "hello", 5, "x").
        /// `arguments`: each with the items that belong to it. Throws if they are no values.</summary>
        public WebSocketResult Call(int target, string path, string method, params WebSocketVariant[] arguments) =>
            SendTo(target, WebSocketCall.Encode(path, method, arguments), WebSocketMessageType.Call);

        /// <summary>With Scene: declares a scene of a MultiplayerSpawner, so that its nodes can be received or spawned.
        /// `spawner` is the path of the spawner; `authority` the peer that may spawn with it, 0 for this program;
        /// `scene` the index in its Auto Spawn List, or WebSocketScene.Custom. `synchronizers` names the properties of
        /// the scene's synchronizers: ".:position, .:skin spawn; Body:health spawn change". The modes behind a property
        /// are "spawn", "always" and "change"; without any it is "spawn always". Null forgets the scene. Declare scenes
        /// right after Host or Join.</summary>
        public WebSocketResult DeclareScene(string spawner, int authority, uint scene, string synchronizers)
        {
            if (spawner == null) throw new ArgumentNullException(nameof(spawner));
            fixed (byte* path = NativeTexts.Terminated(spawner, nameof(spawner)))
            fixed (byte* list = NativeTexts.Terminated(synchronizers, nameof(synchronizers)))
                return (WebSocketResult)Native.ws_declare_scene(Connection.Handle, path, authority, scene, list);
        }

        /// <summary>With Scene: declares a MultiplayerSynchronizer that no spawn brings: one of a scene that both sides
        /// load, or of another authority than the spawner's. `path` is its own path; `authority` and the modes of
        /// `properties` as for DeclareScene. Null for `properties` forgets it. `node`: its number for Sync and
        /// SetVisible if the authority is this program, else 0.</summary>
        public WebSocketResult DeclareSynchronizer(string path, int authority, string properties, out uint node)
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            fixed (byte* p = NativeTexts.Terminated(path, nameof(path)))
            fixed (byte* list = NativeTexts.Terminated(properties, nameof(properties)))
            fixed (uint* number = &node)
                return (WebSocketResult)Native.ws_declare_synchronizer(Connection.Handle, p, authority, list, number);
        }

        /// <summary>With Scene: spawns a node at all peers that may see it, those to come included, until Despawn. The
        /// scene was declared with authority 0. `name` is the node's name below the spawner's spawn path. `items` are
        /// the names of properties, each with its value behind it: all with the mode "spawn", and others as wanted; for
        /// WebSocketScene.Custom they begin with the data of the spawn. Throws if they are no values.</summary>
        public WebSocketResult Spawn(string spawner, uint scene, string name, out uint node,
            params WebSocketVariant[] items)
        {
            if (spawner == null) throw new ArgumentNullException(nameof(spawner));
            if (name == null) throw new ArgumentNullException(nameof(name));
            node = 0;
            return NativeVariants.Replicate(Connection.Handle, spawner, scene, name, ref node, items);
        }

        /// <summary>Despawns a node of Spawn at all peers.</summary>
        public WebSocketResult Despawn(uint node) => (WebSocketResult)Native.ws_despawn(Connection.Handle, node);

        /// <summary>Sends new values of properties of a node of Spawn or DeclareSynchronizer to the peers that see it;
        /// `items` as for Spawn. Properties with the mode "always" are sent whenever one of their synchronizer is given,
        /// to peers whose queue has room: call it once a frame or more seldom. Those with "change" are sent once if
        /// their value has changed, later to a peer whose queue is full or who comes later.</summary>
        public WebSocketResult Sync(uint node, params WebSocketVariant[] items) =>
            NativeVariants.Replicate(Connection.Handle, null, 0, null, ref node, items);

        /// <summary>Shows or hides a node of Spawn or DeclareSynchronizer to one peer, or, with 0, to all. A peer sees
        /// it if it is shown to all, as it is at first, or to that peer; one for which that changes gets Spawn or
        /// Despawn.</summary>
        public WebSocketResult SetVisible(uint node, bool visible, int peerId = 0) =>
            (WebSocketResult)Native.ws_set_visible(Connection.Handle, node, peerId, visible ? 1 : 0);

        /// <summary>With Scene and Auth, after Authenticating: sends data for the authentication of a peer, which
        /// receives it as Auth. A host sends to that peer, a join to peer 1.</summary>
        public WebSocketResult SendAuth(int peerId, ReadOnlySpan<byte> data)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
                return (WebSocketResult)Native.ws_send_auth(Connection.Handle, peerId, bytes, (UIntPtr)data.Length);
        }

        /// <summary>With Scene and Auth: completes the authentication of a peer on this side. Connected follows when
        /// the other side has completed it too; on a join Open and Connected. To refuse a peer, call DisconnectPeer,
        /// or Close on a join.</summary>
        public WebSocketResult CompleteAuth(int peerId) =>
            (WebSocketResult)Native.ws_complete_auth(Connection.Handle, peerId);

        /// <summary>Host: replaces the certificate as WebSocketServer.SetCertificate does.</summary>
        public WebSocketResult SetCertificate(string certPem, string keyPem) =>
            WebSocketCertificate.Set(Connection.Handle, certPem, keyPem);

        /// <summary>Host: ends the game's server as WebSocketServer.Drain does.</summary>
        public WebSocketResult Drain(uint windowMs, uint retryMs = 0, string url = null) =>
            WebSocketServer.Drain(Connection.Handle, windowMs, retryMs, url);

        /// <summary>Host: serves files as WebSocketServer.Serve does.</summary>
        public WebSocketResult Serve(string prefix, string directory, bool isolated = false)
        {
            if (directory == null) throw new ArgumentNullException(nameof(directory));
            return WebSocketServer.Serve(Connection.Handle, prefix, directory, isolated);
        }

        /// <summary>Host: ends what Serve began for this prefix.</summary>
        public WebSocketResult StopServing(string prefix) =>
            WebSocketServer.Serve(Connection.Handle, prefix, null, false);

        /// <summary>The connection to a peer: on a host the client's, on a join its own for peer 1. Throws when there
        /// is no such peer.</summary>
        public WebSocketConnection GetConnection(int peerId)
        {
            uint found;
            ((WebSocketResult)Native.ws_get_conn(Connection.Handle, peerId, &found)).ThrowIfFailed();
            return new WebSocketConnection(found);
        }
    }
}
