//! Variants compared with the bytes of Godot 4.6.3's var_to_bytes, recorded for the same values; also truncated and
//! random bytes.

use wspeer::codes::*;
use wspeer::internals::multiplayer::scene::packet::{self, Packet};
use wspeer::internals::multiplayer::scene::{Call, Fault, Form, Item, MAX_DEPTH, Reader, Sink, name, write};

fn item(kind: i32) -> Item<'static> {
    Item { kind, ..Item::default() }
}

fn int(integer: i64) -> Item<'static> {
    Item { integer, ..item(WS_VARIANT_INT) }
}

fn text(text: &str) -> Item<'_> {
    Item { bytes: text.as_bytes(), ..item(WS_VARIANT_STRING) }
}

fn numbers(kind: i32, values: &[f64]) -> Item<'static> {
    let mut item = item(kind);
    item.number[..values.len()].copy_from_slice(values);
    item
}

fn many(kind: i32, count: u32) -> Item<'static> {
    Item { count, ..item(kind) }
}

fn packed(kind: i32, count: u32, bytes: &[u8]) -> Item<'_> {
    Item { count, bytes, ..item(kind) }
}

/// Hex dumps of the engine's encodings, and the items they decode to.
fn vectors() -> Vec<(&'static str, Vec<Item<'static>>)> {
    let nine = &[1.0, 4.0, 7.0, 2.0, 5.0, 8.0, 3.0, 6.0, 9.0, 10.0, 11.0, 12.0];
    let path = |names: u32, sub_names: f64, absolute| {
        let mut path = Item { integer: absolute, ..many(WS_VARIANT_NODE_PATH, names) };
        path.number[0] = sub_names;
        path
    };
    vec![
        ("00000000", vec![item(WS_VARIANT_NIL)]),
        ("0100000001000000", vec![Item { integer: 1, ..item(WS_VARIANT_BOOL) }]),
        ("0100000000000000", vec![item(WS_VARIANT_BOOL)]),
        ("0200000005000000", vec![int(5)]),
        ("02000000ffffffff", vec![int(-1)]),
        ("0200000070110100", vec![int(70_000)]),
        ("0200010000f2052a01000000", vec![int(5_000_000_000)]),
        ("02000100000efad5feffffff", vec![int(-5_000_000_000)]),
        ("030000000000c03f", vec![numbers(WS_VARIANT_FLOAT, &[1.5])]),
        ("030001009a9999999999b93f", vec![numbers(WS_VARIANT_FLOAT, &[0.1])]),
        ("040000000200000068690000", vec![text("hi")]),
        ("0400000000000000", vec![text("")]),
        ("040000000500000068c3a9c3a9000000", vec![text("héé")]),
        ("050000000000803f00000040", vec![numbers(WS_VARIANT_VECTOR2, &[1.0, 2.0])]),
        ("0600000001000000feffffff", vec![numbers(WS_VARIANT_VECTOR2I, &[1.0, -2.0])]),
        ("070000000000803f000000400000404000008040", vec![numbers(WS_VARIANT_RECT2, &[1.0, 2.0, 3.0, 4.0])]),
        ("0800000001000000020000000300000004000000", vec![numbers(WS_VARIANT_RECT2I, &[1.0, 2.0, 3.0, 4.0])]),
        ("090000000000803f0000004000004040", vec![numbers(WS_VARIANT_VECTOR3, &[1.0, 2.0, 3.0])]),
        ("0a0000000100000002000000fdffffff", vec![numbers(WS_VARIANT_VECTOR3I, &[1.0, 2.0, -3.0])]),
        (
            "0b0000000000803f0000004000004040000080400000a0400000c040",
            vec![numbers(WS_VARIANT_TRANSFORM2D, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])],
        ),
        ("0c0000000000803f000000400000404000008040", vec![numbers(WS_VARIANT_VECTOR4, &[1.0, 2.0, 3.0, 4.0])]),
        ("0d000000010000000200000003000000fcffffff", vec![numbers(WS_VARIANT_VECTOR4I, &[1.0, 2.0, 3.0, -4.0])]),
        ("0e0000000000803f000000400000404000008040", vec![numbers(WS_VARIANT_PLANE, &[1.0, 2.0, 3.0, 4.0])]),
        ("0f0000000000003f0000003f0000003f0000003f", vec![numbers(WS_VARIANT_QUATERNION, &[0.5, 0.5, 0.5, 0.5])]),
        (
            "100000000000803f0000004000004040000080400000a0400000c040",
            vec![numbers(WS_VARIANT_AABB, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])],
        ),
        (
            "110000000000803f000080400000e040000000400000a04000000041000040400000c04000001041",
            vec![numbers(WS_VARIANT_BASIS, &nine[..9])],
        ),
        (
            "120000000000803f000080400000e040000000400000a04000000041000040400000c04000001041000020410000304100004041",
            vec![numbers(WS_VARIANT_TRANSFORM3D, nine)],
        ),
        (
            "130000000000803f0000004000004040000080400000a0400000c0400000e040000000410000104100002041000030410000404100005041000060410000704100008041",
            vec![numbers(
                WS_VARIANT_PROJECTION,
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0],
            )],
        ),
        ("140000000000803f0000003f0000803e0000803f", vec![numbers(WS_VARIANT_COLOR, &[1.0, 0.5, 0.25, 1.0])]),
        ("15000000040000006e616d65", vec![Item { kind: WS_VARIANT_STRING_NAME, ..text("name") }]),
        (
            "160000000200008002000000000000000100000041000000010000004200000001000000630000000100000064000000",
            vec![path(4, 2.0, 0), text("A"), text("B"), text("c"), text("d")],
        ),
        (
            "1600000002000080000000000100000004000000726f6f740400000047616d65",
            vec![path(2, 0.0, 1), text("root"), text("Game")],
        ),
        ("16000000000000800000000000000000", vec![path(0, 0.0, 0)]),
        ("1b00000000000000", vec![many(WS_VARIANT_DICTIONARY, 0)]),
        (
            "1b00000002000000040000000100000061000000020000000100000002000000020000001c000000010000000100000001000000",
            vec![
                many(WS_VARIANT_DICTIONARY, 2),
                text("a"),
                int(1),
                int(2),
                many(WS_VARIANT_ARRAY, 1),
                Item { integer: 1, ..item(WS_VARIANT_BOOL) },
            ],
        ),
        ("1c00000000000000", vec![many(WS_VARIANT_ARRAY, 0)]),
        (
            "1c00000003000000020000000100000004000000010000007800000000000000",
            vec![many(WS_VARIANT_ARRAY, 3), int(1), text("x"), item(WS_VARIANT_NIL)],
        ),
        (
            "1c000000010000001c000000010000001c000000010000001c00000000000000",
            vec![
                many(WS_VARIANT_ARRAY, 1),
                many(WS_VARIANT_ARRAY, 1),
                many(WS_VARIANT_ARRAY, 1),
                many(WS_VARIANT_ARRAY, 0),
            ],
        ),
        (
            "1c000100020000000200000002000000010000000200000002000000",
            vec![Item { integer: 2, ..many(WS_VARIANT_ARRAY, 2) }, int(1), int(2)],
        ),
        (
            "1b0005000400000002000000010000000400000001000000610000000200000001000000",
            vec![Item { integer: 4 + 256 * 2, ..many(WS_VARIANT_DICTIONARY, 1) }, text("a"), int(1)],
        ),
        ("1c0001000500000000000000", vec![Item { integer: 5, ..many(WS_VARIANT_ARRAY, 0) }]),
        ("1d0000000300000001020300", vec![packed(WS_VARIANT_PACKED_BYTE_ARRAY, 3, &[1, 2, 3])]),
        ("1d00000000000000", vec![packed(WS_VARIANT_PACKED_BYTE_ARRAY, 0, &[])]),
        (
            "1e0000000200000001000000feffffff",
            vec![packed(WS_VARIANT_PACKED_INT32_ARRAY, 2, &[1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])],
        ),
        (
            "1f000000020000000100000000000000feffffffffffffff",
            vec![packed(
                WS_VARIANT_PACKED_INT64_ARRAY,
                2,
                &[1, 0, 0, 0, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            )],
        ),
        ("20000000010000000000c03f", vec![packed(WS_VARIANT_PACKED_FLOAT32_ARRAY, 1, &[0, 0, 0xC0, 0x3F])]),
        (
            "2100000001000000000000000000f83f",
            vec![packed(WS_VARIANT_PACKED_FLOAT64_ARRAY, 1, &[0, 0, 0, 0, 0, 0, 0xF8, 0x3F])],
        ),
        (
            "2200000003000000020000006100000004000000626364000100000000000000",
            vec![many(WS_VARIANT_PACKED_STRING_ARRAY, 3), text("a"), text("bcd"), text("")],
        ),
        (
            "23000000010000000000803f00000040",
            vec![packed(WS_VARIANT_PACKED_VECTOR2_ARRAY, 1, &[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])],
        ),
        (
            "24000000010000000000803f0000004000004040",
            vec![packed(WS_VARIANT_PACKED_VECTOR3_ARRAY, 1, &[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40])],
        ),
        (
            "25000000010000000000803f0000003f0000803e0000803f",
            vec![packed(
                WS_VARIANT_PACKED_COLOR_ARRAY,
                1,
                &[0, 0, 0x80, 0x3F, 0, 0, 0, 0x3F, 0, 0, 0x80, 0x3E, 0, 0, 0x80, 0x3F],
            )],
        ),
        (
            "26000000010000000000803f000000400000404000008040",
            vec![packed(
                WS_VARIANT_PACKED_VECTOR4_ARRAY,
                1,
                &[0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40],
            )],
        ),
    ]
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn written(items: &[Item<'_>], form: Form) -> Result<(Vec<u8>, usize), String> {
    let mut memory = vec![0; 1 << 16];
    let mut sink = Sink::new(&mut memory);
    let values = write(items.iter().copied(), form, &mut sink)?;
    let len = sink.len();
    memory.truncate(len);
    Ok((memory, values))
}

/// Decodes all values in `bytes`.
fn read(bytes: &[u8], form: Form) -> Result<Vec<Item<'_>>, Fault> {
    let mut reader = Reader::new(bytes, form);
    let mut items = Vec::new();
    while !reader.rest().is_empty() || !reader.is_outside() {
        let (mut other, item) = (reader.clone(), reader.read_item());
        // Skipping accepts exactly what reading accepts.
        assert_eq!(other.skip_items(1).err(), item.as_ref().err().cloned());
        assert_eq!(other.rest(), reader.rest());
        items.push(item?);
    }
    Ok(items)
}

