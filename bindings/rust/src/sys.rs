//! Calls of the library with Rust's types: the only place, beside the modules `inbox` and `godot`, with unsafe code.
//!
//! The library reads what it is given during a call, and writes outputs of the given length, both only while the call
//! lasts ("MEMORY" in the header). So a call with pointers of references is sound whatever the handle is: "A stale one
//! gives WS_ERR_HANDLE, never a crash". What ends loans (taking items, ws_free and the like) is not here but where the
//! borrows are.
#![allow(unsafe_code)]

use crate::codes::ErrorCode;
use crate::error::{Error, Result};
use crate::handle::Addressed;
use crate::payload::Payload;
use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};
use wspeer_core::codes as c;
use wspeer_core::ffi;

/// The result of a call, if it is a success.
#[inline]
pub(crate) fn check(result: i32) -> Result<i32> {
    if result < 0 { Err(Error::last(result)) } else { Ok(result) }
}

#[inline]
pub(crate) fn done(result: i32) -> Result<()> {
    check(result).map(|_| ())
}

pub(crate) fn text_of(text: &str) -> Result<CString> {
    CString::new(text).map_err(|error| {
        Error::new(ErrorCode::Arg, format!("the text has a NUL at byte {}: leave it out", error.nul_position()))
    })
}

fn texts_of<S: AsRef<str>>(texts: &[S]) -> Result<Vec<CString>> {
    texts.iter().map(|text| text_of(text.as_ref())).collect()
}

fn pointers_to(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).collect()
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(null(), |text| text.as_ptr())
}

fn optional(text: Option<&str>) -> Result<Option<CString>> {
    text.map(text_of).transpose()
}

/// Copies a text of any length: `get(buffer, capacity, length)` is a function of the library. The number is its last
/// result.
fn copied(mut get: impl FnMut(*mut c_char, usize, *mut usize) -> i32) -> (i32, String) {
    let mut bytes = vec![0_u8; 256];
    loop {
        let mut length = 0;
        let result = get(bytes.as_mut_ptr().cast(), bytes.len(), &mut length);
        // Again: it may have grown between two calls.
        if result == c::WS_TRUNCATED {
            bytes.resize(length + 1, 0);
            continue;
        }
        bytes.truncate(if result == c::WS_OK { length } else { 0 });
        return (result, String::from_utf8_lossy(&bytes).into_owned());
    }
}

pub(crate) fn last_error() -> String {
    // SAFETY: the buffer is writable for its length, and so is the length.
    copied(|buffer, capacity, length| unsafe { ffi::ws_last_error(buffer, capacity, length) }).1
}

pub(crate) fn result_name(result: i32) -> &'static str {
    // SAFETY: "The text is static and never NULL", and NUL-terminated.
    unsafe { CStr::from_ptr(ffi::ws_result_name(result)) }.to_str().unwrap_or("WS_UNKNOWN")
}

pub(crate) fn text(handle: u32, what: i32) -> String {
    // SAFETY: the buffer is writable for its length, and so is the length.
    copied(|buffer, capacity, length| unsafe { ffi::ws_get_text(handle, what, buffer, capacity, length) }).1
}

pub(crate) fn header(handle: u32, name: &str, index: u32) -> Option<String> {
    let name = text_of(name).ok()?;
    let (result, value) = copied(|buffer, capacity, length| {
        // SAFETY: the name is NUL-terminated; the buffer is writable for its length, and so is the length.
        unsafe { ffi::ws_get_header(handle, name.as_ptr(), index, buffer, capacity, length) }
    });
    (result == c::WS_OK).then_some(value)
}

pub(crate) fn topics(handle: u32) -> Vec<String> {
    // SAFETY: the buffer is writable for its length, and so is the length.
    let lines = copied(|buffer, capacity, length| unsafe { ffi::ws_get_topics(handle, buffer, capacity, length) }).1;
    lines.lines().map(str::to_owned).collect()
}

