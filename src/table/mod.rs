//! The handle table: from a number to the object it means, one lock per family.

mod family;
mod items;
mod open;
mod slots;
pub mod verbs;
mod wait;
pub mod wake;

pub use family::{Body, Kind, Member};
pub use items::{View, What, available, take};
pub use open::{Settings, attach, connect, listen, pair};
pub use verbs::*;
pub use wait::{Plan, plan};

use crate::codes::*;
use crate::error::Error;
use crate::journal;
use crate::net::Services;
use crate::server::Handles;
use family::Family;
use parking_lot::RwLock;
use slots::Slots;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// All that the library holds, for one process.
pub struct Registry {
    slots: RwLock<Slots>,
    /// Threads of ours.
    pub services: Services,
    /// What `time_ns` counts from.
    pub epoch: Instant,
    /// The table of the child after a fork.
    after_fork: OnceLock<Box<Registry>>,
}

/// How many forks lie between this process and the first registry.
static FORKS: AtomicU32 = AtomicU32::new(0);
static FIRST: OnceLock<Registry> = OnceLock::new();

/// In the child of a fork: all handles are stale from here on, locks and threads of the parent are left behind.
pub fn forget_parent() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The registry of this process.
pub fn registry() -> &'static Registry {
    let mut registry = FIRST.get_or_init(|| Registry::new(0));
    for fork in 1..=FORKS.load(Ordering::Relaxed) {
        registry = registry.after_fork.get_or_init(|| Box::new(Registry::new(fork)));
    }
    registry
}

impl Registry {
    /// Generations start elsewhere after a fork, so that the parent's handles do not fit.
    fn new(fork: u32) -> Registry {
        Registry {
            slots: RwLock::new(Slots::new(fork)),
            services: Services::new(Arc::new(wake::all)),
            epoch: Instant::now(),
            after_fork: OnceLock::new(),
        }
    }

    fn find(&self, handle: u32) -> Result<(Arc<Family>, Member), Error> {
        self.slots.read().find(handle).ok_or_else(|| {
            let what =
                if handle == 0 { "handle 0 was given: check the result of the call that opened it" } else { "the handle was freed or has retired" };
            Error::new(WS_ERR_HANDLE, what)
        })
    }

    fn add(&self, family: &Arc<Family>, member: Member) -> Option<u32> {
        self.slots.write().add(family.clone(), member)
    }

    fn remove(&self, handle: u32) -> Option<(Arc<Family>, Member)> {
        self.slots.write().remove(handle)
    }
}

/// Does something with the object that a handle means, under the lock of its family. A panic retires the family and becomes WS_ERR_PANIC.
pub fn with<R>(handle: u32, act: impl FnOnce(&mut Body, Member) -> Result<R, Error>) -> Result<R, Error> {
    let registry = registry();
    let (family, member) = registry.find(handle)?;
    locked(registry, &family, member, handle, |body| act(body, member))
}

/// As `with`, for a handle that was looked up, or taken out of the table, before.
fn locked<R>(
    registry: &Registry,
    family: &Arc<Family>,
    member: Member,
    handle: u32,
    act: impl FnOnce(&mut Body) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut body = family.body.lock();
    if !body.kind.is_still(member, handle) {
        return Err(Error::new(WS_ERR_HANDLE, "the handle was freed or has retired in another thread's call"));
    }
    let act = |body: &mut Body| {
        #[cfg(feature = "inject-panics")]
        crate::quiet::inject::pass(crate::quiet::inject::Place::Locked);
        act(body)
    };
    match catch_unwind(AssertUnwindSafe(|| act(&mut body))) {
        Ok(result) => result,
        Err(_) => {
            abandon(registry, family, &mut body);
            Err(panicked())
        }
    }
}

/// The failure that a caught panic is told as.
pub fn panicked() -> Error {
    Error::new(WS_ERR_PANIC, "a defect in wspeer was caught; the handle and its family are retired, and ws_get_log has the text")
}

/// After a panic: the family's state cannot be trusted. Its sockets are closed, its handles retired, and what was lent stays where it is.
fn abandon(registry: &Registry, family: &Arc<Family>, body: &mut Body) {
    let mut kind = std::mem::replace(&mut body.kind, Kind::Gone);
    let streams = catch_unwind(AssertUnwindSafe(|| kind.take_streams())).unwrap_or_default();
    // Leaked on purpose: the host may still hold loans, and half-changed state is not dropped.
    std::mem::forget(kind);
    std::mem::forget(std::mem::replace(&mut body.arena, crate::peer::Arena::new(0)));
    registry.services.close(streams);
    registry.slots.write().remove_family(family);
    journal::note(WS_LOG_ERROR, || "a panic was caught and its family of handles retired".to_owned());
}

/// Gives out handles for the clients of one server.
struct ClientHandles<'a> {
    registry: &'a Registry,
    family: Arc<Family>,
}

impl Handles for ClientHandles<'_> {
    fn give(&self, key: u32) -> Option<u32> {
        self.registry.add(&self.family, Member::Client(key))
    }

    fn retire(&self, handle: u32) {
        self.registry.remove(handle);
    }
}
