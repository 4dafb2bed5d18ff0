using System;
using System.Collections.Generic;
using Wspeer;

/// <summary>Reading in batches: leaving a loop early loses nothing, every mix of ways to read keeps the order, and
/// expired loans throw.</summary>
static class Loans
{
    public static void Run()
    {
        LeftEarly();
        AFrameLater();
        Mixed();
        Over();
        FreedElsewhere();
        EachClient();
        Retiring();
        Disconnected();
        AfterAnEnd();
    }

    static void LeftEarly()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        for (int i = 0; i < 1000; i++) client.Send(BitConverter.GetBytes(i));
        Check.Until(() => server.Available == 1000, client, server);
        int next = 0;
        bool inOrder = true;
        Check.Until(() =>
        {
            foreach (WebSocketEvent e in server.Events())
            {
                inOrder &= BitConverter.ToInt32(e.Packet.ToArray(), 0) == next++;
                if (next % 7 == 0) break;
            }
            inOrder &= server.Available == 1000 - next;
            return next == 1000;
        }, client, server);
        Check.That(inOrder && next == 1000,
            "a loop left every seventh time reads 1000 of 1000 messages in order, and Available counts the rest");
        client.Dispose();
        server.Dispose();
    }

    /// <summary>Leaving a loop at the last message of a batch must not hide messages of the next poll.</summary>
    static void AFrameLater()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        int misses = 0;
        for (int frame = 0; frame < 10; frame++)
        {
            client.Send(new byte[1]);
            client.Poll();
            server.Poll();
            WebSocketEvent e;
            if (!server.TryGetEvent(out e)) misses++;
        }
        Check.Same(misses, 0, "with one message a frame, TryGetEvent returns it in its frame");
        client.Dispose();
        server.Dispose();
    }

    /// <summary>Reads in random ways and compares with what was sent: messages and lifecycle events in order, none
    /// twice, texts intact.</summary>
    static void Mixed()
    {
        var random = new Random(7);
        int rounds = 0;
        string wrong = null;
        for (; rounds < 300 && wrong == null; rounds++)
        {
            WebSocketPeer server, client;
            WebSocketPeer.Pair(out server, out client);
            Check.Until(
                () => client.State == WebSocketState.Open && server.State == WebSocketState.Open, client, server);
            int count = random.Next(300);
            for (int i = 0; i < count; i++) client.Send(BitConverter.GetBytes(i));
            client.Close(4000, "round " + rounds);
            Check.Until(() => server.State == WebSocketState.Closed, client, server);
            var messages = new List<int>();
            var others = new List<string>();
            for (int idle = 0; idle < 2;)
            {
                int before = messages.Count + others.Count;
                int most = 1 + random.Next(80);
                if (random.Next(2) == 0)
                {
                    WebSocketEvent e;
                    while (most-- > 0 && server.TryGetEvent(out e))
                    {
                        if (e.Type == WebSocketEventType.Message &&
                            (e.Code != 0 || e.Clean || e.Phase != 0 || e.Cause != 0 || e.HttpStatus != 0))
                            wrong = "a message with an end";
                        if (e.Type == WebSocketEventType.Message)
                            messages.Add(BitConverter.ToInt32(e.Packet.ToArray(), 0));
                        else others.Add(e.Type + " " + e.Code + " " + e.GetText());
                    }
                }
                else
                {
                    foreach (WebSocketPacket packet in server.Packets())
                    {
                        messages.Add(BitConverter.ToInt32(packet.ToArray(), 0));
                        if (--most == 0) break;
                    }
                }
                idle = messages.Count + others.Count == before ? idle + 1 : 0;
                if (messages.Count < count || others.Count < 3) idle = 0;
                if (others.Count > 3 || messages.Count > count) break;
            }
            for (int i = 0; i < messages.Count; i++)
                if (messages[i] != i) wrong = "message " + messages[i] + " at " + i;
            string all = string.Join("; ", others);
            if (messages.Count != count || all != "Open 0 ; CloseRequest 4000 round " + rounds +
                                                      "; Closed 4000 the peer closed the connection with 4000: round " +
                                                      rounds)
                wrong = messages.Count + " of " + count + "; " + all;
            client.Dispose();
            server.Dispose();
        }
        Check.That(
            wrong == null, rounds + " connections read in random ways" + (wrong == null ? "" : " (" + wrong + ")"));
    }

    static void Over()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        client.SendText("one");
        client.SendText("two");
        client.Poll();
        server.Poll();
        WebSocketPacket first, second;
        Check.That(server.TryGetPacket(out first) && first.GetText() == "one", "the first message");
        client.Poll();
        server.Poll();
        Check.Same(first.GetText(), "one", "a loan survives a poll");
        Check.That(server.TryGetPacket(out second) && second.GetText() == "two", "the second message");
        string seen = "no exception";
        try
        {
            first.GetText();
        }
        catch (InvalidOperationException error)
        {
            seen = error.Message;
        }
        Check.That(seen.Contains("copy what you keep"), "an expired loan throws with a reason");
        server.Dispose();
        seen = "no exception";
        try
        {
            second.GetText();
        }
        catch (InvalidOperationException error)
        {
            seen = error.Message;
        }
        Check.That(seen.Contains("until Dispose"), "a loan ended by Dispose throws with a reason");
        client.Dispose();
    }

    /// <summary>Freeing a handle during a read makes its loans throw; readers of other handles continue.</summary>
    static void FreedElsewhere()
    {
        WebSocketPeer server, client, other, otherClient;
        foreach (string way in new[] { "FreeOwned", "Shutdown" })
        {
            Check.OpenPair(out server, out client);
            Check.OpenPair(out other, out otherClient, new WebSocketConfig { Owner = 5 });
            foreach (WebSocketPeer one in new[] { client, otherClient })
            {
                one.SendText("one");
                one.SendText("two");
                one.Poll();
            }
            server.Poll();
            other.Poll();
            WebSocketPacket packet, others;
            bool read = server.TryGetPacket(out packet) && other.TryGetPacket(out others);
            other.TryGetPacket(out others);
            if (way == "FreeOwned") WebSocketLibrary.FreeOwned();
            else WebSocketLibrary.Shutdown();
            Check.That(read && Told(packet), way + ": a loan of a freed handle throws");
            Check.Throws<WebSocketException>(() =>
            {
                WebSocketPacket next;
                server.TryGetPacket(out next);
            }, "ErrHandle: ", way + ": so does the next, though it was taken before");
            if (way == "FreeOwned")
                Check.Same(others.GetText(), "two", way + ": a loan with another owner is still readable");
            else Check.That(Told(others), way + ": loans of every owner throw");
            foreach (WebSocketPeer one in new[] { server, client, other, otherClient }) one.Dispose();
        }
    }

    static bool Told(WebSocketPacket packet)
    {
        try
        {
            packet.GetText();
            return false;
        }
        catch (WebSocketException error)
        {
            return error.Result == WebSocketResult.ErrHandle;
        }
    }

    static void EachClient()
    {
        var clients = new WebSocketPeer[2];
        using (WebSocketServer server = Check.OpenServer(clients))
        {
            clients[0].SendText("from the first");
            clients[1].SendText("from the second");
            var ofServer = new WebSocketConnection[2];
            server.GetConnections(ofServer);
            Check.That(Check.Until(() => ofServer[0].Available == 1 && ofServer[1].Available == 1, clients[0],
                           clients[1], server),
                "each of two clients has a message");
            WebSocketEvent e;
            string second = server.TryGetEvent(ofServer[1], out e) ? e.GetText() : null, seen = "no exception";
            server.Poll();
            try
            {
                e.GetText();
            }
            catch (InvalidOperationException error)
            {
                seen = error.Message;
            }
            Check.That(seen.Contains("until Poll"),
                "a packet read from one client expires with the next poll, in which the client may retire");
            Check.That(second != null && !server.TryGetEvent(ofServer[1], out e), "only the second client was read");
            var waiting = new WebSocketConnection[2];
            Check.That(server.GetWaiting(waiting) == 1 && waiting[0] == ofServer[0],
                "only the first client has something to read");
            Check.That(server.TryGetEvent(out e) && e.Connection == ofServer[0] && e.GetText() != second,
                "the other client's message is still read through the server");
        }
        foreach (WebSocketPeer client in clients) client.Dispose();
    }

    /// <summary>A client whose Disconnected event was not read yet can be queried, for any number of polls.</summary>
    static void Retiring()
    {
        var clients = new WebSocketPeer[2];
        using (WebSocketServer server = Check.OpenServer(clients))
        {
            foreach (WebSocketPeer client in clients)
            {
                client.SendText("goodbye");
                client.Close();
            }
            var all = new WebSocketEndpoint[] { clients[0], clients[1], server };
            Check.Until(
                () => clients[0].State == WebSocketState.Closed && clients[1].State == WebSocketState.Closed, all);
            int asked = 0, gone = 0;
            Check.Until(() =>
            {
                WebSocketEvent e;
                if (!server.TryGetEvent(out e)) return gone == 2;
                if (e.Connection.GetText(WebSocketText.RemoteAddress) != "") asked++;
                if (e.Type == WebSocketEventType.Disconnected) gone++;
                return false;
            }, all);
            Check.That(asked == 6 && gone == 2, "one event a poll: " + asked + " of 6 times the client could be asked");
        }
        foreach (WebSocketPeer client in clients) client.Dispose();
    }

    delegate void Hear(WebSocketPacket packet);

    /// <summary>Nothing is handed out of a client that was disconnected within the loop, whichever loop it is.</summary>
    static void Disconnected()
    {
        foreach (bool isGame in new[] { false, true })
            foreach (string loop in new[] { "events", "packets", "packets behind events" })
            {
                WebSocketMultiplayerPeer host = isGame ? WebSocketMultiplayerPeer.Host("ws://127.0.0.1:0") : null;
                WebSocketServer server = isGame ? null : WebSocketServer.Listen("ws://127.0.0.1:0");
                WebSocketEndpoint one = isGame ? host : (WebSocketEndpoint)server;
                var clients = new WebSocketEndpoint[3];
                for (int i = 0; i < clients.Length; i++)
                    clients[i] = isGame ? WebSocketMultiplayerPeer.Join(one.Url)
                        : (WebSocketEndpoint)WebSocketPeer.Connect(one.Url);
                var all = new[] { one, clients[0], clients[1], clients[2] };
                Check.Until(() => Array.TrueForAll(clients, client => client.State == WebSocketState.Open), all);
                foreach (WebSocketEndpoint client in clients)
                    for (int i = 0; i < 5; i++) client.Send(new byte[] { (byte)i });
                Check.Until(() => one.Available == 15, all);
                var heard = new List<long>();
                int gone = 0;
                Hear hear = packet =>
                {
                    heard.Add(isGame ? packet.PeerId : (long)packet.Connection.Handle);
                    if (heard.Count > 1) return;
                    if (isGame) host.DisconnectPeer(packet.PeerId);
                    else server.Disconnect(packet.Connection);
                    Check.Same(packet.Data[0], (byte)0, "the message that was handed out is still lent");
                };
                if (loop == "packets behind events")
                    foreach (WebSocketEvent e in one.Events())
                        if (e.Type == WebSocketEventType.Connected) break;
                Check.Until(() =>
                {
                    if (loop != "events")
                        foreach (WebSocketPacket packet in one.Packets()) hear(packet);
                    if (loop == "events" || heard.Count > 10)
                        foreach (WebSocketEvent e in one.Events())
                        {
                            if (e.Type == WebSocketEventType.Message) hear(e.Packet);
                            if (e.Type == WebSocketEventType.Disconnected) gone++;
                        }
                    return gone == 1;
                }, all);
                int ofFirst = 0;
                foreach (long sender in heard)
                    if (sender == heard[0]) ofFirst++;
                Check.That(heard.Count == 11 && ofFirst == 1 && gone == 1, "disconnected in a loop of " + loop + ": " +
                    heard.Count + " messages, " + ofFirst + " of them of the first");
                foreach (WebSocketEndpoint end in all) end.Dispose();
            }
    }

    /// <summary>A message read as an event contains nothing of an earlier event in the same memory.</summary>
    static void AfterAnEnd()
    {
        var clients = new WebSocketPeer[2];
        using (WebSocketServer server = Check.OpenServer(clients))
        {
            clients[0].Close(4000, "before");
            int code = 0;
            Check.Until(() =>
            {
                foreach (WebSocketEvent e in server.Events()) code = Math.Max(code, e.Code);
                return clients[0].State == WebSocketState.Closed && server.Connection.GetStats().Connections == 1;
            }, clients[0], clients[1], server);
            for (int i = 0; i < 4; i++) clients[1].Send(new byte[1]);
            Check.Until(() => server.Available == 4, clients[1], server);
            foreach (WebSocketPacket packet in server.Packets())
                if (packet.Length == 1) break;
            int messages = 0, left = 0;
            foreach (WebSocketEvent e in server.Events())
            {
                if (e.Type == WebSocketEventType.Message) messages++;
                left += e.Code + (e.Clean ? 1 : 0) + (int)e.Phase + (int)e.Cause + e.HttpStatus;
            }
            Check.That(code == 4000 && messages == 3 && left == 0,
                "messages after an end have nothing of it: " + messages + " of 3, " + left);
        }
        foreach (WebSocketPeer client in clients) client.Dispose();
    }
}
