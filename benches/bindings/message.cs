// Measures the cost of one 64 B message in C#; run.py describes the method.
// Usage: message single|frame SECONDS     prints the CPU time per message in ns
using System;
using System.Globalization;
using System.Runtime.InteropServices;
using Wspeer;

static class Message
{
    const int Size = 64, Frame = 32, Chunk = 100;

    static readonly byte[] message = new byte[Size];
    static WebSocketPeer server, client;

    struct Time
    {
        public long Seconds, Nanoseconds;
    }

    /// <summary>.NET's own process clock has a resolution of 10 ms, and reads a file.</summary>
    [DllImport("libc")]
    static extern int clock_gettime(int clock, out Time time);

    static double Cpu()
    {
        const int processCpuTime = 2;
        clock_gettime(processCpuTime, out Time time);
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    static void Need(bool good)
    {
        if (!good) throw new Exception("a message was lost or changed");
    }

    static void One(int number)
    {
        message[0] = (byte)number;
        Need(client.Send(message) == WebSocketResult.Ok);
        server.Poll();
        Need(server.TryGetPacket(out WebSocketPacket packet));
        ReadOnlySpan<byte> data = packet.Data;
        Need(data.Length == Size && data[0] == message[0]);
    }

    static void Many(int number)
    {
        for (int i = 0; i < Frame; i++)
        {
            message[0] = (byte)(number + i);
            Need(client.Send(message) == WebSocketResult.Ok);
        }
        server.Poll();
        int count = 0;
        foreach (WebSocketPacket packet in server.Packets())
        {
            ReadOnlySpan<byte> data = packet.Data;
            Need(data.Length == Size && data[0] == (byte)(number + count++));
        }
        Need(count == Frame);
    }

    static long Until(bool frames, double limit)
    {
        long done = 0;
        while (Cpu() < limit)
        {
            for (int i = 0; i < Chunk; i++)
            {
                if (frames) Many(i);
                else One(i);
            }
            done += frames ? Chunk * Frame : Chunk;
        }
        return done;
    }

    static void Main(string[] arguments)
    {
        bool frames = arguments[0] == "frame";
        double seconds = double.Parse(arguments[1], CultureInfo.InvariantCulture);
        WebSocketPeer.Pair(out server, out client);
        while (server.State != WebSocketState.Open || client.State != WebSocketState.Open)
        {
            client.Poll();
            server.Poll();
        }
        Until(frames, Cpu() + seconds / 10);
        double began = Cpu();
        long done = Until(frames, began + seconds);
        Console.WriteLine(((Cpu() - began) / done * 1e9).ToString("f1", CultureInfo.InvariantCulture));
    }
}
