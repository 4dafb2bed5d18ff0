//! Exports for a scene of Godot 4: values and calls in the caller's buffers, authentication, nodes.

use super::guard::{guard, wrong};
use super::pointers::{bytes, need, optional_text, overlaps, put, put_at, text, writable};
use super::types::*;
use crate::error::Error;
use crate::multiplayer::scene::{Call, Fault, Form, Item, Reader, Sink, write};
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Declares a node of the game, so that it can be called and its calls be understood: `path` as "Game" or "/root/Game", and all its RPCs. Godot numbers
/// them, and both sides compare a checksum of their names, so `methods` names every function of the node's script that is annotated @rpc, and no other, in
/// any order: "hello, move, shoot". Names behind a semicolon are those that Node.rpc_config() made callable. NULL forgets the node. Declare at once after
/// ws_host() or ws_join(): calls of a node that is not declared are lost, and told by ERROR with WS_CAUSE_NO_NODE.
///
/// `h` is a host or a join with WS_SCENE. Returns WS_OK, WS_ERR_ARG (the path, a name twice, declared with other methods, or nothing to forget),
/// WS_ERR_LIMIT, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_declare_node(h: ws_handle, path: *const c_char, methods: *const c_char) -> ws_result {
    guard(|| table::declare_node(h, text("path", path)?, optional_text("methods", methods)?).map(|()| Success::Ok))
}

/// Sends data for the authentication of a peer, after its AUTHENTICATING: on a host of any such peer, on a join of peer 1. It comes there as AUTH, or in
/// Godot's auth_callback. Needs WS_SCENE | WS_AUTH.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (one side has completed), WS_ERR_ARG (no data), WS_ERR_FULL,
/// WS_ERR_TOO_BIG (over 64 KiB), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_send_auth(h: ws_handle, peer_id: i32, data: *const u8, len: usize) -> ws_result {
    guard(|| {
        let data = bytes("data", data, len)?;
        match data.len() {
            0 => Err(wrong(ErrorCode::Arg, "there is no data to send: ws_complete_auth ends an authentication")),
            1..=MAX_AUTH_BYTES => table::send_auth(h, peer_id, data),
            len => Err(wrong(
                ErrorCode::TooBig,
                format!("{len} bytes are too many for an authentication: at most {MAX_AUTH_BYTES}"),
            )),
        }
    })
}

/// Says that the authentication of a peer is complete on this side. From then on the peer is admitted once the other side has completed it too, or by the
/// next packet of any kind that comes of it, as in Godot: CONNECTED follows, on a join OPEN and CONNECTED. Until then AUTH events tell what it sends for the
/// authentication; other packets wait, also those in front of that, and are dropped if the peer ends before it is admitted. To refuse a
/// peer: ws_disconnect(), or ws_close() on a join. Who is not authenticated within WS_OPT_AUTH_TIMEOUT_MS is disconnected.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer, or admitted already), WS_ERR_STATE (completed already), WS_ERR_FULL, WS_ERR_KIND, WS_ERR_HANDLE. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn ws_complete_auth(h: ws_handle, peer_id: i32) -> ws_result {
    guard(|| table::complete_auth(h, peer_id))
}

