//! Godot's Variants as bytes, and as a flat row of items: a container's item says how many belong to it, and these follow. All numbers are little-endian.
//!
//! The full form is that of var_to_bytes: 4 bytes of head (the type, and flags from bit 16 on), then the value, in multiples of 4 bytes. Arguments of
//! remote calls have a compact form for bool and int alone; nested values are always in the full form.

use crate::codes::*;

/// Containers in containers, at most.
pub const MAX_DEPTH: usize = 64;
/// Components of the largest value with a fixed size, a Projection.
pub const COMPONENTS: usize = 16;

/// The value, or a length, is 64 bits wide instead of 32.
pub(super) const WIDE: u32 = 1 << 16;
/// Of the first half of a NodePath's head: the path is told as names.
pub(super) const NAMES: u32 = 1 << 31;

/// A value, or the head of a container whose items follow.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Item<'a> {
    /// WS_VARIANT_*.
    pub kind: i32,
    /// How many: items of an Array, pairs of a Dictionary, elements of a packed array, names of a NodePath.
    pub count: u32,
    /// bool, int; what the elements of a typed Array or Dictionary are; 1 for an absolute NodePath.
    pub integer: i64,
    /// float; components of vectors and the like; how many of a NodePath's names are sub-names.
    pub number: [f64; COMPONENTS],
    /// Text, or elements of a packed array as they are on the wire.
    pub bytes: &'a [u8],
}

/// Why bytes are no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No encoder would write this.
    Malformed(String),
    /// A type that means nothing outside of the program that sent it.
    Unsupported(String),
    /// More items than are allowed.
    TooMany(String),
}

impl Fault {
    /// What is wrong.
    pub fn sentence(self) -> String {
        match self {
            Fault::Malformed(why) | Fault::Unsupported(why) | Fault::TooMany(why) => why,
        }
    }
}

/// How the outermost values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As var_to_bytes.
    Full,
    /// As arguments of a remote call.
    Compact,
}

/// The name of a type, as Godot has it.
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
    usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind)).copied().unwrap_or("no type of Godot's")
}

/// Components of a value with a fixed size, and whether they are integers.
pub(super) fn components(kind: i32) -> Option<(usize, bool)> {
    Some(match kind {
        WS_VARIANT_VECTOR2 => (2, false),
        WS_VARIANT_VECTOR2I => (2, true),
        WS_VARIANT_VECTOR3 => (3, false),
        WS_VARIANT_VECTOR3I => (3, true),
        WS_VARIANT_VECTOR4 | WS_VARIANT_RECT2 | WS_VARIANT_PLANE | WS_VARIANT_QUATERNION | WS_VARIANT_COLOR => (4, false),
        WS_VARIANT_VECTOR4I | WS_VARIANT_RECT2I => (4, true),
        WS_VARIANT_TRANSFORM2D | WS_VARIANT_AABB => (6, false),
        WS_VARIANT_BASIS => (9, false),
        WS_VARIANT_TRANSFORM3D => (12, false),
        WS_VARIANT_PROJECTION => (16, false),
        _ => return None,
    })
}

/// Bytes of one element of a packed array, and of one in an engine with double precision.
pub(super) fn element(kind: i32) -> Option<(usize, usize)> {
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

/// What the values of one container are written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inside {
    Values,
    /// Length and bytes alone.
    Names,
    /// The same, and the length counts a NUL.
    Strings,
}

/// The containers around a place: how many values each still lacks, which is more than 0.
#[derive(Clone, Debug)]
pub(super) struct Nest {
    /// The innermost.
    top: Option<(u64, Inside)>,
    /// Those around it, the outermost first: most values have none.
    around: Vec<(u64, Inside)>,
}

impl Nest {
    pub(super) fn new() -> Nest {
        Nest { top: None, around: Vec::new() }
    }

    /// What comes next is written as; `None`: an outermost value.
    #[inline]
    pub(super) fn inside(&self) -> Option<Inside> {
        self.top.map(|(_, inside)| inside)
    }

    /// How many values the innermost container lacks.
    #[inline]
    pub(super) fn lacks(&self) -> u64 {
        self.top.map_or(0, |(count, _)| count)
    }

    pub(super) fn enter(&mut self, count: u64, inside: Inside) -> Result<(), Fault> {
        if count == 0 {
            self.leave();
            return Ok(());
        }
        if let Some(top) = self.top.replace((count, inside)) {
            if self.around.len() + 1 == MAX_DEPTH {
                return Err(Fault::Malformed(format!("it is nested more than {MAX_DEPTH} deep")));
            }
            self.around.push(top);
        }
        Ok(())
    }

    /// A value is complete, and with it the containers that it was the last of.
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
            format!("is of type {} ({kind}), which means nothing to another program: send its name, its path or its properties", name(kind))
        }
        _ => format!("has type {kind}, which is none: use WS_VARIANT_*"),
    }
}

#[cold]
pub(super) fn short() -> Fault {
    Fault::Malformed("it is shorter than it says".to_owned())
}
