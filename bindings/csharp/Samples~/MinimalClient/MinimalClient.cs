using System;
using Wspeer;

/// <summary>The minimal client: sends "Test packet" when connected, and prints what it receives.</summary>
public sealed class MinimalClient : IDisposable
{
    readonly WebSocketPeer peer;
    readonly Action<string> print;

    public MinimalClient(string url, WebSocketConfig config, Action<string> print)
    {
        peer = WebSocketPeer.Connect(url, config);
        this.print = print;
    }

    /// <summary>Whether the connection has ended with a closing handshake.</summary>
    public bool Clean { get; private set; }

    /// <summary>Runs once a frame. Returns false when the connection has ended.</summary>
    public bool Frame()
    {
        peer.Poll();
        foreach (WebSocketEvent e in peer.Events())
        {
            switch (e.Type)
            {
                case WebSocketEventType.Open:
                    print("Connected");
                    peer.SendText("Test packet");
                    break;
                case WebSocketEventType.Message:
                    print(e.Packet.IsText ? "< Got text data from server: " + e.Packet.GetText()
                        : "< Got binary data from server: " + e.Packet.Length + " bytes");
                    break;
                case WebSocketEventType.Closed:
                    print("Closed with code " + e.Code + ": " + e.GetText());
                    Clean = e.Clean;
                    return false;
            }
        }
        return true;
    }

    public void Leave() => peer.Close(1000, "bye");

    public void Wait(int milliseconds) => peer.Wait(milliseconds);

    public void Dispose() => peer.Dispose();
}