pub(crate) fn next_log() -> Option<String> {
    // SAFETY: the buffer is writable for its length, and so is the length.
    let (result, line) = copied(|buffer, capacity, length| unsafe { ffi::ws_get_log(buffer, capacity, length) });
    (result == c::WS_OK).then_some(line)
}

pub(crate) fn set_name(word: &str, name: Option<&str>) -> Result<()> {
    let (word, name) = (text_of(word)?, optional(name)?);
    // SAFETY: both texts are NUL-terminated, or the second one NULL.
    done(unsafe { ffi::ws_set_name(word.as_ptr(), pointer(&name)) })
}

#[inline]
pub(crate) fn put(handle: u32, message: Payload<'_>) -> Result<i32> {
    let bytes = message.bytes();
    // SAFETY: the bytes are readable for their length.
    check(unsafe { ffi::ws_put_packet(handle, bytes.as_ptr(), bytes.len(), message.raw_kind()) })
}

#[inline]
pub(crate) fn put_to(handle: u32, target: i32, message: Payload<'_>) -> Result<i32> {
    let bytes = message.bytes();
    // SAFETY: the bytes are readable for their length.
    check(unsafe { ffi::ws_put_packet_to(handle, target, bytes.as_ptr(), bytes.len(), message.raw_kind()) })
}

