//! What ws_wait waits for.

use super::family::{Kind, Member};
use super::with;
use crate::error::Error;
use crate::net::Stream;
use crate::peer::Peer;
use std::time::Instant;

/// What may happen to one handle.
#[derive(Default)]
pub struct Plan {
    /// A poll or a read would do something now.
    pub ready: bool,
    /// Descriptors to wait for: until readable, until writable.
    #[cfg(unix)]
    pub descriptors: Vec<(std::os::fd::RawFd, bool, bool)>,
    /// When timers want a poll.
    pub timer: Option<Instant>,
}

/// The plan for one handle.
pub fn plan(handle: u32) -> Result<Plan, Error> {
    with(handle, |body, member| {
        let mut plan = Plan { timer: body.next_timer[member.end()], ..Plan::default() };
        match (&mut body.kind, member) {
            (Kind::Server(server), Member::Server | Member::Client(_)) => {
                plan.ready = match member {
                    Member::Client(key) => server.peer(key).is_some_and(|peer| !peer.inbox.is_empty()),
                    _ => server.has_work(),
                };
                plan.timer = server.next_timer();
                #[cfg(unix)]
                {
                    use std::os::fd::AsRawFd;
                    plan.descriptors.push((server.readiness().as_raw_fd(), true, false));
                }
            }
            (kind, member) => {
                if let Some(peer) = kind.peer(member) {
                    add(&mut plan, peer);
                }
            }
        }
        plan.ready |= body.more[member.end()];
        Ok(plan)
    })
}

fn add(plan: &mut Plan, peer: &mut Peer) {
    plan.ready = !peer.inbox.is_empty() || peer.has_backlog();
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd;
        if let Some(dial) = peer.dialing() {
            // A new attempt may start or end while waiting: look again soon.
            plan.timer = plan.timer.map_or(Instant::now() + DIAL_LOOK, |timer| timer.min(Instant::now() + DIAL_LOOK)).into();
            dial.wait_fd(&mut |socket| plan.descriptors.push((socket.as_raw_fd(), true, true)));
        }
        let (reads, writes) = (peer.wants_input(), peer.has_output());
        match peer.stream_mut() {
            Some(Stream::Memory(end)) => plan.ready |= (reads && end.readable() > 0) || (writes && end.room() > 0),
            Some(stream) => {
                if let Some(socket) = stream.tcp().filter(|_| reads || writes) {
                    plan.descriptors.push((socket.as_raw_fd(), reads, writes));
                }
            }
            None => {}
        }
    }
}

/// How long a wait goes on without a look at a dial.
const DIAL_LOOK: std::time::Duration = std::time::Duration::from_millis(20);
