using System;
using Wspeer;

/// <summary>Every misuse ends in an exception or a result with an error message, never in a crash.</summary>
static class WrongUse
{
    public static void Run()
    {
        Opening();
        Arguments();
        Disposed();
        Stale();
        Secrets();
    }

    /// <summary>No message of an exception or its inner exceptions may contain a secret.</summary>
    static void Secrets()
    {
        var configs = new[] {
            new WebSocketConfig { Headers = new[] { "Authorization marked" } },
            new WebSocketConfig { Headers = new[] { "X: marked\r\n" } },
            new WebSocketConfig { Headers = new[] { "X: marked\0" } },
            new WebSocketConfig { Subprotocols = "mar ked, marked/2" },
            new WebSocketConfig { Subprotocols = "marked, marked" },
            new WebSocketConfig { CaPem = "marked" },
            new WebSocketConfig { CertPem = "marked",
                KeyPem = "-----BEGIN PRIVATE KEY-----\nmarked\n-----END PRIVATE KEY-----\n" },
            new WebSocketConfig { PinSha256 = "marked" },
            null,
        };
        foreach (WebSocketConfig config in configs)
        {
            foreach (string url in new[] { "wss://marked:marked@localhost:1/?marked",
                         "ws://marked:marked@h:99999/?marked", "ws://localhost/?marked\0" })
            {
                if (config == null && url.StartsWith("wss")) continue;
                string reported = "nothing was thrown";
                try
                {
                    using (WebSocketPeer.Connect(url, config)) { }
                }
                catch (Exception error)
                {
                    reported = error.ToString() + config;
                }
                if (reported == "nothing was thrown" || reported.ToLowerInvariant().Contains("marked"))
                    Check.That(false, "the message has no secret: " + reported);
            }
        }
        Check.That(true, "no exception contains a secret");
    }

    static void Opening()
    {
        Check.Throws<ArgumentNullException>(() => WebSocketPeer.Connect(null), "url", "a null URL");
        Check.Throws<WebSocketException>(() => WebSocketPeer.Connect("http//nothing"), "ErrUrl: ", "an invalid URL");
        Check.Throws<ArgumentException>(() => WebSocketPeer.Connect("ws://localhost/\0"), "NUL", "a NUL in the URL");
        Check.Throws<WebSocketException>(
            () => WebSocketPeer.Connect("ws://localhost", new WebSocketConfig { DeflateLevel = 99 }), "deflate_level",
            "an invalid value");
        Check.Throws<WebSocketException>(
            () => WebSocketPeer.Connect("ws://localhost", new WebSocketConfig { Flags = (WebSocketFlags)0x80000000 }),
            "flags", "an unknown flag");
        Check.Throws<WebSocketException>(
            () => WebSocketPeer.Connect("ws://localhost", new WebSocketConfig { Headers = new[] { "no colon" } }),
            "ErrConfig: ", "an invalid header");
        Check.Throws<ArgumentException>(
            () => WebSocketPeer.Connect("ws://localhost", new WebSocketConfig { Headers = new string[3] }),
            "Headers[0]", "null headers");
        Check.Throws<WebSocketException>(
            () => WebSocketPeer.Connect("wss://localhost", new WebSocketConfig { CaPem = "no PEM" }),
            "ErrTls: ", "an invalid certificate");
        Check.Throws<WebSocketException>(
            () => WebSocketServer.Listen("wss://localhost:0"), "cert_pem", "a wss:// server without a certificate");
        Check.Throws<WebSocketException>(
            () => WebSocketServer.Listen("ws://203.0.113.1:0"), "ErrAddress: ", "a foreign address");
        Check.Throws<WebSocketException>(() => WebSocketPeer.Attach((WebSocketRole)9), "ErrArg: ", "an unknown role");
        Check.Throws<ArgumentNullException>(
            () => WebSocketMultiplayerPeer.JoinLocal(null), "host", "a null host to join");
        WebSocketResult result = WebSocketResult.Ok;
        try
        {
            WebSocketPeer.Connect("nothing");
        }
        catch (WebSocketException error)
        {
            result = error.Result;
        }
        Check.Same(result, WebSocketResult.ErrUrl, "the exception has the result");
    }