#[test]
fn values_are_encoded_as_the_engine_encodes_them() {
    for (bytes, items) in vectors() {
        let bytes = hex(bytes);
        assert_eq!(written(&items, Form::Full), Ok((bytes.clone(), 1)), "{items:?}");
        assert_eq!(read(&bytes, Form::Full), Ok(items));
    }
}

#[test]
fn bool_and_int_arguments_have_a_compact_encoding() {
    for (integer, bytes) in [
        (0, &[0x02, 0][..]),
        (5, &[0x02, 5]),
        (127, &[0x02, 127]),
        (-128, &[0x02, 0x80]),
        (128, &[0x42, 0x80, 0]),
        (-129, &[0x42, 0x7F, 0xFF]),
        (32_767, &[0x42, 0xFF, 0x7F]),
        (-32_769, &[0x82, 0xFF, 0x7F, 0xFF, 0xFF]),
        (i64::from(i32::MAX), &[0x82, 0xFF, 0xFF, 0xFF, 0x7F]),
        (i64::from(i32::MIN) - 1, &[0xC2, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF]),
        (i64::MIN, &[0xC2, 0, 0, 0, 0, 0, 0, 0, 0x80]),
    ] {
        assert_eq!(written(&[int(integer)], Form::Compact).unwrap().0, bytes, "{integer}");
        assert_eq!(read(bytes, Form::Compact), Ok(vec![int(integer)]));
    }
    let both = [item(WS_VARIANT_BOOL), Item { integer: 1, ..item(WS_VARIANT_BOOL) }];
    assert_eq!(written(&both, Form::Compact), Ok((vec![0x01, 0x81], 2)));
    assert_eq!(read(&[0x01, 0x81], Form::Compact), Ok(both.to_vec()));
    // Values inside a container use the full encoding.
    let inside = [many(WS_VARIANT_ARRAY, 1), int(5), int(6)];
    let bytes =
        hex("1c00000001000000").into_iter().chain(hex("0200000005000000")).chain([0x02, 6]).collect::<Vec<u8>>();
    assert_eq!(written(&inside, Form::Compact), Ok((bytes.clone(), 2)));
    assert_eq!(read(&bytes, Form::Compact), Ok(inside.to_vec()));
}