/// Makes a call of `method` of the node at `path` ("Game" or "/root/Game") to put as WS_CALL. `items` are the arguments: each value is one item, behind a
/// container's item come those of what it contains, and so on; a call has at most 255 arguments.
///
///   ws_variant args[3] = {{.type = WS_VARIANT_INT, .integer = 5}, {.type = WS_VARIANT_ARRAY, .count = 1}, {.type = WS_VARIANT_FLOAT, .number = {1.5}}};
///   uint8_t call[256];
///   size_t len;
///   if (ws_encode_call("Game", "hello", args, 3, call, sizeof call, &len) == WS_OK) ws_put_packet_to(h, 1, call, len, WS_CALL);   // hello(5, [1.5])
///
/// `len` is the length of the call, even when it is more than `cap`: the result is then WS_ERR_TOO_BIG, and what was written to `buf` is of no use.
/// Neither the path, the method, the items nor what they point to may lie in `buf`.
/// Returns WS_OK, WS_ERR_TOO_BIG, WS_ERR_ARG (an item that is wrong, or what lies in `buf`; ws_last_error() says which), WS_ERR_NULL, WS_ERR_UTF8. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_encode_call(
    path: *const c_char,
    method: *const c_char,
    items: *const ws_variant,
    count: usize,
    buf: *mut u8,
    cap: usize,
    len: *mut usize,
) -> ws_result {
    guard(|| {
        put("len", len, 0)?;
        let (path, method) = (text("path", path)?, text("method", method)?);
        for (name, text) in [("path", path), ("method", method)] {
            outside(name, text.as_ptr(), text.len() + 1, "buf", (buf, cap))?;
        }
        encode(items, count, buf, cap, len, |items, out| Call::write(path, method, items, out))
    })
}

/// Reads a call: a packet of type WS_CALL. Its arguments come as items, as ws_encode_call() takes them; all that they point to is lent as the packet is.
///
/// `out` says which method of which node, and how many arguments and items there are. At most `cap` items are written to `items`; the result is
/// WS_TRUNCATED when there are more. After a failure what was written to `items` is of no use. Neither `out` nor `items` may lie in `data`. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (no call), WS_ERR_UNSUPPORTED (an argument that means nothing to another
/// program), WS_ERR_NULL, WS_ERR_TOO_BIG. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_decode_call(
    data: *const u8,
    len: usize,
    out: *mut ws_call,
    items: *mut ws_variant,
    cap: usize,
) -> ws_result {
    guard(|| {
        need("out", out)?;
        check_items(items, cap)?;
        outside("out", out.cast(), size_of::<ws_call>(), "data", (data, len))?;
        outside("items", items.cast(), cap * size_of::<ws_variant>(), "data", (data, len))?;
        let data = bytes("data", data, len)?;
        let (call, count) =
            Call::read_items(data, |index, item| put_at(items, index, variant(item)), cap).map_err(refused)?;
        let [path, method] = [call.path, call.method].map(|text| text.as_ptr().cast::<c_char>());
        let items =
            u32::try_from(count).map_err(|_| wrong(ErrorCode::TooBig, "it has more items than can be counted"))?;
        put("out", out, ws_call { path, method, arguments: u32::from(call.count), items })?;
        Ok(if count > cap { Success::Truncated } else { Success::Ok })
    })
}

/// Writes one value as Godot's var_to_bytes() does, for bytes_to_var() and get_var(). `items` as for ws_encode_call().
///
/// Returns as ws_encode_call(); WS_ERR_ARG too when the items are not one value. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_encode_variant(
    items: *const ws_variant,
    count: usize,
    buf: *mut u8,
    cap: usize,
    len: *mut usize,
) -> ws_result {
    guard(|| {
        encode(items, count, buf, cap, len, |items, out| match write(items, Form::Full, out)? {
            1 => Ok(()),
            values => Err(format!("the items are {values} values and not one: put them into an Array")),
        })
    })
}

/// Reads one value as Godot's var_to_bytes() and put_var() write it. All that the items point to is lent from `data`.
///
/// `count` is how many items there are; at most `cap` are written, and the result is WS_TRUNCATED when there are more. `used` (may be NULL) is how many
/// bytes the value has, which may be fewer than `len`. `items` may not lie in `data`. Returns as ws_decode_call(). Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_decode_variant(
    data: *const u8,
    len: usize,
    items: *mut ws_variant,
    cap: usize,
    count: *mut usize,
    used: *mut usize,
) -> ws_result {
    guard(|| {
        put("count", count, 0)?;
        super::pointers::put_optional(used, 0);
        check_items(items, cap)?;
        outside("items", items.cast(), cap * size_of::<ws_variant>(), "data", (data, len))?;
        let data = bytes("data", data, len)?;
        let mut reader = Reader::new(data, Form::Full);
        let mut index = 0;
        loop {
            let item = reader.read_item().map_err(refused)?;
            if index < cap {
                put_at(items, index, variant(&item));
            }
            index += 1;
            if reader.is_outside() {
                break;
            }
        }
        put("count", count, index)?;
        super::pointers::put_optional(used, data.len() - reader.rest().len());
        Ok(if index > cap { Success::Truncated } else { Success::Ok })
    })
}

