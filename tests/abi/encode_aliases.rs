//! Input and output of ws_encode_call(), ws_decode_call(), ws_encode_variant() and ws_decode_variant() must not
//! overlap: overlapping memory is refused, adjacent memory is accepted.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use wspeer::codes::*;
use wspeer::ffi::*;

fn string(data: *const u8, len: usize) -> ws_variant {
    ws_variant { r#type: WS_VARIANT_STRING, count: 0, integer: 0, number: [0.0; 16], data, len }
}

fn encode_call(path: *const u8, method: *const u8, items: &[ws_variant], buf: *mut u8, cap: usize) -> (i32, usize) {
    let mut len = 0;
    // SAFETY: the texts are terminated, and all pointers are into memory that outlives the call.
    let result = unsafe {
        ws_encode_call(path.cast::<c_char>(), method.cast(), items.as_ptr(), items.len(), buf, cap, &mut len)
    };
    (result, len)
}

#[test]
fn inputs_that_overlap_the_output_are_refused() {
    let mut memory = [0_u8; 256];
    memory[..5].copy_from_slice(b"Game\0");
    let base = memory.as_mut_ptr();
    let text = |at: usize| base.wrapping_add(at).cast_const();
    let outside = c"hello".as_ptr().cast();
    assert_eq!(
        encode_call(base, base, &[string(base, 4)], base.wrapping_add(5), 251).0,
        WS_OK,
        "an argument may end where buf begins"
    );
    assert_eq!(encode_call(base, outside, &[], base, 256).0, WS_ERR_ARG, "the path");
    assert_eq!(encode_call(outside, base, &[], base, 256).0, WS_ERR_ARG, "the method");
    assert_eq!(encode_call(base, outside, &[], base.wrapping_add(4), 252).0, WS_ERR_ARG, "the NUL behind the path");
    assert_eq!(encode_call(outside, outside, &[string(text(255), 1)], base, 256).0, WS_ERR_ARG, "the last byte of buf");
    assert_eq!(
        encode_call(outside, outside, &[string(base, 4)], base.wrapping_add(3), 253).0,
        WS_ERR_ARG,
        "the first byte of buf"
    );
    assert_eq!(
        encode_call(outside, outside, &[string(base, 4)], base.wrapping_add(4), 252).0,
        WS_OK,
        "an item may end there too"
    );
    assert_eq!(
        encode_call(outside, outside, &[string(base, 4)], base, 0).0,
        WS_ERR_TOO_BIG,
        "an empty buf is too small"
    );
}

#[test]
fn items_that_overlap_the_output_are_refused() {
    let mut items = [string(std::ptr::null(), 0), string(std::ptr::null(), 0)];
    let base = items.as_mut_ptr();
    let (size, mut len) = (size_of::<ws_variant>(), 0);
    // SAFETY: the items and the output lie in one array that outlives the calls.
    let inside = unsafe { ws_encode_variant(base, 1, base.cast(), size, &mut len) };
    // SAFETY: as above.
    let beside = unsafe { ws_encode_variant(base, 1, base.wrapping_add(1).cast(), size, &mut len) };
    assert_eq!((inside, beside), (WS_ERR_ARG, WS_OK));
}

#[test]
fn the_output_may_be_uninitialised() {
    let mut memory = [const { MaybeUninit::<u8>::uninit() }; 64];
    let (result, len) =
        encode_call(c"Game".as_ptr().cast(), c"hello".as_ptr().cast(), &[], memory.as_mut_ptr().cast(), memory.len());
    assert_eq!(result, WS_OK);
    // SAFETY: the call has written `len` bytes.
    let call = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<u8>(), len) };
    assert!(call.windows(5).any(|part| part == b"hello"));
}

#[test]
fn decoding_into_the_encoded_input_is_refused() {
    let (size, mut len) = (size_of::<ws_variant>(), 0);
    let mut memory = [const { MaybeUninit::<u8>::uninit() }; 1_024];
    let base = memory.as_mut_ptr().cast::<u8>();
    let item = [string(b"hi".as_ptr(), 2)];
    assert_eq!(
        encode_call(c"Game".as_ptr().cast(), c"hello".as_ptr().cast(), &item, base, 1_024),
        (WS_OK, len_of_call())
    );
    let end = base.wrapping_add(len_of_call());
    let mut call = ws_call { path: std::ptr::null(), method: std::ptr::null(), arguments: 0, items: 0 };
    // SAFETY: all pointers are into memory that outlives the calls.
    let decode =
        |out: *mut ws_call, items: *mut u8| unsafe { ws_decode_call(base, len_of_call(), out, items.cast(), 1) };
    assert_eq!(decode(&mut call, base), WS_ERR_ARG, "the items");
    assert_eq!(decode(&mut call, end.wrapping_sub(1)), WS_ERR_ARG, "the last byte of the call");
    assert_eq!(decode(base.cast(), end), WS_ERR_ARG, "the description of the call");
    assert_eq!(decode(&mut call, end), WS_OK, "items behind the call");

    // SAFETY: as above.
    let encoded = unsafe { ws_encode_variant(item.as_ptr(), 1, base, size, &mut len) };
    let end = base.wrapping_add(len);
    let mut count = 0;
    // SAFETY: as above.
    let mut decode =
        |items: *mut u8| unsafe { ws_decode_variant(base, len, items.cast(), 1, &mut count, std::ptr::null_mut()) };
    assert_eq!((encoded, decode(base), decode(end)), (WS_OK, WS_ERR_ARG, WS_OK));
}

/// The strings "Game" and "hello", one byte for the argument count, and one String argument: type, length, two bytes
/// and two bytes of padding.
fn len_of_call() -> usize {
    5 + 6 + 1 + 4 + 4 + 4
}
