using System;
using System.Text;

namespace Wspeer
{
    /// <summary>A value of Godot's, or the head of a container, whose items follow it in the array: of an Array `Count`
    /// values, of a Dictionary `Count` pairs of a key and its value, of a PackedStringArray or NodePath `Count` Strings.
    /// Numbers, texts and bool convert to one, and its default is null.</summary>
    public struct WebSocketVariant
    {
        /// <summary>The type of the value.</summary>
        public WebSocketVariantType Type;

        /// <summary>Number of items, pairs, elements or names that belong to it.</summary>
        public uint Count;

        /// <summary>Bool: 0 or 1. Int: the number. Array, Dictionary: the required types of the elements, 0 for any.
        /// NodePath: 1 if it is absolute.</summary>
        public long Integer;

        /// <summary>Float, vectors, rectangles, transforms, colours and the like: the components, at most 16; those
        /// that are missing are 0. NodePath: the number of sub-names. Null for other types.</summary>
        public double[] Numbers;

        /// <summary>String, StringName: UTF-8. Packed arrays: the elements, little-endian. Null for other
        /// types.</summary>
        public byte[] Data;

        /// <summary>A value that has components, such as Vector2.</summary>
        public WebSocketVariant(WebSocketVariantType type, params double[] numbers) : this()
        {
            Type = type;
            Numbers = numbers;
        }

        /// <summary>A packed array of `count` elements.</summary>
        public WebSocketVariant(WebSocketVariantType type, uint count, byte[] data) : this()
        {
            Type = type;
            Count = count;
            Data = data;
        }

        /// <summary>The head of an Array, whose `count` values follow.</summary>
        public static WebSocketVariant Array(uint count) =>
            new WebSocketVariant { Type = WebSocketVariantType.Array, Count = count };

        /// <summary>The head of a Dictionary, whose `pairs` of a key and its value follow.</summary>
        public static WebSocketVariant Dictionary(uint pairs) =>
            new WebSocketVariant { Type = WebSocketVariantType.Dictionary, Count = pairs };

        /// <summary>A bool.</summary>
        public static implicit operator WebSocketVariant(bool value) =>
            new WebSocketVariant { Type = WebSocketVariantType.Bool, Integer = value ? 1 : 0 };

        /// <summary>An int, which has 64 bits.</summary>
        public static implicit operator WebSocketVariant(long value) =>
            new WebSocketVariant { Type = WebSocketVariantType.Int, Integer = value };

        /// <summary>A float, which has 64 bits.</summary>
        public static implicit operator WebSocketVariant(double value) =>
            new WebSocketVariant(WebSocketVariantType.Float, value);

        /// <summary>A String; for null the value null. Unpaired surrogates become U+FFFD.</summary>
        public static implicit operator WebSocketVariant(string text) =>
            text == null ? default(WebSocketVariant)
                : new WebSocketVariant { Type = WebSocketVariantType.String, Data = Encoding.UTF8.GetBytes(text) };

        /// <summary>A PackedByteArray; for null the value null.</summary>
        public static implicit operator WebSocketVariant(byte[] bytes) =>
            bytes == null ? default(WebSocketVariant)
                : new WebSocketVariant(WebSocketVariantType.PackedByteArray, (uint)bytes.Length, bytes);

        /// <summary>String, StringName: the text. Else "".</summary>
        public string GetText() => Data == null ? "" : Encoding.UTF8.GetString(Data);

        /// <summary>Encodes one value, with the items that belong to it, as Godot's var_to_bytes() does.</summary>
        public static byte[] Encode(params WebSocketVariant[] items) => NativeVariants.Encode(null, null, items);

        /// <summary>Decodes one value that Godot's var_to_bytes() or put_var() encoded. `used`: its length in
        /// bytes.</summary>
        public static WebSocketVariant[] Decode(ReadOnlySpan<byte> data, out int used) =>
            NativeVariants.Decode(data, out used);

        /// <summary>Decodes one value.</summary>
        public static WebSocketVariant[] Decode(ReadOnlySpan<byte> data)
        {
            int used;
            return Decode(data, out used);
        }
    }
}