#[test]
fn values_of_a_double_precision_engine_are_read() {
    let bytes = [&hex("05000100")[..], &1.5_f64.to_le_bytes(), &(-0.1_f64).to_le_bytes()].concat();
    assert_eq!(read(&bytes, Form::Full), Ok(vec![numbers(WS_VARIANT_VECTOR2, &[1.5, -0.1])]));
    let doubles = [1.5_f64.to_le_bytes(), 2.5_f64.to_le_bytes()].concat();
    let bytes = [&hex("2300010001000000")[..], &doubles].concat();
    let array = packed(WS_VARIANT_PACKED_VECTOR2_ARRAY, 1, &doubles);
    assert_eq!(read(&bytes, Form::Full), Ok(vec![array]));
    assert_eq!(written(&[array], Form::Full), Ok((bytes, 1)));
}

#[test]
fn every_truncated_value_is_refused() {
    for (bytes, items) in vectors() {
        let bytes = hex(bytes);
        for end in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..end], Form::Full);
            let done = (0..items.len()).try_for_each(|_| reader.read_item().map(|_| ()));
            assert!(matches!(done, Err(Fault::Malformed(_))), "{end} bytes of {items:?}");
        }
    }
}

#[test]
fn unsupported_types_are_named_in_the_error() {
    for (bytes, word) in [
        ("170000000000000000000000", "RID"),
        ("18000100a10500f905000000", "Object"),
        ("19000000", "Callable"),
        ("1a000000000000000000000000000000", "Signal"),
        ("1c0001001800000000000000", "objects"),
        ("1c00020011000000456e636f6465644f626a6563744173494400000000000000", "objects"),
    ] {
        let Err(Fault::Unsupported(why)) = read(&hex(bytes), Form::Full) else { panic!("{word}") };
        assert!(why.contains(word), "{why}");
    }
    for kind in [23, 24, 25, 26, -1, 39, 255, i32::MAX, i32::MIN] {
        assert!(written(&[item(kind)], Form::Full).unwrap_err().contains(&kind.to_string()));
    }
}

