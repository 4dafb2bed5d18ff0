using System.Text;

namespace Wspeer
{
    /// <summary>A message that WebSocketClient has received. It is a copy, and may be kept.</summary>
    public sealed class WebSocketReceived
    {
        internal WebSocketReceived(WebSocketPacket packet)
        {
            Data = packet.ToArray();
            Type = packet.Type;
        }

        /// <summary>The bytes.</summary>
        public byte[] Data { get; }

        /// <summary>Text or Binary.</summary>
        public WebSocketMessageType Type { get; }

        /// <summary>Whether it is a text message.</summary>
        public bool IsText => Type == WebSocketMessageType.Text;

        /// <summary>The bytes as a new string.</summary>
        public string GetText() => Encoding.UTF8.GetString(Data);
    }
}
