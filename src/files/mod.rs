//! Files of a directory as responses to GET and HEAD. Opening and reading them may take long, so it happens on threads
//! of the library. There is no socket here, and no WebSocket.

mod accepts;
mod answer;
mod conditions;
mod directory;
mod kind;
mod name;
mod site;

pub use answer::{Answer, Ask, BLOCK, Content};
pub use conditions::Outcome;
pub use directory::{Directory, Stamp};
pub use name::FilePath;
pub use site::{Site, Sites};