#[test]
fn malformed_values_are_refused() {
    for bytes in [
        "27000000",                                                                         // type 39
        "ff000000",                                                                         // type 255
        "0400000001000000ff000000", // a String that is not UTF-8
        "04000000ffffffff",         // longer than there is
        "1d000000ffffffff",         // the same, of bytes
        "23000000ffffffff",         // the length times 8 would overflow
        "26000100ffffff7f",         // the length times 32 would overflow
        "1c000000ffffff7f",         // an Array of 2,147,483,647 values
        "1b000000ffffff7f",         // a Dictionary of as many entries
        "22000000ffffffff",         // a PackedStringArray of 4
        "1600000002000000",         // a NodePath in the format of Godot 2
        "16000000010000000000000000000000010000006100000001000000620000000100000063000000", // a whole one
        "16000000ffffffffffffffff00000000", // a NodePath of 2^31 - 1 names
        "1c0001002700000000000000", // an Array of type 39
        "1c0001000000000000000000", // an Array of type 0
    ] {
        assert!(matches!(read(&hex(bytes), Form::Full), Err(Fault::Malformed(_))), "{bytes}");
    }
}

#[test]
fn nesting_depth_is_limited() {
    let nested = |depth: usize| [vec![many(WS_VARIANT_ARRAY, 1); depth], vec![item(WS_VARIANT_NIL)]].concat();
    let bytes = |depth: usize| [hex("1c00000001000000").repeat(depth), vec![0; 4]].concat();
    assert_eq!(read(&bytes(MAX_DEPTH), Form::Full), Ok(nested(MAX_DEPTH)));
    assert_eq!(written(&nested(MAX_DEPTH), Form::Full), Ok((bytes(MAX_DEPTH), 1)));
    assert!(matches!(read(&bytes(MAX_DEPTH + 1), Form::Full), Err(Fault::Malformed(why)) if why.contains("64")));
    assert!(written(&nested(MAX_DEPTH + 1), Form::Full).is_err_and(|why| why.contains("more than 64 deep")));
    assert!(read(&bytes(1 << 20), Form::Full).is_err());
}

#[test]
fn invalid_items_are_refused_with_their_index() {
    let half = numbers(WS_VARIANT_VECTOR2I, &[0.5, 0.0]);
    let big = numbers(WS_VARIANT_VECTOR2I, &[0.0, 3e9]);
    let small = numbers(WS_VARIANT_VECTOR2I, &[-3e9, 0.0]);
    let nan = numbers(WS_VARIANT_RECT2I, &[f64::NAN; 4]);
    let mut path = many(WS_VARIANT_NODE_PATH, 1);
    path.number[0] = 2.0;
    let latin = Item { bytes: b"\xE9", ..item(WS_VARIANT_STRING) };
    for items in [
        vec![half],
        vec![big],
        vec![small],
        vec![nan],
        vec![path, text("a")],
        vec![latin],
        vec![many(WS_VARIANT_ARRAY, 2), int(1)],
        vec![many(WS_VARIANT_DICTIONARY, 1), int(1)],
        vec![many(WS_VARIANT_PACKED_STRING_ARRAY, 1), int(1)],
        vec![Item { integer: 24, ..many(WS_VARIANT_ARRAY, 0) }],
        vec![Item { integer: 256, ..many(WS_VARIANT_ARRAY, 0) }],
        vec![Item { integer: -1, ..many(WS_VARIANT_DICTIONARY, 0) }],
        vec![packed(WS_VARIANT_PACKED_INT32_ARRAY, 2, &[0; 7])],
        vec![packed(WS_VARIANT_PACKED_BYTE_ARRAY, 0, &[0])],
    ] {
        assert!(written(&items, Form::Full).is_err(), "{items:?}");
    }
    assert!(written(&[int(1), half], Form::Full).unwrap_err().contains("item 1 (Vector2i)"));
}

