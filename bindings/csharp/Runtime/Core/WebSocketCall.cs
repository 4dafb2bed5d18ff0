using System;

namespace Wspeer
{
    /// <summary>A remote call: a packet of type Call, with WebSocketFlags.Scene. Any peer may call any declared method:
    /// check the PeerId of the packet where Godot has @rpc("authority").</summary>
    public sealed class WebSocketCall
    {
        /// <summary>Path of the node as it was declared, without "/root/".</summary>
        public string Path { get; }

        /// <summary>Name of the method.</summary>
        public string Method { get; }

        /// <summary>Number of arguments.</summary>
        public int Arguments { get; }

        /// <summary>The arguments, each with the items that belong to it.</summary>
        public WebSocketVariant[] Items { get; }

        internal WebSocketCall(string path, string method, int arguments, WebSocketVariant[] items)
        {
            Path = path;
            Method = method;
            Arguments = arguments;
            Items = items;
        }

        /// <summary>Encodes a call of a method of a declared node, to be sent with WebSocketMessageType.Call.</summary>
        public static byte[] Encode(string path, string method, params WebSocketVariant[] items)
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            if (method == null) throw new ArgumentNullException(nameof(method));
            return NativeVariants.Encode(path, method, items);
        }

        /// <summary>Decodes a received call, the Data of its packet. Throws with ErrUnsupported if an argument is one
        /// that only Godot can read.</summary>
        public static WebSocketCall Decode(ReadOnlySpan<byte> data) => NativeVariants.DecodeCall(data);
    }
}
