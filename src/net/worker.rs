//! The one thread for work that is too long for a frame: TLS handshakes, draining ended sockets, dropping large
//! objects.

use super::handshake::{Handshake, Side};
use super::{Mailbox, Stream, tls};
use crate::error::Failure;
use crate::heap::Discarded;
use crate::names::said::GET_LOG;
use crate::quiet;
use crate::status::{Cause, Phase};
use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use std::cell::Cell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Maximum number of ended sockets drained at a time. Further ones are closed at once.
const MAX_REAPED: usize = 1_024;
/// Limits in time and bytes for draining an ended socket.
const REAP_TIME: Duration = Duration::from_secs(3);
const REAP_BYTES: usize = 4 << 20;
/// Idle time after which the thread ends.
const IDLE: Duration = Duration::from_secs(30);
/// Interval at which cancelled handshakes and overdue sockets are ended.
const SWEEP: Duration = Duration::from_millis(250);
/// Of the large blocks dropped within KEPT_TIME, up to KEPT_BYTES keep their pages, because fresh pages cost the next
/// message a page fault each. Freeing this much takes 2 ms at most, on whichever thread that happens.
const KEPT_TIME: Duration = Duration::from_secs(1);
const KEPT_BYTES: usize = 32 << 20;
const WAKE: Token = Token(usize::MAX);

/// A job for the worker.
pub enum Job {
    /// Run a handshake over a stream, of which some bytes have been received.
    Secure {
        under: Stream,
        received: Vec<u8>,
        side: Side,
        mailbox: Arc<Mailbox<Result<Stream, Failure>>>,
        key: u64,
        cancelled: Arc<AtomicBool>,
    },
    /// End a stream and drain it.
    Reap(Stream),
    /// Drop an object.
    Discard(Box<dyn Discarded>),
}

/// The worker, as other threads see it.
pub struct Worker {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    running: bool,
    stopped: bool,
    /// The shared TLS sessions are to be dropped.
    forgets: bool,
    waker: Option<Waker>,
}

impl State {
    fn stop(&mut self) {
        self.stopped = true;
        if let Some(waker) = &self.waker {
            let _ = waker.wake();
        }
    }
}

impl Worker {
    /// Starts no thread yet. `wake` is called after each result.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Worker {
        Worker { shared: Arc::new(Shared { state: Mutex::default(), wake }) }
    }

    /// Queues a job, and starts the thread if it does not run.
    pub fn submit(&self, job: Job) {
        let mut state = self.shared.state.lock();
        state.jobs.push(job);
        // Jobs that come from the worker's own work, such as dropping a server's clients, do not keep a thread that was
        // asked to end.
        state.stopped &= WORKS_FOR.get() == Arc::as_ptr(&self.shared).addr();
        if !state.running {
            let shared = self.shared.clone();
            match thread::Builder::new().name("wspeer-worker".to_owned()).spawn(move || run_on(&shared)) {
                Ok(_) => state.running = true,
                Err(error) => {
                    let jobs = std::mem::take(&mut state.jobs);
                    drop(state);
                    give_up(jobs, &format!("no thread can be started: {error}"));
                }
            }
        } else if let Some(waker) = &state.waker {
            // Fails only if the system is out of resources. The next sweep then finds the job.
            let _ = waker.wake();
        }
    }

    /// Asks the thread to end after its current work and to drop the TLS sessions, without waiting for it.
    pub fn stop(&self) {
        let mut state = self.shared.state.lock();
        state.stop();
        if state.running {
            state.forgets = true;
        } else {
            tls::forget_sessions();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.state.lock().stop();
    }
}

/// A task in progress.
enum Task {
    Secure {
        handshake: Box<Handshake>,
        mailbox: Arc<Mailbox<Result<Stream, Failure>>>,
        key: u64,
        cancelled: Arc<AtomicBool>,
    },
    Reap {
        stream: Stream,
        end: Instant,
        drained: usize,
    },
}

struct Tasks {
    poll: Poll,
    list: Vec<Option<Task>>,
    free: Vec<usize>,
    reaped: usize,
    /// How many bytes may still keep their pages, and since when that is counted.
    keep: (usize, Instant),
}

thread_local! {
    /// On the worker's thread: the address of the state that it shares with its `Worker`.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
}

/// Runs until there is no more work. After a panic it starts again: tasks in progress are dropped, and their
/// connections end by timeout.
fn run_on(shared: &Arc<Shared>) {
    WORKS_FOR.set(Arc::as_ptr(shared).addr());
    while quiet::catch(|| run(shared)).is_none() {}
}