#[test]
fn every_type_has_the_name_that_godot_gives_it() {
    let names = "Nil bool int float String Vector2 Vector2i Rect2 Rect2i Vector3 Vector3i Transform2D Vector4 Vector4i \
        Plane Quaternion AABB Basis Transform3D Projection Color StringName NodePath RID Object Callable Signal \
        Dictionary Array PackedByteArray PackedInt32Array PackedInt64Array PackedFloat32Array PackedFloat64Array \
        PackedStringArray PackedVector2Array PackedVector3Array PackedColorArray PackedVector4Array";
    let names: Vec<&str> = names.split_whitespace().collect();
    for (kind, expected) in (0..).zip(&names) {
        assert_eq!(name(kind), *expected);
        // The error for a value of this type that cannot be written names it.
        let wrong = written(&[int(1), item(kind), item(-1)], Form::Full).unwrap_err();
        assert!(
            wrong.contains("item 2 (not a Variant type of Godot) has type -1") || wrong.contains(*expected),
            "{wrong}"
        );
    }
    for kind in [-1, 39, i32::MAX, i32::MIN] {
        assert_eq!(name(kind), "not a Variant type of Godot");
    }
}

/// An independent encoder: a value with the items that it consists of.
struct Encoded {
    items: Vec<Item<'static>>,
    bytes: Vec<u8>,
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Length, bytes and padding.
fn counted(text: &str, counts_nul: bool) -> Vec<u8> {
    let bytes = if counts_nul { [text.as_bytes(), &[0]].concat() } else { text.as_bytes().to_vec() };
    [words(&[bytes.len() as u32]), padded(bytes)].concat()
}

const TEXTS: [&str; 6] = ["", "a", "ab", "abc", "héé", "a longer one"];
/// Types of fixed size: their components, and whether those are integers.
const FIXED: [(i32, usize, bool); 14] = [
    (WS_VARIANT_VECTOR2, 2, false),
    (WS_VARIANT_VECTOR2I, 2, true),
    (WS_VARIANT_RECT2, 4, false),
    (WS_VARIANT_RECT2I, 4, true),
    (WS_VARIANT_VECTOR3, 3, false),
    (WS_VARIANT_VECTOR3I, 3, true),
    (WS_VARIANT_TRANSFORM2D, 6, false),
    (WS_VARIANT_VECTOR4, 4, false),
    (WS_VARIANT_VECTOR4I, 4, true),
    (WS_VARIANT_PLANE, 4, false),
    (WS_VARIANT_AABB, 6, false),
    (WS_VARIANT_BASIS, 9, false),
    (WS_VARIANT_TRANSFORM3D, 12, false),
    (WS_VARIANT_PROJECTION, 16, false),
];
/// Packed arrays: bytes of an element, with single and with double precision.
const PACKED: [(i32, usize, usize); 9] = [
    (WS_VARIANT_PACKED_BYTE_ARRAY, 1, 1),
    (WS_VARIANT_PACKED_INT32_ARRAY, 4, 4),
    (WS_VARIANT_PACKED_INT64_ARRAY, 8, 8),
    (WS_VARIANT_PACKED_FLOAT32_ARRAY, 4, 4),
    (WS_VARIANT_PACKED_FLOAT64_ARRAY, 8, 8),
    (WS_VARIANT_PACKED_VECTOR2_ARRAY, 8, 16),
    (WS_VARIANT_PACKED_VECTOR3_ARRAY, 12, 24),
    (WS_VARIANT_PACKED_COLOR_ARRAY, 16, 16),
    (WS_VARIANT_PACKED_VECTOR4_ARRAY, 16, 32),
];
const WIDE: u32 = 1 << 16;

/// A random value of any type, with containers in it up to a depth.
fn encoded(state: &mut u64, depth: usize) -> Encoded {
    let kinds = if depth == 0 { 8 } else { 12 };
    let one = |item: Item<'static>, bytes: Vec<u8>| Encoded { items: vec![item], bytes };
    let pick = |state: &mut u64, below: usize| random(state) as usize % below;
    match pick(state, kinds) {
        0 => one(item(WS_VARIANT_NIL), words(&[0])),
        1 => {
            let is = pick(state, 2) as i64;
            one(Item { integer: is, ..item(WS_VARIANT_BOOL) }, words(&[1, is as u32]))
        }
        2 => {
            let values = [0, -1, i64::from(i32::MAX), i64::from(i32::MIN), 1 << 31, -(1 << 31) - 1, i64::MAX, i64::MIN];
            let value = values[pick(state, 8)];
            match i32::try_from(value) {
                Ok(short) => one(int(value), words(&[2, short as u32])),
                Err(_) => one(int(value), [words(&[2 | WIDE]), value.to_le_bytes().to_vec()].concat()),
            }
        }
        3 => {
            let value = [0.0, -0.0, 1.5, 0.1, f64::MAX, f64::INFINITY, 16_777_217.0][pick(state, 7)];
            let is_short = [0.0, 1.5, f64::INFINITY].contains(&value);
            let bytes = if is_short {
                words(&[3, (value as f32).to_bits()])
            } else {
                [words(&[3 | WIDE]), value.to_le_bytes().to_vec()].concat()
            };
            one(numbers(WS_VARIANT_FLOAT, &[value]), bytes)
        }
        4 | 5 => {
            let (kind, value) = ([WS_VARIANT_STRING, WS_VARIANT_STRING_NAME][pick(state, 2)], TEXTS[pick(state, 6)]);
            one(Item { kind, ..text(value) }, [words(&[kind as u32]), counted(value, false)].concat())
        }
        6 => {
            let (kind, count, integers) = FIXED[pick(state, FIXED.len())];
            let edges = [0.0, 1.0, -2.0, f64::from(i32::MAX), f64::from(i32::MIN)];
            let values: Vec<f64> = (0..count)
                .map(|_| if integers { edges[pick(state, 5)] } else { [0.5, -1.25, 3.0][pick(state, 3)] })
                .collect();
            let word = |value: &f64| if integers { *value as i32 as u32 } else { (*value as f32).to_bits() };
            let bytes = values.iter().map(word).collect::<Vec<u32>>();
            one(numbers(kind, &values), [words(&[kind as u32]), words(&bytes)].concat())
        }
        7 => {
            let (kind, narrow, double) = PACKED[pick(state, PACKED.len())];
            let (count, is_wide) = (pick(state, 4), pick(state, 2) == 1);
            let size = if is_wide { double } else { narrow };
            let elements: &'static [u8] = (0..(count * size) as u8).map(|at| at ^ 0xA5).collect::<Vec<u8>>().leak();
            let flag = if is_wide && double != narrow && count > 0 { WIDE } else { 0 };
            let bytes = [words(&[kind as u32 | flag, count as u32]), padded(elements.to_vec())].concat();
            one(packed(kind, count as u32, elements), bytes)
        }
        8 => {
            let texts: Vec<&'static str> = (0..pick(state, 4)).map(|_| TEXTS[pick(state, 6)]).collect();
            let kind = WS_VARIANT_PACKED_STRING_ARRAY;
            let items =
                [vec![many(kind, texts.len() as u32)], texts.iter().map(|value| text(value)).collect()].concat();
            let bytes = texts.iter().flat_map(|value| counted(value, true));
            Encoded { items, bytes: words(&[kind as u32, texts.len() as u32]).into_iter().chain(bytes).collect() }
        }
        9 => {
            let texts: Vec<&'static str> = (0..pick(state, 5)).map(|_| TEXTS[pick(state, 6)]).collect();
            let (sub_names, absolute) = (pick(state, texts.len() + 1) as u32, pick(state, 2) as u32);
            let mut path = Item { integer: absolute.into(), ..many(WS_VARIANT_NODE_PATH, texts.len() as u32) };
            path.number[0] = sub_names.into();
            let items = [vec![path], texts.iter().map(|value| text(value)).collect()].concat();
            let names = texts.len() as u32 - sub_names;
            let bytes = texts.iter().flat_map(|value| counted(value, false));
            Encoded {
                items,
                bytes: words(&[22, names | 1 << 31, sub_names, absolute]).into_iter().chain(bytes).collect(),
            }
        }
        what => {
            let is_array = what == 10;
            let count = pick(state, 4);
            let mut typed = [pick(state, 3) as u32 * 2, if is_array { 0 } else { pick(state, 3) as u32 * 19 }];
            typed[0] = [0, 1, 38][typed[0] as usize / 2];
            let kind = if is_array { WS_VARIANT_ARRAY } else { WS_VARIANT_DICTIONARY };
            let flags = u32::from(typed[0] != 0) << 16 | u32::from(typed[1] != 0) << 18;
            let mut bytes = words(&[kind as u32 | flags]);
            typed.iter().filter(|kind| **kind != 0).for_each(|kind| bytes.extend(words(&[*kind])));
            bytes.extend(words(&[count as u32]));
            let integer = i64::from(typed[0] | typed[1] << 8);
            let mut items = vec![Item { integer, ..many(kind, count as u32) }];
            for _ in 0..if is_array { count } else { 2 * count } {
                let inner = encoded(state, depth - 1);
                items.extend(inner.items);
                bytes.extend(inner.bytes);
            }
            Encoded { items, bytes }
        }
    }
}

/// Values of every type, in containers and beside each other, against the encoder above: written and read, and each
/// truncation refused.
#[test]
fn random_values_of_every_type_match_an_independent_encoder() {
    let mut state = 3;
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..3_000 {
        let values: Vec<Encoded> = (0..1 + random(&mut state) % 3).map(|_| encoded(&mut state, 3)).collect();
        let items: Vec<Item<'_>> = values.iter().flat_map(|value| value.items.clone()).collect();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.bytes.clone()).collect();
        seen.extend(items.iter().map(|item| item.kind));
        assert_eq!(written(&items, Form::Full), Ok((bytes.clone(), values.len())), "{items:?}");
        let (read, bits) = (read(&bytes, Form::Full).unwrap(), |items: &[Item<'_>]| {
            items.iter().map(|item| item.number.map(f64::to_bits)).collect::<Vec<_>>()
        });
        assert_eq!((&read, bits(&read)), (&items, bits(&items)));
        if round % 10 > 0 || bytes.len() > 400 {
            continue;
        }
        for end in 0..bytes.len() {
            let mut reader = Reader::new(&bytes[..end], Form::Full);
            let done = (0..items.len()).try_for_each(|_| reader.read_item().map(|_| ()));
            assert!(matches!(done, Err(Fault::Malformed(_))), "{end} bytes of {items:?}");
        }
    }
    assert_eq!(seen.len(), 39 - 6, "all but Quaternion, Color, RID, Object, Callable and Signal: {seen:?}");
}

/// Counts of elements at what the bytes can hold, and one more.
#[test]
fn a_count_is_refused_once_its_elements_cannot_be_there() {
    for (head, each, fits) in [
        ("1c000000", 4, vec![0; 4]),
        ("1b000000", 8, vec![0; 8]),
        ("22000000", 4, vec![0; 4]),
        ("1d000000", 1, vec![7; 1]),
        ("1e000000", 4, vec![7; 4]),
        ("26000100", 32, vec![7; 32]),
    ] {
        for count in 1..5_usize {
            for (claimed, taken) in [(count, true), (count + 1, false)] {
                let bytes = [hex(head), words(&[claimed as u32]), padded(fits.repeat(count))].concat();
                // The head is refused already: a program may reserve memory by it.
                let first = Reader::new(&bytes, Form::Full).read_item();
                let done = read(&bytes, Form::Full);
                let is_padding = each == 1 && claimed <= count.next_multiple_of(4);
                assert_eq!(done.is_ok(), taken || is_padding, "{claimed} of {head} in {} bytes: {done:?}", bytes.len());
                assert_eq!(first.is_ok(), done.is_ok(), "{claimed} in {} bytes", bytes.len());
            }
        }
    }
    // A NodePath counts its names, its sub-names and, as Godot 3 writes it, a property.
    for (names, sub_names, flags, there) in [(1, 1, 0, 2), (1, 1, 2, 3), (0, 0, 2, 1), (2, 0, 3, 3), (0, 0, 1, 0)] {
        let path = |there: usize| [words(&[22, names | 1 << 31, sub_names, flags]), vec![0; 4 * there]].concat();
        let mut item = Item { integer: i64::from(flags & 1), ..many(WS_VARIANT_NODE_PATH, there as u32) };
        item.number[0] = f64::from(sub_names + (flags >> 1));
        let items = [vec![item], vec![text(""); there]].concat();
        assert_eq!(read(&path(there), Form::Full), Ok(items), "{names} {sub_names} {flags}");
        let short = path(there.saturating_sub(1));
        let first = Reader::new(&short, Form::Full).read_item();
        assert_eq!(first.is_ok(), there == 0, "{names} {sub_names} {flags}");
    }
}

/// The element types of containers that can be written, and those that cannot.
#[test]
fn element_types_are_those_of_godot_except_objects() {
    for kind in -1..=300_i64 {
        let fits = (0..=38).contains(&kind) && kind != 24;
        let array = [Item { integer: kind, ..many(WS_VARIANT_ARRAY, 0) }];
        let keys = [Item { integer: kind, ..many(WS_VARIANT_DICTIONARY, 0) }];
        let values = [Item { integer: kind << 8, ..many(WS_VARIANT_DICTIONARY, 0) }];
        // Above 255 the number means a key type and a value type.
        let keys_fit = fits || (kind > 255 && (kind & 0xFF) <= 38 && (kind & 0xFF) != 24);
        for (items, fits) in [(&array, fits), (&keys, keys_fit), (&values, fits)] {
            let done = written(items, Form::Full);
            assert_eq!(done.is_ok(), fits, "{kind} in {items:?}");
            if let Ok((bytes, _)) = done {
                assert_eq!(read(&bytes, Form::Full), Ok(items.to_vec()));
            }
        }
    }
}

#[test]
fn a_sink_counts_what_it_has_no_room_for() {
    let mut memory = [9; 4];
    let mut sink = Sink::new(&mut memory);
    assert!(sink.is_empty());
    sink.put(&[1, 2, 3]);
    assert!(!sink.is_empty() && sink.len() == 3);
    sink.put(&[4, 5]);
    sink.set(0, 7);
    sink.set(3, 8);
    sink.set(4, 6);
    assert_eq!((sink.len(), memory), (5, [7, 2, 3, 8]));
}

/// A pseudo-random number; the same in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn random_values_never_panic_and_round_trip_if_readable() {
    let vectors: Vec<Vec<u8>> = vectors().iter().map(|(bytes, _)| hex(bytes)).collect();
    let mut state = 7;
    let mut taken = 0;
    for round in 0..200_000 {
        let mut bytes = match round % 2 {
            0 => vectors[random(&mut state) as usize % vectors.len()].clone(),
            _ => (0..random(&mut state) % 64).map(|_| random(&mut state) as u8).collect(),
        };
        for _ in 0..random(&mut state) % 4 {
            let at = random(&mut state) as usize % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random(&mut state) as u8;
            }
        }
        let form = if random(&mut state).is_multiple_of(2) { Form::Full } else { Form::Compact };
        let Ok(items) = read(&bytes, form) else { continue };
        taken += 1;
        let (again, _) = written(&items, form).unwrap_or_else(|why| panic!("{why}: {bytes:02x?}"));
        let back = read(&again, form).unwrap();
        assert_eq!((back.len(), written(&back, form).unwrap().0), (items.len(), again.clone()), "{bytes:02x?}");
    }
    assert!(taken > 20_000, "{taken}");
}

