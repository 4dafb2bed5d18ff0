using UnityEngine;
#if UNITY_EDITOR
using UnityEditor;
#endif

namespace Wspeer.Unity
{
    /// <summary>Frees what this assembly opened when the game ends: at the end of play mode, before a domain reload,
    /// and when an application that embeds Unity unloads it. Other users of the native library in the process keep
    /// their connections, and so does an editor tool with its own owner.</summary>
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

        /// <summary>Runs after the objects of the scene were destroyed, so that their close frames have been
        /// sent.</summary>
        static void OnPlayMode(PlayModeStateChange change)
        {
            if (change == PlayModeStateChange.EnteredEditMode) WebSocketLibrary.FreeOwned();
        }
#endif
    }
}
