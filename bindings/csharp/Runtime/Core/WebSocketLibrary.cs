using System;

namespace Wspeer
{
    /// <summary>The native library as a whole.</summary>
    public static unsafe class WebSocketLibrary
    {
        static volatile bool ready;

        /// <summary>The owner of whatever is opened with a config whose Owner is 0. Drawn anew each time that this assembly is loaded, so that other users
        /// of the native library in the process, and a domain before or after this one, have another.</summary>
        public static uint Owner { get; } = (uint)Guid.NewGuid().GetHashCode() | 1;

        /// <summary>Version of the native library: major * 10000 + minor * 100 + patch.</summary>
        public static int Version => (int)Native.ws_version();

        /// <summary>What this build and platform can do.</summary>
        public static WebSocketFeatures Features => (WebSocketFeatures)Native.ws_get_features();

        /// <summary>The sentence of this thread's last failed call: what was wrong and what to do. "" before any. Decide by the result; the words may change.</summary>
        public static string LastError => NativeTexts.Copied(NativeTexts.Source.LastError) ?? "";

        /// <summary>Frees all that this assembly opened: for a host that reloads. What is lent ends with it. Where nothing was opened the native library is not even looked for.</summary>
        public static void FreeOwned()
        {
            if (ready) FreeOwner(Owner);
        }

        /// <summary>Frees all that was opened with this WebSocketConfig.Owner. 0 frees nothing. What is lent ends with it.</summary>
        public static void FreeOwner(uint owner)
        {
            Native.ws_free_owner(owner);
            Inbox.Frees++;
        }

        /// <summary>Frees everything in the process, that of other users of the native library too, and asks its threads to end.</summary>
        public static void Shutdown()
        {
            Native.ws_shutdown();
            Inbox.Frees++;
        }

        /// <summary>Waits until one of these has something to poll or to read, for hosts without frames. -1: without end; 0: only a look.
        /// Ok: poll now. Empty: the time is over. Null and disposed ones are passed over.</summary>
        public static WebSocketResult Wait(int timeoutMs, params WebSocketEndpoint[] endpoints)
        {
            if (endpoints == null) throw new ArgumentNullException(nameof(endpoints));
            uint[] handles = new uint[endpoints.Length];
            for (int i = 0; i < handles.Length; i++) handles[i] = endpoints[i] == null ? 0 : endpoints[i].Connection.Handle;
            fixed (uint* h = handles) return (WebSocketResult)Native.ws_wait(h, (UIntPtr)handles.Length, timeoutMs);
        }

        /// <summary>Sets which log lines are kept from now on.</summary>
        public static WebSocketResult SetLogLevel(WebSocketLogLevel level) => (WebSocketResult)Native.ws_set_log_level((int)level);

        /// <summary>Takes the next log line, "level: text". The library itself prints nothing.</summary>
        public static bool TryGetLog(out string line)
        {
            line = NativeTexts.Copied(NativeTexts.Source.Log);
            return line != null;
        }

        /// <summary>Comes before whatever opens: looks whether the native library is there and is the right one.</summary>
        internal static void Ready()
        {
            if (ready) return;
            uint abi;
            bool fits;
            try
            {
                abi = Native.ws_abi_version();
                fits = abi == Native.AbiVersion && Size(WebSocketStruct.Packet) == sizeof(NativePacket) && Size(WebSocketStruct.Event) == sizeof(NativeEvent)
                    && Size(WebSocketStruct.Config) >= sizeof(NativeConfig) && Size(WebSocketStruct.Stats) >= sizeof(WebSocketStats);
            }
            catch (DllNotFoundException error)
            {
                throw new DllNotFoundException("the native library of wspeer was not found: put libwspeer.so, libwspeer.dylib or wspeer.dll beside the program, "
                    + "or below Runtime/Plugins of the package (make unity-package does)", error);
            }
            catch (EntryPointNotFoundException error)
            {
                throw new WebSocketException(WebSocketResult.ErrUnsupported, "the native library is older than this assembly: take both from the same release", error);
            }
            if (!fits)
                throw new WebSocketException(WebSocketResult.ErrUnsupported, "the native library, with version " + abi + " of the binary interface, does not fit this assembly, "
                    + "which was made for " + Native.AbiVersion + ": take both from the same release");
            // A domain that is unloaded, as Unity's editor does, leaves nothing behind.
            AppDomain.CurrentDomain.DomainUnload += (sender, args) => FreeOwned();
            ready = true;
        }

        static int Size(WebSocketStruct which) => (int)Native.ws_struct_size((int)which);
    }
}
