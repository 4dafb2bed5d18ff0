using System;
using System.Reflection;
using UnityEditor;
using UnityEngine;
using Wspeer;
using Wspeer.Unity;

/// <summary>The component, with its lifecycle methods called like Unity calls them.</summary>
static class Component
{
    static long total;

    sealed class Client : WebSocketClientBehaviour
    {
        public string Seen = "";
        public WebSocketClosing Ending;
        public int Messages;

        public Client()
        {
            Opened += () => Seen += "opened ";
            MessageReceived += message => Messages += message.Length > 0 ? 1 : 0;
            Closed += closing =>
            {
                Seen += "closed ";
                Ending = closing;
            };
            Lost += losing =>
            {
                Seen += "lost ";
                Ending = losing;
            };
        }

        public void Begin() => Start();

        public void Frame()
        {
            Update();
            LateUpdate();
        }

        public void EndOfFrame() => LateUpdate();

        public void Pause(bool paused) => OnApplicationPause(paused);

        public void Destroy() => OnDestroy();
    }

    public static void Run()
    {
        // Unity calls these before any scene, and when the editor has loaded the scripts.
        Invoke("Begin");
        Invoke("Watch");
        Life();
        Handlers();
        Losses();
        Failures();
        Session();
        Garbage();
        Ends();
    }

