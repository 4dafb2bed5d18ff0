using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Wspeer
{
    /// <summary>Strings in the form that the library reads, valid for one call.</summary>
    internal sealed unsafe class NativeTexts : IDisposable
    {
        /// <summary>Room for any valid name of a topic with its NUL.</summary>
        const int LongestTopic = 1024;

        readonly List<IntPtr> blocks = new List<IntPtr>();

        /// <summary>A NUL-terminated UTF-8 text. Null, and "", which Unity serializes null to, give a null
        /// pointer.</summary>
        internal IntPtr Text(string text, string name)
        {
            if (string.IsNullOrEmpty(text)) return IntPtr.Zero;
            byte[] bytes = Terminated(text, name);
            IntPtr block = Take(bytes.Length);
            Marshal.Copy(bytes, 0, block, bytes.Length);
            return block;
        }

        /// <summary>An array of pointers to NUL-terminated texts.</summary>
        internal IntPtr List(string[] texts, string name)
        {
            if (texts == null || texts.Length == 0) return IntPtr.Zero;
            IntPtr list = Take(texts.Length * sizeof(IntPtr));
            for (int i = 0; i < texts.Length; i++)
            {
                if (string.IsNullOrEmpty(texts[i]))
                    throw new ArgumentException(name + "[" + i + "] is empty: give each header as \"Name: value\"",
                        name);
                ((IntPtr*)list)[i] = Text(texts[i], name);
            }
            return list;
        }

        public void Dispose()
        {
            foreach (IntPtr block in blocks) Marshal.FreeHGlobal(block);
            blocks.Clear();
        }

        IntPtr Take(int size)
        {
            IntPtr block = Marshal.AllocHGlobal(size);
            blocks.Add(block);
            return block;
        }

        /// <summary>UTF-8 with a NUL at its end; null for null. Throws if the text contains a NUL, which would cut it
        /// silently.</summary>
        internal static byte[] Terminated(string text, string name)
        {
            if (text == null) return null;
            if (text.IndexOf('\0') >= 0) throw new ArgumentException(name + " has a NUL character in it", name);
            byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
            Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }

        [ThreadStatic] static byte[] topicBuffer;

        /// <summary>The name of a topic with a NUL at its end, in a buffer of this thread that the next call
        /// reuses.</summary>
        internal static byte[] Topic(string topic)
        {
            if (topic == null) throw new ArgumentNullException(nameof(topic));
            if (topic.IndexOf('\0') >= 0) throw new ArgumentException("topic has a NUL character in it", nameof(topic));
            int most = Encoding.UTF8.GetMaxByteCount(topic.Length) + 1;
            // A longer one is no valid name, which the library reports.
            byte[] into = most <= LongestTopic ? topicBuffer ?? (topicBuffer = new byte[LongestTopic]) : new byte[most];
            into[Encoding.UTF8.GetBytes(topic, 0, topic.Length, into, 0)] = 0;
            return into;
        }

        /// <summary>The topics of a client, or of a server or host, sorted.</summary>
        internal static string[] Topics(uint handle)
        {
            string lines = Copied(Source.Topics, handle);
            return lines.Length == 0 ? new string[0] : lines.Split('\n');
        }

        /// <summary>Which text the library is to copy out.</summary>
        internal enum Source { OfConnection, Header, LastError, Log, Topics }

        /// <summary>Copies a text of any length out of the library; null when there is none.</summary>
        internal static string Copied(Source source, uint handle = 0, int what = 0, string header = null,
            uint index = 0)
        {
            byte[] name = Terminated(header, nameof(header));
            byte* first = stackalloc byte[512];
            UIntPtr length;
            int result;
            fixed (byte* n = name)
            {
                result = Copy(source, handle, what, n, index, first, 512, &length);
                if (result == (int)WebSocketResult.Ok) return Encoding.UTF8.GetString(first, (int)length);
                while (result == (int)WebSocketResult.Truncated)
                {
                    byte[] more = new byte[(int)length + 1];
                    fixed (byte* m = more)
                    {
                        result = Copy(source, handle, what, n, index, m, more.Length, &length);
                        if (result == (int)WebSocketResult.Ok) return Encoding.UTF8.GetString(m, (int)length);
                    }
                }
            }
            ((WebSocketResult)result).ThrowIfFailed();
            return null;
        }

        static int Copy(Source source, uint handle, int what, byte* name, uint index, byte* buffer, int capacity,
            UIntPtr* length)
        {
            switch (source)
            {
                case Source.OfConnection: return Native.ws_get_text(handle, what, buffer, (UIntPtr)capacity, length);
                case Source.Header: return Native.ws_get_header(handle, name, index, buffer, (UIntPtr)capacity, length);
                case Source.Log: return Native.ws_get_log(buffer, (UIntPtr)capacity, length);
                case Source.Topics: return Native.ws_get_topics(handle, buffer, (UIntPtr)capacity, length);
                default: return Native.ws_last_error(buffer, (UIntPtr)capacity, length);
            }
        }
    }
}
