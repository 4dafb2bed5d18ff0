//! Exports for the replication of scenes: Godot's MultiplayerSpawner and MultiplayerSynchronizer.

use super::guard::{guard, wrong};
use super::pointers::{bytes, need, optional_text, put, put_at, text};
use super::scene::{check_items, outside, read_items, refused, variant};
use super::types::*;
use crate::codes::{WS_CUSTOM_SCENE, WS_NO_SCENE};
use crate::error::Error;
use crate::multiplayer::scene::replication::{Entry, Values, next_entry};
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Declares a scene of a MultiplayerSpawner, so that this program receives what a peer spawns with it, or spawns itself.
/// `spawner` is the path of the spawner, "Game/Spawner" or "/root/Game/Spawner". `authority` is the id of the peer that
/// may spawn with it, its multiplayer authority: 1 is the host, 0 is this program. `scene` is the index in the
/// spawner's Auto Spawn List, from 0 on, or WS_CUSTOM_SCENE.
///
/// `synchronizers` names the properties of the scene's MultiplayerSynchronizers that have the same authority, in the
/// order in which they enter the tree, separated by semicolons; of each the properties in the order of its
/// configuration, separated by commas. Behind a property stand its modes, as the editor shows them: "spawn", and
/// "always" or "change". Without any it is "spawn always", Godot's default.
///
///   ws_declare_scene(h, "Game/Spawner", 1, 0, ".:position, .:skin spawn; Body:health spawn change");
///
/// "" is a scene without synchronizers, and NULL forgets the scene. Declare it right after ws_host() or ws_join(): what
/// is spawned with an undeclared scene is dropped, and ERROR with WS_CAUSE_NO_NODE reports it. docs/godot-scene.md has
/// an example.
///
/// `h` is a host or a join with WS_SCENE and without WS_RAW_REPLICATION. Returns WS_OK, WS_ERR_ARG (the path, the
/// authority, the index, the properties, declared with others, or nothing to forget), WS_ERR_LIMIT, WS_ERR_KIND,
/// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_declare_scene(
    h: ws_handle,
    spawner: *const c_char,
    authority: i32,
    scene: u32,
    synchronizers: *const c_char,
) -> ws_result {
    guard(|| {
        let scene = index_of(scene)?;
        let (spawner, list) = (text("spawner", spawner)?, optional_text("synchronizers", synchronizers)?);
        table::declare_scene(h, spawner, authority, scene, list).map(|()| Success::Ok)
    })
}

/// Declares a MultiplayerSynchronizer that no spawn lists: one of a scene that both sides load, or of another authority
/// than the spawner's. `path` is its own path, `authority` and `properties` as for ws_declare_scene(); NULL for
/// `properties` forgets it. If the authority is this program, `node` (may be NULL) is set to the number for ws_sync()
/// and ws_set_visible(), else to 0.
///
/// Returns as ws_declare_scene(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_declare_synchronizer(
    h: ws_handle,
    path: *const c_char,
    authority: i32,
    properties: *const c_char,
    node: *mut u32,
) -> ws_result {
    guard(|| {
        super::pointers::put_optional(node, 0);
        let (path, list) = (text("path", path)?, optional_text("properties", properties)?);
        let number = table::declare_synchronizer(h, path, authority, list)?;
        super::pointers::put_optional(node, number);
        Ok(Success::Ok)
    })
}

/// Spawns a node at all peers that may see it, those to come included, until ws_despawn(). `spawner` and `scene` were
/// declared with authority 0. `name` is the node's name below the spawner's spawn path, unique there, without any of
/// . : @ / " %.
///
/// `items` are pairs of a STRING, the name of a property, and its value: all properties with the mode "spawn", and
/// others of the scene as wanted. For WS_CUSTOM_SCENE they begin with one more value, the data of the spawn. `node` is
/// set to the node's number.
///
/// A peer whose queue is full gets it later. Returns WS_OK, WS_ERR_ARG (not declared, a name, an item, a property that
/// is unknown or lacks), WS_ERR_LIMIT (65,536 nodes), WS_ERR_TOO_BIG (max_call_bytes, max_put_bytes), WS_ERR_KIND,
/// WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_spawn(
    h: ws_handle,
    spawner: *const c_char,
    scene: u32,
    name: *const c_char,
    items: *const ws_variant,
    count: usize,
    node: *mut u32,
) -> ws_result {
    guard(|| {
        put("node", node, 0)?;
        let scene = index_of(scene)?;
        let (spawner, name) = (text("spawner", spawner)?, text("name", name)?);
        let values = read_items(items, count, |items| Values::read(items, u32::from(scene) == WS_CUSTOM_SCENE))?;
        let number = table::spawn(h, spawner, scene, name, values)?;
        put("node", node, number)?;
        Ok(Success::Ok)
    })
}

