//! Nodes of scenes that programs spawn and synchronize.

use super::verbs::wake_for_output;
use super::with;
use crate::error::Error;
use crate::multiplayer::scene::{relative, replication::Values};
use crate::multiplayer::{NodeLimit, Outlet, Scene};

/// ws_declare_scene; `None` forgets the scene.
pub fn declare_scene(
    handle: u32,
    spawner: &str,
    authority: i32,
    scene: u8,
    synchronizers: Option<&str>,
) -> Result<(), Error> {
    replicate(handle, authority, |of, _, _, authority| of.declare_scene(spawner, authority, scene, synchronizers))
}

/// ws_declare_synchronizer; `None` forgets it.
pub fn declare_synchronizer(handle: u32, path: &str, authority: i32, properties: Option<&str>) -> Result<u32, Error> {
    replicate(handle, authority, |of, outlet, _, authority| {
        of.declare_synchronizer(outlet, path, authority, properties)
    })
}

/// ws_spawn.
pub fn spawn(handle: u32, spawner: &str, scene: u8, name: &str, values: Values) -> Result<u32, Error> {
    replicate(handle, 0, |of, outlet, most, _| {
        let Scene { own, cache, declared, .. } = of;
        own.spawn(declared, cache, outlet, (relative(spawner), scene, name), values, most)
    })
}

/// ws_despawn.
pub fn despawn(handle: u32, node: u32) -> Result<(), Error> {
    replicate(handle, 0, |Scene { own, cache, .. }, outlet, _, _| own.despawn(cache, outlet, node))
}

/// ws_sync.
pub fn sync(handle: u32, node: u32, values: Values) -> Result<(), Error> {
    replicate(handle, 0, |Scene { own, .. }, outlet, most, _| own.sync(outlet, node, values, most))
}

/// ws_set_visible.
pub fn set_visible(handle: u32, node: u32, peer: i32, visible: bool) -> Result<(), Error> {
    replicate(handle, 0, |Scene { own, cache, .. }, outlet, _, _| own.set_visible(cache, outlet, node, peer, visible))
}

/// Lets `act` replicate, and wakes waiting threads if output is left. `authority` is as the program named it.
fn replicate<R>(
    handle: u32,
    authority: i32,
    act: impl FnOnce(&mut Scene, &mut dyn Outlet, NodeLimit, i32) -> Result<R, Error>,
) -> Result<R, Error> {
    with(handle, |body, member| {
        let (role, kind, mut cx) = body.parts_with_role(body.now(), None);
        let authority = role.authority(authority);
        let done =
            role.replicate(kind.place(member)?, &mut cx, |scene, outlet, most| act(scene, outlet, most, authority));
        // What a full queue had no room for is sent by the next polls.
        wake_for_output(body);
        done
    })
}
