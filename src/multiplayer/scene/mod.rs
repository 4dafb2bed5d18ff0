//! Godot 4's SceneMultiplayer, a layer over the multiplayer peer: its packets and its node cache. No I/O, no clock.

mod cache;
mod call;
pub mod packet;
mod read;
pub mod replication;
mod variant;
mod write;

pub use cache::{Cache, Lost, Route, other_methods, relative};
pub use call::{Call, NodeName, Rpc};
pub use read::{Reader, short_len};
pub use variant::{COMPONENTS, Fault, Form, Item, MAX_DEPTH, name};
pub use write::{Sink, write};