#[test]
fn random_items_round_trip() {
    let mut state = 11;
    for _ in 0..20_000 {
        let mut items = Vec::new();
        let mut owed = 1 + random(&mut state) % 4;
        while owed > 0 {
            owed -= 1;
            let count = (random(&mut state) % 4) as u32;
            let container = items.len() < 40 && random(&mut state).is_multiple_of(3);
            items.push(match random(&mut state) % 4 {
                0 if container => {
                    owed += u64::from(count);
                    many(WS_VARIANT_ARRAY, count)
                }
                1 if container => {
                    owed += 2 * u64::from(count);
                    many(WS_VARIANT_DICTIONARY, count)
                }
                0 | 1 => int(random(&mut state) as i64 - (random(&mut state) << 20) as i64),
                2 => numbers(WS_VARIANT_FLOAT, &[random(&mut state) as f64 / 7.0]),
                _ => text(["", "a", "ab", "abc", "héé", "a longer one"][random(&mut state) as usize % 6]),
            });
        }
        let form = if random(&mut state).is_multiple_of(2) { Form::Full } else { Form::Compact };
        let (bytes, _) = written(&items, form).unwrap();
        assert_eq!(read(&bytes, form), Ok(items));
    }
}

#[test]
fn a_short_buffer_is_never_overrun_and_the_needed_length_is_reported() {
    for (bytes, items) in vectors() {
        let need = bytes.len() / 2;
        for cap in 0..need {
            let mut memory = vec![0xAA; need + 8];
            let mut sink = Sink::new(&mut memory[..cap]);
            assert_eq!(write(items.iter().copied(), Form::Full, &mut sink), Ok(1));
            assert_eq!(sink.len(), need);
            assert!(memory[cap..].iter().all(|byte| *byte == 0xAA));
        }
    }
}

