// Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
// wspeer in the browser: layouts, constants, options and signatures. See library_wspeer.js.

(function () {
  // Whether pointers have 64 bits: -sMEMORY64, which older Emscriptens do not know.
  var isWide = typeof MEMORY64 !== 'undefined' && !!MEMORY64;
  // The result and the arguments of each function; p is as wide as a pointer.
  var signatures = {
    ws_abi_version: 'i', ws_accept: 'iippp', ws_advance_time: 'iii', ws_attach: 'ipip', ws_close: 'iiip',
    ws_complete_auth: 'iii', ws_config_init: 'ipp', ws_connect: 'ippp', ws_declare_node: 'iipp',
    ws_declare_scene: 'iipiip', ws_declare_synchronizer: 'iipipp', ws_decode_call: 'ippppp',
    ws_decode_replication: 'ipppppp', ws_decode_variant: 'ipppppp', ws_despawn: 'iii', ws_diagnose: 'ippp',
    ws_disconnect: 'iiiip', ws_drain: 'iiiip', ws_encode_call: 'ippppppp', ws_encode_variant: 'ippppp',
    ws_feed: 'iippp', ws_flush: 'ii', ws_free: 'vi', ws_free_owner: 'vi', ws_get_available: 'ii', ws_get_conn: 'iiip',
    ws_get_conns: 'iippp', ws_get_end: 'iip', ws_get_features: 'i', ws_get_header: 'iipippp', ws_get_log: 'ippp',
    ws_get_option: 'iiip', ws_get_packet: 'iip', ws_get_packets: 'iippp', ws_get_peer_id: 'ii', ws_get_state: 'ii',
    ws_get_stats: 'iipp', ws_get_text: 'iiippp', ws_get_topics: 'iippp', ws_get_waiting: 'iippp', ws_hint: 'iii',
    ws_host: 'ippp', ws_join: 'ippp', ws_join_local: 'iipp', ws_last_error: 'ippp', ws_listen: 'ippp',
    ws_make_certificate: 'ipipppppp', ws_next_event: 'iip', ws_next_events: 'iippp', ws_pair: 'ippp', ws_poll: 'ii',
    ws_publish: 'iipippi', ws_publish_latest: 'iipiippi', ws_put_latest: 'iiiippi', ws_put_packet: 'iippi',
    ws_put_packet_to: 'iiippi', ws_put_packets: 'iippp', ws_reply: 'iiipppp', ws_result_name: 'pi',
    ws_send_auth: 'iiipp', ws_serve: 'iippi', ws_set_certificate: 'iipp', ws_set_header: 'iipp', ws_set_log_level: 'ii',
    ws_set_name: 'ipp', ws_set_option: 'iiii', ws_set_sim: 'iip', ws_set_url: 'iip', ws_set_user: 'iip',
    ws_set_visible: 'iiiii', ws_shutdown: 'v', ws_sim_init: 'ippi', ws_spawn: 'iipipppp', ws_struct_size: 'ii',
    ws_subscribe: 'iip', ws_sync: 'iiipp', ws_take_output: 'iippp', ws_unsubscribe: 'iip', ws_version: 'i',
    ws_wait: 'ippi'
  };
  var library = {};

  library.$WSPEER_LAYOUT = isWide ? {
    pointer: 8,
    stats: {
      size: 376, struct_size: 0, connections: 4, messages_in: 8, messages_out: 16, bytes_in: 24, bytes_out: 32,
      wire_bytes_in: 40, wire_bytes_out: 48, queued_packets_in: 56, queued_bytes_in: 64, queued_packets_out: 72,
      queued_bytes_out: 80, skipped: 88, inbound_stalls: 96, rtt_us: 104, last_poll_us: 112, longest_poll_us: 120,
      accepted: 128, refused: 136, pending_handshakes: 144, compressed_in: 152, compressed_out: 160,
      deflate_memory_bytes: 168, kept_bytes: 176, downloads: 184, served: 192, refused_limit: 200, refused_request: 208,
      refused_tls: 216, refused_proxy: 224, refused_timeout: 232, refused_gone: 240, refused_waiting: 248,
      pending_requests: 256, lost: 264, losses: 272, resumed: 280, sent_again: 288, unacknowledged_packets: 296,
      unacknowledged_bytes: 304, sim_bytes: 312, sim_losses: 320, topics: 328, subscriptions: 336, replaced: 344,
      held_bytes: 352, most_held_bytes: 360, ceiling_ended: 368
    },
    packet: {
      size: 40, data: 0, len: 8, type: 16, peer_id: 20, conn: 24, flags: 28, user: 32
    },
    event: {
      size: 128, type: 0, conn: 4, peer_id: 8, code: 12, phase: 16, cause: 20, http_status: 24, os_error: 28,
      unsent: 32, clean: 36, time_ns: 40, count: 48, reserved: 56, packet: 88
    },
    config: {
      size: 288, struct_size: 0, owner: 4, flags: 8, poll_budget_us: 12, connect_timeout_ms: 16,
      handshake_timeout_ms: 20, close_timeout_ms: 24, heartbeat_ms: 28, pong_timeout_ms: 32, max_message_bytes: 36,
      max_fragments: 40, max_header_bytes: 44, inbound_packets: 48, inbound_bytes: 52, outbound_packets: 56,
      outbound_bytes: 60, max_messages_per_s: 64, max_bytes_per_s: 68, max_clients: 72, max_clients_per_address: 76,
      max_pending_handshakes: 80, on_full: 84, no_delay: 88, headers_count: 92, deflate_level: 96,
      deflate_threshold_bytes: 100, server_max_window_bits: 104, client_max_window_bits: 108, max_inflate_ratio: 112,
      reserved: 116, headers: 120, subprotocols: 128, ca_pem: 136, cert_pem: 144, key_pem: 152, server_name: 160,
      pin_sha256: 168, user: 176, max_call_bytes: 184, max_call_items: 188, trusted_proxies: 192, ipv6_prefix_bits: 200,
      max_body_bytes: 204, proxy: 208, max_downloads: 216, max_downloads_per_address: 220, allowed_hosts: 224,
      allowed_origins: 232, retry_min_ms: 240, retry_max_ms: 244, retry_tries: 248, session_ms: 252, session_bytes: 256,
      max_lost: 260, node: 264, max_topics: 272, max_server_topics: 276, max_total_mib: 280, max_put_bytes: 284
    },
    variant: {
      size: 160, type: 0, count: 4, integer: 8, number: 16, data: 144, len: 152
    },
    replicated: {
      size: 32, path: 0, name: 8, node: 16, scene: 20, items: 24, data_items: 28
    },
    call: {
      size: 24, path: 0, method: 8, arguments: 16, items: 20
    },
    sim: {
      size: 104, struct_size: 0, seed: 4, up_lag_us: 8, down_lag_us: 12, up_jitter_us: 16, down_jitter_us: 20,
      up_bytes_per_s: 24, down_bytes_per_s: 28, up_burst_bytes: 32, down_burst_bytes: 36, up_loss_ppm: 40,
      down_loss_ppm: 44, up_loss_stall_us: 48, down_loss_stall_us: 52, up_buffer_bytes: 56, down_buffer_bytes: 60,
      up_stall_from_ms: 64, down_stall_from_ms: 68, up_stall_for_ms: 72, down_stall_for_ms: 76, up_stall_every_ms: 80,
      down_stall_every_ms: 84, up_half_open_bytes: 88, down_half_open_bytes: 92, up_cut_bytes: 96, down_cut_bytes: 100
    },
    packet_out: {
      size: 24, data: 0, len: 8, type: 16, target: 20
    }
  } : {
    pointer: 4,
    stats: {
      size: 376, struct_size: 0, connections: 4, messages_in: 8, messages_out: 16, bytes_in: 24, bytes_out: 32,
      wire_bytes_in: 40, wire_bytes_out: 48, queued_packets_in: 56, queued_bytes_in: 64, queued_packets_out: 72,
      queued_bytes_out: 80, skipped: 88, inbound_stalls: 96, rtt_us: 104, last_poll_us: 112, longest_poll_us: 120,
      accepted: 128, refused: 136, pending_handshakes: 144, compressed_in: 152, compressed_out: 160,
      deflate_memory_bytes: 168, kept_bytes: 176, downloads: 184, served: 192, refused_limit: 200, refused_request: 208,
      refused_tls: 216, refused_proxy: 224, refused_timeout: 232, refused_gone: 240, refused_waiting: 248,
      pending_requests: 256, lost: 264, losses: 272, resumed: 280, sent_again: 288, unacknowledged_packets: 296,
      unacknowledged_bytes: 304, sim_bytes: 312, sim_losses: 320, topics: 328, subscriptions: 336, replaced: 344,
      held_bytes: 352, most_held_bytes: 360, ceiling_ended: 368
    },
    packet: {
      size: 32, data: 0, len: 4, type: 8, peer_id: 12, conn: 16, flags: 20, user: 24
    },
    event: {
      size: 120, type: 0, conn: 4, peer_id: 8, code: 12, phase: 16, cause: 20, http_status: 24, os_error: 28,
      unsent: 32, clean: 36, time_ns: 40, count: 48, reserved: 56, packet: 88
    },
    config: {
      size: 236, struct_size: 0, owner: 4, flags: 8, poll_budget_us: 12, connect_timeout_ms: 16,
      handshake_timeout_ms: 20, close_timeout_ms: 24, heartbeat_ms: 28, pong_timeout_ms: 32, max_message_bytes: 36,
      max_fragments: 40, max_header_bytes: 44, inbound_packets: 48, inbound_bytes: 52, outbound_packets: 56,
      outbound_bytes: 60, max_messages_per_s: 64, max_bytes_per_s: 68, max_clients: 72, max_clients_per_address: 76,
      max_pending_handshakes: 80, on_full: 84, no_delay: 88, headers_count: 92, deflate_level: 96,
      deflate_threshold_bytes: 100, server_max_window_bits: 104, client_max_window_bits: 108, max_inflate_ratio: 112,
      reserved: 116, headers: 120, subprotocols: 124, ca_pem: 128, cert_pem: 132, key_pem: 136, server_name: 140,
      pin_sha256: 144, user: 148, max_call_bytes: 152, max_call_items: 156, trusted_proxies: 160, ipv6_prefix_bits: 164,
      max_body_bytes: 168, proxy: 172, max_downloads: 176, max_downloads_per_address: 180, allowed_hosts: 184,
      allowed_origins: 188, retry_min_ms: 192, retry_max_ms: 196, retry_tries: 200, session_ms: 204, session_bytes: 208,
      max_lost: 212, node: 216, max_topics: 220, max_server_topics: 224, max_total_mib: 228, max_put_bytes: 232
    },
    variant: {
      size: 152, type: 0, count: 4, integer: 8, number: 16, data: 144, len: 148
    },
    replicated: {
      size: 24, path: 0, name: 4, node: 8, scene: 12, items: 16, data_items: 20
    },
    call: {
      size: 16, path: 0, method: 4, arguments: 8, items: 12
    },
    sim: {
      size: 104, struct_size: 0, seed: 4, up_lag_us: 8, down_lag_us: 12, up_jitter_us: 16, down_jitter_us: 20,
      up_bytes_per_s: 24, down_bytes_per_s: 28, up_burst_bytes: 32, down_burst_bytes: 36, up_loss_ppm: 40,
      down_loss_ppm: 44, up_loss_stall_us: 48, down_loss_stall_us: 52, up_buffer_bytes: 56, down_buffer_bytes: 60,
      up_stall_from_ms: 64, down_stall_from_ms: 68, up_stall_for_ms: 72, down_stall_for_ms: 76, up_stall_every_ms: 80,
      down_stall_every_ms: 84, up_half_open_bytes: 88, down_half_open_bytes: 92, up_cut_bytes: 96, down_cut_bytes: 100
    },
    packet_out: {
      size: 16, data: 0, len: 4, type: 8, target: 12
    }
  };
  library.$WSPEER_C = {
    ABI_VERSION: 1, ANY_NAME: 512, APP_HEARTBEAT: 8192, AUTH: 2048, BINARY: 2, CALL: 3, CAUSE_AUTHORITY: 67,
    CAUSE_AUTH_TIMEOUT: 58, CAUSE_CHECKSUM: 59, CAUSE_CLOSED_BY_HOST: 1, CAUSE_CLOSED_BY_PEER: 2,
    CAUSE_CLOSE_TIMEOUT: 7, CAUSE_CONNECT_TIMEOUT: 22, CAUSE_DROPPED: 3, CAUSE_HTTP_INVALID: 41,
    CAUSE_LOCAL_NETWORK: 29, CAUSE_MULTIPLAYER: 56, CAUSE_NONE: 0, CAUSE_NOT_READING: 8, CAUSE_NO_HEARTBEAT: 64,
    CAUSE_NO_NODE: 62, CAUSE_PEER_GONE: 4, CAUSE_PONG_TIMEOUT: 9, CAUSE_PROTOCOL: 50, CAUSE_SESSION: 65,
    CAUSE_TCP_FAILED: 25, CAUSE_TOO_BIG: 52, CAUSE_UNSUPPORTED: 63, CLIENT_NO_CONTEXT_TAKEOVER: 128, CLOSED: 3,
    CLOSING: 2, COALESCE: 1, CONNECTING: 0, CUSTOM_SCENE: 255, DESPAWN: 6, EMPTY: 1, ERR_ARG: -1, ERR_CONFIG: -10,
    ERR_FULL: -6, ERR_HANDLE: -3, ERR_KIND: -4, ERR_LIMIT: -15, ERR_NULL: -2, ERR_STATE: -5, ERR_TARGET: -9,
    ERR_TOO_BIG: -7, ERR_UNSUPPORTED: -14, ERR_URL: -11, ERR_UTF8: -8, EVENT_AUTH: 11, EVENT_AUTHENTICATING: 10,
    EVENT_CLOSED: 4, EVENT_CLOSE_REQUEST: 3, EVENT_CONNECTED: 5, EVENT_DESPAWN: 20, EVENT_DISCONNECTED: 6,
    EVENT_ERROR: 9, EVENT_LOST: 17, EVENT_MESSAGE: 2, EVENT_OPEN: 1, EVENT_RESUMED: 18, EVENT_SKIPPED: 8,
    EVENT_SPAWN: 19, EVENT_STEP: 15, EVENT_SYNC: 21, EVENT_WRITABLE: 7, FEATURE_CLIENT: 1, FEATURE_MULTIPLAYER: 256,
    FEATURE_SCENE: 512, FEATURE_TLS: 4, GET_BODY: 9, GET_CLOSE_REASON: 5, GET_ERROR: 6, GET_EXTENSIONS: 11,
    GET_LOCAL_ADDRESS: 7, GET_PATH: 2, GET_PEER_ADDRESS: 12, GET_QUERY: 3, GET_REMOTE_ADDRESS: 8, GET_SUBPROTOCOL: 4,
    GET_TLS: 10, GET_URL: 1, GODOT3: 256, HINT_NETWORK_CHANGED: 3, HINT_RESUME: 2, HINT_SUSPEND: 1, INSECURE: 4,
    LOG_DEBUG: 4, LOST: 4, NO_RELAY: 4096, NO_SCENE: 256, OK: 0, ONLY_CA_PEM: 8, OPEN: 1, OPT_AUTH_TIMEOUT_MS: 26,
    OPT_CLOSE_TIMEOUT_MS: 4, OPT_COALESCE: 14, OPT_HEARTBEAT_MS: 2, OPT_INBOUND_BYTES: 9, OPT_INBOUND_PACKETS: 8,
    OPT_MAX_CALL_BYTES: 27, OPT_MAX_CALL_ITEMS: 28, OPT_MAX_MESSAGE_BYTES: 6, OPT_MAX_PUT_BYTES: 42,
    OPT_OUTBOUND_BYTES: 11, OPT_OUTBOUND_PACKETS: 10, OPT_POLL_BUDGET_US: 5, OPT_PONG_TIMEOUT_MS: 3,
    OPT_RETRY_MAX_MS: 36, OPT_RETRY_MIN_MS: 35, OPT_RETRY_TRIES: 37, PHASE_APP: 7, PHASE_DNS: 1, PHASE_HTTP: 5,
    PHASE_NONE: 0, PHASE_TCP: 2, PHASE_TLS: 4, PHASE_WEBSOCKET: 6, QUEUE_BEFORE_OPEN: 2, RAW_REPLICATION: 8388608,
    RECONNECT: 2097152, REPLICATION: 4, SCENE: 1024, SERVER_NO_CONTEXT_TAKEOVER: 64, SPAWN: 5, SYNC: 7, TEXT: 1,
    TRUNCATED: 4, VARIANT_ARRAY: 28, VARIANT_BOOL: 1, VARIANT_COLOR: 20, VARIANT_DICTIONARY: 27, VARIANT_FLOAT: 3,
    VARIANT_INT: 2, VARIANT_NIL: 0, VARIANT_NODE_PATH: 22, VARIANT_OBJECT: 24, VARIANT_PACKED_BYTE_ARRAY: 29,
    VARIANT_PACKED_STRING_ARRAY: 34, VARIANT_STRING: 4, VARIANT_STRING_NAME: 21, VERSION: 100
  };
  // All flags of ws_config.
  library.$WSPEER_FLAGS = 16236543;
  // By result.
  library.$WSPEER_NAMES = {
    '-17': 'WS_ERR_DIRECTORY', '-16': 'WS_ERR_PANIC', '-15': 'WS_ERR_LIMIT', '-14': 'WS_ERR_UNSUPPORTED',
    '-13': 'WS_ERR_ADDRESS', '-12': 'WS_ERR_TLS', '-11': 'WS_ERR_URL', '-10': 'WS_ERR_CONFIG', '-9': 'WS_ERR_TARGET',
    '-8': 'WS_ERR_UTF8', '-7': 'WS_ERR_TOO_BIG', '-6': 'WS_ERR_FULL', '-5': 'WS_ERR_STATE', '-4': 'WS_ERR_KIND',
    '-3': 'WS_ERR_HANDLE', '-2': 'WS_ERR_NULL', '-1': 'WS_ERR_ARG', 0: 'WS_OK', 1: 'WS_EMPTY', 2: 'WS_MORE',
    3: 'WS_PARTIAL', 4: 'WS_TRUNCATED'
  };
  // By WS_STRUCT_*.
  library.$WSPEER_SIZES = {
    1: isWide ? 288 : 236, 2: 376, 3: isWide ? 40 : 32, 4: isWide ? 128 : 120, 5: isWide ? 160 : 152,
    6: isWide ? 24 : 16, 7: isWide ? 24 : 16, 8: 104, 9: isWide ? 32 : 24
  };
  // By WS_OPT_*. `standard`: a page has it, with this default; `set`: it can be changed; `at`: where ws_config has it.
  library.$WSPEER_OPTION_ROWS = {
    1: { name: 'no_delay', handles: 'every', values: 'switch', standard: 1 },
    2: { name: 'heartbeat_ms', handles: 'every', values: 'any', standard: 4294967295, at: 28 },
    3: { name: 'pong_timeout_ms', handles: 'every', values: 'any', standard: 0, at: 32 },
    4: { name: 'close_timeout_ms', handles: 'every', values: 'finite', standard: 3000, set: true, at: 24 },
    5: { name: 'poll_budget_us', handles: 'every', values: 'above zero', standard: 1000, set: true, at: 12 },
    6: { name: 'max_message_bytes', handles: 'every', values: 'any', standard: 16777216, set: true, at: 36 },
    7: { name: 'max_fragments', handles: 'every', at: 40 },
    8: { name: 'inbound_packets', handles: 'every', values: 'any', standard: 65536, set: true, at: 48 },
    9: { name: 'inbound_bytes', handles: 'every', values: 'any', standard: 67108864, set: true, at: 52 },
    10: { name: 'outbound_packets', handles: 'every', values: 'any', standard: 4096, set: true, at: 56 },
    11: { name: 'outbound_bytes', handles: 'every', values: 'any', standard: 4194304, set: true, at: 60 },
    12: { name: 'max_messages_per_s', handles: 'every', values: 'any', standard: 4294967295, at: 64 },
    13: { name: 'max_bytes_per_s', handles: 'every', values: 'any', standard: 4294967295, at: 68 },
    14: { name: 'coalesce', handles: 'every', values: 'switch', standard: 0, set: true },
    15: { name: 'refuse_new', handles: 'server' },
    16: { name: 'max_clients', handles: 'server', at: 72 },
    17: { name: 'max_clients_per_address', handles: 'server', at: 76 },
    18: { name: 'max_pending_handshakes', handles: 'server', at: 80 },
    19: { name: 'handshake_timeout_ms', handles: 'server', at: 20 },
    20: { name: 'on_full', handles: 'server', at: 84 },
    21: { name: 'port', handles: 'every' },
    22: { name: 'deflate_threshold_bytes', handles: 'every', at: 100 },
    23: { name: 'max_inflate_ratio', handles: 'every', at: 112 },
    24: { name: 'transfer_mode', handles: 'multiplayer', values: 'up to 2', standard: 2, set: true },
    25: { name: 'transfer_channel', handles: 'multiplayer', values: 'up to 2147483647', standard: 0, set: true },
    26: { name: 'auth_timeout_ms', handles: 'multiplayer', values: 'above zero', standard: 3000, set: true },
    27: {
      name: 'max_call_bytes', handles: 'multiplayer', values: 'any', standard: 1048576, set: true,
      at: isWide ? 184 : 152
    },
    28: {
      name: 'max_call_items', handles: 'multiplayer', values: 'any', standard: 65536, set: true, at: isWide ? 188 : 156
    },
    29: { name: 'max_body_bytes', handles: 'server', at: isWide ? 204 : 168 },
    30: { name: 'report_refused', handles: 'server' },
    32: { name: 'max_downloads', handles: 'server', at: isWide ? 216 : 176 },
    33: { name: 'max_downloads_per_address', handles: 'server', at: isWide ? 220 : 180 },
    34: { name: 'download_timeout_ms', handles: 'server' },
    35: { name: 'retry_min_ms', handles: 'every', values: 'finite', standard: 1000, set: true, at: isWide ? 240 : 192 },
    36: {
      name: 'retry_max_ms', handles: 'every', values: 'finite', standard: 30000, set: true, at: isWide ? 244 : 196
    },
    37: {
      name: 'retry_tries', handles: 'every', values: 'above zero', standard: 20, set: true, at: isWide ? 248 : 200
    },
    38: { name: 'max_lost', handles: 'server', at: isWide ? 260 : 212 },
    39: { name: 'max_topics', handles: 'server', at: isWide ? 272 : 220 },
    40: { name: 'max_server_topics', handles: 'server', at: isWide ? 276 : 224 },
    41: { name: 'max_total_mib', handles: 'server', at: isWide ? 280 : 228 },
    42: {
      name: 'max_put_bytes', handles: 'every', values: 'above zero', standard: 4294967295, set: true,
      at: isWide ? 284 : 232
    },
    43: { name: 'hold_new', handles: 'server' }
  };
  // Fields of ws_config that must be 0.
  library.$WSPEER_RESERVED = [
    { name: 'reserved', at: 116 }
  ];

  // With -pthread the calls of all threads are carried to the page's own thread, where the sockets are.
  Object.keys(signatures).forEach(function (name) {
    library[name + '__sig'] = isWide ? signatures[name] : signatures[name].replace(/p/g, 'i');
    library[name + '__proxy'] = 'sync';
    library[name + '__deps'] = [
      '$WSPEER_LAYOUT', '$WSPEER_C', '$WSPEER_FLAGS', '$WSPEER_NAMES', '$WSPEER_SIZES', '$WSPEER_OPTION_ROWS',
      '$WSPEER_RESERVED', '$WSPEER_OPTIONS', '$WSPEER_CALL', '$WSPEER_CHANNEL', '$WSPEER_CONN', '$WSPEER_DIAGNOSIS',
      '$WSPEER_HINT', '$WSPEER_JOIN', '$WSPEER_LATEST', '$WSPEER_NODES', '$WSPEER', '$WSPEER_REPLICATION',
      '$WSPEER_RETRY', '$WSPEER_SCENE', '$WSPEER_SESSION', '$WSPEER_SIM', '$WSPEER_VARIANT'
    ];
  });
  mergeInto(LibraryManager.library, library);
})();
