using System;
using Wspeer;

/// <summary>A chat server: prints every line and sends it to all clients.</summary>
public sealed class ChatServer : IDisposable
{
    readonly WebSocketServer server;
    readonly Action<string> print;

    public ChatServer(string url, Action<string> print)
    {
        server = WebSocketServer.Listen(url);
        this.print = print;
        print("Chat on " + server.Url);
    }

    /// <summary>Runs once a frame. Returns false when the server has closed.</summary>
    public bool Frame()
    {
        server.Poll();
        foreach (WebSocketEvent e in server.Events())
        {
            switch (e.Type)
            {
                case WebSocketEventType.Connected:
                    SayToAll(NameOf(e.Connection) + " is here");
                    break;
                case WebSocketEventType.Message:
                    SayToAll(NameOf(e.Connection) + ": " + e.Packet.GetText());
                    break;
                case WebSocketEventType.Disconnected:
                    SayToAll(NameOf(e.Connection) + " has left");
                    break;
                case WebSocketEventType.Closed:
                    return false;
            }
        }
        return true;
    }

    public void Say(string text) => SayToAll("server: " + text);

    public void Leave() => server.Close(0, "the server goes");

    public void Wait(int milliseconds) => server.Wait(milliseconds);

    public void Dispose() => server.Dispose();

    void SayToAll(string text)
    {
        print(text);
        server.SendText(text);
    }

    static string NameOf(WebSocketConnection client) => client.GetHeader("X-Chat-Name") ?? "";
}
