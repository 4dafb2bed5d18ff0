#if !UNITY_2021_3_OR_NEWER
using System;
using System.IO;
using System.Threading;
using Wspeer;

/// <summary>Usage: MinimalClient URL [SUBPROTOCOL [CA.pem]]     Enter, or the end of input, closes it</summary>
static class Program
{
    static volatile bool stop;

    static int Main(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("usage: MinimalClient URL [SUBPROTOCOL [CA.pem]]");
            return 2;
        }
        new Thread(WaitForEnter) { IsBackground = true }.Start();
        var config = new WebSocketConfig
        {
            Subprotocols = arguments.Length > 1 ? arguments[1] : null,
            CaPem = arguments.Length > 2 ? File.ReadAllText(arguments[2]) : null,
        };
        try
        {
            using (var client = new MinimalClient(arguments[0], config, Console.WriteLine))
            {
                for (bool leaving = false; client.Frame(); client.Wait(16))
                {
                    if (stop && !leaving)
                    {
                        leaving = true;
                        client.Leave();
                    }
                }
                return client.Clean ? 0 : 1;
            }
        }
        catch (WebSocketException error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    static void WaitForEnter()
    {
        Console.ReadLine();
        stop = true;
    }
}
#endif
