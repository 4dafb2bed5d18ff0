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
        }
    }

    static WebSocketVariant[] With(this WebSocketVariant head, WebSocketVariant[] items) =>
        new[] { head }.Concat(items).ToArray();

    static string Shown(WebSocketVariant[] items) => string.Join(", ", items.Select(item =>
        item.Type + " " + item.Count + " " + item.Integer + " [" + string.Join(" ", item.Numbers ?? new double[0]) +
        "] " + BitConverter.ToString(item.Data ?? new byte[0])));
}
