// wspeer in the browser: include/wspeer.h over the browser's own WebSocket, for Emscripten and for Unity's WebGL builds.
//
//   emcc game.c --js-library library_wspeer.js -sEXPORTED_FUNCTIONS=_main,_malloc,_free -o game.html
//
// The browser's events go into queues here, and the program takes them from there; nothing calls into WebAssembly but malloc and free. What a browser
// cannot do is WS_ERR_UNSUPPORTED with a sentence. docs/web.md has the differences from the native library. ECMAScript 5, as old Emscriptens read no more.
// The tables between markers are written by offsets.py.

var LibraryWspeer = {
  // <header> from include/wspeer.h
  $WSPEER_LAYOUT: {
    stats: {
      size: 176, struct_size: 0, connections: 4, messages_in: 8, messages_out: 16, bytes_in: 24, bytes_out: 32, wire_bytes_in: 40, wire_bytes_out: 48,
      queued_packets_in: 56, queued_bytes_in: 64, queued_packets_out: 72, queued_bytes_out: 80, skipped: 88, inbound_stalls: 96, rtt_us: 104,
      last_poll_us: 112, longest_poll_us: 120, accepted: 128, refused: 136, pending_handshakes: 144, compressed_in: 152, compressed_out: 160,
      deflate_memory_bytes: 168
    },
    packet: {
      size: 32, data: 0, len: 4, type: 8, peer_id: 12, conn: 16, flags: 20, user: 24
    },
    event: {
      size: 120, type: 0, conn: 4, peer_id: 8, code: 12, phase: 16, cause: 20, http_status: 24, os_error: 28, unsent: 32, clean: 36, time_ns: 40,
      count: 48, reserved: 56, packet: 88
    },
    config: {
      size: 152, struct_size: 0, owner: 4, flags: 8, poll_budget_us: 12, connect_timeout_ms: 16, handshake_timeout_ms: 20, close_timeout_ms: 24,
      heartbeat_ms: 28, pong_timeout_ms: 32, max_message_bytes: 36, max_fragments: 40, max_header_bytes: 44, inbound_packets: 48, inbound_bytes: 52,
      outbound_packets: 56, outbound_bytes: 60, max_messages_per_s: 64, max_bytes_per_s: 68, max_clients: 72, max_clients_per_address: 76,
      max_pending_handshakes: 80, on_full: 84, no_delay: 88, headers_count: 92, deflate_level: 96, deflate_threshold_bytes: 100,
      server_max_window_bits: 104, client_max_window_bits: 108, max_inflate_ratio: 112, reserved: 116, headers: 120, subprotocols: 124, ca_pem: 128,
      cert_pem: 132, key_pem: 136, server_name: 140, pin_sha256: 144, user: 148
    },
    variant: {
      size: 152, type: 0, count: 4, integer: 8, number: 16, data: 144, len: 148
    },
    call: {
      size: 16, path: 0, method: 4, arguments: 8, items: 12
    }
  },
  $WSPEER_C: {
    ABI_VERSION: 1, ANY_NAME: 512, APP_HEARTBEAT: 8192, AUTH: 2048, BINARY: 2, CALL: 3, CAUSE_CLOSED_BY_HOST: 1, CAUSE_CLOSED_BY_PEER: 2,
    CAUSE_CLOSE_TIMEOUT: 7, CAUSE_CONNECT_TIMEOUT: 22, CAUSE_DROPPED: 3, CAUSE_MULTIPLAYER: 56, CAUSE_NONE: 0, CAUSE_NOT_READING: 8,
    CAUSE_NO_HEARTBEAT: 64, CAUSE_PEER_GONE: 4, CAUSE_PONG_TIMEOUT: 9, CAUSE_TOO_BIG: 52, CLIENT_NO_CONTEXT_TAKEOVER: 128, CLOSED: 3, CLOSING: 2,
    COALESCE: 1, CONNECTING: 0, DEFLATE: 32, EMPTY: 1, ERR_ARG: -1, ERR_CONFIG: -10, ERR_FULL: -6, ERR_HANDLE: -3, ERR_KIND: -4, ERR_LIMIT: -15,
    ERR_NULL: -2, ERR_PANIC: -16, ERR_STATE: -5, ERR_TARGET: -9, ERR_TOO_BIG: -7, ERR_UNSUPPORTED: -14, ERR_URL: -11, ERR_UTF8: -8, EVENT_CLOSED: 4,
    EVENT_CLOSE_REQUEST: 3, EVENT_CONNECTED: 5, EVENT_DISCONNECTED: 6, EVENT_ERROR: 9, EVENT_MESSAGE: 2, EVENT_OPEN: 1, EVENT_WRITABLE: 7,
    FEATURE_CLIENT: 1, FEATURE_MULTIPLAYER: 256, FEATURE_TLS: 4, GET_BODY: 9, GET_CLOSE_REASON: 5, GET_ERROR: 6, GET_EXTENSIONS: 11,
    GET_LOCAL_ADDRESS: 7, GET_PATH: 2, GET_QUERY: 3, GET_REMOTE_ADDRESS: 8, GET_SUBPROTOCOL: 4, GET_TLS: 10, GET_URL: 1, GODOT3: 256, INSECURE: 4,
    NO_RELAY: 4096, OK: 0, ONLY_CA_PEM: 8, OPEN: 1, OPT_AUTH_TIMEOUT_MS: 26, OPT_CLOSE_TIMEOUT_MS: 4, OPT_COALESCE: 14, OPT_HEARTBEAT_MS: 2,
    OPT_INBOUND_BYTES: 9, OPT_INBOUND_PACKETS: 8, OPT_MAX_BYTES_PER_S: 13, OPT_MAX_MESSAGES_PER_S: 12, OPT_MAX_MESSAGE_BYTES: 6, OPT_NO_DELAY: 1,
    OPT_ON_FULL: 20, OPT_OUTBOUND_BYTES: 11, OPT_OUTBOUND_PACKETS: 10, OPT_POLL_BUDGET_US: 5, OPT_PONG_TIMEOUT_MS: 3, OPT_REFUSE_NEW: 15,
    OPT_TRANSFER_CHANNEL: 25, OPT_TRANSFER_MODE: 24, PHASE_APP: 7, PHASE_NONE: 0, PHASE_WEBSOCKET: 6, QUEUE_BEFORE_OPEN: 2, REFUSE_NEW: 16,
    SCENE: 1024, SERVER_NO_CONTEXT_TAKEOVER: 64, TEXT: 1, TRUNCATED: 4, VERSION: 100
  },
  // From the lowest result, -16, upwards.
  $WSPEER_NAMES: [
    'WS_ERR_PANIC', 'WS_ERR_LIMIT', 'WS_ERR_UNSUPPORTED', 'WS_ERR_ADDRESS', 'WS_ERR_TLS', 'WS_ERR_URL', 'WS_ERR_CONFIG', 'WS_ERR_TARGET',
    'WS_ERR_UTF8', 'WS_ERR_TOO_BIG', 'WS_ERR_FULL', 'WS_ERR_STATE', 'WS_ERR_KIND', 'WS_ERR_HANDLE', 'WS_ERR_NULL', 'WS_ERR_ARG', 'WS_OK', 'WS_EMPTY',
    'WS_MORE', 'WS_PARTIAL', 'WS_TRUNCATED'
  ],
  // </header>

  $WSPEER__deps: ['$WSPEER_LAYOUT', '$WSPEER_C', '$WSPEER_NAMES'],
  $WSPEER: {
    peers: {},
    nextHandle: 1,
    lastError: '',
    log: [],
    logLevel: 2,
    lostLines: 0,
    began: 0,
    names: {},
    emptyText: 0,
    encoder: null,
    decoder: null,

    // ---- Memory: pointers and sizes have 32 bits here; a table and these functions are all that 64 would change. ----

    word: function (at) { return HEAPU32[at >> 2]; },
    setWord: function (at, value) { HEAPU32[at >> 2] = value; },
    setLong: function (at, value) {
      HEAPU32[at >> 2] = value % 4294967296;
      HEAPU32[(at + 4) >> 2] = Math.floor(value / 4294967296);
    },
    // Bytes of the program as they are now. Web interfaces take no memory that threads share: it is copied.
    bytesAt: function (at, len) {
      if (typeof SharedArrayBuffer !== 'undefined' && HEAPU8.buffer instanceof SharedArrayBuffer) return HEAPU8.slice(at, at + len);
      return HEAPU8.subarray(at, at + len);
    },
    encode: function (text) {
      if (!WSPEER.encoder) WSPEER.encoder = new TextEncoder();
      return WSPEER.encoder.encode(text);
    },
    // null: not UTF-8.
    decode: function (bytes) {
      if (!WSPEER.decoder) WSPEER.decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      try {
        return WSPEER.decoder.decode(bytes);
      } catch (error) {
        return null;
      }
    },
    // A NUL-terminated text of the program; null: not UTF-8.
    textAt: function (at) {
      var end = at;
      while (HEAPU8[end]) end++;
      return WSPEER.decode(WSPEER.bytesAt(at, end - at));
    },
    // A text that stays in the program's memory.
    keepText: function (text) {
      var bytes = WSPEER.encode(text), at = _malloc(bytes.length + 1);
      if (!at) return 0;
      HEAPU8.set(bytes, at);
      HEAPU8[at + bytes.length] = 0;
      return at;
    },
    empty: function () {
      if (!WSPEER.emptyText) WSPEER.emptyText = WSPEER.keepText('');
      return WSPEER.emptyText;
    },
    copyText: function (text, buf, cap, len) {
      var bytes = WSPEER.encode(text), end = bytes.length;
      if (!buf && cap) return WSPEER.fail(WSPEER_C.ERR_NULL, 'buf is NULL and cap is not 0');
      if (len) WSPEER.setWord(len, bytes.length);
      if (!cap) return bytes.length ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
      if (end > cap - 1) {
        end = cap - 1;
        while (end && (bytes[end] & 0xc0) === 0x80) end--;
      }
      HEAPU8.set(bytes.subarray(0, end), buf);
      HEAPU8[buf + end] = 0;
      return end < bytes.length ? WSPEER_C.TRUNCATED : WSPEER_C.OK;
    },

    // ---- Failures, log, time ----

    fail: function (code, sentence) {
      WSPEER.lastError = sentence;
      return code;
    },
    unsupported: function (what) {
      return WSPEER.fail(WSPEER_C.ERR_UNSUPPORTED, 'a browser cannot do this: ' + what + ' (see ws_get_features)');
    },
    badConfig: function (why) { return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'the config cannot be used: ' + why); },
    isNull: function (name, at) {
      if (!at) WSPEER.fail(WSPEER_C.ERR_NULL, name + ' is NULL');
      return !at;
    },
    // The connection of a handle; null: the failure is told.
    find: function (h) {
      h = h >>> 0;
      if (WSPEER.peers[h]) return WSPEER.peers[h];
      WSPEER.fail(WSPEER_C.ERR_HANDLE, h ? 'the handle was freed or has retired' : 'handle 0 was given: check the result of the call that opened it');
      return null;
    },
    note: function (level, line) {
      if (level > WSPEER.logLevel) return;
      if (WSPEER.log.length >= 1024) {
        WSPEER.log.shift();
        WSPEER.lostLines++;
      }
      WSPEER.log.push(['', 'error', 'warning', 'info', 'debug'][level] + ': ' + line);
    },
    now: function () {
      var now = performance.now();
      if (!WSPEER.began) WSPEER.began = now;
      return now - WSPEER.began;
    },

    // ---- The queue of a connection: messages and other events, numbered in order ----

    fifo: function () { return { items: [], first: 0 }; },
    count: function (fifo) { return fifo.items.length - fifo.first; },
    peek: function (fifo) { return fifo.items[fifo.first]; },
    take: function (fifo) {
      var item = fifo.items[fifo.first];
      fifo.items[fifo.first++] = null;
      if (fifo.first === fifo.items.length) {
        fifo.items.length = 0;
        fifo.first = 0;
      } else if (fifo.first >= 1024 && fifo.first * 2 > fifo.items.length) {
        fifo.items.splice(0, fifo.first);
        fifo.first = 0;
      }
      return item;
    },
    push: function (peer, fifo, item) {
      item.number = peer.nextNumber++;
      item.time = WSPEER.now();
      fifo.items.push(item);
    },
    pushMark: function (peer, type, mark) {
      mark = mark || {};
      mark.type = type;
      if (mark.peerId === undefined) mark.peerId = peer.join ? 1 : 0;
      WSPEER.push(peer, peer.marks, mark);
    },
    pushMessage: function (peer, text, bytes, from) {
      peer.bytesWaiting += bytes.length;
      WSPEER.push(peer, peer.messages, { text: text, bytes: bytes, peerId: from });
    },
    // The next item; `messages`: the next message. undefined: there is none.
    next: function (peer, messages) {
      var message = WSPEER.peek(peer.messages), mark = messages ? undefined : WSPEER.peek(peer.marks);
      if (mark && (!message || mark.number < message.number)) return WSPEER.take(peer.marks);
      if (!message) return undefined;
      peer.bytesWaiting -= message.bytes.length;
      return WSPEER.take(peer.messages);
    },
    // Takes up to `cap` items, lends their bytes and writes them. How many; -1: no memory, and nothing was taken.
    lend: function (peer, messages, out, cap) {
      var items = [], total = 0, item, i, at;
      // The memory has to be there before anything is taken: at most what waits, texts with their NUL.
      for (i = 0; i < cap; i++) {
        item = WSPEER.next(peer, messages);
        if (!item) break;
        if (item.type) item.bytes = item.words ? WSPEER.encode(item.words + '\0') : null;
        items.push(item);
        total += item.bytes ? item.bytes.length : 0;
      }
      at = WSPEER.room(peer, total);
      if (total && !at) {
        WSPEER.putBack(peer, items);
        return -1;
      }
      for (i = 0; i < items.length; i++) {
        item = items[i];
        if (item.bytes) HEAPU8.set(item.bytes, at);
        if (messages) WSPEER.writePacket(peer, item, item.bytes.length ? at : WSPEER.empty(), out + i * WSPEER_LAYOUT.packet.size);
        else WSPEER.writeEvent(peer, item, item.bytes && item.bytes.length ? at : WSPEER.empty(), out + i * WSPEER_LAYOUT.event.size);
        if (item.bytes) at += item.bytes.length;
      }
      return items.length;
    },
    putBack: function (peer, items) {
      for (var i = items.length - 1; i >= 0; i--) {
        var fifo = items[i].type ? peer.marks : peer.messages;
        fifo.items.splice(fifo.first, 0, items[i]);
        if (!items[i].type) peer.bytesWaiting += items[i].bytes.length;
      }
    },
    // Memory of the connection for what is lent, grown in powers of two.
    room: function (peer, len) {
      if (len <= peer.lentSize) return peer.lent;
      var size = 256;
      while (size < len) size *= 2;
      var at = _malloc(size);
      if (!at) return 0;
      if (peer.lent) _free(peer.lent);
      peer.lent = at;
      peer.lentSize = size;
      return at;
    },
    writePacket: function (peer, item, data, out) {
      var packet = WSPEER_LAYOUT.packet, mark = item.type;
      HEAPU8.fill(0, out, out + packet.size);
      WSPEER.setWord(out + packet.data, data);
      WSPEER.setWord(out + packet.len, item.bytes ? item.bytes.length - (mark ? 1 : 0) : 0);
      WSPEER.setWord(out + packet.type, mark ? 0 : item.text ? WSPEER_C.TEXT : WSPEER_C.BINARY);
      WSPEER.setWord(out + packet.peer_id, item.peerId);
      WSPEER.setWord(out + packet.conn, peer.handle);
      WSPEER.setLong(out + packet.user, peer.user);
    },
    writeEvent: function (peer, item, data, out) {
      var event = WSPEER_LAYOUT.event;
      HEAPU8.fill(0, out, out + event.size);
      WSPEER.setWord(out + event.type, item.type || WSPEER_C.EVENT_MESSAGE);
      WSPEER.setWord(out + event.conn, peer.handle);
      WSPEER.setWord(out + event.peer_id, item.peerId);
      WSPEER.writePacket(peer, item, data, out + event.packet);
      if (!item.type) return;
      WSPEER.setWord(out + event.code, item.code || 0);
      WSPEER.setWord(out + event.phase, item.phase || 0);
      WSPEER.setWord(out + event.cause, item.cause || 0);
      WSPEER.setWord(out + event.http_status, item.status || 0);
      WSPEER.setWord(out + event.unsent, item.unsent || 0);
      WSPEER.setWord(out + event.clean, item.clean ? 1 : 0);
      WSPEER.setLong(out + event.time_ns, Math.round(item.time * 1e6));
      WSPEER.setLong(out + event.count, item.count || 0);
    },
    // ws_get_packet, ws_next_event and their batches.
    read: function (h, messages, out, cap, count) {
      var peer = WSPEER.find(h), taken;
      if (!peer) return WSPEER_C.ERR_HANDLE;
      taken = WSPEER.lend(peer, messages, out, cap);
      if (taken < 0) return WSPEER.fail(WSPEER_C.ERR_LIMIT, 'there is no memory for what came: allow the memory to grow (-sALLOW_MEMORY_GROWTH)');
      if (count) WSPEER.setWord(count, taken);
      return taken ? WSPEER_C.OK : WSPEER_C.EMPTY;
    },
    readBatch: function (h, messages, out, cap, count) {
      if (WSPEER.isNull('count', count)) return WSPEER_C.ERR_NULL;
      WSPEER.setWord(count, 0);
      if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
      if (!cap) return WSPEER.fail(WSPEER_C.ERR_ARG, 'cap is 0: give room for at least one item');
      return WSPEER.read(h, messages, out, cap >>> 0, count);
    },

    // ---- Opening ----

    // What a config says, or a result below 0.
    readConfig: function (config, join) {
      var at = WSPEER_LAYOUT.config, size = config ? WSPEER.word(config) : 0, texts = {}, protocols, name, i;
      if (config && (size < 152 || size > 4096)) {
        return WSPEER.badConfig('struct_size is ' + size + ' and should be ' + at.size + ': fill the config with ws_config_init(&config, sizeof config) first');
      }
      for (i = at.size; i < size; i++) {
        if (HEAPU8[config + i]) return WSPEER.badConfig('it sets a field that this version of wspeer does not know: update the library');
      }
      function field(offset) { return offset + 4 <= size ? WSPEER.word(config + offset) : 0; }
      // The name of the first of these fields that is set.
      function isSet(names, offsets) { return names.filter(function (name, i) { return field(offsets[i]) && field(offsets[i]) !== WSPEER.OFF; })[0]; }
      var flags = field(at.flags);
      var known = WSPEER_C.COALESCE | WSPEER_C.QUEUE_BEFORE_OPEN | WSPEER_C.INSECURE | WSPEER_C.ONLY_CA_PEM | WSPEER_C.REFUSE_NEW | WSPEER_C.DEFLATE | WSPEER_C.GODOT3 |
        WSPEER_C.SERVER_NO_CONTEXT_TAKEOVER | WSPEER_C.CLIENT_NO_CONTEXT_TAKEOVER | WSPEER_C.ANY_NAME | WSPEER_C.SCENE | WSPEER_C.AUTH | WSPEER_C.NO_RELAY | WSPEER_C.APP_HEARTBEAT;
      if (field(at.reserved)) return WSPEER.badConfig('reserved is ' + field(at.reserved) + ': it must be 0');
      if (flags & ~known) return WSPEER.badConfig('flags has unknown bits (0x' + ((flags & ~known) >>> 0).toString(16) + ')');
      if (!join && flags & WSPEER_C.GODOT3) return WSPEER.badConfig('WS_GODOT3 is for ws_host and ws_join');
      if (!join && flags & WSPEER_C.SCENE) return WSPEER.badConfig('WS_SCENE is for ws_host and ws_join');
      if (flags & (WSPEER_C.SCENE | WSPEER_C.AUTH | WSPEER_C.NO_RELAY)) return WSPEER.unsupported('WS_SCENE is not there, WS_GODOT3 and Godot 4\'s plain format are');
      if (join && flags & WSPEER_C.GODOT3 && flags & WSPEER_C.QUEUE_BEFORE_OPEN) {
        return WSPEER.badConfig('WS_QUEUE_BEFORE_OPEN goes neither with WS_GODOT3 nor with WS_SCENE, where packets are for others who have yet to come');
      }
      if (flags & (WSPEER_C.INSECURE | WSPEER_C.ONLY_CA_PEM | WSPEER_C.ANY_NAME)) return WSPEER.unsupported('which certificates are trusted is the browser\'s own affair');
      if (flags & (WSPEER_C.SERVER_NO_CONTEXT_TAKEOVER | WSPEER_C.CLIENT_NO_CONTEXT_TAKEOVER)) return WSPEER.unsupported('the browser agrees on compression by itself');
      name = isSet(['ca_pem', 'cert_pem', 'key_pem', 'server_name', 'pin_sha256'], [at.ca_pem, at.cert_pem, at.key_pem, at.server_name, at.pin_sha256]);
      if (name) return WSPEER.unsupported('TLS is the browser\'s own affair, so leave ' + name + ' NULL');
      if (field(at.headers_count)) return WSPEER.unsupported('a request has no headers of one\'s own; say it in the URL\'s query or in the first message');
      name = isSet(['deflate_level', 'deflate_threshold_bytes', 'server_max_window_bits', 'client_max_window_bits', 'max_inflate_ratio'],
        [at.deflate_level, at.deflate_threshold_bytes, at.server_max_window_bits, at.client_max_window_bits, at.max_inflate_ratio]);
      if (name) return WSPEER.unsupported('the browser compresses by itself, so leave ' + name + ' 0');
      var beats = flags & WSPEER_C.APP_HEARTBEAT;
      name = beats ? '' : isSet(['heartbeat_ms', 'pong_timeout_ms'], [at.heartbeat_ms, at.pong_timeout_ms]);
      if (name) return WSPEER.unsupported('it shows no pings, so leave ' + name + ' 0, or set WS_APP_HEARTBEAT here and at a server of wspeer');
      if (beats && field(at.max_message_bytes) && field(at.max_message_bytes) < 32) {
        return WSPEER.badConfig('max_message_bytes is ' + field(at.max_message_bytes) + ': WS_APP_HEARTBEAT needs at least 32');
      }
      name = isSet(['max_messages_per_s', 'max_bytes_per_s'], [at.max_messages_per_s, at.max_bytes_per_s]);
      if (name) return WSPEER.unsupported('it does not stop reading, so leave ' + name + ' 0');
      name = isSet(['max_fragments', 'max_header_bytes'], [at.max_fragments, at.max_header_bytes]);
      if (name) return WSPEER.unsupported('it shows neither frames nor headers, so leave ' + name + ' 0');
      if (field(at.deflate_threshold_bytes)) return WSPEER.unsupported('the browser compresses by itself, so leave deflate_threshold_bytes 0');
      if (field(at.no_delay) && field(at.no_delay) !== 1) return WSPEER.unsupported('TCP_NODELAY is the browser\'s own affair, so leave no_delay 0');
      texts = field(at.subprotocols) ? WSPEER.textAt(field(at.subprotocols)) : '';
      if (texts === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'subprotocols is not valid UTF-8');
      protocols = texts.split(',').map(function (one) { return one.trim(); }).filter(function (one) { return one; });
      var options = {};
      function option(number, value, standard) { options[number] = value || standard; }
      option(WSPEER_C.OPT_NO_DELAY, 0, 1);
      option(WSPEER_C.OPT_HEARTBEAT_MS, beats ? field(at.heartbeat_ms) : 0, beats ? 20000 : WSPEER.OFF);
      option(WSPEER_C.OPT_PONG_TIMEOUT_MS, beats ? field(at.pong_timeout_ms) : 0, 0);
      option(WSPEER_C.OPT_CLOSE_TIMEOUT_MS, field(at.close_timeout_ms), 3000);
      option(WSPEER_C.OPT_POLL_BUDGET_US, field(at.poll_budget_us), 1000);
      option(WSPEER_C.OPT_MAX_MESSAGE_BYTES, field(at.max_message_bytes), 16777216);
      // A browser reads on and a page may sleep, so more may wait than on other platforms.
      option(WSPEER_C.OPT_INBOUND_PACKETS, field(at.inbound_packets), 65536);
      option(WSPEER_C.OPT_INBOUND_BYTES, field(at.inbound_bytes), 67108864);
      option(WSPEER_C.OPT_OUTBOUND_PACKETS, field(at.outbound_packets), 4096);
      option(WSPEER_C.OPT_OUTBOUND_BYTES, field(at.outbound_bytes), 4194304);
      option(WSPEER_C.OPT_MAX_MESSAGES_PER_S, 0, WSPEER.OFF);
      option(WSPEER_C.OPT_MAX_BYTES_PER_S, 0, WSPEER.OFF);
      option(WSPEER_C.OPT_COALESCE, flags & WSPEER_C.COALESCE, 0);
      option(WSPEER_C.OPT_TRANSFER_MODE, 0, 2);
      option(WSPEER_C.OPT_TRANSFER_CHANNEL, 0, 0);
      if (options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS] === WSPEER.OFF) return WSPEER.badConfig('close_timeout_ms must be above 0');
      return { flags: flags, owner: field(at.owner), user: field(at.user), protocols: protocols, options: options, timeout: field(at.connect_timeout_ms) || 10000 };
    },
    // A URL that can be used, taken apart; or why not.
    readUrl: function (text) {
      var authority = /^wss?:\/\/([^\/?#]*)/i.exec(text), url;
      if (/[\s\x00-\x1f\x7f]/.test(text)) return 'it has a space or a control character in it';
      if (!authority) return 'it must start with ws:// or wss://';
      if (!authority[1].replace(/^.*@/, '').replace(/:\d*$/, '')) return 'empty host';
      if (Number((/:(\d+)$/.exec(authority[1]) || [0, 0])[1]) > 65535) return 'invalid port number';
      if (text.indexOf('#') >= 0) return 'a WebSocket URL has no #fragment (RFC 6455 section 3)';
      try {
        url = new URL(text);
      } catch (error) {
        return 'the browser cannot read it';
      }
      return url;
    },
    open: function (urlAt, config, out, join) {
      if (WSPEER.isNull('out', out) || WSPEER.isNull('url', urlAt)) return WSPEER_C.ERR_NULL;
      if (typeof _malloc === 'undefined') return WSPEER.fail(WSPEER_C.ERR_LIMIT, 'malloc is not exported: link with -sEXPORTED_FUNCTIONS=_main,_malloc,_free');
      var text = WSPEER.textAt(urlAt), settings = WSPEER.readConfig(config, join), url, peer, socket;
      if (text === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'url is not valid UTF-8');
      if (typeof settings === 'number') return settings;
      url = WSPEER.readUrl(text);
      if (typeof url === 'string') return WSPEER.fail(WSPEER_C.ERR_URL, 'the URL cannot be used: ' + url);
      if (url.username || url.password) return WSPEER.unsupported('a request has no Authorization header, so leave user name and password out of the URL');
      try {
        socket = new WebSocket(settings.flags & WSPEER_C.APP_HEARTBEAT ? WSPEER.askIn(url.href) : url.href, settings.protocols);
      } catch (error) {
        if (error.name === 'SyntaxError') return WSPEER.badConfig('the browser takes these subprotocols or this URL not: ' + error.message);
        return WSPEER.fail(WSPEER_C.ERR_URL, 'the browser does not open it: ' + error.message);
      }
      socket.binaryType = 'arraybuffer';
      peer = {
        handle: WSPEER.nextHandle++, socket: socket, state: WSPEER_C.CONNECTING, url: url, options: settings.options, flags: settings.flags, owner: settings.owner,
        user: settings.user, deadline: settings.timeout === WSPEER.OFF ? Infinity : WSPEER.now() + settings.timeout, timeout: settings.timeout,
        messages: WSPEER.fifo(), marks: WSPEER.fifo(), nextNumber: 0, bytesWaiting: 0, lent: 0, lentSize: 0,
        early: [], earlyBytes: 0, sizes: WSPEER.fifo(), sizesBytes: 0, wanted: -1,
        closing: null, end: null, reason: '', error: '', status: 0, messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0,
        rttUs: 0, pulse: settings.flags & WSPEER_C.APP_HEARTBEAT ? WSPEER.pulse() : null,
        join: join ? { godot3: (settings.flags & WSPEER_C.GODOT3) !== 0, id: 0, others: {} } : null
      };
      WSPEER.peers[peer.handle] = peer;
      socket.onopen = function () { WSPEER.opened(peer); };
      socket.onmessage = function (event) { WSPEER.came(peer, event.data); };
      socket.onclose = function (event) { WSPEER.closed(peer, event); };
      WSPEER.setWord(out, peer.handle);
      return WSPEER_C.OK;
    },

    // ---- What the browser tells ----

    opened: function (peer) {
      peer.status = 101;
      if (peer.pulse) WSPEER.beginPulse(peer);
      if (peer.join) return WSPEER.sendEarly(peer);
      peer.state = WSPEER_C.OPEN;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_OPEN);
      WSPEER.note(3, peer.url.href + ' is open');
      WSPEER.sendEarly(peer);
    },
    sendEarly: function (peer) {
      var early = peer.early;
      peer.early = [];
      peer.earlyBytes = 0;
      early.forEach(function (data) { WSPEER.send(peer, data.data, data.size); });
    },
    came: function (peer, data) {
      var text = typeof data === 'string', bytes = text ? WSPEER.encode(data) : new Uint8Array(data), most = peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES];
      if (!WSPEER.allows(most, bytes.length)) {
        return WSPEER.breakOff(peer, 1009, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_TOO_BIG,
          'a message is longer than max_message_bytes (' + most + '): raise it, or send less at a time');
      }
      var watched = peer.pulse ? WSPEER.watch(peer, text, bytes) : WSPEER.OF_HOST;
      if (watched === WSPEER.BEAT) return;
      var waiting = WSPEER.count(peer.messages), packets = peer.options[WSPEER_C.OPT_INBOUND_PACKETS], room = peer.options[WSPEER_C.OPT_INBOUND_BYTES];
      if (waiting && ((packets !== WSPEER.OFF && waiting >= packets) || (room !== WSPEER.OFF && peer.bytesWaiting >= room))) {
        return WSPEER.breakOff(peer, 1008, WSPEER_C.PHASE_APP, WSPEER_C.CAUSE_NOT_READING,
          'the inbound queue is full and a browser cannot stop the peer: take all items each frame, or raise inbound_packets or inbound_bytes');
      }
      peer.messagesIn++;
      peer.bytesIn += bytes.length;
      if (peer.join) WSPEER.cameToJoin(peer, text, bytes);
      else WSPEER.pushMessage(peer, text, bytes, 0);
      if (watched === WSPEER.NOT_OFFERED) WSPEER.losePulse(peer);
    },
    closed: function (peer, event) {
      var closing = peer.closing, code = event.code;
      if (!peer.status) {
        return WSPEER.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_NONE, cause: WSPEER_C.CAUSE_NONE, words: 'the connection could not be opened, and a browser does not say why: ' +
            'check host and port, that the server runs, its certificate, path and subprotocols; the console may say more'
        });
      }
      peer.reason = event.reason;
      if (!event.wasClean) {
        return WSPEER.ended(peer, {
          code: code, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PEER_GONE,
          words: 'the connection ended without a closing handshake: the peer has gone, or broke the protocol, and a browser does not say which'
        });
      }
      if (closing) {
        if (code === closing.sent) code = closing.asked;
        return WSPEER.ended(peer, { code: code, clean: true, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSED_BY_HOST, words: 'closed as the host asked' });
      }
      WSPEER.pushMark(peer, WSPEER_C.EVENT_CLOSE_REQUEST, { code: code, words: event.reason });
      WSPEER.ended(peer, { code: code, clean: true, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSED_BY_PEER, words: 'the peer closed the connection' });
    },

    // ---- Ending ----

    // The last event, and the socket is let go.
    ended: function (peer, mark) {
      var socket = peer.socket;
      if (peer.state === WSPEER_C.CLOSED) return;
      WSPEER.settle(peer);
      mark.status = peer.status;
      mark.unsent = peer.early.length + (mark.clean && peer.closing ? 0 : WSPEER.count(peer.sizes));
      socket.onopen = socket.onmessage = socket.onclose = null;
      peer.error = mark.clean ? '' : mark.words;
      peer.state = WSPEER_C.CLOSED;
      peer.early = [];
      WSPEER.pushMark(peer, WSPEER_C.EVENT_CLOSED, mark);
      peer.end = mark;
      WSPEER.note(3, peer.url.href + ' ended: ' + mark.words + ' (code ' + mark.code + ')');
    },
    // What a page may say of a code: 1000 and 3000-4999.
    wireCode: function (code) { return code === 1000 || code >= 3000 ? code : code + 3000; },
    closeSocket: function (peer, code, reason) {
      try {
        if (code) peer.socket.close(WSPEER.wireCode(code), reason);
        else peer.socket.close();
      } catch (error) {
        WSPEER.note(1, 'the browser did not close: ' + error.message);
      }
    },
    // Fails the connection: the peer is told the code, and nothing more is read.
    breakOff: function (peer, code, phase, cause, words) {
      var short = words;
      while (WSPEER.encode(short).length > 123) short = short.slice(0, -1);
      WSPEER.closeSocket(peer, code, short);
      peer.reason = short;
      WSPEER.ended(peer, { code: code, phase: phase, cause: cause, words: words });
    },
    drop: function (peer, words) {
      WSPEER.closeSocket(peer, 0, '');
      WSPEER.ended(peer, { code: 1006, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_DROPPED, words: words });
    },
    close: function (peer, code, reason) {
      if (peer.state === WSPEER_C.CLOSED) return;
      if (code === -1) return WSPEER.drop(peer, 'the host dropped the connection');
      if (peer.closing) return;
      if (!peer.status) return WSPEER.drop(peer, 'the host closed the connection before it was open');
      code = code || 1000;
      peer.closing = { asked: code, sent: WSPEER.wireCode(code), waiting: peer.socket.bufferedAmount };
      peer.deadline = WSPEER.now() + peer.options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS];
      peer.state = WSPEER_C.CLOSING;
      WSPEER.closeSocket(peer, code, reason);
    },
    // What is wrong with a code and a reason to close with, as a result; 0: nothing.
    checkClose: function (code, reason) {
      var known = code === 0 || code === -1 || (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
      if (reason === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'reason is not valid UTF-8');
      if (!known) return WSPEER.fail(WSPEER_C.ERR_ARG, code + ' is no close code to send: use 0, -1, 1000-1003, 1007-1014 or 3000-4999');
      var size = WSPEER.encode(reason).length;
      if (size > 123) return WSPEER.fail(WSPEER_C.ERR_ARG, 'the close reason has ' + size + ' bytes: at most 123 fit');
      return 0;
    },
    free: function (peer) {
      if (peer.state !== WSPEER_C.CLOSED) {
        if (!peer.closing) WSPEER.closeSocket(peer, peer.status ? 1001 : 0, '');
        peer.socket.onopen = peer.socket.onmessage = peer.socket.onclose = null;
        peer.state = WSPEER_C.CLOSED;
      }
      if (peer.lent) _free(peer.lent);
      delete WSPEER.peers[peer.handle];
    },
    freeWhere: function (wanted) {
      Object.keys(WSPEER.peers).forEach(function (h) {
        if (wanted(WSPEER.peers[h])) WSPEER.free(WSPEER.peers[h]);
      });
    },
    // Timers and room for what is sent, judged once a frame.
    poll: function (peer) {
      if (peer.state === WSPEER_C.CLOSED) return;
      if (peer.wanted >= 0 && WSPEER.hasRoom(peer, peer.wanted)) {
        peer.wanted = -1;
        WSPEER.pushMark(peer, WSPEER_C.EVENT_WRITABLE, { peerId: peer.join ? 1 : 0 });
      }
      if (peer.pulse && peer.status && !peer.closing) WSPEER.judgePulse(peer);
      if (peer.state === WSPEER_C.CLOSED) return;
      if (peer.closing && peer.socket.bufferedAmount < peer.closing.waiting) {
        peer.closing.waiting = peer.socket.bufferedAmount;
        peer.deadline = WSPEER.now() + peer.options[WSPEER_C.OPT_CLOSE_TIMEOUT_MS];
      }
      if ((peer.state !== WSPEER_C.CONNECTING && !peer.closing) || WSPEER.now() < peer.deadline) return;
      if (peer.closing) {
        return WSPEER.ended(peer, {
          code: 1006, phase: WSPEER_C.PHASE_APP, cause: WSPEER_C.CAUSE_CLOSE_TIMEOUT,
          words: peer.socket.bufferedAmount ? 'the peer did not read what was sent before the close within close_timeout_ms' :
            'the peer did not answer the close within close_timeout_ms'
        });
      }
      if (peer.status) {
        return WSPEER.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_CONNECT_TIMEOUT,
          'the host sent no id within connect_timeout_ms: it may not be a multiplayer host, or it speaks the format of another Godot');
      }
      WSPEER.closeSocket(peer, 0, '');
      WSPEER.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_NONE, cause: WSPEER_C.CAUSE_CONNECT_TIMEOUT,
        words: 'the connection was not open after ' + peer.timeout + ' ms: check host and port, and that the server runs, or raise connect_timeout_ms'
      });
    },

    // ---- Sending ----

    OFF: 4294967295,
    allows: function (limit, amount) { return limit === WSPEER.OFF || amount <= limit; },
    // Forgets what has left: bufferedAmount says how many bytes have not.
    settle: function (peer) {
      var buffered = peer.socket.bufferedAmount;
      while (WSPEER.count(peer.sizes) && peer.sizesBytes - WSPEER.peek(peer.sizes) >= buffered) peer.sizesBytes -= WSPEER.take(peer.sizes);
    },
    hasRoom: function (peer, len) {
      WSPEER.settle(peer);
      var waiting = peer.socket.bufferedAmount + peer.earlyBytes, packets = WSPEER.count(peer.sizes) + peer.early.length;
      return (!waiting && !packets) || (WSPEER.allows(peer.options[WSPEER_C.OPT_OUTBOUND_BYTES], waiting + len) &&
        WSPEER.allows(peer.options[WSPEER_C.OPT_OUTBOUND_PACKETS], packets + 1));
    },
    send: function (peer, data, size) {
      peer.sizes.items.push(size);
      peer.sizesBytes += size;
      peer.socket.send(data);
    },
    // ws_put_packet and ws_put_packet_to; `target` undefined: to the peer, or as a join does.
    put: function (h, target, at, len, type) {
      var peer, data, early, size = len >>> 0, text = type === WSPEER_C.TEXT;
      if (size && !at) return WSPEER.fail(WSPEER_C.ERR_NULL, 'data is NULL and its length is not 0');
      if (size > 2147483647) return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'the length of data is over what memory can hold');
      if (type === WSPEER_C.CALL) return WSPEER.unsupported('remote calls need WS_SCENE, which is not there');
      if (!text && type !== WSPEER_C.BINARY) return WSPEER.fail(WSPEER_C.ERR_ARG, type + ' is no type of message: use WS_TEXT, WS_BINARY or WS_CALL');
      data = WSPEER.bytesAt(at, size);
      if (text) data = WSPEER.decode(data);
      if (data === null) return WSPEER.fail(WSPEER_C.ERR_UTF8, 'the text is not valid UTF-8: send it as WS_BINARY or mend it');
      peer = WSPEER.find(h);
      if (!peer) return WSPEER_C.ERR_HANDLE;
      if (target !== undefined && !peer.join) return WSPEER.fail(WSPEER_C.ERR_KIND, 'only servers, hosts and joins have targets; use ws_put_packet');
      if (target === -2147483648) return WSPEER.fail(WSPEER_C.ERR_ARG, 'INT32_MIN is no target');
      if (peer.join && peer.join.godot3) size += 9;
      if (!WSPEER.allows(peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES], size)) {
        return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'the message has ' + size + ' bytes and at most ' + peer.options[WSPEER_C.OPT_MAX_MESSAGE_BYTES] +
          ' are allowed: split it, or raise max_message_bytes at both ends');
      }
      early = peer.state === WSPEER_C.CONNECTING && peer.flags & WSPEER_C.QUEUE_BEFORE_OPEN;
      if ((peer.state !== WSPEER_C.OPEN || peer.socket.readyState !== 1) && !early) {
        return WSPEER.fail(WSPEER_C.ERR_STATE, 'the connection is not OPEN: wait for the OPEN event, or set WS_QUEUE_BEFORE_OPEN before connecting');
      }
      if (peer.join) {
        var wrong = WSPEER.checkTarget(peer.join, target);
        if (wrong) return WSPEER.fail(WSPEER_C.ERR_TARGET, wrong);
        if (peer.join.godot3 && text) return WSPEER.fail(WSPEER_C.ERR_ARG, 'Godot 3\'s format has no text: put it as WS_BINARY');
        if (peer.join.godot3) data = WSPEER.frame3(peer.join.id, target || 0, data);
      }
      if (!WSPEER.hasRoom(peer, size)) {
        peer.wanted = size;
        return WSPEER.fail(WSPEER_C.ERR_FULL, 'the outbound queue is full: poll and put it again after the WRITABLE event, or raise outbound_bytes or outbound_packets');
      }
      if (early && !peer.status) {
        peer.early.push({ data: text ? data : new Uint8Array(data), size: size });
        peer.earlyBytes += size;
      } else {
        WSPEER.send(peer, data, size);
      }
      peer.messagesOut++;
      peer.bytesOut += size;
      return WSPEER_C.OK;
    },

    // ---- Multiplayer: Godot 4's format, where the first message is the id, and Godot 3's, where every message has 9 bytes in front (kind, from, to) ----

    cameToJoin: function (peer, text, bytes) {
      var join = peer.join, why = join.godot3 ? WSPEER.read3(peer, text, bytes) : join.id ? '' : WSPEER.readId(peer, text, bytes, 0, bytes.length);
      if (why) return WSPEER.breakOff(peer, 1002, WSPEER_C.PHASE_WEBSOCKET, WSPEER_C.CAUSE_MULTIPLAYER, 'the host broke the multiplayer format: ' + why);
      if (why === '') WSPEER.pushMessage(peer, text, bytes, 1);
    },
    number: function (bytes, at) { return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24; },
    // Takes the id in; null when it is one, else why not.
    readId: function (peer, text, bytes, at, len) {
      var id = WSPEER.number(bytes, at);
      if (text) return 'the first message is text and not an id of 4 bytes';
      if (len !== 4) return 'the first message has ' + len + ' bytes and not the 4 of an id';
      if (id < 2) return id + ' is no id for one who joins: those are 2 and above';
      peer.join.id = id;
      if (peer.state === WSPEER_C.CONNECTING) peer.state = WSPEER_C.OPEN;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_OPEN, { peerId: id });
      if (!peer.join.godot3) WSPEER.pushMark(peer, WSPEER_C.EVENT_CONNECTED, { peerId: 1 });
      return null;
    },
    // One message in Godot 3's format; null: done, else what is wrong with it.
    read3: function (peer, text, bytes) {
      var join = peer.join, kind = bytes[0], id, from;
      if (bytes.length < 9) return 'a message has ' + bytes.length + ' bytes and not the 9 of its header';
      if (text) return 'a message is text, and this format has none';
      if (kind > 3) return kind + ' is no kind of message';
      if (kind && bytes.length < 13) return 'a message about an id has ' + bytes.length + ' bytes and not 13';
      id = WSPEER.number(bytes, 9);
      if (kind === 3) return join.id ? 'it gave an id twice' : WSPEER.readId(peer, false, bytes, 9, 4);
      if (!join.id) return 'its first message gives no id';
      if (kind === 0) {
        from = WSPEER.number(bytes, 1);
        if (from < 1) return from + ' is no sender';
        WSPEER.pushMessage(peer, false, bytes.subarray(9), from);
        return null;
      }
      if (id < 1) return id + ' is no id of a peer';
      if (kind === 1 && id !== join.id && !join.others[id]) {
        join.others[id] = true;
        WSPEER.pushMark(peer, WSPEER_C.EVENT_CONNECTED, { peerId: id });
      } else if (kind === 2 && join.others[id]) {
        delete join.others[id];
        WSPEER.pushMark(peer, WSPEER_C.EVENT_DISCONNECTED, { peerId: id });
      }
      return null;
    },
    frame3: function (from, to, data) {
      var framed = new Uint8Array(9 + data.length);
      for (var i = 0; i < 4; i++) {
        framed[1 + i] = from >> (8 * i);
        framed[5 + i] = to >> (8 * i);
      }
      framed.set(data, 9);
      return framed;
    },
    checkTarget: function (join, target) {
      if (target === undefined || target === 1) return '';
      if (!join.godot3) return 'one who joins reaches only the host, target 1, in Godot 4\'s format: let the game on the host pass it on';
      if (target === join.id) return target + ' is this peer itself';
      if (target > 0 && !join.others[target]) return 'no peer ' + target + ' is here: it may have gone';
      return '';
    },

    // ---- The application heartbeat, docs/heartbeat.md: this end asks in the URL and pings; the server announces and answers ----

    OF_HOST: 0,
    BEAT: 1,
    NOT_OFFERED: 2,
    pulse: function () { return { marker: null, deadline: Infinity, number: 0, asked: -1, pinged: 0, heard: 0, polled: 0 }; },
    askIn: function (href) { return href + (href.indexOf('?') < 0 ? '?' : '&') + 'wspeer-heartbeat=1'; },
    beginPulse: function (peer) {
      var now = WSPEER.now();
      peer.pulse.pinged = peer.pulse.heard = peer.pulse.polled = now;
      if (peer.timeout !== WSPEER.OFF) peer.pulse.deadline = now + peer.timeout;
    },
    begins: function (bytes, start) { return start.every(function (byte, i) { return bytes[i] === byte; }); },
    // Whether a message is a heartbeat, or the host's.
    watch: function (peer, text, bytes) {
      var pulse = peer.pulse, announcement;
      pulse.heard = WSPEER.now();
      if (!pulse.marker) {
        announcement = Array.prototype.slice.call(WSPEER.encode('wspeer-heartbeat'));
        if (text || bytes.length !== 32 || !WSPEER.begins(bytes, announcement)) return WSPEER.NOT_OFFERED;
        pulse.marker = Array.prototype.slice.call(bytes, 16);
        return WSPEER.BEAT;
      }
      if (text || bytes.length < 17 || !WSPEER.begins(bytes, pulse.marker)) return WSPEER.OF_HOST;
      if (bytes.length === 21 && pulse.asked >= 0 && WSPEER.begins(bytes, WSPEER.beat(pulse, 2))) {
        peer.rttUs = Math.max(1, Math.round((pulse.heard - pulse.asked) * 1000));
        pulse.asked = -1;
      }
      return WSPEER.BEAT;
    },
    beat: function (pulse, kind) {
      var number = pulse.number;
      return pulse.marker.concat([kind, number >>> 24, number >>> 16 & 255, number >>> 8 & 255, number & 255]);
    },
    pongTimeout: function (peer) {
      var interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS];
      return peer.options[WSPEER_C.OPT_PONG_TIMEOUT_MS] || (interval === WSPEER.OFF ? WSPEER.OFF : Math.min(interval * 3, WSPEER.OFF));
    },
    // As the native library judges its pings. A gap in polling moves all: the page slept.
    judgePulse: function (peer) {
      var pulse = peer.pulse, now = WSPEER.now(), gap = now - pulse.polled, interval = peer.options[WSPEER_C.OPT_HEARTBEAT_MS], timeout = WSPEER.pongTimeout(peer);
      pulse.polled = now;
      if (gap > 1000) {
        pulse.heard += gap;
        pulse.pinged += gap;
        pulse.deadline += gap;
        if (pulse.asked >= 0) pulse.asked += gap;
      }
      if (!pulse.marker) return now < pulse.deadline ? undefined : WSPEER.losePulse(peer);
      if (!interval || interval === WSPEER.OFF) return undefined;
      if (now >= pulse.pinged + interval) {
        pulse.pinged = now;
        if (pulse.asked < 0 && peer.socket.readyState === 1) {
          pulse.number = (pulse.number + 1) >>> 0;
          pulse.asked = now;
          peer.socket.send(new Uint8Array(WSPEER.beat(pulse, 1)));
        }
      }
      if (timeout === WSPEER.OFF || pulse.asked < 0) return undefined;
      timeout = Math.max(timeout, interval);
      if (now < Math.max(pulse.heard + timeout, pulse.asked + Math.max(timeout - interval, Math.min(interval, 1000)))) return undefined;
      WSPEER.closeSocket(peer, 0, '');
      return WSPEER.ended(peer, {
        code: 1006, phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_PONG_TIMEOUT,
        words: 'the peer was silent for ' + Math.round(now - pulse.heard) + ' ms and answered no ping: the link is cut, or raise pong_timeout_ms'
      });
    },
    losePulse: function (peer) {
      peer.pulse = null;
      WSPEER.pushMark(peer, WSPEER_C.EVENT_ERROR, {
        phase: WSPEER_C.PHASE_WEBSOCKET, cause: WSPEER_C.CAUSE_NO_HEARTBEAT, words: 'the server offers no application heartbeat: it is another than wspeer or has ' +
          'no WS_APP_HEARTBEAT; there is no round-trip time, and a dead link shows late'
      });
    },

    // ---- Options ----

    // 0: the connection has that option. `set`: it is to be changed.
    checkOption: function (peer, option, set) {
      if (option >= WSPEER_C.OPT_REFUSE_NEW && option <= WSPEER_C.OPT_ON_FULL) return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of servers');
      if (option >= WSPEER_C.OPT_TRANSFER_MODE && option <= WSPEER_C.OPT_AUTH_TIMEOUT_MS && !peer.join) {
        return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of hosts and joins');
      }
      if (option < 1 || option > WSPEER_C.OPT_AUTH_TIMEOUT_MS) return WSPEER.fail(WSPEER_C.ERR_ARG, option + ' is no WS_OPT_*');
      var own = [WSPEER_C.OPT_NO_DELAY, WSPEER_C.OPT_HEARTBEAT_MS, WSPEER_C.OPT_PONG_TIMEOUT_MS, WSPEER_C.OPT_MAX_MESSAGES_PER_S, WSPEER_C.OPT_MAX_BYTES_PER_S];
      if (set && peer.flags & WSPEER_C.APP_HEARTBEAT && (option === WSPEER_C.OPT_HEARTBEAT_MS || option === WSPEER_C.OPT_PONG_TIMEOUT_MS)) return 0;
      if (peer.options[option] === undefined || (set && own.indexOf(option) >= 0)) return WSPEER.unsupported('option ' + option + ' is the browser\'s own affair');
      return 0;
    }
  },

  // ---- The functions of the header, in its order ----

  ws_get_state: function (h) {
    var peer = WSPEER.find(h);
    return peer ? peer.state : WSPEER_C.ERR_HANDLE;
  },
  ws_get_available: function (h) {
    var peer = WSPEER.find(h);
    return peer ? WSPEER.count(peer.messages) : WSPEER_C.ERR_HANDLE;
  },
  ws_get_text: function (h, what, buf, cap, len) {
    var peer = WSPEER.find(h), text;
    if (!peer) return WSPEER_C.ERR_HANDLE;
    switch (what) {
      case WSPEER_C.GET_URL: text = peer.url.href; break;
      case WSPEER_C.GET_PATH: text = peer.url.pathname; break;
      case WSPEER_C.GET_QUERY: text = peer.url.search.slice(1); break;
      case WSPEER_C.GET_SUBPROTOCOL: text = peer.socket.protocol; break;
      case WSPEER_C.GET_CLOSE_REASON: text = peer.reason; break;
      case WSPEER_C.GET_ERROR: text = peer.error; break;
      case WSPEER_C.GET_EXTENSIONS: text = peer.socket.extensions; break;
      case WSPEER_C.GET_LOCAL_ADDRESS:
      case WSPEER_C.GET_REMOTE_ADDRESS: return WSPEER.unsupported('it tells no addresses');
      case WSPEER_C.GET_BODY: return WSPEER.unsupported('it does not show the answer of a server that refuses');
      case WSPEER_C.GET_TLS: return WSPEER.unsupported('it does not tell the TLS version and cipher');
      default: return WSPEER.fail(WSPEER_C.ERR_ARG, what + ' is no WS_GET_*');
    }
    return WSPEER.copyText(text, buf, cap >>> 0, len);
  },
  ws_get_header: function (h, name, index, buf, cap, len) {
    if (WSPEER.isNull('name', name)) return WSPEER_C.ERR_NULL;
    return WSPEER.find(h) ? WSPEER.unsupported('it does not show the headers of the answer') : WSPEER_C.ERR_HANDLE;
  },
  ws_get_stats: function (h, out, size) {
    var at = WSPEER_LAYOUT.stats, peer, values, name;
    size = Math.min(size >>> 0, at.size);
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    if (size < 8) return WSPEER.fail(WSPEER_C.ERR_ARG, 'size is ' + size + ': pass sizeof(ws_stats)');
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER.settle(peer);
    values = [
      [at.messages_in, peer.messagesIn], [at.messages_out, peer.messagesOut], [at.bytes_in, peer.bytesIn], [at.bytes_out, peer.bytesOut],
      [at.rtt_us, peer.rttUs], [at.queued_packets_in, WSPEER.count(peer.messages)], [at.queued_bytes_in, peer.bytesWaiting],
      [at.queued_packets_out, WSPEER.count(peer.sizes) + peer.early.length], [at.queued_bytes_out, peer.socket.bufferedAmount + peer.earlyBytes]
    ];
    HEAPU8.fill(0, out, out + size);
    WSPEER.setWord(out + at.struct_size, size);
    WSPEER.setWord(out + at.connections, peer.state === WSPEER_C.OPEN ? 1 : 0);
    values.forEach(function (value) {
      if (value[0] + 8 <= size) WSPEER.setLong(out + value[0], value[1]);
    });
    return WSPEER_C.OK;
  },
  ws_get_end: function (h, out) {
    var peer;
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    if (!peer.end) return WSPEER_C.EMPTY;
    var end = peer.end, bytes = end.bytes;
    end.bytes = null;
    WSPEER.writeEvent(peer, end, WSPEER.empty(), out);
    end.bytes = bytes;
    return WSPEER_C.OK;
  },
  ws_get_option: function (h, option, out) {
    var peer, wrong;
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    wrong = WSPEER.checkOption(peer, option, false);
    if (wrong) return wrong;
    WSPEER.setWord(out, option === WSPEER_C.OPT_PONG_TIMEOUT_MS ? WSPEER.pongTimeout(peer) : peer.options[option]);
    return WSPEER_C.OK;
  },
  ws_set_option: function (h, option, value) {
    var peer = WSPEER.find(h), wrong, why = '';
    if (!peer) return WSPEER_C.ERR_HANDLE;
    wrong = WSPEER.checkOption(peer, option, true);
    if (wrong) return wrong;
    value = value >>> 0;
    if (option === WSPEER_C.OPT_COALESCE && value > 1) why = 'must be 0 or 1';
    if (option === WSPEER_C.OPT_TRANSFER_MODE && value > 2) why = 'must be 0, 1 or 2';
    if (option === WSPEER_C.OPT_TRANSFER_CHANNEL && value > 2147483647) why = 'must be below 2147483648';
    if ((option === WSPEER_C.OPT_POLL_BUDGET_US || option === WSPEER_C.OPT_CLOSE_TIMEOUT_MS) && !value) why = 'must be above 0';
    if (option === WSPEER_C.OPT_CLOSE_TIMEOUT_MS && value === WSPEER.OFF) why = 'must be above 0';
    if (why) return WSPEER.fail(WSPEER_C.ERR_ARG, 'option ' + option + ' cannot be ' + value + ': it ' + why);
    peer.options[option] = value;
    return WSPEER_C.OK;
  },
  ws_set_user: function (h, user) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    peer.user = user >>> 0;
    return WSPEER_C.OK;
  },
  ws_get_conns: function (h, out, cap, count) {
    return WSPEER.find(h) ? WSPEER.fail(WSPEER_C.ERR_KIND, 'only servers and hosts have clients') : WSPEER_C.ERR_HANDLE;
  },
  ws_get_waiting: function (h, out, cap, count) {
    return WSPEER.find(h) ? WSPEER.fail(WSPEER_C.ERR_KIND, 'only servers and hosts have clients') : WSPEER_C.ERR_HANDLE;
  },
  ws_get_conn: function (h, peer_id, out) {
    var peer;
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    if (!peer.join) return WSPEER.fail(WSPEER_C.ERR_KIND, 'only hosts and joins have peers with ids');
    if (peer_id !== 1) return WSPEER.fail(WSPEER_C.ERR_TARGET, 'one who joins has a connection only to the host, peer 1');
    WSPEER.setWord(out, peer.handle);
    return WSPEER_C.OK;
  },
  ws_get_peer_id: function (h) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    return peer.join ? peer.join.id : WSPEER.fail(WSPEER_C.ERR_KIND, 'only hosts and joins have peers with ids');
  },
  ws_result_name: function (r) {
    var name = WSPEER_NAMES[r - WSPEER_C.ERR_PANIC] || 'WS_UNKNOWN';
    if (!WSPEER.names[name]) WSPEER.names[name] = WSPEER.keepText(name);
    return WSPEER.names[name];
  },
  ws_last_error: function (buf, cap, len) { return WSPEER.copyText(WSPEER.lastError, buf, cap >>> 0, len); },
  ws_set_log_level: function (level) {
    if (level < 0 || level > 4) return WSPEER.fail(WSPEER_C.ERR_ARG, level + ' is no WS_LOG_*');
    WSPEER.logLevel = level;
    return WSPEER_C.OK;
  },
  ws_get_log: function (buf, cap, len) {
    var result;
    if (WSPEER.lostLines) {
      WSPEER.log.unshift('warning: ' + WSPEER.lostLines + ' log lines were lost; call ws_get_log more often or lower the log level');
      WSPEER.lostLines = 0;
    }
    if (!WSPEER.log.length) return WSPEER_C.EMPTY;
    result = WSPEER.copyText(WSPEER.log[0], buf, cap >>> 0, len);
    if (result === WSPEER_C.OK) WSPEER.log.shift();
    return result;
  },
  ws_get_features: function () { return WSPEER_C.FEATURE_CLIENT | WSPEER_C.FEATURE_TLS | WSPEER_C.FEATURE_MULTIPLAYER; },
  ws_version: function () { return WSPEER_C.VERSION; },
  ws_abi_version: function () { return WSPEER_C.ABI_VERSION; },
  ws_struct_size: function (which) {
    var at = WSPEER_LAYOUT, one = [null, at.config, at.stats, at.packet, at.event, at.variant, at.call][which];
    return one ? one.size : 0;
  },
  ws_close: function (h, code, reason) {
    var words = reason ? WSPEER.textAt(reason) : '', wrong = WSPEER.checkClose(code, words), peer;
    if (wrong) return wrong;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER.close(peer, code, words);
    return WSPEER_C.OK;
  },
  ws_disconnect: function (h, target, code, reason) {
    return WSPEER.find(h) ? WSPEER.fail(WSPEER_C.ERR_KIND, 'only a server\'s handle has clients to disconnect; use ws_close') : WSPEER_C.ERR_HANDLE;
  },
  ws_free: function (h) {
    if (WSPEER.peers[h >>> 0]) WSPEER.free(WSPEER.peers[h >>> 0]);
  },
  ws_free_owner: function (owner) {
    if (owner) WSPEER.freeWhere(function (peer) { return peer.owner === owner >>> 0; });
  },
  ws_shutdown: function () {
    WSPEER.freeWhere(function () { return true; });
  },
  ws_poll: function (h) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER.poll(peer);
    return WSPEER_C.OK;
  },
  ws_get_packet: function (h, out) { return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, true, out, 1, 0); },
  ws_get_packets: function (h, out, cap, count) { return WSPEER.readBatch(h, true, out, cap, count); },
  ws_next_event: function (h, out) { return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, false, out, 1, 0); },
  ws_next_events: function (h, out, cap, count) { return WSPEER.readBatch(h, false, out, cap, count); },
  ws_config_init: function (config, size) {
    size = size >>> 0;
    if (WSPEER.isNull('config', config)) return WSPEER_C.ERR_NULL;
    if (size < 152 || size > 4096) return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'size is ' + size + ': pass sizeof(ws_config)');
    HEAPU8.fill(0, config, config + size);
    WSPEER.setWord(config, size);
    return WSPEER_C.OK;
  },
  ws_connect: function (url, config, out) { return WSPEER.open(url, config, out, false); },
  ws_listen: function (url, config, out) { return WSPEER.unsupported('it listens to nobody; run the server as a native program'); },
  ws_host: function (url, config, out) { return WSPEER.unsupported('it listens to nobody; run the host as a native program'); },
  ws_join: function (url, config, out) { return WSPEER.open(url, config, out, true); },
  ws_join_local: function (host, config, out) { return WSPEER.unsupported('there are no hosts in it'); },
  ws_pair: function (config, server_end, client_end) { return WSPEER.unsupported('it speaks the protocol only to the network'); },
  ws_attach: function (config, role, out) { return WSPEER.unsupported('it speaks the protocol only to the network'); },
  ws_feed: function (h, bytes, len, taken) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_take_output: function (h, buf, cap, len) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_declare_node: function (h, path, methods) { return WSPEER.unsupported('WS_SCENE is not there'); },
  ws_send_auth: function (h, peer_id, data, len) { return WSPEER.unsupported('WS_SCENE is not there'); },
  ws_complete_auth: function (h, peer_id) { return WSPEER.unsupported('WS_SCENE is not there'); },
  ws_encode_call: function (path, method, items, count, buf, cap, len) { return WSPEER.unsupported('WS_SCENE is not there'); },
  ws_decode_call: function (data, len, out, items, cap) { return WSPEER.unsupported('WS_SCENE is not there'); },
  ws_encode_variant: function (items, count, buf, cap, len) { return WSPEER.unsupported('Variants are not there'); },
  ws_decode_variant: function (data, len, items, cap, count, used) { return WSPEER.unsupported('Variants are not there'); },
  ws_put_packet: function (h, data, len, type) { return WSPEER.put(h, undefined, data, len, type); },
  ws_put_packet_to: function (h, target, data, len, type) { return WSPEER.put(h, target, data, len, type); },
  ws_flush: function (h) { return WSPEER.find(h) ? WSPEER_C.OK : WSPEER_C.ERR_HANDLE; },
  ws_wait: function (handles, n, timeout_ms) {
    return WSPEER.unsupported('a page must not wait inside a call; return to it each frame (emscripten_set_main_loop), or call emscripten_sleep with -sASYNCIFY');
  }
};

