namespace Wspeer
{
    /// <summary>How a connection ended. WebSocketText.Error and CloseReason give the texts.</summary>
    public readonly struct WebSocketEnd
    {
        /// <summary>The close code; 1005: a close frame without one; 1006: no close frame.</summary>
        public readonly int Code;

        /// <summary>Whether the closing handshake was completed.</summary>
        public readonly bool Clean;

        /// <summary>In which phase it ended.</summary>
        public readonly WebSocketPhase Phase;

        /// <summary>The cause.</summary>
        public readonly WebSocketCause Cause;

        /// <summary>The HTTP status of the answer to the opening handshake, or 0.</summary>
        public readonly int HttpStatus;

        /// <summary>The operating system's error number, or 0.</summary>
        public readonly int OsError;

        /// <summary>Number of messages that were accepted for sending and not sent.</summary>
        public readonly uint Unsent;

        internal WebSocketEnd(in NativeEvent native)
        {
            Code = native.Code;
            Clean = native.Clean != 0;
            Phase = (WebSocketPhase)native.Phase;
            Cause = (WebSocketCause)native.Cause;
            HttpStatus = native.HttpStatus;
            OsError = native.OsError;
            Unsent = native.Unsent;
        }
    }
}
