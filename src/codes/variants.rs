//! Constants of Variant types, log levels, structs and features.

// --- Log levels of ws_set_log_level(). ---

/// No lines.
pub const WS_LOG_OFF: i32 = 0;
/// Defects of wspeer, and system failures that concern no single connection.
pub const WS_LOG_ERROR: i32 = 1;
/// Probable mistakes such as WS_INSECURE, and clients that were refused. The default.
pub const WS_LOG_WARN: i32 = 2;
/// Connections that open and end, and servers that listen.
pub const WS_LOG_INFO: i32 = 3;
/// Details of connecting and freeing.
pub const WS_LOG_DEBUG: i32 = 4;

// --- Structs of ws_struct_size(). ---

/// ws_config, which may grow in later versions.
pub const WS_STRUCT_CONFIG: i32 = 1;
/// ws_stats, which may grow in later versions.
pub const WS_STRUCT_STATS: i32 = 2;
/// ws_packet, whose layout is fixed.
pub const WS_STRUCT_PACKET: i32 = 3;
/// ws_event, whose layout is fixed.
pub const WS_STRUCT_EVENT: i32 = 4;
/// ws_variant, whose layout is fixed.
pub const WS_STRUCT_VARIANT: i32 = 5;
/// ws_call, whose layout is fixed.
pub const WS_STRUCT_CALL: i32 = 6;
/// ws_packet_out, whose layout is fixed.
pub const WS_STRUCT_PACKET_OUT: i32 = 7;
/// ws_sim, which may grow in later versions.
pub const WS_STRUCT_SIM: i32 = 8;
/// ws_replicated, whose layout is fixed.
pub const WS_STRUCT_REPLICATED: i32 = 9;

// --- Presets of ws_sim_init(). docs/simulator.md has their figures, and the measurements that they were taken from. ---

/// A perfect network.
pub const WS_SIM_NONE: i32 = 0;
/// A busy Wi-Fi: a tenth of the packets takes more than 100 ms there and back.
pub const WS_SIM_WIFI: i32 = 1;
/// 4G (LTE) of somebody who moves.
pub const WS_SIM_4G: i32 = 2;
/// A train or a car between cells: nothing arrives for two seconds every half minute.
pub const WS_SIM_TRAIN: i32 = 3;
/// A geostationary satellite: 630 ms there and back.
pub const WS_SIM_SATELLITE: i32 = 4;

// --- Types of values in a ws_variant: Godot 4's Variant.Type. ---

