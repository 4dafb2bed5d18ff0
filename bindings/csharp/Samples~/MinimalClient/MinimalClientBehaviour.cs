#if UNITY_2021_3_OR_NEWER
using UnityEngine;
using Wspeer;
using Wspeer.Unity;

/// <summary>The minimal client with the component: add both to one GameObject, set the URL and press Play.</summary>
[RequireComponent(typeof(WebSocketClientBehaviour))]
public sealed class MinimalClientBehaviour : MonoBehaviour
{
    void Awake()
    {
        var client = GetComponent<WebSocketClientBehaviour>();
        client.Opened += () =>
        {
            Debug.Log("Connected");
            client.SendText("Test packet");
        };
        client.TextReceived += text => Debug.Log("< Got text data from server: " + text);
        client.MessageReceived += message =>
        {
            if (!message.IsText) Debug.Log("< Got binary data from server: " + message.Length + " bytes");
        };
        client.Closed += closing => Debug.Log("Closed with code " + closing.Code + ": " + closing.Message);
    }
}
#endif
