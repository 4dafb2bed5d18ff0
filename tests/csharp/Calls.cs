using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Wspeer;

/// <summary>The P/Invoke declarations use only types that IL2CPP and every other runtime pass without
/// marshalling.</summary>
static class Calls
{
    public static void Run()
    {
        MethodInfo[] calls =
            typeof(WebSocketPeer)
                .Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
                .Where(method => method.GetCustomAttributes(typeof(DllImportAttribute), false).Length > 0)
                .ToArray();
        Check.That(calls.Length > 40, calls.Length + " functions of the library are declared");
        Check.That(calls.All(call => !call.IsGenericMethod && !call.DeclaringType.IsGenericType), "none is generic");
        string[] marshalled =
            calls
                .Where(call => !Blittable(call.ReturnType) ||
                               call.GetParameters().Any(parameter => !Blittable(parameter.ParameterType)))
                .Select(call => call.Name)
                .ToArray();
        Check.That(marshalled.Length == 0,
            "all parameters and results are numbers and pointers to blittable structs" + string.Join(", ", marshalled));
        Check.That(!Blittable(typeof(string)) && !Blittable(typeof(Action)) && !Blittable(typeof(bool)) &&
                       !Blittable(typeof(byte[])),
            "texts, delegates, bools and arrays would not pass");
        Check.That(WebSocketLibrary.Version >= 100, "version " + WebSocketLibrary.Version);
        Check.That(WebSocketLibrary.Features.HasFlag(
                       WebSocketFeatures.Client | WebSocketFeatures.Server | WebSocketFeatures.Multiplayer),
            "features: " + WebSocketLibrary.Features);
    }

    static bool Blittable(Type type)
    {
        if (type.IsPointer) return Blittable(type.GetElementType());
        if (type == typeof(bool) || type == typeof(char)) return false;
        if (type.IsPrimitive || type == typeof(void) || type.IsEnum) return true;
        return type.IsValueType && type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                                       .All(field => Blittable(field.FieldType));
    }
}
