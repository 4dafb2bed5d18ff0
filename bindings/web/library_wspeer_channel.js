// wspeer in the browser: the client's side of the control channel (docs/control-channel.md): the question in the URL,
// the announcement, and the application heartbeat. library_wspeer_session.js agrees on sessions over it. See
// library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_CHANNEL: {
    // What a received message is.
    OF_HOST: 0,
    CONTROL: 1,
    NOT_OFFERED: 2,
    // Milliseconds to wait for the announcement when connect_timeout_ms is off.
    LONGEST_WAIT: 10000,

    // The channel of a link. beats: the heartbeat uses it, if the server grants that. greeting: "waiting" for the
    // announcement, or "asked" for a session; "": over, or there is none. handed: payload bytes of all messages that the
    // socket was given. ackEnd: `handed` behind the last acknowledgement. probed: when a hint asked for a
    // ping, -1: none did, or something has arrived since. lacksBeats: the server does not offer the
    // heartbeat, which is still to be reported. without: why there is no session, likewise.
    state: function (peer) {
      var beats = (peer.flags & WSPEER_C.APP_HEARTBEAT) !== 0 || peer.session !== null;
      if (!beats) return null;
      return { marker: null, beats: beats, greeting: peer.session ? 'waiting' : '', deadline: Infinity, number: 0,
        asked: -1, pinged: 0, receivedAt: 0, polled: 0, handed: 0, ackEnd: 0, probed: -1, lacksBeats: false, without: '', node: '' };
    },
    // Appends the question to a URL.
    askIn: function (peer) {
      var href = peer.url.href, session = peer.session;
      return href + (href.indexOf('?') < 0 ? '?' : '&') + 'wspeer=1' +
        (session && session.node ? '-' + session.node : '');
    },
    begin: function (peer) {
      var now = WSPEER.now(), channel = peer.channel;
      channel.pinged = channel.receivedAt = channel.polled = now;
      if (peer.timeout !== WSPEER.OFF) channel.deadline = now + peer.timeout;
      // Until then the connection is not OPEN.
      else if (channel.greeting) channel.deadline = now + WSPEER_CHANNEL.LONGEST_WAIT;
    },
    begins: function (bytes, start) { return start.every(function (byte, i) { return bytes[i] === byte; }); },
    // Reads an announcement: marker, grants and the name of the node; null if it is none.
    announced: function (bytes) {
      var start = Array.prototype.slice.call(WSPEER.encode('wspeer-control')).concat([1]), length = bytes[15], node;
      if (bytes.length < 34 || length < 18 || length > 49 || bytes.length < 16 + length ||
          !WSPEER_CHANNEL.begins(bytes, start))
        return null;
      node = String.fromCharCode.apply(null, bytes.subarray(33, 16 + length));
      if (!/^[A-Za-z0-9._-]+$/.test(node)) return null;
      return { marker: Array.prototype.slice.call(bytes, 16, 32), grants: bytes[32], node: node };
    },
    // Classifies a received message, and handles one of the channel. NOT_OFFERED: it belongs to the program, and the
    // server has no channel.
    watch: function (peer, text, bytes) {
      var channel = peer.channel, announced;
      channel.receivedAt = WSPEER.now();
      channel.probed = -1;
      if (!channel.marker) {
        announced = text ? null : WSPEER_CHANNEL.announced(bytes);
        if (!announced) return WSPEER_CHANNEL.NOT_OFFERED;
        WSPEER_CHANNEL.take(peer, announced);
        return WSPEER_CHANNEL.CONTROL;
      }
      if (text || bytes.length < 17 || !WSPEER_CHANNEL.begins(bytes, channel.marker)) return WSPEER_CHANNEL.OF_HOST;
      if (bytes[16] !== 2) WSPEER_SESSION.control(peer, bytes[16], bytes.subarray(17));
      else if (bytes.length >= 21 && channel.asked >= 0 &&
          WSPEER_CHANNEL.begins(bytes.subarray(17), WSPEER_CHANNEL.bigEndian(channel.number, 4))) {
        peer.rttUs = Math.max(1, Math.round((channel.receivedAt - channel.asked) * 1000));
        channel.asked = -1;
      }
      return WSPEER_CHANNEL.CONTROL;
    },
    // The server announces the channel.
    take: function (peer, announced) {
      var channel = peer.channel, offersSession = (announced.grants & 2) !== 0;
      channel.marker = announced.marker;
      channel.node = announced.node;
      channel.lacksBeats = channel.beats && !(announced.grants & 1);
      channel.beats = channel.beats && !channel.lacksBeats;
      if (offersSession && channel.greeting) return WSPEER_SESSION.ask(peer);
      if (offersSession) WSPEER_CHANNEL.send(peer, 3, []);
      if (channel.greeting && !WSPEER_SESSION.openWithout(peer, WSPEER_SESSION.NOT_OFFERED)) return;
      WSPEER_CHANNEL.report(peer);
    },
    // The bytes of a number below 2^53, the highest first.
    bigEndian: function (number, width) {
      var bytes = [];
      for (; width > 0; width--) {
        bytes.unshift(number % 256);
        number = Math.floor(number / 256);
      }
      return bytes;
    },
    // Sends a message of the channel: its type and fields.
    send: function (peer, type, fields) {
      var bytes = new Uint8Array(peer.channel.marker.concat([type], fields));
      if (peer.socket.readyState !== 1) return;
      peer.channel.handed += bytes.length;
      peer.socket.send(bytes);
    },
    pongTimeout: function (peer) {
      var interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS];
      return peer.options[WSPEER_C.OPT_PONG_TIMEOUT_MS] ||
        (interval === WSPEER.OFF ? WSPEER.OFF : Math.min(interval * 3, WSPEER.OFF));
    },
    // Sends pings and detects a lost link, with the native library's rules. After a gap in polling (a page in the
    // background) all deadlines are moved by the gap.
    check: function (peer) {
      var channel = peer.channel, now = WSPEER.now(), gap = now - channel.polled,
        interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS], timeout = WSPEER_CHANNEL.pongTimeout(peer);
      channel.polled = now;
      if (gap > 1000) {
        channel.receivedAt += gap;
        channel.pinged += gap;
        channel.deadline += gap;
        if (channel.asked >= 0) channel.asked = Math.min(channel.asked + gap, now);
        if (channel.probed >= 0) channel.probed = Math.min(channel.probed + gap, now);
      }
      if (!channel.marker || channel.greeting)
        return now < channel.deadline ? undefined : WSPEER_CHANNEL.isLate(peer);
      if (channel.probed >= 0 && now >= channel.probed + WSPEER_HINT.PROBE_MS) {
        return WSPEER_CHANNEL.isSilent(peer,
          'the peer did not answer within ' + WSPEER_HINT.PROBE_MS / 1000 + ' s after a hint');
      }
      if (!channel.beats || !interval || interval === WSPEER.OFF) return undefined;
      if (now >= channel.pinged + interval) WSPEER_CHANNEL.ping(peer);
      if (timeout === WSPEER.OFF || channel.asked < 0) return undefined;
      timeout = Math.max(timeout, interval);
      if (now < Math.max(channel.receivedAt + timeout,
        channel.asked + Math.max(timeout - interval, Math.min(interval, 1000)))) return undefined;
      return WSPEER_CHANNEL.isSilent(peer, 'the peer was silent for ' + Math.round(now - channel.receivedAt) +
        ' ms and answered no ping: the link is cut, or raise ' + WSPEER.named('pong_timeout_ms'));
    },
    isSilent: function (peer, words) {
      WSPEER_CONN.closeSocket(peer, 0, '');
      WSPEER_CONN.ended(peer,
        { code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PONG_TIMEOUT, words: words });
    },
    // Sends a ping, unless one is unanswered.
    ping: function (peer) {
      var channel = peer.channel;
      channel.pinged = WSPEER.now();
      if (channel.asked >= 0 || peer.socket.readyState !== 1) return;
      channel.number = (channel.number + 1) >>> 0;
      channel.asked = channel.pinged;
      WSPEER_CHANNEL.send(peer, 1, WSPEER_CHANNEL.bigEndian(channel.number, 4));
    },
    // The announcement has not come in time, or the answer to the request for a session.
    isLate: function (peer) {
      // A server that had the session has the channel: its announcement is late.
      if (peer.channel.greeting === 'asked' || (peer.channel.greeting && peer.session.isGranted))
        return WSPEER_SESSION.isUnanswered(peer);
      if (!peer.channel.greeting || WSPEER_SESSION.openWithout(peer, WSPEER_SESSION.NOT_OFFERED))
        WSPEER_CHANNEL.giveUp(peer);
    },
    // The server has no channel.
    giveUp: function (peer) {
      peer.channel.lacksBeats = true;
      WSPEER_CHANNEL.report(peer);
      peer.channel = null;
    },
    // Reports what the server does not offer, behind OPEN. A heartbeat without the flag comes with a session, if the
    // server has it.
    report: function (peer) {
      var channel = peer.channel, why = channel.without;
      if (channel.lacksBeats && peer.flags & WSPEER_C.APP_HEARTBEAT) {
        WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
          phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_NO_HEARTBEAT,
          words: 'the server offers no application heartbeat: it is another than wspeer or has ' +
            'no ' + WSPEER.named('WS_APP_HEARTBEAT') + '; there is no round-trip time, and a dead link shows late'
        });
      }
      channel.lacksBeats = false;
      channel.without = '';
      if (why) WSPEER_SESSION.reportNone(peer, why);
    }
  }
});
