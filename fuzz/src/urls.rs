//! URLs, headers and subprotocols as a host passes them: an error with a sentence, or a handle; never anything else.

use super::calls::{Call, sentence};
use super::input::Input;
use std::ffi::CString;
use std::ptr::null;
use wspeer::codes::*;
use wspeer::ffi::*;

pub fn urls(data: &[u8]) {
    let mut input = Input(data);
    let (how, len) = (input.byte(), usize::from(input.byte()));
    let first = text(input.take(len));
    let second = text(input.0);
    let mut handle = 0;
    // SAFETY: every pointer is NULL or points to a live value of its type, texts end with a NUL.
    let result = unsafe {
        match how % 4 {
            // An address, so that no name is looked up; port 1 refuses.
            0 => ws_connect(join(c"ws://127.0.0.1:1/", &first).as_ptr(), null(), &mut handle),
            1 => ws_connect(join(c"ws://", &with_address(&first)).as_ptr(), null(), &mut handle),
            2 => ws_listen(first.as_ptr(), null(), &mut handle),
            _ => {
                let mut config = std::mem::zeroed::<ws_config>();
                ws_config_init(&mut config, size_of::<ws_config>());
                let headers = [first.as_ptr()];
                (config.headers, config.headers_count, config.subprotocols) = (headers.as_ptr(), 1, second.as_ptr());
                ws_attach(&config, 1 + i32::from(how >> 7), &mut handle)
            }
        }
    };
    assert!(
        [WS_OK, WS_ERR_URL, WS_ERR_CONFIG, WS_ERR_ADDRESS, WS_ERR_UTF8, WS_ERR_ARG, WS_ERR_TLS, WS_ERR_LIMIT]
            .contains(&result),
        "{result}"
    );
    if result != WS_OK {
        assert!(!sentence().is_empty(), "a failure says why");
        assert_eq!(handle, 0, "nothing is written on failure");
        return;
    }
    ws_poll(handle);
    let request = Call::output(handle);
    if how % 4 == 3 && how >> 7 == 0 {
        let request = String::from_utf8(request).expect("a request is text");
        assert_eq!(
            request.find("\r\n\r\n").map(|at| at + 4),
            Some(request.len()),
            "a header of the host ends the request early: {request:?}"
        );
    }
    ws_free(handle);
}

/// User name, path and query as they come; the host is always this machine's.
fn with_address(text: &CString) -> CString {
    let text = text.to_string_lossy();
    let (user, rest) = text.split_once('@').unwrap_or(("", &text));
    let rest = rest.split_once('/').map_or("", |(_, rest)| rest);
    let user = if user.contains(['/', '?', '#', '\\']) { "" } else { user };
    CString::new(format!("{user}@127.0.0.1:1/{rest}")).expect("it had no NUL")
}

fn join(start: &std::ffi::CStr, end: &CString) -> CString {
    CString::new([start.to_bytes(), end.to_bytes()].concat()).expect("neither has a NUL inside")
}

fn text(bytes: &[u8]) -> CString {
    CString::new(bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>()).expect("the NULs were left out")
}
