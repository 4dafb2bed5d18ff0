using System;

namespace Wspeer
{
    /// <summary>A failure of the library: its result, and as the message the sentence that says what to do.</summary>
    public sealed class WebSocketException : Exception
    {
        /// <summary>What the call gave back.</summary>
        public WebSocketResult Result { get; }

        internal WebSocketException(WebSocketResult result, string sentence, Exception inner = null) : base(sentence, inner)
        {
            Result = result;
        }
    }

    /// <summary>Results as exceptions, for who likes those.</summary>
    public static class WebSocketResults
    {
        /// <summary>Whether the call failed. Partial and More are successes.</summary>
        public static bool IsFailure(this WebSocketResult result) => result < 0;

        /// <summary>Throws when the call failed. Ask right after the call and on its thread: the sentence is that of the thread's last failure.</summary>
        public static WebSocketResult ThrowIfFailed(this WebSocketResult result)
        {
            if (result < 0) throw new WebSocketException(result, result + ": " + WebSocketLibrary.LastError);
            return result;
        }
    }
}
