//! The handle table: maps handles to objects, with one lock per family.

mod ask;
mod family;
mod items;
mod leave;
mod open;
mod peers;
mod place;
mod recent;
mod redial;
mod replication;
mod requests;
mod serve;
mod sim;
mod slots;
mod topics;
pub mod verbs;
mod wait;
mod way;

pub use crate::role::Packet;
pub use ask::*;
pub use family::{Body, Kind, Member, Shared};
pub use items::{View, What, available, take_items, take_messages};
pub use open::{Settings, attach, connect, diagnose, host, join, join_local, listen, pair};
pub use peers::{complete_auth, conn, declare_node, peer_id, put_call, put_replication, send_auth};
pub use redial::{hint, set_header, set_url};
pub use replication::{declare_scene, declare_synchronizer, despawn, set_visible, spawn, sync};
pub use requests::{accept, reply};
pub use serve::serve;
pub use sim::{advance_time, set_sim};
pub use topics::{publish, subscribe, topics, unsubscribe};
pub use verbs::*;
pub use wait::{Entry, wait, wake};

use crate::error::Error;
use crate::forks::{self, Own};
use crate::journal;
use crate::names;
use crate::names::said::GET_LOG;
use crate::net::{self, Services};
use crate::server::Handles;
use crate::status::{ErrorCode, Level};
use family::Family;
use parking_lot::RwLock;
use slots::Slots;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The state of the library in one process.
pub struct Registry {
    slots: RwLock<Slots>,
    /// The library's threads.
    pub services: Services,
    /// The time that `time_ns` counts from.
    pub epoch: Instant,
}

static REGISTRY: Own<OnceLock<Registry>> = Own::new(OnceLock::new());

/// In the child of a fork: makes all handles stale, and abandons the parent's locks, log lines and threads.
pub fn forget_parent() {
    REGISTRY.renew(OnceLock::new());
    journal::forget_parent();
    names::forget_parent();
    wake::forget_parent();
    net::forget_parent();
    forks::add_one();
    recent::forget_all();
}

/// The registry of this process.
pub fn registry() -> &'static Registry {
    REGISTRY.get().get_or_init(|| Registry::new(forks::count()))
}

impl Registry {
    /// After a fork generations start at another number, so that the parent's handles are stale.
    fn new(fork: u32) -> Registry {
        Registry {
            slots: RwLock::new(Slots::new(fork)),
            services: Services::new(Arc::new(wake::all_from_afar)),
            epoch: Instant::now(),
        }
    }

    fn add(&self, family: &'static Family, member: Member) -> Option<u32> {
        self.slots.write().add(family, member)
    }

    fn remove(&self, handle: u32) -> Option<(&'static Family, Member)> {
        let removed = self.slots.write().remove(handle);
        recent::forget_all();
        removed
    }

    fn remove_all(&self, handles: impl Iterator<Item = u32>) {
        let mut slots = self.slots.write();
        for handle in handles {
            slots.remove(handle);
        }
        recent::forget_all();
    }
}

/// Runs `act` on the object behind a handle, under the lock of its family. A panic retires the family.
#[inline]
pub fn with<R>(handle: u32, act: impl FnOnce(&mut Body, Member) -> Result<R, Error>) -> Result<R, Error> {
    with_family(handle, |_, body, member| act(body, member))
}

/// Like `with`, and also passes the family.
#[inline]
pub fn with_family<R>(
    handle: u32,
    act: impl FnOnce(&'static Family, &mut Body, Member) -> Result<R, Error>,
) -> Result<R, Error> {
    with_any(handle, |family, body, member| {
        if !body.kind.is_current(member, handle) {
            return Err(stale(handle));
        }
        act(family, body, member)
    })
}

/// Like `with_family`, but `act` itself checks that the member still has this handle: its slot may have been reused.
#[inline(always)]
fn with_any<R>(
    handle: u32,
    act: impl FnOnce(&'static Family, &mut Body, Member) -> Result<R, Error>,
) -> Result<R, Error> {
    let (Some(family), member) = recent::find(handle, look_up) else { return Err(stale(handle)) };
    let mut body = family.body.lock();
    let mut watch = PanicWatch::new(family, &mut body);
    #[cfg(feature = "inject-panics")]
    crate::quiet::inject::pass(crate::quiet::inject::Place::Locked);
    let result = act(family, watch.body(), member);
    watch.done();
    result
}

/// Retires a family if a panic unwinds past it.
struct PanicWatch<'a> {
    family: &'static Family,
    body: &'a mut Body,
    done: bool,
}

impl<'a> PanicWatch<'a> {
    #[inline]
    fn new(family: &'static Family, body: &'a mut Body) -> PanicWatch<'a> {
        PanicWatch { family, body, done: false }
    }

    #[inline]
    fn body(&mut self) -> &mut Body {
        self.body
    }

    /// No panic occurred.
    #[inline]
    fn done(&mut self) {
        self.done = true;
    }
}

impl Drop for PanicWatch<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.done {
            abandon(self.family, self.body);
        }
    }
}

#[cold]
fn look_up(handle: u32) -> Option<(&'static Family, Member)> {
    registry().slots.read().find(handle)
}

#[cold]
fn stale(handle: u32) -> Error {
    let what = if handle == 0 {
        "handle 0 was given: check the result of the call that opened it"
    } else {
        "the handle was freed or has retired"
    };
    Error::new(ErrorCode::Handle, what)
}

/// The error that reports a caught panic.
pub fn panicked() -> Error {
    Error::new(
        ErrorCode::Panic,
        format!("a defect in wspeer was caught; the handle and its family are retired, and {GET_LOG} has the text"),
    )
}

/// After a panic the family's state cannot be trusted: its sockets are closed and its handles retired, and lent memory
/// stays valid.
#[cold]
fn abandon(family: &'static Family, body: &mut Body) {
    let registry = registry();
    let mut kind = std::mem::replace(&mut body.kind, Kind::Gone);
    let streams = crate::quiet::catch(|| kind.take_streams()).unwrap_or_default();
    // Leaked on purpose: the program may still use lent memory, and half-changed state must not be dropped.
    std::mem::forget(kind);
    std::mem::forget(std::mem::take(&mut body.shared));
    registry.services.close(streams);
    registry.slots.write().remove_family(family);
    recent::forget_all();
    wake::all();
    journal::note(Level::Error, || "a panic was caught and its family of handles retired".to_owned());
}

/// Creates and retires the handles of one server's clients.
struct ClientHandles<'a> {
    registry: &'a Registry,
    family: &'static Family,
}

impl Handles for ClientHandles<'_> {
    fn give(&self, key: u32) -> Option<u32> {
        self.registry.add(self.family, Member::Client(key))
    }

    fn retire(&self, handle: u32) {
        self.registry.remove(handle);
    }
}
