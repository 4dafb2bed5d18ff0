using System;
using System.Collections.Generic;
using Wspeer;

/// <summary>The minimal server: sends every message back and prints who connects and disconnects. While a reply does
/// not fit a client's queue, that client is not read: its sending slows down, the other clients are not affected, and
/// nothing is lost.</summary>
public sealed class EchoServer : IDisposable
{
    struct Held
    {
        public byte[] Data;
        public WebSocketMessageType Type;
    }

    readonly WebSocketServer server;
    readonly Action<string> print;
    readonly Dictionary<WebSocketConnection, Held> held = new Dictionary<WebSocketConnection, Held>();
    WebSocketConnection[] clients = new WebSocketConnection[64];

    public EchoServer(string url, WebSocketConfig config, Action<string> print)
    {
        server = WebSocketServer.Listen(url, config);
        this.print = print;
        print("Listening on " + server.Url);
    }

    /// <summary>Runs once a frame. Returns false when the server has closed.</summary>
    public bool Frame()
    {
        server.Poll();
        int count = server.GetConnections(clients);
        if (count > clients.Length) server.GetConnections(clients = new WebSocketConnection[count * 2]);
        for (int i = 0; i < count; i++) Serve(clients[i]);
        return server.State != WebSocketState.Closed;
    }

    public void Leave() => server.Close();

    public void Wait(int milliseconds) => server.Wait(milliseconds);

    public void Dispose() => server.Dispose();

    void Serve(WebSocketConnection client)
    {
        while (LetGo(client) && server.TryGetEvent(client, out WebSocketEvent e))
        {
            switch (e.Type)
            {
                case WebSocketEventType.Connected:
                    print("+ " + client + " connected from " + client.GetText(WebSocketText.RemoteAddress));
                    break;
                case WebSocketEventType.Message:
                    if (client.Send(e.Packet.Data, e.Packet.Type) == WebSocketResult.ErrFull)
                        held[client] = new Held { Data = e.Packet.ToArray(), Type = e.Packet.Type };
                    break;
                case WebSocketEventType.CloseRequest:
                    print("~ " + client + " asks to close with code " + e.Code + ": " + e.GetText());
                    break;
                case WebSocketEventType.Disconnected:
                    print("- " + client + " disconnected with code " + e.Code + ", " + (e.Clean ? "clean" : "unclean")
                        + ": " + e.GetText());
                    break;
            }
        }
    }

    /// <summary>Sends a held message again. Returns false while it must be kept.</summary>
    bool LetGo(WebSocketConnection client)
    {
        if (!held.TryGetValue(client, out Held message)) return true;
        if (client.Send(message.Data, message.Type) == WebSocketResult.ErrFull) return false;
        held.Remove(client);
        return true;
    }
}
