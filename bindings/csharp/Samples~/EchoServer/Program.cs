#if !UNITY_2021_3_OR_NEWER
using System;
using System.IO;
using System.Threading;
using Wspeer;

/// <summary>Usage: EchoServer [PORT [CERT.pem KEY.pem]]     port 0 takes any free one; Enter, or the end of input, ends
/// it</summary>
static class Program
{
    static volatile bool stop;

    static int Main(string[] arguments)
    {
        new Thread(WaitForEnter) { IsBackground = true }.Start();
        bool secure = arguments.Length > 2;
        try
        {
            var config = new WebSocketConfig
            {
                Flags = WebSocketFlags.Deflate,
                CertPem = secure ? File.ReadAllText(arguments[1]) : null,
                KeyPem = secure ? File.ReadAllText(arguments[2]) : null,
            };
            string url = (secure ? "wss://*:" : "ws://*:") + (arguments.Length > 0 ? arguments[0] : "9080");
            using (var server = new EchoServer(url, config, Console.WriteLine))
            {
                for (bool leaving = false; server.Frame(); server.Wait(16))
                {
                    if (stop && !leaving)
                    {
                        leaving = true;
                        server.Leave();
                    }
                }
            }
            return 0;
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
