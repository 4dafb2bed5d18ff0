using System;
using System.Collections.Generic;
using System.Text;
using Wspeer;

/// <summary>Clients, servers, pairs, attached connections and multiplayer peers.</summary>
static class Talk
{
    public static void Run()
    {
        Server();
        Many();
        Texts();
        Attached();
        Multiplayer();
        Waiting();
    }

    /// <summary>SendMany: a list of messages in one call.</summary>
    static void Many()
    {
        byte[] data = Encoding.UTF8.GetBytes("onetwothree\u00ff!");
        int taken;
        WebSocketPeer one, other;
        Check.OpenPair(out one, out other);
        using (one)
        using (other)
        {
            WebSocketMessage[] list = { new WebSocketMessage(0, 3, WebSocketMessageType.Text), new WebSocketMessage(3, 3),
                new WebSocketMessage(6, 5, WebSocketMessageType.Text), new WebSocketMessage(data.Length, 0) };
            Check.Same(one.SendMany(data, list, out taken), WebSocketResult.Ok, "several messages are accepted");
            Check.Same(taken, 4, "all are counted");
            Check.Same(one.SendMany(default(ReadOnlySpan<byte>), default(ReadOnlySpan<WebSocketMessage>), out taken),
                WebSocketResult.Ok, "no messages");
            WebSocketMessage[] bad = { list[0], new WebSocketMessage(12, 1, WebSocketMessageType.Text), list[1] };
            Check.Same(one.SendMany(data, bad, out taken), WebSocketResult.ErrUtf8, "the first wrong one ends the list");
            Check.Same(taken, 1, "those before it are accepted");
            Check.Throws<ArgumentOutOfRangeException>(
                () => one.SendMany(data, new[] { new WebSocketMessage(10, data.Length) }, out taken), "message 0 ends behind",
                "a message beyond the data");
            Check.Throws<ArgumentOutOfRangeException>(() => new WebSocketMessage(-1, 1), "start", "a negative start");
            string got = "";
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketPacket packet in other.Packets())
                    got += (packet.IsText ? "t" : "b") + packet.GetText() + " ";
                return got.Length >= 24;
            }, one, other), "they arrive");
            Check.Same(got, "tone btwo tthree b tone ", "in order, each with its type");
        }
        var clients = new WebSocketPeer[2];
        using (WebSocketServer server = Check.OpenServer(clients))
        {
            var list = new WebSocketConnection[2];
            server.GetConnections(list);
            WebSocketMessage[] messages = { new WebSocketMessage(0, 3, WebSocketMessageType.Text, list[0]),
                new WebSocketMessage(3, 3, WebSocketMessageType.Text, list[1]),
                new WebSocketMessage(6, 5, WebSocketMessageType.Text),
                new WebSocketMessage(0, 1, WebSocketMessageType.Text, default(WebSocketConnection)) };
            Check.Same(server.SendMany(data, messages, out taken), WebSocketResult.ErrTarget, "no client has no handle");
            Check.Same(taken, 3, "each of two clients has its message, then all");
            var got = new[] { "", "" };
            Check.That(Check.Until(() =>
            {
                for (int i = 0; i < 2; i++)
                    foreach (WebSocketPacket packet in clients[i].Packets()) got[i] += packet.GetText() + " ";
                return Array.TrueForAll(got, text => text.Contains("three"));
            }, clients[0], clients[1], server), "both clients hear the last");
            Array.Sort(got, string.CompareOrdinal);
            Check.Same(string.Join(";", got), "one three ;two three ", "and what is for them");
            foreach (WebSocketPeer client in clients) client.Dispose();
        }
    }

    static void Server()
    {
        var config =
            new WebSocketConfig { Subprotocols = "chat", Headers = new[] { "X-Name: κόσμε" }, User = (IntPtr)42 };
        var clients = new WebSocketPeer[3];
        using (WebSocketServer server = Check.OpenServer(clients, config))
        {
            Check.Same(clients[0].Subprotocol, "chat", "subprotocol");
            Check.Same(clients[0].Connection.GetHeader("x-name"), "κόσμε", "a response header, in any case");
            Check.Same(clients[0].Connection.GetHeader("X-Other"), null, "a missing header");
            var list = new WebSocketConnection[2];
            Check.Same(server.GetConnections(list), 3, "clients are counted even if the array is too short");
            Check.Same(list[1].GetHeader("X-Name"), "κόσμε", "a header of the request");
            Check.That(list[0] != list[1] && list[0].Equals(list[0]) && list[0].State == WebSocketState.Open,
                "connections can be compared");

            Check.Same(list[0].Send(new byte[] { 1, 2, 3 }), WebSocketResult.Ok, "a message to one");
            fixedSend(list[0]);
            Check.Same(server.SendToAllBut(list[0], Encoding.UTF8.GetBytes("others"), WebSocketMessageType.Text),
                WebSocketResult.Ok, "a message to all but one");
            Check.Same(server.SendText("everyone"), WebSocketResult.Ok, "a message to all");
            var got = new List<string>[3];
            for (int i = 0; i < 3; i++) got[i] = new List<string>();
            Check.That(Check.Until(() =>
            {
                for (int i = 0; i < 3; i++)
                    foreach (WebSocketPacket packet in clients[i].Packets())
                        got[i].Add(packet.IsText ? packet.GetText() : BitConverter.ToString(packet.ToArray()));
                return Array.TrueForAll(got, one => one.Contains("everyone"));
            }, clients[0], clients[1], clients[2], server), "all hear the last message");
            var heard =
                new List<string> { string.Join(",", got[0]), string.Join(",", got[1]), string.Join(",", got[2]) };
            heard.Sort(string.CompareOrdinal);
            Check.Same(string.Join("; ", heard), "01-02-03,09-08,everyone; others,everyone; others,everyone",
                "each client receives its messages in order");

            clients[1].Send(new byte[70000]);
            int length = 0;
            long user = 0;
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketPacket packet in server.Packets())
                {
                    length = packet.Data.Length;
                    user = (long)packet.User;
                }
                return length > 0;
            }, clients[1], server), "a message of 70 000 bytes");
            Check.That(length == 70000 && user == 42, "the length, and the user value of the config");
            Check.Same(list[0].GetStats().MessagesOut, 3ul, "statistics of a client");
            Check.Same(
                list[0].SetOption(WebSocketOption.MaxMessageBytes, 1000), WebSocketResult.Ok, "an option is set");
            Check.Same(list[0].GetOption(WebSocketOption.MaxMessageBytes), 1000u, "the option has the new value");

            Check.Same(server.DisconnectAll(4001, "until later"), WebSocketResult.Ok, "disconnecting all");
            WebSocketEnd end;
            Check.That(!clients[2].Connection.TryGetEnd(out end), "TryGetEnd is false before the end");
            Check.That(Check.Until(() => clients[2].State == WebSocketState.Closed, clients[2], server),
                "the client has ended");
            Check.That(clients[2].Connection.TryGetEnd(out end) && end.Code == 4001 && end.Clean &&
                           end.Cause == WebSocketCause.ClosedByPeer,
                "TryGetEnd returns the end before its events are read");
            string closed = null;
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketEvent e in clients[2].Events())
                    if (e.Type == WebSocketEventType.Closed)
                        closed = e.Code + " " + e.Clean + " " + e.Cause + " " + e.Phase + " " +
                                 clients[2].Connection.GetText(WebSocketText.CloseReason);
                return closed != null;
            }, clients[2], server), "a client reports Closed");
            Check.Same(closed, "4001 True ClosedByPeer App until later", "Closed has code, cause and reason");
        }
        foreach (WebSocketPeer client in clients) client.Dispose();
    }

    /// <summary>Sends from unmanaged memory.</summary>
    static unsafe void fixedSend(WebSocketConnection client)
    {
        byte* memory = stackalloc byte[2];
        memory[0] = 9;
        memory[1] = 8;
        Check.Same(client.Send((IntPtr)memory, 2), WebSocketResult.Ok, "a message from unmanaged memory");
    }

    static void Texts()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        string[] texts = { "", "a", "κόσμε 🌍", new string('x', 100000), "\0", "\ud800 half" };
        foreach (string text in texts)
        {
            client.SendText(text);
            string got = null;
            Check.Until(() =>
            {
                foreach (WebSocketPacket packet in server.Packets()) got = packet.GetText();
                return got != null;
            }, client, server);
            Check.Same(got, text.Replace("\ud800", "\ufffd"), "a text of " + text.Length + " characters");
        }
        client.Dispose();
        server.Dispose();
    }

    static void Attached()
    {
        using (WebSocketPeer client = WebSocketPeer.Attach(WebSocketRole.Client))
        using (WebSocketPeer server = WebSocketPeer.Attach(WebSocketRole.Server))
        {
            byte[] buffer = new byte[100];
            Func<WebSocketPeer, WebSocketPeer, bool> carry = (from, to) =>
            {
                int length, taken;
                bool any = false;
                while (from.TakeOutput(buffer, out length) == WebSocketResult.Ok && length > 0)
                {
                    any = true;
                    for (int at = 0; at < length; at += taken)
                    {
                        to.Feed(new ReadOnlySpan<byte>(buffer, at, length - at), out taken);
                        to.Poll();
                    }
                }
                return any;
            };
            string got = null;
            Check.That(Check.Until(() =>
            {
                carry(client, server);
                carry(server, client);
                foreach (WebSocketEvent e in client.Events())
                    if (e.Type == WebSocketEventType.Open) client.SendText("by hand");
                foreach (WebSocketPacket packet in server.Packets()) got = packet.GetText();
                return got != null;
            }, client, server), "attached: bytes carried by hand");
            Check.Same(got, "by hand", "attached: the message arrives");
            int none;
            Check.Same(server.Feed(ReadOnlySpan<byte>.Empty, out none), WebSocketResult.Ok,
                "attached: feeding no bytes does not end the transport");
            Check.Same(server.State, WebSocketState.Open, "attached: the connection is still open");
            Check.Same(server.FeedEnd(), WebSocketResult.Ok, "attached: the transport is ended");
            Check.That(
                Check.Until(() => server.State == WebSocketState.Closed, server), "attached: the connection closes");
        }
    }

    static void Multiplayer()
    {
        using (WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host("ws://127.0.0.1:0"))
        using (WebSocketMultiplayerPeer ann = WebSocketMultiplayerPeer.Join("ws://127.0.0.1:" + host.Port))
        using (WebSocketMultiplayerPeer bob = WebSocketMultiplayerPeer.JoinLocal(host))
        {
            Check.That(host.IsHost && !ann.IsHost && host.UniqueId == 1 && ann.UniqueId == 0,
                "multiplayer: ids before the opening");
            var peers = new HashSet<int>();
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketEvent e in host.Events())
                    if (e.Type == WebSocketEventType.Connected) peers.Add(e.PeerId);
                return peers.Count == 2 && ann.UniqueId > 1 && bob.UniqueId > 1;
            }, host, ann, bob), "multiplayer: two have joined");
            Check.That(
                peers.Contains(ann.UniqueId) && peers.Contains(bob.UniqueId), "multiplayer: the host reports both ids");
            Check.Same(ann.Send(new byte[] { 7 }), WebSocketResult.Ok, "multiplayer: a packet to the host");
            int from = 0;
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketPacket packet in host.Packets()) from = packet.PeerId;
                return from != 0;
            }, host, ann, bob), "multiplayer: the host gets it");
            Check.Same(from, ann.UniqueId, "multiplayer: the packet has its sender's id");
            Check.Same(host.SendTo(-ann.UniqueId, new byte[] { 1 }), WebSocketResult.Ok,
                "multiplayer: a packet to all but one");
            Check.Same(host.SendTo(ann.UniqueId, new byte[] { 2 }), WebSocketResult.Ok, "multiplayer: a packet to one");
            byte toAnn = 0, toBob = 0;
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketPacket packet in ann.Packets()) toAnn = packet.Data[0];
                foreach (WebSocketPacket packet in bob.Packets()) toBob = packet.Data[0];
                return toAnn != 0 && toBob != 0;
            }, host, ann, bob), "multiplayer: both get theirs");
            Check.That(toAnn == 2 && toBob == 1, "multiplayer: each receives only its packets");
            Check.Same(ann.SendTo(bob.UniqueId, new byte[] { 3 }), WebSocketResult.ErrTarget,
                "multiplayer: a join can reach only the host");
            Check.Same(host.GetConnection(ann.UniqueId).PeerId, ann.UniqueId, "multiplayer: the connection of an id");
            host.RefuseNew = true;
            Check.That(host.RefuseNew, "multiplayer: new peers are refused");
            Check.Same(host.DisconnectPeer(bob.UniqueId, 4000, "out"), WebSocketResult.Ok,
                "multiplayer: a peer is disconnected");
            Check.That(Check.Until(() => bob.State == WebSocketState.Closed, host, ann, bob),
                "multiplayer: the disconnected peer closes");
        }
    }

    static void Waiting()
    {
        WebSocketPeer server, client;
        Check.OpenPair(out server, out client);
        Check.Same(WebSocketLibrary.Wait(0, server, null, client), WebSocketResult.Empty,
            "waiting: there is nothing to poll for");
        client.Send(new byte[1]);
        client.Poll();
        Check.Same(server.Wait(1000), WebSocketResult.Ok, "waiting: a message ends the wait");
        client.Dispose();
        server.Dispose();
        WebSocketLibrary.SetLogLevel(WebSocketLogLevel.Info);
        Check.OpenPair(out server, out client);
        server.Dispose();
        client.Dispose();
        string line, last = null;
        while (WebSocketLibrary.TryGetLog(out line)) last = line;
        WebSocketLibrary.SetLogLevel(WebSocketLogLevel.Warn);
        Check.That(last != null && last.StartsWith("info: "), "the log: " + last);
    }
}
