// wspeer in the browser: include/wspeer.h over the browser's own WebSocket, for Emscripten and for Unity's WebGL builds.
//
//   emcc game.c $(printf -- '--js-library %s ' library_wspeer*.js) -sEXPORTED_FUNCTIONS=_main,_malloc,_free -o game.html
//
// This file defines the functions of the header; library_wspeer_tables.js holds the struct layouts and constants, and
// the other files hold the helpers. They can be passed in any order. Unity takes all of them as .jslib.
// Browser events go into queues here, and the program takes them with the polling functions. The code calls only malloc
// and free in WebAssembly. Calls that a browser cannot serve return WS_ERR_UNSUPPORTED and set an error text;
// docs/web.md lists the differences from the native library. The code is ECMAScript 5: older Emscripten versions parse
// nothing newer.

mergeInto(LibraryManager.library, {
  $WSPEER_OPTIONS: {
    // Returns 0 if the option may be read, or changed (`set`), on this connection; else the error result.
    checkOption: function (peer, option, set) {
      var row = WSPEER_OPTION_ROWS[option],
        isHeartbeatOption = option === WSPEER_C.OPT_HEARTBEAT_MS || option === WSPEER_C.OPT_PONG_TIMEOUT_MS;
      if (!row) return WSPEER.fail(WSPEER_C.ERR_ARG, option + ' is no WS_OPT_*');
      if (row.handles === 'server') return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of servers');
      if (row.handles === 'multiplayer' && !peer.join)
        return WSPEER.fail(WSPEER_C.ERR_KIND, 'this is an option of hosts and joins');
      if (set && isHeartbeatOption && (peer.flags & WSPEER_C.APP_HEARTBEAT || peer.terms)) return 0;
      if (row.standard === undefined || (set && !row.set))
        return WSPEER.unsupported(row.name + ' is the browser\'s own affair');
      return 0;
    },
    // Returns what a valid value must be, for the error text, or '' if `value` is valid.
    refuse: function (row, value) {
      var most = /^up to (\d+)$/.exec(row.values);
      if (row.values === 'switch' && value > 1) return 'must be 0 or 1';
      if (most && value > Number(most[1])) return 'must be 0 to ' + most[1];
      if ((row.values === 'above zero' || row.values === 'finite') && !value) return 'must be above 0';
      if (row.values === 'finite' && value === WSPEER.OFF) return 'cannot be off';
      return '';
    },
    // The row of the first option that the config sets and a browser cannot honour, or undefined.
    lacking: function (field) {
      return Object.keys(WSPEER_OPTION_ROWS).map(function (number) {
        return WSPEER_OPTION_ROWS[number];
      }).filter(function (row) {
        var value = row.at && row.standard === undefined && row.handles !== 'server' ? field(row.at) : 0;
        return value && value !== WSPEER.OFF;
      })[0];
    },
    // The name of the first option that is off and cannot be, or undefined.
    endless: function (values) {
      return Object.keys(WSPEER_OPTION_ROWS).filter(function (number) {
        return WSPEER_OPTION_ROWS[number].values === 'finite' && values[number] === WSPEER.OFF;
      }).map(function (number) { return WSPEER_OPTION_ROWS[number].name; })[0];
    },
    // The option values of a new connection; `field` reads a number of its config.
    values: function (field) {
      var values = {};
      Object.keys(WSPEER_OPTION_ROWS).forEach(function (number) {
        var row = WSPEER_OPTION_ROWS[number];
        if (row.standard !== undefined) values[number] = (row.at && row.set && field(row.at)) || row.standard;
      });
      return values;
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
      case WSPEER_C.GET_PEER_ADDRESS:
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
    var at = WSPEER_LAYOUT.stats, peer, values, name, pending, session, held;
    size = Math.min(WSPEER.size(size), at.size);
    if (WSPEER.isNull('out', out)) return WSPEER_C.ERR_NULL;
    if (size < 8) return WSPEER.fail(WSPEER_C.ERR_ARG, 'size is ' + size + ': pass sizeof(ws_stats)');
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    session = peer.session;
    WSPEER_CONN.dropSent(peer);
    held = WSPEER_LATEST.counts(peer);
    // Before authentication completes, received messages are not counted.
    pending = WSPEER_SCENE.notAdmitted(peer);
    values = [
      [at.messages_in, pending ? peer.admittedBefore.messages : peer.messagesIn], [at.messages_out, peer.messagesOut],
      [at.bytes_in, pending ? peer.admittedBefore.bytes : peer.bytesIn], [at.bytes_out, peer.bytesOut],
      [at.skipped, peer.dropped + (pending && peer.state === WSPEER_C.CLOSED ? pending.held.length : 0)],
      [at.rtt_us, peer.rttUs], [at.queued_packets_in, WSPEER.count(peer.messages)],
      [at.queued_bytes_in, peer.bytesWaiting],
      [at.queued_packets_out, WSPEER.count(peer.sizes) + peer.early.length + held[0]],
      [at.queued_bytes_out, WSPEER_CONN.buffered(peer) + peer.earlyBytes + held[1]],
      [at.losses, peer.losses], [at.resumed, peer.resumed], [at.sent_again, peer.sentAgain],
      [at.unacknowledged_packets,
        session ? session.removed + WSPEER.count(session.log) - session.acknowledged : 0],
      [at.unacknowledged_bytes, session ? session.logBytes : 0],
      [at.sim_bytes, WSPEER_SIM.counts(peer)[0]], [at.sim_losses, WSPEER_SIM.counts(peer)[1]],
      [at.replaced, peer.replaced]
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
    WSPEER.setWord(out,
      option === WSPEER_C.OPT_PONG_TIMEOUT_MS ? WSPEER_CHANNEL.pongTimeout(peer) : peer.options[option]);
    return WSPEER_C.OK;
  },
  ws_set_option: function (h, option, value) {
    var peer = WSPEER.find(h), wrong, why;
    if (!peer) return WSPEER_C.ERR_HANDLE;
    wrong = WSPEER_OPTIONS.checkOption(peer, option, true);
    if (wrong) return wrong;
    value = value >>> 0;
    why = WSPEER_OPTIONS.refuse(WSPEER_OPTION_ROWS[option], value);
    if (why)
      return WSPEER.fail(WSPEER_C.ERR_ARG,
        WSPEER.named(WSPEER_OPTION_ROWS[option].name) + ' cannot be ' + value + ': it ' + why);
    peer.options[option] = value;
    return WSPEER_C.OK;
  },
  ws_set_url: function (h, url) { return WSPEER_RETRY.setUrl(h, url); },
  ws_set_header: function (h, name, value) {
    return WSPEER.unsupported('a request has no headers of one\'s own; say it in the URL\'s query: ws_set_url');
  },
  ws_set_certificate: function (server, cert_pem, key_pem) {
    return WSPEER.unsupported('it listens to nobody; run the server as a native program');
  },
  ws_serve: function (server, prefix, directory, flags) {
    return WSPEER.unsupported('it listens to nobody, and has no files to serve');
  },
  ws_make_certificate: function (names, days, cert, cert_cap, key, key_cap, sha256, sha256_cap) {
    return WSPEER.unsupported('it listens to nobody, and so has no certificate');
  },
  ws_accept: function (conn, subprotocol, headers, n) {
    return WSPEER.unsupported('it listens to nobody, and so has no requests to accept');
  },
  ws_reply: function (conn, status, headers, n, body, len) {
    return WSPEER.unsupported('it listens to nobody, and so has no requests to answer');
  },
  ws_sim_init: function (sim, size, preset) { return WSPEER_SIM.init(sim, size, preset); },
  ws_set_sim: function (h, sim) { return WSPEER_SIM.set(h, sim); },
  ws_advance_time: function (h, us) {
    return WSPEER.unsupported('a connection follows its clock; advance the time of ws_pair in a native test');
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
    if (peer_id !== 1) return WSPEER.fail(WSPEER_C.ERR_TARGET, 'a client has a connection only to the host (peer 1)');
    WSPEER.setWord(out, peer.handle);
    return WSPEER_C.OK;
  },
  ws_get_peer_id: function (h) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    return peer.join ? peer.join.id : WSPEER.fail(WSPEER_C.ERR_KIND, 'only hosts and joins have peers with ids');
  },
  ws_result_name: function (r) {
    var name = WSPEER_NAMES[r] || 'WS_UNKNOWN';
    if (!WSPEER.names[name]) WSPEER.names[name] = WSPEER.keepText(name);
    return WSPEER.names[name];
  },
  ws_last_error: function (buf, cap, len) { return WSPEER.copyText(WSPEER.lastError, buf, WSPEER.size(cap), len); },
  ws_set_log_level: function (level) {
    if (level < 0 || level > WSPEER_C.LOG_DEBUG) return WSPEER.fail(WSPEER_C.ERR_ARG, level + ' is no WS_LOG_*');
    WSPEER.logLevel = level;
    return WSPEER_C.OK;
  },
  ws_set_name: function (word, name) {
    var known = word ? WSPEER.textAt(word) : undefined, own = name ? WSPEER.textAt(name) : undefined;
    if (known === undefined) return WSPEER.fail(WSPEER_C.ERR_NULL, 'word is NULL');
    if (known === null || own === null)
      return WSPEER.fail(WSPEER_C.ERR_UTF8, (known === null ? 'word' : 'name') + ' is not valid UTF-8');
    if (WSPEER.encode(known).length > 64 || (own !== undefined && WSPEER.encode(own).length > 64)) {
      return WSPEER.fail(WSPEER_C.ERR_TOO_BIG, 'a word or its name is longer than 64 bytes');
    }
    if (own === undefined) delete WSPEER.names[known];
    else if (!Object.prototype.hasOwnProperty.call(WSPEER.names, known) && Object.keys(WSPEER.names).length >= 256) {
      return WSPEER.fail(WSPEER_C.ERR_LIMIT, 'there are too many names: at most 256');
    } else WSPEER.names[known] = own;
    return WSPEER_C.OK;
  },
  ws_get_log: function (buf, cap, len) {
    var result;
    if (WSPEER.lostLines) {
      WSPEER.log.unshift('warning: ' + WSPEER.lostLines +
        ' log lines were lost; call ws_get_log more often or lower the log level');
      WSPEER.lostLines = 0;
    }
    if (!WSPEER.log.length) return WSPEER_C.EMPTY;
    result = WSPEER.copyText(WSPEER.log[0], buf, WSPEER.size(cap), len);
    if (result === WSPEER_C.OK) WSPEER.log.shift();
    return result;
  },
  ws_get_features: function () {
    return WSPEER_C.FEATURE_CLIENT | WSPEER_C.FEATURE_TLS | WSPEER_C.FEATURE_MULTIPLAYER | WSPEER_C.FEATURE_SCENE;
  },
  ws_version: function () { return WSPEER_C.VERSION; },
  ws_abi_version: function () { return WSPEER_C.ABI_VERSION; },
  ws_struct_size: function (which) { return WSPEER_SIZES[which] || 0; },
  ws_close: function (h, code, reason) {
    var words = reason ? WSPEER.textAt(reason) : '', wrong = WSPEER_CONN.checkClose(code, words), peer;
    if (wrong) return wrong;
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_CONN.close(peer, code, words);
    return WSPEER_C.OK;
  },
  ws_disconnect: function (h, target, code, reason) {
    return WSPEER.find(h) ?
      WSPEER.fail(WSPEER_C.ERR_KIND, 'only a server\'s handle has clients to disconnect; use ws_close') :
      WSPEER_C.ERR_HANDLE;
  },
  ws_drain: function (server, window_ms, retry_ms, url) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients to send away');
  },
  ws_hint: function (h, hint) {
    var peer;
    if ([WSPEER_C.HINT_SUSPEND, WSPEER_C.HINT_RESUME, WSPEER_C.HINT_NETWORK_CHANGED].indexOf(hint) < 0)
      return WSPEER.fail(WSPEER_C.ERR_ARG, hint + ' is no WS_HINT_*');
    peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_HINT.take(peer, hint);
    return WSPEER_C.OK;
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
  ws_get_packet: function (h, out) {
    return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, true, out, 1, 0);
  },
  ws_get_packets: function (h, out, cap, count) { return WSPEER.readBatch(h, true, out, cap, count); },
  ws_next_event: function (h, out) {
    return WSPEER.isNull('out', out) ? WSPEER_C.ERR_NULL : WSPEER.read(h, false, out, 1, 0);
  },
  ws_next_events: function (h, out, cap, count) { return WSPEER.readBatch(h, false, out, cap, count); },
  ws_config_init: function (config, size) {
    size = WSPEER.size(size);
    if (WSPEER.isNull('config', config)) return WSPEER_C.ERR_NULL;
    if (size < WSPEER.leastConfig() || size > 4096)
      return WSPEER.fail(WSPEER_C.ERR_CONFIG, 'size is ' + size + ': pass sizeof(ws_config)');
    HEAPU8.fill(0, config, config + size);
    WSPEER.setWord(config, size);
    return WSPEER_C.OK;
  },
  ws_connect: function (url, config, out) { return WSPEER_CONN.open(url, config, out, false); },
  ws_diagnose: function (url, config, out) { return WSPEER_CONN.open(url, config, out, false, true); },
  ws_listen: function (url, config, out) {
    return WSPEER.unsupported('it listens to nobody; run the server as a native program');
  },
  ws_host: function (url, config, out) {
    return WSPEER.unsupported('it listens to nobody; run the host as a native program');
  },
  ws_join: function (url, config, out) { return WSPEER_CONN.open(url, config, out, true); },
  ws_join_local: function (host, config, out) { return WSPEER.unsupported('there are no hosts in it'); },
  ws_pair: function (config, server_end, client_end) {
    return WSPEER.unsupported('it speaks the protocol only to the network');
  },
  ws_attach: function (config, role, out) { return WSPEER.unsupported('it speaks the protocol only to the network'); },
  ws_feed: function (h, bytes, len, taken) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_take_output: function (h, buf, cap, len) { return WSPEER.unsupported('no connection is one of ws_attach'); },
  ws_declare_node: function (h, path, methods) { return WSPEER_SCENE.declare(h, path, methods); },
  ws_send_auth: function (h, peer_id, data, len) { return WSPEER_SCENE.sendAuth(h, peer_id, data, WSPEER.size(len)); },
  ws_complete_auth: function (h, peer_id) { return WSPEER_SCENE.completeAuth(h, peer_id); },
  ws_encode_call: function (path, method, items, count, buf, cap, len) {
    return WSPEER_CALL.encodeCall(path, method, items, count, buf, cap, len);
  },
  ws_decode_call: function (data, len, out, items, cap) { return WSPEER_CALL.decodeCall(data, len, out, items, cap); },
  ws_encode_variant: function (items, count, buf, cap, len) {
    return WSPEER_CALL.encodeVariant(items, count, buf, cap, len);
  },
  ws_decode_variant: function (data, len, items, cap, count, used) {
    return WSPEER_CALL.decodeVariant(data, len, items, cap, count, used);
  },
  ws_declare_scene: function (h, spawner, authority, scene, synchronizers) {
    return WSPEER_REPLICATION.declareScene(h, spawner, authority, scene >>> 0, synchronizers);
  },
  ws_declare_synchronizer: function (h, path, authority, properties, node) {
    return WSPEER_REPLICATION.declareSynchronizer(h, path, authority, properties, node);
  },
  ws_spawn: function (h, spawner, scene, name, items, count, node) {
    return WSPEER_NODES.spawn(h, spawner, scene >>> 0, name, items, WSPEER.size(count), node);
  },
  ws_despawn: function (h, node) { return WSPEER_NODES.despawn(h, node >>> 0); },
  ws_sync: function (h, node, items, count) { return WSPEER_NODES.sync(h, node >>> 0, items, WSPEER.size(count)); },
  ws_set_visible: function (h, node, peer_id, visible) {
    return WSPEER_NODES.setVisible(h, node >>> 0, peer_id, visible !== 0);
  },
  ws_decode_replication: function (data, len, at, out, items, cap) {
    return WSPEER_REPLICATION.decode(data, WSPEER.size(len), at, out, items, WSPEER.size(cap));
  },
  ws_put_packet: function (h, data, len, type) { return WSPEER_CONN.put(h, undefined, data, len, type); },
  ws_put_packet_to: function (h, target, data, len, type) { return WSPEER_CONN.put(h, target, data, len, type); },
  ws_put_packets: function (h, packets, n, taken) { return WSPEER_CONN.putSeveral(h, packets, n, taken); },
  ws_put_latest: function (h, target, key, data, len, type) {
    if (type === WSPEER_C.CALL || type === WSPEER_C.REPLICATION)
      return WSPEER.fail(WSPEER_C.ERR_ARG, 'calls and replication cannot be replaced: put them with ws_put_packet');
    return WSPEER_CONN.put(h, target || undefined, data, len, type, key);
  },
  ws_flush: function (h) {
    var peer = WSPEER.find(h);
    if (!peer) return WSPEER_C.ERR_HANDLE;
    WSPEER_LATEST.poll(peer);
    return WSPEER_C.OK;
  },
  ws_subscribe: function (conn, topic) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients with topics');
  },
  ws_unsubscribe: function (conn, topic) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients with topics');
  },
  ws_publish: function (h, topic, except, data, len, type) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients with topics');
  },
  ws_publish_latest: function (h, topic, except, key, data, len, type) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients with topics');
  },
  ws_get_topics: function (h, buf, cap, len) {
    return WSPEER.unsupported('it listens to nobody, and so has no clients with topics');
  },
  ws_wait: function (handles, n, timeout_ms) {
    return WSPEER.unsupported(
      'a page must not wait inside a call; return to it each frame (emscripten_set_main_loop), or call emscripten_sleep with -sASYNCIFY');
  }
});
