using System;
using System.Diagnostics;
using Wspeer;

/// <summary>Shared by the tests. Each check prints "ok - " or "not ok - ".</summary>
static class Check
{
    public static int Failures;
    static string group = "";

    public static void Group(string name) => group = name;

    public static void That(bool good, string name)
    {
        if (!good) Failures++;
        Console.WriteLine((good ? "ok - " : "not ok - ") + group + ": " + name);
        Console.Out.Flush();
    }

    public static void Same<T>(T seen, T wanted, string name)
    {
        bool good = Equals(seen, wanted);
        That(good, good ? name : name + " (" + seen + " instead of " + wanted + ")");
    }

    /// <summary>The body must throw this exception with this text in its message.</summary>
    public static void Throws<T>(Action body, string contains, string name) where T : Exception
    {
        string seen = "nothing was thrown";
        try
        {
            body();
        }
        catch (T error)
        {
            seen = error.Message;
            if (error.Message.Contains(contains))
            {
                That(true, name);
                return;
            }
        }
        catch (Exception error)
        {
            seen = error.GetType() + ": " + error.Message;
        }
        That(false, name + " (" + seen + ")");
    }

    /// <summary>Runs frames until the condition holds. Returns false after ten seconds.</summary>
    public static bool Until(Func<bool> holds, params WebSocketEndpoint[] endpoints)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed.TotalSeconds < 10)
        {
            foreach (WebSocketEndpoint endpoint in endpoints) endpoint.Poll();
            if (holds()) return true;
            WebSocketLibrary.Wait(1, endpoints);
        }
        return false;
    }

    /// <summary>An open pair; its Open events are taken.</summary>
    public static void OpenPair(out WebSocketPeer server, out WebSocketPeer client, WebSocketConfig config = null)
    {
        WebSocketPeer one, other;
        WebSocketPeer.Pair(out one, out other, config);
        if (!Until(() => one.State == WebSocketState.Open && other.State == WebSocketState.Open, one, other))
            throw new Exception("the pair did not open");
        Drain(one);
        Drain(other);
        server = one;
        client = other;
    }

    /// <summary>A server on a free port and its open clients; their events are taken.</summary>
    public static WebSocketServer OpenServer(WebSocketPeer[] clients, WebSocketConfig config = null)
    {
        WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0", config);
        for (int i = 0; i < clients.Length; i++)
            clients[i] = WebSocketPeer.Connect("ws://127.0.0.1:" + server.Port, config);
        var all = new WebSocketEndpoint[clients.Length + 1];
        clients.CopyTo(all, 0);
        all[clients.Length] = server;
        Func<bool> open = () => Array.TrueForAll(clients, client => client.State == WebSocketState.Open) &&
                                server.Connection.GetStats().Connections == clients.Length;
        if (!Until(open, all)) throw new Exception("the clients did not open");
        foreach (WebSocketEndpoint one in all) Drain(one);
        return server;
    }

    public static void Drain(WebSocketEndpoint endpoint)
    {
        foreach (WebSocketEvent e in endpoint.Events()) GC.KeepAlive(e.Type);
    }

    /// <summary>Whether a port refuses connections because its server has been freed.</summary>
    public static bool Refuses(int port)
    {
        using (WebSocketPeer visitor = WebSocketPeer.Connect("ws://127.0.0.1:" + port))
        {
            Until(() => visitor.State == WebSocketState.Closed || visitor.State == WebSocketState.Open, visitor);
            WebSocketEnd end;
            return visitor.Connection.TryGetEnd(out end) && end.Cause == WebSocketCause.Refused;
        }
    }
}
