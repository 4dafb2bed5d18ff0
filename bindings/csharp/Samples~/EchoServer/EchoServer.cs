using System;
using System.Collections.Generic;
using Wspeer;

/// <summary>The minimal server: sends back what it gets, and prints who comes and goes. A client whose queue is full is not read until it has room again: its sending
/// slows down, the others go on, and nothing is lost.</summary>
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

    /// <summary>One frame. False when the server has closed.</summary>
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
                    if (client.Send(e.Packet.Data, e.Packet.Type) == WebSocketResult.ErrFull) held[client] = new Held { Data = e.Packet.ToArray(), Type = e.Packet.Type };
                    break;
                case WebSocketEventType.CloseRequest:
                    print("~ " + client + " asks to close with code " + e.Code + ": " + e.GetText());
                    break;
                case WebSocketEventType.Disconnected:
                    print("- " + client + " disconnected with code " + e.Code + ", " + (e.Clean ? "clean" : "unclean") + ": " + e.GetText());
                    break;
            }
        }
    }

    /// <summary>Puts a held message again. False while it must be kept.</summary>
    bool LetGo(WebSocketConnection client)
    {
        if (!held.TryGetValue(client, out Held message)) return true;
        if (client.Send(message.Data, message.Type) == WebSocketResult.ErrFull) return false;
        held.Remove(client);
        return true;
    }
}
