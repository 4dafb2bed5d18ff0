//! The C boundary: it converts pointers to values and panics to codes. The only unsafe code of the library. The
//! comments of the exported functions are the manual: `cbindgen` copies them to the header.
#![allow(unsafe_code)]
// Exported comments are written for C. Each SAFETY line names the sentence of the header that it relies on.
#![allow(clippy::missing_safety_doc)]

pub mod ask;
pub mod certificate;
mod config;
mod config_fields;
pub mod end;
pub mod frame;
mod guard;
pub mod latest;
pub mod open;
mod pointers;
pub mod reconnect;
pub mod replication;
pub mod requests;
pub mod scene;
pub mod serve;
pub mod sim;
pub mod talk;
pub mod topics;
pub mod types;
pub mod wait;

pub use ask::*;
pub use certificate::*;
pub use end::*;
pub use frame::*;
pub use latest::*;
pub use open::*;
pub use reconnect::*;
pub use replication::*;
pub use requests::*;
pub use scene::*;
pub use serve::*;
pub use sim::*;
pub use talk::*;
pub use topics::*;
pub use types::*;
pub use wait::*;
