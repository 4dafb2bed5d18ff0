// wspeer in the browser: include/wspeer.h over the browser's own WebSocket, for Emscripten and for Unity's WebGL builds.
//
//   emcc game.c $(printf -- '--js-library %s ' library_wspeer*.js) -sEXPORTED_FUNCTIONS=_main,_malloc,_free -o game.html
//
// This file has the tables and the functions of the header, the others what these use, in any order; Unity takes all of them as .jslib.
// The browser's events go into queues here, and the program takes them from there; nothing calls into WebAssembly but malloc and free. What a browser
// cannot do is WS_ERR_UNSUPPORTED with a sentence. docs/web.md has the differences from the native library. ECMAScript 5, as old Emscriptens read no more.
// The tables between markers are written by offsets.py.

// Whether pointers have 64 bits: -sMEMORY64, which older Emscriptens do not know.
var WSPEER_IS_WIDE = typeof MEMORY64 !== 'undefined' && !!MEMORY64;

var LibraryWspeer = {
  // <header> from include/wspeer.h
  $WSPEER_LAYOUT: WSPEER_IS_WIDE ? {
    pointer: 8,
    stats: {
      size: 184, struct_size: 0, connections: 4, messages_in: 8, messages_out: 16, bytes_in: 24, bytes_out: 32, wire_bytes_in: 40, wire_bytes_out: 48,
      queued_packets_in: 56, queued_bytes_in: 64, queued_packets_out: 72, queued_bytes_out: 80, skipped: 88, inbound_stalls: 96, rtt_us: 104,
      last_poll_us: 112, longest_poll_us: 120, accepted: 128, refused: 136, pending_handshakes: 144, compressed_in: 152, compressed_out: 160,
      deflate_memory_bytes: 168, kept_bytes: 176
    },
    packet: {
      size: 40, data: 0, len: 8, type: 16, peer_id: 20, conn: 24, flags: 28, user: 32
    },
    event: {
      size: 128, type: 0, conn: 4, peer_id: 8, code: 12, phase: 16, cause: 20, http_status: 24, os_error: 28, unsent: 32, clean: 36, time_ns: 40,
      count: 48, reserved: 56, packet: 88
    },
    config: {
      size: 192, struct_size: 0, owner: 4, flags: 8, poll_budget_us: 12, connect_timeout_ms: 16, handshake_timeout_ms: 20, close_timeout_ms: 24,
      heartbeat_ms: 28, pong_timeout_ms: 32, max_message_bytes: 36, max_fragments: 40, max_header_bytes: 44, inbound_packets: 48, inbound_bytes: 52,
      outbound_packets: 56, outbound_bytes: 60, max_messages_per_s: 64, max_bytes_per_s: 68, max_clients: 72, max_clients_per_address: 76,
      max_pending_handshakes: 80, on_full: 84, no_delay: 88, headers_count: 92, deflate_level: 96, deflate_threshold_bytes: 100,
      server_max_window_bits: 104, client_max_window_bits: 108, max_inflate_ratio: 112, reserved: 116, headers: 120, subprotocols: 128, ca_pem: 136,
      cert_pem: 144, key_pem: 152, server_name: 160, pin_sha256: 168, user: 176, max_call_bytes: 184, max_call_items: 188
    },
    variant: {
      size: 160, type: 0, count: 4, integer: 8, number: 16, data: 144, len: 152
    },
    call: {
      size: 24, path: 0, method: 8, arguments: 16, items: 20
    }
  } : {
    pointer: 4,
    stats: {
      size: 184, struct_size: 0, connections: 4, messages_in: 8, messages_out: 16, bytes_in: 24, bytes_out: 32, wire_bytes_in: 40, wire_bytes_out: 48,
      queued_packets_in: 56, queued_bytes_in: 64, queued_packets_out: 72, queued_bytes_out: 80, skipped: 88, inbound_stalls: 96, rtt_us: 104,
      last_poll_us: 112, longest_poll_us: 120, accepted: 128, refused: 136, pending_handshakes: 144, compressed_in: 152, compressed_out: 160,
      deflate_memory_bytes: 168, kept_bytes: 176
    },
    packet: {
      size: 32, data: 0, len: 4, type: 8, peer_id: 12, conn: 16, flags: 20, user: 24
    },
    event: {
      size: 120, type: 0, conn: 4, peer_id: 8, code: 12, phase: 16, cause: 20, http_status: 24, os_error: 28, unsent: 32, clean: 36, time_ns: 40,
      count: 48, reserved: 56, packet: 88
    },
    config: {
      size: 160, struct_size: 0, owner: 4, flags: 8, poll_budget_us: 12, connect_timeout_ms: 16, handshake_timeout_ms: 20, close_timeout_ms: 24,
      heartbeat_ms: 28, pong_timeout_ms: 32, max_message_bytes: 36, max_fragments: 40, max_header_bytes: 44, inbound_packets: 48, inbound_bytes: 52,
      outbound_packets: 56, outbound_bytes: 60, max_messages_per_s: 64, max_bytes_per_s: 68, max_clients: 72, max_clients_per_address: 76,
      max_pending_handshakes: 80, on_full: 84, no_delay: 88, headers_count: 92, deflate_level: 96, deflate_threshold_bytes: 100,
      server_max_window_bits: 104, client_max_window_bits: 108, max_inflate_ratio: 112, reserved: 116, headers: 120, subprotocols: 124, ca_pem: 128,
      cert_pem: 132, key_pem: 136, server_name: 140, pin_sha256: 144, user: 148, max_call_bytes: 152, max_call_items: 156
    },
    variant: {
      size: 152, type: 0, count: 4, integer: 8, number: 16, data: 144, len: 148
    },
    call: {
      size: 16, path: 0, method: 4, arguments: 8, items: 12
    }
  },
  $WSPEER_C: {
    ABI_VERSION: 1, ANY_NAME: 512, APP_HEARTBEAT: 8192, AUTH: 2048, BINARY: 2, CALL: 3, CAUSE_AUTH_TIMEOUT: 58, CAUSE_CHECKSUM: 59,
    CAUSE_CLOSED_BY_HOST: 1, CAUSE_CLOSED_BY_PEER: 2, CAUSE_CLOSE_TIMEOUT: 7, CAUSE_CONNECT_TIMEOUT: 22, CAUSE_DROPPED: 3, CAUSE_MULTIPLAYER: 56,
    CAUSE_NONE: 0, CAUSE_NOT_READING: 8, CAUSE_NO_HEARTBEAT: 64, CAUSE_NO_NODE: 62, CAUSE_PEER_GONE: 4, CAUSE_PONG_TIMEOUT: 9, CAUSE_TOO_BIG: 52,
    CAUSE_UNSUPPORTED: 63, CLIENT_NO_CONTEXT_TAKEOVER: 128, CLOSED: 3, CLOSING: 2, COALESCE: 1, CONNECTING: 0, DEFLATE: 32, EMPTY: 1, ERR_ARG: -1,
    ERR_CONFIG: -10, ERR_FULL: -6, ERR_HANDLE: -3, ERR_KIND: -4, ERR_LIMIT: -15, ERR_NULL: -2, ERR_PANIC: -16, ERR_STATE: -5, ERR_TARGET: -9,
    ERR_TOO_BIG: -7, ERR_UNSUPPORTED: -14, ERR_URL: -11, ERR_UTF8: -8, EVENT_AUTH: 11, EVENT_AUTHENTICATING: 10, EVENT_CLOSED: 4,
    EVENT_CLOSE_REQUEST: 3, EVENT_CONNECTED: 5, EVENT_DISCONNECTED: 6, EVENT_ERROR: 9, EVENT_MESSAGE: 2, EVENT_OPEN: 1, EVENT_SKIPPED: 8,
    EVENT_WRITABLE: 7, FEATURE_CLIENT: 1, FEATURE_MULTIPLAYER: 256, FEATURE_SCENE: 512, FEATURE_TLS: 4, GET_BODY: 9, GET_CLOSE_REASON: 5,
    GET_ERROR: 6, GET_EXTENSIONS: 11, GET_LOCAL_ADDRESS: 7, GET_PATH: 2, GET_QUERY: 3, GET_REMOTE_ADDRESS: 8, GET_SUBPROTOCOL: 4, GET_TLS: 10,
    GET_URL: 1, GODOT3: 256, INSECURE: 4, NO_RELAY: 4096, OK: 0, ONLY_CA_PEM: 8, OPEN: 1, OPT_AUTH_TIMEOUT_MS: 26, OPT_CLOSE_TIMEOUT_MS: 4,
    OPT_COALESCE: 14, OPT_HEARTBEAT_MS: 2, OPT_INBOUND_BYTES: 9, OPT_INBOUND_PACKETS: 8, OPT_MAX_BYTES_PER_S: 13, OPT_MAX_CALL_BYTES: 27,
    OPT_MAX_CALL_ITEMS: 28, OPT_MAX_MESSAGES_PER_S: 12, OPT_MAX_MESSAGE_BYTES: 6, OPT_NO_DELAY: 1, OPT_ON_FULL: 20, OPT_OUTBOUND_BYTES: 11,
    OPT_OUTBOUND_PACKETS: 10, OPT_POLL_BUDGET_US: 5, OPT_PONG_TIMEOUT_MS: 3, OPT_REFUSE_NEW: 15, OPT_TRANSFER_CHANNEL: 25, OPT_TRANSFER_MODE: 24,
    PHASE_APP: 7, PHASE_NONE: 0, PHASE_WEBSOCKET: 6, QUEUE_BEFORE_OPEN: 2, REFUSE_NEW: 16, SCENE: 1024, SERVER_NO_CONTEXT_TAKEOVER: 64, TEXT: 1,
    TRUNCATED: 4, VARIANT_ARRAY: 28, VARIANT_BOOL: 1, VARIANT_COLOR: 20, VARIANT_DICTIONARY: 27, VARIANT_FLOAT: 3, VARIANT_INT: 2, VARIANT_NIL: 0,
    VARIANT_NODE_PATH: 22, VARIANT_OBJECT: 24, VARIANT_PACKED_BYTE_ARRAY: 29, VARIANT_PACKED_STRING_ARRAY: 34, VARIANT_STRING: 4,
    VARIANT_STRING_NAME: 21, VERSION: 100
  },
  // From the lowest result, -16, upwards.
  $WSPEER_NAMES: [
    'WS_ERR_PANIC', 'WS_ERR_LIMIT', 'WS_ERR_UNSUPPORTED', 'WS_ERR_ADDRESS', 'WS_ERR_TLS', 'WS_ERR_URL', 'WS_ERR_CONFIG', 'WS_ERR_TARGET',
    'WS_ERR_UTF8', 'WS_ERR_TOO_BIG', 'WS_ERR_FULL', 'WS_ERR_STATE', 'WS_ERR_KIND', 'WS_ERR_HANDLE', 'WS_ERR_NULL', 'WS_ERR_ARG', 'WS_OK', 'WS_EMPTY',
    'WS_MORE', 'WS_PARTIAL', 'WS_TRUNCATED'
  ],
  // </header>

  $WSPEER_OPTIONS: {
    // As ws_config names it, of an option that checkOption() knows.
    name: function (option) {
      for (var key in WSPEER_C) if (key.indexOf('OPT_') === 0 && WSPEER_C[key] === option) return key.slice(4).toLowerCase();
      return 'option ' + option;
    },
    // 0: the connection has that option. `set`: it is to be changed.
    checkOption: function (peer, option, set) {
      if (option >= WSPEER_C.OPT_REFUSE_NEW && option <= WSPEER_C.OPT_ON_FULL) return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of servers');
      if (option >= WSPEER_C.OPT_TRANSFER_MODE && option <= WSPEER_C.OPT_MAX_CALL_ITEMS && !peer.join) {
        return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of hosts and joins');
      }
      if (option < 1 || option > WSPEER_C.OPT_MAX_CALL_ITEMS) return WSPEER.fail(WSPEER_C.ERR_ARG, option + ' is no WS_OPT_*');
      var own = [WSPEER_C.OPT_NO_DELAY, WSPEER_C.OPT_HEARTBEAT_MS, WSPEER_C.OPT_PONG_TIMEOUT_MS, WSPEER_C.OPT_MAX_MESSAGES_PER_S, WSPEER_C.OPT_MAX_BYTES_PER_S];
      if (set && peer.flags & WSPEER_C.APP_HEARTBEAT && (option === WSPEER_C.OPT_HEARTBEAT_MS || option === WSPEER_C.OPT_PONG_TIMEOUT_MS)) return 0;
      if (peer.options[option] === undefined || (set && own.indexOf(option) >= 0)) return WSPEER.unsupported(WSPEER_OPTIONS.name(option) + ' is the browser\'s own affair');
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
    return WSPEER.copyText(text, buf, WSPEER.size(cap), len);
  },
  ws_get_header: function (h, name, index, buf, cap, len) {
    if (WSPEER.isNull('name', name)) return WSPEER_C.ERR_NULL;
    return WSPEER.find(h) ? WSPEER.unsupported('it does not show the headers of the answer') : WSPEER_C.ERR_HANDLE;
  },
  ws_get_stats: function (h, out, size) {
    var at = WSPEER_LAYOUT.stats, peer, values, name, apart;
    size = Math.min(WSPEER.size(size), at.size);
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    if (size < 8) return WSPEER.fail(WSPEER_C.ERR_ARG, 'size is ' + size + ': pass sizeof(ws_stats)');
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_CONN.settle(peer);
    // Nothing has been received until its sender is admitted.
    apart = WSPEER_SCENE.apart(peer);
    values = [
      [at.messages_in, apart ? 0 : peer.messagesIn], [at.messages_out, peer.messagesOut],
      [at.bytes_in, apart ? 0 : peer.bytesIn], [at.bytes_out, peer.bytesOut],
      [at.skipped, apart && peer.state === WSPEER_C.CLOSED ? apart.held.length : 0],
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
    wrong = WSPEER_OPTIONS.checkOption(peer, option, false);
    if (wrong) return wrong;
    WSPEER.setWord(out, option === WSPEER_C.OPT_PONG_TIMEOUT_MS ? WSPEER_PULSE.pongTimeout(peer) : peer.options[option]);
    return WSPEER_C.OK;
  },
  ws_set_option: function (h, option, value) {
    var peer = WSPEER.find(h), wrong, why = '';
    if (!peer) return WSPEER_C.ERR_HANDLE;
    wrong = WSPEER_OPTIONS.checkOption(peer, option, true);
    if (wrong) return wrong;
    value = value >>> 0;
    if (option === WSPEER_C.OPT_COALESCE && value > 1) why = 'must be 0 or 1';
    if (option === WSPEER_C.OPT_TRANSFER_MODE && value > 2) why = 'must be 0 to 2';
    if (option === WSPEER_C.OPT_TRANSFER_CHANNEL && value > 2147483647) why = 'must be 0 to 2147483647';
    if ((option === WSPEER_C.OPT_POLL_BUDGET_US || option === WSPEER_C.OPT_CLOSE_TIMEOUT_MS) && !value) why = 'must be above 0';
    if (option === WSPEER_C.OPT_CLOSE_TIMEOUT_MS && value === WSPEER.OFF) why = 'cannot be off: a close has to end';
    if (why) return WSPEER.fail(WSPEER_C.ERR_ARG, WSPEER_OPTIONS.name(option) + ' cannot be ' + value + ': it ' + why);
    peer.options[option] = value;
    return WSPEER_C.OK;
  },
  ws_set_user: function (h, user) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    peer.user = WSPEER.size(user);
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
  ws_last_error: function (buf, cap, len) { return WSPEER.copyText(WSPEER.lastError, buf, WSPEER.size(cap), len); },
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
    result = WSPEER.copyText(WSPEER.log[0], buf, WSPEER.size(cap), len);
    if (result === WSPEER_C.OK) WSPEER.log.shift();
    return result;
  },
  ws_get_features: function () { return WSPEER_C.FEATURE_CLIENT | WSPEER_C.FEATURE_TLS | WSPEER_C.FEATURE_MULTIPLAYER | WSPEER_C.FEATURE_SCENE; },
  ws_version: function () { return WSPEER_C.VERSION; },
  ws_abi_version: function () { return WSPEER_C.ABI_VERSION; },
  ws_struct_size: function (which) {
    var at = WSPEER_LAYOUT, one = [null, at.config, at.stats, at.packet, at.event, at.variant, at.call][which];
    return one ? one.size : 0;
  },
  ws_close: function (h, code, reason) {
    var words = reason ? WSPEER.textAt(reason) : '', wrong = WSPEER_CONN.checkClose(code, words), peer;
    if (wrong) return wrong;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_CONN.close(peer, code, words);
    return WSPEER_C.OK;
  },
  ws_disconnect: function (h, target, code, reason) {
    return WSPEER.find(h) ? WSPEER.fail(WSPEER_C.ERR_KIND, 'only a server\'s handle has clients to disconnect; use ws_close') : WSPEER_C.ERR_HANDLE;
  },
  ws_free: function (h) {
    if (WSPEER.peers[h >>> 0]) WSPEER_CONN.free(WSPEER.peers[h >>> 0]);
  },
  ws_free_owner: function (owner) {
    if (owner) WSPEER_CONN.freeWhere(function (peer) { return peer.owner === owner >>> 0; });
  },
  ws_shutdown: function () {
    WSPEER_CONN.freeWhere(function () { return true; });
  },
  ws_poll: function (h) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_CONN.poll(peer);
    return WSPEER_C.OK;
  },
  ws_get_packet: function (h, out) { return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, true, out, 1, 0); },
  ws_get_packets: function (h, out, cap, count) { return WSPEER.readBatch(h, true, out, cap, count); },
  ws_next_event: function (h, out) { return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, false, out, 1, 0); },
  ws_next_events: function (h, out, cap, count) { return WSPEER.readBatch(h, false, out, cap, count); },
  ws_config_init: function (config, size) {
    size = WSPEER.size(size);
    if (WSPEER.isNull('config', config)) return WSPEER_C.ERR_NULL;
    if (size < WSPEER.leastConfig() || size > 4096) return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'size is ' + size + ': pass sizeof(ws_config)');
    HEAPU8.fill(0, config, config + size);
    WSPEER.setWord(config, size);
    return WSPEER_C.OK;
  },
  ws_connect: function (url, config, out) { return WSPEER_CONN.open(url, config, out, false); },
  ws_listen: function (url, config, out) { return WSPEER.unsupported('it listens to nobody; run the server as a native program'); },
  ws_host: function (url, config, out) { return WSPEER.unsupported('it listens to nobody; run the host as a native program'); },
  ws_join: function (url, config, out) { return WSPEER_CONN.open(url, config, out, true); },
  ws_join_local: function (host, config, out) { return WSPEER.unsupported('there are no hosts in it'); },
  ws_pair: function (config, server_end, client_end) { return WSPEER.unsupported('it speaks the protocol only to the network'); },
  ws_attach: function (config, role, out) { return WSPEER.unsupported('it speaks the protocol only to the network'); },
  ws_feed: function (h, bytes, len, taken) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_take_output: function (h, buf, cap, len) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_declare_node: function (h, path, methods) { return WSPEER_SCENE.declare(h, path, methods); },
  ws_send_auth: function (h, peer_id, data, len) { return WSPEER_SCENE.sendAuth(h, peer_id, data, WSPEER.size(len)); },
  ws_complete_auth: function (h, peer_id) { return WSPEER_SCENE.completeAuth(h, peer_id); },
  ws_encode_call: function (path, method, items, count, buf, cap, len) { return WSPEER_CALL.encodeCall(path, method, items, count, buf, cap, len); },
  ws_decode_call: function (data, len, out, items, cap) { return WSPEER_CALL.decodeCall(data, len, out, items, cap); },
  ws_encode_variant: function (items, count, buf, cap, len) { return WSPEER_CALL.encodeVariant(items, count, buf, cap, len); },
  ws_decode_variant: function (data, len, items, cap, count, used) { return WSPEER_CALL.decodeVariant(data, len, items, cap, count, used); },
  ws_put_packet: function (h, data, len, type) { return WSPEER_CONN.put(h, undefined, data, len, type); },
  ws_put_packet_to: function (h, target, data, len, type) { return WSPEER_CONN.put(h, target, data, len, type); },
  ws_flush: function (h) { return WSPEER.find(h) ? WSPEER_C.OK : WSPEER_C.ERR_HANDLE; },
  ws_wait: function (handles, n, timeout_ms) {
    return WSPEER.unsupported('a page must not wait inside a call; return to it each frame (emscripten_set_main_loop), or call emscripten_sleep with -sASYNCIFY');
  }
};

