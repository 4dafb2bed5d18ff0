"""The structs and functions of the library for ctypes.

Generated from include/wspeer.h and src/options.toml by `make generate`: do not edit.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import POINTER, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

ABI_VERSION = 1


class Config(ctypes.Structure):
    """ws_config."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("owner", c_uint32),
        ("flags", c_uint32),
        ("poll_budget_us", c_uint32),
        ("connect_timeout_ms", c_uint32),
        ("handshake_timeout_ms", c_uint32),
        ("close_timeout_ms", c_uint32),
        ("heartbeat_ms", c_uint32),
        ("pong_timeout_ms", c_uint32),
        ("max_message_bytes", c_uint32),
        ("max_fragments", c_uint32),
        ("max_header_bytes", c_uint32),
        ("inbound_packets", c_uint32),
        ("inbound_bytes", c_uint32),
        ("outbound_packets", c_uint32),
        ("outbound_bytes", c_uint32),
        ("max_messages_per_s", c_uint32),
        ("max_bytes_per_s", c_uint32),
        ("max_clients", c_uint32),
        ("max_clients_per_address", c_uint32),
        ("max_pending_handshakes", c_uint32),
        ("on_full", c_uint32),
        ("no_delay", c_uint32),
        ("headers_count", c_uint32),
        ("deflate_level", c_uint32),
        ("deflate_threshold_bytes", c_uint32),
        ("server_max_window_bits", c_uint32),
        ("client_max_window_bits", c_uint32),
        ("max_inflate_ratio", c_uint32),
        ("reserved", c_uint32),
        ("headers", POINTER(c_char_p)),
        ("subprotocols", c_char_p),
        ("ca_pem", c_char_p),
        ("cert_pem", c_char_p),
        ("key_pem", c_char_p),
        ("server_name", c_char_p),
        ("pin_sha256", c_char_p),
        ("user", c_void_p),
        ("max_call_bytes", c_uint32),
        ("max_call_items", c_uint32),
        ("trusted_proxies", c_char_p),
        ("ipv6_prefix_bits", c_uint32),
        ("max_body_bytes", c_uint32),
        ("proxy", c_char_p),
        ("max_downloads", c_uint32),
        ("max_downloads_per_address", c_uint32),
        ("allowed_hosts", c_char_p),
        ("allowed_origins", c_char_p),
        ("retry_min_ms", c_uint32),
        ("retry_max_ms", c_uint32),
        ("retry_tries", c_uint32),
        ("session_ms", c_uint32),
        ("session_bytes", c_uint32),
        ("max_lost", c_uint32),
        ("node", c_char_p),
        ("max_topics", c_uint32),
        ("max_server_topics", c_uint32),
        ("max_total_mib", c_uint32),
        ("max_put_bytes", c_uint32),
    ]


class Stats(ctypes.Structure):
    """ws_stats."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("connections", c_uint32),
        ("messages_in", c_uint64),
        ("messages_out", c_uint64),
        ("bytes_in", c_uint64),
        ("bytes_out", c_uint64),
        ("wire_bytes_in", c_uint64),
        ("wire_bytes_out", c_uint64),
        ("queued_packets_in", c_uint64),
        ("queued_bytes_in", c_uint64),
        ("queued_packets_out", c_uint64),
        ("queued_bytes_out", c_uint64),
        ("skipped", c_uint64),
        ("inbound_stalls", c_uint64),
        ("rtt_us", c_uint64),
        ("last_poll_us", c_uint64),
        ("longest_poll_us", c_uint64),
        ("accepted", c_uint64),
        ("refused", c_uint64),
        ("pending_handshakes", c_uint64),
        ("compressed_in", c_uint64),
        ("compressed_out", c_uint64),
        ("deflate_memory_bytes", c_uint64),
        ("kept_bytes", c_uint64),
        ("downloads", c_uint64),
        ("served", c_uint64),
        ("refused_limit", c_uint64),
        ("refused_request", c_uint64),
        ("refused_tls", c_uint64),
        ("refused_proxy", c_uint64),
        ("refused_timeout", c_uint64),
        ("refused_gone", c_uint64),
        ("refused_waiting", c_uint64),
        ("pending_requests", c_uint64),
        ("lost", c_uint64),
        ("losses", c_uint64),
        ("resumed", c_uint64),
        ("sent_again", c_uint64),
        ("unacknowledged_packets", c_uint64),
        ("unacknowledged_bytes", c_uint64),
        ("sim_bytes", c_uint64),
        ("sim_losses", c_uint64),
        ("topics", c_uint64),
        ("subscriptions", c_uint64),
        ("replaced", c_uint64),
        ("held_bytes", c_uint64),
        ("most_held_bytes", c_uint64),
        ("ceiling_ended", c_uint64),
    ]


class Sim(ctypes.Structure):
    """ws_sim."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("seed", c_uint32),
        ("up_lag_us", c_uint32),
        ("down_lag_us", c_uint32),
        ("up_jitter_us", c_uint32),
        ("down_jitter_us", c_uint32),
        ("up_bytes_per_s", c_uint32),
        ("down_bytes_per_s", c_uint32),
        ("up_burst_bytes", c_uint32),
        ("down_burst_bytes", c_uint32),
        ("up_loss_ppm", c_uint32),
        ("down_loss_ppm", c_uint32),
        ("up_loss_stall_us", c_uint32),
        ("down_loss_stall_us", c_uint32),
        ("up_buffer_bytes", c_uint32),
        ("down_buffer_bytes", c_uint32),
        ("up_stall_from_ms", c_uint32),
        ("down_stall_from_ms", c_uint32),
        ("up_stall_for_ms", c_uint32),
        ("down_stall_for_ms", c_uint32),
        ("up_stall_every_ms", c_uint32),
        ("down_stall_every_ms", c_uint32),
        ("up_half_open_bytes", c_uint32),
        ("down_half_open_bytes", c_uint32),
        ("up_cut_bytes", c_uint32),
        ("down_cut_bytes", c_uint32),
    ]