fn run(shared: &Shared) {
    let set_up = Poll::new().and_then(|poll| Waker::new(poll.registry(), WAKE).map(|waker| (poll, waker)));
    let poll = match set_up {
        Ok((poll, waker)) => {
            shared.state.lock().waker = Some(waker);
            poll
        }
        Err(error) => {
            let mut state = shared.state.lock();
            state.running = false;
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            give_up(jobs, &format!("cannot create the event queue: {error}"));
            return;
        }
    };
    let mut tasks = Tasks { poll, list: Vec::new(), free: Vec::new(), reaped: 0, keep: (KEPT_BYTES, Instant::now()) };
    let mut events = Events::with_capacity(256);
    let mut last_work = Instant::now();
    loop {
        let jobs = {
            let mut state = shared.state.lock();
            if std::mem::take(&mut state.forgets) {
                tls::forget_sessions();
            }
            let nothing = state.jobs.is_empty() && tasks.is_empty();
            if nothing && (state.stopped || last_work.elapsed() >= IDLE) {
                state.running = false;
                state.waker = None;
                return;
            }
            std::mem::take(&mut state.jobs)
        };
        if !jobs.is_empty() {
            last_work = Instant::now();
        }
        for job in jobs {
            tasks.start(job, shared);
        }
        let wait = if tasks.is_empty() { IDLE } else { SWEEP };
        // Jobs that were queued while others ran, or before there was a waker.
        let state = shared.state.lock();
        if !state.jobs.is_empty() || (state.stopped && tasks.is_empty()) {
            continue;
        }
        drop(state);
        if tasks.poll.poll(&mut events, Some(wait)).is_err() {
            events.clear();
        }
        for event in &events {
            if event.token() != WAKE {
                tasks.step(event.token().0, shared);
                last_work = Instant::now();
            }
        }
        tasks.sweep();
    }
}

impl Tasks {
    fn is_empty(&self) -> bool {
        self.free.len() == self.list.len()
    }

    fn start(&mut self, job: Job, shared: &Shared) {
        match job {
            Job::Discard(mut thing) => {
                if self.keep.1.elapsed() >= KEPT_TIME {
                    self.keep = (KEPT_BYTES, Instant::now());
                }
                let keep = &mut self.keep.0;
                let _ = quiet::catch(move || {
                    thing.empty(keep);
                    drop(thing);
                });
            }
            Job::Reap(stream) => {
                let mut stream = stream.unregistered();
                stream.shutdown_write();
                if self.reaped < MAX_REAPED {
                    self.reaped += 1;
                    let index = self.add(Task::Reap { stream, end: Instant::now() + REAP_TIME, drained: 0 });
                    self.step(index, shared);
                }
            }
            Job::Secure { cancelled, .. } if cancelled.load(Ordering::Acquire) => {}
            Job::Secure { under, received, side, mailbox, key, cancelled } => {
                let started =
                    quiet::catch(|| Handshake::start(under, received, &side)).unwrap_or_else(|| Err(panicked()));
                match started {
                    Ok(handshake) => {
                        let handshake = Box::new(handshake);
                        let index = self.add(Task::Secure { handshake, mailbox, key, cancelled });
                        self.step(index, shared);
                    }
                    Err(failure) => {
                        mailbox.post(key, Err(failure));
                        (shared.wake)();
                    }
                }
            }
        }
    }

