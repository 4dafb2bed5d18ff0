//! Rust bindings of the harness (benches/harness).

mod tokio_server;

pub use tokio_server::TokioServer;

use std::ffi::{CStr, CString, c_char, c_int};

unsafe extern "C" {
    fn bench_main(count: c_int, words: *mut *mut c_char) -> c_int;
    fn bench_got(data: *const u8, len: usize);
    fn bench_variant(name: *const c_char) -> c_int;
}

/// Passes the command line to the harness, which calls the contestant's functions.
pub fn run() {
    let words: Vec<CString> = std::env::args().map(|word| CString::new(word).expect("no NUL in an argument")).collect();
    let mut pointers: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    // SAFETY: as many live, terminated words as it says.
    let code = unsafe { bench_main(pointers.len() as c_int, pointers.as_mut_ptr()) };
    std::process::exit(code);
}

/// Reports a received message.
pub fn got(data: &[u8]) {
    // SAFETY: a live slice.
    unsafe { bench_got(data.as_ptr(), data.len()) }
}

pub fn variant(name: &CStr) -> bool {
    // SAFETY: a terminated text.
    unsafe { bench_variant(name.as_ptr()) != 0 }
}

/// The bytes of a message to send.
///
/// # Safety
/// `data` and `len` must be those passed by the harness, and used only during its call.
pub unsafe fn slice<'a>(data: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: see above.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// The path of the certificate to trust, if any.
///
/// # Safety
/// `path` must be the pointer passed by the harness.
pub unsafe fn path(path: *const c_char) -> Option<String> {
    // SAFETY: NULL or a terminated text.
    (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned())
}
