// wspeer in the browser: a client's session (docs/sessions.md), which outlives its links: what is not acknowledged is kept
// and sent again on the next link, so that no message is lost, doubled or reordered. A port of src/session/,
// src/link/session.rs, src/opening/greeting.rs and src/connection/session.rs. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_SESSION: {
    // What a message counts besides its payload against session_bytes.
    EACH: 64,
    // An acknowledgement is due after so many bytes, or after a quarter of the server's session_bytes.
    ACK_BYTES: 65536,
    // Of a URL to which a server sends a client away, in bytes.
    LONGEST_URL: 1003,
    // Milliseconds: an acknowledgement is due so long after the first message that it covers.
    ACK_MS: 1000,
    NOT_OFFERED: 'the server keeps no sessions: it is another than wspeer or has no session_ms',
    REFUSED: 'the server does not have this session: it was started again, has ended it, or is another one',
    NO_RANDOMNESS: 'the browser has no crypto.getRandomValues, from which its secret would come',
    IMPOSSIBLE: 'the peer claims to have received more messages of the session than it was sent',
    // node: that which has it, or was asked for it. repeats: it was asked for there before, and the answer was lost.
    // A session to be asked for; null: the peer wants none, or the browser has no randomness. next: the secret that
    // replaces `secret` at the next resume. bytes: session_bytes. isOver: it cannot be resumed. lostAt: when its link was
    // lost; -1: it was not. pending: a close that waits for the next link. authLeft: milliseconds for an authentication
    // that the loss has interrupted.
    // log: messages that are accepted and not acknowledged, as library_wspeer_latest.js has them. removed, acknowledged, handed, numbered:
    // numbers of the last message that was removed from the log, that the server has acknowledged, that the current link
    // was handed, and that any link was handed.
    // received: number and bytes of the server's messages; told: of those that the last acknowledgement covered.
    // untoldSince: when the first one arrived that it does not cover; -1: there is none. tellAfter: bytes after which one
    // is due.
    begin: function (peer) {
      var terms = peer.terms;
      if (!terms || typeof crypto !== 'object' || !crypto.getRandomValues) return null;
      return {
        id: WSPEER_SESSION.draw(16), secret: WSPEER_SESSION.draw(32), next: null, node: '', repeats: false, ms: terms.ms,
        bytes: terms.bytes, isGranted: false, isOver: false, lostAt: -1, pending: null, authLeft: 0, log: WSPEER.fifo(),
        logBytes: 0, removed: 0, acknowledged: 0, handed: 0, numbered: 0, received: 0, receivedBytes: 0, told: 0,
        toldBytes: 0, untoldSince: -1, tellAfter: WSPEER_SESSION.ACK_BYTES
      };
    },
    draw: function (count) { return Array.prototype.slice.call(crypto.getRandomValues(new Uint8Array(count))); },
    // The session of a connection, if it was granted and has not ended, else null.
    alive: function (peer) {
      return peer.session && peer.session.isGranted && !peer.session.isOver ? peer.session : null;
    },
    // Whether messages are accepted that no link takes yet.
    keepsMessages: function (peer) {
      var session = WSPEER_SESSION.alive(peer);
      return session !== null && !session.pending && !peer.closing && peer.state !== WSPEER_C.CLOSED;
    },

    // ---- Agreeing ----

    // Asks for the session, or to resume it. The request is repeated unchanged on the next links until it is answered.
    ask: function (peer) {
      var session = peer.session, number = WSPEER_CHANNEL.bigEndian;
      peer.channel.greeting = 'asked';
      session.repeats = !session.isGranted && session.node !== '';
      session.node = peer.channel.node;
      if (!session.isGranted) {
        return WSPEER_CHANNEL.send(peer, 4,
          session.id.concat(session.secret, number(session.ms, 4), number(session.bytes, 4)));
      }
      session.next = session.next || WSPEER_SESSION.draw(32);
      WSPEER_SESSION.tell(session);
      WSPEER_CHANNEL.send(peer, 5,
        session.id.concat(session.secret, session.next, number(session.received, 8)));
    },
    number: function (bytes, at, width) {
      var number = 0;
      for (var i = 0; i < width; i++) number = number * 256 + bytes[at + i];
      return number;
    },
    // A message of the channel. Those that are too short, or come at a wrong time, are ignored.
    control: function (peer, type, fields) {
      var session = peer.session, isAsked = peer.channel.greeting === 'asked';
      if (!session) return;
      if (type === 6 && isAsked && fields.length >= 16) WSPEER_SESSION.granted(peer, fields);
      else if (type === 7 && isAsked) {
        if (WSPEER_SESSION.openWithout(peer, WSPEER_SESSION.REFUSED)) WSPEER_CHANNEL.report(peer);
      } else if (type === 8 && fields.length >= 8) {
        WSPEER_SESSION.takeAck(peer, WSPEER_SESSION.number(fields, 0, 8));
      } else if (type === 9) {
        session.isOver = true;
        WSPEER_SESSION.acknowledgeAll(peer);
      } else if (type === 10 && fields.length >= 4) {
        peer.away = { ms: WSPEER_SESSION.number(fields, 0, 4),
          url: fields.length > 4 + WSPEER_SESSION.LONGEST_URL ? '' : WSPEER.decode(fields.slice(4)) };
      }
    },
    granted: function (peer, fields) {
      var session = peer.session, number = WSPEER_SESSION.number, wasGranted = session.isGranted,
        received = number(fields, 0, 8), again;
      if (received < session.removed || received > session.numbered) return WSPEER_SESSION.failImpossible(peer);
      if (session.next) session.secret = session.next;
      session.next = null;
      session.isGranted = true;
      session.ms = Math.min(session.ms, number(fields, 8, 4));
      session.tellAfter = Math.min(WSPEER_SESSION.ACK_BYTES, Math.floor(number(fields, 12, 4) / 4));
      session.acknowledged = Math.max(session.acknowledged, received);
      session.handed = session.acknowledged;
      session.lostAt = -1;
      again = session.numbered - session.acknowledged;
      WSPEER_SESSION.removeAcknowledged(session);
      peer.channel.greeting = '';
      if (wasGranted) WSPEER_SESSION.resumed(peer, again);
      else WSPEER_CONN.ready(peer);
      if (peer.channel) WSPEER_CHANNEL.report(peer);
    },
    // Another link continues the session.
    resumed: function (peer, again) {
      var session = peer.session, pending = session.pending;
      session.pending = null;
      peer.resumed++;
      peer.sentAgain += again;
      // Who has not been OPEN was not LOST either.
      if (peer.retry.wasOpen) {
        peer.state = WSPEER_C.OPEN;
        WSPEER_RETRY.isOpen(peer);
        WSPEER.pushMark(peer, WSPEER_C.EVENT_RESUMED, { count: again, status: peer.status });
      } else if (peer.join && peer.join.id) {
        peer.deadline = WSPEER.now() + session.authLeft;
      }
      WSPEER.note(3, WSPEER_CONN.shownUrl(peer) + ' is resumed');
      WSPEER_LATEST.release(peer, false);
      if (pending) WSPEER_CONN.close(peer, pending.code, pending.reason);
    },
    // There is no session. False: there was one, which is lost, and the link ends; otherwise the connection is OPEN
    // without one.
    openWithout: function (peer, why) {
      var session = peer.session;
      why = why.replace('session_ms', WSPEER.named('session_ms'));
      if (session.isGranted) {
        session.isOver = true;
        WSPEER_CONN.closeSocket(peer, 0, '');
        WSPEER_SESSION.isLost(peer, 'the session (' + WSPEER.named('session_ms') + ') is lost: ' + why);
        return false;
      }
      if (session.repeats) {
        // The next request is a first one again.
        session.node = '';
        WSPEER_CONN.closeSocket(peer, 0, '');
        WSPEER_CONN.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PEER_GONE,
          words: 'the link before was lost before the server had the request for a session'
        });
        return false;
      }
      peer.session = null;
      peer.channel.greeting = '';
      peer.channel.without = why;
      WSPEER_CONN.ready(peer);
      return true;
    },
    // Reports that there is no session. The connection opens anew after a loss only if the program asked for that too.
    reportNone: function (peer, why) {
      if (!(peer.flags & WSPEER_C.RECONNECT)) peer.retry.isOver = true;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
        phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_SESSION,
        words: 'there is no session (' + WSPEER.named('session_ms') + '): ' + why
      });
    },
    // A close code would end the session that the server may have granted meanwhile.
    isUnanswered: function (peer) {
      WSPEER_CONN.closeSocket(peer, 0, '');
      WSPEER_CONN.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_CONNECT_TIMEOUT,
        words: 'the server did not answer the request for a session within the connect timeout'
      });
    },
    // The server sent a message where its answer was expected.
    failEarly: function (peer) {
      WSPEER_CONN.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_PROTOCOL,
        'the server sent a message before it answered the request for a session');
    },
    failImpossible: function (peer) {
      if (!peer.session.isGranted && !(peer.flags & WSPEER_C.RECONNECT)) peer.retry.isOver = true;
      WSPEER_CONN.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_SESSION, WSPEER_SESSION.IMPOSSIBLE);
    },
    isLost: function (peer, words) {
      WSPEER_CONN.ended(peer,
        { code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_SESSION, words: words });
    },

    // ---- Sending ----

    // Whether there is room for `count` messages of `len` bytes together. If nothing is unacknowledged, there always is.
    hasRoom: function (session, len, count) {
      return !WSPEER.count(session.log) ||
        WSPEER.allows(session.bytes, session.logBytes + len + WSPEER_SESSION.EACH * count);
    },
    // Keeps a message, and hands it to the link if there is one.
    // Behind messages that are held back it waits too.
    keep: function (peer, data, size, key) {
      var session = peer.session, isNext = !WSPEER_LATEST.next(peer),
        message = WSPEER_LATEST.item(peer, session, data, size, key);
      session.log.items.push(message);
      session.logBytes += size + WSPEER_SESSION.EACH;
      if (isNext && WSPEER_CONN.isUp(peer) && peer.socket.readyState === 1 &&
        (key === undefined || WSPEER_LATEST.leaves(peer))) WSPEER_SESSION.hand(peer, message);
    },
    // Hands the next message of the log to the link.
    hand: function (peer, message) {
      var session = peer.session;
      session.handed++;
      session.numbered = Math.max(session.numbered, session.handed);
      WSPEER_LATEST.forget(peer, message);
      WSPEER_CONN.transmit(peer, message.data, message.size);
    },
    takeAck: function (peer, received) {
      var session = peer.session;
      if (received > session.handed) return WSPEER_SESSION.failImpossible(peer);
      session.acknowledged = Math.max(session.acknowledged, received);
      WSPEER_SESSION.removeAcknowledged(session);
    },
    removeAcknowledged: function (session) {
      for (; session.removed < session.acknowledged; session.removed++)
        session.logBytes -= WSPEER.take(session.log).size + WSPEER_SESSION.EACH;
    },

    // ---- Receiving ----

    // Counts a message of the server.
    count: function (peer, size) {
      var session = peer.session;
      if (!session) return;
      session.received++;
      session.receivedBytes += size;
      WSPEER_SESSION.acknowledge(peer);
    },
    // Sends an acknowledgement if one is due and the one before has left.
    acknowledge: function (peer) {
      var session = peer.session, channel = peer.channel, now = WSPEER.now(), messages, bytes;
      if (!session || !channel || !WSPEER_CONN.isUp(peer) || peer.closing) return;
      messages = session.received - session.told;
      bytes = session.receivedBytes - session.toldBytes;
      if (!messages) return;
      if (session.untoldSince < 0) session.untoldSince = now;
      if (bytes + WSPEER_SESSION.EACH * messages < session.tellAfter &&
        now < session.untoldSince + WSPEER_SESSION.ACK_MS) return;
      if (channel.ackEnd <= channel.handed - peer.socket.bufferedAmount) WSPEER_SESSION.acknowledgeAll(peer);
    },
    acknowledgeAll: function (peer) {
      var session = peer.session;
      if (session.received === session.told) return;
      WSPEER_SESSION.tell(session);
      WSPEER_CHANNEL.send(peer, 8, WSPEER_CHANNEL.bigEndian(session.received, 8));
      peer.channel.ackEnd = peer.channel.handed;
    },
    tell: function (session) {
      session.told = session.received;
      session.toldBytes = session.receivedBytes;
      session.untoldSince = -1;
    },

    // ---- Losing and ending ----

    // Whether a link that ended so is lost, and its session goes on.
    losesLink: function (mark) {
      if (mark.cause === WSPEER_C.CAUSE_CLOSED_BY_PEER) return [1001, 1005, 1012, 1013].indexOf(mark.code) >= 0;
      return mark.cause === WSPEER_C.CAUSE_PEER_GONE || mark.cause === WSPEER_C.CAUSE_PONG_TIMEOUT;
    },
    // Called when a link or an opening has ended. Returns whether the session goes on; if not, `mark` has what was not
    // delivered.
    keeps: function (peer, mark) {
      var session = peer.session, wasUp = WSPEER_CONN.isUp(peer), isEchoed = mark.clean && peer.closing !== null;
      // Who has not ended the session does not send the client away either.
      if (!session.isOver) peer.away = null;
      if (!session.isOver && !peer.retry.isOver &&
        (wasUp ? WSPEER_SESSION.losesLink(mark) : WSPEER_RETRY.isRetried(peer, mark))) {
        if (wasUp) WSPEER_SESSION.lose(peer, session);
        mark.unsent = 0;
        if (WSPEER_RETRY.waits(peer, mark, wasUp)) return true;
      }
      if (session.isGranted) {
        mark.unsent = isEchoed ? 0 : session.removed + WSPEER.count(session.log) - session.acknowledged;
        if (!(peer.flags & WSPEER_C.RECONNECT) || session.pending) peer.retry.isOver = true;
      } else {
        mark.unsent = undefined;
      }
      peer.session = null;
      return false;
    },
    // The session has lost its link.
    lose: function (peer, session) {
      session.lostAt = WSPEER.now();
      session.authLeft = peer.deadline - session.lostAt;
      if (!peer.closing) return;
      session.pending = { code: peer.closing.asked, reason: peer.closing.reason, deadline: peer.deadline };
      peer.closing = null;
    },
    // Begins a close of a session without a link: it waits for the next one. False: there is none.
    closeLater: function (peer, code, reason) {
      var session = WSPEER_SESSION.alive(peer);
      if (!session || WSPEER_CONN.isUp(peer)) return false;
      if (session.pending) return true;
      session.pending = { code: code || 1000, reason: reason,
        deadline: WSPEER.now() + peer.options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS] };
      peer.state = WSPEER_C.CLOSING;
      return true;
    },
    // Before our close frame: acknowledges what has arrived, and ends the session.
    end: function (peer) {
      if (!WSPEER_SESSION.alive(peer) || !WSPEER_CONN.isUp(peer) || peer.closing) return;
      WSPEER_SESSION.acknowledgeAll(peer);
      WSPEER_CHANNEL.send(peer, 9, []);
    },
    // Called by each ws_poll(). Returns whether the session has ended, because it was not resumed in time.
    check: function (peer) {
      var session = peer.session, now = WSPEER.now();
      if (session.pending && now >= session.pending.deadline) {
        session.isOver = true;
        WSPEER_CONN.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSE_TIMEOUT,
          words: 'the session was not resumed within ' + WSPEER.named('close_timeout_ms') + ' after it was closed'
        });
        return true;
      }
      if (session.lostAt >= 0 && now >= session.lostAt + session.ms) {
        session.isOver = true;
        WSPEER_SESSION.isLost(peer, 'the session was not resumed within ' + WSPEER.named('session_ms'));
        return true;
      }
      WSPEER_SESSION.acknowledge(peer);
      return false;
    },
    // Moves the times by a part of a gap between polls.
    shift: function (session, gap) {
      if (session.lostAt >= 0) session.lostAt += gap;
      if (session.untoldSince >= 0) session.untoldSince += gap;
      if (session.pending) session.pending.deadline += gap;
    }
  }
});
