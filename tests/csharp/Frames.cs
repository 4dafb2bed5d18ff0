using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Wspeer;

/// <summary>WebSocketClient as compiled for Unity: polled by the context of frames, without other threads.</summary>
static class Frames
{
    public static void Run()
    {
        using (var far = new EchoThread())
        using (var unity = new FrameContext())
        {
            Talk(far, unity);
            Idle(far, unity);
            Cancelled(far, unity);
            Ends(far, unity);
        }
    }

    static WebSocketClient Open(string url, FrameContext unity)
    {
        Task<WebSocketClient> connecting = WebSocketClient.ConnectAsync(url);
        if (!unity.Until(() => connecting.IsCompleted)) throw new Exception("it does not open");
        return connecting.Result;
    }

    static void Talk(EchoThread far, FrameContext unity)
    {
        const int All = 2000;
        int thread = Thread.CurrentThread.ManagedThreadId, elsewhere = 0, next = 0;
        Task talk = unity.Start(async () =>
        {
            WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url);
            for (int i = 0; i < All; i++)
            {
                await client.SendAsync(BitConverter.GetBytes(i));
                if (Thread.CurrentThread.ManagedThreadId != thread) elsewhere++;
            }
            while (next < All && BitConverter.ToInt32((await client.ReceiveAsync()).Data, 0) == next)
            {
                next++;
                if (Thread.CurrentThread.ManagedThreadId != thread) elsewhere++;
            }
            IAsyncEnumerator<WebSocketReceived> messages = client.GetAsyncEnumerator();
            await client.SendTextAsync("drop me");
            try
            {
                while (await messages.MoveNextAsync()) next++;
            }
            catch (WebSocketException)
            {
                if (Thread.CurrentThread.ManagedThreadId != thread) elsewhere++;
            }
            await client.DisposeAsync();
            if (Thread.CurrentThread.ManagedThreadId != thread) elsewhere++;
        });
        Check.That(unity.Until(() => talk.IsCompleted) && !talk.IsFaulted, "a conversation in frames ends" + talk.Exception);
        Check.That(next == All && elsewhere == 0, All + " messages, all on the thread of the frames");
    }

    /// <summary>Nothing polls while no frame runs, and code behind an await runs in the frame that polls.</summary>
    static void Idle(EchoThread far, FrameContext unity)
    {
        using (WebSocketClient client = Open(far.Url, unity))
        using (var cancel = new CancellationTokenSource())
        {
            int frame = 0, got = -1, gotCancellable = -1;
            Task first = unity.Start(async () =>
            {
                await client.ReceiveAsync();
                got = frame;
            }), second = unity.Start(async () =>
            {
                await client.ReceiveAsync(cancel.Token);
                gotCancellable = frame;
            });
            int sent = far.Sent;
            client.SendTextAsync("one").Wait();
            client.SendTextAsync("two").Wait();
            while (far.Sent < sent + 2) Thread.Yield();
            // Time for a poll that must not happen.
            Thread.Sleep(50);
            Check.Same(client.Peer.Connection.GetStats().MessagesIn, 0ul, "nothing polls between frames");
            Check.That(unity.Until(() =>
            {
                bool came = client.Peer.Connection.GetStats().MessagesIn == 2;
                frame++;
                return came;
            }), "the answers come");
            Check.That(first.IsCompleted && second.IsCompleted && got >= 0 && gotCancellable >= got && gotCancellable < frame, "code behind an await runs in the frame that polls");
        }
    }

    static void Cancelled(EchoThread far, FrameContext unity)
    {
        using (WebSocketClient client = Open(far.Url, unity))
        using (var cancel = new CancellationTokenSource())
        {
            bool here = false;
            Task waits = unity.Start(async () =>
            {
                try
                {
                    await client.ReceiveAsync(cancel.Token);
                }
                catch (OperationCanceledException)
                {
                    here = unity.IsCurrent;
                }
            });
            ThreadPool.QueueUserWorkItem(_ => cancel.Cancel());
            Check.That(unity.Until(() => waits.IsCompleted) && here, "cancelled by another thread, it continues on its own");
        }
    }

    /// <summary>Leaving play mode, a domain reload: the library's objects are freed, then frames may go on.</summary>
    static void Ends(EchoThread far, FrameContext unity)
    {
        Task<WebSocketClient> connecting = WebSocketClient.ConnectAsync(far.Url, new WebSocketConfig { Owner = 78 });
        unity.Until(() => connecting.IsCompleted);
        Task<WebSocketReceived> waits = connecting.Result.ReceiveAsync();
        WebSocketLibrary.FreeOwner(78);
        Check.That(unity.Until(() => waits.IsCompleted) &&
                       ((WebSocketException)waits.Exception.InnerException).Result == WebSocketResult.ErrHandle,
            "freed elsewhere: a receive that waits fails");
        unity.Frame();
        Check.That(unity.IsIdle, "and nothing polls any more");
    }
}
