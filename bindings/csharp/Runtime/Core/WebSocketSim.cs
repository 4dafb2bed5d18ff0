using System;

namespace Wspeer
{
    public unsafe partial struct WebSocketSim
    {
        /// <summary>The figures of a preset, for WebSocketConnection.SetSim; change what you like.</summary>
        public static WebSocketSim Preset(WebSocketSimPreset preset = WebSocketSimPreset.None)
        {
            WebSocketLibrary.Ready();
            WebSocketSim sim;
            ((WebSocketResult)Native.ws_sim_init(&sim, (UIntPtr)sizeof(WebSocketSim), (int)preset)).ThrowIfFailed();
            return sim;
        }
    }
}