    static void Invoke(string name)
    {
        typeof(WebSocketClientBehaviour)
            .Assembly.GetType("Wspeer.Unity.Lifetime", true)
            .GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)
            .Invoke(null, null);
    }

    static WebSocketServer Listen() => WebSocketServer.Listen("ws://127.0.0.1:0", new WebSocketConfig { Owner = 9 });

    static bool Until(Client client, WebSocketServer server, Func<bool> holds)
    {
        return Check.Until(() =>
        {
            client.Frame();
            return holds();
        }, server);
    }

    static Client Opened(WebSocketServer server)
    {
        var client = new Client { Url = "ws://127.0.0.1:" + server.Port };
        client.Begin();
        if (!Until(client, server, () => client.State == WebSocketState.Open && client.Seen == "opened "))
            throw new Exception("the component did not open");
        Check.Drain(server);
        return client;
    }

    // The session moves to another link when the network has changed.
    static void Session()
    {
        var config = new WebSocketConfig { Owner = 9, SessionMs = 60000, RetryMinMs = 1, RetryMaxMs = 20 };
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0", config))
        {
            var client = new Client { Url = "ws://127.0.0.1:" + server.Port, Config = config };
            client.Lost += closing => client.Seen += client.SendText("meanwhile") + " ";
            client.Resumed += () => client.Seen += "resumed ";
            client.Begin();
            Until(client, server, () => client.Seen == "opened ");
            client.Pause(true);
            client.Pause(false);
            Check.Same(client.Peer.Connection.Hint(WebSocketHint.NetworkChanged), WebSocketResult.Ok, "a hint is taken");
            Check.Same(client.Peer.Connection.Hint((WebSocketHint)9), WebSocketResult.ErrArg, "9 is no hint");
            string heard = null;
            Check.That(Until(client, server, () =>
            {
                foreach (WebSocketEvent e in server.Events())
                    if (e.Type == WebSocketEventType.Message) heard = e.GetText();
                return heard != null && client.Seen == "opened lost Ok resumed ";
            }), "Lost and Resumed are raised: " + client.Seen);
            Check.Same(heard, "meanwhile", "what was sent meanwhile arrives");
            Check.Same(server.Drain(5000), WebSocketResult.Ok, "the server is drained");
            Check.That(Until(client, server, () => client.Ending.Code == 1012), "and sends the client away");
            client.Destroy();
        }
    }

    static void Life()
    {
        using (WebSocketServer server = Listen())
        {
            var client = new Client { Url = "ws://127.0.0.1:" + server.Port, ConnectOnStart = false };
            client.Begin();
            client.Frame();
            Check.That(
                client.State == WebSocketState.Closed && client.Peer == null, "the component is closed before Connect");
            Check.Same(client.SendText("early"), WebSocketResult.ErrState, "sending before Connect returns ErrState");
            Check.Same(client.Close(), WebSocketResult.ErrState, "closing before Connect returns ErrState");
            client.Connect();
            Check.Same(client.State, WebSocketState.Connecting, "Connect returns at once");
            Check.That(Until(client, server, () => client.Seen == "opened "), "Opened is raised from Update");
            Check.Drain(server);

            string text = null;
            client.TextReceived += heard => text = heard;
            client.SendText("hello");
            client.Send(new byte[] { 1 });
            server.Poll();
            Check.Same(server.Available, 0, "a sent message stays queued until the end of the frame");
            client.EndOfFrame();
            Check.That(Check.Until(() => server.Available == 2, server), "queued messages are sent in LateUpdate");
            for (byte i = 0; i < 3; i++) client.SendLatest(7, new byte[] { i });
            client.EndOfFrame();
            Check.That(Check.Until(() => server.Available == 3, server) &&
                           client.Peer.Connection.GetStats().Replaced == 2,
                "of the latest of a frame only the last is sent");
            server.SendText("welcome");
            server.Send(new byte[] { 2 });
            Check.That(
                Until(client, server, () => client.Messages == 2), "MessageReceived is raised for text and binary");
            Check.Same(text, "welcome", "TextReceived is raised only for text");

            server.DisconnectAll(4002, "enough");
            Check.That(Until(client, server, () => client.Seen == "opened closed "), "Closed is raised");
            Check.That(client.Ending.Code == 4002 && client.Ending.Reason == "enough" && client.Ending.Clean &&
                           client.Ending.End.Cause == WebSocketCause.ClosedByPeer,
                "with code, reason and cause: " + client.Ending.Message);
            Check.That(client.State == WebSocketState.Closed && client.Peer == null,
                "the component is closed and has no peer");
            client.Connect();
            Check.That(
                Until(client, server, () => client.Seen == "opened closed opened "), "the component connects again");
            Check.Drain(server);
            client.Destroy();
            int code = 0;
            Check.Until(() =>
            {
                foreach (WebSocketEvent e in server.Events())
                    if (e.Type == WebSocketEventType.Disconnected || e.Type == WebSocketEventType.CloseRequest)
                        code = code == 0 ? e.Code : code;
                return code != 0;
            }, server);
            Check.Same(code, 1001, "OnDestroy closes with 1001");
            client.Frame();
            client.Destroy();
            Check.That(client.Peer == null, "a frame and a second OnDestroy after it have no effect");
        }
    }

    static void Handlers()
    {
        using (WebSocketServer server = Listen())
        {
            Client client = Opened(server);
            int calls = 0;
            client.MessageReceived += message =>
            {
                if (calls++ == 0) throw new InvalidOperationException("a mistake of the game");
            };
            server.Send(new byte[1]);
            server.Send(new byte[1]);
            Check.That(Until(client, server, () => calls == 2), "an exception in a handler loses no message");
            Check.That(Debug.StubLast is InvalidOperationException && Debug.StubLast.Message == "a mistake of the game",
                "the exception is logged");
            Client other = Opened(server);
            other.MessageReceived += message => other.Connect();
            for (int i = 0; i < 5; i++) server.Send(new byte[1]);
            Check.That(
                Until(other, server, () => other.Messages >= 1), "a handler connects again while messages are queued");
            Check.That(other.Messages == 1 && other.State == WebSocketState.Connecting,
                "the handler receives no further message of the old connection");
            Check.That(Until(other, server, () => other.Seen == "opened opened "), "the new connection opens");
            client.Destroy();
            other.Destroy();
        }
    }

    static void Losses()
    {
        using (WebSocketServer server = Listen())
        {
            var client = new Client
            {
                Url = server.Connection.GetText(WebSocketText.Url),
                Config = new WebSocketConfig { Flags = WebSocketFlags.Reconnect, RetryMinMs = 1, RetryMaxMs = 5 },
            };
            client.Begin();
            Check.That(Until(client, server, () => client.Seen == "opened "), "a client that reconnects opens");
            string token = server.Connection.GetText(WebSocketText.Url) + "?token=2";
            WebSocketResult set = WebSocketResult.ErrState;
            client.Lost += losing => set = client.Peer.Connection.SetUrl(token);
            server.DisconnectAll(1012, "restart");
            Check.That(Until(client, server, () => client.Seen == "opened lost opened "), "Lost, then Opened is raised");
            Check.That(client.Ending.Code == 1012 && client.Ending.Reason == "restart" && client.Ending.Clean &&
                           client.Ending.End.Cause == WebSocketCause.ClosedByPeer,
                "with code, reason and cause: " + client.Ending.Message);
            Check.Same(set, WebSocketResult.Ok, "a handler of Lost sets the next URL");
            Check.Same(client.Peer.Connection.GetText(WebSocketText.Query), "token=2", "which is used");
            Check.Same(client.Peer.Connection.SetHeader("X-Token", "3"), WebSocketResult.Ok, "a header is set");
            Check.Same(client.Peer.Connection.SetHeader("X-Token", null), WebSocketResult.Ok, "and removed");
            Check.Same(client.Peer.Connection.SetHeader("Upgrade", "x"), WebSocketResult.ErrArg, "another is refused");
            client.Destroy();
        }
    }

    static void Failures()
    {
        var client = new Client { Url = "nowhere" };
        client.Begin();
        Check.That(client.Seen == "closed " && client.Ending.Message.StartsWith("ErrUrl: "),
            "a URL that is none raises Closed: " + client.Ending.Message);
        client.Connect("ws://127.0.0.1:1");
        Check.That(Check.Until(() =>
        {
            client.Frame();
            return client.Seen == "closed closed ";
        }), "nobody listens: Closed");
        Check.That(client.Ending.End.Phase == WebSocketPhase.Tcp && client.Ending.End.Cause == WebSocketCause.Refused &&
                       client.Ending.Message.Contains("refused"),
            client.Ending.Message);
        client.Config = new WebSocketConfig { Subprotocols = "a\0b" };
        client.Connect();
        Check.That(client.Seen == "closed closed closed " && client.Ending.Message.Contains("NUL"),
            "a config that cannot be: " + client.Ending.Message.Split('\n')[0]);
        client.Config = null;
        using (WebSocketServer server = Listen())
        {
            Client freed = Opened(server);
            WebSocketLibrary.FreeOwned();
            freed.Frame();
            Check.That(freed.Seen == "opened closed " && freed.Ending.Message.StartsWith("ErrHandle: "),
                "freed elsewhere: " + freed.Ending.Message);
        }
    }

    static void Garbage()
    {
        using (WebSocketServer server = Listen())
        {
            Client client = Opened(server);
            byte[] data = new byte[64];
            for (int frame = 0; frame < 100; frame++) Exchange(client, server, data);
            int had = client.Messages;
            total = 0;
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int frame = 0; frame < 1000; frame++) Exchange(client, server, data);
            long counted = GC.GetAllocatedBytesForCurrentThread() - before;
            Check.That(counted == 0 && client.Messages > had + 5000 && total > 64 * 5000,
                "frames with messages: " + counted + " bytes for " + (client.Messages - had) +
                    " received and 10000 sent");
            client.Destroy();
        }
    }

    static void Exchange(Client client, WebSocketServer server, byte[] data)
    {
        for (int i = 0; i < 10; i++)
        {
            server.Send(data);
            client.Send(data);
        }
        server.Poll();
        client.Frame();
        foreach (WebSocketPacket packet in server.Packets()) total += packet.Length;
    }

    static void Ends()
    {
        using (WebSocketServer tool = Listen())
        {
            Client client = Opened(tool);
            EditorApplication.StubPlayMode(PlayModeStateChange.ExitingPlayMode);
            Check.Same(client.State, WebSocketState.Open,
                "leaving play mode keeps the connection until the component is destroyed");
            EditorApplication.StubPlayMode(PlayModeStateChange.EnteredEditMode);
            Check.Same(client.State, WebSocketState.Closed, "after play mode the game's connections are freed");
            Check.Same(tool.Poll(), WebSocketResult.Ok, "an editor tool's server with a separate owner is kept");
            client = Opened(tool);
            AssemblyReloadEvents.StubReload();
            Check.Same(client.State, WebSocketState.Closed, "a domain reload frees the game's connections");
            client = Opened(tool);
            Application.StubUnload();
            Check.Same(client.State, WebSocketState.Closed, "unloading Unity frees the game's connections");
            client = Opened(tool);
            Invoke("Begin");
            Check.Same(
                client.State, WebSocketState.Closed, "the next play mode frees them if the domain was not reloaded");
            Check.Same(tool.Poll(), WebSocketResult.Ok, "the tool's server still listens");
        }
    }
}
