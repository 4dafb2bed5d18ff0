// wspeer in the browser: ws_diagnose, which reports what a page can see of a connection. Name lookup, addresses, proxy,
// TLS, HTTP status and pings are hidden from pages, and the first steps say so. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_DIAGNOSIS: {
    // Milliseconds that the page waits for an answer to its HTTP request.
    PROBE_MS: 3000,

    step: function (peer, phase, cause, words) {
      if (peer.state === WSPEER_C.CLOSED) return;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_STEP,
        { phase: phase, cause: cause, status: peer.status, words: WSPEER_DIAGNOSIS.cut(words) });
    },
    fine: function (peer, phase, words) { WSPEER_DIAGNOSIS.step(peer, phase, WSPEER_C.CAUSE_NONE, words); },
    // An event's text has at most 1024 bytes.
    cut: function (words) {
      var limit = 1024;
      if (WSPEER.encode(words).length <= limit) return words;
      while (WSPEER.encode(words).length > limit - 3) words = words.slice(0, -1);
      return words + '…';
    },
    // Called when the socket was made.
    begin: function (peer) {
      var query = peer.url.search.length - 1, fine = WSPEER_DIAGNOSIS.fine, page,
        none = WSPEER_C.PHASE_NONE;
      peer.diagnosis = { began: WSPEER.now(), opened: 0 };
      fine(peer, none, 'wspeer ' + WSPEER_DIAGNOSIS.version() + ' in a browser opens ' + WSPEER_CONN.shownUrl(peer) +
        (query > 0 ? ' (and a query of ' + query + ' bytes, not shown)' : '') +
        (peer.timeout === WSPEER.OFF ? ', no time limit' : ', at most ' + peer.timeout + ' ms') +
        '; the clock of this machine says ' + new Date().toISOString().slice(0, 19).replace('T', ' ') + ' UTC');
      if (typeof navigator === 'object' && navigator.userAgent) {
        fine(peer, none, 'the browser is ' + navigator.userAgent.slice(0, 200) +
          (navigator.onLine === false ? ', and says that it is offline' : ''));
      }
      page = typeof location === 'object' ? location.origin : '';
      if (page) fine(peer, none, 'the page is of ' + page + ', which the request names as its Origin');
      fine(peer, WSPEER_C.PHASE_DNS, 'a browser hides name lookup, addresses, TCP and its proxy');
      if (peer.url.protocol === 'wss:') {
        fine(peer, WSPEER_C.PHASE_TLS,
          'a browser hides TLS version and certificates: the page https://' + peer.url.host +
          '/ in a tab of its own shows what is wrong with a certificate');
      }
      fine(peer, WSPEER_C.PHASE_HTTP, 'a browser hides status and headers of the answer: the developer tools show them');
    },
    version: function () {
      var number = WSPEER_C.VERSION;
      return Math.floor(number / 10000) + '.' + Math.floor(number / 100) % 100 + '.' + number % 100;
    },
    since: function (time) { return (WSPEER.now() - time).toFixed(1) + ' ms'; },
    // The connection is open.
    opened: function (peer) {
      var fine = WSPEER_DIAGNOSIS.fine, socket = peer.socket;
      peer.diagnosis.opened = WSPEER.now();
      fine(peer, WSPEER_C.PHASE_HTTP, 'the server accepted the opening handshake after ' +
        WSPEER_DIAGNOSIS.since(peer.diagnosis.began));
      fine(peer, WSPEER_C.PHASE_HTTP, 'agreed: ' +
        (socket.protocol ? 'the subprotocol ' + WSPEER_DIAGNOSIS.subprotocol(socket.protocol) : 'no subprotocol') + '; ' +
        (socket.extensions ? 'the extension ' + socket.extensions.slice(0, 80) : 'no extension'));
      fine(peer, WSPEER_C.PHASE_WEBSOCKET, 'the connection is open; a browser sends no pings, so it is closed again');
      WSPEER_CONN.close(peer, 1000, '');
    },
    // A name, unless it looks like a token.
    subprotocol: function (name) {
      var digits = name.replace(/[^0-9]/g, '').length;
      return name.length <= 24 && digits <= 4 ? name : '(' + name.length + ' bytes, not shown)';
    },
    // The connection did not open: asks the same port by HTTP, which tells a page whether anything answers there.
    probe: function (peer, then) {
      var url = (peer.url.protocol === 'wss:' ? 'https://' : 'http://') + peer.url.host + '/', over = false, timer,
        control = typeof AbortController === 'function' ? new AbortController() : null, began = WSPEER.now();
      function done(answers) {
        if (over) return;
        over = true;
        clearTimeout(timer);
        if (control && answers === undefined) control.abort();
        if (answers) {
          WSPEER_DIAGNOSIS.fine(peer, WSPEER_C.PHASE_HTTP, 'a server answers HTTP there after ' +
            WSPEER_DIAGNOSIS.since(began));
        } else {
          WSPEER_DIAGNOSIS.step(peer, WSPEER_C.PHASE_TCP, WSPEER_C.CAUSE_TCP_FAILED,
            answers === false ? 'nothing there answers HTTP to this page either'
              : 'there was no answer by HTTP within ' + WSPEER_DIAGNOSIS.PROBE_MS + ' ms');
        }
        then(answers === true);
      }
      if (typeof fetch !== 'function') return then();
      if (typeof crossOriginIsolated === 'boolean' && crossOriginIsolated) {
        WSPEER_DIAGNOSIS.fine(peer, WSPEER_C.PHASE_HTTP,
          'this page is isolated (Cross-Origin-Embedder-Policy), so it cannot ask by HTTP whether anything answers there');
        return then();
      }
      timer = setTimeout(done, WSPEER_DIAGNOSIS.PROBE_MS);
      try {
        fetch(url, { mode: 'no-cors', credentials: 'omit', cache: 'no-store',
          signal: control ? control.signal : undefined })
          .then(function () { done(true); }, function () { done(false); });
      } catch (error) {
        done(false);
      }
    },
    // Makes the advice of the last event.
    advise: function (peer, mark) {
      var words = mark.words, secure = peer.url.protocol === 'wss:', probed = peer.diagnosis.probed;
      if (mark.clean && peer.diagnosis.opened && peer.closing) {
        mark.phase = WSPEER_C.PHASE_NONE;
        mark.cause = WSPEER_C.CAUSE_NONE;
        mark.words = 'Everything that a browser shows works: the connection opened and closed as it should. ' +
          'A native build (python -m wspeer diagnose URL) also shows addresses, certificates, headers and a ping.';
        return;
      }
      if (mark.cause === WSPEER_C.CAUSE_CLOSED_BY_PEER) {
        words = 'The server accepted the connection and closed it at once with the code ' + mark.code +
          ': its log or documentation says why; it may require something in the URL, such as a token.';
      } else if (mark.cause === WSPEER_C.CAUSE_LOCAL_NETWORK) {
        words = words.charAt(0).toUpperCase() + words.slice(1) + '.';
      } else if (!peer.diagnosis.opened && typeof navigator === 'object' && navigator.onLine === false) {
        words = 'The browser is offline: connect this machine to a network.';
      } else if (!peer.diagnosis.opened && probed === true) {
        words = 'A server answers on ' + peer.url.host + ', but not with a WebSocket at ' + peer.url.pathname +
          '. Check the path, the subprotocols, whether the server allows the Origin of this page, and whether a proxy in ' +
          'front of it passes the Upgrade header on. The developer tools of the browser show the HTTP status.';
      } else if (!peer.diagnosis.opened && probed === false) {
        words = 'Nothing that this page may use answers on ' + peer.url.host + '. Check host and port, that the server ' +
          'runs, and firewalls' + (secure ? '; and its certificate, by opening https://' + peer.url.host + '/ in a tab' :
          '; the port may expect wss://') + '. A native build (python -m wspeer diagnose URL) says which it is.';
      } else if (!peer.diagnosis.opened && mark.cause === WSPEER_C.CAUSE_CONNECT_TIMEOUT) {
        words = 'The server did not answer within ' + peer.timeout + ' ms: check host and port, that the server runs, ' +
          'and firewalls.';
      } else {
        words = words.charAt(0).toUpperCase() + words.slice(1) +
          '. A native build (python -m wspeer diagnose URL) says which it is.';
      }
      if (mark.cause !== WSPEER_C.CAUSE_CLOSED_BY_PEER) {
        WSPEER_DIAGNOSIS.step(peer, mark.phase, mark.cause || WSPEER_C.CAUSE_TCP_FAILED, mark.words);
      }
      if (!mark.cause) {
        // A page cannot know more, but this is a fault.
        mark.phase = probed === true ? WSPEER_C.PHASE_HTTP : WSPEER_C.PHASE_TCP;
        mark.cause = probed === true ? WSPEER_C.CAUSE_HTTP_INVALID : WSPEER_C.CAUSE_TCP_FAILED;
      }
      mark.words = WSPEER_DIAGNOSIS.cut(words);
    }
  }
});
