// As much of Godot's C# as the example in bindings/godot/README.md uses.
using System;

namespace Godot
{
    public struct Variant
    {
        public T As<T>() { return default(T); }
        public int AsInt32() { return 3; }
        public static implicit operator Variant(string text) { return default(Variant); }
    }

    public class GodotObject
    {
        public Variant Call(string method, params Variant[] args) { return default(Variant); }
    }

    public class Node : GodotObject
    {
        public virtual void _Ready() { }
        public virtual void _Process(double delta) { }
        public void SetProcess(bool enable) { }
    }

    public class PacketPeer : GodotObject
    {
        public int GetAvailablePacketCount() { return 0; }
        public byte[] GetPacket() { return new byte[0]; }
    }

    public static class ClassDB
    {
        public static Variant Instantiate(string name) { return default(Variant); }
    }

    public static class GD
    {
        public static void Print(params object[] what) { Console.WriteLine(what); }
    }

    public static class Extensions
    {
        public static string GetStringFromUtf8(this byte[] bytes) { return System.Text.Encoding.UTF8.GetString(bytes); }
    }
}
