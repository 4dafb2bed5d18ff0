using System;
using System.Collections.Generic;

namespace Wspeer
{
    /// <summary>A node that a peer has spawned, despawned or synchronized, with WebSocketFlags.Scene.</summary>
    public sealed class WebSocketReplicated
    {
        /// <summary>Path of the spawner as it was declared, without "/root/"; if Scene is WebSocketScene.None that of
        /// the synchronizer.</summary>
        public string Path { get; }

        /// <summary>Spawn: the node's name below the spawner's spawn path. Else "".</summary>
        public string Name { get; }

        /// <summary>The node's number among those of the peer, which is used again only after its Despawn.</summary>
        public uint Node { get; }

        /// <summary>Index of the scene in the spawner's list, WebSocketScene.Custom or WebSocketScene.None.</summary>
        public uint Scene { get; }

        /// <summary>Spawn of a WebSocketScene.Custom: its data, one value with the items that belong to it. Else
        /// null.</summary>
        public WebSocketVariant[] Data { get; }

        /// <summary>Spawn, Sync: the values of properties by their names, each with the items that belong to it. If two
        /// synchronizers of a scene have a property of the same name, the value of the last.</summary>
        public Dictionary<string, WebSocketVariant[]> Properties { get; }

        internal WebSocketReplicated(string path, string name, in NativeReplicated native, WebSocketVariant[] items)
        {
            Path = path;
            Name = name;
            Node = native.Node;
            Scene = native.Scene;
            Properties = new Dictionary<string, WebSocketVariant[]>();
            int at = 0;
            if (native.DataItems > 0) Data = Value(items, ref at);
            while (at < items.Length)
            {
                string property = items[at++].GetText();
                Properties[property] = Value(items, ref at);
            }
        }

        /// <summary>Decodes the Data of a Spawn, Despawn or Sync.</summary>
        public static WebSocketReplicated[] Decode(ReadOnlySpan<byte> data) => NativeVariants.DecodeReplication(data);

        /// <summary>The value that begins at `at`, which moves behind it.</summary>
        static WebSocketVariant[] Value(WebSocketVariant[] items, ref int at)
        {
            int from = at;
            for (long lacks = 1; lacks > 0; lacks--) lacks += Inside(items[at++]);
            WebSocketVariant[] value = new WebSocketVariant[at - from];
            Array.Copy(items, from, value, 0, value.Length);
            return value;
        }

        /// <summary>How many values belong to one.</summary>
        static long Inside(in WebSocketVariant item)
        {
            switch (item.Type)
            {
                case WebSocketVariantType.Array:
                case WebSocketVariantType.PackedStringArray:
                case WebSocketVariantType.NodePath: return item.Count;
                case WebSocketVariantType.Dictionary: return 2L * item.Count;
                default: return 0;
            }
        }
    }
}
