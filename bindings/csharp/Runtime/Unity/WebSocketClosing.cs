namespace Wspeer.Unity
{
    /// <summary>Why and how a connection ended, or a link was lost.</summary>
    public readonly struct WebSocketClosing
    {
        /// <summary>What happened and what to do about it.</summary>
        public readonly string Message;

        /// <summary>The reason in the close frame that started the close.</summary>
        public readonly string Reason;

        /// <summary>Code, cause and the other details. All 0 when there was no connection: it was never opened, or was
        /// freed elsewhere.</summary>
        public readonly WebSocketEnd End;

        /// <summary>The close code; 1005: a close frame without one; 1006: no close frame; 0: no connection.</summary>
        public int Code => End.Code;

        /// <summary>Whether the closing handshake was completed.</summary>
        public bool Clean => End.Clean;

        internal WebSocketClosing(string message, string reason, WebSocketEnd end)
        {
            Message = message;
            Reason = reason;
            End = end;
        }
    }
}