/// Despawns a node of ws_spawn() at all peers. Returns WS_OK, WS_ERR_ARG (no such node), WS_ERR_KIND, WS_ERR_HANDLE.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_despawn(h: ws_handle, node: u32) -> ws_result {
    guard(|| table::despawn(h, node).map(|()| Success::Ok))
}

/// Sends new values of properties of a node of ws_spawn() or ws_declare_synchronizer() to the peers that see it. `items`
/// are pairs as for ws_spawn(). Properties with the mode "always" are sent whenever one of their synchronizer is given,
/// to peers whose queue has room, so call it once a frame or more seldom; those with "change" are sent once if their
/// value has changed, and later to a peer whose queue is full or who comes later. Others are kept for peers to come.
///
/// Returns WS_OK, WS_ERR_ARG (no such node, an item, an unknown property, or a property with "always" that was never
/// given), WS_ERR_TOO_BIG (max_call_bytes, max_put_bytes; of all its values), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL,
/// WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_sync(h: ws_handle, node: u32, items: *const ws_variant, count: usize) -> ws_result {
    guard(|| {
        let values = read_items(items, count, |items| Values::read(items, false))?;
        table::sync(h, node, values).map(|()| Success::Ok)
    })
}

/// Shows (`visible` is not 0) or hides (0) a node to one peer, or, with `peer_id` 0, to all. As in Godot, a peer sees it
/// if it is shown to all or to that peer; at first it is shown to all. A peer for which that changes gets SPAWN or
/// DESPAWN.
///
/// Returns WS_OK, WS_ERR_ARG (no such node), WS_ERR_TARGET (no such peer), WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_set_visible(h: ws_handle, node: u32, peer_id: i32, visible: i32) -> ws_result {
    guard(|| table::set_visible(h, node, peer_id, visible != 0).map(|()| Success::Ok))
}

/// Decodes a received packet of type WS_SPAWN, WS_DESPAWN or WS_SYNC: one node at each call. Set `*at` to 0 before the
/// first; each call moves it on.
///
///   for (size_t at = 0; ws_decode_replication(data, len, &at, &node, items, 32) == WS_OK;)
///     update(peer_id, node.node, items, node.items);
///
/// The items of SPAWN and SYNC are pairs of a STRING, the name of a property, and its value, as for ws_spawn(). At most
/// `cap` are written; if there are more, the result is WS_TRUNCATED. What `out` and the items point to is lent as long
/// as the packet. Neither `at`, `out` nor `items` may overlap `data`.
///
/// Returns WS_OK, WS_TRUNCATED, WS_EMPTY (there is no other node), WS_ERR_ARG (no such packet), WS_ERR_NULL,
/// WS_ERR_TOO_BIG. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_decode_replication(
    data: *const u8,
    len: usize,
    at: *mut usize,
    out: *mut ws_replicated,
    items: *mut ws_variant,
    cap: usize,
) -> ws_result {
    guard(|| {
        need("out", out)?;
        need("at", at)?;
        check_items(items, cap)?;
        outside("at", at.cast(), size_of::<usize>(), "data", (data, len))?;
        outside("out", out.cast(), size_of::<ws_replicated>(), "data", (data, len))?;
        outside("items", items.cast(), cap * size_of::<ws_variant>(), "data", (data, len))?;
        let data = bytes("data", data, len)?;
        let from = super::pointers::get_at(at.cast_const(), 0);
        let found = next_entry(data, from, |index, item| {
            if index < cap {
                put_at(items, index, variant(item));
            }
        });
        let Some((entry, next)) = found.map_err(refused)? else { return Ok(Success::Empty) };
        let Entry { path, name, node, scene, items, data_items } = entry;
        let [path, name] = [path, name].map(|text| text.as_ptr().cast::<c_char>());
        put(
            "out",
            out,
            ws_replicated { path, name, node, scene: scene.map_or(WS_NO_SCENE, u32::from), items, data_items },
        )?;
        put("at", at, next)?;
        Ok(if items as usize > cap { Success::Truncated } else { Success::Ok })
    })
}

fn index_of(scene: u32) -> Result<u8, Error> {
    u8::try_from(scene)
        .map_err(|_| wrong(ErrorCode::Arg, format!("{scene} is no scene: use an index from 0 on, or WS_CUSTOM_SCENE")))
}
