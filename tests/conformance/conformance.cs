// The conformance program in C#: docs/conformance.md.
// Usage: conformance SCENARIO [URL [CA.pem]]
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Wspeer;

static partial class Conformance
{
    delegate void See(WebSocketEvent e);

    static readonly TextWriter output =
        new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };

    // ---- The trace ----

    static readonly Dictionary<int, string> peerNames = new Dictionary<int, string> { { 1, "host" } };

    static bool Failed(string verb, WebSocketResult result)
    {
        if (result >= 0) return false;
        string inC = "WS" + Regex.Replace(result.ToString(), "([A-Z])", "_$1").ToUpperInvariant();
        output.WriteLine("failed " + verb + " " + inC + ": " + WebSocketLibrary.LastError);
        return true;
    }

    /// <summary>The object that the body opens, or null after printing the error.</summary>
    static T Opened<T>(string verb, Func<T> open) where T : class
    {
        try
        {
            return open();
        }
        catch (WebSocketException error)
        {
            Failed(verb, error.Result);
            return null;
        }
    }

    static uint Adler32(ReadOnlySpan<byte> bytes)
    {
        uint a = 1, b = 0;
        foreach (byte one in bytes)
        {
            a = (a + one) % 65521;
            b = (b + a) % 65521;
        }
        return b << 16 | a;
    }

    static string Begin(string name) => name == "" ? "" : name + " ";

    static string By(int peerId) => peerId == 0 ? "" : " peer=" + peerNames[peerId];

    static void Print(string name, WebSocketPacket packet)
    {
        bool raw = packet.Type == WebSocketMessageType.Replication;
        bool shown = packet.IsText && packet.Length > 0 && packet.Length <= 64;
        output.WriteLine(Begin(name) + (packet.IsText ? "text " : raw ? "replication " : "binary ") + packet.Length + " " +
                         Adler32(packet.Data).ToString("x8") + By(packet.PeerId) +
                         (shown ? " " + packet.GetText() : ""));
    }

    static void Print(string name, WebSocketEvent e)
    {
        WebSocketConnection of = e.Connection;
        string line;
        switch (e.Type)
        {
            case WebSocketEventType.Message:
                Print(name, e.Packet);
                return;
            case WebSocketEventType.Spawn:
            case WebSocketEventType.Despawn:
            case WebSocketEventType.Sync:
                PrintNodes(name, e.Packet);
                return;
            case WebSocketEventType.Open:
                output.WriteLine(Begin(name) + "open protocol=" + of.GetText(WebSocketText.Subprotocol));
                return;
            case WebSocketEventType.Connected:
                line = "connected";
                if (e.PeerId == 0)
                    line += " path=" + of.GetText(WebSocketText.Path) + " query=" + of.GetText(WebSocketText.Query) +
                            " protocol=" + of.GetText(WebSocketText.Subprotocol);
                break;
            case WebSocketEventType.CloseRequest:
                line = "close-request code=" + e.Code + " reason=" + e.GetText();
                break;
            case WebSocketEventType.Lost:
                line = "lost code=" + e.Code + " phase=" + (int)e.Phase + " cause=" + (int)e.Cause +
                       " status=" + e.HttpStatus + " unsent=" + e.Unsent;
                break;
            case WebSocketEventType.Resumed:
                line = "resumed count=" + e.Count;
                break;
            case WebSocketEventType.Closed:
            case WebSocketEventType.Disconnected:
                line = (e.Type == WebSocketEventType.Closed ? "closed" : "disconnected") + " code=" + e.Code +
                       " clean=" + (e.Clean ? 1 : 0) + " phase=" + (int)e.Phase + " cause=" + (int)e.Cause +
                       " status=" + e.HttpStatus + " unsent=" + e.Unsent +
                       " reason=" + of.GetText(WebSocketText.CloseReason) + " error=" + e.GetText();
                break;
            case WebSocketEventType.Writable:
                line = "writable";
                break;
            case WebSocketEventType.Skipped:
                line = "skipped count=" + e.Count;
                break;
            case WebSocketEventType.Error:
                // A text about a peer has its random id.
                line = "error phase=" + (int)e.Phase + " cause=" + (int)e.Cause + " count=" + e.Count +
                       (e.PeerId == 0 ? " error=" + e.GetText() : "");
                break;
            case WebSocketEventType.Authenticating:
                line = "authenticating";
                break;
            case WebSocketEventType.Auth:
                line = "auth " + e.Data.Length + " " + Adler32(e.Data).ToString("x8");
                break;
            case WebSocketEventType.Refused:
                string text = e.GetText();
                line = "refused phase=" + (int)e.Phase + " cause=" + (int)e.Cause + " status=" + e.HttpStatus +
                       " count=" + e.Count + " error=" + text.Substring(text.IndexOf(": ") + 2);
                break;
            default:
                line = "event " + (int)e.Type;
                break;
        }
        output.WriteLine(Begin(name) + line + By(e.PeerId));
    }

    static void PrintHeader(string name, WebSocketConnection connection, string header, int index)
    {
        string value = connection.GetHeader(header, index);
        output.WriteLine(Begin(name) + (value != null ? "header " + header + " " + index + "=" + value
                                                      : "no header " + header + " " + index));
    }

    // ---- Polling ----

    static readonly List<WebSocketEndpoint> polled = new List<WebSocketEndpoint>();

    /// <summary>What a scenario does in each round of polling besides; null: nothing.</summary>
    static Action betweenPolls;

    /// <summary>Polls all ends until `done` returns true, for at most 10 s.</summary>
    static void PollUntil(string name, Func<bool> done)
    {
        for (DateTime limit = DateTime.UtcNow.AddSeconds(10); !done();)
        {
            if (DateTime.UtcNow > limit)
            {
                output.WriteLine("nothing came to '" + name + "' for 10 s");
                Environment.Exit(1);
            }
            betweenPolls?.Invoke();
            foreach (WebSocketEndpoint one in polled) one.Poll();
            System.Threading.Thread.Sleep(1);
        }
    }

    static void NextEvent(WebSocketEndpoint endpoint, string name, See see)
    {
        PollUntil(name, () =>
        {
            WebSocketEvent e;
            if (!endpoint.TryGetEvent(out e)) return false;
            see(e);
            return true;
        });
    }

    static void Take(WebSocketEndpoint endpoint, string name, int count)
    {
        for (int i = 0; i < count; i++) NextEvent(endpoint, name, e => Print(name, e));
    }

    /// <summary>Prints events up to the first of this type.</summary>
    static void Until(WebSocketEndpoint endpoint, string name, WebSocketEventType type)
    {
        for (bool seen = false; !seen;)
        {
            NextEvent(endpoint, name, e =>
            {
                Print(name, e);
                seen = e.Type == type;
            });
        }
    }

    // ---- Scenarios of a client ----

    static WebSocketPeer client;

    static void OpenClient(string url, WebSocketConfig config = null)
    {
        polled.Clear();
        client?.Dispose();
        client = Opened("connect", () => WebSocketPeer.Connect(url, config));
        if (client == null) return;
        polled.Add(client);
        Take(client, "", 1);
    }

    static void CloseClient(int code = 1000, string reason = "")
    {
        Failed("close", client.Close(code, reason));
        Until(client, "", WebSocketEventType.Closed);
    }

    static void Put(string text) => Failed("put", client.SendText(text));

    static void Echo(string url)
    {
        OpenClient(url + "/echo");
        Put("hello");
        Take(client, "", 1);
        Put("κόσμε 🎮");
        Take(client, "", 1);
        CloseClient();
    }

    static void Sizes(string url)
    {
        int[] lengths = { 0, 1, 125, 126, 65535, 65536, 1 << 20 };
        OpenClient(url + "/echo");
        foreach (int length in lengths)
        {
            var text = new StringBuilder(length);
            for (int i = 0; i < length; i++) text.Append((char)('a' + i % 26));
            Put(text.ToString());
            Take(client, "", 1);
        }
        foreach (int length in lengths)
        {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) bytes[i] = (byte)(i % 251);
            Failed("put", client.Send(bytes));
            Take(client, "", 1);
        }
        CloseClient();
    }

    static void Wss(string url, string ca)
    {
        OpenClient(url + "/echo", new WebSocketConfig { Flags = WebSocketFlags.OnlyCaPem, CaPem = ca });
        output.WriteLine("tls " + (client.Connection.GetText(WebSocketText.Tls) == "" ? "no" : "yes"));
        Put("secret");
        Take(client, "", 1);
        CloseClient();
    }

    static void Subprotocol(string url)
    {
        OpenClient(url + "/echo", new WebSocketConfig { Subprotocols = "chat.v3, chat.v2" });
        CloseClient();
        OpenClient(url + "/echo", new WebSocketConfig { Subprotocols = "other" });
    }

    static void Headers(string url)
    {
        OpenClient(
            url + "/echo?a=1&b=%20", new WebSocketConfig { Headers = new[] { "X-Ask: one", "X-Ask: two words" } });
        for (int i = 0; i < 3; i++) PrintHeader("", client.Connection, "x-answer", i);
        PrintHeader("", client.Connection, "x-missing", 0);
        CloseClient();
    }

    static void Certificate(string url) => OpenClient(url + "/echo");

    static void Status(string url)
    {
        OpenClient(url + "/refuse/403");
        PrintHeader("", client.Connection, "x-refused", 0);
        output.WriteLine("body " + client.Connection.GetText(WebSocketText.Body));
    }

    static void Nobody(string url) => OpenClient(url + "/");

    // Sentences, and the number of steps, depend on the system.
    static void Diagnose(string url)
    {
        foreach (string path in new[] { "/echo", "/refuse/403" })
        {
            polled.Clear();
            client?.Dispose();
            client = Opened("diagnose", () => WebSocketPeer.Diagnose(url + path));
            if (client == null) return;
            polled.Add(client);
            Put("no message");
            int last = -1;
            for (bool ended = false; !ended;)
            {
                NextEvent(client, "", e =>
                {
                    int phase = (int)e.Phase;
                    ended = e.Type != WebSocketEventType.Step;
                    if (ended)
                        output.WriteLine("advice code=" + e.Code + " clean=" + (e.Clean ? 1 : 0) + " phase=" + phase +
                                         " cause=" + (int)e.Cause + " status=" + e.HttpStatus);
                    else if (phase != last)
                        output.WriteLine("step phase=" + phase);
                    last = phase;
                });
            }
        }
    }

    // The URL is that of the proxy.
    static void Proxy(string url)
    {
        WebSocketConfig config = new WebSocketConfig { Proxy = url };
        OpenClient("ws://game.example/echo", config);
        Put("through");
        Take(client, "", 1);
        CloseClient();
        OpenClient("ws://refused.example/", config);
        PrintHeader("", client.Connection, "x-proxy", 0);
        output.WriteLine("body " + client.Connection.GetText(WebSocketText.Body));
        OpenClient("ws://login.example/", config);
        OpenClient("ws://game.example/", new WebSocketConfig { Proxy = "ftp://127.0.0.1:1" });
    }

    // The server has no application heartbeat.
    static void Heartbeat(string url)
    {
        OpenClient(url + "/echo", new WebSocketConfig { Flags = WebSocketFlags.AppHeartbeat });
        Put("hello");
        Take(client, "", 2);
        CloseClient();
    }

    static void Reconnect(string url)
    {
        WebSocketConfig config = new WebSocketConfig
        {
            Flags = WebSocketFlags.Reconnect, RetryMinMs = 1, RetryMaxMs = WebSocketConfig.Off,
        };
        OpenClient(url + "/echo?try=1", config);
        config.RetryMaxMs = 20;
        OpenClient(url + "/echo?try=1", config);
        Take(client, "", 2);
        output.WriteLine("state " + (int)client.State);
        Put("too early");
        Failed("set_url", client.Connection.SetUrl("http://localhost"));
        Failed("set_url", client.Connection.SetUrl(url + "/echo?try=2"));
        Failed("set_header", client.Connection.SetHeader("X-Ask", "again"));
        Take(client, "", 2);
        Put("back");
        Take(client, "", 1);
        CloseClient();
    }

    /// <summary>Before Open, and with Coalesce until it is flushed, only the newest message of each key
    /// waits.</summary>
    static void Latest(string url)
    {
        Action<uint, string> put = (key, text) => Failed("put_latest", client.SendLatestText(key, text));
        Action<uint, byte[]> putBytes = (key, bytes) => Failed("put_latest", client.SendLatest(key, bytes));
        var config = new WebSocketConfig {
            Flags = WebSocketFlags.Coalesce | WebSocketFlags.QueueBeforeOpen, MaxMessageBytes = 1000
        };
        client = Opened("connect", () => WebSocketPeer.Connect(url + "/echo", config));
        if (client == null) return;
        polled.Add(client);
        put(1, "first");
        Put("plain");
        put(1, "second");
        Take(client, "", 3);
        put(1, "one");
        putBytes(uint.MaxValue, new byte[] { 0 });
        Put("between");
        put(1, "a longer one");
        putBytes(uint.MaxValue, new byte[] { 0, 255 });
        put(2, "");
        Failed("flush", client.Flush());
        put(1, "after");
        Take(client, "", 5);
        WebSocketStats stats = client.Connection.GetStats();
        output.WriteLine("replaced " + stats.Replaced + " out " + stats.MessagesOut);
        putBytes(1, new byte[1001]);
        CloseClient();
        put(1, "too late");
    }

    static void CloseHere(string url)
    {
        foreach (string close in new[] { "0 ", "1000 bye", "1001 ", "3000 κόσμε", "4999 " + new string('r', 123) })
        {
            int blank = close.IndexOf(' ');
            OpenClient(url + "/sink");
            Put("last");
            CloseClient(int.Parse(close.Substring(0, blank)), close.Substring(blank + 1));
        }
        OpenClient(url + "/echo");
        CloseClient(-1);
    }

    static void CloseThere(string url)
    {
        foreach (string path in new[] { "/close/1000/", "/close/1001/going", "/close/4001/bye" })
        {
            OpenClient(url + path);
            Until(client, "", WebSocketEventType.Closed);
        }
    }

    static void Burst(string url)
    {
        OpenClient(url + "/burst");
        PollUntil("", () => client.State == WebSocketState.Closed);
        output.WriteLine("state " + (int)client.State + " available " + client.Available);
        foreach (WebSocketPacket packet in client.Packets()) Print("", packet);
        Until(client, "", WebSocketEventType.Closed);
    }

    static readonly WebSocketConfig limited = new WebSocketConfig { MaxMessageBytes = 1000 };

    static void BadPeer(string url)
    {
        foreach (string path in new[] { "/close/none", "/close/drop", "/bad/utf8", "/bad/reserved", "/bad/big" })
        {
            OpenClient(url + path, limited);
            Until(client, "", WebSocketEventType.Closed);
        }
    }

    // ---- Bad input ----

    static void BadOpen(string url)
    {
        const string nobody = "ws://127.0.0.1:1";
        foreach (string bad in new[] { "", "game.example:9080", "http://127.0.0.1/", "ws://127.0.0.1:99999", "ws://" })
            Opened("connect", () => WebSocketPeer.Connect(bad));
        foreach (string bad in new[] { "nothing", "ws://game.example:0", "wss://127.0.0.1:0" })
            Opened("listen", () => WebSocketServer.Listen(bad));
        Opened("connect", () => WebSocketPeer.Connect(
                              nobody, new WebSocketConfig { Headers = new[] { "X-Bad: one\r\nX-Worse: two" } }));
        Opened("connect", () => WebSocketPeer.Connect(nobody, new WebSocketConfig { Headers = new[] { "no colon" } }));
        Opened("connect",
            () => WebSocketPeer.Connect("wss://127.0.0.1:1", new WebSocketConfig { CaPem = "no certificate" }));
        Opened("connect", () => WebSocketPeer.Connect(
                              nobody, new WebSocketConfig { DeflateLevel = 10, Flags = WebSocketFlags.Deflate }));
    }

    static void BadPut(string url)
    {
        byte[] zeros = new byte[1001];
        using (WebSocketPeer early = Opened("connect", () => WebSocketPeer.Connect(url, limited)))
            Failed("put", early.SendText("too early"));
        OpenClient(url + "/echo", limited);
        Failed("put", client.Send(zeros));
        Failed("put", client.Send(new ReadOnlySpan<byte>(zeros, 0, 1000)));
        Take(client, "", 1);
        CloseClient();
        Put("too late");
    }

    static void BadText(string url)
    {
        OpenClient(url + "/echo");
        Failed("put", client.Send(new byte[] { (byte)'a', 0xCE }, WebSocketMessageType.Text));
        Put("good");
        Take(client, "", 1);
        CloseClient();
    }

    static void BadClose(string url)
    {
        OpenClient(url + "/echo");
        Failed("close", client.Close(1000, new string('r', 124)));
        foreach (int code in new[] { 999, 1005, 5000 }) Failed("close", client.Close(code));
        CloseClient();
    }

    // ---- Handles that have ended ----

    static void Stale(string url)
    {
        OpenClient(url + "/echo");
        client.Dispose();
        Put("to nobody");
        Failed("close", client.Close(1000));
        Failed("poll", client.Poll());
        client.Dispose();

        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0"))
        using (WebSocketPeer other = WebSocketPeer.Connect(server.Url))
        {
            polled.Clear();
            polled.Add(server);
            polled.Add(other);
            Take(other, "client", 1);
            var gone = default(WebSocketConnection);
            NextEvent(server, "server", e =>
            {
                gone = e.Connection;
                Print("server", e);
            });
            Failed("close", other.Close(-1));
            Until(server, "server", WebSocketEventType.Disconnected);
            Failed("put", gone.SendText("just gone"));
            server.Poll();
            Failed("put", gone.SendText("to nobody"));
            Failed("put_to", server.SendTo(new WebSocketConnection(12345), ReadOnlySpan<byte>.Empty));
        }
        polled.Clear();
    }

    // ---- A session. The remote peer is a relay, which cuts the first link in the place of the server's "cut" ----

    static void Session(string url)
    {
        var config = new WebSocketConfig { SessionMs = 60000, RetryMinMs = 1, RetryMaxMs = 20 };
        using (WebSocketServer server = WebSocketServer.Listen(
                   "ws://127.0.0.1:0", new WebSocketConfig { SessionMs = 60000, Node = "node-1" }))
        using (WebSocketPeer near = WebSocketPeer.Connect(url + "/" + server.Port + "/room", config))
        {
            polled.Clear();
            polled.Add(server);
            polled.Add(near);
            Take(near, "client", 1);
            var seat = default(WebSocketConnection);
            NextEvent(server, "server", e =>
            {
                seat = e.Connection;
                Print("server", e);
            });
            Failed("put", near.SendText("one"));
            Take(server, "server", 1);
            Failed("put", seat.SendText("cut"));
            Take(near, "client", 1);
            // The client is not polled, so it does not come back before both have put.
            polled.Remove(near);
            Take(server, "server", 1);
            output.WriteLine("state " + (int)near.State + " " + (int)seat.State);
            Failed("put", near.SendText("two"));
            Failed("put", near.SendText("three"));
            Failed("put", seat.SendText("four"));
            polled.Add(near);
            Take(server, "server", 3);
            Take(near, "client", 3);
            output.WriteLine("state " + (int)near.State + " " + (int)seat.State);
            WebSocketStats stats = server.Connection.GetStats();
            output.WriteLine("losses " + stats.Losses + " resumed " + stats.Resumed);
            Failed("put", seat.SendText("five"));
            Take(near, "client", 1);
            Failed("close", near.Close(4000, "bye"));
            Until(near, "client", WebSocketEventType.Closed);
            Until(server, "server", WebSocketEventType.Disconnected);
        }

        // A server without sessions.
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0"))
        using (WebSocketPeer near = WebSocketPeer.Connect(server.Url, config))
        {
            polled.Clear();
            polled.Add(server);
            polled.Add(near);
            Take(near, "client", 2);
            Take(server, "server", 1);
            Failed("put", near.SendText("without"));
            Take(server, "server", 1);
            foreach (WebSocketHint hint in Enum.GetValues(typeof(WebSocketHint)))
                Failed("hint", near.Connection.Hint(hint));
            Failed("drain", server.Drain(5000, 0, "http://localhost"));
            Failed("drain", server.Drain(5000));
            Until(near, "client", WebSocketEventType.Closed);
            Until(server, "server", WebSocketEventType.Disconnected);
            NextEvent(server, "server", e => output.WriteLine("server event " + (int)e.Type));
        }
        polled.Clear();
    }

    // ---- A certificate that is replaced while the server runs ----

    static WebSocketCertificate Made(string names, int days) =>
        Opened("make_certificate", () => WebSocketCertificate.Make(names, days));

    static void Renew(string unused)
    {
        Made("", 30);
        Made("localhost:443", 30);
        Made("localhost", 0);
        WebSocketCertificate first = Made("localhost, 127.0.0.1, ::1", 30),
                             second = Made("localhost, 127.0.0.1, ::1", 30);
        output.WriteLine("sha256 " + first.Sha256.Length);
        using (WebSocketServer plain = WebSocketServer.Listen("ws://127.0.0.1:0"))
            Failed("set_certificate", plain.SetCertificate(first.CertPem, first.KeyPem));

        var config = new WebSocketConfig { CertPem = first.CertPem, KeyPem = first.KeyPem };
        WebSocketServer server = WebSocketServer.Listen("wss://127.0.0.1:0", config);
        polled.Clear();
        polled.Add(server);
        Func<string, WebSocketConfig, WebSocketPeer> visit = (name, how) =>
        {
            WebSocketPeer one = WebSocketPeer.Connect(server.Url, how);
            polled.Add(one);
            Take(one, name, 1);
            return one;
        };
        WebSocketPeer a = visit("a", new WebSocketConfig { PinSha256 = first.Sha256 });
        Take(server, "server", 1);
        Failed("set_certificate", server.SetCertificate(second.CertPem, second.KeyPem));
        visit("b", new WebSocketConfig { PinSha256 = second.Sha256 });
        Take(server, "server", 1);
        Failed("put", a.SendText("still here"));
        Take(server, "server", 1);
        visit("c", new WebSocketConfig { Flags = WebSocketFlags.OnlyCaPem, CaPem = first.CertPem });
        Failed("set_certificate", server.SetCertificate(first.CertPem, second.KeyPem));
        Failed("set_certificate", server.SetCertificate("no certificate", second.KeyPem));
        visit("d", new WebSocketConfig { Flags = WebSocketFlags.OnlyCaPem, CaPem = second.CertPem });
        Take(server, "server", 1);
        foreach (WebSocketEndpoint one in polled) one.Dispose();
        polled.Clear();
    }

    // ---- A client behind a proxy, which is this program ----

    static WebSocketServer ListenBehind(WebSocketFlags flags, string trusted) => Opened("listen",
        () => WebSocketServer.Listen(Localhost, new WebSocketConfig { Flags = flags, TrustedProxies = trusted }));

    /// <summary>A server with these settings, and a client that sends both headers.</summary>
    static void VisitBehind(WebSocketFlags flag, string trusted)
    {
        using (WebSocketServer server = ListenBehind(flag, trusted))
        using (WebSocketPeer other = WebSocketPeer.Connect(server.Url, new WebSocketConfig {
                   Headers = new[] { "X-Forwarded-For: 198.51.100.1, 203.0.113.7", "Forwarded: for=198.51.100.2" }
               }))
        {
            polled.Clear();
            polled.Add(server);
            polled.Add(other);
            Take(other, "client", 1);
            NextEvent(server, "server", e =>
            {
                Print("server", e);
                output.WriteLine("remote " + e.Connection.GetText(WebSocketText.RemoteAddress).Split(':')[0]);
                output.WriteLine("peer " + e.Connection.GetText(WebSocketText.PeerAddress).Split(':')[0]);
            });
        }
        polled.Clear();
    }

    static void Proxied(string unused)
    {
        ListenBehind(WebSocketFlags.Forwarded, null);
        ListenBehind(WebSocketFlags.Forwarded, "127.0.0.1/33");
        ListenBehind(WebSocketFlags.Forwarded | WebSocketFlags.XForwardedFor, "127.0.0.0/8, ::1");
        VisitBehind(WebSocketFlags.XForwardedFor, "127.0.0.0/8, ::1");
        VisitBehind(WebSocketFlags.Forwarded, "127.0.0.0/8, ::1");
        // The client is none of the proxies, so it sends no header of the PROXY protocol.
        VisitBehind(WebSocketFlags.ProxyProtocol, "192.0.2.0/24");
    }

    // ---- Clients that a server turns away ----

    static void Refused(string unused)
    {
        Func<string, string, WebSocketServer> listen = (hosts, origins) => Opened("listen",
            () => WebSocketServer.Listen(
                "ws://127.0.0.1:0", new WebSocketConfig {
                    AllowedHosts = hosts, AllowedOrigins = origins, Flags = WebSocketFlags.ReportRefused
                }));
        listen("localhost, game.example/", null);
        listen("localhost, 127.0.0.1", "game.example");
        using (WebSocketServer server =
                   listen("localhost, 127.0.0.1", "https://game.example, https://*.game.example"))
        {
            Action<string> knock = origin =>
            {
                WebSocketPeer other = WebSocketPeer.Connect(
                    server.Url, new WebSocketConfig { Headers = new[] { "Origin: " + origin } });
                polled.Clear();
                polled.Add(server);
                polled.Add(other);
                Take(other, "client", 1);
                Take(server, "server", 1);
            };
            knock("https://evil.example");
            knock("https://www.game.example");
            Failed("set_option", server.Connection.SetOption(WebSocketOption.RefuseNew, 1));
            knock("https://game.example");
            WebSocketStats stats = server.Connection.GetStats();
            output.WriteLine("refused " + stats.Refused + " request " + stats.RefusedRequest + " limit " +
                             stats.RefusedLimit);
            foreach (WebSocketEndpoint one in polled)
                if (one != server) one.Dispose();
        }
        polled.Clear();
    }

    // ---- A server ----

    static void Serve(string url)
    {
        var config = new WebSocketConfig { Subprotocols = "chat", Headers = new[] { "X-Answer: yes" } };
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0", config))
        {
            polled.Add(server);
            output.WriteLine("port " + server.Port);
            var clients = new List<WebSocketConnection>();
            for (bool running = true; running;)
            {
                NextEvent(server, "", e =>
                {
                    if (e.Type == WebSocketEventType.Closed) running = false;
                    else Serve(server, clients, e);
                });
            }
            output.WriteLine("server closed");
            polled.Clear();
        }
    }

    static void Serve(WebSocketServer server, List<WebSocketConnection> clients, WebSocketEvent e)
    {
        WebSocketConnection of = e.Connection;
        if (e.Type == WebSocketEventType.Connected) clients.Add(of);
        string number = (clients.IndexOf(of) + 1).ToString();
        Print(number, e);
        switch (e.Type)
        {
            case WebSocketEventType.Connected:
                PrintHeader(number, of, "x-name", 0);
                Failed("put", of.SendText("welcome " + number));
                break;
            case WebSocketEventType.Message:
                string said = e.Packet.GetText();
                if (said == "me") Failed("put_to", server.SendTo(of, e.Packet.Data, e.Packet.Type));
                else if (said == "others") Failed("put_to", server.SendToAllBut(of, e.Packet.Data, e.Packet.Type));
                else if (said == "end") Failed("disconnect", server.Disconnect(of, 4004, "as you wish"));
                else if (said == "stop") Failed("close", server.Close(4100, "over"));
                else Failed("put", server.Send(e.Packet.Data, e.Packet.Type));
                break;
            case WebSocketEventType.Disconnected:
                if (server.State == WebSocketState.Open) Failed("put", server.SendText(number + " has left"));
                break;
        }
    }

    // ---- A server that serves a directory. The driver's client asks for files, then joins and says "stop" ----

    static void Files(string directory)
    {
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0"))
        {
            polled.Add(server);
            output.WriteLine("port " + server.Port);
            Failed("serve", server.Serve("page", directory));
            Failed("serve", server.Serve("/.git", directory));
            Failed("serve", server.Serve("/", "no such directory"));
            Failed("stop_serving", server.StopServing("/threads"));
            Failed("serve", server.Serve("/", directory));
            Failed("serve", server.Serve("/threads", directory, true));
            var visitor = default(WebSocketConnection);
            NextEvent(server, "server", e =>
            {
                Print("server", e);
                visitor = e.Connection;
            });
            Take(server, "server", 1);
            Failed("stop_serving", server.StopServing("/threads"));
            Failed("put", visitor.SendText("stopped"));
            Take(server, "server", 2);
            output.WriteLine("served " + server.Connection.GetStats().Served);
            polled.Clear();
        }
    }

    // ---- A server that decides on requests ----

    static void Decide(WebSocketEvent e)
    {
        WebSocketConnection of = e.Connection;
        string query = of.GetText(WebSocketText.Query);
        output.WriteLine("request websocket=" + e.Count + " method=" + of.GetText(WebSocketText.Method) + " path=" +
                         of.GetText(WebSocketText.Path) + " query=" + query + " body=" + e.GetText());
        if (e.Count == 0)
        {
            Failed("accept", of.Accept());
            Failed("reply", of.Reply(200, e.GetText(), new[] { "Content-Type: text/html" }));
        }
        else if (query == "token=good")
        {
            Failed("accept", of.Accept("chat.v9"));
            Failed("accept", of.Accept("chat.v2", new[] { "X-Room: 7\r\nX-Other: 8" }));
            Failed("accept", of.Accept("chat.v2", new[] { "X-Room: 7" }));
            Failed("reply", of.Reply(200, "no"));
        }
        else
        {
            Failed("reply", of.Reply(101, "no"));
            Failed("reply", of.Reply(401, "no", new[] { "WWW-Authenticate: Bearer" }));
        }
    }

    static void Requests(string unused)
    {
        var config = new WebSocketConfig { Flags = WebSocketFlags.Ask };
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0", config))
        {
            polled.Add(server);
            output.WriteLine("port " + server.Port);
            bool connected = false;
            for (bool running = true; running;)
            {
                NextEvent(server, "", e =>
                {
                    if (e.Type == WebSocketEventType.Request)
                    {
                        Decide(e);
                        return;
                    }
                    connected |= e.Type == WebSocketEventType.Connected;
                    Print("", e);
                    running = !connected || e.Type != WebSocketEventType.Disconnected;
                });
            }
            polled.Clear();
        }
    }

    // ---- A game ----

    static void Play(WebSocketFlags format)
    {
        bool godot3 = format == WebSocketFlags.Godot3;
        WebSocketMessageType type = godot3 ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        string[] names = { "a", "b", "c" };
        var config = new WebSocketConfig { Flags = format };
        var joins = new WebSocketMultiplayerPeer[3];
        WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host("ws://127.0.0.1:0", config);
        polled.Add(host);
        Action<int> hears = who => Take(joins[who], names[who], 1);
        for (int i = 0; i < 3; i++)
        {
            joins[i] = WebSocketMultiplayerPeer.Join(host.Url, config);
            polled.Add(joins[i]);
            PollUntil(names[i], () => joins[i].State != WebSocketState.Connecting);
            peerNames[joins[i].UniqueId] = names[i];
            Take(host, "host", 1);
            Take(joins[i], names[i], godot3 ? 2 + i : 2);
            for (int there = 0; godot3 && there < i; there++) hears(there);
        }
        int[] ids = joins.Select(join => join.UniqueId).ToArray();
        Func<string, byte[]> bytes = Encoding.UTF8.GetBytes;

        Failed("put", host.Send(bytes("to all"), type));
        for (int i = 0; i < 3; i++) hears(i);
        Failed("put_to", host.SendTo(ids[1], bytes("to b"), type));
        hears(1);
        Failed("put_to", host.SendTo(-ids[2], bytes("not to c"), type));
        hears(0);
        hears(1);
        Failed("put_to", host.SendTo(1, bytes("to myself"), type));
        for (int i = 0; i < 3; i++)
        {
            Failed("put", joins[i].Send(bytes("from me"), type));
            Take(host, "host", 1);
            for (int other = 0; godot3 && other < 3; other++)
                if (other != i) hears(other);
        }
        Failed("put_to", joins[0].SendTo(1, bytes("to the host"), type));
        Take(host, "host", 1);
        Failed("put_to", joins[0].SendTo(ids[2], bytes("to c"), type));
        if (godot3) hears(2);

        Failed("disconnect", host.DisconnectPeer(ids[1], 4003, "kicked"));
        Until(host, "host", WebSocketEventType.Disconnected);
        Until(joins[1], "b", WebSocketEventType.Closed);
        if (godot3) hears(0);
        if (godot3) hears(2);
        Failed("close", joins[2].Close(4005, "leaving"));
        Until(host, "host", WebSocketEventType.Disconnected);
        Until(joins[2], "c", WebSocketEventType.Closed);
        if (godot3) hears(0);
        Failed("close", host.Close(0, "the game is over"));
        Until(host, "host", WebSocketEventType.Disconnected);
        Until(joins[0], "a", WebSocketEventType.Closed);
        foreach (WebSocketEndpoint one in polled) one.Dispose();
    }

    static int Main(string[] arguments)
    {
        var scenarios = new Dictionary<string, Action<string>> {
            { "echo", Echo },
            { "sizes", Sizes },
            { "subprotocol", Subprotocol },
            { "headers", Headers },
            { "certificate", Certificate },
            { "status", Status },
            { "nobody", Nobody },
            { "diagnose", Diagnose },
            { "proxy", Proxy },
            { "reconnect", Reconnect },
            { "session", Session },
            { "close-here", CloseHere },
            { "close-there", CloseThere },
            { "burst", Burst },
            { "bad-peer", BadPeer },
            { "bad-open", BadOpen },
            { "bad-put", BadPut },
            { "bad-text", BadText },
            { "bad-close", BadClose },
            { "stale", Stale },
            { "requests", Requests },
            { "renew", Renew },
            { "proxied", Proxied },
            { "refused", Refused },
            { "server", Serve },
            { "files", Files },
            { "heartbeat", Heartbeat },
            { "latest", Latest },
            { "topics", Topics },
            { "pair", Pair },
            { "attach", Attach },
            { "full", Full },
            { "options", Options },
            { "texts", Texts },
            { "library", Library },
            { "trust", Trust },
            { "scene", Scene },
            { "auth", Auth },
            { "replication", Replication },
            { "simulate", Simulate },
            { "multiplayer", url => Play(WebSocketFlags.None) },
            { "multiplayer3", url => Play(WebSocketFlags.Godot3) },
        };
        string name = arguments.Length > 0 ? arguments[0] : "", to = arguments.Length > 1 ? arguments[1] : "";
        Action<string> run;
        if (name == "wss" && arguments.Length > 2) Wss(to, File.ReadAllText(arguments[2]));
        else if (scenarios.TryGetValue(name, out run)) run(to);
        else return 2;
        client?.Dispose();
        WebSocketLibrary.Shutdown();
        return 0;
    }
}
