using System;
using Wspeer;

/// <summary>Application domains that are loaded and unloaded, which is how Unity's editor reloads scripts: each frees
/// what it opened, and keeps what others opened.</summary>
static class Domains
{
    public sealed class Guest : MarshalByRefObject
    {
        WebSocketServer server;
        WebSocketPeer client, visitor;

        /// <summary>Opens a server and clients, one of them to another domain's server, and leaves them during traffic.
        /// Returns the port.</summary>
        public int Play(int othersPort)
        {
            var clients = new WebSocketPeer[1];
            server = Check.OpenServer(clients);
            client = clients[0];
            visitor = WebSocketPeer.Connect("ws://127.0.0.1:" + othersPort);
            // Finalizers, which also run when a domain is unloaded, are tested elsewhere.
            GC.SuppressFinalize(server);
            GC.SuppressFinalize(client);
            GC.SuppressFinalize(visitor);
            for (int i = 0; i < 50; i++)
            {
                client.Send(new byte[5000]);
                server.Send(new byte[5000]);
                client.Poll();
                visitor.Poll();
            }
            WebSocketPacket packet;
            client.TryGetPacket(out packet);
            return server.Port;
        }

        public uint Owner => WebSocketLibrary.Owner;

        /// <summary>Lives as long as its domain.</summary>
        public override object InitializeLifetimeService() => null;
    }

    public static void Run()
    {
        var clients = new WebSocketPeer[1];
        using (WebSocketServer home = Check.OpenServer(clients))
        {
            int reloads = 0, freed = 0, otherOwners = 0;
            for (; reloads < 50; reloads++)
            {
                AppDomain domain = AppDomain.CreateDomain("game " + reloads);
                var guest =
                    (Guest)domain.CreateInstanceAndUnwrap(typeof(Guest).Assembly.FullName, typeof(Guest).FullName);
                int port = guest.Play(home.Port);
                if (guest.Owner != WebSocketLibrary.Owner) otherOwners++;
                AppDomain.Unload(domain);
                if (!Check.Until(() => Check.Refuses(port))) break;
                freed++;
                home.Poll();
                Check.Drain(home);
            }
            Check.Same(freed, 50, "50 domains unloaded in the midst of traffic: what they opened is freed");
            Check.Same(otherOwners, 50, "each had a separate owner");
            clients[0].SendText("still here");
            string got = null;
            Check.That(Check.Until(() =>
            {
                foreach (WebSocketPacket packet in home.Packets()) got = packet.GetText();
                return got != null;
            }, clients[0], home), "this domain's connection lives on");
        }
        clients[0].Dispose();
    }
}
