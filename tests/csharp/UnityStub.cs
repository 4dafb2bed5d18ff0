// The UnityEngine and UnityEditor types that the package uses, with the signatures of Unity's scripting reference, so
// that its Unity code compiles and runs on Mono.
using System;

namespace UnityEngine
{
    public class Object
    {
    }

    public class MonoBehaviour : Object
    {
        public T GetComponent<T>() where T : class => null;

        public GameObject gameObject => null;
    }

    public class GameObject : Object
    {
        public T AddComponent<T>() where T : class => null;
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AddComponentMenu : Attribute
    {
        public AddComponentMenu(string menuName)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class DefaultExecutionOrder : Attribute
    {
        public DefaultExecutionOrder(int order)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
    public sealed class RequireComponent : Attribute
    {
        public RequireComponent(Type requiredComponent)
        {
        }
    }

    public enum RuntimeInitializeLoadType
    {
        AfterSceneLoad,
        BeforeSceneLoad,
        AfterAssembliesLoaded,
        BeforeSplashScreen,
        SubsystemRegistration
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
        public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType loadType)
        {
        }
    }

    public static class Application
    {
        public static event Action unloading;

        public static void StubUnload() => unloading?.Invoke();
    }

    public static class Debug
    {
        public static Exception StubLast;

        public static void Log(object message)
        {
        }

        public static void LogException(Exception exception, Object context) => StubLast = exception;
    }

    public class GUILayoutOption
    {
    }

    public static class GUILayout
    {
        public static void Label(string text, params GUILayoutOption[] options)
        {
        }

        public static string TextField(string text, params GUILayoutOption[] options) => text;

        public static bool Button(string text, params GUILayoutOption[] options) => false;
    }
}

namespace UnityEditor
{
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class InitializeOnLoadMethodAttribute : Attribute
    {
    }

    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();

        public static event AssemblyReloadCallback beforeAssemblyReload;

        public static void StubReload() => beforeAssemblyReload?.Invoke();
    }

    public enum PlayModeStateChange
    {
        EnteredEditMode,
        ExitingEditMode,
        EnteredPlayMode,
        ExitingPlayMode
    }

    public static class EditorApplication
    {
        public static event Action<PlayModeStateChange> playModeStateChanged;

        public static void StubPlayMode(PlayModeStateChange change) => playModeStateChanged?.Invoke(change);
    }
}
