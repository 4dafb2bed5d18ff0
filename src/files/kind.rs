//! Types and codings of files by their names.

/// How a file is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Content-Type.
    pub mime: &'static str,
    /// How its content is coded, when the name says so.
    pub coding: Named,
}

/// What a name says about the coding of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing: the file is what its extension says.
    Nothing,
    /// It is compressed, as "main.wasm.br" is.
    Coding(Coding),
    /// It is compressed in a way that only its first bytes tell: Unity's ".unityweb".
    ByContent,
}

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Brotli, RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// Its name in Content-Encoding.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }

    /// The extension of files in this coding.
    pub fn extension(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gz",
        }
    }

    /// The coding of a file of Unity, by its first bytes. `None`: it is not compressed.
    pub fn of_content(start: &[u8]) -> Option<Coding> {
        const UNITY: &[u8] = b"UnityWeb Compressed Content (brotli)";
        if start.starts_with(&[0x1F, 0x8B]) {
            return Some(Coding::Gzip);
        }
        start.windows(UNITY.len()).any(|window| window == UNITY).then_some(Coding::Brotli)
    }
}

/// Number of bytes that `Coding::of_content` needs.
pub(super) const CONTENT_BYTES: usize = 64;

/// Types by extension. A file of another extension is only bytes, and browsers keep to that.
const TYPES: [(&str, &str); 62] = [
    ("aac", "audio/aac"),
    ("apng", "image/apng"),
    ("atlas", "text/plain; charset=utf-8"),
    ("avif", "image/avif"),
    ("basis", "image/x-basis"),
    ("bin", BYTES),
    ("bmp", "image/bmp"),
    ("br", "application/x-brotli"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("data", BYTES),
    ("dds", "image/vnd.ms-dds"),
    ("flac", "audio/flac"),
    ("fnt", "text/plain; charset=utf-8"),
    ("gif", "image/gif"),
    ("glb", "model/gltf-binary"),
    ("gltf", "model/gltf+json"),
    ("gz", "application/gzip"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", SCRIPT),
    ("json", "application/json"),
    ("jxl", "image/jxl"),
    ("ktx", "image/ktx"),
    ("ktx2", "image/ktx2"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mem", BYTES),
    ("mid", "audio/midi"),
    ("mjs", SCRIPT),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pck", BYTES),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("tga", "image/x-tga"),
    ("toml", "application/toml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];
const BYTES: &str = "application/octet-stream";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Extensions of files that programs load in compressed form by the name of that form, as Unity's loader does. A
/// "save.tar.gz" is for users, who expect it as it is.
const LOADED: [&str; 11] = ["css", "data", "html", "js", "json", "mem", "mjs", "pck", "svg", "txt", "wasm"];

impl Kind {
    /// By the name of a file.
    pub fn of(name: &str) -> Kind {
        let Some((inner, extension)) = split(name) else { return Kind { mime: BYTES, coding: Named::Nothing } };
        let coding = match extension.as_str() {
            "br" => Named::Coding(Coding::Brotli),
            "gz" => Named::Coding(Coding::Gzip),
            "unityweb" => Named::ByContent,
            _ => Named::Nothing,
        };
        let loaded = split(inner).map(|(_, extension)| extension).filter(|of| LOADED.contains(&of.as_str()));
        match (coding, loaded) {
            (Named::Nothing, _) | (Named::Coding(_), None) => Kind { mime: mime(&extension), coding: Named::Nothing },
            (coding, of) => Kind { mime: of.map_or(BYTES, |of| mime(&of)), coding },
        }
    }
}

fn mime(extension: &str) -> &'static str {
    TYPES.binary_search_by_key(&extension, |(name, _)| name).map_or(BYTES, |at| TYPES[at].1)
}

/// The name before the extension, and that in lower case.
fn split(name: &str) -> Option<(&str, String)> {
    name.rsplit_once('.').map(|(name, extension)| (name, extension.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_sorted_and_distinct() {
        assert!(TYPES.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(LOADED.iter().all(|of| TYPES.iter().any(|(extension, _)| extension == of)));
    }

    #[test]
    fn a_name_has_its_type_and_coding() {
        let (nothing, br, gz) = (Named::Nothing, Named::Coding(Coding::Brotli), Named::Coding(Coding::Gzip));
        for (name, mime, coding) in [
            ("index.html", "text/html; charset=utf-8", nothing),
            ("INDEX.HTM", "text/html; charset=utf-8", nothing),
            ("game.wasm", "application/wasm", nothing),
            ("game.side.wasm", "application/wasm", nothing),
            ("game.pck", BYTES, nothing),
            ("game.js", SCRIPT, nothing),
            ("worker.MJS", SCRIPT, nothing),
            ("a.symbols.json", "application/json", nothing),
            ("a.data", BYTES, nothing),
            ("a.png", "image/png", nothing),
            ("a.svg", "image/svg+xml", nothing),
            ("a.ogg", "audio/ogg", nothing),
            ("a.woff2", "font/woff2", nothing),
            ("README", BYTES, nothing),
            ("wasm", BYTES, nothing),
            ("a.exe", BYTES, nothing),
            ("a.", BYTES, nothing),
            ("a.wasm.br", "application/wasm", br),
            ("a.wasm.gz", "application/wasm", gz),
            ("a.framework.js.gz", SCRIPT, gz),
            ("a.data.br", BYTES, br),
            ("a.symbols.json.BR", "application/json", br),
            ("a.wasm.unityweb", "application/wasm", Named::ByContent),
            ("a.framework.js.unityweb", SCRIPT, Named::ByContent),
            ("a.unityweb", BYTES, Named::ByContent),
            ("a.tar.gz", "application/gzip", nothing),
            ("a.br", "application/x-brotli", nothing),
            ("js.gz", "application/gzip", nothing),
        ] {
            assert_eq!(Kind::of(name), Kind { mime, coding }, "{name}");
        }
    }

    #[test]
    fn the_first_bytes_of_unitys_files_tell_their_coding() {
        let brotli = [b"\x6B\x8D\x00".as_slice(), b"UnityWeb Compressed Content (brotli)", &[7; 20]].concat();
        assert_eq!(Coding::of_content(&brotli[..CONTENT_BYTES.min(brotli.len())]), Some(Coding::Brotli));
        assert_eq!(Coding::of_content(b"\x1F\x8B\x08\x10UnityWeb Compressed Content (gzip)"), Some(Coding::Gzip));
        assert_eq!(Coding::of_content(b"\0asm\x01\0\0\0"), None);
        assert_eq!(Coding::of_content(b""), None);
    }
}
