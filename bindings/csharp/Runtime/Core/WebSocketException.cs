using System;

namespace Wspeer
{
    /// <summary>A failed call, or a connection that failed: in Message what was wrong and what to do about it.</summary>
    public sealed class WebSocketException : Exception
    {
        /// <summary>The result of the call; ErrState if the connection could not be opened or has ended.</summary>
        public WebSocketResult Result { get; }

        /// <summary>From WebSocketClient: how the connection ended, with phase and cause. All 0 if it has not.</summary>
        public WebSocketEnd End { get; }

        internal WebSocketException(WebSocketResult result, string sentence, WebSocketEnd end) : base(sentence)
        {
            Result = result;
            End = end;
        }

        internal WebSocketException(WebSocketResult result, string sentence, Exception inner = null) : base(sentence,
            inner)
        {
            Result = result;
        }

        /// <summary>The same for another throw.</summary>
        internal WebSocketException Again() => new WebSocketException(Result, Message, End);
    }

    /// <summary>Turns results into exceptions.</summary>
    public static class WebSocketResults
    {
        /// <summary>Whether the call failed. Partial and More are successes.</summary>
        public static bool IsFailure(this WebSocketResult result) => result < 0;

        /// <summary>Throws if the call failed. Use it right after the call, on the same thread: the message is that of
        /// the thread's last failure.</summary>
        public static WebSocketResult ThrowIfFailed(this WebSocketResult result)
        {
            if (result < 0) throw new WebSocketException(result, result + ": " + WebSocketLibrary.LastError);
            return result;
        }
    }
}