#[test]
fn random_packets_never_panic_and_calls_round_trip_if_readable() {
    let simplify = packet::simplify_path(b"5c0ea9862d1e940a58e1e1095eec1074", 1, "Game");
    let seeds = [
        hex("0701565cdc67"),
        hex("0703565cdc6703010203"),
        hex("07030000000080010200"),
        hex("0700746f6b2d41"),
        simplify,
        hex("020101000000"),
        hex("03040506"),
        hex("a0060000800147616d6500"),
        hex("80010200dead"),
        hex("00010002020504000000020000006869000000"),
        hex("201b0000800002030000000000c03f050000000000803f0000004047616d6500"),
        hex("b00100000080000101"),
    ];
    let mut state = 23;
    let mut calls = 0;
    for _ in 0..200_000 {
        let mut bytes = seeds[random(&mut state) as usize % seeds.len()].clone();
        bytes.truncate(bytes.len() - (random(&mut state) as usize % 4).min(bytes.len()));
        for _ in 0..random(&mut state) % 5 {
            let at = random(&mut state) as usize % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random(&mut state) as u8;
            }
        }
        let inner = match packet::read(&bytes) {
            Ok(Packet::Relay { packet, .. }) => packet::read(packet),
            other => other,
        };
        let Ok(Packet::Call(rpc)) = inner else { continue };
        let Ok(Some(call)) = rpc.expand("Game", "hello") else { continue };
        calls += 1;
        let (call, items) = Call::read(&call).unwrap();
        assert!(items >= usize::from(call.count));
        for full in [false, true] {
            let mut again = Vec::new();
            call.put_by_id(&mut again, 77, 5, full);
            let Ok(Packet::Call(rpc)) = packet::read(&again) else { panic!("{again:02x?}") };
            assert_eq!(
                rpc.expand("Game", "hello")
                    .map(|again| again.is_some_and(|again| Call::read(&again).is_ok_and(|(again, _)| again == call))),
                Ok(true)
            );
        }
    }
    assert!(calls > 20_000, "{calls}");
    for _ in 0..100_000 {
        let bytes: Vec<u8> = (0..random(&mut state) % 80).map(|_| random(&mut state) as u8).collect();
        let _ = packet::read(&bytes).map(|packet| format!("{packet:?}"));
        let _ = Call::read(&bytes).map(|(call, _)| format!("{call:?}"));
    }
}
