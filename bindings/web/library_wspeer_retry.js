// wspeer in the browser: a connection that opens another link when its link is lost (WS_RECONNECT). A port of
// src/connection/retry.rs and src/table/redial.rs. A browser does not tell why an opening failed, so every such failure
// is tried again. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_RETRY: {
    // Number of queued events above which a loss drops those of earlier links.
    MAX_MARKS: 4096,
    // Milliseconds: a longer gap between two polls moves the times below.
    LONG_GAP: 1000,

    // failures: failed tries in a row. doublings: of the bound of the next wait. bound: that of the last wait. openedAt:
    // when the link became OPEN; 0: it is not. at: when the next try begins; 0: none waits. polled: time of the last
    // poll. wasOpen: it has been OPEN, so that it is LOST between two links. told: the last ERROR about a failed try.
    // status: the HTTP status before the wait. url: that of the next try; null: the same again. isOver: the browser
    // refuses it, or the session is over, so no other try follows. isSuspended: no try begins until another hint.
    // isHurried: the next try begins at once.
    retry: function () {
      return { failures: 0, doublings: 0, bound: 0, openedAt: 0, at: 0, polled: 0, wasOpen: false, told: null, status: 0,
        url: null, isOver: false, isSuspended: false, isHurried: false };
    },
    bound: function (peer) {
      return Math.min(peer.options[WSPEER_C.OPT_RETRY_MAX_MS],
        peer.options[WSPEER_C.OPT_RETRY_MIN_MS] * Math.pow(2, Math.min(peer.retry.doublings, 31)));
    },
    // Called when the connection becomes OPEN for the program.
    isOpen: function (peer) {
      peer.retry.failures = 0;
      peer.retry.isHurried = false;
      peer.retry.openedAt = WSPEER.now();
      peer.retry.wasOpen = true;
    },
    // Whether another try follows such an end.
    isRetried: function (peer, mark) {
      if (peer.closing || peer.retry.isOver || mark.cause === WSPEER_C.CAUSE_DROPPED) return false;
      // A session is followed by a new one.
      if (!peer.status || mark.cause === WSPEER_C.CAUSE_SESSION) return true;
      if (mark.cause === WSPEER_C.CAUSE_CLOSED_BY_PEER) return [1001, 1012, 1013].indexOf(mark.code) >= 0;
      return [WSPEER_C.CAUSE_PEER_GONE, WSPEER_C.CAUSE_PONG_TIMEOUT, WSPEER_C.CAUSE_CONNECT_TIMEOUT]
        .indexOf(mark.cause) >= 0;
    },
    // Called when a link or an opening has ended. Returns whether the connection stays, and waits for its next try.
    keeps: function (peer, mark) {
      return WSPEER_RETRY.isRetried(peer, mark) &&
        WSPEER_RETRY.waits(peer, mark, peer.retry.openedAt !== 0 || mark.cause === WSPEER_C.CAUSE_SESSION);
    },
    // Waits for the next try, unless that was the last one. isLoss: a link was lost, or a session.
    waits: function (peer, mark, isLoss) {
      var retry = peer.retry, now = WSPEER.now(), lived = retry.openedAt ? now - retry.openedAt : 0,
        tries = peer.options[WSPEER_C.OPT_RETRY_TRIES], session = peer.session, wait;
      retry.openedAt = 0;
      retry.failures = isLoss ? 0 : retry.failures + 1;
      if (lived > retry.bound) retry.doublings = 0;
      if (tries !== WSPEER.OFF && retry.failures >= tries) {
        mark.words += '; that was try ' + retry.failures + ' of ' + retry.failures;
        retry.isOver = true;
        return false;
      }
      retry.bound = WSPEER_RETRY.bound(peer);
      retry.doublings++;
      wait = (retry.isHurried ? 0 : Math.random() * retry.bound) + (peer.away ? peer.away.ms : 0);
      if (peer.away && peer.away.url) WSPEER_RETRY.follow(peer, peer.away.url);
      peer.away = null;
      retry.isHurried = false;
      // 0 would mean that none waits.
      retry.at = Math.max(now + wait, 1e-6);
      mark.status = retry.status = peer.status;
      if (mark.unsent === undefined) mark.unsent = WSPEER.count(peer.sizes) + WSPEER.count(peer.held);
      peer.error = mark.clean ? '' : mark.words;
      WSPEER_RETRY.detach(peer);
      peer.state = session && session.pending ? WSPEER_C.CLOSING :
        retry.wasOpen ? WSPEER_C.LOST : WSPEER_C.CONNECTING;
      // A join that has not been OPEN is not LOST.
      if (isLoss && (retry.wasOpen || !session)) WSPEER_RETRY.reportLoss(peer, mark);
      else if (!isLoss) WSPEER_RETRY.reportFailure(peer, mark, wait);
      WSPEER.note(3, WSPEER_CONN.shownUrl(peer) + (isLoss ? ' was lost: ' : ' was not opened: ') +
        WSPEER_CONN.loggedWords(mark));
      return true;
    },
    // Queues LOST. Where the program has not read many events, those of earlier links are counted in one SKIPPED: LOST
    // says what remains of them.
    reportLoss: function (peer, mark) {
      peer.losses++;
      var count = 0, senders = new Set(), marks = peer.marks.items.slice(peer.marks.first);
      if (marks.length > WSPEER_RETRY.MAX_MARKS) {
        peer.messages.items.slice(peer.messages.first).forEach(function (message) { senders.add(message.peerId); });
        peer.marks.first = 0;
        peer.marks.items = marks.filter(function (one) {
          var stays = one.type === WSPEER_C.EVENT_AUTH || (one.peerId > 1 && senders.has(one.peerId));
          if (!stays) count += one.type === WSPEER_C.EVENT_SKIPPED ? one.count : 1;
          return stays;
        });
        WSPEER.pushMark(peer, WSPEER_C.EVENT_SKIPPED, { count: count });
      }
      WSPEER.pushMark(peer, WSPEER_C.EVENT_LOST, mark);
    },
    // Reports a failed try. An earlier report that has not been read is replaced.
    reportFailure: function (peer, mark, wait) {
      var retry = peer.retry, at = peer.marks.items.indexOf(retry.told);
      if (retry.told && at >= peer.marks.first) peer.marks.items.splice(at, 1);
      retry.told = { cause: mark.cause, phase: mark.phase, status: mark.status,
        words: 'try ' + retry.failures + ' failed: ' + mark.words + '; the next one follows in ' + Math.floor(wait) +
          ' ms' };
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, retry.told);
    },
    // Leaves the socket, and forgets what belongs to its link.
    detach: function (peer) {
      var socket = peer.socket;
      socket.onopen = socket.onmessage = socket.onclose = null;
      try { socket.close(); } catch (error) { /* It has ended. */ }
      peer.status = 0;
      peer.channel = null;
      peer.sizes = WSPEER.fifo();
      peer.sizesBytes = 0;
      WSPEER_LATEST.drop(peer);
      if (peer.join && !peer.session) WSPEER_JOIN.leave(peer);
    },
    // Called by each ws_poll(): a long gap since the last one (a page in the background) does not count.
    attend: function (peer) {
      var retry = peer.retry, now = WSPEER.now(), gap = retry.polled ? now - retry.polled : 0;
      retry.polled = now;
      if (gap <= WSPEER_RETRY.LONG_GAP) return;
      if (retry.openedAt) retry.openedAt += gap;
      // A part of it counts: who polls rarely goes on too.
      if (retry.at) retry.at += gap - WSPEER_RETRY.LONG_GAP;
      if (peer.session) WSPEER_SESSION.shift(peer.session, gap - WSPEER_RETRY.LONG_GAP);
    },
    // Called by ws_poll() while a try waits: begins it when its time has come.
    poll: function (peer) {
      var retry = peer.retry, failure;
      if (retry.isSuspended || WSPEER.now() < retry.at) return;
      retry.at = retry.status = 0;
      peer.reason = peer.error = '';
      peer.url = retry.url || peer.url;
      failure = WSPEER_CONN.connect(peer);
      if (failure) {
        retry.isOver = true;
        WSPEER_CONN.ended(peer,
          { code: 1006, phase: WSPEER_C.PHASE_NONE, cause: WSPEER_C.CAUSE_NONE, words: failure.words });
      }
    },
    // The server sends the client to another URL (ws_drain): never from wss:// to ws://, nor to one with a password.
    follow: function (peer, text) {
      var url = /^wss?:/i.test(text) ? WSPEER_CONN.readUrl(text) : 'it is none of ws:// or wss://';
      if (typeof url !== 'string' && ((peer.url.protocol === 'wss:' && url.protocol !== 'wss:') || url.username ||
        url.password)) url = 'it is not as safe as the client\'s own, or has a password';
      if (typeof url === 'string') return WSPEER.note(1, 'the server\'s other URL is not followed: ' + url);
      peer.retry.url = url;
    },
    // ws_set_url.
    setUrl: function (h, urlAt) {
      var peer, text, url;
      if (WSPEER.isNull('url', urlAt)) return WSPEER_C.ERR_NULL;
      text = WSPEER.textAt(urlAt);
      if (text === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'url is not valid UTF-8');
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      if (!peer.retry)
        return WSPEER.fail(WSPEER_C.ERR_KIND, 'only a client or join that was opened with ' +
          WSPEER.named('WS_RECONNECT') + ' connects again');
      url = WSPEER_CONN.readUsable(text);
      if (typeof url === 'number') return url;
      peer.retry.url = url;
      return WSPEER_C.OK;
    }
  }
});
