//! WebSockets that a game engine polls from its frame loop. The product is the C ABI of `include/wspeer.h`. Modules are
//! listed in the order in which bytes travel: from the socket up to the C boundary.

// The comments of codes and ffi are the text of the header, where brackets are those of C.
#![allow(rustdoc::broken_intra_doc_links)]

pub mod codes;
mod error;
mod forks;
mod heap;
mod journal;
mod names;
mod quiet;
mod status;
mod trace;

mod net;
mod protocol;
mod sim;

mod files;
mod work;

mod endpoint;
mod session;

mod link;
mod opening;

mod connection;
mod server;

mod diagnosis;
mod multiplayer;
mod role;

pub mod ffi;
mod table;

#[cfg(not(panic = "unwind"))]
compile_error!("wspeer turns panics into WS_ERR_PANIC and must be built with panic = \"unwind\"");

/// Inner modules for the tests and the fuzz targets of this repository. They may change with any commit.
#[doc(hidden)]
pub mod internals {
    pub mod connection {
        pub use crate::connection::*;
    }
    pub mod endpoint {
        pub use crate::endpoint::*;
    }
    pub mod error {
        pub use crate::error::*;
    }
    pub mod files {
        pub use crate::files::*;
    }
    pub mod heap {
        pub use crate::heap::*;
    }
    pub mod link {
        pub use crate::link::*;
    }
    pub mod multiplayer {
        pub use crate::multiplayer::*;
    }
    pub mod net {
        pub use crate::net::*;
    }
    pub mod opening {
        pub use crate::opening::*;
    }
    pub mod protocol {
        pub use crate::protocol::*;
    }
    pub mod quiet {
        pub use crate::quiet::*;
    }
    pub mod sim {
        pub use crate::sim::*;
    }
    pub mod server {
        pub use crate::server::*;
    }
    pub mod session {
        pub use crate::session::*;
    }
    pub mod status {
        pub use crate::status::*;
    }
    pub mod table {
        pub use crate::table::*;
    }
    pub mod work {
        pub use crate::work::*;
    }
}
