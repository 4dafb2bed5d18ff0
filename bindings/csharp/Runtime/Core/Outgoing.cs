using System;
using System.Text;

namespace Wspeer
{
    /// <summary>Converts outgoing texts to bytes.</summary>
    internal static class Outgoing
    {
        const int Kept = 64 * 1024;

        [ThreadStatic] static byte[] buffer;

        /// <summary>A text as UTF-8, in a buffer of this thread that the next call reuses. Only long texts cost an
        /// allocation.</summary>
        internal static ReadOnlySpan<byte> Utf8(string text)
        {
            if (text == null) throw new ArgumentNullException(nameof(text));
            int most = Encoding.UTF8.GetMaxByteCount(text.Length);
            byte[] into = buffer;
            if (into == null || into.Length < most)
            {
                into = new byte[Math.Max(most, 1024)];
                if (most <= Kept) buffer = into;
            }
            return new ReadOnlySpan<byte>(into, 0, Encoding.UTF8.GetBytes(text, 0, text.Length, into, 0));
        }
    }
}
