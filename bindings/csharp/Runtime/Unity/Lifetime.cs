using UnityEngine;
#if UNITY_EDITOR
using UnityEditor;
#endif

namespace Wspeer.Unity
{
    /// <summary>Frees what this assembly opened when the game that opened it is over: at the end of play mode, before a domain reload, and where Unity is a library of an
    /// application that goes on. Other users of the native library in the process keep their connections, and so does an editor tool with an owner of its own.</summary>
    internal static class Lifetime
    {
        /// <summary>Play mode begins, with or without a domain reload.</summary>
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        static void Begin()
        {
            WebSocketLibrary.FreeOwned();
            Application.unloading -= WebSocketLibrary.FreeOwned;
            Application.unloading += WebSocketLibrary.FreeOwned;
        }

#if UNITY_EDITOR
        [InitializeOnLoadMethod]
        static void Watch()
        {
            AssemblyReloadEvents.beforeAssemblyReload += WebSocketLibrary.FreeOwned;
            EditorApplication.playModeStateChanged += OnPlayMode;
        }

        /// <summary>After the objects of the scene were destroyed, so that their goodbyes have left.</summary>
        static void OnPlayMode(PlayModeStateChange change)
        {
            if (change == PlayModeStateChange.EnteredEditMode) WebSocketLibrary.FreeOwned();
        }
#endif
    }
}