PACKET = struct.Struct("@PNiiIIQ")
"""ws_packet: data, len, type, peer_id, conn, flags, user."""

PACKET_OUT = struct.Struct("@PNii")
"""ws_packet_out: data, len, type, target."""

EVENT = struct.Struct("@iIiiiiiiIIQQ32xPNiiIIQ")
"""ws_event: type, conn, peer_id, code, phase, cause, http_status, os_error, unsent, clean, time_ns, count,
reserved, packet."""

VARIANT = struct.Struct("@iIq16dPN")
"""ws_variant: type, count, integer, number, data, len."""

CALL = struct.Struct("@PPII")
"""ws_call: path, method, arguments, items."""

REPLICATED = struct.Struct("@PPIIII")
"""ws_replicated: path, name, node, scene, items, data_items."""

SIZES = {
    # By WS_STRUCT_*.
    1: ctypes.sizeof(Config),
    2: ctypes.sizeof(Stats),
    3: PACKET.size,
    4: EVENT.size,
    5: VARIANT.size,
    6: CALL.size,
    7: PACKET_OUT.size,
    8: ctypes.sizeof(Sim),
    9: REPLICATED.size,
}
# Structs that may grow, by WS_STRUCT_*.
GROWING = (1, 2, 8)

TYPE_TEXT = 1
TYPE_BINARY = 2
TYPE_CALL = 3
TYPE_REPLICATION = 4
TYPE_SPAWN = 5
TYPE_DESPAWN = 6
TYPE_SYNC = 7

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # name: result, arguments
    "ws_get_state": (c_int32, c_uint32),
    "ws_get_available": (c_int32, c_uint32),
    "ws_get_text": (c_int32, c_uint32, c_int32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_get_header": (c_int32, c_uint32, c_char_p, c_uint32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_get_stats": (c_int32, c_uint32, POINTER(Stats), c_size_t),
    "ws_get_end": (c_int32, c_uint32, c_void_p),
    "ws_get_option": (c_int32, c_uint32, c_int32, POINTER(c_uint32)),
    "ws_set_option": (c_int32, c_uint32, c_int32, c_uint32),
    "ws_set_user": (c_int32, c_uint32, c_size_t),
    "ws_get_conns": (c_int32, c_uint32, POINTER(c_uint32), c_size_t, POINTER(c_size_t)),
    "ws_get_waiting": (c_int32, c_uint32, POINTER(c_uint32), c_size_t, POINTER(c_size_t)),
    "ws_get_conn": (c_int32, c_uint32, c_int32, POINTER(c_uint32)),
    "ws_get_peer_id": (c_int32, c_uint32),
    "ws_result_name": (c_char_p, c_int32),
    "ws_last_error": (c_int32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_set_log_level": (c_int32, c_int32),
    "ws_set_name": (c_int32, c_char_p, c_char_p),
    "ws_get_log": (c_int32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_get_features": (c_uint32,),
    "ws_version": (c_uint32,),
    "ws_abi_version": (c_uint32,),
    "ws_struct_size": (c_uint32, c_int32),
    "ws_set_certificate": (c_int32, c_uint32, c_char_p, c_char_p),
    "ws_make_certificate": (c_int32, c_char_p, c_uint32, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p, c_size_t),
    "ws_close": (c_int32, c_uint32, c_int32, c_char_p),
    "ws_disconnect": (c_int32, c_uint32, c_int32, c_int32, c_char_p),
    "ws_drain": (c_int32, c_uint32, c_uint32, c_uint32, c_char_p),
    "ws_free": (None, c_uint32),
    "ws_free_owner": (None, c_uint32),
    "ws_shutdown": (None,),
    "ws_poll": (c_int32, c_uint32),
    "ws_get_packet": (c_int32, c_uint32, c_void_p),
    "ws_get_packets": (c_int32, c_uint32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_next_event": (c_int32, c_uint32, c_void_p),
    "ws_next_events": (c_int32, c_uint32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_put_latest": (c_int32, c_uint32, c_int32, c_uint32, c_char_p, c_size_t, c_int32),
    "ws_config_init": (c_int32, POINTER(Config), c_size_t),
    "ws_connect": (c_int32, c_char_p, POINTER(Config), POINTER(c_uint32)),
    "ws_diagnose": (c_int32, c_char_p, POINTER(Config), POINTER(c_uint32)),
    "ws_listen": (c_int32, c_char_p, POINTER(Config), POINTER(c_uint32)),
    "ws_host": (c_int32, c_char_p, POINTER(Config), POINTER(c_uint32)),
    "ws_join": (c_int32, c_char_p, POINTER(Config), POINTER(c_uint32)),
    "ws_join_local": (c_int32, c_uint32, POINTER(Config), POINTER(c_uint32)),
    "ws_pair": (c_int32, POINTER(Config), POINTER(c_uint32), POINTER(c_uint32)),
    "ws_attach": (c_int32, POINTER(Config), c_int32, POINTER(c_uint32)),
    "ws_feed": (c_int32, c_uint32, c_char_p, c_size_t, POINTER(c_size_t)),
    "ws_take_output": (c_int32, c_uint32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_hint": (c_int32, c_uint32, c_int32),
    "ws_set_url": (c_int32, c_uint32, c_char_p),
    "ws_set_header": (c_int32, c_uint32, c_char_p, c_char_p),
    "ws_declare_scene": (c_int32, c_uint32, c_char_p, c_int32, c_uint32, c_char_p),
    "ws_declare_synchronizer": (c_int32, c_uint32, c_char_p, c_int32, c_char_p, POINTER(c_uint32)),
    "ws_spawn": (c_int32, c_uint32, c_char_p, c_uint32, c_char_p, c_char_p, c_size_t, POINTER(c_uint32)),
    "ws_despawn": (c_int32, c_uint32, c_uint32),
    "ws_sync": (c_int32, c_uint32, c_uint32, c_char_p, c_size_t),
    "ws_set_visible": (c_int32, c_uint32, c_uint32, c_int32, c_int32),
    "ws_decode_replication": (c_int32, c_char_p, c_size_t, POINTER(c_size_t), c_void_p, c_void_p, c_size_t),
    "ws_accept": (c_int32, c_uint32, c_char_p, POINTER(c_char_p), c_size_t),
    "ws_reply": (c_int32, c_uint32, c_int32, POINTER(c_char_p), c_size_t, c_char_p, c_size_t),
    "ws_declare_node": (c_int32, c_uint32, c_char_p, c_char_p),
    "ws_send_auth": (c_int32, c_uint32, c_int32, c_char_p, c_size_t),
    "ws_complete_auth": (c_int32, c_uint32, c_int32),
    "ws_encode_call": (c_int32, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_decode_call": (c_int32, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t),
    "ws_encode_variant": (c_int32, c_char_p, c_size_t, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_decode_variant": (c_int32, c_char_p, c_size_t, c_void_p, c_size_t, POINTER(c_size_t), POINTER(c_size_t)),
    "ws_serve": (c_int32, c_uint32, c_char_p, c_char_p, c_uint32),
    "ws_sim_init": (c_int32, POINTER(Sim), c_size_t, c_int32),
    "ws_set_sim": (c_int32, c_uint32, POINTER(Sim)),
    "ws_advance_time": (c_int32, c_uint32, c_uint32),
    "ws_put_packet": (c_int32, c_uint32, c_char_p, c_size_t, c_int32),
    "ws_put_packet_to": (c_int32, c_uint32, c_int32, c_char_p, c_size_t, c_int32),
    "ws_put_packets": (c_int32, c_uint32, c_char_p, c_size_t, POINTER(c_size_t)),
    "ws_flush": (c_int32, c_uint32),
    "ws_subscribe": (c_int32, c_uint32, c_char_p),
    "ws_unsubscribe": (c_int32, c_uint32, c_char_p),
    "ws_publish": (c_int32, c_uint32, c_char_p, c_int32, c_char_p, c_size_t, c_int32),
    "ws_publish_latest": (c_int32, c_uint32, c_char_p, c_int32, c_uint32, c_char_p, c_size_t, c_int32),
    "ws_get_topics": (c_int32, c_uint32, c_void_p, c_size_t, POINTER(c_size_t)),
    "ws_wait": (c_int32, POINTER(c_uint32), c_size_t, c_int32),
}
