// Two ends in memory exchange a message, with the library of the NuGet package.
using System;
using Wspeer;

static class Start
{
    static void Main()
    {
        WebSocketPeer server, client;
        WebSocketPeer.Pair(out server, out client);
        while (server.State != WebSocketState.Open || client.State != WebSocketState.Open)
        {
            client.Poll();
            server.Poll();
        }
        client.SendText("hello");
        client.Poll();
        server.Poll();
        WebSocketPacket packet;
        while (server.TryGetPacket(out packet)) Console.WriteLine(packet.GetText());
    }
}
