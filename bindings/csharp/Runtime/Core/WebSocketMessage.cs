using System;

namespace Wspeer
{
    /// <summary>A message for SendMany: a part of the bytes that are passed with it, its type, and who gets it.</summary>
    public readonly struct WebSocketMessage
    {
        /// <summary>A message for the receivers of Send: the peer, or all clients of a server.</summary>
        public WebSocketMessage(int start, int length, WebSocketMessageType type = WebSocketMessageType.Binary) : this(start, length, type, 0)
        {
        }

        /// <summary>A message for one client of a server.</summary>
        public WebSocketMessage(int start, int length, WebSocketMessageType type, WebSocketConnection client)
            : this(start, length, type, client.Handle == 0 ? int.MaxValue : (int)client.Handle)
        {
        }

        /// <summary>Multiplayer: a message for a target: above 0 one peer, below 0 everyone but that peer, 0 as
        /// Send.</summary>
        public WebSocketMessage(int start, int length, WebSocketMessageType type, int target)
        {
            if (start < 0) throw new ArgumentOutOfRangeException(nameof(start));
            if (length < 0) throw new ArgumentOutOfRangeException(nameof(length));
            Start = start;
            Length = length;
            Type = type;
            Target = target;
        }

        /// <summary>Index of the first byte.</summary>
        public int Start { get; }

        /// <summary>Number of bytes.</summary>
        public int Length { get; }

        /// <summary>Binary or Text.</summary>
        public WebSocketMessageType Type { get; }

        /// <summary>The target, or 0 for the receivers of Send.</summary>
        public int Target { get; }
    }
}
