//! What a host may expect of two ends that are joined: each accepted message arrives once, in order, as it was put.

use std::collections::VecDeque;

/// A message on its way.
#[derive(Debug)]
struct Put {
    number: u64,
    len: usize,
    kind: i32,
    /// A message to several that some did not take: this end may be one of them.
    perhaps: bool,
}

/// One direction of a connection.
#[derive(Default)]
pub struct Way {
    next: u64,
    under_way: VecDeque<Put>,
    /// Nothing more need arrive: an end was dropped, or fed with other bytes.
    pub broken: bool,
}

impl Way {
    /// The bytes of the next message to put.
    pub fn next_bytes(&self, len: usize) -> Vec<u8> {
        self.bytes_ahead(0, len)
    }

    /// The bytes of the message that follows `ahead` others.
    pub fn bytes_ahead(&self, ahead: u64, len: usize) -> Vec<u8> {
        bytes_of(self.next + ahead, len)
    }

    /// The message was accepted.
    pub fn accepted(&mut self, len: usize, kind: i32, perhaps: bool) {
        self.under_way.push_back(Put { number: self.next, len, kind, perhaps });
        self.next += 1;
    }

    /// A message has arrived.
    pub fn arrived(&mut self, bytes: &[u8], kind: i32) {
        while let Some(put) = self.under_way.pop_front() {
            if put.kind == kind && put.len == bytes.len() && bytes_of(put.number, put.len) == bytes {
                return;
            }
            assert!(
                put.perhaps,
                "message {} of {} bytes and kind {} was lost: one of {} bytes and kind {kind} came",
                put.number,
                put.len,
                put.kind,
                bytes.len()
            );
        }
        panic!("a message of {} bytes came that nobody had put", bytes.len());
    }

    /// Nothing was put.
    pub fn is_new(&self) -> bool {
        self.next == 0
    }

    /// How many have to arrive.
    pub fn waiting(&self) -> usize {
        self.under_way.iter().filter(|put| !put.perhaps).count()
    }
}

/// Text, so that it can be put as either kind; different for each number.
fn bytes_of(number: u64, len: usize) -> Vec<u8> {
    let name = format!("{number};");
    name.bytes().cycle().take(len).collect()
}
