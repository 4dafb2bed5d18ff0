//! The options of ws_get_option() and ws_set_option(). Values are those of the fields of ws_config.
//! Generated from src/options.toml by `make generate`: change that file.

/// TCP_NODELAY: 1 (default) or 0.
pub const WS_OPT_NO_DELAY: i32 = 1;
/// ws_config.heartbeat_ms; 0 and WS_OFF: no pings. If it is switched on while OPEN, the next poll pings.
pub const WS_OPT_HEARTBEAT_MS: i32 = 2;
/// ws_config.pong_timeout_ms; 0: three times heartbeat_ms.
pub const WS_OPT_PONG_TIMEOUT_MS: i32 = 3;
/// ws_config.close_timeout_ms.
pub const WS_OPT_CLOSE_TIMEOUT_MS: i32 = 4;
/// ws_config.poll_budget_us.
pub const WS_OPT_POLL_BUDGET_US: i32 = 5;
/// ws_config.max_message_bytes.
pub const WS_OPT_MAX_MESSAGE_BYTES: i32 = 6;
/// ws_config.max_fragments.
pub const WS_OPT_MAX_FRAGMENTS: i32 = 7;
/// ws_config.inbound_packets.
pub const WS_OPT_INBOUND_PACKETS: i32 = 8;
/// ws_config.inbound_bytes.
pub const WS_OPT_INBOUND_BYTES: i32 = 9;
/// ws_config.outbound_packets.
pub const WS_OPT_OUTBOUND_PACKETS: i32 = 10;
/// ws_config.outbound_bytes.
pub const WS_OPT_OUTBOUND_BYTES: i32 = 11;
/// ws_config.max_messages_per_s.
pub const WS_OPT_MAX_MESSAGES_PER_S: i32 = 12;
/// ws_config.max_bytes_per_s.
pub const WS_OPT_MAX_BYTES_PER_S: i32 = 13;
/// The flag WS_COALESCE: 0 or 1.
pub const WS_OPT_COALESCE: i32 = 14;
/// Server: the flag WS_REFUSE_NEW: 0 or 1.
pub const WS_OPT_REFUSE_NEW: i32 = 15;
/// Server: ws_config.max_clients.
pub const WS_OPT_MAX_CLIENTS: i32 = 16;
/// Server: ws_config.max_clients_per_address.
pub const WS_OPT_MAX_CLIENTS_PER_ADDRESS: i32 = 17;
/// Server: ws_config.max_pending_handshakes.
pub const WS_OPT_MAX_PENDING_HANDSHAKES: i32 = 18;
/// Server: ws_config.handshake_timeout_ms.
pub const WS_OPT_HANDSHAKE_TIMEOUT_MS: i32 = 19;
/// Server: ws_config.on_full.
pub const WS_OPT_ON_FULL: i32 = 20;
/// The local port, read only: the one chosen for "ws://127.0.0.1:0".
pub const WS_OPT_PORT: i32 = 21;
/// ws_config.deflate_threshold_bytes.
pub const WS_OPT_DEFLATE_THRESHOLD_BYTES: i32 = 22;
/// ws_config.max_inflate_ratio.
pub const WS_OPT_MAX_INFLATE_RATIO: i32 = 23;
/// Host, join: Godot's transfer mode, 0 (unreliable), 1 (unreliable ordered) or 2 (reliable; default). Only stored:
/// every packet is reliable and ordered.
pub const WS_OPT_TRANSFER_MODE: i32 = 24;
/// Host, join: Godot's transfer channel (default 0). Only stored: every packet uses the one connection.
pub const WS_OPT_TRANSFER_CHANNEL: i32 = 25;
/// Host, join with WS_AUTH: time limit of the authentication of a peer, in milliseconds (default: 3000); WS_OFF: none.
/// It applies to peers that arrive later.
pub const WS_OPT_AUTH_TIMEOUT_MS: i32 = 26;
/// Host, join: ws_config.max_call_bytes.
pub const WS_OPT_MAX_CALL_BYTES: i32 = 27;
/// Host, join: ws_config.max_call_items.
pub const WS_OPT_MAX_CALL_ITEMS: i32 = 28;
/// Server: ws_config.max_body_bytes.
pub const WS_OPT_MAX_BODY_BYTES: i32 = 29;
/// Server: the flag WS_REPORT_REFUSED: 0 or 1. ws_get_stats() counts refused clients in any case.
pub const WS_OPT_REPORT_REFUSED: i32 = 30;
/// Server: ws_config.max_downloads.
pub const WS_OPT_MAX_DOWNLOADS: i32 = 32;
/// Server: ws_config.max_downloads_per_address.
pub const WS_OPT_MAX_DOWNLOADS_PER_ADDRESS: i32 = 33;
/// Server: time in which a client of ws_serve() must take 64 KiB of a file, in milliseconds (default: 30000); WS_OFF:
/// any. A slower client is dropped.
pub const WS_OPT_DOWNLOAD_TIMEOUT_MS: i32 = 34;
/// ws_config.retry_min_ms.
pub const WS_OPT_RETRY_MIN_MS: i32 = 35;
/// ws_config.retry_max_ms.
pub const WS_OPT_RETRY_MAX_MS: i32 = 36;
/// ws_config.retry_tries.
pub const WS_OPT_RETRY_TRIES: i32 = 37;
/// Server: ws_config.max_lost.
pub const WS_OPT_MAX_LOST: i32 = 38;
/// Server: ws_config.max_topics.
pub const WS_OPT_MAX_TOPICS: i32 = 39;
/// Server: ws_config.max_server_topics.
pub const WS_OPT_MAX_SERVER_TOPICS: i32 = 40;
/// Server: ws_config.max_total_mib.
pub const WS_OPT_MAX_TOTAL_MIB: i32 = 41;
/// ws_config.max_put_bytes; a host or join has 65535 unless it is set.
pub const WS_OPT_MAX_PUT_BYTES: i32 = 42;
/// Server: 1: new clients are not even accepted but wait in the system's queue until it is 0 again, as with Godot's own
/// classes; those in their opening handshake are refused as by WS_OPT_REFUSE_NEW.
pub const WS_OPT_HOLD_NEW: i32 = 43;
