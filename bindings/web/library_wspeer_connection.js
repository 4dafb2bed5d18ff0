// wspeer in the browser: a connection from its opening to its end, over the browser's WebSocket. See library_wspeer.js.

mergeInto(LibraryManager.library, {
  $WSPEER_CONN: {
    // Default of session_bytes.
    SESSION_BYTES: 1048576,

    // ---- Opening ----

    // Reads and checks a ws_config; returns an error result (a negative number) if it cannot be used.
    readConfig: function (config, join) {
      var at = WSPEER_LAYOUT.config, size = config ? WSPEER.word(config) : 0, texts = {}, protocols, name, reserved,
        lacking, i;
      if (config && (size < WSPEER.leastConfig() || size > 4096)) {
        return WSPEER.badConfig('struct_size is ' + size + ' and should be ' + at.size +
          ': fill the config with ws_config_init(&config, sizeof config) first');
      }
      for (i = at.size; i < size; i++) {
        if (HEAPU8[config + i])
          return WSPEER.badConfig('it sets a field that this version of wspeer does not know: update the library');
      }
      function field(offset) { return offset + 4 <= size ? WSPEER.word(config + offset) : 0; }
      function pointer(offset) {
        return offset + WSPEER_LAYOUT.pointer <= size ? WSPEER.wordOfSize(config + offset) : 0;
      }
      // isSet: the name of the first of these numbers that is set and not OFF. isGiven: of the first pointer that is
      // not NULL.
      function isSet(names, offsets) {
        return names.filter(function (name, i) { return field(offsets[i]) && field(offsets[i]) !== WSPEER.OFF; })[0];
      }
      function isGiven(names, offsets) { return names.filter(function (name, i) { return pointer(offsets[i]); })[0]; }
      var flags = field(at.flags);
      reserved = WSPEER_RESERVED.filter(function (one) { return field(one.at); })[0];
      if (reserved) return WSPEER.badConfig(reserved.name + ' is ' + field(reserved.at) + ': it must be 0');
      if (flags & ~WSPEER_FLAGS)
        return WSPEER.badConfig('flags has unknown bits (0x' + ((flags & ~WSPEER_FLAGS) >>> 0).toString(16) + ')');
      if (!join && flags & WSPEER_C.GODOT3) return WSPEER.badConfig('WS_GODOT3 is for ws_host and ws_join');
      if (!join && flags & WSPEER_C.SCENE)
        return WSPEER.badConfig(WSPEER.named('WS_SCENE') + ' is for ws_host and ws_join');
      if (flags & WSPEER_C.GODOT3 && flags & WSPEER_C.SCENE)
        return WSPEER.badConfig('WS_GODOT3 and ' + WSPEER.named('WS_SCENE') + ' exclude each other');
      if (!(flags & WSPEER_C.SCENE) && flags & (WSPEER_C.AUTH | WSPEER_C.NO_RELAY | WSPEER_C.RAW_REPLICATION)) {
        return WSPEER.badConfig(WSPEER.named('WS_AUTH') + ', ' + WSPEER.named('WS_NO_RELAY') + ' or ' +
          WSPEER.named('WS_RAW_REPLICATION') + ' is set without ' + WSPEER.named('WS_SCENE'));
      }
      if (flags & (WSPEER_C.GODOT3 | WSPEER_C.SCENE) && flags & WSPEER_C.QUEUE_BEFORE_OPEN) {
        return WSPEER.badConfig(WSPEER.named('WS_QUEUE_BEFORE_OPEN') + ' goes neither with WS_GODOT3 nor with ' +
          WSPEER.named('WS_SCENE') + ', where packets are for others who have yet to come');
      }
      if (flags & (WSPEER_C.INSECURE | WSPEER_C.ONLY_CA_PEM | WSPEER_C.ANY_NAME))
        return WSPEER.unsupported('which certificates are trusted is the browser\'s own affair');
      if (flags & (WSPEER_C.SERVER_NO_CONTEXT_TAKEOVER | WSPEER_C.CLIENT_NO_CONTEXT_TAKEOVER))
        return WSPEER.unsupported('the browser agrees on compression by itself');
      name = isGiven(['ca_pem', 'cert_pem', 'key_pem', 'server_name', 'pin_sha256'],
        [at.ca_pem, at.cert_pem, at.key_pem, at.server_name, at.pin_sha256]);
      if (name) return WSPEER.unsupported('TLS is the browser\'s own affair, so leave ' + WSPEER.named(name) + ' NULL');
      if (isGiven(['proxy'], [at.proxy])) {
        return WSPEER.unsupported('the browser chooses its proxy itself, so leave ' + WSPEER.named('proxy') + ' NULL');
      }
      if (field(at.headers_count))
        return WSPEER.unsupported(
          'a request has no headers of one\'s own; say it in the URL\'s query or in the first message');
      name = isSet(['deflate_level', 'deflate_threshold_bytes', 'server_max_window_bits', 'client_max_window_bits',
        'max_inflate_ratio'],
        [at.deflate_level, at.deflate_threshold_bytes, at.server_max_window_bits, at.client_max_window_bits,
          at.max_inflate_ratio]);
      if (name) return WSPEER.unsupported('the browser compresses by itself, so leave ' + WSPEER.named(name) + ' 0');
      var terms = field(at.session_ms) ?
        { ms: field(at.session_ms), bytes: field(at.session_bytes) || WSPEER_CONN.SESSION_BYTES } : null;
      var hasHeartbeat = flags & WSPEER_C.APP_HEARTBEAT || terms;
      name = hasHeartbeat ? '' : isSet(['heartbeat_ms', 'pong_timeout_ms'], [at.heartbeat_ms, at.pong_timeout_ms]);
      if (name)
        return WSPEER.unsupported('it shows no pings, so leave ' + WSPEER.named(name) + ' 0, or set ' +
          WSPEER.named('WS_APP_HEARTBEAT') + ' here and at a server of wspeer');
      if (hasHeartbeat && field(at.max_message_bytes) && field(at.max_message_bytes) < (terms ? 1024 : 128)) {
        return WSPEER.badConfig(WSPEER.named('max_message_bytes') + ' is ' + field(at.max_message_bytes) + ': ' +
          WSPEER.named(terms ? 'session_ms' : 'WS_APP_HEARTBEAT') + ' needs at least ' + (terms ? 1024 : 128));
      }
      name = isSet(['max_messages_per_s', 'max_bytes_per_s'], [at.max_messages_per_s, at.max_bytes_per_s]);
      if (name) return WSPEER.unsupported('it does not stop reading, so leave ' + WSPEER.named(name) + ' 0');
      name = isSet(['max_fragments', 'max_header_bytes'], [at.max_fragments, at.max_header_bytes]);
      if (name) return WSPEER.unsupported('it shows neither frames nor headers, so leave ' + WSPEER.named(name) + ' 0');
      if (field(at.deflate_threshold_bytes))
        return WSPEER.unsupported('the browser compresses by itself, so leave ' +
          WSPEER.named('deflate_threshold_bytes') + ' 0');
      if (field(at.no_delay) && field(at.no_delay) !== 1)
        return WSPEER.unsupported('TCP_NODELAY is the browser\'s own affair, so leave ' + WSPEER.named('no_delay') +
          ' 0');
      lacking = WSPEER_OPTIONS.lacking(field);
      if (lacking)
        return WSPEER.unsupported(WSPEER.named(lacking.name) + ' is the browser\'s own affair, so leave it 0');
      texts = pointer(at.subprotocols) ? WSPEER.textAt(pointer(at.subprotocols)) : '';
      if (texts === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'subprotocols is not valid UTF-8');
      protocols = texts.split(',').map(function (one) { return one.trim(); }).filter(function (one) { return one; });
      var options = WSPEER_OPTIONS.values(field);
      if (join && !field(at.max_put_bytes)) options[WSPEER_C.OPT_MAX_PUT_BYTES] = 65535;
      if (hasHeartbeat) options[WSPEER_C.OPT_HEARTBEAT_MS] = field(at.heartbeat_ms) || (terms ? 5000 : 20000);
      if (hasHeartbeat) options[WSPEER_C.OPT_PONG_TIMEOUT_MS] = field(at.pong_timeout_ms);
      options[WSPEER_C.OPT_COALESCE] = flags & WSPEER_C.COALESCE;
      name = WSPEER_OPTIONS.endless(options);
      if (name) return WSPEER.badConfig(WSPEER.named(name) + ' is ' + WSPEER.OFF + ': it cannot be off');
      return { flags: flags, owner: field(at.owner), user: pointer(at.user), protocols: protocols, options: options,
        terms: terms, timeout: field(at.connect_timeout_ms) || 10000 };
    },
    // Resolves a URL without a scheme against the page's. Returns an error message if it means no place there.
    resolveUrl: function (text) {
      var page = typeof location === 'object' ? location : null, url;
      if (!page || !/^https?:$/.test(page.protocol))
        return 'it must start with ws:// or wss://: only a page that came over http or https completes a shorter one';
      try {
        url = new URL(text, page.href);
      } catch (error) {
        return 'the browser cannot read it';
      }
      // "//host" and "/\\host" name another host.
      if (url.origin !== page.origin) return 'it must start with ws:// or wss:// if it names a host';
      url.protocol = page.protocol === 'https:' ? 'wss:' : 'ws:';
      return url;
    },
    // Parses a URL, without its #fragment, or returns an error message.
    readUrl: function (whole) {
      var text = whole.replace(/#[^\s\x00-\x1f\x7f]*$/, ''), authority = /^wss?:\/\/([^\/?#]*)/i.exec(text), url;
      if (/[\s\x00-\x1f\x7f]/.test(text)) return 'it has a space or a control character in it';
      if (!authority && text && !/^[a-z][a-z0-9+.-]*:/i.test(text)) return WSPEER_CONN.resolveUrl(text);
      if (!authority) return 'it must start with ws:// or wss://';
      if (!authority[1].replace(/^.*@/, '').replace(/:\d*$/, '')) return 'empty host';
      if (Number((/:(\d+)$/.exec(authority[1]) || [0, 0])[1]) > 65535) return 'invalid port number';
      try {
        url = new URL(text);
      } catch (error) {
        return 'the browser cannot read it';
      }
      return url;
    },
    open: function (urlAt, config, out, join, diagnoses) {
      if (WSPEER.isNull('out', out) || WSPEER.isNull('url', urlAt)) return WSPEER_C.ERR_NULL;
      if (typeof _malloc === 'undefined')
        return WSPEER.fail(WSPEER_C.ERR_LIMIT,
          'malloc is not exported: link with -sEXPORTED_FUNCTIONS=_main,_malloc,_free');
      var text = WSPEER.textAt(urlAt), settings = WSPEER_CONN.readConfig(config, join), url, peer, failure;
      if (text === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'url is not valid UTF-8');
      if (typeof settings === 'number') return settings;
      url = WSPEER_CONN.readUsable(text);
      if (typeof url === 'number') return url;
      peer = {
        handle: 0, socket: null, state: WSPEER_C.CONNECTING, url: url, protocols: settings.protocols,
        options: settings.options, flags: settings.flags, owner: settings.owner, user: settings.user, deadline: 0,
        timeout: settings.timeout,
        messages: WSPEER.fifo(), marks: WSPEER.fifo(), nextNumber: 0, bytesWaiting: 0, lent: 0, lentSize: 0,
        early: [], earlyBytes: 0, held: WSPEER.fifo(), heldBytes: 0, latest: new Map(), pace: null, linkBytes: 0,
        replaced: 0, sizes: WSPEER.fifo(), sizesBytes: 0, wanted: -1,
        closing: null, end: null, reason: '', error: '', status: 0, messagesIn: 0, messagesOut: 0, bytesIn: 0,
        bytesOut: 0, dropped: 0, admittedBefore: { messages: 0, bytes: 0 },
        rttUs: 0, channel: null, join: join ? WSPEER_JOIN.join(settings.flags) : null, diagnosis: null, simulation: null,
        retry: (settings.flags & WSPEER_C.RECONNECT || settings.terms) && !diagnoses ? WSPEER_RETRY.retry() : null,
        terms: diagnoses ? null : settings.terms, session: null, spare: null, away: null, losses: 0, resumed: 0, sentAgain: 0
      };
      failure = WSPEER_CONN.connect(peer);
      if (failure) return failure.isConfig ? WSPEER.badConfig(failure.words) : WSPEER.fail(WSPEER_C.ERR_URL, failure.words);
      peer.handle = WSPEER.nextHandle++;
      WSPEER.peers[peer.handle] = peer;
      WSPEER_HINT.watch();
      if (diagnoses) WSPEER_DIAGNOSIS.begin(peer);
      WSPEER.setWord(out, peer.handle);
      return WSPEER_C.OK;
    },
    // Parses a URL, or returns an error result (a negative number) if a page cannot open it.
    readUsable: function (text) {
      var url = WSPEER_CONN.readUrl(text);
      if (typeof url === 'string') return WSPEER.fail(WSPEER_C.ERR_URL, 'the URL cannot be used: ' + url);
      return url.username || url.password ? WSPEER.unsupported(
        'a request has no Authorization header, so leave user name and password out of the URL') : url;
    },
    // Opens the browser's WebSocket for a peer. Returns null, or why the browser refuses, and whether that is due to the
    // config.
    connect: function (peer) {
      peer.session = peer.session || WSPEER_SESSION.begin(peer);
      try {
        WSPEER_CONN.use(peer, WSPEER_CONN.socket(peer));
      } catch (error) {
        // The browser's own text quotes the URL or the subprotocol, which may be secret.
        return error.name === 'SyntaxError' ? {
          isConfig: true,
          words: 'the browser takes these subprotocols or this URL not: a subprotocol is a token, and each is named once'
        } : {
          isConfig: false,
          words: 'the browser does not open it (' + error.name + '): a page of https:// opens only wss://'
        };
      }
      return null;
    },
    // A new WebSocket for a peer, or throws what the browser says.
    socket: function (peer) {
      var socket = new WebSocket(WSPEER_CHANNEL.state(peer) ? WSPEER_CHANNEL.askIn(peer) : peer.url.href, peer.protocols);
      socket.binaryType = 'arraybuffer';
      return socket;
    },
    // From now on a peer uses this WebSocket.
    use: function (peer, socket) {
      peer.channel = WSPEER_CHANNEL.state(peer);
      peer.socket = socket;
      peer.pace = null;
      peer.deadline = peer.timeout === WSPEER.OFF ? Infinity : WSPEER.now() + peer.timeout;
      socket.onopen = function () { WSPEER_CONN.opened(peer); };
      socket.onmessage = function (event) { WSPEER_CONN.came(peer, event.data); };
      socket.onclose = function (event) { WSPEER_CONN.closed(peer, event); };
    },

    // ---- Browser events ----

    opened: function (peer) {
      peer.status = 101;
      if (peer.simulation) WSPEER_SIM.begin(peer);
      if (peer.diagnosis) return WSPEER_DIAGNOSIS.opened(peer);
      if (peer.channel) WSPEER_CHANNEL.begin(peer);
      if (peer.session) return;
      WSPEER_CONN.ready(peer);
      if (peer.terms) WSPEER_SESSION.reportNone(peer, WSPEER_SESSION.NO_RANDOMNESS);
    },
    // The link is open, and nothing has to be agreed on.
    ready: function (peer) {
      if (peer.join) return WSPEER_CONN.sendEarly(peer);
      peer.state = WSPEER_C.OPEN;
      if (peer.retry) WSPEER_RETRY.isOpen(peer);
      WSPEER.pushMark(peer, WSPEER_C.EVENT_OPEN);
      WSPEER.note(3, WSPEER_CONN.shownUrl(peer) + ' is open');
      WSPEER_CONN.sendEarly(peer);
    },
    sendEarly: function (peer) {
      var early = peer.early;
      peer.early = [];
      peer.earlyBytes = 0;
      early.forEach(function (item) { WSPEER_CONN.send(peer, item.data, item.size, item.key); });
      WSPEER_LATEST.release(peer, false);
    },
    came: function (peer, data) {
      if (peer.diagnosis) return;
      var text = typeof data === 'string', bytes = text ? WSPEER.encode(data) : new Uint8Array(data),
        most = peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES];
      if (!WSPEER.allows(most, bytes.length)) {
        return WSPEER_CONN.breakOff(peer, 1009, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_TOO_BIG,
          'a message is longer than ' + WSPEER.named('max_message_bytes') + ' (' + most +
            '): raise it, or send less at a time');
      }
      var watched = peer.channel ? WSPEER_CHANNEL.watch(peer, text, bytes) : WSPEER_CHANNEL.OF_HOST;
      if (watched === WSPEER_CHANNEL.CONTROL) return;
      if (peer.channel && peer.channel.greeting) {
        if (watched === WSPEER_CHANNEL.OF_HOST) return WSPEER_SESSION.failEarly(peer);
        if (!WSPEER_SESSION.openWithout(peer, WSPEER_SESSION.NOT_OFFERED)) return;
      }
      var scene = peer.join && peer.join.scene, waiting = WSPEER.count(peer.messages) + (scene ? scene.held.length : 0);
      var bytesWaiting = peer.bytesWaiting + (scene ? scene.heldBytes : 0);
      var packets = peer.options[WSPEER_C.OPT_INBOUND_PACKETS], room = peer.options[WSPEER_C.OPT_INBOUND_BYTES];
      if (waiting &&
        ((packets !== WSPEER.OFF && waiting >= packets) || (room !== WSPEER.OFF && bytesWaiting >= room))) {
        return WSPEER_CONN.breakOff(peer, 1008, WSPEER_C.PHASE_APP, WSPEER_C.CAUSE_NOT_READING,
          'the inbound queue is full and a browser cannot stop the peer: take all items each frame, or raise ' +
            WSPEER.named('inbound_packets') + ' or ' + WSPEER.named('inbound_bytes'));
      }
      peer.messagesIn++;
      peer.bytesIn += bytes.length;
      if (peer.join) WSPEER_JOIN.cameToJoin(peer, text, bytes);
      else WSPEER.pushMessage(peer, text ? WSPEER_C.TEXT : WSPEER_C.BINARY, bytes, 0);
      WSPEER_SESSION.count(peer, bytes.length);
      if (watched === WSPEER_CHANNEL.NOT_OFFERED) WSPEER_CHANNEL.giveUp(peer);
    },
    closed: function (peer, event) {
      var closing = peer.closing, code = event.code;
      if (!peer.status) return WSPEER_CONN.notOpened(peer);
      // An answer to our close does not have to repeat its reason.
      peer.reason = event.reason || (closing ? closing.reason : '');
      if (!event.wasClean) {
        return WSPEER_CONN.ended(peer, {
          code: code, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PEER_GONE,
          words: 'the connection ended without a closing handshake: the peer has gone, or broke the protocol, and a browser does not say which'
        });
      }
      if (closing) {
        if (code === closing.sent) code = closing.asked;
        return WSPEER_CONN.ended(peer,
          { code: code, clean: true, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSED_BY_HOST,
            words: 'closed as the host asked' });
      }
      if (!WSPEER_SCENE.notAdmitted(peer) && !peer.diagnosis)
        WSPEER.pushMark(peer, WSPEER_C.EVENT_CLOSE_REQUEST, { code: code, words: event.reason });
      WSPEER_CONN.ended(peer,
        { code: code, clean: true, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSED_BY_PEER,
          words: WSPEER_CONN.closedByPeer(code, event.reason) });
    },

    // Reports a connection that did not open. The browser does not say why, but it says whether the user has refused
    // the page access to the local network; its answer comes after this call.
    notOpened: function (peer) {
      var socket = peer.socket;
      if (peer.diagnosis && !peer.diagnosis.asked) {
        peer.diagnosis.asked = true;
        return WSPEER_DIAGNOSIS.probe(peer, function (answers) {
          peer.diagnosis.probed = answers;
          WSPEER_CONN.notOpened(peer);
        });
      }
      WSPEER_CONN.isLocalRefused(peer.url.hostname, function (refused) {
        // It has ended otherwise meanwhile, and may be in another try.
        if (peer.socket !== socket || !socket.onclose) return;
        WSPEER_CONN.ended(peer, refused ? {
          code: 1006, phase: WSPEER_C.PHASE_TCP, cause: WSPEER_C.CAUSE_LOCAL_NETWORK,
          words: 'the browser keeps this page from the local network: ' +
            'ask the player to allow it in the settings of this site, beside the address'
        } : {
          code: 1006, phase: WSPEER_C.PHASE_NONE, cause: WSPEER_C.CAUSE_NONE,
          words: 'the connection could not be opened, and a browser does not say why: ' +
            'check host and port, that the server runs, its certificate, path and subprotocols; the console may say more'
        });
      });
    },
    // Whether the user has refused the page access to this host, if it is in the local network or this device. A browser
    // knows only some of the names of the permission, and rejects the others.
    isLocalRefused: function (host, then) {
      var names = ['local-network-access', 'local-network', 'loopback-network'], left = names.length, refused = false;
      var permissions = typeof navigator === 'object' && navigator.permissions;
      if (!permissions || !WSPEER_CONN.isLocal(host)) return then(false);
      names.forEach(function (name) {
        function answered(status) {
          refused = refused || status.state === 'denied';
          if (--left === 0) then(refused);
        }
        permissions.query({ name: name }).then(answered, function () { answered({}); });
      });
    },
    // Whether a host is this device or in the local network, as far as its name tells.
    isLocal: function (host) {
      var four = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host), six = /^\[([0-9a-f]*):/.exec(host), first, second;
      if (six) {
        first = parseInt(six[1], 16);
        return host === '[::1]' || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
      }
      if (!four) return host.indexOf('.') < 0 || /\.(local|localhost)$/.test(host);
      first = Number(four[1]);
      second = Number(four[2]);
      return first === 10 || first === 127 || (first === 172 && (second & 0xf0) === 16) ||
        (first === 192 && second === 168) || (first === 169 && second === 254) ||
        (first === 100 && (second & 0xc0) === 64);
    },

    // The error text for a close by the peer: its code, the code's meaning and the peer's reason.
    closedByPeer: function (code, reason) {
      if (code === 1005) return 'the peer closed the connection without a code';
      var meaning = {
        1001: ' (going away)', 1002: ' (protocol error)', 1003: ' (unsupported data)', 1007: ' (invalid data)',
        1008: ' (policy violation)',
        1009: ' (message too big)', 1010: ' (extension needed)', 1011: ' (internal error)', 1012: ' (service restart)',
        1013: ' (try again later)',
        1014: ' (bad gateway)'
      }[code] || '';
      // Control characters become spaces: a peer cannot start a new line in the log.
      return 'the peer closed the connection with ' + code + meaning + (reason ? ': ' : '') +
        reason.replace(/[\u0000-\u001F\u007F-\u009F]/g, ' ');
    },

    // ---- Ending ----

    // Queues CLOSED, the last event, and detaches the socket.
    ended: function (peer, mark) {
      var socket;
      if (peer.state === WSPEER_C.CLOSED) return;
      WSPEER_HINT.dropSpare(peer);
      if (peer.socket.line) peer.socket.onmessage = peer.socket.onclose = null;
      WSPEER_SIM.remove(peer);
      socket = peer.socket;
      WSPEER_CONN.dropSent(peer);
      if (peer.session && WSPEER_SESSION.keeps(peer, mark)) return;
      if (peer.retry && WSPEER_RETRY.keeps(peer, mark)) return;
      mark.status = peer.status || (peer.retry ? peer.retry.status : 0);
      if (mark.unsent === undefined) mark.unsent = mark.clean && peer.closing ? 0 : WSPEER.count(peer.sizes) + WSPEER.count(peer.held);
      mark.unsent += peer.early.length;
      socket.onopen = socket.onmessage = socket.onclose = null;
      if (peer.diagnosis) WSPEER_DIAGNOSIS.advise(peer, mark);
      peer.error = mark.clean && !peer.diagnosis ? '' : mark.words;
      peer.state = WSPEER_C.CLOSED;
      peer.early = [];
      WSPEER_LATEST.drop(peer);
      peer.latest.clear();
      WSPEER.pushMark(peer, WSPEER_C.EVENT_CLOSED, mark);
      peer.end = mark;
      WSPEER.note(3, WSPEER_CONN.shownUrl(peer) + ' ended: ' + WSPEER_CONN.loggedWords(mark));
    },
    // Why a connection ended, for the log. The reason is the peer's text: it is in the event, but not in the log.
    loggedWords: function (mark) {
      var words = mark.cause === WSPEER_C.CAUSE_CLOSED_BY_PEER ? 'the peer closed the connection' : mark.words;
      return words + ' (code ' + mark.code + ')';
    },
    // The URL for the log, without its query, which may hold a token.
    shownUrl: function (peer) { return peer.url.href.split('?')[0]; },
    // The code that is sent: browsers accept only 1000 and 3000-4999, so any other is raised by 3000.
    wireCode: function (code) { return code === 1000 || code >= 3000 ? code : code + 3000; },
    closeSocket: function (peer, code, reason) {
      try {
        if (code) peer.socket.close(WSPEER_CONN.wireCode(code), reason);
        else peer.socket.close();
      } catch (error) {
        WSPEER.note(1, 'the browser did not close (' + error.name + ')');
      }
    },
    // Fails the connection: sends the close code and reads nothing more.
    breakOff: function (peer, code, phase, cause, words) {
      var short = words;
      while (WSPEER.encode(short).length > 123) short = short.slice(0, -1);
      WSPEER_CONN.closeSocket(peer, code, short);
      peer.reason = short;
      WSPEER_CONN.ended(peer, { code: code, phase: phase, cause: cause, words: words });
    },
    drop: function (peer, words) {
      WSPEER_CONN.closeSocket(peer, 0, '');
      WSPEER_CONN.ended(peer, { code: 1006, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_DROPPED, words: words });
    },
    close: function (peer, code, reason) {
      if (peer.state === WSPEER_C.CLOSED) return;
      if (code === -1) return WSPEER_CONN.drop(peer, 'the host dropped the connection');
      if (peer.closing || WSPEER_SESSION.closeLater(peer, code, reason)) return;
      if (!WSPEER_CONN.isUp(peer)) return WSPEER_CONN.drop(peer, 'the host closed the connection before it was open');
      code = code || 1000;
      WSPEER_LATEST.release(peer, true);
      WSPEER_SESSION.end(peer);
      peer.closing =
        { asked: code, sent: WSPEER_CONN.wireCode(code), reason: reason, waiting: peer.socket.bufferedAmount };
      peer.deadline = WSPEER.now() + peer.options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS];
      peer.state = WSPEER_C.CLOSING;
      WSPEER_CONN.closeSocket(peer, code, reason);
    },
    // 0 if a close code and reason are valid, else an error result.
    checkClose: function (code, reason) {
      var known = code === 0 || code === -1 || (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
        (code >= 3000 && code <= 4999);
      if (reason === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'reason is not valid UTF-8');
      if (!known)
        return WSPEER.fail(WSPEER_C.ERR_ARG,
          code + ' is not a close code that can be sent: use 0, -1, 1000-1003, 1007-1014 or 3000-4999');
      var size = WSPEER.encode(reason).length;
      if (size > 123) return WSPEER.fail(WSPEER_C.ERR_ARG, 'the close reason has ' + size + ' bytes: at most 123 fit');
      return 0;
    },
    free: function (peer) {
      WSPEER_HINT.dropSpare(peer);
      if (peer.state !== WSPEER_C.CLOSED) {
        WSPEER_LATEST.release(peer, true);
        WSPEER_SESSION.end(peer);
        if (peer.socket.line) peer.socket.onmessage = peer.socket.onclose = null;
        WSPEER_SIM.remove(peer);
        if (!peer.closing) WSPEER_CONN.closeSocket(peer, peer.status ? 1001 : 0, '');
        peer.socket.onopen = peer.socket.onmessage = peer.socket.onclose = null;
        peer.state = WSPEER_C.CLOSED;
      }
      if (peer.lent) _free(peer.lent);
      delete WSPEER.peers[peer.handle];
    },
    freeWhere: function (wanted) {
      Object.keys(WSPEER.peers).forEach(function (h) {
        if (wanted(WSPEER.peers[h])) WSPEER_CONN.free(WSPEER.peers[h]);
      });
    },
    // Called by ws_poll(): checks the timers, and whether WRITABLE is due.
    poll: function (peer) {
      if (peer.state === WSPEER_C.CLOSED) return;
      if (peer.retry) WSPEER_RETRY.attend(peer);
      if (peer.socket.line) WSPEER_SIM.advance(peer.socket);
      if (peer.state === WSPEER_C.CLOSED) return;
      if (peer.session && WSPEER_SESSION.check(peer)) return;
      WSPEER_LATEST.poll(peer);
      if (peer.join && peer.join.scene && peer.join.scene.isIn) WSPEER_NODES.tellDue(peer, peer.join.scene);
      if (peer.wanted >= 0 && (WSPEER_CONN.isUp(peer) || WSPEER_SESSION.keepsMessages(peer)) &&
        WSPEER_CONN.hasRoom(peer, peer.wanted, 1)) {
        peer.wanted = -1;
        WSPEER.pushMark(peer, WSPEER_C.EVENT_WRITABLE, { peerId: peer.join ? 1 : 0 });
      }
      if (peer.retry && peer.retry.at) return WSPEER_RETRY.poll(peer);
      if (peer.channel && peer.status && !peer.closing) WSPEER_CHANNEL.check(peer);
      // The agreement on a session has its own deadline.
      if (peer.state === WSPEER_C.CLOSED || (peer.status && !WSPEER_CONN.isUp(peer))) return;
      if (peer.closing && peer.socket.bufferedAmount < peer.closing.waiting) {
        peer.closing.waiting = peer.socket.bufferedAmount;
        peer.deadline = WSPEER.now() + peer.options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS];
      }
      if ((peer.state === WSPEER_C.OPEN && !peer.closing) || WSPEER.now() < peer.deadline) return;
      if (peer.closing) {
        return WSPEER_CONN.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSE_TIMEOUT,
          words: peer.socket.bufferedAmount ?
            'the peer did not read what was sent before the close within ' + WSPEER.named('close_timeout_ms') :
            'the peer did not answer the close within ' + WSPEER.named('close_timeout_ms')
        });
      }
      if (peer.status && peer.join.id) {
        return WSPEER_CONN.breakOff(peer, 1008, WSPEER_C.PHASE_APP, WSPEER_C.CAUSE_AUTH_TIMEOUT,
          'the host was not authenticated within ' + WSPEER.named('WS_OPT_AUTH_TIMEOUT_MS') +
            ': has it completed, and was ws_complete_auth called?');
      }
      if (peer.status) {
        return WSPEER_CONN.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_CONNECT_TIMEOUT,
          'the host sent no id within ' + WSPEER.named('connect_timeout_ms') +
            ': it may not be a multiplayer host, or it speaks the format of another Godot');
      }
      WSPEER_CONN.closeSocket(peer, 0, '');
      WSPEER_CONN.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_NONE, cause: WSPEER_C.CAUSE_CONNECT_TIMEOUT,
        words: 'the connection was not open after ' + peer.timeout +
          ' ms: check host and port, and that the server runs, or raise ' + WSPEER.named('connect_timeout_ms')
      });
    },

    // ---- Sending ----

    // Drops the sizes of messages that have been sent: bufferedAmount is the number of bytes that have not.
    dropSent: function (peer) {
      var buffered = WSPEER_CONN.buffered(peer);
      while (WSPEER.count(peer.sizes) && peer.sizesBytes - WSPEER.peek(peer.sizes) >= buffered)
        peer.sizesBytes -= WSPEER.take(peer.sizes);
    },
    // Bytes that the link was given and has not sent. A socket that has ended keeps its number.
    buffered: function (peer) { return peer.status ? peer.socket.bufferedAmount : 0; },
    // Whether `count` messages of `len` bytes together are accepted. A session limits them too, and a lost link does not.
    hasRoom: function (peer, len, count) {
      WSPEER_CONN.dropSent(peer);
      var held = WSPEER_LATEST.counts(peer), waiting = WSPEER_CONN.buffered(peer) + peer.earlyBytes + held[1],
        session = peer.session, packets = WSPEER.count(peer.sizes) + peer.early.length + held[0];
      if (session && !WSPEER_SESSION.hasRoom(session, len, count)) return false;
      return (!waiting && !packets) || (WSPEER.allows(peer.options[WSPEER_C.OPT_OUTBOUND_BYTES], waiting + len) &&
        WSPEER.allows(peer.options[WSPEER_C.OPT_OUTBOUND_PACKETS], packets + Math.min(count, 1)));
    },
    // Sends a message on the link. A session keeps it until it is acknowledged. key: that of ws_put_latest.
    send: function (peer, data, size, key) {
      if (peer.session) WSPEER_SESSION.keep(peer, data, size, key);
      else WSPEER_LATEST.give(peer, data, size, key);
    },
    transmit: function (peer, data, size) {
      peer.sizes.items.push(size);
      peer.sizesBytes += size;
      peer.linkBytes += WSPEER_SIM.frameBytes(size, 4);
      if (peer.channel) peer.channel.handed += size;
      peer.socket.send(data);
    },
    // Whether the link is open, and what has to be agreed on first is.
    isUp: function (peer) { return peer.status !== 0 && !(peer.channel && peer.channel.greeting); },
    mayPut: function (peer) {
      return WSPEER_SESSION.keepsMessages(peer) ||
        (WSPEER_CONN.isUp(peer) && !peer.closing && peer.state !== WSPEER_C.CLOSED && peer.socket.readyState === 1);
    },
    notOpen: function () {
      return WSPEER.fail(WSPEER_C.ERR_STATE, 'the connection is not OPEN: before OPEN a message needs ' +
        WSPEER.named('WS_QUEUE_BEFORE_OPEN') + ', and once it closes none is taken, so open another');
    },
    full: function (peer, size) {
      peer.wanted = size;
      return WSPEER.fail(WSPEER_C.ERR_FULL,
        'the outbound queue is full: poll and put it again after the WRITABLE event, or raise ' +
          WSPEER.named('outbound_bytes') + (peer.session ? ', ' + WSPEER.named('outbound_packets') + ' or ' + WSPEER.named('session_bytes') :
            ' or ' + WSPEER.named('outbound_packets')));
    },
    sendCounted: function (peer, data, size, key) {
      return WSPEER_CONN.accept(peer, data, size, key, function () { WSPEER_CONN.send(peer, data, size, key); });
    },
    // Accepts a message if there is room for it: it takes the place of the one with its key, or `add` queues it.
    accept: function (peer, data, size, key, add) {
      var old = WSPEER_LATEST.find(peer, key), more = old ? Math.max(0, size - old.size) : size;
      if ((!old || more) && !WSPEER_CONN.hasRoom(peer, more, old ? 0 : 1)) return WSPEER_CONN.full(peer, size);
      if (old) WSPEER_LATEST.replace(peer, old, data, size);
      else add();
      peer.messagesOut++;
      peer.bytesOut += size;
      return WSPEER_C.OK;
    },
    // Sends several packets of a join: all of them now, or none.
    putTogether: function (peer, packets) {
      var total = packets.reduce(function (sum, packet) { return sum + packet.length; }, 0);
      if (!WSPEER_CONN.mayPut(peer)) return WSPEER_CONN.notOpen();
      if (!WSPEER_CONN.hasRoom(peer, total, packets.length)) return WSPEER_CONN.full(peer, total);
      packets.forEach(function (packet) {
        WSPEER_CONN.send(peer, packet, packet.length);
        peer.messagesOut++;
        peer.bytesOut += packet.length;
      });
      return WSPEER_C.OK;
    },
    putNow: function (peer, packet) { return WSPEER_CONN.putTogether(peer, [packet]); },
    // ws_put_packet, ws_put_packet_to and ws_put_latest; `target` is undefined where none was given, as is `key`.
    put: function (h, target, at, len, type, key) {
      var peer, data, early, size = WSPEER.size(len), text = type === WSPEER_C.TEXT,
        replicates = type === WSPEER_C.REPLICATION, ofScene = type === WSPEER_C.CALL || replicates, why;
      if (size && !at) return WSPEER.fail(WSPEER_C.ERR_NULL, 'data is NULL and its length is not 0');
      if (size > 2147483647)
        return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'the length of data is over what memory can hold');
      if (!text && !ofScene && type !== WSPEER_C.BINARY) {
        return WSPEER.fail(WSPEER_C.ERR_ARG,
          type + ' is not a message type: use WS_TEXT, WS_BINARY, WS_CALL or WS_REPLICATION');
      }
      data = WSPEER.bytesAt(at, size);
      if (text) data = WSPEER.decode(data);
      if (data === null)
        return WSPEER.fail(WSPEER_C.ERR_UTF8, 'the text is not valid UTF-8: fix the encoding, or send it as WS_BINARY');
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      if (target !== undefined && !peer.join && !ofScene)
        return WSPEER.fail(WSPEER_C.ERR_KIND, 'only servers, hosts and joins have targets; use ws_put_packet');
      if (target === -2147483648) return WSPEER.fail(WSPEER_C.ERR_ARG, 'INT32_MIN is no target');
      why = replicates ? WSPEER_REPLICATION.refuse(data) : '';
      if (why) return WSPEER.fail(WSPEER_C.ERR_ARG, 'this is no packet of replication: ' + why);
      if (ofScene && !peer.join) return WSPEER_SCENE.of(peer);
      size += peer.join ? WSPEER_JOIN.headerBytes(peer.join) : 0;
      var most = Math.min(peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES], peer.options[WSPEER_C.OPT_MAX_PUT_BYTES]);
      if (!WSPEER.allows(most, size)) {
        return WSPEER.fail(WSPEER_C.ERR_TOO_BIG,
          'the message has ' + size + ' bytes and at most ' + most + ' are allowed: split it, or raise ' +
          (most < peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES]
            ? WSPEER.named('max_put_bytes') + ' if the other end takes more'
            : WSPEER.named('max_message_bytes') + ' at both ends'));
      }
      if (peer.diagnosis)
        return WSPEER.fail(WSPEER_C.ERR_STATE, 'a diagnosis sends no messages: open the connection with ws_connect');
      if (type === WSPEER_C.CALL) return WSPEER_SCENE.putCall(peer, target, data);
      if (replicates) return WSPEER_SCENE.putReplication(peer, target, data);
      // A session keeps messages without a link; otherwise they wait for OPEN.
      var kept = peer.state === WSPEER_C.LOST && WSPEER_SESSION.keepsMessages(peer);
      early = !kept && (peer.state === WSPEER_C.CONNECTING || peer.state === WSPEER_C.LOST) &&
        peer.flags & WSPEER_C.QUEUE_BEFORE_OPEN;
      if (!kept && (peer.state !== WSPEER_C.OPEN || !WSPEER_CONN.mayPut(peer)) && !early)
        return WSPEER_CONN.notOpen();
      if (peer.join) {
        // The same key is another one for each target: they share a connection.
        if (key !== undefined && target) key = target + ' ' + key;
        var wrong = WSPEER_JOIN.checkTarget(peer.join, target);
        if (wrong) return WSPEER.fail(WSPEER_C.ERR_TARGET, wrong);
        if (peer.join.scene) return WSPEER_SCENE.putRaw(peer, target, text, data, key);
        if (peer.join.godot3 && text)
          return WSPEER.fail(WSPEER_C.ERR_ARG, 'Godot 3\'s format has no text messages: send it as WS_BINARY');
        if (peer.join.godot3) data = WSPEER_JOIN.frame3(peer.join.id, target || 0, data);
      }
      if (!early || WSPEER_CONN.isUp(peer)) return WSPEER_CONN.sendCounted(peer, data, size, key);
      return WSPEER_CONN.accept(peer, data, size, key, function () {
        peer.early.push(WSPEER_LATEST.item(peer, peer.early, data, size, key));
        peer.earlyBytes += size;
      });
    },
    // ws_put_packets: single puts, up to the first that is not accepted.
    putSeveral: function (h, packets, n, taken) {
      var at = WSPEER_LAYOUT.packet_out, start, result, i;
      if (WSPEER.isNull('taken', taken)) return WSPEER_C.ERR_NULL;
      WSPEER.setSize(taken, 0);
      n = WSPEER.size(n);
      if (n && WSPEER.isNull('packets', packets)) return WSPEER_C.ERR_NULL;
      if (n * at.size > 0x7fffffff) return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'n is over what memory can hold');
      if (!WSPEER.find(h)) return WSPEER_C.ERR_HANDLE;
      for (i = 0; i < n; i++) {
        start = packets + i * at.size;
        result = WSPEER_CONN.put(h, (WSPEER.word(start + at.target) | 0) || undefined, WSPEER.wordOfSize(start + at.data),
          WSPEER.wordOfSize(start + at.len), WSPEER.word(start + at.type) | 0);
        if (result < 0) return result;
        WSPEER.setSize(taken, i + 1);
      }
      return WSPEER_C.OK;
    }
  }
});
