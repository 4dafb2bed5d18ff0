// The conformance program in C#: scenarios whose ends are all in this program.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Wspeer;

static partial class Conformance
{
    const string Localhost = "ws://127.0.0.1:0";

    static void PollAll(params WebSocketEndpoint[] endpoints)
    {
        polled.Clear();
        polled.AddRange(endpoints);
    }

    static string YesNo(bool value) => value ? "yes" : "no";

    /// <summary>The name of a value in C: NoDelay is NO_DELAY.</summary>
    static string InC(object value) =>
        Regex.Replace(value.ToString(), "(?<=.)([A-Z])", "_$1").ToUpperInvariant();

    // ---- Two ends in memory ----

    static void Pair(string unused)
    {
        WebSocketPeer server, near;
        WebSocketPeer.Pair(out server, out near, new WebSocketConfig {
            Flags = WebSocketFlags.QueueBeforeOpen | WebSocketFlags.Coalesce | WebSocketFlags.Deflate |
                    WebSocketFlags.ServerNoContextTakeover | WebSocketFlags.ClientNoContextTakeover,
            Owner = 7,
            User = (IntPtr)11
        });
        PollAll(server, near);
        Failed("put", server.SendText("early"));
        Take(server, "server", 1);
        Take(near, "client", 2);
        output.WriteLine("extensions " + near.Connection.GetText(WebSocketText.Extensions));

        byte[] data = Encoding.ASCII.GetBytes("one??three");
        data[3] = 0;
        data[4] = 255;
        var messages = new[] { new WebSocketMessage(0, 3, WebSocketMessageType.Text), new WebSocketMessage(3, 2),
                               new WebSocketMessage(5, 5, WebSocketMessageType.Text) };
        int taken;
        Failed("put_packets", near.SendMany(data, messages, out taken));
        Failed("flush", near.Flush());
        output.WriteLine("taken " + taken + " wait WS_" + InC(WebSocketLibrary.Wait(10000, server, near)));
        PollUntil("server", () => server.Available >= 3);
        NextEvent(server, "server", e =>
        {
            Print("server", e);
            output.WriteLine("user " + e.User);
        });
        foreach (WebSocketEvent e in server.Events()) Print("server", e);
        Failed("set_user", server.Connection.SetUser((IntPtr)12));
        Failed("put", near.SendText("more"));
        NextEvent(server, "server", e =>
        {
            Print("server", e);
            output.WriteLine("user " + e.User);
        });
        WebSocketStats stats = server.Connection.GetStats();
        output.WriteLine("messages in " + stats.MessagesIn + " out " + stats.MessagesOut);

        WebSocketEnd end;
        output.WriteLine("ended " + YesNo(near.Connection.TryGetEnd(out end)));
        Failed("close", near.Close(4000, "done"));
        output.WriteLine("state " + (int)near.State);
        PollUntil("client", () => near.State == WebSocketState.Closed);
        output.WriteLine("ended " + YesNo(near.Connection.TryGetEnd(out end)) + " code=" + end.Code + " cause=" +
                         (int)end.Cause);
        Until(server, "server", WebSocketEventType.Closed);
        Until(near, "client", WebSocketEventType.Closed);
        WebSocketLibrary.FreeOwner(7);
        Failed("poll", server.Poll());
        polled.Clear();
    }

    // ---- Two connections whose bytes this program carries ----

    static void Carry(WebSocketPeer from, WebSocketPeer to)
    {
        byte[] bytes = new byte[4096];
        int length;
        while (from.TakeOutput(bytes, out length) == WebSocketResult.Ok && length > 0)
        {
            for (int at = 0; at < length;)
            {
                int taken;
                if (to.Feed(new ReadOnlySpan<byte>(bytes, at, length - at), out taken) < 0 || taken == 0) return;
                at += taken;
            }
        }
    }

    static void Attach(string unused)
    {
        byte[] big = new byte[300000];
        var config = new WebSocketConfig { OutboundPackets = 1 };
        using (WebSocketPeer server = WebSocketPeer.Attach(WebSocketRole.Server, config))
        using (WebSocketPeer near = WebSocketPeer.Attach(WebSocketRole.Client, config))
        {
            PollAll(server, near);
            betweenPolls = () =>
            {
                Carry(near, server);
                Carry(server, near);
            };
            Take(near, "client", 1);
            Take(server, "server", 1);
            Failed("put", near.SendText("hello"));
            Take(server, "server", 1);
            // The transport takes a part of the first, and the second does not fit in the queue behind it.
            Failed("put", near.Send(big));
            Failed("put", near.Send(big));
            Take(server, "server", 1);
            Take(near, "client", 1);
            betweenPolls = null;
            Failed("feed", server.FeedEnd());
            Take(server, "server", 1);
            int taken;
            Failed("feed", server.Feed(new ReadOnlySpan<byte>(big, 0, 1), out taken));
        }
        polled.Clear();
    }