// <signatures> from include/wspeer.h
var WSPEER_SIGNATURES = {
  ws_abi_version: 'i', ws_attach: 'ipip', ws_close: 'iiip', ws_complete_auth: 'iii', ws_config_init: 'ipp', ws_connect: 'ippp',
  ws_declare_node: 'iipp', ws_decode_call: 'ippppp', ws_decode_variant: 'ipppppp', ws_disconnect: 'iiiip', ws_encode_call: 'ippppppp',
  ws_encode_variant: 'ippppp', ws_feed: 'iippp', ws_flush: 'ii', ws_free: 'vi', ws_free_owner: 'vi', ws_get_available: 'ii', ws_get_conn: 'iiip',
  ws_get_conns: 'iippp', ws_get_end: 'iip', ws_get_features: 'i', ws_get_header: 'iipippp', ws_get_log: 'ippp', ws_get_option: 'iiip',
  ws_get_packet: 'iip', ws_get_packets: 'iippp', ws_get_peer_id: 'ii', ws_get_state: 'ii', ws_get_stats: 'iipp', ws_get_text: 'iiippp',
  ws_get_waiting: 'iippp', ws_host: 'ippp', ws_join: 'ippp', ws_join_local: 'iipp', ws_last_error: 'ippp', ws_listen: 'ippp', ws_next_event: 'iip',
  ws_next_events: 'iippp', ws_pair: 'ippp', ws_poll: 'ii', ws_put_packet: 'iippi', ws_put_packet_to: 'iiippi', ws_result_name: 'pi',
  ws_send_auth: 'iiipp', ws_set_log_level: 'ii', ws_set_option: 'iiii', ws_set_user: 'iip', ws_shutdown: 'v', ws_struct_size: 'ii',
  ws_take_output: 'iippp', ws_version: 'i', ws_wait: 'ippi'
};
// </signatures>

// With -pthread the calls of all threads are carried to the page's own thread, where the sockets are.
Object.keys(WSPEER_SIGNATURES).forEach(function (name) {
  LibraryWspeer[name + '__sig'] = WSPEER_IS_WIDE ? WSPEER_SIGNATURES[name] : WSPEER_SIGNATURES[name].replace(/p/g, 'i');
  LibraryWspeer[name + '__proxy'] = 'sync';
  LibraryWspeer[name + '__deps'] = [
    '$WSPEER', '$WSPEER_C', '$WSPEER_LAYOUT', '$WSPEER_NAMES', '$WSPEER_CONN', '$WSPEER_JOIN', '$WSPEER_SCENE', '$WSPEER_CALL', '$WSPEER_VARIANT', '$WSPEER_PULSE',
    '$WSPEER_OPTIONS'
  ];
});
mergeInto(LibraryManager.library, LibraryWspeer);
