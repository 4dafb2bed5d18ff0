//! Threads for jobs that wait for a disk. They are few and apart from the worker, so that a slow disk delays no TLS
//! handshake.

use crate::quiet;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Maximum number of threads.
const MAX_THREADS: usize = 2;
/// Maximum number of jobs that wait for a thread.
const MAX_JOBS: usize = 4_096;
/// Idle time after which a thread ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs on its own threads.
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    wake: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    stopped: bool,
}

impl Readers {
    /// Starts no thread yet. `wake` is called after each job.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Readers {
        Readers { shared: Arc::new(Shared { state: Mutex::default(), work: Condvar::new(), wake }) }
    }

    /// Runs a job as soon as a thread is free. False: too many jobs wait, or no thread can be started.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> bool {
        let mut state = self.shared.state.lock();
        if state.jobs.len() >= MAX_JOBS {
            return false;
        }
        state.stopped = false;
        state.jobs.push_back(Box::new(job));
        if state.idle < state.jobs.len() && state.threads < MAX_THREADS {
            let shared = self.shared.clone();
            match thread::Builder::new().name("wspeer-files".to_owned()).spawn(move || run(&shared)) {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads == 0 => {
                    state.jobs.pop_back();
                    return false;
                }
                Err(_) => {}
            }
        }
        self.shared.work.notify_one();
        true
    }

    /// Asks the threads to end, without waiting for them. Jobs that have not begun are dropped.
    pub fn stop(&self) {
        let mut state = self.shared.state.lock();
        state.stopped = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        self.shared.work.notify_all();
        drop(jobs);
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            quiet::catch(job);
            (shared.wake)();
            state = shared.state.lock();
            continue;
        }
        if state.stopped {
            break;
        }
        state.idle += 1;
        let waited = shared.work.wait_for(&mut state, IDLE);
        state.idle -= 1;
        if waited.timed_out() && state.jobs.is_empty() {
            break;
        }
    }
    state.threads -= 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn jobs_run_one_after_the_other_on_few_threads_and_wake() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let count = wakes.clone();
        let readers = Readers::new(Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        }));
        let (sender, results) = channel();
        let (begin, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for number in 0..MAX_THREADS {
            let (sender, gate) = (sender.clone(), gate.clone());
            assert!(readers.submit(move || {
                gate.lock().recv().unwrap();
                sender.send(number).unwrap();
            }));
        }
        for number in MAX_THREADS..10 {
            let sender = sender.clone();
            assert!(readers.submit(move || sender.send(number).unwrap()));
        }
        assert!(results.try_recv().is_err(), "all threads wait");
        assert_eq!(readers.shared.state.lock().threads, MAX_THREADS);
        (0..MAX_THREADS).for_each(|_| begin.send(()).unwrap());
        let mut found: Vec<_> = (0..10).map(|_| results.recv_timeout(LONG).unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, (0..10).collect::<Vec<_>>());
        while wakes.load(Ordering::SeqCst) < 10 {
            thread::yield_now();
        }
    }

    #[test]
    fn a_panic_ends_only_its_job_and_waiting_jobs_are_limited() {
        let readers = Readers::new(Arc::new(|| ()));
        let (sender, results) = channel();
        let (begin, gate) = channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for _ in 0..MAX_THREADS {
            let gate = gate.clone();
            assert!(readers.submit(move || {
                gate.lock().recv().unwrap();
                panic!("on purpose");
            }));
        }
        while !readers.shared.state.lock().jobs.is_empty() {
            thread::yield_now();
        }
        for _ in 0..MAX_JOBS {
            let sender = sender.clone();
            assert!(readers.submit(move || sender.send(()).unwrap()));
        }
        assert!(!readers.submit(|| ()));
        (0..MAX_THREADS).for_each(|_| begin.send(()).unwrap());
        (0..MAX_JOBS).for_each(|_| results.recv_timeout(LONG).unwrap());
        readers.stop();
        while readers.shared.state.lock().threads > 0 {
            thread::yield_now();
        }
        // It starts again when it is needed.
        assert!(readers.submit(move || sender.send(()).unwrap()));
        results.recv_timeout(LONG).unwrap();
    }
}
