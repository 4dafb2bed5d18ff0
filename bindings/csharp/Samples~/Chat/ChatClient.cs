using System;
using Wspeer;

/// <summary>A chat client.</summary>
public sealed class ChatClient : IDisposable
{
    readonly WebSocketPeer peer;
    readonly Action<string> print;

    public ChatClient(string url, string name, Action<string> print)
    {
        peer = WebSocketPeer.Connect(url,
            new WebSocketConfig { Headers = new[] { "X-Chat-Name: " + name }, Flags = WebSocketFlags.QueueBeforeOpen });
        this.print = print;
    }

    /// <summary>Whether the connection has ended with a closing handshake.</summary>
    public bool Clean { get; private set; }

    /// <summary>Whether the connection is not open yet: leaving now would lose the lines that were entered.</summary>
    public bool Connecting => peer.State == WebSocketState.Connecting;

    /// <summary>Runs once a frame. Returns false when the connection has ended.</summary>
    public bool Frame()
    {
        peer.Poll();
        foreach (WebSocketEvent e in peer.Events())
        {
            if (e.Type == WebSocketEventType.Message) print(e.Packet.GetText());
            if (e.Type != WebSocketEventType.Closed) continue;
            print("(" + e.GetText() + ")");
            Clean = e.Clean;
            return false;
        }
        return true;
    }

    public void Say(string text) => peer.SendText(text);

    public void Leave() => peer.Close(1000);

    public void Wait(int milliseconds) => peer.Wait(milliseconds);

    public void Dispose() => peer.Dispose();
}
