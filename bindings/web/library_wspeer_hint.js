// wspeer in the browser: what the page and its program know of the device and the network (ws_hint). See
// library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_HINT: {
    // Milliseconds in which the server answers the ping of a hint.
    PROBE_MS: 2000,
    // Whether the page's events are watched.
    watches: false,

    take: function (peer, hint) {
      var retry = peer.retry;
      if (peer.state === WSPEER_C.CLOSED) return;
      if (retry) {
        retry.isSuspended = hint === WSPEER_C.HINT_SUSPEND;
        if (!retry.isSuspended) {
          retry.doublings = 0;
          retry.isHurried = true;
          // 0 would mean that none waits.
          if (retry.at) retry.at = 1e-6;
        }
      }
      if (hint === WSPEER_C.HINT_SUSPEND) return;
      WSPEER_HINT.probe(peer);
      if (hint === WSPEER_C.HINT_NETWORK_CHANGED && WSPEER_HINT.mayMove(peer)) WSPEER_HINT.openBeside(peer);
    },
    // Pings the server, which has to answer soon. A page can do that only by the application heartbeat.
    probe: function (peer) {
      var channel = peer.channel;
      if (!channel || !channel.marker || !channel.beats || peer.closing || !WSPEER_CONN.isUp(peer)) return;
      // One that is unanswered goes on.
      if (channel.probed < 0) channel.probed = WSPEER.now();
      WSPEER_CHANNEL.ping(peer);
    },
    mayMove: function (peer) { return WSPEER_SESSION.alive(peer) && WSPEER_CONN.isUp(peer) && !peer.closing; },
    // Opens a second link for a session, in the place of an earlier one, and moves the session to it once it is open.
    openBeside: function (peer) {
      var socket;
      WSPEER_HINT.dropSpare(peer);
      peer.url = peer.retry.url || peer.url;
      try { socket = peer.spare = WSPEER_CONN.socket(peer); } catch (error) { return; }
      socket.onclose = function () { peer.spare = null; };
      socket.onopen = function () {
        if (!WSPEER_HINT.mayMove(peer)) return WSPEER_HINT.dropSpare(peer);
        peer.spare = null;
        WSPEER_CONN.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PEER_GONE,
          words: 'the network has changed, and another link was opened'
        });
        peer.retry.at = peer.retry.status = 0;
        peer.reason = peer.error = '';
        WSPEER_CONN.use(peer, socket);
        WSPEER_CONN.opened(peer);
      };
    },
    dropSpare: function (peer) {
      var socket = peer.spare;
      if (!socket) return;
      peer.spare = socket.onopen = socket.onclose = null;
      try { socket.close(); } catch (error) { /* It has ended. */ }
    },
    forEach: function (body) { Object.keys(WSPEER.peers).forEach(function (h) { body(WSPEER.peers[h]); }); },
    all: function (hint) { WSPEER_HINT.forEach(function (peer) { WSPEER_HINT.take(peer, hint); }); },
    // The page's own hints. A hidden page may go on, so only one that is offline begins no try; servers on this device
    // are reached without a network. A page that goes for good ends its sessions, so that nobody waits for it; one that
    // the browser keeps may come back.
    watch: function () {
      function resume() { WSPEER_HINT.all(WSPEER_C.HINT_RESUME); }
      if (WSPEER_HINT.watches || typeof addEventListener !== 'function') return;
      WSPEER_HINT.watches = true;
      addEventListener('online', resume);
      addEventListener('offline', function () {
        WSPEER_HINT.forEach(function (peer) {
          if (!WSPEER_CONN.isLocal(peer.url.hostname)) WSPEER_HINT.take(peer, WSPEER_C.HINT_SUSPEND);
        });
      });
      addEventListener('pageshow', function (event) { if (event.persisted) resume(); });
      addEventListener('pagehide', function (event) {
        if (!event.persisted) WSPEER_HINT.forEach(WSPEER_HINT.goAway);
      });
      if (typeof document !== 'object') return;
      document.addEventListener('visibilitychange', function () {
        if (document.visibilityState === 'visible') resume();
      });
    },
    goAway: function (peer) {
      if (!WSPEER_SESSION.alive(peer) || !WSPEER_CONN.isUp(peer) || peer.closing) return;
      WSPEER_SIM.remove(peer);
      WSPEER_SESSION.end(peer);
      WSPEER_CONN.closeSocket(peer, 1001, '');
    }
  }
});