    static unsafe void Arguments()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client, new WebSocketConfig { MaxMessageBytes = 1000 });
        Check.Throws<ArgumentNullException>(() => client.Send((byte[])null), "data", "null bytes");
        Check.Throws<ArgumentNullException>(() => client.SendText(null), "text", "a null text");
        Check.Same(client.Send(new byte[1001]), WebSocketResult.ErrTooBig, "a message over the limit");
        Check.That(WebSocketLibrary.LastError.Contains("1000"), "the error message: " + WebSocketLibrary.LastError);
        Check.Same(client.Send((IntPtr)1, int.MaxValue), WebSocketResult.ErrTooBig,
            "a huge length is refused without reading");
        Check.Throws<ArgumentOutOfRangeException>(() => client.Send((IntPtr)1, -1), "length", "a negative length");
        Check.Same(client.Send(IntPtr.Zero, 5), WebSocketResult.ErrNull, "NULL with a length");
        Check.Same(client.Send(ReadOnlySpan<byte>.Empty), WebSocketResult.Ok, "an empty message is accepted");
        Check.Same(client.Send(new byte[] { 0xff }, WebSocketMessageType.Text), WebSocketResult.ErrUtf8,
            "text that is not UTF-8");
        Check.Same(client.Send(new byte[1], (WebSocketMessageType)7), WebSocketResult.ErrArg, "an unknown type");
        Check.Same(client.Close(1005), WebSocketResult.ErrArg, "an invalid close code");
        Check.Same(client.Close(1000, new string('x', 124)), WebSocketResult.ErrArg, "a reason over 123 bytes");
        Check.Throws<ArgumentException>(() => client.Close(1000, "a\0b"), "NUL", "a reason with a NUL");
        Check.Throws<WebSocketException>(
            () => client.Connection.GetText((WebSocketText)99), "ErrArg: ", "an unknown text");
        Check.Throws<WebSocketException>(
            () => client.Connection.GetOption((WebSocketOption)99), "ErrArg: ", "an unknown option");
        Check.Same(
            client.Connection.SetOption((WebSocketOption)99, 1), WebSocketResult.ErrArg, "setting an unknown option");
        Check.Throws<ArgumentNullException>(() => client.Connection.GetHeader(null), "name", "a null header name");
        Check.Throws<ArgumentOutOfRangeException>(
            () => client.Connection.GetHeader("X", -1), "index", "a negative header index");
        int taken;
        Check.Same(
            client.Feed(new byte[1], out taken), WebSocketResult.ErrKind, "feeding a connection that is not attached");
        Check.Same(client.TakeOutput(new byte[1], out taken), WebSocketResult.ErrKind,
            "taking output of a connection that is not attached");
        Check.Throws<WebSocketException>(
            () => client.Close(1005).ThrowIfFailed(), "ErrArg: ", "a result as an exception");
        Check.Throws<InvalidOperationException>(
            () => GC.KeepAlive(default(WebSocketPacket).Data.Length), "no message", "an empty packet");
        Check.Throws<InvalidOperationException>(
            () => GC.KeepAlive(default(WebSocketEvent).Code), "no event", "an empty event");
        Check.Throws<ArgumentNullException>(() => WebSocketLibrary.Wait(0, null), "endpoints", "waiting for null");
        Check.Same(WebSocketLibrary.Wait(0), WebSocketResult.Empty, "waiting for no handles");
        Check.Same(WebSocketLibrary.SetLogLevel((WebSocketLogLevel)77), WebSocketResult.ErrArg, "an unknown log level");
        client.Dispose();
        server.Dispose();
    }

    static void Disposed()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        WebSocketConnection connection = client.Connection;
        client.SendText("unread");
        client.Poll();
        server.Poll();
        server.Dispose();
        server.Dispose();
        client.Dispose();
        Check.Same(client.Poll(), WebSocketResult.ErrHandle, "disposed: Poll");
        Check.That(
            WebSocketLibrary.LastError.Length > 10, "disposed: the error message: " + WebSocketLibrary.LastError);
        Check.Same(client.SendText("x"), WebSocketResult.ErrHandle, "disposed: Send");
        Check.Same(client.Flush(), WebSocketResult.ErrHandle, "disposed: Flush");
        Check.Same(client.Close(), WebSocketResult.ErrHandle, "disposed: Close");
        Check.Same(client.Wait(0), WebSocketResult.ErrHandle, "disposed: Wait");
        Check.Same(client.State, WebSocketState.Closed, "disposed: State");
        Check.Same(client.Available, 0, "disposed: Available");
        Check.Throws<WebSocketException>(() => GC.KeepAlive(client.Url), "ErrHandle: ", "disposed: Url");
        WebSocketEvent e;
        WebSocketPacket packet;
        Check.That(!server.TryGetEvent(out e) && !server.TryGetPacket(out packet), "disposed: nothing can be read");
        Check.Same(connection.SendText("x"), WebSocketResult.ErrHandle, "a connection value is stale after Dispose");
        Check.That(
            WebSocketLibrary.LastError.Contains("freed"), "stale: the error message: " + WebSocketLibrary.LastError);
        Check.Same(connection.State, WebSocketState.Closed, "stale: State");
        Check.Throws<WebSocketException>(() => connection.GetStats(), "ErrHandle: ", "stale: statistics");

        Check.OpenPair(out server, out client);
        for (int i = 0; i < 100; i++) client.Send(new byte[1]);
        client.Poll();
        server.Poll();
        int read = 0;
        foreach (WebSocketEvent one in server.Events())
        {
            read++;
            server.Dispose();
        }
        Check.Same(read, 1, "a loop ends when its body disposes the peer");
        client.Dispose();
    }

    static void Stale()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        WebSocketLibrary.FreeOwned();
        Check.Same(client.Poll(), WebSocketResult.ErrHandle, "freed elsewhere: Poll");
        Check.Throws<WebSocketException>(() => Check.Drain(server), "ErrHandle: ", "freed elsewhere: reading throws");
        Check.That(!default(WebSocketConnection).SendText("x").Equals(WebSocketResult.Ok), "an empty connection value");
        client.Dispose();
        server.Dispose();
    }
}
