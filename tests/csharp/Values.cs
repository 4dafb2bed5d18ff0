using System;
using System.Collections.Generic;
using System.Linq;
using Wspeer;

/// <summary>Values and remote calls of Godot's: every type there and back, and what cannot be encoded or
/// decoded.</summary>
static class Values
{
    public static void Run()
    {
        There();
        Long();
        Wrong();
        Replicating();
        Queued();
    }

    static void There()
    {
        var values = new List<WebSocketVariant[]> {
            new WebSocketVariant[] { default(WebSocketVariant) }, new WebSocketVariant[] { true },
            new WebSocketVariant[] { long.MinValue }, new WebSocketVariant[] { 0.1 }, new WebSocketVariant[] { "κόσμε" },
            new WebSocketVariant[] { "" }, new WebSocketVariant[] { new byte[] { 0, 255 } },
            new WebSocketVariant[] { WebSocketVariant.Array(2), WebSocketVariant.Array(1), 1, "x" },
            new WebSocketVariant[] { WebSocketVariant.Dictionary(1), "k", WebSocketVariant.Array(0) },
            new WebSocketVariant[] { new WebSocketVariant {
                                         Type = WebSocketVariantType.NodePath, Count = 2, Integer = 1,
                                         Numbers = new double[] { 1 }
                                     },
                                     "Game", "position" },
            new WebSocketVariant[] { new WebSocketVariant { Type = WebSocketVariantType.PackedStringArray, Count = 1 },
                                     "one" },
            new WebSocketVariant[] { new WebSocketVariant {
                Type = WebSocketVariantType.StringName, Data = new[] { (byte)'n' } } }
        };
        var components = new Dictionary<WebSocketVariantType, int> {
            { WebSocketVariantType.Vector2, 2 },     { WebSocketVariantType.Vector2i, 2 },
            { WebSocketVariantType.Rect2, 4 },       { WebSocketVariantType.Rect2i, 4 },
            { WebSocketVariantType.Vector3, 3 },     { WebSocketVariantType.Vector3i, 3 },
            { WebSocketVariantType.Transform2d, 6 }, { WebSocketVariantType.Vector4, 4 },
            { WebSocketVariantType.Vector4i, 4 },    { WebSocketVariantType.Plane, 4 },
            { WebSocketVariantType.Quaternion, 4 },  { WebSocketVariantType.Aabb, 6 },
            { WebSocketVariantType.Basis, 9 },       { WebSocketVariantType.Transform3d, 12 },
            { WebSocketVariantType.Projection, 16 }, { WebSocketVariantType.Color, 4 }
        };
        foreach (KeyValuePair<WebSocketVariantType, int> one in components)
            values.Add(new[] { new WebSocketVariant(
                one.Key, Enumerable.Range(1, one.Value).Select(number => (double)number).ToArray()) });
        var packed = new Dictionary<WebSocketVariantType, int> {
            { WebSocketVariantType.PackedInt32Array, 4 },    { WebSocketVariantType.PackedInt64Array, 8 },
            { WebSocketVariantType.PackedFloat32Array, 4 },  { WebSocketVariantType.PackedFloat64Array, 8 },
            { WebSocketVariantType.PackedVector2Array, 8 },  { WebSocketVariantType.PackedVector3Array, 12 },
            { WebSocketVariantType.PackedColorArray, 16 },   { WebSocketVariantType.PackedVector4Array, 16 }
        };
        foreach (KeyValuePair<WebSocketVariantType, int> one in packed)
            values.Add(new[] { new WebSocketVariant(one.Key, 2, new byte[2 * one.Value]) });
        foreach (WebSocketVariant[] items in values)
        {
            WebSocketVariantType type = items[0].Type;
            byte[] bytes = WebSocketVariant.Encode(items);
            int used;
            WebSocketVariant[] back = WebSocketVariant.Decode(bytes, out used);
            Check.That(used == bytes.Length && Shown(back) == Shown(items),
                type + " of " + items.Length + " items comes back: " + Shown(back));
        }
        int sent = values.Select(items => items[0].Type).Distinct().Count();
        int never = new[] { WebSocketVariantType.Rid, WebSocketVariantType.Object, WebSocketVariantType.Callable,
                            WebSocketVariantType.Signal }.Length;
        Check.Same(sent + never, Enum.GetValues(typeof(WebSocketVariantType)).Length, "every type that can be sent was");
    }

