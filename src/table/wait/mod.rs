//! ws_wait: plans what to wait for, then sleeps until one of these events occurs or another thread wakes it.

mod plan;
pub mod wake;

use super::with;
use crate::error::Error;
use crate::status::{ErrorCode, Success};
use plan::Plan;
use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};
use wake::Waiter;

/// One entry of poll(2).
#[cfg(unix)]
pub type Entry = libc::pollfd;
/// Other systems have no call that waits for everything that a poll reads.
#[cfg(not(unix))]
pub type Entry = ();

/// poll(2): waits for the entries, at most the given number of milliseconds. Returns how many are ready.
pub type PollEntries = fn(&mut [Entry], i32) -> io::Result<usize>;

/// Longest sleep when no descriptor was left for the pipe that wakes this thread.
#[cfg(unix)]
const UNWAKEABLE: Duration = Duration::from_millis(20);
/// Longest sleep before the plan is made again.
const LONGEST: Duration = Duration::from_secs(60);

/// What a thread keeps from wait to wait, to save system calls.
struct Kit {
    waiter: Waiter,
    plan: Plan,
    #[cfg(unix)]
    entries: Vec<Entry>,
}

thread_local! {
    static KIT: Cell<Option<Box<Kit>>> = const { Cell::new(None) };
}

/// Waits until a handle has something to poll or to read (`Success::Ok`), or the time is over (`Success::Empty`). A
/// `timeout_ms` of -1 sets no limit.
pub fn wait(handles: &[u32], timeout_ms: i32, poll: PollEntries) -> Result<Success, Error> {
    let kept = KIT.try_with(Cell::take).unwrap_or_default();
    let mut kit = match kept {
        Some(kit) if kit.waiter.can_be_woken() => kit,
        _ => Box::new(Kit {
            waiter: Waiter::register(),
            plan: Plan::default(),
            #[cfg(unix)]
            entries: Vec::new(),
        }),
    };
    // Before the plan is made, so that no later wake is missed.
    kit.waiter.begin();
    let result = wait_with(&mut kit, handles, timeout_ms, poll);
    kit.waiter.end(result != Ok(Success::Empty));
    // Fails only while the thread is ending.
    let _ = KIT.try_with(|kept| kept.set(Some(kit)));
    result
}

fn wait_with(kit: &mut Kit, handles: &[u32], timeout_ms: i32, poll: PollEntries) -> Result<Success, Error> {
    let mut now = Instant::now();
    let end = u64::try_from(timeout_ms).ok().map(|ms| now + Duration::from_millis(ms));
    loop {
        let mut known = handles.is_empty();
        kit.plan.clear();
        for handle in handles {
            match kit.plan.add(*handle, now) {
                Ok(()) if kit.plan.ready => return Ok(Success::Ok),
                Ok(()) => known = true,
                Err(error) if error.code() == ErrorCode::Handle => {}
                Err(error) => return Err(error),
            }
        }
        if !known {
            return Err(Error::new(ErrorCode::Handle, "none of the handles is valid"));
        }
        let timer = kit.plan.timer;
        if timer.is_some_and(|timer| timer <= now) {
            return Ok(Success::Ok);
        }
        if end.is_some_and(|end| end <= now) {
            return Ok(Success::Empty);
        }
        let until = [end, timer, Some(now + LONGEST)].into_iter().flatten().min().unwrap_or(now);
        let was_woken = sleep(kit, until.saturating_duration_since(now), poll)?;
        let since = std::mem::replace(&mut now, Instant::now());
        attend(handles, since, now);
        if was_woken {
            return Ok(Success::Ok);
        }
    }
}

/// Sleeps until a descriptor is ready, a wake arrives or the time is over. Returns true if ready, woken or interrupted.
#[cfg(unix)]
fn sleep(kit: &mut Kit, time: Duration, poll: PollEntries) -> Result<bool, Error> {
    use std::os::fd::AsRawFd;
    let entry = |fd, reads: bool, writes: bool| {
        let events = if reads { libc::POLLIN } else { 0 } | if writes { libc::POLLOUT } else { 0 };
        Entry { fd, events, revents: 0 }
    };
    kit.plan.merge_descriptors();
    let entries = &mut kit.entries;
    entries.clear();
    entries.extend(kit.waiter.pipe.iter().map(|pipe| entry(pipe.as_raw_fd(), true, false)));
    entries.extend(kit.plan.descriptors.iter().map(|(fd, reads, writes)| entry(*fd, *reads, *writes)));
    let time = if kit.waiter.pipe.is_some() { time } else { time.min(UNWAKEABLE) };
    let ms = i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
    match poll(entries, ms) {
        Ok(count) => Ok(count > 0),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(Error::new(ErrorCode::Limit, format!("the system cannot wait: {error}"))),
    }
}

/// Sleeps for a short step or until a wake; the plan is made again after each step. Returns true if woken, or if only a
/// poll can show what has happened.
#[cfg(not(unix))]
fn sleep(kit: &mut Kit, time: Duration, _poll: PollEntries) -> Result<bool, Error> {
    const STEP: Duration = Duration::from_millis(2);
    Ok(kit.waiter.sleep_until(Instant::now() + time.min(STEP)) || kit.plan.blind)
}

/// Records that a wait for these handles, begun at `since`, has ended. Stale handles are skipped.
fn attend(handles: &[u32], since: Instant, now: Instant) {
    for handle in handles {
        let _ = with(*handle, |body, member| {
            body.attend(member.end(), since, now);
            Ok(())
        });
    }
}
