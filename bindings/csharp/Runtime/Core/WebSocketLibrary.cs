using System;

namespace Wspeer
{
    /// <summary>The native library as a whole.</summary>
    public static unsafe class WebSocketLibrary
    {
        static volatile bool ready;

        /// <summary>The owner of everything that is opened with a config whose Owner is 0. It is drawn each time this
        /// assembly is loaded, so it differs from that of other users of the native library in the process and of an
        /// earlier or later domain.</summary>
        public static uint Owner { get; } = (uint)Guid.NewGuid().GetHashCode() | 1;

        /// <summary>Version of the native library: major * 10000 + minor * 100 + patch.</summary>
        public static int Version => (int)Native.ws_version();

        /// <summary>What this build and platform can do.</summary>
        public static WebSocketFeatures Features => (WebSocketFeatures)Native.ws_get_features();

        /// <summary>The error text of this thread's last failed call: what was wrong and what to do. "" before any.
        /// Decide by the result, not by the text, which may change.</summary>
        public static string LastError => NativeTexts.Copied(NativeTexts.Source.LastError) ?? "";

        /// <summary>Frees everything that this assembly opened, for a host that reloads it; lent views end. If nothing
        /// was opened, the native library is not loaded.</summary>
        public static void FreeOwned()
        {
            if (ready) FreeOwner(Owner);
        }

        /// <summary>Frees everything that was opened with this WebSocketConfig.Owner; lent views end. 0 frees
        /// nothing.</summary>
        public static void FreeOwner(uint owner)
        {
            Native.ws_free_owner(owner);
            Inbox.Frees++;
        }

        /// <summary>Frees everything in the process, also of other users of the native library, and asks its threads to
        /// end.</summary>
        public static void Shutdown()
        {
            Native.ws_shutdown();
            Inbox.Frees++;
        }

        /// <summary>Waits until one of the endpoints has something to poll or to read, for programs without frames. -1:
        /// no time limit; 0: only checks. Ok: poll now. Empty: the time is over. Null and disposed endpoints are
        /// skipped.</summary>
        public static WebSocketResult Wait(int timeoutMs, params WebSocketEndpoint[] endpoints)
        {
            if (endpoints == null) throw new ArgumentNullException(nameof(endpoints));
            uint[] handles = new uint[endpoints.Length];
            for (int i = 0; i < handles.Length; i++)
                handles[i] = endpoints[i] == null ? 0 : endpoints[i].Connection.Handle;
            fixed (uint* h = handles) return (WebSocketResult)Native.ws_wait(h, (UIntPtr)handles.Length, timeoutMs);
        }

        /// <summary>Sets which log lines are kept from now on.</summary>
        public static WebSocketResult SetLogLevel(WebSocketLogLevel level) =>
            (WebSocketResult)Native.ws_set_log_level((int)level);

        /// <summary>Takes the next log line, "level: text". The library itself prints nothing.</summary>
        public static bool TryGetLog(out string line)
        {
            line = NativeTexts.Copied(NativeTexts.Source.Log);
            return line != null;
        }

        /// <summary>Runs before anything is opened: checks that the native library is found and fits this
        /// assembly.</summary>
        internal static void Ready()
        {
            if (ready) return;
            uint abi;
            bool fits;
            try
            {
                abi = Native.ws_abi_version();
                fits = abi == Native.AbiVersion && Size(WebSocketStruct.Packet) == sizeof(NativePacket)
                    && Size(WebSocketStruct.Event) == sizeof(NativeEvent)
                    && Size(WebSocketStruct.Config) >= sizeof(NativeConfig)
                        && Size(WebSocketStruct.Stats) >= sizeof(WebSocketStats);
            }
            catch (DllNotFoundException error)
            {
                throw new DllNotFoundException(
                    "the native library of wspeer was not found: put libwspeer.so, libwspeer.dylib or wspeer.dll beside the program, "
                    + "or below Runtime/Plugins of the package (make unity-package does)", error);
            }
            catch (EntryPointNotFoundException error)
            {
                throw new WebSocketException(WebSocketResult.ErrUnsupported,
                    "the native library is older than this assembly: take both from the same release", error);
            }
            if (!fits)
                throw new WebSocketException(WebSocketResult.ErrUnsupported,
                    "the native library, with version " + abi + " of the binary interface, does not fit this assembly, "
                    + "which was made for " + Native.AbiVersion + ": take both from the same release");
            // When a domain is unloaded, as Unity's editor does, its connections are freed.
            AppDomain.CurrentDomain.DomainUnload += (sender, args) => FreeOwned();
            ready = true;
        }

        static int Size(WebSocketStruct which) => (int)Native.ws_struct_size((int)which);
    }
}
