//! ws_serve.

use super::family::{Kind, Member};
use super::{Body, with};
use crate::error::{Error, shown};
use crate::files::{Directory, FilePath, Site};
use crate::journal;
use crate::server::Server;
use crate::status::{ErrorCode, Level, State};

/// Serves the files of a directory to requests for paths below `prefix`; `None`: serves that prefix no more.
pub fn serve(handle: u32, prefix: &str, directory: Option<&str>, isolated: bool) -> Result<(), Error> {
    let Some(prefix) = FilePath::parse(prefix) else {
        let why = format!(
            "the prefix {:?} is no path that can be served: it begins with a slash, and no name in it is hidden",
            shown(prefix)
        );
        return Err(Error::new(ErrorCode::Arg, why));
    };
    let Some(path) = directory else {
        let removed = with(handle, |body, member| Ok(open_server(body, member)?.serve_no_more(&prefix)))?;
        let why = "nothing is served at this prefix";
        return if removed { Ok(()) } else { Err(Error::new(ErrorCode::Arg, why)) };
    };
    with(handle, |body, member| open_server(body, member).map(drop))?;
    // May wait for the disk, which no call may do with the lock.
    let directory = Directory::new(path).map_err(|error| {
        let why = format!("the directory {:?} cannot be served: {error}", shown(path));
        Error::new(ErrorCode::Directory, why)
    })?;
    let shown_prefix = prefix.names.join("/");
    with(handle, |body, member| {
        let server = open_server(body, member)?;
        server.serve(Site { prefix, directory, isolated });
        journal::note(Level::Info, || format!("{} serves files at /{shown_prefix}", server.url()));
        Ok(())
    })
}

fn open_server(body: &mut Body, member: Member) -> Result<&mut Server, Error> {
    let (Kind::Server(server), Member::Server) = (&mut body.kind, member) else {
        return Err(Error::wrong_kind("only a server's own handle serves files"));
    };
    match server.state() {
        State::Open => Ok(server),
        _ => Err(Error::new(ErrorCode::State, "the server is closing and serves nothing more")),
    }
}