fn packet_out(one: &Addressed<'_>) -> ffi::ws_packet_out {
    let bytes = one.message.bytes();
    ffi::ws_packet_out { data: bytes.as_ptr(), len: bytes.len(), r#type: one.message.raw_kind(), target: one.target }
}

/// The number of messages that were accepted, and the result.
pub(crate) fn put_packets(handle: u32, messages: &[Addressed<'_>]) -> (usize, Result<i32>) {
    let raw: Vec<ffi::ws_packet_out> = messages.iter().map(packet_out).collect();
    let mut taken = 0;
    // SAFETY: the array has this length, and its bytes are readable: `messages` borrows them.
    let result = unsafe { ffi::ws_put_packets(handle, raw.as_ptr(), raw.len(), &mut taken) };
    (taken, check(result))
}

pub(crate) fn put_latest(handle: u32, target: i32, key: u32, message: Payload<'_>) -> Result<i32> {
    let bytes = message.bytes();
    // SAFETY: the bytes are readable for their length.
    check(unsafe { ffi::ws_put_latest(handle, target, key, bytes.as_ptr(), bytes.len(), message.raw_kind()) })
}

pub(crate) fn publish(handle: u32, topic: &str, except: i32, message: Payload<'_>) -> Result<i32> {
    let (topic, bytes) = (text_of(topic)?, message.bytes());
    // SAFETY: the topic is NUL-terminated, and the bytes are readable for their length.
    check(unsafe { ffi::ws_publish(handle, topic.as_ptr(), except, bytes.as_ptr(), bytes.len(), message.raw_kind()) })
}

pub(crate) fn publish_latest(handle: u32, topic: &str, except: i32, key: u32, message: Payload<'_>) -> Result<i32> {
    let (topic, bytes) = (text_of(topic)?, message.bytes());
    // SAFETY: the topic is NUL-terminated, and the bytes are readable for their length.
    check(unsafe {
        ffi::ws_publish_latest(handle, topic.as_ptr(), except, key, bytes.as_ptr(), bytes.len(), message.raw_kind())
    })
}

pub(crate) fn subscribe(handle: u32, topic: &str) -> Result<()> {
    let topic = text_of(topic)?;
    // SAFETY: the topic is NUL-terminated.
    done(unsafe { ffi::ws_subscribe(handle, topic.as_ptr()) })
}

pub(crate) fn unsubscribe(handle: u32, topic: Option<&str>) -> Result<()> {
    let topic = optional(topic)?;
    // SAFETY: the topic is NUL-terminated or NULL.
    done(unsafe { ffi::ws_unsubscribe(handle, pointer(&topic)) })
}

pub(crate) fn close(handle: u32, code: i32, reason: &str) -> Result<()> {
    let reason = text_of(reason)?;
    // SAFETY: the reason is NUL-terminated.
    done(unsafe { ffi::ws_close(handle, code, reason.as_ptr()) })
}

pub(crate) fn disconnect(handle: u32, target: i32, code: i32, reason: &str) -> Result<()> {
    let reason = text_of(reason)?;
    // SAFETY: the reason is NUL-terminated.
    done(unsafe { ffi::ws_disconnect(handle, target, code, reason.as_ptr()) })
}

pub(crate) fn drain(handle: u32, window_ms: u32, retry_ms: u32, url: Option<&str>) -> Result<()> {
    let url = optional(url)?;
    // SAFETY: the URL is NUL-terminated or NULL.
    done(unsafe { ffi::ws_drain(handle, window_ms, retry_ms, pointer(&url)) })
}

pub(crate) fn set_url(handle: u32, url: &str) -> Result<()> {
    let url = text_of(url)?;
    // SAFETY: the URL is NUL-terminated.
    done(unsafe { ffi::ws_set_url(handle, url.as_ptr()) })
}

pub(crate) fn set_header(handle: u32, name: &str, value: Option<&str>) -> Result<()> {
    let (name, value) = (text_of(name)?, optional(value)?);
    // SAFETY: both texts are NUL-terminated, or the second one NULL.
    done(unsafe { ffi::ws_set_header(handle, name.as_ptr(), pointer(&value)) })
}

pub(crate) fn option(handle: u32, option: i32) -> Result<u32> {
    let mut value = 0;
    // SAFETY: the output is writable.
    check(unsafe { ffi::ws_get_option(handle, option, &mut value) }).map(|_| value)
}

pub(crate) fn stats(handle: u32) -> ffi::ws_stats {
    // SAFETY: the struct has only numbers, for which zeros are valid.
    let mut stats: ffi::ws_stats = unsafe { std::mem::zeroed() };
    // SAFETY: the output is writable for its size. Of a stale handle it stays zero.
    unsafe { ffi::ws_get_stats(handle, &mut stats, size_of::<ffi::ws_stats>()) };
    stats
}

/// An event without content.
pub(crate) fn no_event() -> ffi::ws_event {
    // SAFETY: the struct has only numbers, pointers that may be NULL, and structs of these.
    unsafe { std::mem::zeroed() }
}

/// How a connection ended. The text of the event is empty.
pub(crate) fn end(handle: u32) -> Option<ffi::ws_event> {
    let mut event = no_event();
    // SAFETY: the output is writable. The call takes no item.
    (unsafe { ffi::ws_get_end(handle, &mut event) } == c::WS_OK).then_some(event)
}

/// The list of handles that `get(out, cap, count)` fills.
fn handles(mut get: impl FnMut(*mut u32, usize, *mut usize) -> i32) -> Vec<u32> {
    let mut handles = vec![0; 64];
    loop {
        let mut count = 0;
        let result = get(handles.as_mut_ptr(), handles.len(), &mut count);
        if result == c::WS_TRUNCATED {
            handles.resize(count, 0);
            continue;
        }
        handles.truncate(if result == c::WS_OK { count } else { 0 });
        return handles;
    }
}

pub(crate) fn conns(handle: u32) -> Vec<u32> {
    // SAFETY: the outputs are writable for their capacity.
    handles(|out, capacity, count| unsafe { ffi::ws_get_conns(handle, out, capacity, count) })
}

pub(crate) fn waiting(handle: u32) -> Vec<u32> {
    // SAFETY: the outputs are writable for their capacity.
    handles(|out, capacity, count| unsafe { ffi::ws_get_waiting(handle, out, capacity, count) })
}

pub(crate) fn conn(handle: u32, peer_id: i32) -> Result<u32> {
    let mut conn = 0;
    // SAFETY: the output is writable.
    check(unsafe { ffi::ws_get_conn(handle, peer_id, &mut conn) }).map(|_| conn)
}

pub(crate) fn wait(handles: &[u32], timeout_ms: i32) -> Result<bool> {
    // SAFETY: the array is readable for its length.
    check(unsafe { ffi::ws_wait(handles.as_ptr(), handles.len(), timeout_ms) }).map(|result| result == c::WS_OK)
}

pub(crate) fn set_certificate(handle: u32, cert_pem: &str, key_pem: &str) -> Result<()> {
    let (cert, key) = (text_of(cert_pem)?, text_of(key_pem)?);
    // SAFETY: both texts are NUL-terminated.
    done(unsafe { ffi::ws_set_certificate(handle, cert.as_ptr(), key.as_ptr()) })
}

/// The certificate, its key, and its SHA-256.
pub(crate) fn make_certificate(names: &str, days: u32) -> Result<[String; 3]> {
    let names = text_of(names)?;
    // "65536 bytes for any `cert`".
    let (mut cert, mut key, mut sha256) = (vec![0_u8; 65536], vec![0_u8; 4096], vec![0_u8; 65]);
    // SAFETY: the names are NUL-terminated, and each buffer is writable for its length.
    done(unsafe {
        ffi::ws_make_certificate(
            names.as_ptr(),
            days,
            cert.as_mut_ptr().cast(),
            cert.len(),
            key.as_mut_ptr().cast(),
            key.len(),
            sha256.as_mut_ptr().cast(),
            sha256.len(),
        )
    })?;
    Ok([cert, key, sha256].map(|text| {
        let bytes = text.split(|&byte| byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }))
}

pub(crate) fn serve(handle: u32, prefix: &str, directory: Option<&str>, flags: u32) -> Result<()> {
    let (prefix, directory) = (text_of(prefix)?, optional(directory)?);
    // SAFETY: both texts are NUL-terminated, or the second one NULL.
    done(unsafe { ffi::ws_serve(handle, prefix.as_ptr(), pointer(&directory), flags) })
}

pub(crate) fn accept<S: AsRef<str>>(handle: u32, subprotocol: Option<&str>, headers: &[S]) -> Result<()> {
    let (subprotocol, headers) = (optional(subprotocol)?, texts_of(headers)?);
    let lines = pointers_to(&headers);
    // SAFETY: the subprotocol is NUL-terminated or NULL, and so are the lines, whose array has this length.
    done(unsafe { ffi::ws_accept(handle, pointer(&subprotocol), lines.as_ptr(), lines.len()) })
}

pub(crate) fn reply<S: AsRef<str>>(handle: u32, status: i32, headers: &[S], body: &[u8]) -> Result<()> {
    let headers = texts_of(headers)?;
    let lines = pointers_to(&headers);
    // SAFETY: the lines are NUL-terminated, their array has this length, and the body is readable for its length.
    done(unsafe { ffi::ws_reply(handle, status, lines.as_ptr(), lines.len(), body.as_ptr(), body.len()) })
}

pub(crate) fn feed(handle: u32, bytes: &[u8]) -> Result<usize> {
    let mut taken = 0;
    // SAFETY: the bytes are readable for their length, and a slice is never NULL.
    check(unsafe { ffi::ws_feed(handle, bytes.as_ptr(), bytes.len(), &mut taken) }).map(|_| taken)
}

pub(crate) fn feed_end(handle: u32) -> Result<()> {
    // SAFETY: "`bytes` NULL with `len` 0 reports the end of the transport", and `taken` may be NULL.
    done(unsafe { ffi::ws_feed(handle, null(), 0, null_mut()) })
}

pub(crate) fn take_output(handle: u32, buffer: &mut [u8]) -> usize {
    let mut length = 0;
    // SAFETY: the buffer is writable for its length, and so is the length.
    unsafe { ffi::ws_take_output(handle, buffer.as_mut_ptr(), buffer.len(), &mut length) };
    length
}

pub(crate) fn new_config() -> ffi::ws_config {
    // SAFETY: the struct has only numbers and pointers that may be NULL.
    let mut config: ffi::ws_config = unsafe { std::mem::zeroed() };
    // SAFETY: the output is writable for its size.
    unsafe { ffi::ws_config_init(&mut config, size_of::<ffi::ws_config>()) };
    config
}

/// The figures of a preset.
pub(crate) fn sim(preset: i32) -> ffi::ws_sim {
    // SAFETY: the struct has only numbers.
    let mut sim: ffi::ws_sim = unsafe { std::mem::zeroed() };
    // SAFETY: the output is writable for its size.
    unsafe { ffi::ws_sim_init(&mut sim, size_of::<ffi::ws_sim>(), preset) };
    sim
}

pub(crate) fn set_sim(handle: u32, sim: Option<&ffi::ws_sim>) -> Result<()> {
    // SAFETY: the struct is readable or the pointer NULL.
    done(unsafe { ffi::ws_set_sim(handle, sim.map_or(null(), |sim| sim)) })
}

pub(crate) fn declare_node(handle: u32, path: &str, methods: Option<&str>) -> Result<()> {
    let (path, methods) = (text_of(path)?, optional(methods)?);
    // SAFETY: both texts are NUL-terminated, or the second one NULL.
    done(unsafe { ffi::ws_declare_node(handle, path.as_ptr(), pointer(&methods)) })
}

pub(crate) fn declare_scene(
    handle: u32,
    spawner: &str,
    authority: i32,
    scene: u32,
    synchronizers: Option<&str>,
) -> Result<()> {
    let (spawner, synchronizers) = (text_of(spawner)?, optional(synchronizers)?);
    // SAFETY: both texts are NUL-terminated, or the second one NULL.
    done(unsafe { ffi::ws_declare_scene(handle, spawner.as_ptr(), authority, scene, pointer(&synchronizers)) })
}

pub(crate) fn declare_synchronizer(handle: u32, path: &str, authority: i32, properties: Option<&str>) -> Result<u32> {
    let (path, properties) = (text_of(path)?, optional(properties)?);
    let mut node = 0;
    // SAFETY: both texts are NUL-terminated, or the second one NULL; the output is writable.
    done(unsafe { ffi::ws_declare_synchronizer(handle, path.as_ptr(), authority, pointer(&properties), &mut node) })?;
    Ok(node)
}

pub(crate) fn send_auth(handle: u32, peer_id: i32, data: &[u8]) -> Result<()> {
    // SAFETY: the bytes are readable for their length.
    done(unsafe { ffi::ws_send_auth(handle, peer_id, data.as_ptr(), data.len()) })
}

/// The functions of the library that open a handle with a URL.
#[derive(Clone, Copy)]
pub(crate) enum Open {
    Connect,
    Diagnose,
    Listen,
    Host,
    Join,
}

pub(crate) fn open(how: Open, url: &str, config: &ffi::ws_config) -> Result<u32> {
    let url = text_of(url)?;
    let mut handle = 0;
    let open = match how {
        Open::Connect => ffi::ws_connect,
        Open::Diagnose => ffi::ws_diagnose,
        Open::Listen => ffi::ws_listen,
        Open::Host => ffi::ws_host,
        Open::Join => ffi::ws_join,
    };
    // SAFETY: the URL is NUL-terminated; the config is readable and its texts are kept by the caller; the output is
    // writable.
    done(unsafe { open(url.as_ptr(), config, &mut handle) })?;
    Ok(handle)
}

pub(crate) fn join_local(host: u32, config: &ffi::ws_config) -> Result<u32> {
    let mut handle = 0;
    // SAFETY: the config is readable and its texts are kept by the caller; the output is writable.
    done(unsafe { ffi::ws_join_local(host, config, &mut handle) })?;
    Ok(handle)
}

/// The server's end and the client's end.
pub(crate) fn pair(config: &ffi::ws_config) -> Result<(u32, u32)> {
    let (mut server, mut client) = (0, 0);
    // SAFETY: the config is readable and its texts are kept by the caller; the outputs are writable.
    done(unsafe { ffi::ws_pair(config, &mut server, &mut client) })?;
    Ok((server, client))
}

pub(crate) fn attach(role: i32, config: &ffi::ws_config) -> Result<u32> {
    let mut handle = 0;
    // SAFETY: the config is readable and its texts are kept by the caller; the output is writable.
    done(unsafe { ffi::ws_attach(config, role, &mut handle) })?;
    Ok(handle)
}
