//! Buffers that belong to a worker, not to a connection: an idle connection owns none.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// Bytes that were read and not yet used: a window into a fixed block that grows only when asked to.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Always initialised to its whole length, so that reading into it needs no `unsafe`.
    block: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn with_block(block: Vec<u8>) -> Self {
        Self {
            block,
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.block[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.block[self.start..self.end]
    }

    /// Forgets all but the first `count` bytes.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.end = self.end.min(self.start + count);
    }

    /// Appends `bytes`; unlike `put`, it first makes use of the room before the filled ones.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.end + bytes.len() > self.block.len() {
            self.block.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.put(bytes);
    }

    /// Forgets the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(
            self.start <= self.end,
            "no more than what is there can be consumed"
        );
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Bytes that fit without growing.
    pub(crate) fn capacity(&self) -> usize {
        self.block.len()
    }

    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Room for more bytes behind the filled ones; empty when the block is full.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        if self.end == self.block.len() && self.start > 0 {
            self.block.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.block[self.end..]
    }

    /// Takes the first `count` bytes of `spare` as filled.
    pub(crate) fn commit(&mut self, count: usize) {
        self.end += count;
        debug_assert!(
            self.end <= self.block.len(),
            "no more than the spare room can be filled"
        );
    }

    /// Makes the block at least `capacity` bytes long.
    #[cold]
    pub(crate) fn grow(&mut self, capacity: usize) {
        if capacity > self.block.len() {
            self.block.resize(capacity, 0);
        }
    }

    /// Appends `bytes`, growing the block if they do not fit.
    ///
    /// Inlined, because a head is some 80 of these, most of them of a constant length that then needs no call
    /// to copy (a tenth of the instructions of a request).
    #[inline(always)]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let upto = self.end + bytes.len();
        if upto > self.block.len() {
            self.grow(upto.next_power_of_two());
        }
        self.block[self.end..upto].copy_from_slice(bytes);
        self.end = upto;
    }
}

/// Room for one message head and the beginning of its body.
pub(crate) const HEAD_BUFFER_BYTES: usize = 16 * 1024;
/// Room for the bulk of a long body: four times fewer system calls than with the head's buffer.
pub(crate) const BULK_BUFFER_BYTES: usize = 64 * 1024;
/// Free buffers of one size that a worker keeps; more are given back to the allocator.
const FREE_BUFFERS_MAX: usize = 256;

/// The free buffers of one worker.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    head: RefCell<Vec<Vec<u8>>>,
    bulk: RefCell<Vec<Vec<u8>>>,
}

/// A buffer that goes back to its pool when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    buffer: Buffer,
    pool: Rc<BufferPool>,
}

impl BufferPool {
    /// An empty buffer of `HEAD_BUFFER_BYTES`.
    pub(crate) fn head(self: &Rc<Self>) -> Lease {
        let block = self
            .head
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| vec![0; HEAD_BUFFER_BYTES]);
        Lease {
            buffer: Buffer::with_block(block),
            pool: Rc::clone(self),
        }
    }

    /// An empty buffer of `BULK_BUFFER_BYTES`.
    pub(crate) fn bulk(self: &Rc<Self>) -> Lease {
        let block = self
            .bulk
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| vec![0; BULK_BUFFER_BYTES]);
        Lease {
            buffer: Buffer::with_block(block),
            pool: Rc::clone(self),
        }
    }

    fn give_back(&self, block: Vec<u8>) {
        let free = match block.len() {
            HEAD_BUFFER_BYTES => &self.head,
            BULK_BUFFER_BYTES => &self.bulk,
            // It was grown for an unusually large head.
            _ => return,
        };
        let mut free = free.borrow_mut();
        if free.len() < FREE_BUFFERS_MAX {
            free.push(block);
        }
    }
}

impl Deref for Lease {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.buffer.block));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_buffer_makes_room_by_moving_what_is_left_to_the_front() {
        let mut buffer = Buffer::with_block(vec![0; 4]);
        buffer.put(b"abcd");
        assert!(buffer.spare().is_empty(), "nothing was consumed yet");
        buffer.consume(3);
        assert_eq!(buffer.spare().len(), 3);
        assert_eq!(buffer.filled(), b"d");
    }

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let pool = Rc::new(BufferPool::default());
        drop(pool.head());
        assert_eq!(pool.head.borrow().len(), 1);
        let mut grown = pool.head();
        grown.grow(HEAD_BUFFER_BYTES * 2);
        drop(grown);
        assert!(pool.head.borrow().is_empty(), "a grown buffer is not kept");
    }
}
