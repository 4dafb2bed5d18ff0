using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

/// <summary>Prints the sizes and offsets of the structs like tests/c/layout.c. With an argument: the same for 32-bit
/// pointers, as assertions in C. Usage: Layout.exe [32]</summary>
static class Layout
{
    static readonly string[] names = { "NativePacket", "NativePacketOut", "NativeEvent", "NativeConfig",
        "WebSocketStats", "NativeVariant", "NativeCall", "NativeReplicated",
        "WebSocketSim" };
    static readonly string[] inC = { "ws_packet", "ws_packet_out", "ws_event", "ws_config", "ws_stats",
        "ws_variant", "ws_call", "ws_replicated", "ws_sim" };

    static int Main(string[] arguments)
    {
        bool narrow = arguments.Length > 0;
        if (narrow) Console.WriteLine("#include \"wspeer.h\"");
        for (int i = 0; i < names.Length; i++)
        {
            Type type = Find(names[i]);
            int size = Size(type, narrow, out _);
            if (!narrow && size != Marshal.SizeOf(type))
                throw new Exception(names[i] + " is laid out otherwise than expected here");
            Console.WriteLine(narrow ? "_Static_assert(sizeof(" + inC[i] + ") == " + size + ", \"\");"
                                     : inC[i] + " size " + size + " 0");
            int at = 0;
            foreach (FieldInfo field in Fields(type))
            {
                int fieldSize = Size(field.FieldType, narrow, out int alignment);
                at = (at + alignment - 1) / alignment * alignment;
                if (!narrow && at != (int)Marshal.OffsetOf(type, field.Name))
                    throw new Exception(names[i] + "." + field.Name + " lies elsewhere than expected here");
                string name = Regex.Replace(field.Name, "(?<!^)([A-Z])", "_$1").ToLowerInvariant();
                Console.WriteLine(narrow ? "_Static_assert(__builtin_offsetof(" + inC[i] + ", " + name + ") == " + at +
                                               " && sizeof(((" + inC[i] + " *)0)->" + name + ") == " + fieldSize +
                                               ", \"\");"
                                         : inC[i] + " " + name + " " + at + " " + fieldSize);
                at += fieldSize;
            }
        }
        return 0;
    }

    static Type Find(string name) => typeof(Wspeer.WebSocketPeer).Assembly.GetType("Wspeer." + name, true);

    static FieldInfo[] Fields(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public).OrderBy(field => field.MetadataToken).ToArray();

    /// <summary>The sequential layout, with pointers of this process or of 4 bytes.</summary>
    static int Size(Type type, bool narrow, out int alignment)
    {
        if (type == typeof(IntPtr) || type == typeof(UIntPtr)) return alignment = narrow ? 4 : IntPtr.Size;
        if (type.IsPrimitive) return alignment = Marshal.SizeOf(type);
        if (type.StructLayoutAttribute.Size > 0)
        {
            alignment = 8;
            return type.StructLayoutAttribute.Size;
        }
        alignment = 1;
        int size = 0;
        foreach (FieldInfo field in Fields(type))
        {
            int fieldSize = Size(field.FieldType, narrow, out int fieldAlignment);
            size = (size + fieldAlignment - 1) / fieldAlignment * fieldAlignment + fieldSize;
            alignment = Math.Max(alignment, fieldAlignment);
        }
        return (size + alignment - 1) / alignment * alignment;
    }
}