    /// Adds a task and registers its socket.
    fn add(&mut self, mut task: Task) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            self.list.len() - 1
        });
        let socket = match &mut task {
            Task::Secure { handshake, .. } => handshake.tcp(),
            Task::Reap { stream, .. } => stream.tcp(),
        };
        if let Some(socket) = socket {
            // If this fails, the sweep ends the task.
            let _ = self.poll.registry().register(socket, Token(index), Interest::READABLE | Interest::WRITABLE);
        }
        self.list[index] = Some(task);
        index
    }

    fn step(&mut self, index: usize, shared: &Shared) {
        let Some(task) = self.list.get_mut(index).and_then(Option::as_mut) else { return };
        match task {
            Task::Secure { handshake, .. } => {
                let stepped = quiet::catch(|| handshake.step()).unwrap_or_else(|| Err(panicked()));
                if !matches!(stepped, Ok(false))
                    && let Some(Task::Secure { handshake, mailbox, key, .. }) = self.take(index)
                {
                    let opened =
                        stepped.and_then(|_| quiet::catch(|| handshake.finish()).unwrap_or_else(|| Err(panicked())));
                    mailbox.post(key, opened);
                    (shared.wake)();
                }
            }
            Task::Reap { stream, drained, .. } => {
                // The last records of TLS, if the socket did not accept them at once.
                let _ = stream.flush();
                let mut buffer = [0; 16 << 10];
                let over = loop {
                    match stream.drain(&mut buffer) {
                        Ok(0) => break true,
                        Ok(count) => *drained += count,
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                        // Reads that return nothing count, too.
                        Err(error) if error.kind() == ErrorKind::Interrupted => *drained += buffer.len(),
                        Err(_) => break true,
                    }
                    if *drained > REAP_BYTES {
                        break true;
                    }
                };
                if over {
                    self.take(index);
                }
            }
        }
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        for index in 0..self.list.len() {
            let over = match &self.list[index] {
                Some(Task::Secure { cancelled, .. }) => cancelled.load(Ordering::Acquire),
                Some(Task::Reap { end, .. }) => *end <= now,
                None => false,
            };
            if over {
                self.take(index);
            }
        }
    }

    fn take(&mut self, index: usize) -> Option<Task> {
        let mut task = self.list[index].take()?;
        self.free.push(index);
        let socket = match &mut task {
            Task::Secure { handshake, .. } => handshake.tcp(),
            Task::Reap { stream, .. } => {
                self.reaped -= 1;
                stream.tcp()
            }
        };
        if let Some(socket) = socket {
            let _ = self.poll.registry().deregister(socket);
        }
        Some(task)
    }
}

fn give_up(jobs: Vec<Job>, why: &str) {
    for job in jobs {
        if let Job::Secure { mailbox, key, .. } = job {
            mailbox.post(key, Err(Failure::new(Phase::Tls, Cause::Resources, why)));
        }
    }
}

fn panicked() -> Failure {
    Failure::new(
        Phase::Tls,
        Cause::Panic,
        format!("a defect in wspeer was caught during the TLS handshake; {GET_LOG} has the text"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{TlsClient, TlsClientSettings};
    use super::*;

    struct Nothing;

    impl Discarded for Nothing {}

    impl Discarded for Brings {}

    /// When it is dropped, it waits for the signal, then adds more work.
    struct Brings(Arc<Worker>, std::sync::mpsc::Receiver<()>);

    impl Drop for Brings {
        fn drop(&mut self) {
            self.1.recv().unwrap();
            self.0.submit(Job::Discard(Box::new(Nothing)));
        }
    }

    #[test]
    fn jobs_submitted_by_jobs_do_not_keep_a_stopped_worker_alive() {
        let worker = Arc::new(Worker::new(Arc::new(|| ())));
        let (go, wait) = std::sync::mpsc::channel();
        worker.submit(Job::Discard(Box::new(Brings(worker.clone(), wait))));
        worker.stop();
        go.send(()).unwrap();
        let end = Instant::now() + IDLE / 2;
        while worker.shared.state.lock().running {
            assert!(Instant::now() < end, "the thread goes on");
            thread::yield_now();
        }
    }

    #[test]
    fn a_panic_does_not_end_the_worker() {
        let first = AtomicBool::new(true);
        let worker = Worker::new(Arc::new(move || assert!(!first.swap(false, Ordering::SeqCst), "the first time")));
        let settings = TlsClientSettings { insecure: true, ..TlsClientSettings::default() };
        let side = Arc::new(TlsClient::new("localhost", settings).unwrap());
        let mailbox = Arc::new(Mailbox::new());
        for round in 0..2 {
            // A socket whose remote end has gone: the handshake fails at once, and the worker calls `wake`.
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let tcp = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            drop(listener.accept().unwrap());
            tcp.set_nonblocking(true).unwrap();
            worker.submit(Job::Secure {
                under: Stream::Tcp(mio::net::TcpStream::from_std(tcp)),
                received: Vec::new(),
                side: Side::Client(side.clone()),
                mailbox: mailbox.clone(),
                key: round,
                cancelled: Arc::default(),
            });
            let end = Instant::now() + Duration::from_secs(20);
            while mailbox.is_empty() {
                assert!(Instant::now() < end, "no answer in round {round}");
                thread::yield_now();
            }
            let mail = mailbox.take();
            assert!(matches!(&mail[..], [(key, Err(_))] if *key == round));
        }
    }
}
