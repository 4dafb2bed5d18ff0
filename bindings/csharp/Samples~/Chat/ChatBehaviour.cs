#if UNITY_2021_3_OR_NEWER
using System.Collections.Generic;
using UnityEngine;

/// <summary>Add it to a GameObject and press Play: it hosts a chat or joins one.</summary>
public sealed class ChatBehaviour : MonoBehaviour
{
    [SerializeField] bool host = true;
    [SerializeField] string url = "ws://localhost:9080";
    [SerializeField] string playerName = "Ann";

    readonly List<string> lines = new List<string>();
    ChatServer server;
    ChatClient client;
    string typed = "";

    void Start()
    {
        if (host) server = new ChatServer("ws://*:9080", _ => { });
        client = new ChatClient(url, playerName, lines.Add);
    }

    void Update()
    {
        server?.Frame();
        if (client != null && !client.Frame())
        {
            client.Dispose();
            client = null;
        }
    }

    void OnGUI()
    {
        foreach (string line in lines) GUILayout.Label(line);
        if (client == null) return;
        typed = GUILayout.TextField(typed);
        if (!GUILayout.Button("Say") || typed == "") return;
        client.Say(typed);
        typed = "";
    }

    void OnDestroy()
    {
        client?.Dispose();
        server?.Dispose();
    }
}
#endif
