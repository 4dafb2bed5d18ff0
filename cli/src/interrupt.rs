//! Signals: the first one ends a command in good order, the second one at once.

use crate::alarm::Bell;
use crate::failure::Outcome;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// The signal that came, or 0.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicI32>);

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on. Not to SIGHUP, which nohup has ignored. On other systems than Unix
    /// signals end the process.
    pub fn listen(bell: Bell) -> Outcome<Interrupt> {
        let interrupt = Interrupt::default();
        #[cfg(unix)]
        {
            use crate::failure::Failure;
            use signal_hook::consts::{SIGINT, SIGTERM};
            let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
                .map_err(|error| Failure::unusable(format!("cannot listen to signals: {error}")))?;
            let came = interrupt.clone();
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    if came.0.swap(signal, Ordering::AcqRel) != 0 {
                        signal_hook::low_level::exit(128 + signal);
                    }
                    bell.ring();
                }
            });
        }
        #[cfg(not(unix))]
        let _ = bell;
        Ok(interrupt)
    }

    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    /// As shells know it: 128 and the number of the signal.
    pub fn exit_code(&self) -> u8 {
        128 + self.0.load(Ordering::Acquire) as u8
    }
}

/// Ends as a program does that writes to a pipe that nobody reads.
pub fn end_by_pipe() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGPIPE);
    std::process::exit(141)
}
