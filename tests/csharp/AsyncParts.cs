using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Wspeer;

/// <summary>A server on a thread that sends everything back in order. "drop me" drops the client, "flood me" sends
/// without an end.</summary>
sealed class EchoThread : IDisposable
{
    readonly WebSocketServer server;
    readonly Thread thread;
    volatile bool stopped;

    /// <summary>Code and cleanness of the last client's end.</summary>
    public volatile string Ended;

    /// <summary>Number of messages that were sent back.</summary>
    public volatile int Sent;

    public EchoThread(WebSocketConfig config = null)
    {
        server = WebSocketServer.Listen("ws://127.0.0.1:0", config);
        thread = new Thread(Serve) { IsBackground = true };
        thread.Start();
    }

    public string Url => "ws://127.0.0.1:" + server.Port;

    /// <summary>From now on nothing is polled.</summary>
    public void Stop()
    {
        stopped = true;
        thread.Join();
    }

    public void Dispose()
    {
        Stop();
        server.Dispose();
    }

    void Serve()
    {
        var back = new Queue<KeyValuePair<WebSocketMessageType, byte[]>>();
        WebSocketConnection client = default(WebSocketConnection);
        bool flooded = false;
        while (!stopped)
        {
            server.Poll();
            // As many messages wait here as the queue's limit allows: then the client is not read from.
            WebSocketEvent e;
            while (back.Count < 16 && server.TryGetEvent(out e))
            {
                client = e.Connection;
                if (e.Type == WebSocketEventType.Disconnected) Ended = e.Code + " " + e.Clean;
                if (e.Type != WebSocketEventType.Message) continue;
                string text = e.Packet.IsText ? e.Packet.GetText() : "";
                if (text == "drop me") Drop(back, client);
                else if (text == "flood me") flooded = true;
                else back.Enqueue(new KeyValuePair<WebSocketMessageType, byte[]>(e.Packet.Type, e.Packet.ToArray()));
            }
            while (back.Count > 0 && client.Send(back.Peek().Value, back.Peek().Key) != WebSocketResult.ErrFull)
            {
                back.Dequeue();
                Sent++;
            }
            for (int i = 0; flooded && i < 10; i++) client.SendText("flood");
            server.Wait(back.Count > 0 || flooded ? 1 : 5);
        }
    }

    /// <summary>Drops the client when everything was sent.</summary>
    void Drop(Queue<KeyValuePair<WebSocketMessageType, byte[]>> back, WebSocketConnection client)
    {
        while (back.Count > 0)
        {
            if (client.Send(back.Peek().Value, back.Peek().Key) == WebSocketResult.Ok) back.Dequeue();
            server.Poll();
        }
        while (client.GetStats().QueuedBytesOut > 0) server.Poll();
        client.Close(-1);
    }
}

/// <summary>Runs what was posted once a frame, on the thread that calls Frame, like Unity.</summary>
sealed class FrameContext : SynchronizationContext, IDisposable
{
    readonly ConcurrentQueue<Action> posted = new ConcurrentQueue<Action>();
    readonly SynchronizationContext before = Current;

    public FrameContext()
    {
        SetSynchronizationContext(this);
    }

    public bool IsCurrent => Current == this;

    /// <summary>Nothing was posted for the next frame.</summary>
    public bool IsIdle => posted.IsEmpty;

    public override void Post(SendOrPostCallback callback, object state) => posted.Enqueue(() => callback(state));

    public Task Start(Func<Task> body) => body();

    /// <summary>Runs what was posted before this frame.</summary>
    public void Frame()
    {
        Action one;
        for (int left = posted.Count; left > 0 && posted.TryDequeue(out one); left--) one();
    }

    /// <summary>Runs frames until the condition holds. Returns false after 20 seconds.</summary>
    public bool Until(Func<bool> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!holds())
        {
            if (watch.Elapsed.TotalSeconds > 20) return false;
            Frame();
            Thread.Sleep(1);
        }
        return true;
    }

    public void Dispose() => SetSynchronizationContext(before);
}