    static void Long()
    {
        WebSocketVariant[] many = Enumerable.Range(0, 200).Select(i => (WebSocketVariant)("text " + i)).ToArray();
        WebSocketCall call = WebSocketCall.Decode(WebSocketCall.Encode("Game", "shout", many));
        Check.That(call.Path == "Game" && call.Method == "shout" && call.Arguments == 200 &&
                       call.Items.Select(item => item.GetText()).SequenceEqual(many.Select(item => item.GetText())),
            "a call with 200 texts comes back");
        Check.Same(WebSocketCall.Decode(WebSocketCall.Encode("Game", "jump")).Items.Length, 0, "a call without arguments");
        Check.Same(WebSocketVariant.Decode(WebSocketVariant.Encode(WebSocketVariant.Array(200).With(many))).Length, 201,
            "an array of 200");
    }

    static void Wrong()
    {
        Check.Throws<ArgumentException>(
            () => WebSocketVariant.Encode(new WebSocketVariant(WebSocketVariantType.Projection, new double[17])),
            "16 at most", "17 numbers");
        Check.Throws<WebSocketException>(() => WebSocketVariant.Encode(1, 2), "ErrArg", "two values at once");
        Check.Throws<WebSocketException>(() => WebSocketVariant.Encode(WebSocketVariant.Array(3), 1), "ErrArg",
            "an array whose values are missing");
        Check.Throws<WebSocketException>(
            () => WebSocketVariant.Encode(new WebSocketVariant { Type = WebSocketVariantType.Rid }), "ErrArg", "a RID");
        Check.Throws<ArgumentNullException>(() => WebSocketCall.Encode("Game", null), "method", "a call of no method");
        Check.Throws<ArgumentNullException>(() => WebSocketVariant.Encode(null), "items", "no items at all");
        Check.Throws<WebSocketException>(() => WebSocketVariant.Decode(new byte[0]), "ErrArg", "nothing to decode");
        Check.Throws<WebSocketException>(() => WebSocketCall.Decode(new byte[] { 1, 2, 3 }), "ErrArg", "no call");
        using (WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host("ws://127.0.0.1:0"))
        {
            Check.Same(host.DeclareNode("Game", "hello"), WebSocketResult.ErrKind, "a node of a host without Scene");
            Check.Same(host.Call(0, "Game", "hello"), WebSocketResult.ErrKind, "a call of a host without Scene");
            Check.Same(host.SendAuth(2, new byte[] { 1 }), WebSocketResult.ErrKind, "SendAuth without Scene");
            Check.Same(host.CompleteAuth(2), WebSocketResult.ErrKind, "CompleteAuth without Scene");
            uint node;
            Check.Same(host.DeclareScene("Spawner", 0, 0, ""), WebSocketResult.ErrKind, "DeclareScene without Scene");
            Check.Same(host.Spawn("Spawner", 0, "Mob", out node), WebSocketResult.ErrKind, "Spawn without Scene");
            Check.Same(host.Sync(1), WebSocketResult.ErrKind, "Sync without Scene");
            Check.Same(host.Despawn(1), WebSocketResult.ErrKind, "Despawn without Scene");
            Check.Same(host.SetVisible(1, true), WebSocketResult.ErrKind, "SetVisible without Scene");
            Check.Throws<ArgumentNullException>(() => host.DeclareScene(null, 0, 0, ""), "spawner", "no spawner");
            Check.Throws<ArgumentNullException>(() => host.DeclareSynchronizer(null, 0, "", out node), "path", "no path");
            Check.Throws<ArgumentNullException>(() => host.Spawn("Spawner", 0, null, out node), "name", "no name");
            Check.Throws<ArgumentNullException>(() => host.Spawn("Spawner", 0, "Mob", out node, null), "items", "no items");
            Check.Throws<ArgumentException>(() => host.Spawn("Spawner", 0, "a\0b", out node), "NUL", "a NUL in a name");
        }
        Check.Throws<WebSocketException>(() => WebSocketReplicated.Decode(new byte[] { 5, 1, 0, 0, 0 }), "ErrArg",
            "no packet of replication");
        Check.Throws<WebSocketException>(() => WebSocketReplicated.Decode(default(ReadOnlySpan<byte>)), "ErrArg",
            "no bytes of replication");
    }

