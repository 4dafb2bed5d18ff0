//! Converts pointers to values and back.

use super::guard::wrong;
use crate::error::Error;
use crate::status::{ErrorCode, Success};
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

/// Texts longer than this are refused: no URL, header or reason is.
const MAX_TEXT: usize = 1 << 24;

/// A NUL-terminated text; NULL is an error.
pub(super) fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Error> {
    optional_text(name, pointer)?.ok_or_else(|| wrong(ErrorCode::Null, format!("{name} is NULL")))
}

/// A NUL-terminated text, or NULL.
pub(super) fn optional_text<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the header says that texts are NUL-terminated, and that memory which a call reads does not change until
    // it returns. No text is used after the call has written an output that may overlap it.
    let text = unsafe { CStr::from_ptr(pointer) };
    if text.count_bytes() > MAX_TEXT {
        return Err(wrong(ErrorCode::TooBig, format!("{name} is longer than {MAX_TEXT} bytes")));
    }
    text.to_str().map(Some).map_err(|_| wrong(ErrorCode::Utf8, format!("{name} is not valid UTF-8")))
}

/// `len` bytes. NULL is allowed only if `len` is 0.
#[inline]
pub(super) fn bytes<'a>(name: &str, pointer: *const u8, len: usize) -> Result<&'a [u8], Error> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() || len > isize::MAX as usize {
        return Err(no_bytes(name, pointer.is_null()));
    }
    // SAFETY: the header says that `len` bytes are readable at `data`, and that memory which a call reads does not
    // change until it returns; NULL and impossible lengths were refused above. Outputs that are written while the bytes
    // are in use do not overlap them: see `overlaps`.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
}

/// `len` bytes to be written, which may be uninitialised. NULL is allowed only if `len` is 0. No input of the call may
/// overlap them: see `overlaps`.
pub(super) fn writable<'a>(name: &str, pointer: *mut u8, len: usize) -> Result<&'a mut [MaybeUninit<u8>], Error> {
    if len == 0 {
        return Ok(&mut []);
    }
    if pointer.is_null() || len > isize::MAX as usize {
        return Err(no_bytes(name, pointer.is_null()));
    }
    // SAFETY: the header says that `cap` bytes are writable at `buf` and used by nobody else during the call; NULL and
    // impossible lengths were refused above. `MaybeUninit` requires no value in them.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer.cast(), len) })
}

/// Whether the `len` bytes at `pointer` and the `cap` bytes at `buf` overlap. NULL and impossible lengths do not: they
/// have their own errors.
pub(super) fn overlaps(pointer: *const u8, len: usize, buf: *const u8, cap: usize) -> bool {
    let (from, to) = (pointer.addr(), buf.addr());
    let possible = |pointer: *const u8, len: usize| !pointer.is_null() && (1..=isize::MAX as usize).contains(&len);
    possible(pointer, len) && possible(buf, cap) && from < to.saturating_add(cap) && to < from.saturating_add(len)
}

#[cold]
fn no_bytes(name: &str, is_null: bool) -> Error {
    match is_null {
        true => wrong(ErrorCode::Null, format!("{name} is NULL and its length is not 0")),
        false => wrong(ErrorCode::TooBig, format!("the length of {name} is over what memory can hold")),
    }
}

/// Writes a required output.
pub(super) fn put<T>(name: &str, pointer: *mut T, value: T) -> Result<(), Error> {
    need(name, pointer)?;
    // SAFETY: the header says that outputs are writable; NULL was refused above.
    unsafe { pointer.write_unaligned(value) };
    Ok(())
}

/// Refuses NULL, before anything else is done.
#[inline]
pub(super) fn need<T>(name: &str, pointer: *const T) -> Result<(), Error> {
    if pointer.is_null() { Err(null(name)) } else { Ok(()) }
}

#[cold]
fn null(name: &str) -> Error {
    wrong(ErrorCode::Null, format!("{name} is NULL"))
}

/// Writes element `index` of an output array of at least `index + 1` elements.
pub(super) fn put_at<T>(array: *mut T, index: usize, value: T) {
    // SAFETY: callers checked that the array is not NULL and stay below the capacity that the program gave.
    unsafe { array.add(index).write_unaligned(value) };
}

/// Reads element `index` of an input array of at least `index + 1` elements.
#[inline(always)]
pub(super) fn get_at<T: Copy>(array: *const T, index: usize) -> T {
    // SAFETY: callers checked that the array is not NULL and stay below the length that the program gave. Any bytes are
    // a value of the structs of the header.
    unsafe { array.add(index).read_unaligned() }
}

/// Reads a struct that begins with its size: as much of it as this library knows, the rest being zeros; the size; and
/// whether all that it does not know is 0. A size above 4096 is not followed.
pub(super) fn known_part<T: Copy>(pointer: *const T) -> (T, usize, bool) {
    const MOST: usize = 4_096;
    // SAFETY: the callers' structs have only integers and pointers, for which zero is a value.
    let mut copy: T = unsafe { std::mem::zeroed() };
    // SAFETY: the header says that such a struct holds at least its struct_size, so its first field is readable.
    let size = unsafe { pointer.cast::<u32>().read_unaligned() } as usize;
    if size > MOST {
        return (copy, size, true);
    }
    let known = size_of::<T>();
    // SAFETY: the header says that struct_size bytes are readable; no more than this library's own struct is written.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut copy).cast::<u8>(), size.min(known)) };
    // SAFETY: as above; what lies behind the known part is within struct_size.
    let is_known = (known..size).all(|at| unsafe { pointer.cast::<u8>().add(at).read() } == 0);
    (copy, size, is_known)
}

/// Writes a struct to a program that has `size` bytes for it: what it has no room for is left out, what this library
/// does not know becomes 0.
pub(super) fn put_part<T>(pointer: *mut T, size: usize, value: T) {
    // SAFETY: the header says that `size` bytes are writable; callers refused NULL. No more is read than the value has.
    unsafe {
        std::ptr::write_bytes(pointer.cast::<u8>(), 0, size);
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), pointer.cast::<u8>(), size.min(size_of::<T>()));
    }
}

/// Writes an output that may be NULL.
pub(super) fn put_optional<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: the header says that outputs are NULL or writable.
        unsafe { pointer.write_unaligned(value) };
    }
}

/// Copies a text out: cut at a code point if the buffer is short, always terminated. `len` never counts the NUL.
pub(super) fn copy_text(text: &str, buffer: *mut c_char, cap: usize, len: *mut usize) -> Result<Success, Error> {
    if buffer.is_null() && cap > 0 {
        put_optional(len, 0);
        return Err(wrong(ErrorCode::Null, "buf is NULL and cap is not 0"));
    }
    put_optional(len, text.len());
    if cap == 0 {
        return Ok(if text.is_empty() { Success::Ok } else { Success::Truncated });
    }
    let mut end = text.len().min(cap - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: the header says that `cap` bytes are writable at `buf`; `end` is below `cap`. A `&str` is never inside
    // the program's buffer.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), end);
        buffer.add(end).write(0);
    }
    Ok(if end < text.len() { Success::Truncated } else { Success::Ok })
}
