using System;
using Wspeer;

/// <summary>In steady state a message causes no garbage: the runtime's count of bytes allocated by this thread does not
/// change.</summary>
static class Allocations
{
    const int Frames = 2000, Each = 50;
    static long total;

    public static void Run()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        byte[] data = new byte[64];
        string text = "twenty characters ok";
        Steady("Send and Events", Frames * Each, () =>
        {
            for (int i = 0; i < Each; i++) client.Send(data);
            client.Poll();
            server.Poll();
            foreach (WebSocketEvent e in server.Events()) total += e.Packet.Data.Length;
        });
        Steady("Send and Packets", Frames * Each, () =>
        {
            for (int i = 0; i < Each; i++) client.Send(data);
            client.Poll();
            server.Poll();
            foreach (WebSocketPacket packet in server.Packets()) total += packet.Length;
        });
        Steady("SendLatest", Frames * Each, () =>
        {
            for (int i = 0; i < Each; i++) client.SendLatest((uint)i, data);
            client.Poll();
            server.Poll();
            foreach (WebSocketEvent e in server.Events()) total += e.Packet.Data.Length;
        });
        var messages = new WebSocketMessage[Each];
        for (int i = 0; i < Each; i++) messages[i] = new WebSocketMessage(i, 64 - i);
        Steady("SendMany and Packets", Frames * Each, () =>
        {
            int taken;
            client.SendMany(data, messages, out taken);
            client.Poll();
            server.Poll();
            foreach (WebSocketPacket packet in server.Packets()) total += packet.Length;
        });
        Steady("SendText, and an echo of what is lent", Frames * Each, () =>
        {
            for (int i = 0; i < Each; i++) client.SendText(text);
            client.Poll();
            server.Poll();
            WebSocketPacket packet;
            while (server.TryGetPacket(out packet)) server.Send(packet.Data, packet.Type);
            server.Poll();
            client.Poll();
            foreach (WebSocketEvent e in client.Events()) total += e.Packet.Length;
        });
        long counted = Count(() =>
        {
            for (int i = 0; i < Each; i++) client.Send(data);
            client.Poll();
            server.Poll();
            foreach (WebSocketEvent e in server.Events()) total += e.Packet.ToArray().Length;
        }, 0);
        Check.That(counted >= Frames * Each * 64L,
            "the count sees copies: " + counted / (Frames * Each) + " bytes for each message of 64");
        client.Dispose();
        server.Dispose();

        var clients = new WebSocketPeer[4];
        WebSocketServer hall = Check.OpenServer(clients);
        var list = new WebSocketConnection[4];
        Steady("a server's broadcasts to four clients, and their answers", Frames * 8, () =>
        {
            hall.Send(data);
            hall.Poll();
            for (int i = 0; i < 4; i++)
            {
                clients[i].Poll();
                foreach (WebSocketPacket packet in clients[i].Packets()) clients[i].Send(packet.Data);
            }
            hall.Poll();
            hall.GetConnections(list);
            for (int i = 0; i < 4; i++)
            {
                WebSocketEvent e;
                while (hall.TryGetEvent(list[i], out e)) total += e.Packet.Length;
            }
        });
        foreach (WebSocketConnection one in list) one.Subscribe("room 1").ThrowIfFailed();
        Steady("Publish and PublishLatest to four clients", Frames * 8, () =>
        {
            hall.Publish("room 1", data);
            hall.PublishLatest("room 1", 7, data);
            hall.Poll();
            for (int i = 0; i < 4; i++)
            {
                clients[i].Poll();
                foreach (WebSocketPacket packet in clients[i].Packets()) total += packet.Length;
            }
        });
        hall.Dispose();
        foreach (WebSocketPeer one in clients) one.Dispose();
    }

    static void Steady(string name, int messages, Action frame)
    {
        long before = total;
        long counted = Count(frame, 100);
        Check.That(counted == 0 && total > before, name + ": " + counted + " bytes for " + messages + " messages");
    }

    static long Count(Action frame, int warmUp)
    {
        for (int i = 0; i < warmUp; i++) frame();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Frames; i++) frame();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
