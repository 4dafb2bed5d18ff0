//! Godot's Variants, as bytes and as a flat sequence of items: a container's item has the count of its elements, which
//! follow it. All numbers are little-endian.
//!
//! The full form is that of var_to_bytes: 4 bytes of head (the type, and flags from bit 16 on), then the value, in
//! multiples of 4 bytes. Arguments of remote calls use a compact form for bool and int only; nested values are always
//! in full form.

use crate::codes::*;

/// Maximum nesting depth of containers.
pub const MAX_DEPTH: usize = 64;
/// Components of a Projection, the largest value of fixed size.
pub const COMPONENTS: usize = 16;

/// The value, or a length, is 64 bits wide instead of 32.
pub(super) const WIDE: u32 = 1 << 16;
/// In the first word of a NodePath: the path follows as names.
pub(super) const NAMES: u32 = 1 << 31;

/// A value, or the head of a container whose items follow.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Item<'a> {
    /// WS_VARIANT_*.
    pub kind: i32,
    /// Number of items of an Array, pairs of a Dictionary, elements of a packed array, or names of a NodePath.
    pub count: u32,
    /// Value of a bool or int; element type of a typed Array or Dictionary; 1 for an absolute NodePath.
    pub integer: i64,
    /// Value of a float; components of vectors and the like; number of sub-names of a NodePath.
    pub number: [f64; COMPONENTS],
    /// Text, or the elements of a packed array as encoded.
    pub bytes: &'a [u8],
}

/// Why bytes cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No encoder writes this.
    Malformed(String),
    /// A type that has no meaning outside the program that sent it.
    Unsupported(String),
    /// More items than are allowed.
    TooMany(String),
}

impl Fault {
    /// The description of the fault.
    pub fn message(self) -> String {
        match self {
            Fault::Malformed(why) | Fault::Unsupported(why) | Fault::TooMany(why) => why,
        }
    }
}

/// The encoding of the outermost values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As in var_to_bytes.
    Full,
    /// As in the arguments of a remote call.
    Compact,
}

/// Godot's name of a type.
pub fn name(kind: i32) -> &'static str {
    const NAMES: [&str; 39] = [
        "Nil",
        "bool",
        "int",
        "float",
        "String",
        "Vector2",
        "Vector2i",
        "Rect2",
        "Rect2i",
        "Vector3",
        "Vector3i",
        "Transform2D",
        "Vector4",
        "Vector4i",
        "Plane",
        "Quaternion",
        "AABB",
        "Basis",
        "Transform3D",
        "Projection",
        "Color",
        "StringName",
        "NodePath",
        "RID",
        "Object",
        "Callable",
        "Signal",
        "Dictionary",
        "Array",
        "PackedByteArray",
        "PackedInt32Array",
        "PackedInt64Array",
        "PackedFloat32Array",
        "PackedFloat64Array",
        "PackedStringArray",
        "PackedVector2Array",
        "PackedVector3Array",
        "PackedColorArray",
        "PackedVector4Array",
    ];
    usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind)).copied().unwrap_or("not a Variant type of Godot")
}

/// Number of components of a type with fixed size, and whether they are integers.
pub(super) const fn components(kind: i32) -> Option<(usize, bool)> {
    Some(match kind {
        WS_VARIANT_VECTOR2 => (2, false),
        WS_VARIANT_VECTOR2I => (2, true),
        WS_VARIANT_VECTOR3 => (3, false),
        WS_VARIANT_VECTOR3I => (3, true),
        WS_VARIANT_VECTOR4 | WS_VARIANT_RECT2 | WS_VARIANT_PLANE | WS_VARIANT_QUATERNION | WS_VARIANT_COLOR => {
            (4, false)
        }
        WS_VARIANT_VECTOR4I | WS_VARIANT_RECT2I => (4, true),
        WS_VARIANT_TRANSFORM2D | WS_VARIANT_AABB => (6, false),
        WS_VARIANT_BASIS => (9, false),
        WS_VARIANT_TRANSFORM3D => (12, false),
        WS_VARIANT_PROJECTION => (16, false),
        _ => return None,
    })
}

/// Bytes of one element of a packed array, with single and with double precision.
pub(super) const fn element(kind: i32) -> Option<(usize, usize)> {
    Some(match kind {
        WS_VARIANT_PACKED_BYTE_ARRAY => (1, 1),
        WS_VARIANT_PACKED_INT32_ARRAY | WS_VARIANT_PACKED_FLOAT32_ARRAY => (4, 4),
        WS_VARIANT_PACKED_INT64_ARRAY | WS_VARIANT_PACKED_FLOAT64_ARRAY => (8, 8),
        WS_VARIANT_PACKED_VECTOR2_ARRAY => (8, 16),
        WS_VARIANT_PACKED_VECTOR3_ARRAY => (12, 24),
        WS_VARIANT_PACKED_VECTOR4_ARRAY => (16, 32),
        WS_VARIANT_PACKED_COLOR_ARRAY => (16, 16),
        _ => return None,
    })
}

/// The encoding of the values in a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inside {
    Values,
    /// Length and bytes, without a type.
    Names,
    /// Like `Names`, but the length includes a NUL.
    Strings,
}

/// The containers around the current position, each with the number of values it still lacks: always more than 0.
#[derive(Clone, Debug)]
pub(super) struct Nest {
    /// The innermost container.
    top: Option<(u64, Inside)>,
    /// The containers around `top`, outermost first. Empty for most values.
    around: Vec<(u64, Inside)>,
}

impl Nest {
    pub(super) fn new() -> Nest {
        Nest { top: None, around: Vec::new() }
    }

    /// The encoding of the next value; `None`: it is an outermost value.
    #[inline]
    pub(super) fn inside(&self) -> Option<Inside> {
        self.top.map(|(_, inside)| inside)
    }

    /// Number of values that the innermost container lacks.
    #[inline]
    pub(super) fn lacks(&self) -> u64 {
        self.top.map_or(0, |(count, _)| count)
    }

    /// Begins a container of `count` values. False: it is nested too deep, and nothing has changed.
    pub(super) fn enter(&mut self, count: u64, inside: Inside) -> bool {
        if count == 0 {
            self.leave();
            return true;
        }
        if self.top.is_some() && self.around.len() + 1 == MAX_DEPTH {
            return false;
        }
        self.around.extend(self.top.replace((count, inside)));
        true
    }

    /// Completes a value, and each container of which it was the last value.
    #[inline]
    pub(super) fn leave(&mut self) {
        while let Some((count, _)) = &mut self.top {
            *count -= 1;
            if *count > 0 {
                return;
            }
            self.top = self.around.pop();
        }
    }
}

pub(super) fn strange(kind: i32) -> String {
    match kind {
        0..=WS_VARIANT_PACKED_VECTOR4_ARRAY => {
            format!(
                "is of type {} ({kind}), which means nothing to another program: send its name, its path or its properties",
                name(kind)
            )
        }
        _ => format!("has type {kind}, which is none: use WS_VARIANT_*"),
    }
}

#[cold]
pub(super) fn deep() -> Fault {
    Fault::Malformed(format!("it is nested more than {MAX_DEPTH} deep"))
}

#[cold]
pub(super) fn short() -> Fault {
    Fault::Malformed("it is shorter than it says".to_owned())
}
