//! Exports for WS_SCENE: nodes, authentication, and calls and values in the program's buffers.

use super::guard::{guard, wrong};
use super::pointers::{bytes, need, optional_text, overlaps, put, put_at, text, writable};
use super::types::*;
use crate::error::Error;
use crate::multiplayer::scene::{Call, Fault, Form, Item, Reader, Sink, write};
use crate::status::{ErrorCode, Success};
use crate::table;
use std::ffi::c_char;

/// Declares a node of the game and all its RPCs, so that this program can call them and understand calls of them.
/// `path` is "Game" or "/root/Game". `methods` names every function of the node's script that is annotated @rpc, and no
/// other, in any order: "hello, move, shoot". Godot numbers these methods, and both sides compare a checksum of their
/// names. Names after a semicolon are those that Node.rpc_config() made callable. `methods` NULL forgets the node.
/// Declare nodes right after ws_host() or ws_join(): calls of an undeclared node are dropped, and ERROR with
/// WS_CAUSE_NO_NODE reports them.
///
/// `h` is a host or a join with WS_SCENE. Returns WS_OK, WS_ERR_ARG (the path, a name twice, declared with other
/// methods, or nothing to forget), WS_ERR_LIMIT, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_declare_node(h: ws_handle, path: *const c_char, methods: *const c_char) -> ws_result {
    guard(|| table::declare_node(h, text("path", path)?, optional_text("methods", methods)?).map(|()| Success::Ok))
}

/// Sends data for the authentication of a peer, after its AUTHENTICATING event: a host to that peer, a join to peer 1.
/// The peer receives it as AUTH, or in Godot's auth_callback. Needs WS_SCENE | WS_AUTH.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer, or it is admitted), WS_ERR_STATE (one side has completed), WS_ERR_ARG
/// (no data), WS_ERR_FULL, WS_ERR_TOO_BIG (over 64 KiB), WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL. Thread-safe.
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

/// Completes the authentication of a peer on this side. The peer is then admitted when the other side has completed it
/// too, or with the next packet of any type that it sends, as in Godot. CONNECTED follows; on a join OPEN and
/// CONNECTED.
/// Until then, AUTH events report the data that the peer sends for the authentication. Its other packets wait, even
/// those that arrived before such data, and are dropped if the peer ends before it is admitted. To refuse a peer, call
/// ws_disconnect(), or ws_close() on a join. A peer that is not authenticated within WS_OPT_AUTH_TIMEOUT_MS is
/// disconnected.
///
/// Returns WS_OK, WS_ERR_TARGET (no such peer, or it is admitted), WS_ERR_STATE (already completed), WS_ERR_FULL,
/// WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ws_complete_auth(h: ws_handle, peer_id: i32) -> ws_result {
    guard(|| table::complete_auth(h, peer_id))
}

/// Encodes a call of `method` of the node at `path` ("Game" or "/root/Game"), to be sent with type WS_CALL. `items` are
/// the arguments. Each value is one item; the item of a container is followed by the items that it contains,
/// recursively. A call has at most 255 arguments.
///
///   ws_variant args[3] = {{.type = WS_VARIANT_INT, .integer = 5},
///                         {.type = WS_VARIANT_ARRAY, .count = 1},
///                         {.type = WS_VARIANT_FLOAT, .number = {1.5}}};
///   uint8_t call[256];
///   size_t len;
///   if (ws_encode_call("Game", "hello", args, 3, call, sizeof call, &len) == WS_OK)
///     ws_put_packet_to(h, 1, call, len, WS_CALL);   // hello(5, [1.5])
///
/// `len` is set to the length of the call in bytes, even if it exceeds `cap`: the result is then WS_ERR_TOO_BIG, and
/// `buf` has no usable content. `buf` must not overlap the path, the method, the items or what they point to. Returns
/// WS_OK, WS_ERR_TOO_BIG, WS_ERR_ARG (an invalid item, or an overlap with `buf`; ws_last_error() says which),
/// WS_ERR_NULL, WS_ERR_UTF8. Thread-safe.
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

