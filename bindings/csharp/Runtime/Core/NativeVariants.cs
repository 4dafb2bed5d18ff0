using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Wspeer
{
    /// <summary>Converts values between WebSocketVariant and what the library takes and gives.</summary>
    internal static unsafe class NativeVariants
    {
        /// <summary>A call if `path` is given, else one value.</summary>
        internal static byte[] Encode(string path, string method, WebSocketVariant[] items)
        {
            byte[] data = RoomFor(items);
            NativeVariant[] natives = new NativeVariant[Math.Max(items.Length, 1)];
            fixed (byte* p = NativeTexts.Terminated(path, nameof(path)))
            fixed (byte* m = NativeTexts.Terminated(method, nameof(method)))
            fixed (byte* bytes = data)
            fixed (NativeVariant* first = natives)
            {
                Write(items, first, bytes);
                for (byte[] buffer = new byte[256];;)
                {
                    UIntPtr length = UIntPtr.Zero;
                    WebSocketResult result;
                    fixed (byte* to = buffer)
                        result = (WebSocketResult)(p == null
                            ? Native.ws_encode_variant(first, (UIntPtr)items.Length, to, (UIntPtr)buffer.Length, &length)
                            : Native.ws_encode_call(p, m, first, (UIntPtr)items.Length, to, (UIntPtr)buffer.Length,
                                &length));
                    bool grows = result == WebSocketResult.ErrTooBig && (ulong)length > (ulong)buffer.Length;
                    if (!grows) result.ThrowIfFailed();
                    // Enough for the next round, or exactly what was written.
                    Array.Resize(ref buffer, checked((int)length));
                    if (!grows) return buffer;
                }
            }
        }

        /// <summary>Spawns a node if `spawner` is given, else synchronizes the node.</summary>
        internal static WebSocketResult Replicate(uint handle, string spawner, uint scene, string name, ref uint node,
            WebSocketVariant[] items)
        {
            byte[] data = RoomFor(items);
            NativeVariant[] natives = new NativeVariant[Math.Max(items.Length, 1)];
            fixed (byte* s = NativeTexts.Terminated(spawner, nameof(spawner)))
            fixed (byte* n = NativeTexts.Terminated(name, nameof(name)))
            fixed (byte* bytes = data)
            fixed (NativeVariant* first = natives)
            fixed (uint* number = &node)
            {
                Write(items, first, bytes);
                return (WebSocketResult)(s == null
                    ? Native.ws_sync(handle, node, first, (UIntPtr)items.Length)
                    : Native.ws_spawn(handle, s, scene, n, first, (UIntPtr)items.Length, number));
            }
        }

        internal static WebSocketVariant[] Decode(ReadOnlySpan<byte> data, out int used)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
            {
                byte none;
                byte* from = bytes == null ? &none : bytes;
                for (int room = 16;;)
                {
                    UIntPtr count, length;
                    NativeVariant[] natives = new NativeVariant[room];
                    WebSocketResult result;
                    fixed (NativeVariant* first = natives)
                        result = ((WebSocketResult)Native.ws_decode_variant(from, (UIntPtr)data.Length, first,
                            (UIntPtr)room, &count, &length)).ThrowIfFailed();
                    used = (int)length;
                    if (result == WebSocketResult.Ok) return Read(natives, (int)count);
                    room = checked((int)count);
                }
            }
        }

        internal static WebSocketCall DecodeCall(ReadOnlySpan<byte> data)
        {
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
            {
                byte none;
                byte* from = bytes == null ? &none : bytes;
                for (int room = 16;;)
                {
                    NativeCall call;
                    NativeVariant[] natives = new NativeVariant[room];
                    WebSocketResult result;
                    fixed (NativeVariant* first = natives)
                        result = ((WebSocketResult)Native.ws_decode_call(from, (UIntPtr)data.Length, &call, first,
                            (UIntPtr)room)).ThrowIfFailed();
                    if (result == WebSocketResult.Ok)
                        return new WebSocketCall(Text(call.Path), Text(call.Method), (int)call.Arguments,
                            Read(natives, (int)call.Items));
                    room = checked((int)call.Items);
                }
            }
        }

        internal static WebSocketReplicated[] DecodeReplication(ReadOnlySpan<byte> data)
        {
            List<WebSocketReplicated> nodes = new List<WebSocketReplicated>();
            fixed (byte* bytes = &MemoryMarshal.GetReference(data))
            {
                byte none;
                byte* from = bytes == null ? &none : bytes;
                NativeVariant[] natives = new NativeVariant[32];
                for (UIntPtr at = UIntPtr.Zero;;)
                {
                    UIntPtr next = at;
                    NativeReplicated node;
                    WebSocketResult result;
                    fixed (NativeVariant* first = natives)
                        result = ((WebSocketResult)Native.ws_decode_replication(from, (UIntPtr)data.Length, &next, &node,
                            first, (UIntPtr)natives.Length)).ThrowIfFailed();
                    if (result == WebSocketResult.Empty) return nodes.ToArray();
                    if (result == WebSocketResult.Truncated)
                    {
                        natives = new NativeVariant[checked((int)node.Items)];
                        continue;
                    }
                    nodes.Add(new WebSocketReplicated(Text(node.Path), Text(node.Name), node,
                        Read(natives, (int)node.Items)));
                    at = next;
                }
            }
        }

        /// <summary>Room for the bytes of items.</summary>
        static byte[] RoomFor(WebSocketVariant[] items)
        {
            if (items == null) throw new ArgumentNullException(nameof(items));
            int size = 0;
            foreach (WebSocketVariant item in items) size = checked(size + (item.Data == null ? 0 : item.Data.Length));
            return new byte[Math.Max(size, 1)];
        }

        static void Write(WebSocketVariant[] items, NativeVariant* to, byte* data)
        {
            for (int i = 0, at = 0; i < items.Length; i++) at += Write(items[i], &to[i], data + at);
        }

        /// <summary>Fills one item, and copies its bytes to `data`. Returns their number.</summary>
        static int Write(in WebSocketVariant item, NativeVariant* to, byte* data)
        {
            double[] numbers = item.Numbers ?? System.Array.Empty<double>();
            if (numbers.Length > 16)
                throw new ArgumentException("a value has " + numbers.Length + " numbers: give 16 at most",
                    nameof(item));
            to->Type = (int)item.Type;
            to->Count = item.Count;
            to->Integer = item.Integer;
            for (int i = 0; i < numbers.Length; i++) to->Number[i] = numbers[i];
            if (item.Data == null) return 0;
            Marshal.Copy(item.Data, 0, (IntPtr)data, item.Data.Length);
            to->Data = (IntPtr)data;
            to->Len = (UIntPtr)item.Data.Length;
            return item.Data.Length;
        }

        static WebSocketVariant[] Read(NativeVariant[] natives, int count)
        {
            WebSocketVariant[] items = new WebSocketVariant[count];
            fixed (NativeVariant* first = natives)
                for (int i = 0; i < count; i++) Read(&first[i], ref items[i]);
            return items;
        }

        static void Read(NativeVariant* from, ref WebSocketVariant item)
        {
            item.Type = (WebSocketVariantType)from->Type;
            item.Count = from->Count;
            item.Integer = from->Integer;
            int numbers = Components(item.Type);
            if (numbers > 0) item.Numbers = new double[numbers];
            for (int i = 0; i < numbers; i++) item.Numbers[i] = from->Number[i];
            if (!HasData(item.Type)) return;
            item.Data = new byte[checked((int)from->Len)];
            Marshal.Copy(from->Data, item.Data, 0, item.Data.Length);
        }

        static string Text(IntPtr terminated)
        {
            byte* first = (byte*)terminated;
            int length = 0;
            while (first[length] != 0) length++;
            return Encoding.UTF8.GetString(first, length);
        }

        static bool HasData(WebSocketVariantType type)
        {
            switch (type)
            {
                case WebSocketVariantType.String:
                case WebSocketVariantType.StringName: return true;
                case WebSocketVariantType.PackedStringArray: return false;
                default: return type >= WebSocketVariantType.PackedByteArray;
            }
        }

        /// <summary>How many of the numbers a type uses.</summary>
        static int Components(WebSocketVariantType type)
        {
            switch (type)
            {
                case WebSocketVariantType.Float:
                case WebSocketVariantType.NodePath: return 1;
                case WebSocketVariantType.Vector2:
                case WebSocketVariantType.Vector2i: return 2;
                case WebSocketVariantType.Vector3:
                case WebSocketVariantType.Vector3i: return 3;
                case WebSocketVariantType.Rect2:
                case WebSocketVariantType.Rect2i:
                case WebSocketVariantType.Vector4:
                case WebSocketVariantType.Vector4i:
                case WebSocketVariantType.Plane:
                case WebSocketVariantType.Quaternion:
                case WebSocketVariantType.Color: return 4;
                case WebSocketVariantType.Transform2d:
                case WebSocketVariantType.Aabb: return 6;
                case WebSocketVariantType.Basis: return 9;
                case WebSocketVariantType.Transform3d: return 12;
                case WebSocketVariantType.Projection: return 16;
                default: return 0;
            }
        }
    }
}
