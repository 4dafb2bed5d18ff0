using System;
using UnityEngine;

namespace Wspeer.Unity
{
    /// <summary>A WebSocket client as a component: it polls and raises C# events in Update, on the main thread, and
    /// sends the queued messages in LateUpdate.</summary>
    [AddComponentMenu("Network/WebSocket Client (wspeer)")]
    [DefaultExecutionOrder(-1000)]
    public class WebSocketClientBehaviour : MonoBehaviour
    {
        /// <summary>Receives a message. It is lent during the call: copy what you keep, with ToArray or
        /// GetText.</summary>
        public delegate void MessageHandler(WebSocketPacket message);

        [SerializeField] string url = "ws://localhost:9080";
        [SerializeField] bool connectOnStart = true;
        [SerializeField] WebSocketConfig config = new WebSocketConfig();

        WebSocketPeer peer;

        /// <summary>The connection is open; with WebSocketFlags.Reconnect also after each Lost.</summary>
        public event Action Opened;

        /// <summary>A message has arrived, text or binary.</summary>
        public event MessageHandler MessageReceived;

        /// <summary>A text message has arrived, as a new string.</summary>
        public event Action<string> TextReceived;

        /// <summary>The outbound queue refused a message earlier and has room again.</summary>
        public event Action Writable;

        /// <summary>With WebSocketFlags.Reconnect or SessionMs: the link was lost, and another is opened. Opened, with a
        /// session Resumed, or Closed follows. Peer.Connection.SetUrl may be called from here.</summary>
        public event Action<WebSocketClosing> Lost;

        /// <summary>With SessionMs: another link continues the session, and no message was lost, doubled or
        /// reordered. Messages may be sent between Lost and Resumed.</summary>
        public event Action Resumed;

        /// <summary>The connection has ended, or could not be opened. Connect may be called from here.</summary>
        public event Action<WebSocketClosing> Closed;

        /// <summary>The URL that Connect opens.</summary>
        public string Url
        {
            get => url;
            set => url = value;
        }

        /// <summary>The config that Connect uses; null means defaults.</summary>
        public WebSocketConfig Config
        {
            get => config;
            set => config = value;
        }

        /// <summary>Whether Start calls Connect.</summary>
        public bool ConnectOnStart
        {
            get => connectOnStart;
            set => connectOnStart = value;
        }

        /// <summary>The state; Closed before Connect and after the end.</summary>
        public WebSocketState State => peer == null ? WebSocketState.Closed : peer.State;

        /// <summary>The underlying connection; null when there is none.</summary>
        public WebSocketPeer Peer => peer;

        /// <summary>Connects to Url; drops an older connection. A URL or config that cannot be used raises Closed at
        /// once.</summary>
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

        /// <summary>Queues a message; it is sent at the end of the frame. ErrState: no open connection. ErrFull: not
        /// accepted; send it again after Writable.</summary>
        public WebSocketResult Send(ReadOnlySpan<byte> data, WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return peer == null ? WebSocketResult.ErrState : peer.Send(data, type);
        }

        /// <summary>Queues a binary message.</summary>
        public WebSocketResult Send(byte[] data) =>
            Send(new ReadOnlySpan<byte>(data ?? throw new ArgumentNullException(nameof(data))));

        /// <summary>Queues a text message.</summary>
        public WebSocketResult SendText(string text)
        {
            if (text == null) throw new ArgumentNullException(nameof(text));
            return peer == null ? WebSocketResult.ErrState : peer.SendText(text);
        }

        /// <summary>Queues a message that takes the place of the one with this key that has not left: for the position of
        /// an object and the like, each frame. Of those of one frame only the last leaves.</summary>
        public WebSocketResult SendLatest(uint key, ReadOnlySpan<byte> data,
            WebSocketMessageType type = WebSocketMessageType.Binary)
        {
            return peer == null ? WebSocketResult.ErrState : peer.SendLatest(key, data, type);
        }

        /// <summary>Starts the closing handshake; Closed reports the end.</summary>
        public WebSocketResult Close(int code = 1000, string reason = null) =>
            peer == null ? WebSocketResult.ErrState : peer.Close(code, reason);

        /// <summary>Called by Unity: connects if ConnectOnStart is set.</summary>
        protected virtual void Start()
        {
            if (connectOnStart && peer == null) Connect();
        }

        /// <summary>Called by Unity: polls and raises all events.</summary>
        protected virtual void Update()
        {
            WebSocketPeer now = peer;
            if (now == null) return;
            now.Poll();
            try
            {
                // A handler may close, drop or replace the connection: then the remaining events are discarded.
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

        /// <summary>Called by Unity: sends the messages of this frame in one write.</summary>
        protected virtual void LateUpdate() => peer?.Flush();

        /// <summary>Called by Unity when the app is suspended or shown again: tells the connection.</summary>
        protected virtual void OnApplicationPause(bool paused) =>
            peer?.Connection.Hint(paused ? WebSocketHint.Suspend : WebSocketHint.Resume);

        /// <summary>Called by Unity: closes the connection.</summary>
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
                    case WebSocketEventType.Lost:
                        Lost?.Invoke(new WebSocketClosing(e.GetText(),
                            peer.Connection.GetText(WebSocketText.CloseReason), e.End));
                        break;
                    case WebSocketEventType.Resumed:
                        Resumed?.Invoke();
                        break;
                    case WebSocketEventType.Closed:
                        peer.Connection.TryGetEnd(out WebSocketEnd end);
                        var closing = new WebSocketClosing(e.GetText(),
                            peer.Connection.GetText(WebSocketText.CloseReason), end);
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
