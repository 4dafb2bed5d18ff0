// wspeer in the browser: the client side of the application heartbeat (docs/heartbeat.md). The client asks for it in
// the URL and sends pings; the server announces support and answers. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_PULSE: {
    OF_HOST: 0,
    BEAT: 1,
    NOT_OFFERED: 2,
    pulse: function () {
      return { marker: null, deadline: Infinity, number: 0, asked: -1, pinged: 0, heard: 0, polled: 0 };
    },
    askIn: function (href) { return href + (href.indexOf('?') < 0 ? '?' : '&') + 'wspeer-heartbeat=1'; },
    beginPulse: function (peer) {
      var now = WSPEER.now();
      peer.pulse.pinged = peer.pulse.heard = peer.pulse.polled = now;
      if (peer.timeout !== WSPEER.OFF) peer.pulse.deadline = now + peer.timeout;
    },
    begins: function (bytes, start) { return start.every(function (byte, i) { return bytes[i] === byte; }); },
    // Classifies a received message: BEAT is a heartbeat, OF_HOST belongs to the program, and NOT_OFFERED means that
    // the server did not announce heartbeats.
    watch: function (peer, text, bytes) {
      var pulse = peer.pulse, announcement;
      pulse.heard = WSPEER.now();
      if (!pulse.marker) {
        announcement = Array.prototype.slice.call(WSPEER.encode('wspeer-heartbeat'));
        if (text || bytes.length !== 32 || !WSPEER_PULSE.begins(bytes, announcement)) return WSPEER_PULSE.NOT_OFFERED;
        pulse.marker = Array.prototype.slice.call(bytes, 16);
        return WSPEER_PULSE.BEAT;
      }
      if (text || bytes.length < 17 || !WSPEER_PULSE.begins(bytes, pulse.marker)) return WSPEER_PULSE.OF_HOST;
      if (bytes.length === 21 && pulse.asked >= 0 && WSPEER_PULSE.begins(bytes, WSPEER_PULSE.beat(pulse, 2))) {
        peer.rttUs = Math.max(1, Math.round((pulse.heard - pulse.asked) * 1000));
        pulse.asked = -1;
      }
      return WSPEER_PULSE.BEAT;
    },
    beat: function (pulse, kind) {
      var number = pulse.number;
      return pulse.marker.concat([kind, number >>> 24, number >>> 16 & 255, number >>> 8 & 255, number & 255]);
    },
    pongTimeout: function (peer) {
      var interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS];
      return peer.options[WSPEER_C.OPT_PONG_TIMEOUT_MS] ||
        (interval === WSPEER.OFF ? WSPEER.OFF : Math.min(interval * 3, WSPEER.OFF));
    },
    // Sends pings and detects a lost link, with the native library's rules. After a gap in polling (a page in the
    // background) all deadlines are moved by the gap.
    judgePulse: function (peer) {
      var pulse = peer.pulse, now = WSPEER.now(), gap = now - pulse.polled,
        interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS], timeout = WSPEER_PULSE.pongTimeout(peer);
      pulse.polled = now;
      if (gap > 1000) {
        pulse.heard += gap;
        pulse.pinged += gap;
        pulse.deadline += gap;
        if (pulse.asked >= 0) pulse.asked += gap;
      }
      if (!pulse.marker) return now < pulse.deadline ? undefined : WSPEER_PULSE.losePulse(peer);
      if (!interval || interval === WSPEER.OFF) return undefined;
      if (now >= pulse.pinged + interval) {
        pulse.pinged = now;
        if (pulse.asked < 0 && peer.socket.readyState === 1) {
          pulse.number = (pulse.number + 1) >>> 0;
          pulse.asked = now;
          peer.socket.send(new Uint8Array(WSPEER_PULSE.beat(pulse, 1)));
        }
      }
      if (timeout === WSPEER.OFF || pulse.asked < 0) return undefined;
      timeout = Math.max(timeout, interval);
      if (now < Math.max(pulse.heard + timeout, pulse.asked + Math.max(timeout - interval, Math.min(interval, 1000))))
        return undefined;
      WSPEER_CONN.closeSocket(peer, 0, '');
      return WSPEER_CONN.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PONG_TIMEOUT,
        words: 'the peer was silent for ' + Math.round(now - pulse.heard) +
          ' ms and answered no ping: the link is cut, or raise ' + WSPEER.named('pong_timeout_ms')
      });
    },
    losePulse: function (peer) {
      peer.pulse = null;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
        phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_NO_HEARTBEAT,
        words: 'the server offers no application heartbeat: it is another than wspeer or has ' +
          'no ' + WSPEER.named('WS_APP_HEARTBEAT') + '; there is no round-trip time, and a dead link shows late'
      });
    }
  }
});
