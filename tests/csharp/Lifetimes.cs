using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Wspeer;

/// <summary>Opening and ending under traffic, in every way, leaks nothing; handles of another user of the library are
/// kept.</summary>
static class Lifetimes
{
    public static void Run()
    {
        Cycles();
        Forgotten();
        Spans();
        Owners();
    }

    static void Cycles()
    {
        for (int i = 0; i < 10; i++) Cycle(i);
        Collect();
        int descriptors = Descriptors();
        long memory = Memory();
        for (int i = 0; i < 50; i++) Cycle(i);
        Collect();
        // The worker may still be closing sockets, and a runtime opens a few itself.
        Check.Until(() => Descriptors() <= descriptors + 3);
        Check.That(Descriptors() <= descriptors + 3,
            "50 cycles under traffic: " + descriptors + " descriptors before, " + Descriptors() + " after");
        Check.That(
            Memory() - memory < 8192, "50 cycles under traffic: " + memory + " KiB before, " + Memory() + " KiB after");
    }

    /// <summary>A server and three clients during traffic, ended by Dispose, the garbage collector, the owner or a
    /// shutdown.</summary>
    static void Cycle(int number)
    {
        var clients = new WebSocketPeer[3];
        WebSocketServer server = Check.OpenServer(clients);
        byte[] data = new byte[3000];
        for (int frame = 0; frame < 20; frame++)
        {
            for (int i = 0; i < 10; i++) server.Send(data);
            server.Poll();
            foreach (WebSocketPeer client in clients)
            {
                client.Send(data);
                client.Poll();
                WebSocketPacket packet;
                client.TryGetPacket(out packet);
            }
        }
        switch (number % 4)
        {
            case 0:
                server.Dispose();
                foreach (WebSocketPeer client in clients) client.Dispose();
                break;
            case 1:
                break;
            case 2:
                WebSocketLibrary.FreeOwned();
                break;
            default:
                WebSocketLibrary.Shutdown();
                break;
        }
    }

    /// <summary>Unreferenced peers are freed by the garbage collector.</summary>
    static void Forgotten()
    {
        int port = 0;
        var thread = new Thread(() =>
        {
            var clients = new WebSocketPeer[3];
            port = Check.OpenServer(clients).Port;
        });
        thread.Start();
        thread.Join();
        Check.That(Check.Until(() =>
        {
            Collect();
            return Check.Refuses(port);
        }), "a server that was forgotten is freed by the garbage collector");
    }

    /// <summary>Reads lent bytes while the garbage collector runs continuously, of peers that are not referenced
    /// elsewhere.</summary>
    static void Spans()
    {
        bool ends = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref ends)) Collect();
        });
        collector.Start();
        bool whole = true;
        for (int i = 0; i < 20; i++)
        {
            whole &= AreSevens(Copied(Waiting()));
            whole &= Seen(Waiting()) == new string('\a', Length);
        }
        Volatile.Write(ref ends, true);
        collector.Join();
        Check.That(whole, "copies of lent bytes are intact while the garbage collector runs");
        Check.That(KeptSpan(), "a span stays valid up to GC.KeepAlive(peer)");
    }

    const int Length = 2 << 20;

    /// <summary>A peer with one queued message.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static WebSocketPeer Waiting()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client, new WebSocketConfig { OutboundBytes = 2 * Length });
        byte[] data = new byte[Length];
        for (int i = 0; i < Length; i++) data[i] = 7;
        client.Send(data);
        Check.Until(() => server.Available > 0, server, client);
        GC.KeepAlive(client);
        return server;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static byte[] Copied(WebSocketPeer peer)
    {
        WebSocketPacket packet;
        peer.TryGetPacket(out packet);
        return packet.ToArray();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static string Seen(WebSocketPeer peer)
    {
        foreach (WebSocketEvent e in peer.Events())
            if (e.Type == WebSocketEventType.Message) return e.GetText();
        return "";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static ReadOnlySpan<byte> Span(WebSocketPeer peer)
    {
        WebSocketPacket packet;
        peer.TryGetPacket(out packet);
        return packet.Data;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static bool KeptSpan()
    {
        WebSocketPeer peer = Waiting();
        ReadOnlySpan<byte> span = Span(peer);
        Collect();
        bool whole = AreSevens(span);
        GC.KeepAlive(peer);
        return whole;
    }

    static bool AreSevens(ReadOnlySpan<byte> bytes)
    {
        int sevens = 0;
        foreach (byte one in bytes) sevens += one == 7 ? 1 : 0;
        return sevens == Length;
    }

    static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    static long Memory()
    {
        foreach (string line in File.ReadAllLines("/proc/self/status"))
            if (line.StartsWith("VmRSS:")) return long.Parse(line.Substring(6).Replace("kB", "").Trim());
        return 0;
    }

    [DllImport("wspeer", CallingConvention = CallingConvention.Cdecl)]
    static extern unsafe int ws_connect(byte* url, void* config, uint* result);

    [DllImport("wspeer", CallingConvention = CallingConvention.Cdecl)]
    static extern int ws_get_state(uint h);

    [DllImport("wspeer", CallingConvention = CallingConvention.Cdecl)]
    static extern int ws_poll(uint h);

    [DllImport("wspeer", CallingConvention = CallingConvention.Cdecl)]
    static extern void ws_free(uint h);

    static unsafe uint Connect(byte* url)
    {
        uint handle;
        return ws_connect(url, null, &handle) == 0 ? handle : 0;
    }

    static unsafe void Owners()
    {
        Check.That(WebSocketLibrary.Owner != 0, "this assembly has its own owner");
        uint foreign = 0;
        using (WebSocketServer tool = WebSocketServer.Listen("ws://127.0.0.1:0", new WebSocketConfig { Owner = 5 }))
        using (WebSocketServer game = WebSocketServer.Listen("ws://127.0.0.1:0"))
        {
            // Another user of the native library in this process.
            fixed (byte* url = Encoding.UTF8.GetBytes("ws://127.0.0.1:" + tool.Port + "\0")) foreign = Connect(url);
            Check.That(foreign != 0, "a foreign connection is created");
            Check.That(Check.Until(() => ws_poll(foreign) >= 0 && ws_get_state(foreign) == 1, tool, game),
                "the foreign connection is open");
            WebSocketLibrary.FreeOwned();
            Check.Same(game.Poll(), WebSocketResult.ErrHandle, "FreeOwned frees what this assembly opened");
            Check.Same(tool.Poll(), WebSocketResult.Ok, "FreeOwned keeps handles with another owner");
            Check.That(Check.Until(() => ws_poll(foreign) >= 0, tool) && ws_get_state(foreign) == 1,
                "FreeOwned keeps foreign connections");
            WebSocketLibrary.FreeOwner(0);
            Check.Same(ws_get_state(foreign), 1, "owner 0 frees nothing");
            WebSocketLibrary.FreeOwner(5);
            Check.Same(tool.Poll(), WebSocketResult.ErrHandle, "FreeOwner frees the handles of that owner");
            ws_free(foreign);
        }
    }
}
