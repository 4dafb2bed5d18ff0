//! Generated from src/options.toml by `make generate`: change that file.

use super::{Definition, Range, Scope, row};
use crate::codes::*;

/// All options, in the order of their numbers.
pub(super) const TABLE: [Definition; 36] = [
    row(WS_OPT_NO_DELAY, "no_delay", Scope::Every, Range::Switch, 1, 1),
    row(WS_OPT_HEARTBEAT_MS, "heartbeat_ms", Scope::Every, Range::Any, WS_OFF, 20_000),
    row(WS_OPT_PONG_TIMEOUT_MS, "pong_timeout_ms", Scope::Every, Range::Any, 0, 0),
    row(WS_OPT_CLOSE_TIMEOUT_MS, "close_timeout_ms", Scope::Every, Range::Finite, 3_000, 3_000),
    row(WS_OPT_POLL_BUDGET_US, "poll_budget_us", Scope::Every, Range::AboveZero, 1_000, 1_000),
    row(WS_OPT_MAX_MESSAGE_BYTES, "max_message_bytes", Scope::Every, Range::Any, 16_777_216, 16_777_216),
    row(WS_OPT_MAX_FRAGMENTS, "max_fragments", Scope::Every, Range::Any, 131_072, 131_072),
    row(WS_OPT_INBOUND_PACKETS, "inbound_packets", Scope::Every, Range::Any, 4_096, 4_096),
    row(WS_OPT_INBOUND_BYTES, "inbound_bytes", Scope::Every, Range::Any, 4_194_304, 4_194_304),
    row(WS_OPT_OUTBOUND_PACKETS, "outbound_packets", Scope::Every, Range::Any, 4_096, 4_096),
    row(WS_OPT_OUTBOUND_BYTES, "outbound_bytes", Scope::Every, Range::Any, 4_194_304, 4_194_304),
    row(WS_OPT_MAX_MESSAGES_PER_S, "max_messages_per_s", Scope::Every, Range::Any, WS_OFF, WS_OFF),
    row(WS_OPT_MAX_BYTES_PER_S, "max_bytes_per_s", Scope::Every, Range::Any, WS_OFF, WS_OFF),
    row(WS_OPT_COALESCE, "coalesce", Scope::Every, Range::Switch, 0, 0),
    row(WS_OPT_REFUSE_NEW, "refuse_new", Scope::Server, Range::Switch, 0, 0),
    row(WS_OPT_MAX_CLIENTS, "max_clients", Scope::Server, Range::Any, 4_096, 4_096),
    row(WS_OPT_MAX_CLIENTS_PER_ADDRESS, "max_clients_per_address", Scope::Server, Range::Any, WS_OFF, WS_OFF),
    row(WS_OPT_MAX_PENDING_HANDSHAKES, "max_pending_handshakes", Scope::Server, Range::AboveZero, 256, 256),
    row(WS_OPT_HANDSHAKE_TIMEOUT_MS, "handshake_timeout_ms", Scope::Server, Range::AboveZero, 3_000, 3_000),
    row(WS_OPT_ON_FULL, "on_full", Scope::Server, Range::FullPolicy, WS_FULL_SKIP, WS_FULL_SKIP),
    row(WS_OPT_PORT, "port", Scope::Every, Range::ReadOnly, 0, 0),
    row(WS_OPT_DEFLATE_THRESHOLD_BYTES, "deflate_threshold_bytes", Scope::Every, Range::Any, 64, 64),
    row(WS_OPT_MAX_INFLATE_RATIO, "max_inflate_ratio", Scope::Every, Range::Any, 256, 256),
    row(WS_OPT_TRANSFER_MODE, "transfer_mode", Scope::Multiplayer, Range::UpTo(2), 2, 2),
    row(WS_OPT_TRANSFER_CHANNEL, "transfer_channel", Scope::Multiplayer, Range::UpTo(2147483647), 0, 0),
    row(WS_OPT_AUTH_TIMEOUT_MS, "auth_timeout_ms", Scope::Multiplayer, Range::AboveZero, 3_000, 3_000),
    row(WS_OPT_MAX_CALL_BYTES, "max_call_bytes", Scope::Multiplayer, Range::Any, 1_048_576, 1_048_576),
    row(WS_OPT_MAX_CALL_ITEMS, "max_call_items", Scope::Multiplayer, Range::Any, 65_536, 65_536),
    row(WS_OPT_MAX_BODY_BYTES, "max_body_bytes", Scope::Server, Range::Any, 65_536, 65_536),
    row(WS_OPT_REPORT_REFUSED, "report_refused", Scope::Server, Range::Switch, 0, 0),
    row(WS_OPT_MAX_DOWNLOADS, "max_downloads", Scope::Server, Range::AboveZero, 128, 128),
    row(WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, "max_downloads_per_address", Scope::Server, Range::AboveZero, 32, 32),
    row(WS_OPT_DOWNLOAD_TIMEOUT_MS, "download_timeout_ms", Scope::Server, Range::AboveZero, 30_000, 30_000),
    row(WS_OPT_RETRY_MIN_MS, "retry_min_ms", Scope::Every, Range::Finite, 1_000, 1_000),
    row(WS_OPT_RETRY_MAX_MS, "retry_max_ms", Scope::Every, Range::Finite, 30_000, 30_000),
    row(WS_OPT_RETRY_TRIES, "retry_tries", Scope::Every, Range::AboveZero, 20, 20),
];