/// The longest data of one message of an authentication.
const MAX_AUTH_BYTES: usize = 64 << 10;

/// Converts C items, up to the first that cannot be read, whose error is then kept.
struct Items<'a> {
    items: *const ws_variant,
    count: usize,
    index: usize,
    /// The output buffer and its size.
    buf: (*const u8, usize),
    error: &'a mut Option<Error>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.index == self.count || self.error.is_some() {
            return None;
        }
        // SAFETY: the header says that `items` points to `count` items; NULL and impossible counts were refused before.
        let raw = unsafe { self.items.add(self.index).read_unaligned() };
        self.index += 1;
        match outside("data", raw.data, raw.len, "buf", self.buf).and_then(|()| bytes("data", raw.data, raw.len)) {
            Ok(bytes) => {
                Some(Item { kind: raw.r#type, count: raw.count, integer: raw.integer, number: raw.number, bytes })
            }
            Err(error) => {
                *self.error =
                    Some(Error::new(error.code(), format!("item {}: {}", self.index - 1, error.into_sentence())));
                None
            }
        }
    }
}

fn encode(
    items: *const ws_variant,
    count: usize,
    buf: *mut u8,
    cap: usize,
    len: *mut usize,
    body: impl FnOnce(Items<'_>, &mut Sink<'_>) -> Result<(), String>,
) -> Result<Success, Error> {
    put("len", len, 0)?;
    check_items(items, count)?;
    outside("items", items.cast(), count * size_of::<ws_variant>(), "buf", (buf, cap))?;
    let mut sink = Sink::uninit(writable("buf", buf, cap)?);
    let mut error = None;
    let done = body(Items { items, count, index: 0, buf: (buf, cap), error: &mut error }, &mut sink);
    if let Some(error) = error {
        return Err(error);
    }
    done.map_err(|why| wrong(ErrorCode::Arg, why))?;
    put("len", len, sink.len())?;
    if sink.len() > cap {
        return Err(wrong(ErrorCode::TooBig, format!("buf has {cap} bytes and {} are needed", sink.len())));
    }
    Ok(Success::Ok)
}

/// Refuses inputs and outputs that overlap: no reference to an input may be in use while an output is written there.
fn outside(
    name: &str,
    pointer: *const u8,
    len: usize,
    other: &str,
    (place, room): (*const u8, usize),
) -> Result<(), Error> {
    if overlaps(pointer, len, place, room) {
        Err(wrong(ErrorCode::Arg, format!("{name} lies in {other}")))
    } else {
        Ok(())
    }
}

fn check_items(items: *const ws_variant, count: usize) -> Result<(), Error> {
    if count > 0 {
        need("items", items)?;
    }
    if count > isize::MAX as usize / size_of::<ws_variant>() {
        return Err(wrong(ErrorCode::TooBig, "there are more items than memory can hold"));
    }
    Ok(())
}

fn variant(item: &Item<'_>) -> ws_variant {
    ws_variant {
        r#type: item.kind,
        count: item.count,
        integer: item.integer,
        number: item.number,
        data: item.bytes.as_ptr(),
        len: item.bytes.len(),
    }
}

fn refused(fault: Fault) -> Error {
    match fault {
        Fault::Malformed(why) => wrong(ErrorCode::Arg, format!("these bytes cannot be read: {why}")),
        Fault::Unsupported(why) => wrong(ErrorCode::Unsupported, why),
        Fault::TooMany(why) => wrong(ErrorCode::TooBig, why),
    }
}
