// wspeer in the browser: the client side of the application heartbeat (docs/control-channel.md). The client asks for it in
// the URL and sends pings; the server announces support and answers. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_HEARTBEAT: {
    OF_HOST: 0,
    MESSAGE: 1,
    NOT_OFFERED: 2,
    state: function () {
      return { marker: null, deadline: Infinity, number: 0, asked: -1, pinged: 0, receivedAt: 0, polled: 0 };
    },
    askIn: function (href) { return href + (href.indexOf('?') < 0 ? '?' : '&') + 'wspeer=1'; },
    begin: function (peer) {
      var now = WSPEER.now();
      peer.heartbeat.pinged = peer.heartbeat.receivedAt = peer.heartbeat.polled = now;
      if (peer.timeout !== WSPEER.OFF) peer.heartbeat.deadline = now + peer.timeout;
    },
    begins: function (bytes, start) { return start.every(function (byte, i) { return bytes[i] === byte; }); },
    // Reads an announcement: marker, grants, and whether it is one.
    announced: function (bytes) {
      var start = Array.prototype.slice.call(WSPEER.encode('wspeer-control')).concat([1]), length = bytes[15];
      if (bytes.length < 34 || length < 18 || length > 49 || bytes.length < 16 + length ||
          !WSPEER_HEARTBEAT.begins(bytes, start) || !/^[A-Za-z0-9._-]+$/.test(WSPEER_HEARTBEAT.node(bytes)))
        return null;
      return { marker: Array.prototype.slice.call(bytes, 16, 32), grants: bytes[32] };
    },
    node: function (bytes) { return String.fromCharCode.apply(null, bytes.subarray(33, 16 + bytes[15])); },
    // Classifies a received message: MESSAGE is a heartbeat, OF_HOST belongs to the program, and NOT_OFFERED means that
    // the server did not announce heartbeats.
    watch: function (peer, text, bytes) {
      var heartbeat = peer.heartbeat, announced;
      heartbeat.receivedAt = WSPEER.now();
      if (!heartbeat.marker) {
        announced = text ? null : WSPEER_HEARTBEAT.announced(bytes);
        if (!announced) return WSPEER_HEARTBEAT.NOT_OFFERED;
        heartbeat.marker = announced.marker;
        // This build asks for no session.
        if (announced.grants & 2) peer.socket.send(new Uint8Array(heartbeat.marker.concat([3])));
        if (!(announced.grants & 1)) WSPEER_HEARTBEAT.giveUp(peer);
        return WSPEER_HEARTBEAT.MESSAGE;
      }
      if (text || bytes.length < 17 || !WSPEER_HEARTBEAT.begins(bytes, heartbeat.marker))
        return WSPEER_HEARTBEAT.OF_HOST;
      if (bytes.length === 21 && heartbeat.asked >= 0 &&
          WSPEER_HEARTBEAT.begins(bytes, WSPEER_HEARTBEAT.encode(heartbeat, 2))) {
        peer.rttUs = Math.max(1, Math.round((heartbeat.receivedAt - heartbeat.asked) * 1000));
        heartbeat.asked = -1;
      }
      return WSPEER_HEARTBEAT.MESSAGE;
    },
    encode: function (heartbeat, kind) {
      var number = heartbeat.number;
      return heartbeat.marker.concat([kind, number >>> 24, number >>> 16 & 255, number >>> 8 & 255, number & 255]);
    },
    pongTimeout: function (peer) {
      var interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS];
      return peer.options[WSPEER_C.OPT_PONG_TIMEOUT_MS] ||
        (interval === WSPEER.OFF ? WSPEER.OFF : Math.min(interval * 3, WSPEER.OFF));
    },
    // Sends pings and detects a lost link, with the native library's rules. After a gap in polling (a page in the
    // background) all deadlines are moved by the gap.
    check: function (peer) {
      var heartbeat = peer.heartbeat, now = WSPEER.now(), gap = now - heartbeat.polled,
        interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS], timeout = WSPEER_HEARTBEAT.pongTimeout(peer);
      heartbeat.polled = now;
      if (gap > 1000) {
        heartbeat.receivedAt += gap;
        heartbeat.pinged += gap;
        heartbeat.deadline += gap;
        if (heartbeat.asked >= 0) heartbeat.asked += gap;
      }
      if (!heartbeat.marker) return now < heartbeat.deadline ? undefined : WSPEER_HEARTBEAT.giveUp(peer);
      if (!interval || interval === WSPEER.OFF) return undefined;
      if (now >= heartbeat.pinged + interval) {
        heartbeat.pinged = now;
        if (heartbeat.asked < 0 && peer.socket.readyState === 1) {
          heartbeat.number = (heartbeat.number + 1) >>> 0;
          heartbeat.asked = now;
          peer.socket.send(new Uint8Array(WSPEER_HEARTBEAT.encode(heartbeat, 1)));
        }
      }
      if (timeout === WSPEER.OFF || heartbeat.asked < 0) return undefined;
      timeout = Math.max(timeout, interval);
      if (now < Math.max(heartbeat.receivedAt + timeout,
        heartbeat.asked + Math.max(timeout - interval, Math.min(interval, 1000)))) return undefined;
      WSPEER_CONN.closeSocket(peer, 0, '');
      return WSPEER_CONN.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PONG_TIMEOUT,
        words: 'the peer was silent for ' + Math.round(now - heartbeat.receivedAt) +
          ' ms and answered no ping: the link is cut, or raise ' + WSPEER.named('pong_timeout_ms')
      });
    },
    giveUp: function (peer) {
      peer.heartbeat = null;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
        phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_NO_HEARTBEAT,
        words: 'the server offers no application heartbeat: it is another than wspeer or has ' +
          'no ' + WSPEER.named('WS_APP_HEARTBEAT') + '; there is no round-trip time, and a dead link shows late'
      });
    }
  }
});
