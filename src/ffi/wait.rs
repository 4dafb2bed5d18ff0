//! The only export that may block.

use super::guard::{guard_opening, wrong};
use super::pointers::need;
use super::types::*;
use crate::error::Error;
use crate::status::{ErrorCode, Success};
use crate::table::wake::Waiter;
use crate::table::{Plan, has_waited};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Waits until one of `n` handles has something to poll or to read, for hosts without frames: the only call that may block. 0 and stale handles are
/// passed over. `timeout_ms` -1: without end; 0: only a look.
///
/// Returns WS_OK (poll now), WS_EMPTY (the time is over), WS_ERR_NULL, WS_ERR_ARG, WS_ERR_HANDLE (none of the handles is valid),
/// WS_ERR_LIMIT. Any thread; each thread waits for itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_wait(handles: *const ws_handle, n: usize, timeout_ms: i32) -> ws_result {
    guard_opening(|| {
        if n > 0 {
            need("handles", handles)?;
        }
        if n > MAX_HANDLES {
            return Err(wrong(ErrorCode::Arg, format!("n is {n}: at most {MAX_HANDLES} handles")));
        }
        if timeout_ms < -1 {
            return Err(wrong(ErrorCode::Arg, format!("timeout_ms is {timeout_ms}: use -1, 0 or more")));
        }
        let mut few = [0; 8];
        let mut many = Vec::new();
        let list = if n <= few.len() {
            &mut few[..n]
        } else {
            many.resize(n, 0);
            &mut many[..]
        };
        for (index, handle) in list.iter_mut().enumerate() {
            // SAFETY: the header says that `n` handles are readable at `handles`.
            *handle = unsafe { handles.add(index).read_unaligned() };
        }
        wait(list, timeout_ms)
    })
}

const MAX_HANDLES: usize = 1 << 20;
/// The longest wait without a fresh look when no descriptor is left that a wake could come by.
#[cfg(unix)]
const UNWAKEABLE: Duration = Duration::from_millis(20);
/// The longest wait without a fresh look.
const LONGEST: Duration = Duration::from_secs(60);

/// What a thread keeps for its waits, so that one costs no more system calls than it has to.
struct Kit {
    waiter: Waiter,
    plan: Plan,
    #[cfg(unix)]
    list: Vec<libc::pollfd>,
}

thread_local! {
    static KIT: Cell<Option<Box<Kit>>> = const { Cell::new(None) };
}

fn wait(handles: &[u32], timeout_ms: i32) -> Result<Success, Error> {
    let kept = KIT.try_with(Cell::take).unwrap_or_default();
    let mut kit = match kept {
        Some(kit) if kit.waiter.can_be_woken() => kit,
        _ => Box::new(Kit {
            waiter: Waiter::register(),
            plan: Plan::default(),
            #[cfg(unix)]
            list: Vec::new(),
        }),
    };
    // Before the look, so that nothing that comes after it is missed.
    kit.waiter.begin();
    let result = wait_with(&mut kit, handles, timeout_ms);
    kit.waiter.end(result != Ok(Success::Empty));
    // Lost where the thread is ending.
    let _ = KIT.try_with(|kept| kept.set(Some(kit)));
    result
}

fn wait_with(kit: &mut Kit, handles: &[u32], timeout_ms: i32) -> Result<Success, Error> {
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
            return Err(wrong(ErrorCode::Handle, "none of the handles is valid"));
        }
        let timer = kit.plan.timer;
        if timer.is_some_and(|timer| timer <= now) {
            return Ok(Success::Ok);
        }
        if end.is_some_and(|end| end <= now) {
            return Ok(Success::Empty);
        }
        let until = [end, timer, Some(now + LONGEST)].into_iter().flatten().min().unwrap_or(now);
        let woken = sleep(kit, until.saturating_duration_since(now))?;
        let since = std::mem::replace(&mut now, Instant::now());
        has_waited(handles, since, now);
        if woken {
            return Ok(Success::Ok);
        }
    }
}

/// Sleeps until a descriptor is ready, a wake or the time is over. True: ready or woken.
#[cfg(unix)]
fn sleep(kit: &mut Kit, time: Duration) -> Result<bool, Error> {
    use std::os::fd::AsRawFd;
    let entry = |fd, reads: bool, writes: bool| {
        let events = if reads { libc::POLLIN } else { 0 } | if writes { libc::POLLOUT } else { 0 };
        libc::pollfd { fd, events, revents: 0 }
    };
    kit.plan.merge_descriptors();
    let list = &mut kit.list;
    list.clear();
    list.extend(kit.waiter.pipe.iter().map(|pipe| entry(pipe.as_raw_fd(), true, false)));
    list.extend(kit.plan.descriptors.iter().map(|(fd, reads, writes)| entry(*fd, *reads, *writes)));
    let time = if kit.waiter.pipe.is_some() { time } else { time.min(UNWAKEABLE) };
    let ms = i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
    // SAFETY: `list` is an array of its own length for the whole call.
    let count = unsafe { libc::poll(list.as_mut_ptr(), list.len() as libc::nfds_t, ms) };
    if count < 0 {
        let error = std::io::Error::last_os_error();
        return match error.kind() {
            std::io::ErrorKind::Interrupted => Ok(true),
            _ => Err(wrong(ErrorCode::Limit, format!("the system cannot wait: {error}"))),
        };
    }
    Ok(count > 0)
}

/// Sleeps for a step, or until a wake. This system has no one call for all that a poll looks at: each step is followed by a fresh look. True: woken, or
/// only a poll can tell.
#[cfg(not(unix))]
fn sleep(kit: &mut Kit, time: Duration) -> Result<bool, Error> {
    const STEP: Duration = Duration::from_millis(2);
    Ok(kit.waiter.rest_until(Instant::now() + time.min(STEP)) || kit.plan.blind)
}
