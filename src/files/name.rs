//! Paths of requests as names of files. A name means the same file on every system, or none.

use percent_encoding::percent_decode_str;

/// The path of a URL, decoded: names below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath {
    /// The names, without separators.
    pub names: Vec<String>,
    /// It ends with a slash, and so means a directory.
    pub is_folder: bool,
}

/// Maximum number of names in a path.
const MAX_NAMES: usize = 64;
/// Maximum bytes of a name: what file systems allow.
const MAX_NAME: usize = 255;

impl FilePath {
    /// Decodes a path of a request, percent codes once. `None`: it names no file that may be served.
    pub fn parse(path: &str) -> Option<FilePath> {
        let mut pieces: Vec<&str> = path.strip_prefix('/')?.split('/').take(MAX_NAMES + 2).collect();
        // The path "/" has one empty piece.
        let is_folder = pieces.last() == Some(&"");
        if is_folder {
            pieces.pop();
        }
        if pieces.len() > MAX_NAMES {
            return None;
        }
        let names = pieces.into_iter().map(decode).collect::<Option<Vec<String>>>()?;
        names.iter().all(|name| may_be_served(name)).then_some(FilePath { names, is_folder })
    }

    /// The part behind a prefix. `None`: the path is not below it.
    pub fn below(&self, prefix: &FilePath) -> Option<&[String]> {
        let (start, rest) = self.names.split_at_checked(prefix.names.len())?;
        (start == prefix.names).then_some(rest)
    }
}

/// Decodes percent codes. `None`: one is incomplete, or the result is not UTF-8.
fn decode(piece: &str) -> Option<String> {
    let is_code = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !piece.split('%').skip(1).all(is_code) {
        return None;
    }
    percent_decode_str(piece).decode_utf8().ok().map(Into::into)
}

/// Whether a file of this name may be served. Excluded are names that a system reads as something else than the name of
/// a file, and hidden files.
fn may_be_served(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        // Hidden files, "." and "..".
        && !name.starts_with('.')
        // Windows drops them.
        && !name.ends_with(['.', ' '])
        && !name.chars().any(is_special)
        && !is_device(name)
}

/// Separators, what Windows forbids, control characters, and invisible ones that some file systems drop.
fn is_special(char: char) -> bool {
    "/\\:*?\"<>|".contains(char)
        || char.is_control()
        || matches!(char, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether Windows opens a device by this name, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") {
        return true;
    }
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    port.is_some_and(|number| {
        matches!(number, "\u{B9}" | "\u{B2}" | "\u{B3}") || matches!(number.as_bytes(), [b'0'..=b'9'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once() {
        for (path, names, is_folder) in [
            ("/", &[][..], true),
            ("/index.html", &["index.html"], false),
            ("/a/b/", &["a", "b"], true),
            ("/a%20b/%c3%A9", &["a b", "\u{E9}"], false),
            ("/\u{E9}", &["\u{E9}"], false),
            ("/a%2525b", &["a%25b"], false),
            ("/a+b;c=d&e~1$", &["a+b;c=d&e~1$"], false),
            ("/a..b/c. d/COM10/commode/nu l", &["a..b", "c. d", "COM10", "commode", "nu l"], false),
        ] {
            let expected = FilePath { names: names.iter().map(|name| (*name).to_owned()).collect(), is_folder };
            assert_eq!(FilePath::parse(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn names_that_could_mean_another_file_are_refused() {
        for path in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/../a",
            "/a/../b",
            "/a/..",
            "/./a",
            "/a/./b",
            "/...",
            "/%2e",
            "/%2e%2e/a",
            "/.%2E/a",
            "/%2e./a",
            "/a%2fb",
            "/a%2F..%2Fb",
            "/..%2fa",
            "/a%5cb",
            "/a\\b",
            "/..\\a",
            "/%5c..%5ca",
            "/a%00",
            "/a%00.html",
            "/%00",
            "/a%0a",
            "/a%0d%0ab",
            "/a%7f",
            "/a%c2%85b",
            "/.git/config",
            "/.env",
            "/a/.htaccess",
            "/.well-known/x",
            "/%2egit/config",
            "/a.",
            "/a..",
            "/a%20",
            "/a%20.",
            "/a.%20",
            "/a./b",
            "/a%20/b",
            "/c:",
            "/c:/a",
            "/C%3a/a",
            "/a::$DATA",
            "/a.html:b",
            "/con",
            "/CON.txt",
            "/a/nul",
            "/NUL.tar.gz",
            "/aux.js",
            "/prn",
            "/com1",
            "/COM0.x",
            "/lpt9",
            "/COM%c2%b9",
            "/LPT%C2%B3.x",
            "/conin$",
            "/CONOUT$",
            "/nul%20.txt",
            "/a*",
            "/a%3f",
            "/a%22",
            "/a%3c",
            "/a%3E",
            "/a%7c",
            "/%",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%2%65",
            "/%%32%65",
            "/%c0%ae%c0%ae/a",
            "/%ff",
            "/%e0%80%af",
            "/%ed%a0%80",
            "/%e2%80%8d.git",
            "/%ef%bb%bfa",
            "/a%e2%80%aeb",
            "/%c2%ad.env",
            "/ws://h/a",
            "/~/../a",
        ] {
            assert_eq!(FilePath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn lengths_are_limited() {
        assert!(FilePath::parse(&format!("/{}", "a".repeat(255))).is_some());
        assert!(FilePath::parse(&format!("/{}", "a".repeat(256))).is_none());
        for end in ["", "/"] {
            assert!(FilePath::parse(&format!("{}{end}", "/a".repeat(64))).is_some());
            assert!(FilePath::parse(&format!("{}{end}", "/a".repeat(65))).is_none());
        }
    }

    #[test]
    fn a_prefix_ends_where_a_name_ends() {
        let path = FilePath::parse("/game/level%201/a").unwrap();
        for (prefix, rest) in [
            ("/", Some(3)),
            ("/game", Some(2)),
            ("/game/", Some(2)),
            ("/game/level 1", Some(1)),
            ("/game/level%201/a", Some(0)),
            ("/game/level%201/a/b", None),
            ("/gam", None),
            ("/Game", None),
        ] {
            assert_eq!(path.below(&FilePath::parse(prefix).unwrap()).map(<[String]>::len), rest, "{prefix}");
        }
    }
}
