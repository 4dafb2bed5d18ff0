#if UNITY_2021_3_OR_NEWER
using UnityEngine;
using Wspeer;

/// <summary>Add it to a GameObject and press Play: it echoes on ws://localhost:9080.</summary>
public sealed class EchoServerBehaviour : MonoBehaviour
{
    [SerializeField] string url = "ws://*:9080";

    EchoServer server;

    void Start() =>
        server = new EchoServer(url, new WebSocketConfig { Flags = WebSocketFlags.Deflate }, text => Debug.Log(text));

    void Update() => server?.Frame();

    void OnDestroy() => server?.Dispose();
}
#endif
