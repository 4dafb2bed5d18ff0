//! Godot's values, remote calls and replicated nodes.
#![allow(unsafe_code)]

use crate::codes::{CUSTOM_SCENE, ErrorCode, VariantKind};
use crate::error::{Error, Result};
use crate::sys::{check, done, text_of};
use std::ffi::{CStr, c_char};
use std::ptr::null;
use wspeer_core::codes as c;
use wspeer_core::ffi::{self, ws_call, ws_replicated, ws_variant};

/// Defines [`Variant`]: types whose value is a fixed number of components, and the others.
macro_rules! variants {
    (
        components { $($(#[$about:meta])* $name:ident: $type:ty, $count:literal;)+ }
        others { $($(#[$other_about:meta])* $other:ident $(($($field:ty),+))?,)+ }
    ) => {
        /// A value of Godot.
        ///
        /// ```
        /// use wspeer::Variant;
        /// let value = Variant::Array(vec![1.into(), "two".into(), Variant::Vector2([1.5, -2.0])]);
        /// let bytes = value.encode()?;
        /// assert_eq!(Variant::decode(&bytes)?.0, value);
        /// # Ok::<(), wspeer::Error>(())
        /// ```
        #[derive(Clone, PartialEq, Debug)]
        #[non_exhaustive]
        pub enum Variant {
            $($(#[$other_about])* $other $(($($field),+))?,)+
            $($(#[$about])* $name([$type; $count]),)+
        }

        impl<'a> Items<'a> {
            /// Adds a value whose type has components. False: it is another one.
            fn push_components(&mut self, value: &'a Variant) -> bool {
                match value {
                    $(Variant::$name(components) => {
                        let mut item = item_of(VariantKind::$name);
                        for (number, component) in item.number.iter_mut().zip(components) {
                            *number = f64::from(*component);
                        }
                        self.items.push(item);
                    })+
                    _ => return false,
                }
                true
            }
        }

        /// The value of an item whose type has components.
        fn components_of(kind: VariantKind, item: &ws_variant) -> Option<Variant> {
            match kind {
                // The numbers are those of the type, which the library has read.
                $(VariantKind::$name => {
                    Some(Variant::$name(std::array::from_fn(|index| item.number[index] as $type)))
                })+
                _ => None,
            }
        }
    };
}

variants! {
    components {
        /// x, y.
        Vector2: f64, 2;
        /// x, y.
        Vector2i: i32, 2;
        /// Position, size.
        Rect2: f64, 4;
        /// Position, size.
        Rect2i: i32, 4;
        /// x, y, z.
        Vector3: f64, 3;
        /// x, y, z.
        Vector3i: i32, 3;
        /// x axis, y axis, origin.
        Transform2d: f64, 6;
        /// x, y, z, w.
        Vector4: f64, 4;
        /// x, y, z, w.
        Vector4i: i32, 4;
        /// Normal, d.
        Plane: f64, 4;
        /// x, y, z, w.
        Quaternion: f64, 4;
        /// Position, size.
        Aabb: f64, 6;
        /// Row by row. The first row has the x components of the three axes.
        Basis: f64, 9;
        /// Its Basis, then its origin.
        Transform3d: f64, 12;
        /// Column by column.
        Projection: f64, 16;
        /// r, g, b, a.
        Color: f64, 4;
    }
    others {
        /// null.
        Nil,
        /// bool.
        Bool(bool),
        /// int.
        Int(i64),
        /// float.
        Float(f64),
        /// String.
        String(String),
        /// StringName.
        StringName(String),
        /// NodePath.
        NodePath(NodePath),
        /// Array.
        Array(Vec<Variant>),
        /// An array whose elements have one type.
        TypedArray(VariantKind, Vec<Variant>),
        /// Dictionary, in its order.
        Dictionary(Vec<(Variant, Variant)>),
        /// A dictionary whose keys and values have one type each; [`VariantKind::Nil`]: any.
        TypedDictionary(VariantKind, VariantKind, Vec<(Variant, Variant)>),
        /// PackedByteArray.
        PackedByteArray(Vec<u8>),
        /// PackedInt32Array.
        PackedInt32Array(Vec<i32>),
        /// PackedInt64Array.
        PackedInt64Array(Vec<i64>),
        /// PackedFloat32Array.
        PackedFloat32Array(Vec<f32>),
        /// PackedFloat64Array.
        PackedFloat64Array(Vec<f64>),
        /// PackedStringArray.
        PackedStringArray(Vec<String>),
        /// PackedVector2Array.
        PackedVector2Array(Vectors<2>),
        /// PackedVector3Array.
        PackedVector3Array(Vectors<3>),
        /// PackedVector4Array.
        PackedVector4Array(Vectors<4>),
        /// PackedColorArray: r, g, b, a of each.
        PackedColorArray(Vec<[f32; 4]>),
    }
}

/// A path of a node, with names below properties.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NodePath {
    /// Whether it begins with a slash.
    pub absolute: bool,
    /// The names of nodes.
    pub names: Vec<String>,
    /// The names behind a colon.
    pub sub_names: Vec<String>,
}

/// The elements of a packed array of vectors.
#[derive(Clone, PartialEq, Debug)]
pub enum Vectors<const N: usize> {
    /// As usual.
    Single(Vec<[f32; N]>),
    /// Of an engine that was built with double precision.
    Double(Vec<[f64; N]>),
}

macro_rules! from {
    ($($type:ty => $name:ident),+) => {$(
        impl From<$type> for Variant {
            fn from(value: $type) -> Variant {
                Variant::$name(value.into())
            }
        }
    )+};
}

from!(bool => Bool, i64 => Int, i32 => Int, u32 => Int, f64 => Float, f32 => Float, &str => String, String => String);
from!(Vec<Variant> => Array, Vec<u8> => PackedByteArray);

impl Variant {
    /// Encodes the value as Godot's var_to_bytes() does.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let items = items_of(Some(self));
        encoded(|buffer, capacity, length| {
            // SAFETY: the items are readable, and so is what they point to, which `self` and `items` have; the outputs
            // are writable.
            unsafe { ffi::ws_encode_variant(items.items.as_ptr(), items.items.len(), buffer, capacity, length) }
        })
    }

    /// Decodes a value that Godot's var_to_bytes() or put_var() encoded. Returns its length in bytes too.
    pub fn decode(bytes: &[u8]) -> Result<(Variant, usize)> {
        let (mut items, mut count, mut used) = (vec![no_item(); 16], 0, 0);
        loop {
            // SAFETY: the bytes are readable, and the outputs writable for their capacity.
            let result = check(unsafe {
                ffi::ws_decode_variant(
                    bytes.as_ptr(),
                    bytes.len(),
                    items.as_mut_ptr(),
                    items.len(),
                    &mut count,
                    &mut used,
                )
            })?;
            if result != c::WS_TRUNCATED {
                // SAFETY: what the items point to lies in `bytes`, which is borrowed.
                let value = unsafe { Reader::new(&items[..count]).value() };
                return Ok((value.ok_or_else(incomplete)?, used));
            }
            items.resize(count, no_item());
        }
    }
}

fn incomplete() -> Error {
    Error::new(ErrorCode::Arg, "the items are no complete value")
}

fn no_item() -> ws_variant {
    ws_variant { r#type: 0, count: 0, integer: 0, number: [0.0; 16], data: null(), len: 0 }
}

fn item_of(kind: VariantKind) -> ws_variant {
    ws_variant { r#type: kind as i32, ..no_item() }
}

/// A count as the library takes it; one that does not fit is refused there.
fn count_of<T>(several: &[T]) -> u32 {
    u32::try_from(several.len()).unwrap_or(u32::MAX)
}

/// Calls `encode` with a buffer of the right size.
fn encoded(mut encode: impl FnMut(*mut u8, usize, *mut usize) -> i32) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 256];
    loop {
        let mut length = 0;
        let result = encode(bytes.as_mut_ptr(), bytes.len(), &mut length);
        if result == c::WS_ERR_TOO_BIG && length > bytes.len() {
            bytes.resize(length, 0);
            continue;
        }
        check(result)?;
        bytes.truncate(length);
        return Ok(bytes);
    }
}

/// Values as flat items for the library, which point into the values and into `kept`.
pub(crate) struct Items<'a> {
    items: Vec<ws_variant>,
    /// Elements of packed arrays as little-endian bytes. They stay where they are when the vector moves.
    kept: Vec<Vec<u8>>,
    values: std::marker::PhantomData<&'a Variant>,
}

/// The items of a value.
pub(crate) fn items_of(value: Option<&Variant>) -> Items<'_> {
    let mut items = Items { items: Vec::new(), kept: Vec::new(), values: std::marker::PhantomData };
    if let Some(value) = value {
        items.push(value);
    }
    items
}

impl<'a> Items<'a> {
    /// Adds pairs of a name and a value.
    pub(crate) fn add_properties(&mut self, properties: &'a [(&'a str, Variant)]) {
        for (name, value) in properties {
            self.push_text(VariantKind::String, name);
            self.push(value);
        }
    }

    pub(crate) fn spawn(mut self, handle: u32, spawner: &str, scene: u32, name: &str) -> Result<u32> {
        let (spawner, name) = (text_of(spawner)?, text_of(name)?);
        // A custom scene has data, if only null.
        if scene == CUSTOM_SCENE && self.items.is_empty() {
            self.items.push(no_item());
        }
        let mut node = 0;
        // SAFETY: the texts are NUL-terminated; the items are readable, and so is what they point to; the output is
        // writable.
        done(unsafe {
            ffi::ws_spawn(
                handle,
                spawner.as_ptr(),
                scene,
                name.as_ptr(),
                self.items.as_ptr(),
                self.items.len(),
                &mut node,
            )
        })?;
        Ok(node)
    }

    pub(crate) fn sync(self, handle: u32, node: u32) -> Result<()> {
        // SAFETY: the items are readable, and so is what they point to.
        done(unsafe { ffi::ws_sync(handle, node, self.items.as_ptr(), self.items.len()) })
    }

    fn push(&mut self, value: &'a Variant) {
        if self.push_components(value) {
            return;
        }
        match value {
            Variant::Bool(value) => self.push_integer(VariantKind::Bool, i64::from(*value)),
            Variant::Int(value) => self.push_integer(VariantKind::Int, *value),
            Variant::Float(value) => {
                let mut item = item_of(VariantKind::Float);
                item.number[0] = *value;
                self.items.push(item);
            }
            Variant::String(text) => self.push_text(VariantKind::String, text),
            Variant::StringName(text) => self.push_text(VariantKind::StringName, text),
            Variant::NodePath(path) => {
                let mut item = item_of(VariantKind::NodePath);
                item.integer = i64::from(path.absolute);
                item.count = count_of(&path.names).saturating_add(count_of(&path.sub_names));
                item.number[0] = f64::from(count_of(&path.sub_names));
                self.items.push(item);
                for name in path.names.iter().chain(&path.sub_names) {
                    self.push_text(VariantKind::String, name);
                }
            }
            Variant::Array(values) => self.push_array(0, values),
            Variant::TypedArray(kind, values) => self.push_array(*kind as i64, values),
            Variant::Dictionary(pairs) => self.push_pairs(0, pairs),
            Variant::TypedDictionary(keys, values, pairs) => {
                self.push_pairs(*keys as i64 + 256 * *values as i64, pairs);
            }
            Variant::PackedByteArray(bytes) => self.push_data(VariantKind::PackedByteArray, bytes.len(), bytes),
            Variant::PackedInt32Array(values) => {
                self.push_kept(VariantKind::PackedInt32Array, values.len(), bytes_of(values, |one| one.to_le_bytes()));
            }
            Variant::PackedInt64Array(values) => {
                self.push_kept(VariantKind::PackedInt64Array, values.len(), bytes_of(values, |one| one.to_le_bytes()));
            }
            Variant::PackedFloat32Array(values) => {
                self.push_kept(VariantKind::PackedFloat32Array, values.len(), singles(values));
            }
            Variant::PackedFloat64Array(values) => {
                self.push_kept(VariantKind::PackedFloat64Array, values.len(), doubles(values));
            }
            Variant::PackedStringArray(texts) => {
                let mut item = item_of(VariantKind::PackedStringArray);
                item.count = count_of(texts);
                self.items.push(item);
                for text in texts {
                    self.push_text(VariantKind::String, text);
                }
            }
            Variant::PackedVector2Array(vectors) => self.push_vectors(VariantKind::PackedVector2Array, vectors),
            Variant::PackedVector3Array(vectors) => self.push_vectors(VariantKind::PackedVector3Array, vectors),
            Variant::PackedVector4Array(vectors) => self.push_vectors(VariantKind::PackedVector4Array, vectors),
            Variant::PackedColorArray(colors) => {
                self.push_kept(VariantKind::PackedColorArray, colors.len(), singles(colors.as_flattened()));
            }
            // Those with components are pushed above.
            _ => self.items.push(no_item()),
        }
    }

    fn push_integer(&mut self, kind: VariantKind, value: i64) {
        let mut item = item_of(kind);
        item.integer = value;
        self.items.push(item);
    }

    fn push_text(&mut self, kind: VariantKind, text: &'a str) {
        let mut item = item_of(kind);
        item.data = text.as_ptr();
        item.len = text.len();
        self.items.push(item);
    }

    fn push_array(&mut self, kind: i64, values: &'a [Variant]) {
        let mut item = item_of(VariantKind::Array);
        item.count = count_of(values);
        item.integer = kind;
        self.items.push(item);
        for value in values {
            self.push(value);
        }
    }

    fn push_pairs(&mut self, kinds: i64, pairs: &'a [(Variant, Variant)]) {
        let mut item = item_of(VariantKind::Dictionary);
        item.count = count_of(pairs);
        item.integer = kinds;
        self.items.push(item);
        for (key, value) in pairs {
            self.push(key);
            self.push(value);
        }
    }

    fn push_data(&mut self, kind: VariantKind, count: usize, bytes: &'a [u8]) {
        let mut item = item_of(kind);
        item.count = u32::try_from(count).unwrap_or(u32::MAX);
        item.data = bytes.as_ptr();
        item.len = bytes.len();
        self.items.push(item);
    }

    fn push_kept(&mut self, kind: VariantKind, count: usize, bytes: Vec<u8>) {
        let mut item = item_of(kind);
        item.count = u32::try_from(count).unwrap_or(u32::MAX);
        item.data = bytes.as_ptr();
        item.len = bytes.len();
        self.items.push(item);
        self.kept.push(bytes);
    }

    fn push_vectors<const N: usize>(&mut self, kind: VariantKind, vectors: &Vectors<N>) {
        match vectors {
            Vectors::Single(vectors) => self.push_kept(kind, vectors.len(), singles(vectors.as_flattened())),
            Vectors::Double(vectors) => self.push_kept(kind, vectors.len(), doubles(vectors.as_flattened())),
        }
    }
}

fn bytes_of<T, const N: usize>(values: &[T], bytes: impl FnMut(&T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(bytes).collect()
}

fn singles(values: &[f32]) -> Vec<u8> {
    bytes_of(values, |one| one.to_le_bytes())
}

fn doubles(values: &[f64]) -> Vec<u8> {
    bytes_of(values, |one| one.to_le_bytes())
}

/// Makes values of items that the library wrote.
struct Reader<'a> {
    items: std::slice::Iter<'a, ws_variant>,
}

impl<'a> Reader<'a> {
    fn new(items: &'a [ws_variant]) -> Reader<'a> {
        Reader { items: items.iter() }
    }

    /// The next value; `None`: an item lacks.
    ///
    /// # Safety
    /// What the items point to is readable.
    unsafe fn value(&mut self) -> Option<Variant> {
        let item = self.items.next()?;
        let kind = VariantKind::from_raw(item.r#type)?;
        // SAFETY: the caller vouches for it.
        let data = unsafe { data_of(item) };
        let count = item.count as usize;
        if let Some(value) = components_of(kind, item) {
            return Some(value);
        }
        Some(match kind {
            VariantKind::Nil => Variant::Nil,
            VariantKind::Bool => Variant::Bool(item.integer != 0),
            VariantKind::Int => Variant::Int(item.integer),
            VariantKind::Float => Variant::Float(item.number[0]),
            VariantKind::String => Variant::String(lossy(data)),
            VariantKind::StringName => Variant::StringName(lossy(data)),
            VariantKind::NodePath => {
                // SAFETY: the caller vouches for it.
                let mut names = unsafe { self.texts(count) }?;
                // The library has checked that there are so many.
                let sub_names = names.split_off(count.saturating_sub(item.number[0] as usize));
                Variant::NodePath(NodePath { absolute: item.integer != 0, names, sub_names })
            }
            VariantKind::Array => {
                // SAFETY: the caller vouches for it.
                let values = (0..count).map(|_| unsafe { self.value() }).collect::<Option<Vec<_>>>()?;
                match kind_of(item.integer) {
                    VariantKind::Nil => Variant::Array(values),
                    kind => Variant::TypedArray(kind, values),
                }
            }
            VariantKind::Dictionary => {
                // SAFETY: the caller vouches for it.
                let pairs = (0..count).map(|_| Some((unsafe { self.value() }?, unsafe { self.value() }?)));
                let pairs = pairs.collect::<Option<Vec<_>>>()?;
                match (kind_of(item.integer % 256), kind_of(item.integer / 256)) {
                    (VariantKind::Nil, VariantKind::Nil) => Variant::Dictionary(pairs),
                    (keys, values) => Variant::TypedDictionary(keys, values, pairs),
                }
            }
            VariantKind::PackedByteArray => Variant::PackedByteArray(data.to_vec()),
            VariantKind::PackedInt32Array => Variant::PackedInt32Array(elements(data, i32::from_le_bytes)),
            VariantKind::PackedInt64Array => Variant::PackedInt64Array(elements(data, i64::from_le_bytes)),
            VariantKind::PackedFloat32Array => Variant::PackedFloat32Array(elements(data, f32::from_le_bytes)),
            VariantKind::PackedFloat64Array => Variant::PackedFloat64Array(elements(data, f64::from_le_bytes)),
            VariantKind::PackedStringArray => {
                // SAFETY: the caller vouches for it.
                Variant::PackedStringArray(unsafe { self.texts(count) }?)
            }
            VariantKind::PackedVector2Array => Variant::PackedVector2Array(vectors(data, count)),
            VariantKind::PackedVector3Array => Variant::PackedVector3Array(vectors(data, count)),
            VariantKind::PackedVector4Array => Variant::PackedVector4Array(vectors(data, count)),
            VariantKind::PackedColorArray => Variant::PackedColorArray(grouped(elements(data, f32::from_le_bytes))),
            // Rid, Object, Callable and Signal cannot be received.
            _ => return None,
        })
    }

    /// # Safety
    /// As for [`Reader::value`].
    unsafe fn texts(&mut self, count: usize) -> Option<Vec<String>> {
        // SAFETY: the caller vouches for it.
        (0..count).map(|_| self.items.next().map(|item| lossy(unsafe { data_of(item) }))).collect()
    }

    /// Pairs of a name and a value, up to the end.
    ///
    /// # Safety
    /// As for [`Reader::value`].
    unsafe fn properties(&mut self) -> Option<Vec<(String, Variant)>> {
        let mut pairs = Vec::new();
        while let Some(name) = self.items.next() {
            // SAFETY: the caller vouches for it.
            pairs.push((lossy(unsafe { data_of(name) }), unsafe { self.value() }?));
        }
        Some(pairs)
    }
}

/// # Safety
/// The data of the item is readable for 'a.
unsafe fn data_of<'a>(item: &ws_variant) -> &'a [u8] {
    if item.data.is_null() {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(item.data, item.len) }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn kind_of(number: i64) -> VariantKind {
    i32::try_from(number).ok().and_then(VariantKind::from_raw).unwrap_or(VariantKind::Nil)
}

fn elements<T, const N: usize>(bytes: &[u8], of: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| of(*chunk)).collect()
}

fn grouped<T: Copy, const N: usize>(values: Vec<T>) -> Vec<[T; N]> {
    values.as_chunks().0.to_vec()
}

fn vectors<const N: usize>(data: &[u8], count: usize) -> Vectors<N> {
    if count > 0 && data.len() / count == N * size_of::<f64>() {
        Vectors::Double(grouped(elements(data, f64::from_le_bytes)))
    } else {
        Vectors::Single(grouped(elements(data, f32::from_le_bytes)))
    }
}

/// # Safety
/// The text is NUL-terminated and readable, or NULL.
unsafe fn text_at(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    lossy(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A remote call: of a method of a node, as Godot's rpc().
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The path of the node as it was declared, without "/root/".
    pub path: String,
    /// The name of the method.
    pub method: String,
    /// The arguments.
    pub arguments: Vec<Variant>,
}

impl Call {
    /// Encodes a call, to be sent as [`MessageKind::Call`](crate::MessageKind::Call).
    ///
    /// ```
    /// use wspeer::{Call, MessageKind, Payload};
    /// let call = Call::encode("Game", "hello", &[5.into(), true.into()])?;
    /// let message = Payload::new(MessageKind::Call, &call);
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn encode(path: &str, method: &str, arguments: &[Variant]) -> Result<Vec<u8>> {
        let (path, method) = (text_of(path)?, text_of(method)?);
        let mut items = items_of(None);
        for argument in arguments {
            items.push(argument);
        }
        encoded(|buffer, capacity, length| {
            let (first, count) = (items.items.as_ptr(), items.items.len());
            // SAFETY: the texts are NUL-terminated; the items are readable, and so is what they point to, which the
            // arguments and `items` have; the outputs are writable.
            unsafe { ffi::ws_encode_call(path.as_ptr(), method.as_ptr(), first, count, buffer, capacity, length) }
        })
    }

    /// Decodes a received message of the kind [`MessageKind::Call`](crate::MessageKind::Call).
    pub fn decode(bytes: &[u8]) -> Result<Call> {
        let mut call = ws_call { path: null(), method: null(), arguments: 0, items: 0 };
        let mut items = vec![no_item(); 16];
        loop {
            // SAFETY: the bytes are readable, and the outputs writable for their capacity.
            let result = check(unsafe {
                ffi::ws_decode_call(bytes.as_ptr(), bytes.len(), &mut call, items.as_mut_ptr(), items.len())
            })?;
            let count = call.items as usize;
            if result == c::WS_TRUNCATED {
                items.resize(count, no_item());
                continue;
            }
            let mut reader = Reader::new(&items[..count]);
            // SAFETY: what the items point to lies in `bytes`, which is borrowed.
            let arguments = (0..call.arguments).map(|_| unsafe { reader.value() }).collect::<Option<Vec<_>>>();
            // SAFETY: the texts are NUL-terminated and lie in `bytes`.
            let (path, method) = unsafe { (text_at(call.path), text_at(call.method)) };
            return Ok(Call { path, method, arguments: arguments.ok_or_else(incomplete)? });
        }
    }
}

/// A node that a peer has spawned, despawned or synchronized.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Replicated {
    /// The path of the spawner as it was declared, without "/root/"; with [`NO_SCENE`](crate::NO_SCENE) that of the
    /// synchronizer.
    pub path: String,
    /// Of a spawn: the node's name below the spawner's spawn path. Else "".
    pub name: String,
    /// Its number among the nodes of the peer, which is used again only after its despawn.
    pub node: u32,
    /// The index of the scene in the spawner's list, [`CUSTOM_SCENE`](crate::CUSTOM_SCENE) or
    /// [`NO_SCENE`](crate::NO_SCENE).
    pub scene: u32,
    /// Of a spawn of a custom scene: its data.
    pub data: Option<Variant>,
    /// Of a spawn or synchronization: properties and their values.
    pub properties: Vec<(String, Variant)>,
}

/// Reads the nodes in a message of [`Event::Spawn`](crate::Event::Spawn), [`Event::Despawn`](crate::Event::Despawn) or
/// [`Event::Sync`](crate::Event::Sync). An error is the last item.
#[derive(Clone, Debug)]
pub struct Nodes<'a> {
    bytes: &'a [u8],
    at: usize,
    failed: bool,
}

impl<'a> Nodes<'a> {
    /// Reads the nodes in the bytes of a message.
    pub fn new(bytes: &'a [u8]) -> Nodes<'a> {
        Nodes { bytes, at: 0, failed: false }
    }

    fn read(&mut self) -> Result<Option<Replicated>> {
        let mut node = ws_replicated { path: null(), name: null(), node: 0, scene: 0, items: 0, data_items: 0 };
        let mut items = vec![no_item(); 16];
        loop {
            let mut at = self.at;
            // SAFETY: the bytes are readable, and the outputs writable for their capacity.
            let result = check(unsafe {
                ffi::ws_decode_replication(
                    self.bytes.as_ptr(),
                    self.bytes.len(),
                    &mut at,
                    &mut node,
                    items.as_mut_ptr(),
                    items.len(),
                )
            })?;
            if result == c::WS_EMPTY {
                return Ok(None);
            }
            let count = node.items as usize;
            if result == c::WS_TRUNCATED {
                items.resize(count, no_item());
                continue;
            }
            self.at = at;
            let (data, properties) = items[..count].split_at((node.data_items as usize).min(count));
            // SAFETY: what the items point to lies in `bytes`, which is borrowed.
            let data = if data.is_empty() { None } else { unsafe { Reader::new(data).value() } };
            // SAFETY: as above.
            let properties = unsafe { Reader::new(properties).properties() }.ok_or_else(incomplete)?;
            // SAFETY: the texts are NUL-terminated and lie in `bytes`, or are static.
            let (path, name) = unsafe { (text_at(node.path), text_at(node.name)) };
            return Ok(Some(Replicated { path, name, node: node.node, scene: node.scene, data, properties }));
        }
    }
}

impl Iterator for Nodes<'_> {
    type Item = Result<Replicated>;

    fn next(&mut self) -> Option<Result<Replicated>> {
        if self.failed {
            return None;
        }
        let node = self.read().transpose();
        self.failed = matches!(node, Some(Err(_)));
        node
    }
}
