//! Byte pipes in memory, for pairs and for transports that the program carries.

use parking_lot::Mutex;
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// Storage of more bytes than this is released when the pipe is empty.
const KEPT_BYTES: usize = 64 << 10;

/// One direction.
#[derive(Default)]
struct Pipe {
    bytes: Vec<u8>,
    /// Number of bytes that were read.
    at: usize,
    /// The writer has finished.
    finished: bool,
    /// The reader has gone.
    deaf: bool,
}

/// One end of a two-way pipe.
pub struct MemoryEnd {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
    capacity: usize,
}

impl MemoryEnd {
    /// Creates two connected ends. Each direction holds at most `capacity` bytes.
    pub fn pair(capacity: usize) -> (MemoryEnd, MemoryEnd) {
        let (one, two) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let first = MemoryEnd { incoming: Arc::clone(&one), outgoing: Arc::clone(&two), capacity };
        (first, MemoryEnd { incoming: two, outgoing: one, capacity })
    }

    /// Reads what the other end wrote. `Ok(0)`: it has finished.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.incoming.lock();
        let count = buffer.len().min(pipe.bytes.len() - pipe.at);
        if count == 0 {
            return if pipe.finished || buffer.is_empty() { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        buffer[..count].copy_from_slice(&pipe.bytes[pipe.at..pipe.at + count]);
        pipe.at += count;
        if pipe.at == pipe.bytes.len() {
            pipe.at = 0;
            pipe.bytes.clear();
            if pipe.bytes.capacity() > KEPT_BYTES {
                pipe.bytes = Vec::new();
            }
        }
        Ok(count)
    }

    /// Writes as many bytes as there is room for.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = self.outgoing.lock();
        if pipe.finished || pipe.deaf {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let waiting = pipe.bytes.len() - pipe.at;
        let count = bytes.len().min(self.capacity.saturating_sub(waiting));
        if count == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        if pipe.at > self.capacity {
            // Bytes that were read are removed no more than once per `capacity` bytes.
            let at = std::mem::take(&mut pipe.at);
            pipe.bytes.drain(..at);
        }
        pipe.bytes.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Finishes writing: the other end reads the remaining bytes, then the end.
    pub fn finish(&mut self) {
        self.outgoing.lock().finished = true;
    }

    /// Number of bytes that a write would accept now.
    pub fn room(&self) -> usize {
        let pipe = self.outgoing.lock();
        if pipe.finished || pipe.deaf { 0 } else { self.capacity.saturating_sub(pipe.bytes.len() - pipe.at) }
    }

    /// Number of readable bytes, plus 1 if the other end has finished.
    pub fn readable(&self) -> usize {
        let pipe = self.incoming.lock();
        pipe.bytes.len() - pipe.at + usize::from(pipe.finished)
    }
}

impl Drop for MemoryEnd {
    fn drop(&mut self) {
        self.finish();
        let mut pipe = self.incoming.lock();
        pipe.deaf = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_before_end_of_stream() {
        let (mut one, mut two) = MemoryEnd::pair(8);
        let mut buffer = [0; 16];
        assert_eq!(two.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(one.write(b"0123456789").unwrap(), 8);
        assert_eq!(one.write(b"x").unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(two.read(&mut buffer[..3]).unwrap(), 3);
        assert_eq!(one.write(b"89abcdef").unwrap(), 3);
        drop(one);
        assert_eq!(two.read(&mut buffer).unwrap(), 8);
        assert_eq!(&buffer[..8], b"3456789a");
        assert_eq!(two.read(&mut buffer).unwrap(), 0);
        assert_eq!(two.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_long_stream_holds_little_memory() {
        let (mut one, mut two) = MemoryEnd::pair(100);
        let mut buffer = [0; 37];
        let (mut sent, mut seen) = (0u64, 0u64);
        while seen < 100_000 {
            let piece: Vec<u8> = (0..50).map(|index| (sent + index) as u8).collect();
            sent += one.write(&piece).unwrap_or(0) as u64;
            let count = two.read(&mut buffer).unwrap_or(0);
            assert!(buffer[..count].iter().enumerate().all(|(index, byte)| *byte == (seen + index as u64) as u8));
            seen += count as u64;
        }
        assert!(one.outgoing.lock().bytes.capacity() < 1_000);
    }
}
