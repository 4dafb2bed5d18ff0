#if !UNITY_2021_3_OR_NEWER
using System;
using System.Collections.Concurrent;
using System.Threading;
using Wspeer;

/// <summary>Usage: Chat server [PORT]            prints and passes on what everyone says
///        Chat client URL NAME          type a line to say it; end of input leaves</summary>
static class Program
{
    static readonly ConcurrentQueue<string> typed = new ConcurrentQueue<string>();
    static volatile bool ended;

    static int Main(string[] arguments)
    {
        bool serves = arguments.Length >= 1 && arguments[0] == "server";
        if (!serves && (arguments.Length != 3 || arguments[0] != "client"))
        {
            Console.Error.WriteLine("usage: Chat server [PORT] | client URL NAME");
            return 1;
        }
        new Thread(ReadLines) { IsBackground = true }.Start();
        try
        {
            return serves ? Serve(arguments.Length > 1 ? arguments[1] : "9080") : Join(arguments[1], arguments[2]);
        }
        catch (WebSocketException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    static int Serve(string port)
    {
        using (var server = new ChatServer("ws://*:" + port, Console.WriteLine))
        {
            for (bool leaving = false; server.Frame(); server.Wait(16))
            {
                bool last = ended;
                while (typed.TryDequeue(out string line)) server.Say(line);
                if (!last || leaving) continue;
                leaving = true;
                server.Leave();
            }
            return 0;
        }
    }

    static int Join(string url, string name)
    {
        using (var client = new ChatClient(url, name, Console.WriteLine))
        {
            for (bool leaving = false; client.Frame(); client.Wait(16))
            {
                bool last = ended;
                while (typed.TryDequeue(out string line)) client.Say(line);
                if (!last || leaving || client.Connecting) continue;
                leaving = true;
                client.Leave();
            }
            return client.Clean ? 0 : 1;
        }
    }

    static void ReadLines()
    {
        for (string line; (line = Console.ReadLine()) != null;) typed.Enqueue(line);
        ended = true;
    }
}
#endif
