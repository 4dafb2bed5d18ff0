/* Generated from bindings/godot/interface.toml, src/options.toml and include/wspeer.h by `make generate`:
 * do not edit. */
static const setting settings[NUMBERS] = {
    [INBOUND_BUFFER_SIZE] = {
        "inbound_buffer_size", "int", {65535, 4194304, 65535}, FIELD(inbound_bytes), WS_OPT_INBOUND_BYTES, 1,
        WS_OFF, 0},
    [OUTBOUND_BUFFER_SIZE] = {
        "outbound_buffer_size", "int", {65535, 4194304, 65535}, FIELD(outbound_bytes), WS_OPT_OUTBOUND_BYTES, 1,
        WS_OFF, 0},
    [MAX_QUEUED_PACKETS] = {
        "max_queued_packets", "int", {4096, 4096, 4096}, FIELD(inbound_packets), WS_OPT_INBOUND_PACKETS, 1,
        WS_OFF, 0},
    [MAX_MESSAGE_SIZE] = {
        "max_message_size", "int", {16777216, 16777216, 16777216}, FIELD(max_message_bytes),
        WS_OPT_MAX_MESSAGE_BYTES, 1, WS_OFF, 0},
    [HEARTBEAT_INTERVAL] = {
        "heartbeat_interval", "float", {0, 20, 20}, FIELD(heartbeat_ms), WS_OPT_HEARTBEAT_MS, 1000, WS_OFF, 0},
    [PONG_TIMEOUT] = {
        "pong_timeout", "float", {0, 0, 0}, FIELD(pong_timeout_ms), WS_OPT_PONG_TIMEOUT_MS, 1000, 0, 0},
    [CONNECT_TIMEOUT] = {
        "connect_timeout", "float", {10, NONE, NONE}, FIELD(connect_timeout_ms), 0, 1000, WS_OFF, 0},
    [HANDSHAKE_TIMEOUT] = {
        "handshake_timeout", "float", {NONE, 3, 3}, FIELD(handshake_timeout_ms), WS_OPT_HANDSHAKE_TIMEOUT_MS,
        1000, WS_OFF, 0},
    [CLOSE_TIMEOUT] = {
        "close_timeout", "float", {3, 3, 3}, FIELD(close_timeout_ms), WS_OPT_CLOSE_TIMEOUT_MS, 1000, 0, 0},
    [POLL_BUDGET_USEC] = {
        "poll_budget_usec", "int", {1000, 1000, 1000}, FIELD(poll_budget_us), WS_OPT_POLL_BUDGET_US, 1, WS_OFF,
        0},
    [MAX_CLIENTS] = {
        "max_clients", "int", {NONE, 4096, 4096}, FIELD(max_clients), WS_OPT_MAX_CLIENTS, 1, WS_OFF, 0},
    [MAX_CLIENTS_PER_ADDRESS] = {
        "max_clients_per_address", "int", {NONE, 0, 0}, FIELD(max_clients_per_address),
        WS_OPT_MAX_CLIENTS_PER_ADDRESS, 1, WS_OFF, 0},
    [MAX_DOWNLOADS] = {
        "max_downloads", "int", {NONE, 128, 128}, FIELD(max_downloads), WS_OPT_MAX_DOWNLOADS, 1, 0, 0},
    [MAX_DOWNLOADS_PER_ADDRESS] = {
        "max_downloads_per_address", "int", {NONE, 32, 32}, FIELD(max_downloads_per_address),
        WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, 1, 0, 0},
    [MAX_PENDING_HANDSHAKES] = {
        "max_pending_handshakes", "int", {NONE, 256, 256}, FIELD(max_pending_handshakes),
        WS_OPT_MAX_PENDING_HANDSHAKES, 1, WS_OFF, 0},
    [MAX_BODY_SIZE] = {
        "max_body_size", "int", {NONE, 65536, 65536}, FIELD(max_body_bytes), WS_OPT_MAX_BODY_BYTES, 1, WS_OFF, 0},
    [MAX_MESSAGES_PER_SECOND] = {
        "max_messages_per_second", "int", {NONE, 0, 0}, FIELD(max_messages_per_s), WS_OPT_MAX_MESSAGES_PER_S, 1,
        WS_OFF, 0},
    [MAX_BYTES_PER_SECOND] = {
        "max_bytes_per_second", "int", {NONE, 0, 0}, FIELD(max_bytes_per_s), WS_OPT_MAX_BYTES_PER_S, 1, WS_OFF,
        0},
    [FULL_QUEUE_POLICY] = {
        "full_queue_policy", "WSPeer.FullQueuePolicy", {NONE, 1, 1}, FIELD(on_full), WS_OPT_ON_FULL, 1, 0, 0},
    [REFUSE_NEW_CONNECTIONS] = {
        "refuse_new_connections", "bool", {NONE, 0, NONE}, 0, WS_OPT_REFUSE_NEW, 1, 0, WS_REFUSE_NEW},
    [RECONNECT] = {
        "reconnect", "bool", {0, NONE, NONE}, 0, 0, 1, 0, WS_RECONNECT},
    [SESSION_TIMEOUT] = {
        "session_timeout", "float", {0, 0, 0}, FIELD(session_ms), 0, 1000, 0, 0},
    [SESSION_BUFFER_SIZE] = {
        "session_buffer_size", "int", {1048576, 1048576, 1048576}, FIELD(session_bytes), 0, 1, WS_OFF, 0},
    [MAX_LOST_CLIENTS] = {
        "max_lost_clients", "int", {NONE, 0, 0}, FIELD(max_lost), WS_OPT_MAX_LOST, 1, 0, 0},
    [MAX_TOPICS] = {
        "max_topics", "int", {NONE, 256, 256}, FIELD(max_topics), WS_OPT_MAX_TOPICS, 1, 4096, 0},
    [MAX_SERVER_TOPICS] = {
        "max_server_topics", "int", {NONE, 65536, 65536}, FIELD(max_server_topics), WS_OPT_MAX_SERVER_TOPICS, 1,
        WS_OFF, 0},
    [MAX_TOTAL_MIB] = {
        "max_total_mib", "int", {NONE, 512, 512}, FIELD(max_total_mib), WS_OPT_MAX_TOTAL_MIB, 1, WS_OFF, 0},
    [SHARE_PORT] = {
        "share_port", "bool", {NONE, 0, 0}, 0, 0, 1, 0, WS_SHARE_PORT},
    [RETRY_MIN_DELAY] = {
        "retry_min_delay", "float", {1, NONE, 1}, FIELD(retry_min_ms), 0, 1000, 0, 0},
    [RETRY_MAX_DELAY] = {
        "retry_max_delay", "float", {30, NONE, 30}, FIELD(retry_max_ms), 0, 1000, 0, 0},
    [MAX_RETRIES] = {
        "max_retries", "int", {20, NONE, 20}, FIELD(retry_tries), 0, 1, WS_OFF, 0},
    [COALESCE] = {
        "coalesce", "bool", {0, 0, 0}, 0, WS_OPT_COALESCE, 1, 0, WS_COALESCE},
    [QUEUE_BEFORE_OPEN] = {
        "queue_before_open", "bool", {0, NONE, NONE}, 0, 0, 1, 0, WS_QUEUE_BEFORE_OPEN},
    [APPLICATION_HEARTBEAT] = {
        "application_heartbeat", "bool", {0, 0, 0}, 0, 0, 1, 0, WS_APP_HEARTBEAT},
    [REQUEST_HANDLING_ENABLED] = {
        "request_handling_enabled", "bool", {NONE, 0, 0}, 0, 0, 1, 0, WS_ASK},
    [PROXY_PROTOCOL] = {
        "proxy_protocol", "bool", {NONE, 0, 0}, 0, 0, 1, 0, WS_PROXY_PROTOCOL},
    [FORWARDED_HEADER] = {
        "forwarded_header", "bool", {NONE, 0, 0}, 0, 0, 1, 0, WS_FORWARDED},
    [X_FORWARDED_FOR_HEADER] = {
        "x_forwarded_for_header", "bool", {NONE, 0, 0}, 0, 0, 1, 0, WS_X_FORWARDED_FOR},
    [REPORT_REFUSED] = {
        "report_refused", "bool", {NONE, 0, NONE}, 0, WS_OPT_REPORT_REFUSED, 1, 0, WS_REPORT_REFUSED},
    [IPV6_PREFIX_BITS] = {
        "ipv6_prefix_bits", "int", {NONE, 64, 64}, FIELD(ipv6_prefix_bits), 0, 1, 0, 0},
    [COMPRESSION_ENABLED] = {
        "compression_enabled", "bool", {0, 0, 0}, 0, 0, 1, 0, WS_DEFLATE},
    [COMPRESSION_LEVEL] = {
        "compression_level", "int", {1, 1, 1}, FIELD(deflate_level), 0, 1, 0, 0},
    [COMPRESSION_THRESHOLD] = {
        "compression_threshold", "int", {64, 64, 64}, FIELD(deflate_threshold_bytes),
        WS_OPT_DEFLATE_THRESHOLD_BYTES, 1, 1, 0},
    [SERVER_CONTEXT_TAKEOVER] = {
        "server_context_takeover", "bool", {1, 1, 1}, 0, 0, 1, 0, WS_SERVER_NO_CONTEXT_TAKEOVER},
    [CLIENT_CONTEXT_TAKEOVER] = {
        "client_context_takeover", "bool", {1, 1, 1}, 0, 0, 1, 0, WS_CLIENT_NO_CONTEXT_TAKEOVER},
    [MAX_INFLATE_RATIO] = {
        "max_inflate_ratio", "int", {256, 256, 256}, FIELD(max_inflate_ratio), WS_OPT_MAX_INFLATE_RATIO, 1,
        WS_OFF, 0},
    [SIM_NETWORK] = {
        "sim_network", "WSPeer.SimPreset", {0, 0, 0}, 0, 0, 1, 0, 0},
    [SIM_LAG] = {
        "sim_lag", "float", {0, 0, 0}, 0, 0, 1, 0, 0},
    [SIM_JITTER] = {
        "sim_jitter", "float", {0, 0, 0}, 0, 0, 1, 0, 0},
    [SIM_LOSS] = {
        "sim_loss", "float", {0, 0, 0}, 0, 0, 1, 0, 0},
    [SIM_BANDWIDTH] = {
        "sim_bandwidth", "int", {0, 0, 0}, 0, 0, 1, 0, 0},
    [SIM_SEED] = {
        "sim_seed", "int", {0, 0, 0}, 0, 0, 1, 0, 0},
    [NO_DELAY] = {
        NULL, "bool", {1, 1, 1}, 0, WS_OPT_NO_DELAY, 1, 0, 0},
};
