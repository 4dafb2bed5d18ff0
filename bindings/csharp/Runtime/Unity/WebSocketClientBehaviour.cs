using System;
using UnityEngine;

namespace Wspeer.Unity
{
    /// <summary>A WebSocket client as a component: it polls in Update, raises C# events there, on the main thread, and flushes what was sent in LateUpdate.</summary>
    [AddComponentMenu("Network/WebSocket Client (wspeer)")]
    [DefaultExecutionOrder(-1000)]
    public class WebSocketClientBehaviour : MonoBehaviour
    {
        /// <summary>A message has come. It is lent for the time of the call: copy what you keep, by ToArray or GetText.</summary>
        public delegate void MessageHandler(WebSocketPacket message);

        [SerializeField] string url = "ws://localhost:9080";
        [SerializeField] bool connectOnStart = true;
        [SerializeField] WebSocketConfig config = new WebSocketConfig();

        WebSocketPeer peer;

        /// <summary>The connection is open.</summary>
        public event Action Opened;

        /// <summary>A message has come, text or binary.</summary>
        public event MessageHandler MessageReceived;

        /// <summary>A text has come, as a new string.</summary>
        public event Action<string> TextReceived;

        /// <summary>The outbound queue refused a message earlier and has room again.</summary>
        public event Action Writable;

        /// <summary>The connection has ended, or could not be opened. Connect may be called from here.</summary>
        public event Action<WebSocketClosing> Closed;

        /// <summary>Where Connect goes.</summary>
        public string Url
        {
            get => url;
            set => url = value;
        }

        /// <summary>How Connect opens. Null means defaults.</summary>
        public WebSocketConfig Config
        {
            get => config;
            set => config = value;
        }

        /// <summary>Whether Start connects.</summary>
        public bool ConnectOnStart
        {
            get => connectOnStart;
            set => connectOnStart = value;
        }

        /// <summary>Closed before Connect and after the end.</summary>
        public WebSocketState State => peer == null ? WebSocketState.Closed : peer.State;

        /// <summary>The connection with all that it can be asked; null when there is none.</summary>
        public WebSocketPeer Peer => peer;

        /// <summary>Connects to Url; an older connection is dropped. A URL or config that cannot be used raises Closed at once.</summary>
        public void Connect()
        {
            Drop();
            try
            {
                peer = WebSocketPeer.Connect(url, config);
                peer.Connection.SetOption(WebSocketOption.Coalesce, 1);
            }
            catch (Exception error) when (error is WebSocketException || error is ArgumentException)
            {
                Raise(new WebSocketClosing(error.Message, "", default(WebSocketEnd)));
            }
        }

        /// <summary>Connects to another URL.</summary>
        public void Connect(string to)
        {
            url = to;
            Connect();
        }

        /// <summary>Puts a message; it leaves at the end of the frame. ErrState when there is no open connection, ErrFull when it must be put again after Writable.</summary>
        public WebSocketResult Send(ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return peer == null ? WebSocketResult.ErrState : peer.Send(data, type);
        }

        /// <summary>Puts a binary message.</summary>
        public WebSocketResult Send(byte[] data) => Send(new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))));

        /// <summary>Puts a text.</summary>
        public WebSocketResult SendText(string text)
        {
            if (text == null) throw new ArgumentNullException(nameof(text));
            return peer == null ? WebSocketResult.ErrState : peer.SendText(text);
        }

        /// <summary>Starts the closing handshake; Closed tells its end.</summary>
        public WebSocketResult Close(int code = 1000, string reason = null) => peer == null ? WebSocketResult.ErrState : peer.Close(code, reason);

        /// <summary>Unity's.</summary>
        protected virtual void Start()
        {
            if (connectOnStart && peer == null) Connect();
        }

        /// <summary>Unity's: everything is raised from here.</summary>
        protected virtual void Update()
        {
            WebSocketPeer now = peer;
            if (now == null) return;
            now.Poll();
            try
            {
                // A handler may close, drop or replace the connection: then the rest belongs to nobody.
                foreach (WebSocketEvent e in now.Events())
                {
                    Tell(e);
                    if (peer != now) return;
                }
            }
            catch (WebSocketException freed)
            {
                Drop();
                Raise(new WebSocketClosing(freed.Message, "", default(WebSocketEnd)));
            }
        }

        /// <summary>Unity's: what was put in this frame leaves in one write.</summary>
        protected virtual void LateUpdate() => peer?.Flush();

        /// <summary>Unity's: says goodbye.</summary>
        protected virtual void OnDestroy()
        {
            peer?.Close(1001);
            peer?.Flush();
            Drop();
        }

        void Tell(WebSocketEvent e)
        {
            try
            {
                switch (e.Type)
                {
                    case WebSocketEventType.Open:
                        Opened?.Invoke();
                        break;
                    case WebSocketEventType.Message:
                        TellMessage(e.Packet);
                        break;
                    case WebSocketEventType.Writable:
                        Writable?.Invoke();
                        break;
                    case WebSocketEventType.Closed:
                        peer.Connection.TryGetEnd(out WebSocketEnd end);
                        var closing = new WebSocketClosing(e.GetText(), peer.Connection.GetText(WebSocketText.CloseReason), end);
                        Drop();
                        Raise(closing);
                        break;
                }
            }
            catch (Exception error)
            {
                Debug.LogException(error, this);
            }
        }

        void TellMessage(WebSocketPacket message)
        {
            string text = TextReceived != null && message.IsText ? message.GetText() : null;
            MessageReceived?.Invoke(message);
            if (text != null) TextReceived?.Invoke(text);
        }

        void Raise(WebSocketClosing closing)
        {
            try
            {
                Closed?.Invoke(closing);
            }
            catch (Exception error)
            {
                Debug.LogException(error, this);
            }
        }

        void Drop()
        {
            peer?.Dispose();
            peer = null;
        }
    }
}