    static WebSocketMultiplayerPeer OpenScene(out WebSocketMultiplayerPeer player)
    {
        var config = new WebSocketConfig { Flags = WebSocketFlags.Scene };
        WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host("ws://127.0.0.1:0", config);
        WebSocketMultiplayerPeer one = player = WebSocketMultiplayerPeer.JoinLocal(host);
        const string properties = ".:a, .:b spawn change; Body:a spawn";
        Check.That(host.DeclareScene("/root/Spawner", 1, 0, properties) == WebSocketResult.Ok &&
                       player.DeclareScene("Spawner", 1, 0, properties) == WebSocketResult.Ok &&
                       host.DeclareScene("Spawner", 0, WebSocketScene.Custom, "") == WebSocketResult.Ok &&
                       player.DeclareScene("Spawner", 1, WebSocketScene.Custom, "") == WebSocketResult.Ok,
            "scenes are declared");
        Check.That(Check.Until(() => one.State == WebSocketState.Open, host, one), "a player joins");
        return host;
    }

    /// <summary>The next event of this type, decoded; others are skipped.</summary>
    static WebSocketReplicated[] Hear(WebSocketMultiplayerPeer host, WebSocketMultiplayerPeer player,
        WebSocketEventType type)
    {
        WebSocketReplicated[] found = null;
        Check.That(Check.Until(() =>
        {
            foreach (WebSocketEvent e in player.Events())
            {
                if (e.Type != type) continue;
                found = WebSocketReplicated.Decode(e.Data);
                return e.PeerId == 1 && e.Packet.Length == e.Data.Length;
            }
            return false;
        }, host, player), type + " comes");
        return found;
    }

