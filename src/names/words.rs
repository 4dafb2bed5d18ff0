//! Generated from src/options.toml by `make generate`: change that file, or src/codes.rs.

use super::Name;

/// `struct_size`.
pub const STRUCT_SIZE: Name = Name("struct_size");
/// `owner`.
pub const OWNER: Name = Name("owner");
/// `flags`.
pub const FLAGS: Name = Name("flags");
/// `poll_budget_us`.
pub const POLL_BUDGET_US: Name = Name("poll_budget_us");
/// `connect_timeout_ms`.
pub const CONNECT_TIMEOUT_MS: Name = Name("connect_timeout_ms");
/// `handshake_timeout_ms`.
pub const HANDSHAKE_TIMEOUT_MS: Name = Name("handshake_timeout_ms");
/// `close_timeout_ms`.
pub const CLOSE_TIMEOUT_MS: Name = Name("close_timeout_ms");
/// `heartbeat_ms`.
pub const HEARTBEAT_MS: Name = Name("heartbeat_ms");
/// `pong_timeout_ms`.
pub const PONG_TIMEOUT_MS: Name = Name("pong_timeout_ms");
/// `max_message_bytes`.
pub const MAX_MESSAGE_BYTES: Name = Name("max_message_bytes");
/// `max_fragments`.
pub const MAX_FRAGMENTS: Name = Name("max_fragments");
/// `max_header_bytes`.
pub const MAX_HEADER_BYTES: Name = Name("max_header_bytes");
/// `inbound_packets`.
pub const INBOUND_PACKETS: Name = Name("inbound_packets");
/// `inbound_bytes`.
pub const INBOUND_BYTES: Name = Name("inbound_bytes");
/// `outbound_packets`.
pub const OUTBOUND_PACKETS: Name = Name("outbound_packets");
/// `outbound_bytes`.
pub const OUTBOUND_BYTES: Name = Name("outbound_bytes");
/// `max_messages_per_s`.
pub const MAX_MESSAGES_PER_S: Name = Name("max_messages_per_s");
/// `max_bytes_per_s`.
pub const MAX_BYTES_PER_S: Name = Name("max_bytes_per_s");
/// `max_clients`.
pub const MAX_CLIENTS: Name = Name("max_clients");
/// `max_clients_per_address`.
pub const MAX_CLIENTS_PER_ADDRESS: Name = Name("max_clients_per_address");
/// `max_pending_handshakes`.
pub const MAX_PENDING_HANDSHAKES: Name = Name("max_pending_handshakes");
/// `on_full`.
pub const ON_FULL: Name = Name("on_full");
/// `no_delay`.
pub const NO_DELAY: Name = Name("no_delay");
/// `headers_count`.
pub const HEADERS_COUNT: Name = Name("headers_count");
/// `deflate_level`.
pub const DEFLATE_LEVEL: Name = Name("deflate_level");
/// `deflate_threshold_bytes`.
pub const DEFLATE_THRESHOLD_BYTES: Name = Name("deflate_threshold_bytes");
/// `server_max_window_bits`.
pub const SERVER_MAX_WINDOW_BITS: Name = Name("server_max_window_bits");
/// `client_max_window_bits`.
pub const CLIENT_MAX_WINDOW_BITS: Name = Name("client_max_window_bits");
/// `max_inflate_ratio`.
pub const MAX_INFLATE_RATIO: Name = Name("max_inflate_ratio");
/// `headers`.
pub const HEADERS: Name = Name("headers");
/// `subprotocols`.
pub const SUBPROTOCOLS: Name = Name("subprotocols");
/// `ca_pem`.
pub const CA_PEM: Name = Name("ca_pem");
/// `cert_pem`.
pub const CERT_PEM: Name = Name("cert_pem");
/// `key_pem`.
pub const KEY_PEM: Name = Name("key_pem");
/// `server_name`.
pub const SERVER_NAME: Name = Name("server_name");
/// `pin_sha256`.
pub const PIN_SHA256: Name = Name("pin_sha256");
/// `user`.
pub const USER: Name = Name("user");
/// `max_call_bytes`.
pub const MAX_CALL_BYTES: Name = Name("max_call_bytes");
/// `max_call_items`.
pub const MAX_CALL_ITEMS: Name = Name("max_call_items");
/// `trusted_proxies`.
pub const TRUSTED_PROXIES: Name = Name("trusted_proxies");
/// `ipv6_prefix_bits`.
pub const IPV6_PREFIX_BITS: Name = Name("ipv6_prefix_bits");
/// `max_body_bytes`.
pub const MAX_BODY_BYTES: Name = Name("max_body_bytes");
/// `proxy`.
pub const PROXY: Name = Name("proxy");
/// `max_downloads`.
pub const MAX_DOWNLOADS: Name = Name("max_downloads");
/// `max_downloads_per_address`.
pub const MAX_DOWNLOADS_PER_ADDRESS: Name = Name("max_downloads_per_address");
/// `allowed_hosts`.
pub const ALLOWED_HOSTS: Name = Name("allowed_hosts");
/// `allowed_origins`.
pub const ALLOWED_ORIGINS: Name = Name("allowed_origins");
/// `retry_min_ms`.
pub const RETRY_MIN_MS: Name = Name("retry_min_ms");
/// `retry_max_ms`.
pub const RETRY_MAX_MS: Name = Name("retry_max_ms");
/// `retry_tries`.
pub const RETRY_TRIES: Name = Name("retry_tries");
/// `session_ms`.
pub const SESSION_MS: Name = Name("session_ms");
/// `session_bytes`.
pub const SESSION_BYTES: Name = Name("session_bytes");
/// `max_lost`.
pub const MAX_LOST: Name = Name("max_lost");
/// `node`.
pub const NODE: Name = Name("node");
/// `max_topics`.
pub const MAX_TOPICS: Name = Name("max_topics");
/// `max_server_topics`.
pub const MAX_SERVER_TOPICS: Name = Name("max_server_topics");
/// `max_total_mib`.
pub const MAX_TOTAL_MIB: Name = Name("max_total_mib");
/// `max_put_bytes`.
pub const MAX_PUT_BYTES: Name = Name("max_put_bytes");
/// `WS_COALESCE`.
pub const COALESCE: Name = Name("WS_COALESCE");
/// `WS_QUEUE_BEFORE_OPEN`.
pub const QUEUE_BEFORE_OPEN: Name = Name("WS_QUEUE_BEFORE_OPEN");
/// `WS_INSECURE`.
pub const INSECURE: Name = Name("WS_INSECURE");
/// `WS_ONLY_CA_PEM`.
pub const ONLY_CA_PEM: Name = Name("WS_ONLY_CA_PEM");
/// `WS_REFUSE_NEW`.
pub const REFUSE_NEW: Name = Name("WS_REFUSE_NEW");
/// `WS_DEFLATE`.
pub const DEFLATE: Name = Name("WS_DEFLATE");
/// `WS_SERVER_NO_CONTEXT_TAKEOVER`.
pub const SERVER_NO_CONTEXT_TAKEOVER: Name = Name("WS_SERVER_NO_CONTEXT_TAKEOVER");
/// `WS_CLIENT_NO_CONTEXT_TAKEOVER`.
pub const CLIENT_NO_CONTEXT_TAKEOVER: Name = Name("WS_CLIENT_NO_CONTEXT_TAKEOVER");
/// `WS_GODOT3`.
pub const GODOT3: Name = Name("WS_GODOT3");
/// `WS_ANY_NAME`.
pub const ANY_NAME: Name = Name("WS_ANY_NAME");
/// `WS_SCENE`.
pub const SCENE: Name = Name("WS_SCENE");
/// `WS_AUTH`.
pub const AUTH: Name = Name("WS_AUTH");
/// `WS_NO_RELAY`.
pub const NO_RELAY: Name = Name("WS_NO_RELAY");
/// `WS_APP_HEARTBEAT`.
pub const APP_HEARTBEAT: Name = Name("WS_APP_HEARTBEAT");
/// `WS_ASK`.
pub const ASK: Name = Name("WS_ASK");
/// `WS_FORWARDED`.
pub const FORWARDED: Name = Name("WS_FORWARDED");
/// `WS_X_FORWARDED_FOR`.
pub const X_FORWARDED_FOR: Name = Name("WS_X_FORWARDED_FOR");
/// `WS_PROXY_PROTOCOL`.
pub const PROXY_PROTOCOL: Name = Name("WS_PROXY_PROTOCOL");
/// `WS_REPORT_REFUSED`.
pub const REPORT_REFUSED: Name = Name("WS_REPORT_REFUSED");
/// `WS_RECONNECT`.
pub const RECONNECT: Name = Name("WS_RECONNECT");
/// `WS_SHARE_PORT`.
pub const SHARE_PORT: Name = Name("WS_SHARE_PORT");
/// `WS_RAW_REPLICATION`.
pub const RAW_REPLICATION: Name = Name("WS_RAW_REPLICATION");
/// `WS_OPT_PORT`.
pub const PORT: Name = Name("WS_OPT_PORT");
/// `WS_OPT_TRANSFER_MODE`.
pub const TRANSFER_MODE: Name = Name("WS_OPT_TRANSFER_MODE");
/// `WS_OPT_TRANSFER_CHANNEL`.
pub const TRANSFER_CHANNEL: Name = Name("WS_OPT_TRANSFER_CHANNEL");
/// `WS_OPT_AUTH_TIMEOUT_MS`.
pub const AUTH_TIMEOUT_MS: Name = Name("WS_OPT_AUTH_TIMEOUT_MS");
/// `WS_OPT_DOWNLOAD_TIMEOUT_MS`.
pub const DOWNLOAD_TIMEOUT_MS: Name = Name("WS_OPT_DOWNLOAD_TIMEOUT_MS");
/// `WS_OPT_HOLD_NEW`.
pub const HOLD_NEW: Name = Name("WS_OPT_HOLD_NEW");
