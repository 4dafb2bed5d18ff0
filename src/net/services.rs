//! The threads of the library, started when first needed: name lookups, one worker, and those that read files.

use super::handshake::Side;
use super::mailbox::{CancelToken, Mailbox};
use super::readers::Readers;
use super::resolve::{Names, Resolver};
use super::worker::{Job, Worker};
use super::{Stream, TlsClient, TlsServer};
use crate::error::Failure;
use crate::heap::Discarded;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Work that connections hand to threads of the library.
pub struct Services {
    resolver: Resolver,
    worker: Worker,
    readers: Readers,
}

impl Services {
    /// Starts no thread yet. `wake` is called, on a thread of the library, after each result.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Services {
        Services {
            resolver: Resolver::new(wake.clone()),
            worker: Worker::new(wake.clone()),
            readers: Readers::new(wake),
        }
    }

    /// Asks all threads to end, without waiting for them.
    pub fn shutdown(&self) {
        self.resolver.stop();
        self.worker.stop();
        self.readers.stop();
    }

    /// Runs a job that may wait for a disk. False: it cannot be run now.
    pub fn read(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.readers.submit(job)
    }

    /// Runs a server's TLS handshake. Its result is posted under `key`; dropping the token cancels it.
    pub fn accept_tls(
        &self,
        tcp: mio::net::TcpStream,
        config: Arc<TlsServer>,
        mailbox: &Arc<Mailbox<Result<Stream, Failure>>>,
        key: u64,
    ) -> CancelToken {
        self.secure(Stream::Tcp(tcp), Vec::new(), Side::Server(config), mailbox, key)
    }

    /// Ends a stream whose last bytes were written, and drains it for a while, so that a TCP reset cannot destroy bytes
    /// that the peer has yet to read.
    pub fn reap(&self, stream: Stream) {
        match stream {
            Stream::Memory(mut end) => end.finish(),
            stream => self.worker.submit(Job::Reap(stream)),
        }
    }

    /// Closes sockets on the worker. Pipes in memory end before this returns, so that the caller can wake threads that
    /// wait for the other end.
    pub fn close(&self, mut streams: Vec<Stream>) {
        streams.retain(|stream| !matches!(stream, Stream::Memory(_)));
        if !streams.is_empty() {
            self.worker.submit(Job::Discard(Box::new(streams)));
        }
    }

    /// Drops a large object on the worker.
    pub fn discard(&self, thing: Box<dyn Discarded>) {
        self.worker.submit(Job::Discard(thing));
    }

    /// Runs a client's TLS handshake over a stream, of which `received` has been read.
    pub(super) fn connect_tls(
        &self,
        under: Stream,
        received: Vec<u8>,
        config: Arc<TlsClient>,
        mailbox: &Arc<Mailbox<Result<Stream, Failure>>>,
    ) -> CancelToken {
        self.secure(under, received, Side::Client(config), mailbox, 0)
    }

    /// Looks up the addresses of a host.
    pub fn look_up(&self, host: &str) -> Names {
        match self.resolver.resolve(host) {
            Ok(addresses) => Names::Known(addresses),
            Err(lookup) => Names::Sought(lookup),
        }
    }

    pub(super) fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    fn secure(
        &self,
        under: Stream,
        received: Vec<u8>,
        side: Side,
        mailbox: &Arc<Mailbox<Result<Stream, Failure>>>,
        key: u64,
    ) -> CancelToken {
        let cancelled = Arc::new(AtomicBool::new(false));
        let job = Job::Secure { under, received, side, mailbox: mailbox.clone(), key, cancelled: cancelled.clone() };
        self.worker.submit(job);
        CancelToken(cancelled)
    }
}
