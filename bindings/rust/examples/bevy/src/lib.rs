//! wspeer as a plugin of Bevy: connections are resources, what they receive are messages of Bevy.
//!
//! Insert a [`Net`] of any kind (client, server, host or join), read [`NetEvent`] in your systems, and send by
//! [`Net::handle`]. Nothing runs in other threads, and nothing is awaited: the first system of a frame polls, the last
//! one flushes.

use bevy_app::{App, Last, Plugin, PreUpdate};
use bevy_ecs::prelude::*;
use wspeer::{Conn, Endpoint, Error, Event, Handle, HostRef, JoinRef, OwnedMessage, ServerRef};

/// A connection or server of this app.
#[derive(Resource)]
pub struct Net<H: Handle>(pub Endpoint<H>);

impl<H: Handle> Net<H> {
    /// What sends.
    pub fn handle(&self) -> H {
        *self.0
    }
}

/// What a connection or server reports. The other events of wspeer are in its log.
#[derive(Message, Clone, Debug)]
pub enum NetEvent {
    /// This client, or a client of this server, is open.
    Open(Conn),
    /// A message was received.
    Message(Conn, OwnedMessage),
    /// The connection has ended; the error says why, and what to do.
    Closed(Conn, Error),
}

/// Polls the connections and servers of an app.
pub struct NetPlugin;

impl Plugin for NetPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<NetEvent>();
        add::<Conn>(app);
        add::<ServerRef>(app);
        add::<HostRef>(app);
        add::<JoinRef>(app);
    }
}

fn add<H: Handle>(app: &mut App) {
    app.add_systems(PreUpdate, receive::<H>.run_if(resource_exists::<Net<H>>));
    app.add_systems(Last, flush::<H>.run_if(resource_exists::<Net<H>>));
}

fn receive<H: Handle>(mut net: ResMut<Net<H>>, mut out: MessageWriter<NetEvent>) {
    // It fails only after a defect of the library, which the log has.
    let _ = net.0.poll();
    for event in net.0.events() {
        match event {
            Event::Open(about) | Event::Connected(about) => drop(out.write(NetEvent::Open(about.conn))),
            Event::Message(message) => drop(out.write(NetEvent::Message(message.conn(), message.to_owned()))),
            Event::Closed(end) | Event::Disconnected(end) => {
                out.write(NetEvent::Closed(end.about.conn, end.to_error()));
            }
            _ => {}
        }
    }
}

fn flush<H: Handle>(net: Res<Net<H>>) {
    let _ = Handle::flush(net.handle());
}
