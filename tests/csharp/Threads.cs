using System;
using System.Threading;
using Wspeer;

/// <summary>Any thread may send, poll, query and dispose; one thread reads.</summary>
static class Threads
{
    const int Senders = 4, Each = 5000;

    public static void Run()
    {
        Sending();
        Disposing();
    }

    static void Sending()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        WebSocketPeer from = client;
        var threads = new Thread[Senders];
        for (int i = 0; i < Senders; i++)
        {
            byte number = (byte)i;
            threads[i] = new Thread(() =>
            {
                byte[] message = new byte[5];
                message[0] = number;
                for (int one = 0; one < Each; one++)
                {
                    BitConverter.GetBytes(one).CopyTo(message, 1);
                    while (from.Send(message) == WebSocketResult.ErrFull) Thread.Yield();
                }
            });
            threads[i].Start();
        }
        var next = new int[Senders];
        bool inOrder = true;
        int total = 0;
        Check.Until(() =>
        {
            foreach (WebSocketPacket packet in server.Packets())
            {
                byte[] message = packet.ToArray();
                inOrder &= BitConverter.ToInt32(message, 1) == next[message[0]]++;
                total++;
            }
            return total == Senders * Each;
        }, client, server);
        foreach (Thread thread in threads) thread.Join();
        Check.That(
            total == Senders * Each && inOrder, total + " messages of " + Senders + " threads, each thread's in order");
        client.Dispose();
        server.Dispose();
    }

    static void Disposing()
    {
        int rounds = 0, strange = 0;
        for (; rounds < 200; rounds++)
        {
            WebSocketPeer server, client;
            Check.OpenPair(out server, out client);
            WebSocketPeer shared = client;
            byte[] message = new byte[100];
            var thread = new Thread(() =>
            {
                WebSocketResult result;
                do
                {
                    result = shared.Send(message);
                    if (result != WebSocketResult.Ok && result != WebSocketResult.ErrFull &&
                        result != WebSocketResult.ErrHandle)
                        strange++;
                    GC.KeepAlive(shared.State);
                    GC.KeepAlive(shared.Available);
                } while (shared.Poll() != WebSocketResult.ErrHandle);
            });
            thread.Start();
            for (int i = 0; i < rounds % 5; i++) server.Poll();
            client.Dispose();
            server.Dispose();
            thread.Join();
        }
        Check.That(
            strange == 0, rounds + " connections disposed while another thread polls and sends: only ErrHandle");
    }
}
