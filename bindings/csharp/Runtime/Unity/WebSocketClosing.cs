namespace Wspeer.Unity
{
    /// <summary>Why and how a connection ended.</summary>
    public readonly struct WebSocketClosing
    {
        /// <summary>The close code; 1005: a close frame without one; 1006: no close frame.</summary>
        public readonly int Code;

        /// <summary>The reason in the close frame that decided the close.</summary>
        public readonly string Reason;

        /// <summary>What happened and what to do, as a sentence.</summary>
        public readonly string Message;

        /// <summary>Whether the closing handshake was completed.</summary>
        public readonly bool Clean;

        /// <summary>Where it happened.</summary>
        public readonly WebSocketPhase Phase;

        /// <summary>Why.</summary>
        public readonly WebSocketCause Cause;

        /// <summary>The HTTP status of the answer to the opening handshake, or 0.</summary>
        public readonly int HttpStatus;

        /// <summary>How many messages were accepted for sending and never left.</summary>
        public readonly uint Unsent;

        internal WebSocketClosing(WebSocketEvent closed, string reason)
        {
            Code = closed.Code;
            Reason = reason;
            Message = closed.GetText();
            Clean = closed.Clean;
            Phase = closed.Phase;
            Cause = closed.Cause;
            HttpStatus = closed.HttpStatus;
            Unsent = closed.Unsent;
        }

        /// <summary>It ended without an event of the library: it was never opened, or was freed elsewhere.</summary>
        internal WebSocketClosing(string message)
        {
            Code = 1006;
            Reason = "";
            Message = message;
            Clean = false;
            Phase = WebSocketPhase.None;
            Cause = WebSocketCause.None;
            HttpStatus = 0;
            Unsent = 0;
        }
    }
}
