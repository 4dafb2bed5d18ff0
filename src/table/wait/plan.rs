//! The plan of a ws_wait: what it waits for.

use crate::connection::Connection;
use crate::error::Error;
use crate::net::Stream;
use crate::table::{Kind, Member, with};
use mio::net::TcpStream;
use std::time::Instant;

/// The events that can end one wait.
#[derive(Default)]
pub struct Plan {
    /// A poll or a read would make progress now.
    pub ready: bool,
    /// Descriptors to wait for, each with whether it is to be readable and whether writable.
    #[cfg(unix)]
    pub descriptors: Vec<(std::os::fd::RawFd, bool, bool)>,
    /// Something may happen that only a poll can show.
    #[cfg(not(unix))]
    pub blind: bool,
    /// The earliest timer that needs a poll.
    pub timer: Option<Instant>,
}

impl Plan {
    /// Forgets all handles.
    pub fn clear(&mut self) {
        self.ready = false;
        self.timer = None;
        #[cfg(unix)]
        self.descriptors.clear();
        #[cfg(not(unix))]
        {
            self.blind = false;
        }
    }

    /// Adds the events that one handle waits for, as of `now`.
    pub fn add(&mut self, handle: u32, now: Instant) -> Result<(), Error> {
        with(handle, |body, member| {
            body.attend(member.end(), now, now);
            self.ready |= body.more[member.end()];
            // A time that the program advances does not pass in a wait.
            let manual = body.has_manual_time().then(|| body.now());
            match (body.next_timer[member.end()], manual) {
                (timer, None) => self.not_after(timer),
                (timer, Some(manual)) => self.ready |= timer.is_some_and(|timer| timer <= manual),
            }
            match (&mut body.kind, member) {
                (Kind::Server(server), Member::Server | Member::Client(_)) => {
                    #[cfg(not(unix))]
                    server.fetch_readiness(now.saturating_duration_since(crate::table::registry().epoch).as_secs() as u32);
                    self.ready |= match member {
                        Member::Client(key) => server.peer(key).is_some_and(|peer| peer.endpoint.inbox.has_news()),
                        _ => server.has_work(),
                    };
                    self.not_after(server.next_timer());
                    #[cfg(unix)]
                    {
                        use std::os::fd::AsRawFd;
                        self.descriptors.push((server.readiness().as_raw_fd(), true, false));
                    }
                }
                (kind, member) => {
                    if let Some(peer) = kind.peer(member) {
                        self.add_peer(peer, now, manual);
                    }
                }
            }
            Ok(())
        })
    }

    /// Adds a connection. `manual`: its time, if the program advances it.
    fn add_peer(&mut self, peer: &mut Connection, now: Instant, manual: Option<Instant>) {
        self.ready |= peer.endpoint.inbox.has_news() || peer.has_backlog() || peer.has_names() || peer.has_lost();
        if let Some(dial) = peer.dialing() {
            self.ready |= dial.is_due(now);
            self.not_after(dial.next_start());
        }
        #[cfg(unix)]
        if let Some(dial) = peer.dialing() {
            use std::os::fd::AsRawFd;
            dial.wait_fd(&mut |socket| self.descriptors.push((socket.as_raw_fd(), true, true)));
        }
        #[cfg(not(unix))]
        {
            self.blind |= peer.dialing().is_some();
        }
        let (reads, writes) = (peer.wants_input(), peer.wants_output());
        match (peer.pace_at(), manual) {
            (at, None) => self.not_after(at),
            (at, Some(manual)) => self.ready |= at.is_some_and(|at| at <= manual),
        }
        self.ready |= reads && peer.stream_mut().is_some_and(|stream| stream.holds_input());
        let (mut reads, mut writes) = (reads, writes);
        if let Some(Stream::Simulated(line)) = peer.stream_mut() {
            self.ready |= writes && line.has_room();
            match (line.next(), manual) {
                (next, None) => self.not_after(next),
                (next, Some(manual)) => self.ready |= next.is_some_and(|next| next <= manual),
            }
            (reads, writes) = (line.wants_input(), line.holds_output());
        }
        match peer.stream_mut() {
            Some(stream) if stream.is_memory() => self.ready |= stream.pipe_waits(reads, writes),
            Some(stream) => {
                if let Some(socket) = stream.tcp().filter(|_| reads || writes) {
                    self.add_socket(socket, reads, writes);
                }
            }
            None => {}
        }
    }

    #[cfg(unix)]
    fn add_socket(&mut self, socket: &TcpStream, reads: bool, writes: bool) {
        use std::os::fd::AsRawFd;
        self.descriptors.push((socket.as_raw_fd(), reads, writes));
    }

    #[cfg(not(unix))]
    fn add_socket(&mut self, socket: &TcpStream, reads: bool, writes: bool) {
        let has_nothing = || socket.peek(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        self.ready |= reads && !has_nothing();
        self.blind |= writes;
    }

    /// Merges entries with the same descriptor: all clients of a server share the server's. poll(2) accepts no more
    /// entries than the process may have descriptors.
    #[cfg(unix)]
    pub fn merge_descriptors(&mut self) {
        self.descriptors.sort_unstable_by_key(|(fd, ..)| *fd);
        self.descriptors.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                *kept = (kept.0, kept.1 || next.1, kept.2 || next.2);
            }
            same
        });
    }

    fn not_after(&mut self, timer: Option<Instant>) {
        self.timer = [self.timer, timer].into_iter().flatten().min();
    }
}
