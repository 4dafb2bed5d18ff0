using System;
using System.Threading;
using System.Threading.Tasks;
using Wspeer;

/// <summary>WebSocketClient in C# 8: await foreach and await using.</summary>
static class Foreach
{
    static async Task<int> Main()
    {
        Check.Group("foreach");
        using var far = new EchoThread();
        await Loop(far);
        await Cancelled(far);
        await Lost(far);
        return Check.Failures == 0 ? 0 : 1;
    }

    static async Task Loop(EchoThread far)
    {
        string got = "";
        await using (var client = await WebSocketClient.ConnectAsync(far.Url))
        {
            for (int i = 0; i < 5; i++) await client.SendTextAsync(i.ToString());
            await foreach (WebSocketReceived message in client)
            {
                got += message.GetText();
                if (got == "01") break;
            }
            await foreach (WebSocketReceived message in client)
            {
                got += message.GetText();
                if (got == "01234") await client.CloseAsync(4000);
            }
            got += " end";
        }
        Check.Same(got, "01234 end", "a loop goes on where one was left, and ends with the connection");
        while (far.Ended == null) await Task.Yield();
        Check.Same(far.Ended, "4000 True", "the server sees the close");
        far.Ended = null;
        await using (var client = await WebSocketClient.ConnectAsync(far.Url)) Check.Same(client.Peer.State, WebSocketState.Open, "await using");
        while (far.Ended == null) await Task.Yield();
        Check.Same(far.Ended, "1000 True", "leaving await using closes");
    }

    static async Task Cancelled(EchoThread far)
    {
        await using var client = await WebSocketClient.ConnectAsync(far.Url);
        using var cancel = new CancellationTokenSource();
        await client.SendTextAsync("one");
        int got = 0;
        try
        {
            await foreach (WebSocketReceived message in client.WithCancellation(cancel.Token))
            {
                got++;
                cancel.CancelAfter(1);
            }
        }
        catch (OperationCanceledException)
        {
            got += 10;
        }
        Check.Same(got, 11, "WithCancellation ends a loop");
        await client.SendTextAsync("two");
        Check.Same((await client.ReceiveAsync()).GetText(), "two", "and the connection goes on");
    }

    static async Task Lost(EchoThread far)
    {
        await using var client = await WebSocketClient.ConnectAsync(far.Url);
        await client.SendTextAsync("one");
        await client.SendTextAsync("drop me");
        int got = 0;
        try
        {
            await foreach (WebSocketReceived message in client) got++;
        }
        catch (WebSocketException error)
        {
            Check.Same(got + " " + error.End.Cause, "1 " + WebSocketCause.PeerGone, "a loop throws if the connection was lost");
            got = -1;
        }
        Check.Same(got, -1, "a loss is not an end");
    }
}
