using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Wspeer
{
    /// <summary>A client for async and await: it polls itself, and blocks no thread. In Unity it polls once a frame on the
    /// thread that called ConnectAsync, and code behind an await continues in the same frame; elsewhere a task polls
    /// `rate` times a second. Any thread may call any method, several at a time. A cancelled call has done nothing: no
    /// message is lost or sent. Failures throw WebSocketException where they are awaited; End has phase and
    /// cause.</summary>
    public sealed class WebSocketClient : IAsyncEnumerable<WebSocketReceived>, IAsyncDisposable, IDisposable
    {
        /// <summary>Held for every use of `peer` but queries: one thread at a time polls and reads.</summary>
        readonly object gate = new object();
        readonly WebSocketPeer peer;
        readonly int periodMs;

        /// <summary>Polled by the SynchronizationContext of ConnectAsync, once a frame.</summary>
        readonly bool framed;

        /// <summary>The waiting calls of each kind; the first is served first.</summary>
        readonly LinkedList<Call>[] waiting = new LinkedList<Call>[4];
        bool opened;

        /// <summary>Nobody reads any more: what arrives is dropped, so that the closing handshake is reached.</summary>
        bool leaving;

        /// <summary>Closed was taken.</summary>
        bool ended;

        /// <summary>Makes what calls fail with, if it did not end cleanly. One for each call: an exception that is thrown
        /// again grows by a stack trace.</summary>
        Func<Exception> failure;

        /// <summary>It was freed, and this makes what calls fail with.</summary>
        Func<Exception> freed;

        WebSocketClient(WebSocketPeer peer, int rate)
        {
            this.peer = peer;
            periodMs = 1000 / rate;
            for (int i = 0; i < waiting.Length; i++) waiting[i] = new LinkedList<Call>();
#if UNITY_5_3_OR_NEWER
            // Unity's context runs what was posted to it once a frame. WebGL has neither timers nor other threads.
            framed = SynchronizationContext.Current != null;
#else
            framed = false;
#endif
        }

        /// <summary>Opens a client and waits until it is open. `rate`: polls a second, 1 to 1000; not used on Unity's main
        /// thread. If it is cancelled, the connection is freed.</summary>
        public static async Task<WebSocketClient> ConnectAsync(string url, WebSocketConfig config = null,
            CancellationToken cancel = default(CancellationToken), int rate = 60)
        {
            if (rate < 1 || rate > 1000) throw new ArgumentOutOfRangeException(nameof(rate), "give 1 to 1000 polls a second");
            cancel.ThrowIfCancellationRequested();
            var client = new WebSocketClient(WebSocketPeer.Connect(url, config), rate);
            try
            {
                Task open = client.Start(new Call(Kind.Open), cancel);
                if (client.framed) client.Run();
                else ThreadPool.QueueUserWorkItem(_ => client.Run());
                await open.ConfigureAwait(client.framed);
                return client;
            }
            catch
            {
                client.Dispose();
                throw;
            }
        }

        /// <summary>The connection, for calls that neither poll nor read: state, statistics, options, SendLatest.</summary>
        public WebSocketPeer Peer => peer;

        /// <summary>Waits for the next message. Null: the connection was closed, and all messages have been taken. Throws
        /// if it ended in another way, after the last message.</summary>
        public Task<WebSocketReceived> ReceiveAsync(CancellationToken cancel = default(CancellationToken)) =>
            Start(new Call(Kind.Receive), cancel);

        /// <summary>For `await foreach`: the messages, until the connection is closed. A loop that ends early leaves the
        /// others to the next one.</summary>
        public IAsyncEnumerator<WebSocketReceived> GetAsyncEnumerator(
            CancellationToken cancel = default(CancellationToken)) => new Messages(this, cancel);

        /// <summary>Queues a message; waits while the queue is full. Messages leave in the order of the calls. `data` must
        /// not change until it is done.</summary>
        public Task SendAsync(ReadOnlyMemory<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary,
            CancellationToken cancel = default(CancellationToken)) => Start(new Call(Kind.Send, data, type), cancel);

        /// <summary>Queues a message.</summary>
        public Task SendAsync(byte[] data, WebSocketMessageType type = WebSocketMessageType.Binary,
            CancellationToken cancel = default(CancellationToken)) =>
            SendAsync(new ReadOnlyMemory<byte>(data ?? throw new ArgumentNullException(nameof(data))), type, cancel);

        /// <summary>Queues a text message.</summary>
        public Task SendTextAsync(string text, CancellationToken cancel = default(CancellationToken)) =>
            SendAsync(Encoding.UTF8.GetBytes(text ?? throw new ArgumentNullException(nameof(text))),
                WebSocketMessageType.Text, cancel);

        /// <summary>Closes, and waits until the queued messages are sent and the peer has answered, or CloseTimeoutMs is
        /// over. Messages from before can still be received. If it is cancelled, only the wait ends. Code and reason as
        /// for WebSocketPeer.Close.</summary>
        public Task CloseAsync(int code = 0, string reason = null,
            CancellationToken cancel = default(CancellationToken))
        {
            if (cancel.IsCancellationRequested) return Task.FromCanceled(cancel);
            if (reason != null && reason.IndexOf('\0') >= 0)
                return Task.FromException(new ArgumentException("the reason has a NUL: leave it out", nameof(reason)));
            lock (gate)
            {
                if (freed == null)
                {
                    WebSocketResult result = peer.Close(code, reason);
                    if (result.IsFailure()) return Task.FromException(Failed(result));
                }
            }
            return Start(new Call(Kind.Close), cancel);
        }

        /// <summary>For `await using`: CloseAsync, then Dispose. Messages that nobody waits for are dropped.</summary>
        public ValueTask DisposeAsync() => new ValueTask(Leave());

        async Task Leave()
        {
            try
            {
                leaving = true;
                await CloseAsync().ConfigureAwait(framed);
            }
            catch (Exception error) when (error is WebSocketException || error is ObjectDisposedException)
            {
                // It was freed meanwhile.
            }
            Dispose();
        }

        /// <summary>Frees it in any state, without waiting for the peer; calls that wait throw
        /// ObjectDisposedException.</summary>
        public void Dispose()
        {
            List<Call> done;
            lock (gate)
            {
                peer.Dispose();
                freed = freed ?? (() => new ObjectDisposedException(nameof(WebSocketClient)));
                done = Finished();
            }
            Complete(done);
        }

        /// <summary>Polls until the connection has ended. Throws nothing.</summary>
        async void Run()
        {
            bool more;
            while (Turn(out more))
            {
                if (framed || more) await Task.Yield();
                else await Task.Delay(periodMs).ConfigureAwait(false);
            }
        }

        /// <summary>Polls once and completes the calls that can be completed. False: there is nothing more to
        /// poll.</summary>
        bool Turn(out bool more)
        {
            List<Call> done;
            bool open;
            lock (gate)
            {
                WebSocketResult result = peer.Poll();
                more = result == WebSocketResult.More;
                if (result.IsFailure() && freed == null)
                {
                    WebSocketException first = Failed(result);
                    freed = () => first.Again();
                }
                done = Finished();
                open = freed == null && peer.State != WebSocketState.Closed;
            }
            Complete(done);
            return open;
        }

        /// <summary>Completes the call now, or lets it wait for a turn.</summary>
        Task<WebSocketReceived> Start(Call call, CancellationToken cancel)
        {
            if (cancel.IsCancellationRequested) return Task.FromCanceled<WebSocketReceived>(cancel);
            lock (gate)
            {
                LinkedList<Call> before = waiting[(int)call.Kind];
                if (before.Count == 0 && TryFinish(call))
                    return call.Failure == null ? Task.FromResult(call.Message)
                        : Task.FromException<WebSocketReceived>(call.Failure);
                // In Unity the code behind the await runs at once, in this frame. Elsewhere it must not run here: it
                // may block, and then nothing would poll.
                call.Source = new TaskCompletionSource<WebSocketReceived>(
                    framed ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
                call.Place = before.AddLast(call);
            }
            return cancel.CanBeCanceled ? Cancellable(call, cancel) : call.Source.Task;
        }

        async Task<WebSocketReceived> Cancellable(Call call, CancellationToken cancel)
        {
            using (cancel.Register(() => Cancel(call, cancel)))
                return await call.Source.Task.ConfigureAwait(framed);
        }

        void Cancel(Call call, CancellationToken cancel)
        {
            lock (gate)
            {
                // A call that is no longer in the list has its result.
                if (call.Place.List == null) return;
                call.Place.List.Remove(call.Place);
            }
            call.Source.TrySetCanceled(cancel);
        }

        /// <summary>Takes the calls off their lists that have a result now; null if there are none. Their tasks are completed
        /// after `gate` is left, as that may run code of the program.</summary>
        List<Call> Finished()
        {
            List<Call> done = null;
            foreach (LinkedList<Call> calls in waiting)
            {
                while (calls.First != null && TryFinish(calls.First.Value))
                {
                    (done ?? (done = new List<Call>())).Add(calls.First.Value);
                    calls.RemoveFirst();
                }
            }
            return done;
        }

        static void Complete(List<Call> done)
        {
            if (done == null) return;
            foreach (Call call in done)
            {
                if (call.Failure == null) call.Source.SetResult(call.Message);
                else call.Source.SetException(call.Failure);
            }
        }

        /// <summary>Whether the call has its result or failure now.</summary>
        bool TryFinish(Call call)
        {
            try
            {
                return freed != null ? call.Fail(freed()) : TryDo(call);
            }
            catch (Exception error)
            {
                // Freed by WebSocketLibrary.FreeOwner or Shutdown, or no memory for the copy.
                return call.Fail(error);
            }
        }

        bool TryDo(Call call)
        {
            switch (call.Kind)
            {
                case Kind.Open:
                    while (!opened && Take(out _))
                    {
                    }
                    return opened || ended && call.Fail(failure());
                case Kind.Receive:
                    while (Take(out call.Message) && call.Message == null)
                    {
                    }
                    return call.Message != null || ended && (failure == null || call.Fail(failure()));
                case Kind.Send:
                    WebSocketResult result = peer.Send(call.Data.Span, call.Type);
                    return result != WebSocketResult.ErrFull && (!result.IsFailure() || call.Fail(Failed(result)));
                default:
                    while (leaving && Take(out _))
                    {
                    }
                    return peer.State == WebSocketState.Closed;
            }
        }

        /// <summary>Takes the next event. False: there is none now.</summary>
        bool Take(out WebSocketReceived message)
        {
            message = null;
            WebSocketEvent e;
            if (ended || !peer.TryGetEvent(out e)) return false;
            switch (e.Type)
            {
                case WebSocketEventType.Open:
                    opened = true;
                    break;
                case WebSocketEventType.Message:
                    message = new WebSocketReceived(e.Packet);
                    break;
                case WebSocketEventType.Closed:
                    ended = true;
                    if (e.Clean && opened) break;
                    string sentence = e.GetText();
                    WebSocketEnd end = e.End;
                    failure = () => new WebSocketException(WebSocketResult.ErrState, sentence, end);
                    break;
            }
            return true;
        }

        /// <summary>The exception for a call that this thread has just made; with how the connection ended, if it
        /// has.</summary>
        WebSocketException Failed(WebSocketResult result)
        {
            string sentence = result + ": " + WebSocketLibrary.LastError;
            WebSocketEnd end = default(WebSocketEnd);
            if (result == WebSocketResult.ErrState && peer.Connection.TryGetEnd(out end) && !end.Clean)
                sentence += ": " + peer.Error;
            return new WebSocketException(result, sentence, end);
        }

        enum Kind { Open, Receive, Send, Close }

        /// <summary>A call of a program that may have to wait.</summary>
        sealed class Call
        {
            internal readonly Kind Kind;
            internal readonly ReadOnlyMemory<byte> Data;
            internal readonly WebSocketMessageType Type;
            internal WebSocketReceived Message;
            internal Exception Failure;

            /// <summary>Where it waits; null, like Source, if it had not to wait.</summary>
            internal LinkedListNode<Call> Place;
            internal TaskCompletionSource<WebSocketReceived> Source;

            internal Call(Kind kind, ReadOnlyMemory<byte> data = default(ReadOnlyMemory<byte>),
                WebSocketMessageType type = WebSocketMessageType.Binary)
            {
                Kind = kind;
                Data = data;
                Type = type;
            }

            internal bool Fail(Exception with)
            {
                Failure = with;
                return true;
            }
        }

        sealed class Messages : IAsyncEnumerator<WebSocketReceived>
        {
            readonly WebSocketClient client;
            readonly CancellationToken cancel;

            internal Messages(WebSocketClient client, CancellationToken cancel)
            {
                this.client = client;
                this.cancel = cancel;
            }

            public WebSocketReceived Current { get; private set; }

            // Mono's compiler knows only Task as the result of an async method.
            public ValueTask<bool> MoveNextAsync() => new ValueTask<bool>(MoveNext());

            async Task<bool> MoveNext()
            {
                Current = await client.ReceiveAsync(cancel).ConfigureAwait(client.framed);
                return Current != null;
            }

            public ValueTask DisposeAsync() => default(ValueTask);
        }
    }
}
