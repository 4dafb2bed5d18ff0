//! One direction of a simulated stream: its line, and the bytes that are under way.

use crate::net::LEAST_READ;
use crate::sim::{Line, NEVER};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};

/// Bytes read at a time from the stream below.
const SPACE: usize = LEAST_READ + (12 << 10);

thread_local! {
    static SPACE_OF_THREAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Passes memory to read into.
pub(super) fn with_space(act: impl FnOnce(&mut [u8])) {
    let mut space = SPACE_OF_THREAD.try_with(Cell::take).unwrap_or_default();
    space.resize(SPACE, 0);
    act(&mut space);
    // Fails only while the thread is ending.
    let _ = SPACE_OF_THREAD.try_with(|kept| kept.set(space));
}

/// How a direction ends.
pub(super) enum End {
    /// The sender has finished.
    Finished,
    /// The stream below has failed.
    Failed(io::Error),
    /// The failure has been reported.
    Reported(ErrorKind),
}

/// One direction.
pub(super) struct Half {
    pub(super) line: Line,
    bytes: VecDeque<u8>,
    /// Received bytes behind a cut that has not arrived, less than was read at once: a change of the line may undo it.
    behind: Vec<u8>,
    /// When the end arrives, and which it is.
    end: Option<(u64, End)>,
}

impl Half {
    pub(super) fn new(line: Line) -> Half {
        Half { line, bytes: VecDeque::new(), behind: Vec::new(), end: None }
    }

    /// Accepts bytes that the program sends, as far as there is room.
    pub(super) fn write(&mut self, now: u64, bytes: &[u8]) -> usize {
        let count = self.line.offer(now, bytes.len(), false);
        self.bytes.extend(&bytes[..count]);
        count
    }

    /// Accepts bytes that have been received. Those behind a cut never arrive, unless the line changes before it does.
    pub(super) fn take_over(&mut self, now: u64, bytes: &[u8]) {
        let count = self.line.offer(now, bytes.len(), true);
        self.bytes.extend(&bytes[..count]);
        self.behind.extend(&bytes[count..]);
    }

    /// Continues with another line. What would never have arrived on the old one comes behind what is under way.
    pub(super) fn change(&mut self, line: Line, now: u64) {
        self.line.replace(line, now);
        let behind = std::mem::take(&mut self.behind);
        self.take_over(now, &behind);
        if let Some((at, _)) = &mut self.end
            && *at == NEVER
        {
            *at = self.line.end(now);
        }
    }

    /// Reads what has arrived, then its end.
    pub(super) fn read(&mut self, now: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut total = 0;
        while total < buffer.len()
            && let Some(bytes) = self.due(now, buffer.len() - total)
        {
            let count = bytes.len();
            buffer[total..total + count].copy_from_slice(bytes);
            self.take(count);
            total += count;
        }
        match &mut self.end {
            _ if total > 0 => Ok(total),
            Some((at, end)) if self.bytes.is_empty() && *at <= now => {
                match std::mem::replace(end, End::Reported(ErrorKind::BrokenPipe)) {
                    End::Finished => {
                        *end = End::Finished;
                        Ok(0)
                    }
                    End::Failed(error) => {
                        *end = End::Reported(error.kind());
                        Err(error)
                    }
                    End::Reported(kind) => {
                        *end = End::Reported(kind);
                        Err(kind.into())
                    }
                }
            }
            _ => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// The first bytes that are due, at most `most`; `None`: none are.
    pub(super) fn due(&self, now: u64, most: usize) -> Option<&[u8]> {
        let bytes = self.bytes.as_slices().0;
        let count = self.line.due(now, most.min(bytes.len()));
        (count > 0).then(|| &bytes[..count])
    }

    /// Takes the first bytes.
    pub(super) fn take(&mut self, count: usize) {
        self.line.take(count);
        self.bytes.drain(..count);
        if self.bytes.is_empty() {
            self.bytes = VecDeque::new();
        }
    }

    /// Whether bytes, or the end, have arrived.
    pub(super) fn is_due(&self, now: u64) -> bool {
        self.line.next().is_some_and(|at| at <= now) || self.has_ended(now)
    }

    /// Whether the end has arrived behind all bytes.
    pub(super) fn has_ended(&self, now: u64) -> bool {
        self.bytes.is_empty() && self.end.as_ref().is_some_and(|(at, _)| *at <= now)
    }

    /// When the next bytes arrive, or the end behind them.
    pub(super) fn next(&self) -> Option<u64> {
        let end = || self.end.as_ref().map(|(at, _)| *at).filter(|at| *at != NEVER);
        if self.line.is_empty() { end() } else { self.line.next() }
    }

    /// Ends the direction behind the bytes that are under way.
    pub(super) fn finish(&mut self, now: u64, end: End) {
        if self.end.is_none() {
            self.end = Some((self.line.end(now), end));
        }
    }

    /// Ends the direction at once.
    pub(super) fn end_now(&mut self, end: End) {
        self.end = Some((0, end));
    }

    /// Whether the end is known, though it may not have arrived.
    pub(super) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// Whether nothing is under way, and no end.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.end.is_none()
    }

    /// Has everything arrive now.
    pub(super) fn hurry(&mut self, now: u64) {
        self.line.hurry(now);
        if let Some((at, _)) = &mut self.end {
            *at = now.min(*at);
        }
    }

    /// Drops the bytes.
    pub(super) fn clear(&mut self) {
        self.line.take(self.bytes.len());
        self.bytes = VecDeque::new();
        self.behind = Vec::new();
    }

    /// Bytes that are held, with what each packet under way counts beside its bytes.
    pub(super) fn held(&self) -> u64 {
        self.line.held() + self.behind.len() as u64
    }

    /// Bytes under way.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}
