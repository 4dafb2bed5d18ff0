//! How other threads wake the main loop while it waits for the network.
//!
//! The loop sleeps in `wspeer::wait`, which waits for connections. So an alarm is a connection too: a pair in memory. A
//! thread that has news rings, which sends a byte to the end that the loop waits for. Nothing is polled by time, so a
//! command that is idle takes no CPU.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wspeer::{Client, Config, Conn, OFF, Pair};

/// The end that the loop waits for.
pub struct Alarm {
    listens: Client,
    /// Kept open.
    _rings: Client,
    bell: Bell,
}

/// The end that threads ring.
#[derive(Clone)]
pub struct Bell {
    rings: Conn,
    /// Whether a byte is under way: no second one is needed.
    is_rung: Arc<AtomicBool>,
}

impl Alarm {
    pub fn new() -> Result<Alarm, wspeer::Error> {
        let Pair { server: mut listens, client: mut rings } = Pair::open_with(&Config::new().heartbeat_ms(OFF))?;
        while !(listens.is_open() && rings.is_open()) {
            rings.poll()?;
            listens.poll()?;
        }
        let bell = Bell { rings: rings.handle(), is_rung: Arc::default() };
        Ok(Alarm { listens, _rings: rings, bell })
    }

    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Waits until one of the handles has news, a bell rings, or it is `until`.
    pub fn wait(&mut self, handles: &mut Vec<u32>, until: Option<Instant>) -> Result<(), wspeer::Error> {
        handles.push(self.listens.raw());
        // In whole milliseconds, rounded up: a time that is not quite over would be waited for again and again.
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        wspeer::wait(handles, rest.map(|rest| rest + Duration::from_micros(if rest.is_zero() { 0 } else { 999 })))?;
        handles.pop();
        // Before the byte is taken: who rings from now on sends another.
        self.bell.is_rung.store(false, Ordering::Release);
        self.listens.poll()?;
        for _ in self.listens.events() {}
        Ok(())
    }
}

impl Bell {
    /// Wakes the loop, now or when it waits next. What the loop is to find must be there before.
    pub fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // It fails only after the alarm is gone.
            let _ = self.rings.send(&[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_wakes_the_loop_each_time() {
        let mut alarm = Alarm::new().unwrap();
        let bell = alarm.bell();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            for number in 0..100 {
                sender.send(number).unwrap();
                bell.ring();
            }
        });
        let mut got = Vec::new();
        while got.len() < 100 {
            // Without a limit: if a wake were lost, the test would hang.
            alarm.wait(&mut Vec::new(), None).unwrap();
            got.extend(receiver.try_iter());
        }
        thread.join().unwrap();
        assert_eq!(got, (0..100).collect::<Vec<_>>());
        let soon = Instant::now() + Duration::from_millis(2);
        while Instant::now() < soon {
            alarm.wait(&mut Vec::new(), Some(soon)).unwrap();
        }
    }
}
