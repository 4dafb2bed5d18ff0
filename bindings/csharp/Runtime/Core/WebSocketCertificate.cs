using System;
using System.Text;

namespace Wspeer
{
    /// <summary>A self-signed certificate, for development and games on a local network.</summary>
    public sealed unsafe class WebSocketCertificate
    {
        WebSocketCertificate(string certPem, string keyPem, string sha256)
        {
            CertPem = certPem;
            KeyPem = keyPem;
            Sha256 = sha256;
        }

        /// <summary>The certificate, for WebSocketConfig.CertPem and CaPem.</summary>
        public string CertPem { get; }

        /// <summary>Its key, for WebSocketConfig.KeyPem. Keep it secret.</summary>
        public string KeyPem { get; }

        /// <summary>SHA-256 of the certificate, for WebSocketConfig.PinSha256.</summary>
        public string Sha256 { get; }

        /// <summary>Makes one with a new key. `names` are DNS names and IP addresses, separated by commas: "localhost,
        /// 127.0.0.1". It is valid from a day before now for `days`, 1 to 36500. Throws WebSocketException for an
        /// impossible name or validity.</summary>
        public static WebSocketCertificate Make(string names, int days = 365)
        {
            if (names == null) throw new ArgumentNullException(nameof(names));
            WebSocketLibrary.Ready();
            // Any certificate fits.
            byte[] cert = new byte[65536], key = new byte[4096], sha256 = new byte[65];
            fixed (byte* n = NativeTexts.Terminated(names, nameof(names)), c = cert, k = key, s = sha256)
                ((WebSocketResult)Native.ws_make_certificate(n, days < 0 ? 0 : (uint)days, c, (UIntPtr)cert.Length, k,
                    (UIntPtr)key.Length, s, (UIntPtr)sha256.Length)).ThrowIfFailed();
            return new WebSocketCertificate(Text(cert), Text(key), Text(sha256));
        }

        internal static WebSocketResult Set(uint server, string certPem, string keyPem)
        {
            fixed (byte* cert = NativeTexts.Terminated(certPem, nameof(certPem)),
                key = NativeTexts.Terminated(keyPem, nameof(keyPem)))
                return (WebSocketResult)Native.ws_set_certificate(server, cert, key);
        }

        static string Text(byte[] terminated) =>
            Encoding.UTF8.GetString(terminated, 0, Array.IndexOf(terminated, (byte)0));
    }
}