/// null.
pub const WS_VARIANT_NIL: i32 = 0;
/// bool, in `integer`.
pub const WS_VARIANT_BOOL: i32 = 1;
/// int, in `integer`.
pub const WS_VARIANT_INT: i32 = 2;
/// float, in number[0].
pub const WS_VARIANT_FLOAT: i32 = 3;
/// String: UTF-8 in data and len.
pub const WS_VARIANT_STRING: i32 = 4;
/// Vector2: x, y in `number`.
pub const WS_VARIANT_VECTOR2: i32 = 5;
/// Vector2i: x, y.
pub const WS_VARIANT_VECTOR2I: i32 = 6;
/// Rect2: position, size.
pub const WS_VARIANT_RECT2: i32 = 7;
/// Rect2i: position, size.
pub const WS_VARIANT_RECT2I: i32 = 8;
/// Vector3: x, y, z.
pub const WS_VARIANT_VECTOR3: i32 = 9;
/// Vector3i: x, y, z.
pub const WS_VARIANT_VECTOR3I: i32 = 10;
/// Transform2D: x axis, y axis, origin.
pub const WS_VARIANT_TRANSFORM2D: i32 = 11;
/// Vector4: x, y, z, w.
pub const WS_VARIANT_VECTOR4: i32 = 12;
/// Vector4i: x, y, z, w.
pub const WS_VARIANT_VECTOR4I: i32 = 13;
/// Plane: normal, d.
pub const WS_VARIANT_PLANE: i32 = 14;
/// Quaternion: x, y, z, w.
pub const WS_VARIANT_QUATERNION: i32 = 15;
/// AABB: position, size.
pub const WS_VARIANT_AABB: i32 = 16;
/// Basis: row by row. The first row has the x components of the three axes.
pub const WS_VARIANT_BASIS: i32 = 17;
/// Transform3D: its Basis, then its origin.
pub const WS_VARIANT_TRANSFORM3D: i32 = 18;
/// Projection: column by column.
pub const WS_VARIANT_PROJECTION: i32 = 19;
/// Color: r, g, b, a.
pub const WS_VARIANT_COLOR: i32 = 20;
/// StringName: as STRING.
pub const WS_VARIANT_STRING_NAME: i32 = 21;
/// NodePath: `count` STRING items follow, first names, then number[0] sub-names. `integer` is 1 if the path is
/// absolute.
pub const WS_VARIANT_NODE_PATH: i32 = 22;
/// RID: cannot be sent.
pub const WS_VARIANT_RID: i32 = 23;
/// Object: cannot be sent.
pub const WS_VARIANT_OBJECT: i32 = 24;
/// Callable: cannot be sent.
pub const WS_VARIANT_CALLABLE: i32 = 25;
/// Signal: cannot be sent.
pub const WS_VARIANT_SIGNAL: i32 = 26;
/// Dictionary: `count` pairs of items follow, each a key and its value. In a typed one `integer` is the type of the
/// keys plus 256 times the type of the values.
pub const WS_VARIANT_DICTIONARY: i32 = 27;
/// Array: `count` values follow. In a typed one `integer` is the type of the elements.
pub const WS_VARIANT_ARRAY: i32 = 28;
/// PackedByteArray: `count` bytes in data.
pub const WS_VARIANT_PACKED_BYTE_ARRAY: i32 = 29;
/// PackedInt32Array: `count` int32_t in data. The elements of this and the following arrays are little-endian and may
/// be unaligned: copy them out.
pub const WS_VARIANT_PACKED_INT32_ARRAY: i32 = 30;
/// PackedInt64Array: `count` int64_t.
pub const WS_VARIANT_PACKED_INT64_ARRAY: i32 = 31;
/// PackedFloat32Array: `count` floats.
pub const WS_VARIANT_PACKED_FLOAT32_ARRAY: i32 = 32;
/// PackedFloat64Array: `count` doubles.
pub const WS_VARIANT_PACKED_FLOAT64_ARRAY: i32 = 33;
/// PackedStringArray: `count` STRING items follow.
pub const WS_VARIANT_PACKED_STRING_ARRAY: i32 = 34;
/// PackedVector2Array: 2 floats for each element, or 2 doubles from an engine built with double precision; `len` is
/// then twice as large.
pub const WS_VARIANT_PACKED_VECTOR2_ARRAY: i32 = 35;
/// PackedVector3Array: 3 floats or doubles for each element.
pub const WS_VARIANT_PACKED_VECTOR3_ARRAY: i32 = 36;
/// PackedColorArray: 4 floats for each element.
pub const WS_VARIANT_PACKED_COLOR_ARRAY: i32 = 37;
/// PackedVector4Array: 4 floats or doubles for each element.
pub const WS_VARIANT_PACKED_VECTOR4_ARRAY: i32 = 38;

// --- Features of ws_get_features(). ---

/// ws_connect() over ws://.
pub const WS_FEATURE_CLIENT: u32 = 1;
/// ws_listen().
pub const WS_FEATURE_SERVER: u32 = 2;
/// wss:// URLs.
pub const WS_FEATURE_TLS: u32 = 4;
/// Setting request headers and reading response headers.
pub const WS_FEATURE_HEADERS: u32 = 8;
/// Pings and their round-trip time (RFC 6455 section 5.5.2).
pub const WS_FEATURE_PING: u32 = 16;
/// ws_wait().
pub const WS_FEATURE_WAIT: u32 = 32;
/// ws_pair() and ws_attach().
pub const WS_FEATURE_PAIR: u32 = 64;
/// permessage-deflate (RFC 7692).
pub const WS_FEATURE_DEFLATE: u32 = 128;
/// ws_join(); with WS_FEATURE_SERVER also ws_host() and ws_join_local().
pub const WS_FEATURE_MULTIPLAYER: u32 = 256;
/// WS_SCENE.
pub const WS_FEATURE_SCENE: u32 = 512;
