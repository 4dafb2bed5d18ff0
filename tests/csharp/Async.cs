using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Wspeer;

/// <summary>WebSocketClient on the thread pool. Each test has 60 seconds.</summary>
static class Async
{
    public static void Run()
    {
        Each(Conversation);
        Each(BothWays);
        Each(CancelledReceives);
        Each(CancelledSends);
        Each(Failures);
        Each(Lost);
        Each(Disposed);
        Each(Left);
        Contexts();
    }

    static void Each(Func<Task> test)
    {
        Task task = Task.Run(test);
        try
        {
            if (!task.Wait(60000)) Check.That(false, test.Method.Name + " does not end");
        }
        catch (AggregateException error)
        {
            Check.That(false, test.Method.Name + ": " + error.InnerException);
        }
    }

    /// <summary>Returns what was thrown.</summary>
    internal static async Task<T> Thrown<T>(Task task, string name) where T : Exception
    {
        try
        {
            await task;
        }
        catch (T expected)
        {
            return expected;
        }
        throw new Exception(name + ": nothing was thrown");
    }

    static async Task Conversation()
    {
        using (var far = new EchoThread())
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url))
        {
            Check.Same(client.Peer.State, WebSocketState.Open, "ConnectAsync returns an open client");
            await client.SendTextAsync("κόσμε");
            await client.SendAsync(new byte[] { 1, 2, 3 });
            await client.SendAsync(new ReadOnlyMemory<byte>(new byte[] { 1, 2, 3, 4 }, 1, 2), WebSocketMessageType.Text);
            WebSocketReceived first = await client.ReceiveAsync(), second = await client.ReceiveAsync(),
                third = await client.ReceiveAsync();
            Check.That(first.IsText && first.GetText() == "κόσμε", "a text comes back");
            Check.That(!second.IsText && BitConverter.ToString(second.Data) == "01-02-03", "bytes come back");
            Check.That(third.IsText && third.GetText() == "\u0002\u0003", "a part of an array comes back as text");
            await client.SendTextAsync("last");
            while (client.Peer.Available == 0) await Task.Yield();
            await client.CloseAsync(4000, "done");
            Check.Same(client.Peer.State, WebSocketState.Closed, "CloseAsync waits for the end");
            Check.Same((await client.ReceiveAsync())?.GetText(), "last", "what came before the close can be received");
            Check.Same(await client.ReceiveAsync(), null, "null ends the messages");
            Check.Same(await client.ReceiveAsync(), null, "and stays");
            await client.CloseAsync();
            WebSocketEnd end;
            Check.That(client.Peer.Connection.TryGetEnd(out end) && end.Code == 4000 && end.Clean, "with the code");
            var late = await Thrown<WebSocketException>(client.SendTextAsync("late"), "a send after the end");
            Check.That(late.Result == WebSocketResult.ErrState && late.End.Code == 4000, "too late: " + late.Message);
        }
    }

    /// <summary>Full queues both ways, several senders and receivers.</summary>
    static async Task BothWays()
    {
        const int Each = 3000;
        var config = new WebSocketConfig { OutboundPackets = 16, InboundPackets = 16 };
        using (var far = new EchoThread(config))
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url, config, rate: 1000))
        {
            var next = new int[3];
            bool inOrder = true;
            int waited = 0;
            Func<int, Task> send = async from =>
            {
                for (int i = 0; i < Each; i++)
                {
                    var message = new byte[Length(i)];
                    message[0] = (byte)from;
                    BitConverter.GetBytes(i).CopyTo(message, 1);
                    Task sent = client.SendAsync(message);
                    if (!sent.IsCompleted) waited++;
                    await sent;
                }
            };
            Func<Task> receive = async () =>
            {
                while (waited == 0) await Task.Yield();
                for (int total = 0; total < 3 * Each; total++)
                {
                    byte[] message = (await client.ReceiveAsync()).Data;
                    int number = BitConverter.ToInt32(message, 1);
                    inOrder &= number == next[message[0]]++ && message.Length == Length(number);
                }
            };
            await Task.WhenAll(Task.Run(() => send(0)), Task.Run(() => send(1)), Task.Run(() => send(2)),
                Task.Run(receive));
            Check.That(inOrder && next[0] + next[1] + next[2] == 3 * Each,
                3 * Each + " messages of 3 senders and back, each sender's in order");
            Check.That(waited > 0, "sends wait while the queue is full: " + waited);
        }
    }

    static int Length(int number) => 5 + number * 37 % 20000;

    /// <summary>Receives that are cancelled while messages arrive lose and double none.</summary>
    static async Task CancelledReceives()
    {
        const int All = 20000;
        var random = new Random(1);
        using (var far = new EchoThread())
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url, rate: 1000))
        {
            int next = 0, cancelled = 0, waited = 0;
            bool inOrder = true;
            Task sending = Task.Run(async () =>
            {
                for (int i = 0; i < All; i++)
                {
                    await client.SendAsync(BitConverter.GetBytes(i));
                    if (i % 50 == 0) await Task.Delay(1);
                }
            });
            while (next < All)
            {
                using (var cancel = new CancellationTokenSource())
                {
                    Task<WebSocketReceived> receiving = client.ReceiveAsync(cancel.Token);
                    if (!receiving.IsCompleted)
                    {
                        waited++;
                        Thread.SpinWait(random.Next(20000));
                        if (random.Next(2) == 0) await Task.Yield();
                        cancel.Cancel();
                    }
                    try
                    {
                        inOrder &= BitConverter.ToInt32((await receiving).Data, 0) == next++;
                    }
                    catch (OperationCanceledException)
                    {
                        cancelled++;
                    }
                }
            }
            await sending;
            Check.That(inOrder && next == All, All + " messages, none lost or doubled");
            Check.That(cancelled > 0 && waited > cancelled,
                waited + " receives waited, " + cancelled + " of them were cancelled before a message came");
            using (var cancel = new CancellationTokenSource())
            {
                cancel.Cancel();
                await client.SendTextAsync("kept");
                while (client.Peer.Available == 0) await Task.Yield();
                await Thrown<OperationCanceledException>(client.ReceiveAsync(cancel.Token), "a cancelled token");
                Check.Same((await client.ReceiveAsync()).GetText(), "kept", "a token that is cancelled already takes nothing");
            }
        }
    }

    /// <summary>What was cancelled is not sent, and what was not cancelled is sent once.</summary>
    static async Task CancelledSends()
    {
        var random = new Random(2);
        var config = new WebSocketConfig { OutboundPackets = 4 };
        using (var far = new EchoThread(config))
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url, config, rate: 1000))
        {
            var accepted = new List<int>();
            var came = new List<int>();
            int cancelled = 0, waited = 0;
            Task receiving = Task.Run(async () =>
            {
                WebSocketReceived message;
                while ((message = await client.ReceiveAsync()).Data.Length > 4)
                {
                    came.Add(BitConverter.ToInt32(message.Data, 0));
                    if (came.Count % 20 == 0) await Task.Delay(1);
                }
            });
            for (int i = 0; cancelled < 100 || waited < 100; i++)
            {
                var message = new byte[20000];
                BitConverter.GetBytes(i).CopyTo(message, 0);
                using (var cancel = new CancellationTokenSource())
                {
                    Task sending = client.SendAsync(message, cancel: cancel.Token);
                    bool waits = !sending.IsCompleted;
                    if (waits)
                    {
                        if (random.Next(2) == 0) await Task.Delay(random.Next(5));
                        else Thread.SpinWait(random.Next(20000));
                        cancel.Cancel();
                    }
                    try
                    {
                        await sending;
                        accepted.Add(i);
                        if (waits) waited++;
                    }
                    catch (OperationCanceledException)
                    {
                        cancelled++;
                    }
                }
            }
            await client.SendAsync(new byte[4]);
            await receiving;
            Check.That(string.Join(",", accepted) == string.Join(",", came),
                accepted.Count + " accepted sends arrive once, in order, " + waited + " of them after a wait; " + cancelled +
                    " cancelled ones do not");
        }
    }

    static async Task Failures()
    {
        int unused;
        using (WebSocketServer server = WebSocketServer.Listen("ws://127.0.0.1:0")) unused = server.Port;
        var refused = await Thrown<WebSocketException>(
            WebSocketClient.ConnectAsync("ws://127.0.0.1:" + unused), "nobody listens");
        Check.That(refused.End.Phase == WebSocketPhase.Tcp && refused.End.Cause == WebSocketCause.Refused &&
                       refused.Message.Contains("refused"), "nobody listens: " + refused.Message);
        var url = await Thrown<WebSocketException>(WebSocketClient.ConnectAsync("http://127.0.0.1"), "a wrong URL");
        Check.That(url.Result == WebSocketResult.ErrUrl && url.End.Cause == WebSocketCause.None,
            "a wrong URL: " + url.Message);
        await Thrown<ArgumentNullException>(WebSocketClient.ConnectAsync(null), "no URL");
        await Thrown<ArgumentOutOfRangeException>(WebSocketClient.ConnectAsync("ws://a", rate: 0), "no rate");
        using (WebSocketServer silent = WebSocketServer.Listen("ws://127.0.0.1:0"))
        using (var cancel = new CancellationTokenSource())
        {
            Task<WebSocketClient> connecting =
                WebSocketClient.ConnectAsync("ws://127.0.0.1:" + silent.Port, null, cancel.Token);
            Check.That(!connecting.IsCompleted, "connecting waits for the server");
            cancel.Cancel();
            await Thrown<OperationCanceledException>(connecting, "connecting is cancelled");
            Check.That(connecting.IsCanceled, "connecting can be cancelled");
            await Thrown<OperationCanceledException>(
                WebSocketClient.ConnectAsync("not looked at", null, cancel.Token), "a cancelled token");
        }
        using (var far = new EchoThread(new WebSocketConfig { MaxMessageBytes = 1000 }))
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url, new WebSocketConfig { MaxMessageBytes = 100 }))
        {
            var big = await Thrown<WebSocketException>(client.SendAsync(new byte[101]), "too much");
            Check.Same(big.Result, WebSocketResult.ErrTooBig, "a message that is too big: " + big.Message);
            await Thrown<ArgumentException>(client.CloseAsync(1000, "a\0b"), "a NUL in the reason");
            var code = await Thrown<WebSocketException>(client.CloseAsync(1), "a wrong code");
            Check.Same(code.Result, WebSocketResult.ErrArg, "a wrong close code: " + code.Message);
            Check.Throws<ArgumentNullException>(() => client.SendAsync((byte[])null), "data", "no bytes");
            Check.Throws<ArgumentNullException>(() => client.SendTextAsync(null), "text", "no text");
            await client.SendTextAsync("still");
            Check.Same((await client.ReceiveAsync()).GetText(), "still", "the connection survives these");
        }
    }

    /// <summary>The server drops the client while messages are under way.</summary>
    static async Task Lost()
    {
        using (var far = new EchoThread())
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url))
        {
            for (int i = 0; i < 10; i++) await client.SendTextAsync("message " + i);
            await client.SendTextAsync("drop me");
            while (client.Peer.State != WebSocketState.Closed) await Task.Yield();
            int got = 0;
            WebSocketException lost = null;
            try
            {
                while (await client.ReceiveAsync() != null) got++;
            }
            catch (WebSocketException error)
            {
                lost = error;
            }
            Check.Same(got, 10, "messages that came before the loss can be received");
            Check.That(lost != null && lost.Result == WebSocketResult.ErrState && !lost.End.Clean &&
                           lost.End.Cause == WebSocketCause.PeerGone, "then it throws: " + lost?.Message);
            var again = await Thrown<WebSocketException>(client.ReceiveAsync(), "the next receive");
            var send = await Thrown<WebSocketException>(client.SendTextAsync("late"), "a send");
            Check.That(again.End.Cause == lost.End.Cause && send.End.Cause == lost.End.Cause,
                "each call says why: " + send.Message);
            Check.That(!ReferenceEquals(again, lost) && again.Message == lost.Message,
                "by an exception of its own, as one that is thrown again grows");
            await client.CloseAsync();
        }
        using (var far = new EchoThread())
        using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url))
        {
            Task<WebSocketReceived> receiving = client.ReceiveAsync();
            await client.SendTextAsync("drop me");
            var lost = await Thrown<WebSocketException>(receiving, "a receive that waits");
            Check.Same(lost.End.Cause, WebSocketCause.PeerGone, "a receive that waits ends with the connection");
        }
    }

    static async Task Disposed()
    {
        var config = new WebSocketConfig { OutboundPackets = 1, CloseTimeoutMs = 30000 };
        for (int round = 0; round < 3; round++)
        {
            // A server that nobody polls any more answers nothing and takes nothing.
            using (var far = new EchoThread(config))
            {
                WebSocketClient client =
                    await WebSocketClient.ConnectAsync(far.Url, new WebSocketConfig { OutboundPackets = 1, Owner = 77 });
                far.Stop();
                Task receiving = client.ReceiveAsync(), sending;
                do sending = client.SendAsync(new byte[1000000]);
                while (sending.IsCompleted);
                Task behind = client.SendTextAsync("behind");
                Check.That(!receiving.IsCompleted && !behind.IsCompleted, "calls wait");
                if (round == 0)
                {
                    client.Dispose();
                    foreach (Task one in new[] { receiving, sending, behind })
                        await Thrown<ObjectDisposedException>(one, "a call that waits");
                    await Thrown<ObjectDisposedException>(client.ReceiveAsync(), "a call after Dispose");
                    await Thrown<ObjectDisposedException>(client.CloseAsync(), "a close after Dispose");
                    var second = await Thrown<ObjectDisposedException>(client.ReceiveAsync(), "a second call");
                    var other = await Thrown<ObjectDisposedException>(client.ReceiveAsync(), "a third call");
                    Check.That(!ReferenceEquals(second, other), "each call after Dispose has an exception of its own");
                    await client.DisposeAsync();
                    Check.That(true, "Dispose ends the calls that wait");
                }
                else
                {
                    if (round == 1) WebSocketLibrary.FreeOwner(77);
                    else client.Peer.Dispose();
                    foreach (Task one in new[] { receiving, sending, behind })
                        Check.Same((await Thrown<WebSocketException>(one, "a call that waits")).Result,
                            WebSocketResult.ErrHandle, "freed elsewhere: a call that waits fails");
                    await Thrown<WebSocketException>(client.ReceiveAsync(), "a call after the end");
                    await client.DisposeAsync();
                }
                client.Dispose();
            }
        }
        using (var far = new EchoThread())
        {
            WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url);
            far.Stop();
            using (var cancel = new CancellationTokenSource())
            {
                Task closing = client.CloseAsync(0, null, cancel.Token);
                Check.That(!closing.IsCompleted, "a close waits for the answer");
                cancel.Cancel();
                await Thrown<OperationCanceledException>(closing, "a cancelled close");
                closing = client.CloseAsync();
                client.Dispose();
                await Thrown<ObjectDisposedException>(closing, "a close that waits");
            }
        }
    }

    /// <summary>DisposeAsync closes, even if the other end sends and nobody reads.</summary>
    static async Task Left()
    {
        using (var far = new EchoThread())
        {
            WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url,
                new WebSocketConfig { InboundPackets = 8, CloseTimeoutMs = 50000 });
            await client.SendTextAsync("flood me");
            while (client.Peer.Available < 8) await Task.Yield();
            await client.DisposeAsync();
            while (far.Ended == null) await Task.Yield();
            Check.Same(far.Ended, "1000 True", "DisposeAsync closes with 1000, whatever was not received");
        }
    }

    /// <summary>A window's thread: code behind an await continues there, and may even block it.</summary>
    static void Contexts()
    {
        using (var far = new EchoThread())
        using (var window = new FrameContext())
        {
            string where = "";
            Task talk = window.Start(async () =>
            {
                using (WebSocketClient client = await WebSocketClient.ConnectAsync(far.Url))
                {
                    where += window.IsCurrent;
                    Task<WebSocketReceived> receiving = client.ReceiveAsync();
                    await client.SendTextAsync("hello");
                    where += window.IsCurrent + (await receiving).GetText() + window.IsCurrent;
                    client.SendTextAsync("blocks").Wait();
                    where += client.ReceiveAsync().Result.GetText();
                    client.CloseAsync().Wait();
                }
            });
            Check.That(window.Until(() => talk.IsCompleted), "a context's thread may wait for a task");
            Check.Same(where, "TrueTruehelloTrueblocks", "code behind an await stays on its context");
            if (talk.IsFaulted) Check.That(false, talk.Exception.ToString());
        }
    }
}