    static void Replicating()
    {
        WebSocketMultiplayerPeer player;
        using (WebSocketMultiplayerPeer host = OpenScene(out player))
        using (player)
        {
            uint node, item, clock;
            Check.Same(host.Spawn("Spawner", 0, "Mob", out node, ".:a", WebSocketVariant.Array(2), 1, "x", ".:b", 2.5,
                "Body:a", new byte[] { 1, 2 }), WebSocketResult.Ok, "a node is spawned");
            WebSocketReplicated[] found = Hear(host, player, WebSocketEventType.Spawn);
            Check.That(found.Length == 1 && found[0].Path == "Spawner" && found[0].Name == "Mob" &&
                           found[0].Node == node && found[0].Scene == 0 && found[0].Data == null,
                "one node, as it was spawned");
            Check.Same(string.Join("; ", found[0].Properties.Select(one => one.Key + ": " + Shown(one.Value))),
                ".:a: " + Shown(new WebSocketVariant[] { WebSocketVariant.Array(2), 1, "x" }) + "; .:b: " +
                Shown(new WebSocketVariant[] { 2.5 }) + "; Body:a: " +
                Shown(new WebSocketVariant[] { new byte[] { 1, 2 } }), "with its properties");
            Hear(host, player, WebSocketEventType.Sync);
            Check.Same(host.Sync(node, ".:a", 7), WebSocketResult.Ok, "a property is synchronized");
            found = Hear(host, player, WebSocketEventType.Sync);
            Check.Same(found[0].Node + " " + found[0].Name + found[0].Properties[".:a"][0].Integer, node + " 7", "its value");

            // More items than there is room for at first, and nested ones.
            WebSocketVariant[] data = WebSocketVariant.Array(50).With(Enumerable.Range(0, 50).SelectMany(
                i => new WebSocketVariant[] { WebSocketVariant.Dictionary(1), "k", i }).ToArray());
            Check.Same(host.Spawn("Spawner", WebSocketScene.Custom, "Item", out item, data), WebSocketResult.Ok,
                "a node is spawned with data");
            found = Hear(host, player, WebSocketEventType.Spawn);
            Check.That(found[0].Scene == WebSocketScene.Custom && found[0].Properties.Count == 0 &&
                           Shown(found[0].Data) == Shown(data), "the data comes back");

            Check.Same(host.SetVisible(item, false), WebSocketResult.Ok, "a node is hidden");
            found = Hear(host, player, WebSocketEventType.Despawn);
            Check.That(found[0].Node == item && found[0].Data == null && found[0].Properties.Count == 0, "by its number");
            Check.Same(host.SetVisible(item, true, 5), WebSocketResult.ErrTarget, "no such peer");
            Check.Same(host.Despawn(node), WebSocketResult.Ok, "a node is despawned");
            Check.Same(host.Despawn(node), WebSocketResult.ErrArg, "once");
            Check.Same(host.Sync(node, ".:a", 7), WebSocketResult.ErrArg, "and synchronized no more");

            Check.Same(host.DeclareSynchronizer("Clock", 0, "time", out clock), WebSocketResult.Ok, "a synchronizer");
            Check.That(clock != 0, "has a number");
            uint other;
            Check.Same(player.DeclareSynchronizer("Clock", 1, "time", out other), WebSocketResult.Ok, "that of another peer");
            Check.That(other == 0, "has none");
            Check.Same(host.DeclareSynchronizer("Clock", 0, null, out clock), WebSocketResult.Ok, "is forgotten");
            Check.Same(host.DeclareScene("Spawner", 1, 0, null), WebSocketResult.Ok, "a scene is forgotten");
            Check.Same(host.DeclareScene("Spawner", 1, 0, null), WebSocketResult.ErrArg, "once");
            Check.Same(host.SendTo(0, new byte[] { 5, 1, 0, 0, 0 }, WebSocketMessageType.Replication),
                WebSocketResult.Ok, "a packet of replication is sent as it is");
        }
    }

    /// <summary>What Packets() gives: Spawn, Despawn and Sync in their order among other messages.</summary>
    static void Queued()
    {
        WebSocketMultiplayerPeer player;
        using (WebSocketMultiplayerPeer host = OpenScene(out player))
        using (player)
        {
            uint item;
            Check.That(Check.Until(() => host.Available >= 0 && player.State == WebSocketState.Open, host, player),
                "a player is there");
            host.SendTo(0, new byte[] { 1 });
            host.Spawn("Spawner", WebSocketScene.Custom, "Item", out item, 5);
            host.SendTo(0, new byte[] { 2 });
            host.Despawn(item);
            host.SendTo(0, new byte[] { 3 });
            Check.That(Check.Until(() => player.Available == 5, host, player), "five messages are counted");
            // One event, behind which the others were taken too.
            WebSocketEvent e;
            string got = "";
            while (player.TryGetEvent(out e) && e.Type != WebSocketEventType.Message) got += e.Type + " ";
            got += e.Data[0] + " ";
            foreach (WebSocketEvent one in player.Events())
            {
                got += one.Type + " ";
                break;
            }
            Check.Same(player.Available, 3, "three are left");
            foreach (WebSocketPacket packet in player.Packets())
                got += packet.Type == WebSocketMessageType.Binary ? packet.Data[0] + " " : packet.Type + " ";
            Check.Same(got, "Open Connected 1 Spawn 2 Despawn 3 ", "in their order");
        }
    }

    static WebSocketVariant[] With(this WebSocketVariant head, WebSocketVariant[] items) =>
        new[] { head }.Concat(items).ToArray();

    static string Shown(WebSocketVariant[] items) => string.Join(", ", items.Select(item =>
        item.Type + " " + item.Count + " " + item.Integer + " [" + string.Join(" ", item.Numbers ?? new double[0]) +
        "] " + BitConverter.ToString(item.Data ?? new byte[0])));
}