// <signatures> from include/wspeer.h
var WSPEER_SIGNATURES = {
  ws_abi_version: 'i', ws_attach: 'iiii', ws_close: 'iiii', ws_complete_auth: 'iii', ws_config_init: 'iii', ws_connect: 'iiii',
  ws_declare_node: 'iiii', ws_decode_call: 'iiiiii', ws_decode_variant: 'iiiiiii', ws_disconnect: 'iiiii', ws_encode_call: 'iiiiiiii',
  ws_encode_variant: 'iiiiii', ws_feed: 'iiiii', ws_flush: 'ii', ws_free: 'vi', ws_free_owner: 'vi', ws_get_available: 'ii', ws_get_conn: 'iiii',
  ws_get_conns: 'iiiii', ws_get_end: 'iii', ws_get_features: 'i', ws_get_header: 'iiiiiii', ws_get_log: 'iiii', ws_get_option: 'iiii',
  ws_get_packet: 'iii', ws_get_packets: 'iiiii', ws_get_peer_id: 'ii', ws_get_state: 'ii', ws_get_stats: 'iiii', ws_get_text: 'iiiiii',
  ws_get_waiting: 'iiiii', ws_host: 'iiii', ws_join: 'iiii', ws_join_local: 'iiii', ws_last_error: 'iiii', ws_listen: 'iiii', ws_next_event: 'iii',
  ws_next_events: 'iiiii', ws_pair: 'iiii', ws_poll: 'ii', ws_put_packet: 'iiiii', ws_put_packet_to: 'iiiiii', ws_result_name: 'ii',
  ws_send_auth: 'iiiii', ws_set_log_level: 'ii', ws_set_option: 'iiii', ws_set_user: 'iii', ws_shutdown: 'v', ws_struct_size: 'ii',
  ws_take_output: 'iiiii', ws_version: 'i', ws_wait: 'iiii'
};
// </signatures>

// With -pthread the calls of all threads are carried to the page's own thread, where the sockets are.
Object.keys(WSPEER_SIGNATURES).forEach(function (name) {
  LibraryWspeer[name + '__sig'] = WSPEER_SIGNATURES[name];
  LibraryWspeer[name + '__proxy'] = 'sync';
  LibraryWspeer[name + '__deps'] = ['$WSPEER'];
});
mergeInto(LibraryManager.library, LibraryWspeer);