    // ---- A queue that is full ----

    static void PutBig(WebSocketMultiplayerPeer host)
    {
        WebSocketResult result = host.Send(new byte[300000]);
        if (!Failed("put", result)) output.WriteLine("put WS_" + InC(result));
    }

    static void Full(string unused)
    {
        var config = new WebSocketConfig { OutboundPackets = 1, OnFull = WebSocketFullPolicy.Skip };
        using (WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost, config))
        using (WebSocketMultiplayerPeer a = WebSocketMultiplayerPeer.JoinLocal(host))
        {
            Action<WebSocketFullPolicy> setOnFull = policy => Failed("set_option",
                host.Connection.SetOption(WebSocketOption.OnFull, (uint)policy));
            PollAll(host, a);
            PollUntil("a", () => a.State == WebSocketState.Open);
            peerNames[a.UniqueId] = "a";
            Take(host, "host", 1);
            Take(a, "a", 2);

            output.WriteLine("conn of " + peerNames[host.GetConnection(a.UniqueId).PeerId]);
            Opened("get_conn", () => (object)host.GetConnection(-1));

            // a is not polled, so it does not read.
            PollAll(host);
            PutBig(host);
            PutBig(host);
            Take(host, "host", 1);
            setOnFull(WebSocketFullPolicy.AllOrNone);
            PutBig(host);
            PollAll(host, a);
            Take(a, "a", 1);
            Take(host, "host", 1);
            PollAll(host);
            setOnFull(WebSocketFullPolicy.Disconnect);
            PutBig(host);
            PutBig(host);
            PollAll(host, a);
            NextEvent(host, "host", e => output.WriteLine(
                "host event " + (int)e.Type + " code=" + e.Code + " cause=" + (int)e.Cause));
        }
        polled.Clear();
    }

    // ---- Options and texts ----

    // Every option of a host: its value, then the value after it was set to 1, or to 0 if it was 1.
    static void Options(string unused)
    {
        var config = new WebSocketConfig {
            PollBudgetUs = 101,
            ConnectTimeoutMs = 102,
            HandshakeTimeoutMs = 103,
            CloseTimeoutMs = 104,
            HeartbeatMs = 105,
            PongTimeoutMs = 106,
            MaxMessageBytes = 107,
            MaxFragments = 108,
            MaxHeaderBytes = 1090,
            InboundPackets = 110,
            InboundBytes = 111,
            OutboundPackets = 112,
            OutboundBytes = 113,
            MaxMessagesPerS = 114,
            MaxBytesPerS = 115,
            MaxClients = 116,
            MaxClientsPerAddress = 117,
            MaxPendingHandshakes = 118,
            OnFull = WebSocketFullPolicy.AllOrNone,
            NoDelay = WebSocketConfig.Off,
            DeflateLevel = 9,
            DeflateThresholdBytes = 119,
            ServerMaxWindowBits = 12,
            ClientMaxWindowBits = 13,
            MaxInflateRatio = 120,
            MaxCallBytes = 121,
            MaxCallItems = 122,
            Ipv6PrefixBits = 56,
            MaxBodyBytes = 123,
            MaxDownloads = 124,
            MaxDownloadsPerAddress = 125,
            RetryMinMs = 126,
            RetryMaxMs = 127,
            RetryTries = 128,
            SessionBytes = 129,
            MaxLost = 130,
            MaxTopics = 131,
            MaxServerTopics = 132,
            MaxTotalMib = 133,
            MaxPutBytes = 134,
            Flags = WebSocketFlags.Deflate | WebSocketFlags.Scene
        };
        using (WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost, config))
        {
            foreach (WebSocketOption option in Enum.GetValues(typeof(WebSocketOption)))
            {
                uint before = host.Connection.GetOption(option);
                string line = "option " + InC(option) + " ";
                if (option == WebSocketOption.Port)
                {
                    output.WriteLine(line + YesNo(before != 0));
                    continue;
                }
                Failed("set_option", host.Connection.SetOption(option, before == 1 ? 0u : 1u));
                output.WriteLine(line + before + " " + host.Connection.GetOption(option));
            }
        }
    }

    // Every text of a server's client, and the lists of clients. The first client is refused.
    static void Texts(string unused)
    {
        var config = new WebSocketConfig { Subprotocols = "chat", Flags = WebSocketFlags.Deflate };
        var refusing =
            new WebSocketConfig { Subprotocols = "chat", Flags = WebSocketFlags.Deflate | WebSocketFlags.RefuseNew };
        using (WebSocketServer server = WebSocketServer.Listen(Localhost, refusing))
        {
            string url = server.Url + "/room?x=1";
            using (WebSocketPeer refused = WebSocketPeer.Connect(url, config))
            {
                PollAll(server, refused);
                Take(refused, "client", 1);
            }
            Failed("set_option", server.Connection.SetOption(WebSocketOption.RefuseNew, 0));
            using (WebSocketPeer near = WebSocketPeer.Connect(url, config))
            {
                PollAll(server, near);
                Take(near, "client", 1);
                var list = new WebSocketConnection[4];
                PollUntil("server", () => server.GetWaiting(list) > 0);
                output.WriteLine("clients " + server.GetConnections(list) + " waiting " + server.GetWaiting(list));
                Take(server, "server", 1);
                foreach (WebSocketText what in Enum.GetValues(typeof(WebSocketText)))
                    output.WriteLine(
                        "text " + InC(what) + " " + Regex.Replace(list[0].GetText(what), ":[0-9]+", ":PORT"));
            }
        }
        polled.Clear();
    }

    // ---- The library itself ----

    static void Library(string unused)
    {
        // The assembly compares the structs when it opens something.
        WebSocketServer.Listen(Localhost).Dispose();
        output.WriteLine("fits yes");
        output.WriteLine("version " + YesNo(WebSocketLibrary.Version > 0));
        output.WriteLine("features " + (uint)WebSocketLibrary.Features);
        foreach (WebSocketLogLevel level in Enum.GetValues(typeof(WebSocketLogLevel)))
        {
            Failed("set_log_level", WebSocketLibrary.SetLogLevel(level));
            WebSocketServer.Listen(Localhost).Dispose();
            bool logged = false;
            string line;
            while (WebSocketLibrary.TryGetLog(out line)) logged = true;
            output.WriteLine("log " + (int)level + " " + YesNo(logged));
        }
    }

    // ---- Topics: who receives what a server or host publishes ----

    static void PrintTopics(string name, string[] topics) =>
        output.WriteLine("topics of " + name + ": " + string.Join(",", topics));

    static void Topics(string unused)
    {
        string[] names = { "a", "b", "c" };
        var clients = new WebSocketPeer[3];
        var conns = new WebSocketConnection[3];
        Action<WebSocketConnection, string> subscribe =
            (conn, topic) => Failed("subscribe", conn.Subscribe(topic));
        var config = new WebSocketConfig { Flags = WebSocketFlags.Coalesce | WebSocketFlags.SharePort, MaxTopics = 2, MaxServerTopics = 3 };
        using (WebSocketServer server = WebSocketServer.Listen(Localhost, config))
        {
            PollAll(server);
            for (int i = 0; i < 3; i++)
            {
                clients[i] = WebSocketPeer.Connect(server.Url);
                polled.Add(clients[i]);
                Take(clients[i], names[i], 1);
                WebSocketConnection found = default(WebSocketConnection);
                NextEvent(server, "server", e =>
                {
                    found = e.Connection;
                    Print("server", e);
                });
                conns[i] = found;
            }
            Action<string, string, WebSocketConnection> publish =
                (topic, text, except) => Failed("publish", server.PublishText(topic, text, except));
            Action<uint, string, WebSocketConnection> publishLatest =
                (key, text, except) => Failed("publish_latest", server.PublishLatestText("red", key, text, except));
            Action<int[]> takeAll = counts =>
            {
                for (int i = 0; i < counts.Length; i++) Take(clients[i], names[i], counts[i]);
            };
            WebSocketConnection nobody = default(WebSocketConnection);
            subscribe(conns[0], "red");
            subscribe(conns[0], "blue");
            subscribe(conns[0], "red");
            subscribe(conns[0], "green");
            subscribe(conns[1], "green");
            subscribe(conns[1], "red");
            subscribe(conns[2], "yellow");
            for (int i = 0; i < 3; i++) PrintTopics(names[i], conns[i].GetTopics());
            PrintTopics("server", server.GetTopics());
            WebSocketStats stats = server.Connection.GetStats();
            output.WriteLine("topics " + stats.Topics + " subscriptions " + stats.Subscriptions);

            publish("red", "to red", nobody);
            publish("red", "to red but a", conns[0]);
            publish("yellow", "to nobody", nobody);
            Failed("put", server.SendText("to all"));
            takeAll(new[] { 2, 3, 1 });
            // With Coalesce only the newest of each key leaves.
            publishLatest(1, "one", nobody);
            publishLatest(2, "two", nobody);
            publish("red", "between", nobody);
            publishLatest(1, "one for a", conns[1]);
            publishLatest(2, "two again", nobody);
            takeAll(new[] { 3, 3 });
            output.WriteLine("replaced " + server.Connection.GetStats().Replaced);

            publish("red", "before", nobody);
            Failed("unsubscribe", conns[1].Unsubscribe("red"));
            Failed("unsubscribe", conns[1].Unsubscribe("red"));
            publish("red", "without b", nobody);
            Failed("unsubscribe", conns[0].UnsubscribeAll());
            publish("red", "to nobody", nobody);
            Failed("put", server.SendText("to all"));
            takeAll(new[] { 3, 2, 1 });
            PrintTopics("server", server.GetTopics());
            subscribe(conns[2], "");
            subscribe(conns[2], "two\nlines");
            publish("", "", nobody);
            Failed("close", clients[1].Close(1000));
            Until(server, "server", WebSocketEventType.Disconnected);
            server.Poll();
            PrintTopics("server", server.GetTopics());
            foreach (WebSocketPeer one in clients) one.Dispose();
        }

        using (WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost))
        {
            PollAll(host);
            var joins = new WebSocketMultiplayerPeer[2];
            for (int i = 0; i < 2; i++)
            {
                joins[i] = WebSocketMultiplayerPeer.Join(host.Url);
                polled.Add(joins[i]);
                Settle(host, joins[i], names[i]);
                subscribe(host.GetConnection(joins[i].UniqueId), "room");
            }
            byte[] both = Encoding.UTF8.GetBytes("to both"), b = Encoding.UTF8.GetBytes("to b"),
                a = Encoding.UTF8.GetBytes("to a");
            const WebSocketMessageType text = WebSocketMessageType.Text;
            Failed("publish", host.Publish("room", both, text));
            Failed("publish", host.Publish("room", b, text, joins[0].UniqueId));
            Failed("publish_latest", host.PublishLatest("room", 1, a, text, joins[1].UniqueId));
            Failed("publish", host.Publish("room", new byte[0], text, -1));
            for (int i = 0; i < 2; i++) Take(joins[i], names[i], 2);
            PrintTopics("host", host.GetTopics());
            foreach (WebSocketMultiplayerPeer one in joins) one.Dispose();
        }
        polled.Clear();
    }

    // ---- Certificates that a client trusts, or not ----

    static void Trust(string unused)
    {
        WebSocketCertificate made = Made("game.example", 30);
        Func<WebSocketFlags, WebSocketConfig> trusting =
            flags => new WebSocketConfig { Flags = flags, CaPem = made.CertPem };
        WebSocketConfig named = trusting(WebSocketFlags.OnlyCaPem);
        named.ServerName = "game.example";
        var ways = new Dictionary<string, WebSocketConfig> {
            { "strict", trusting(WebSocketFlags.OnlyCaPem) },
            { "named", named },
            { "any name", trusting(WebSocketFlags.OnlyCaPem | WebSocketFlags.AnyName) },
            { "insecure", new WebSocketConfig { Flags = WebSocketFlags.Insecure } }
        };
        WebSocketServer server = WebSocketServer.Listen(
            "wss://127.0.0.1:0", new WebSocketConfig { CertPem = made.CertPem, KeyPem = made.KeyPem });
        PollAll(server);
        foreach (KeyValuePair<string, WebSocketConfig> way in ways)
        {
            WebSocketPeer visitor = WebSocketPeer.Connect(server.Url, way.Value);
            polled.Add(visitor);
            Take(visitor, way.Key, 1);
            if (way.Key != "strict") Take(server, "server", 1);
        }
        foreach (WebSocketEndpoint one in polled) one.Dispose();
        polled.Clear();
    }

    // ---- Scenes ----

    static void Settle(WebSocketMultiplayerPeer host, WebSocketMultiplayerPeer one, string name)
    {
        PollUntil(name, () => one.State == WebSocketState.Open);
        peerNames[one.UniqueId] = name;
        Take(host, "host", 1);
        Take(one, name, 2);
    }

    /// <summary>A value as the trace has it. `at` is the index of its first item, and then of the one behind it.</summary>
    static string Value(WebSocketVariant[] items, ref int at)
    {
        WebSocketVariant item = items[at++];
        var inner = new List<string>();
        switch (item.Type)
        {
            case WebSocketVariantType.Nil: return "null";
            case WebSocketVariantType.Bool: return item.Integer != 0 ? "true" : "false";
            case WebSocketVariantType.Int: return item.Integer.ToString();
            case WebSocketVariantType.Float: return Number(item.Numbers[0]);
            case WebSocketVariantType.String: return "\"" + item.GetText() + "\"";
            case WebSocketVariantType.Vector2:
                return "Vector2(" + Number(item.Numbers[0]) + ", " + Number(item.Numbers[1]) + ")";
            case WebSocketVariantType.PackedByteArray:
                return "bytes " + item.Data.Length + " " + Adler32(item.Data).ToString("x8");
            case WebSocketVariantType.Array:
                for (uint i = 0; i < item.Count; i++) inner.Add(Value(items, ref at));
                return "[" + string.Join(", ", inner) + "]";
            case WebSocketVariantType.Dictionary:
                for (uint i = 0; i < item.Count; i++)
                {
                    string key = Value(items, ref at);
                    inner.Add(key + ": " + Value(items, ref at));
                }
                return "{" + string.Join(", ", inner) + "}";
            default: return "type " + (int)item.Type;
        }
    }

    static string Number(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The next event, which must be a call. Returns its bytes.</summary>
    static byte[] HearCall(WebSocketMultiplayerPeer one, string name)
    {
        byte[] bytes = null;
        NextEvent(one, name, e =>
        {
            bytes = e.Packet.ToArray();
            WebSocketCall call = WebSocketCall.Decode(bytes);
            var arguments = new List<string>();
            for (int at = 0; arguments.Count < call.Arguments;) arguments.Add(Value(call.Items, ref at));
            output.WriteLine(name + " call " + call.Path + "." + call.Method + "(" + string.Join(", ", arguments) +
                             ")" + By(e.PeerId));
        });
        return bytes;
    }

    static void Scene(string unused)
    {
        var config = new WebSocketConfig { Flags = WebSocketFlags.Scene };
        WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost, config);
        WebSocketMultiplayerPeer a = WebSocketMultiplayerPeer.Join(host.Url, config);
        PollAll(host, a);
        Settle(host, a, "a");
        WebSocketMultiplayerPeer b = WebSocketMultiplayerPeer.JoinLocal(host);
        PollAll(host, a, b);
        Settle(host, b, "b");
        Take(b, "b", 1);
        Take(a, "a", 1);
        foreach (WebSocketMultiplayerPeer one in new[] { host, a, b })
            Failed("declare_node", one.DeclareNode("/root/Game", "hello, move"));

        WebSocketVariant[] list = { WebSocketVariant.Array(2), 1, "x" };
        var place = new WebSocketVariant(WebSocketVariantType.Vector2, 1.5, -2);
        Failed("put_to", a.Call(1, "Game", "hello", default(WebSocketVariant), true, -5, 1.5, "κόσμε", list[0], list[1],
            list[2], WebSocketVariant.Dictionary(1), "k", 2, new byte[] { 1, 2, 255 }));
        byte[] heard = HearCall(host, "host");
        // The call goes back as it came.
        Failed("put_to", host.SendTo(a.UniqueId, heard, WebSocketMessageType.Call));
        HearCall(a, "a");
        Failed("put_to", host.Call(0, "Game", "move", place));
        HearCall(a, "a");
        HearCall(b, "b");
        Failed("put_to", b.Call(a.UniqueId, "Game", "move", place));
        HearCall(a, "a");

        // A value as the bytes of a packet.
        Failed("put_to", host.SendTo(a.UniqueId, WebSocketVariant.Encode(list)));
        NextEvent(a, "a", e =>
        {
            Print("a", e);
            int at = 0;
            output.WriteLine("a value " + Value(WebSocketVariant.Decode(e.Data), ref at));
        });

        // A node that the host has not declared.
        Failed("declare_node", a.DeclareNode("Secret", "open"));
        Failed("put_to", a.Call(1, "Secret", "open"));
        Take(host, "host", 1);
        Failed("declare_node", a.DeclareNode("Secret", null));
        Failed("close", a.Close(4001, "bye"));
        Until(host, "host", WebSocketEventType.Disconnected);
        Until(a, "a", WebSocketEventType.Closed);
        Take(b, "b", 1);
        foreach (WebSocketEndpoint one in polled) one.Dispose();
        polled.Clear();
    }

    // ---- A bad network between two ends in memory, whose time this program advances ----

    static void Simulate(string unused)
    {
        foreach (WebSocketSimPreset preset in Enum.GetValues(typeof(WebSocketSimPreset)))
        {
            WebSocketSim s = WebSocketSim.Preset(preset);
            output.WriteLine("preset " + (int)preset + " up " +
                             string.Join(" ", s.UpLagUs, s.UpJitterUs, s.UpBytesPerS, s.UpStallForMs, s.UpStallEveryMs) +
                             " down " + string.Join(" ", s.DownLagUs, s.DownJitterUs, s.DownBytesPerS,
                                 s.DownStallForMs, s.DownStallEveryMs));
        }
        WebSocketPeer server, near;
        WebSocketPeer.Pair(out server, out near);
        PollAll(server, near);
        Failed("advance_time", near.Connection.AdvanceTime(0));
        Take(server, "server", 1);
        Take(near, "client", 1);

        WebSocketSim sim = WebSocketSim.Preset(WebSocketSimPreset.None);
        sim.UpLossPpm = 1000001;
        Failed("set_sim", near.Connection.SetSim(sim));
        sim.UpLossPpm = 0;
        sim.UpLagUs = 30000;
        sim.DownLossPpm = 1000000;
        sim.DownLossStallUs = 50000;
        Failed("set_sim", near.Connection.SetSim(sim));
        Failed("put", near.SendText("up"));
        Failed("put", server.SendText("down"));
        output.WriteLine("held " + YesNo(near.Connection.GetStats().SimBytes > 0));
        // What one end passes on, the other reads in its next poll.
        Action pollBoth = () =>
        {
            for (int i = 0; i < 2; i++)
                foreach (WebSocketPeer one in new[] { server, near }) one.Poll();
        };
        pollBoth();
        bool serverHas = false, clientHas = false;
        for (int ms = 1; ms <= 60; ms++)
        {
            Failed("advance_time", near.Connection.AdvanceTime(1000));
            pollBoth();
            if (!serverHas && server.Available == 1) output.WriteLine("server after " + ms + " ms");
            if (!clientHas && near.Available == 1) output.WriteLine("client after " + ms + " ms");
            serverHas |= server.Available == 1;
            clientHas |= near.Available == 1;
        }
        Take(server, "server", 1);
        Take(near, "client", 1);
        output.WriteLine("losses " + near.Connection.GetStats().SimLosses);

        sim.UpLagUs = 60000000;
        Failed("set_sim", near.Connection.SetSim(sim));
        Failed("put", near.SendText("at once"));
        Failed("set_sim", near.Connection.ClearSim());
        Take(server, "server", 1);

        using (WebSocketServer listening = WebSocketServer.Listen(Localhost))
        {
            Failed("set_sim", listening.Connection.SetSim(sim));
            Failed("advance_time", listening.Connection.AdvanceTime(1));
        }
        foreach (WebSocketEndpoint one in polled) one.Dispose();
        polled.Clear();
    }

    // ---- Authentication; the clients do not learn of each other ----

    /// <summary>A join that has to be authenticated. `id`: its id at the host.</summary>
    static WebSocketMultiplayerPeer Knock(WebSocketMultiplayerPeer host, string name, WebSocketConfig config,
        out int id)
    {
        WebSocketMultiplayerPeer one = WebSocketMultiplayerPeer.Join(host.Url, config);
        polled.Add(one);
        int found = 0;
        NextEvent(host, "host", e =>
        {
            found = e.PeerId;
            peerNames[found] = name;
            Print("host", e);
        });
        Take(one, name, 1);
        id = found;
        return one;
    }

    static void Auth(string unused)
    {
        Func<string, byte[]> bytes = Encoding.UTF8.GetBytes;
        var config = new WebSocketConfig {
            Flags = WebSocketFlags.Scene | WebSocketFlags.Auth | WebSocketFlags.NoRelay
        };
        WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost, config);
        PollAll(host);
        string[] names = { "a", "b" };
        var joins = new WebSocketMultiplayerPeer[2];
        int id;
        for (int i = 0; i < 2; i++)
        {
            WebSocketMultiplayerPeer one = joins[i] = Knock(host, names[i], config, out id);
            Failed("send_auth", one.SendAuth(1, bytes("password")));
            Take(host, "host", 1);
            Failed("send_auth", host.SendAuth(id, bytes("welcome")));
            Take(one, names[i], 1);
            Failed("complete_auth", host.CompleteAuth(id));
            Failed("complete_auth", one.CompleteAuth(1));
            Take(host, "host", 1);
            Take(one, names[i], 2);
        }
        Failed("put_to", joins[0].SendTo(0, bytes("to all")));
        Take(host, "host", 1);
        Failed("put_to", host.SendTo(0, bytes("to both")));
        for (int i = 0; i < 2; i++) Take(joins[i], names[i], 1);
        WebSocketMultiplayerPeer c = Knock(host, "c", config, out id);
        Failed("disconnect", host.DisconnectPeer(id, 4003, "wrong password"));
        Until(c, "c", WebSocketEventType.Closed);
        Until(host, "host", WebSocketEventType.Disconnected);
        foreach (WebSocketEndpoint one in polled) one.Dispose();
        polled.Clear();
    }

    // ---- Replication: nodes that a host and a client spawn and synchronize ----

    /// <summary>What a packet of type Spawn, Despawn or Sync brings, one line for each node.</summary>
    static void PrintNodes(string name, WebSocketPacket packet)
    {
        foreach (WebSocketReplicated node in WebSocketReplicated.Decode(packet.Data))
        {
            int at = 0;
            string line = packet.Type.ToString().ToLowerInvariant() + " path=" + node.Path + " name=" + node.Name +
                          " node=" + node.Node + " scene=" + node.Scene;
            if (node.Data != null) line += " data=" + Value(node.Data, ref at);
            foreach (KeyValuePair<string, WebSocketVariant[]> one in node.Properties)
            {
                at = 0;
                line += " " + one.Key + "=" + Value(one.Value, ref at);
            }
            output.WriteLine(Begin(name) + line + By(packet.PeerId));
        }
    }

    static void DeclareScene(WebSocketMultiplayerPeer one, string spawner, int authority, uint scene,
        string synchronizers)
    {
        Failed("declare_scene", one.DeclareScene(spawner, authority, scene, synchronizers));
    }

    static uint DeclareSynchronizer(WebSocketMultiplayerPeer one, string path, int authority, string properties)
    {
        uint node;
        Failed("declare_synchronizer", one.DeclareSynchronizer(path, authority, properties, out node));
        return node;
    }

    static uint Spawn(WebSocketMultiplayerPeer one, string name, string spawner, uint scene, string node,
        params WebSocketVariant[] items)
    {
        uint number;
        if (!Failed("spawn", one.Spawn(spawner, scene, node, out number, items)))
            output.WriteLine(name + " spawned " + node + " " + number);
        return number;
    }

    static void Despawn(WebSocketMultiplayerPeer one, uint node) => Failed("despawn", one.Despawn(node));

    static void Sync(WebSocketMultiplayerPeer one, uint node, params WebSocketVariant[] items) =>
        Failed("sync", one.Sync(node, items));

    static void SetVisible(WebSocketMultiplayerPeer one, uint node, bool visible, int peerId = 0) =>
        Failed("set_visible", one.SetVisible(node, visible, peerId));

    static WebSocketVariant Vector2(double x, double y) => new WebSocketVariant(WebSocketVariantType.Vector2, x, y);

    static void BadReplication(WebSocketMultiplayerPeer host)
    {
        DeclareScene(host, "", 0, 0, "");
        DeclareScene(host, "Bad", -1, 0, "");
        DeclareScene(host, "Bad", 0, WebSocketScene.None, "");
        DeclareScene(host, "Bad", 0, 0, ".:x always change");
        DeclareScene(host, "Bad", 0, 0, ".:x, .:x");
        DeclareScene(host, "Bad", 0, 0, null);
        DeclareSynchronizer(host, "Bad", 0, null);
        DeclareScene(host, "Bad", 0, 0, ".:x");
        DeclareScene(host, "Bad", 0, 0, ".:y");
        DeclareScene(host, "Bad", 5, 1, "");
        DeclareScene(host, "Theirs", 5, 0, ".:x");
        Spawn(host, "host", "Bad", 1, "One", ".:x", 5);
        Spawn(host, "host", "Theirs", 0, "One", ".:x", 5);
        Spawn(host, "host", "Bad", 0, "a/b", ".:x", 5);
        Spawn(host, "host", "Bad", 0, "One");
        Spawn(host, "host", "Bad", 0, "One", ".:x", 5, ".:y", 5);
        Spawn(host, "host", "Bad", 0, "One", 5, ".:x");
        Despawn(host, 99);
        Sync(host, 99, ".:x", 5);
        SetVisible(host, 99, true);
        DeclareScene(host, "Bad", 0, 0, null);
        DeclareScene(host, "Theirs", 5, 0, null);
    }

    static void Replication(string unused)
    {
        const string mob = ".:position, .:skin spawn, .:health spawn change; Body:aim always";
        const string spawner = "Game/Spawner", clockValues = ".:time spawn change, .:day always";
        var config = new WebSocketConfig { Flags = WebSocketFlags.Scene };
        WebSocketMultiplayerPeer host = WebSocketMultiplayerPeer.Host(Localhost, config);
        BadReplication(host);
        DeclareScene(host, "/root/Game/Spawner", 1, 0, mob);
        DeclareScene(host, spawner, 0, WebSocketScene.Custom, "");
        WebSocketMultiplayerPeer a = WebSocketMultiplayerPeer.Join(host.Url, config);
        DeclareScene(a, spawner, 1, 0, mob);
        DeclareScene(a, spawner, 1, WebSocketScene.Custom, "");
        PollAll(host, a);
        Settle(host, a, "a");

        uint one = Spawn(host, "host", spawner, 0, "Mob", ".:position", Vector2(1.5, -2), ".:skin", "red", ".:health", 5);
        Take(a, "a", 2);
        // Each synchronizer with a property that is given sends all it sends always.
        Sync(host, one, ".:position", Vector2(2, 3));
        Take(a, "a", 1);
        Sync(host, one, "Body:aim", 0.5, ".:position", Vector2(4, 5));
        Take(a, "a", 1);
        // The same value again is no change, and a spawn alone brings the skin.
        Sync(host, one, ".:health", 4);
        Sync(host, one, ".:health", 4);
        Sync(host, one, ".:skin", "blue");
        Sync(host, one, ".:health", 3);
        Take(a, "a", 2);

        // A late one gets what is there.
        WebSocketMultiplayerPeer b = WebSocketMultiplayerPeer.JoinLocal(host);
        DeclareScene(b, spawner, 1, 0, mob);
        DeclareScene(b, spawner, 1, WebSocketScene.Custom, "");
        PollAll(host, a, b);
        Settle(host, b, "b");
        Take(b, "b", 3);
        Take(a, "a", 1);
        uint item = Spawn(host, "host", spawner, WebSocketScene.Custom, "Item", WebSocketVariant.Dictionary(1), "k", 2);
        Take(a, "a", 1);
        Take(b, "b", 1);

        // Hidden from all, shown to one, shown to all.
        SetVisible(host, item, true, 5);
        SetVisible(host, item, false);
        Take(a, "a", 1);
        Take(b, "b", 1);
        SetVisible(host, item, true, b.UniqueId);
        Take(b, "b", 1);
        SetVisible(host, item, true);
        Take(a, "a", 1);
        SetVisible(host, item, false, b.UniqueId);
        Despawn(host, one);
        Despawn(host, one);
        Take(a, "a", 1);
        Take(b, "b", 1);

        // A client is the authority of another spawner.
        DeclareScene(a, "Players", 0, 0, ".:position");
        DeclareScene(host, "Players", a.UniqueId, 0, ".:position");
        DeclareScene(b, "Players", a.UniqueId, 0, ".:position");
        uint other = Spawn(a, "a", "Players", 0, "A", ".:position", Vector2(0, 1));
        Take(host, "host", 1);
        Take(b, "b", 1);
        Sync(a, other, ".:position", Vector2(0, 2));
        Take(host, "host", 1);
        Take(b, "b", 1);

        // A synchronizer by its path.
        uint clock = DeclareSynchronizer(host, "Game/Clock", 0, clockValues);
        output.WriteLine("host synchronizer " + clock);
        output.WriteLine("b synchronizer " + DeclareSynchronizer(b, "/root/Game/Clock", 1, clockValues));
        DeclareSynchronizer(a, "Game/Clock", 1, clockValues);
        Sync(host, clock, ".:time", 1);
        Take(a, "a", 1);
        Take(b, "b", 1);
        Sync(host, clock, ".:day", 2);
        Take(a, "a", 1);
        Take(b, "b", 1);
        SetVisible(host, clock, false);
        SetVisible(host, clock, true, a.UniqueId);
        Sync(host, clock, ".:day", 3);
        Take(a, "a", 2);
        Despawn(host, clock);
        DeclareSynchronizer(host, "Game/Clock", 0, null);

        // The nodes of one that leaves are gone with it.
        Failed("close", a.Close(1000));
        Until(a, "a", WebSocketEventType.Closed);
        Until(host, "host", WebSocketEventType.Disconnected);
        Take(b, "b", 1);

        // What is not declared, of another authority, or with other properties does not arrive.
        DeclareScene(b, "Secret", 0, 0, "");
        Spawn(b, "b", "Secret", 0, "One");
        Take(host, "host", 1);
        DeclareScene(b, "Game/Other", 0, 0, "");
        DeclareScene(host, "Game/Other", 1, 0, "");
        Spawn(b, "b", "Game/Other", 0, "One");
        Take(host, "host", 1);
        DeclareScene(b, "Mine", 0, 0, ".:position");
        DeclareScene(host, "Mine", b.UniqueId, 0, ".:position, .:skin");
        uint mine = Spawn(b, "b", "Mine", 0, "One", ".:position", Vector2(0, 1));
        Take(host, "host", 1);
        Despawn(b, mine);
        Take(host, "host", 1);

        // As packets, without the events.
        Despawn(host, item);
        PollUntil("b", () =>
        {
            WebSocketPacket packet;
            if (!b.TryGetPacket(out packet)) return false;
            PrintNodes("b", packet);
            return true;
        });
        foreach (WebSocketEndpoint end in polled) end.Dispose();

        // Packets as they are on the wire.
        byte[] gone = { 5, 1, 0, 0, 0 };
        config.Flags |= WebSocketFlags.RawReplication;
        host = WebSocketMultiplayerPeer.Host(Localhost, config);
        a = WebSocketMultiplayerPeer.Join(host.Url, config);
        PollAll(host, a);
        Settle(host, a, "a");
        DeclareScene(host, spawner, 0, 0, "");
        Failed("put", host.Send(gone, WebSocketMessageType.Replication));
        Take(a, "a", 1);
        Failed("put_to", a.SendTo(1, gone, WebSocketMessageType.Replication));
        Take(host, "host", 1);
        Failed("put_to", a.SendTo(1, new byte[] { 3, 104 }, WebSocketMessageType.Replication));
        foreach (WebSocketEndpoint end in polled) end.Dispose();
        polled.Clear();

        Opened("decode_replication", () => WebSocketReplicated.Decode(gone));
        using (host = WebSocketMultiplayerPeer.Host(Localhost)) DeclareScene(host, spawner, 0, 0, "");
    }
}