/// Decodes a call: a received packet of type WS_CALL. Its arguments become items, as for ws_encode_call(). What `out`
/// and the items point to is lent as long as the packet.
///
/// `out` receives the node, the method, and the numbers of arguments and items. At most `cap` items are written to
/// `items`; if there are more, the result is WS_TRUNCATED. After a failure, `items` has no usable content. Neither
/// `out` nor `items` may overlap `data`. Returns WS_OK, WS_TRUNCATED, WS_ERR_ARG (not a call), WS_ERR_UNSUPPORTED (an
/// argument that only Godot can read), WS_ERR_NULL, WS_ERR_TOO_BIG. Thread-safe.
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

/// Encodes one value as Godot's var_to_bytes() does, for bytes_to_var() and get_var(). `items` as for ws_encode_call().
///
/// Outputs and results as ws_encode_call(); WS_ERR_ARG also if the items are not exactly one value. Thread-safe.
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

/// Decodes one value that Godot's var_to_bytes() or put_var() encoded. What the items point to lies in `data`.
///
/// `count` is set to the number of items. At most `cap` are written to `items`; if there are more, the result is
/// WS_TRUNCATED. `used` (may be NULL) is set to the length of the value in bytes, which may be below `len`. `items`
/// must not overlap `data`. Returns as ws_decode_call(). Thread-safe.
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
        let index = self.index;
        self.index += 1;
        item_at(self.items, index, self.buf).map_err(|error| *self.error = Some(error)).ok()
    }
}

/// The program's item at an index below the count that it gave. `buf`: output that it must not lie in.
fn item_at<'a>(items: *const ws_variant, index: usize, buf: (*const u8, usize)) -> Result<Item<'a>, Error> {
    // SAFETY: the header says that `items` points to `count` items; NULL and impossible counts were refused before.
    let raw = unsafe { items.add(index).read_unaligned() };
    match outside("data", raw.data, raw.len, "buf", buf).and_then(|()| bytes("data", raw.data, raw.len)) {
        Ok(bytes) => Ok(Item { kind: raw.r#type, count: raw.count, integer: raw.integer, number: raw.number, bytes }),
        Err(error) => Err(Error::new(error.code(), format!("item {index}: {}", error.into_message()))),
    }
}

/// Passes the program's items to `read`.
pub(super) fn read_items<'a, T>(
    items: *const ws_variant,
    count: usize,
    read: impl FnOnce(&[Item<'a>]) -> Result<T, String>,
) -> Result<T, Error> {
    check_items(items, count)?;
    let list = (0..count).map(|index| item_at(items, index, (std::ptr::null(), 0))).collect::<Result<Vec<_>, _>>()?;
    read(&list).map_err(|why| wrong(ErrorCode::Arg, why))
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
pub(super) fn outside(
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

pub(super) fn check_items(items: *const ws_variant, count: usize) -> Result<(), Error> {
    if count > 0 {
        need("items", items)?;
    }
    if count > isize::MAX as usize / size_of::<ws_variant>() {
        return Err(wrong(ErrorCode::TooBig, "there are more items than memory can hold"));
    }
    Ok(())
}

pub(super) fn variant(item: &Item<'_>) -> ws_variant {
    ws_variant {
        r#type: item.kind,
        count: item.count,
        integer: item.integer,
        number: item.number,
        data: item.bytes.as_ptr(),
        len: item.bytes.len(),
    }
}

pub(super) fn refused(fault: Fault) -> Error {
    match fault {
        Fault::Malformed(why) => wrong(ErrorCode::Arg, format!("these bytes cannot be read: {why}")),
        Fault::Unsupported(why) => wrong(ErrorCode::Unsupported, why),
        Fault::TooMany(why) => wrong(ErrorCode::TooBig, why),
    }
}
