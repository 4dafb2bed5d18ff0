//! From a request to the response with a file.

use super::accepts::{accepts, preferred};
use super::conditions::{Outcome, whole_seconds};
use super::directory::{Found, Stamp};
use super::kind::{CONTENT_BYTES, Coding, Kind, Named};
use super::{FilePath, Site};
use crate::protocol::{Headers, Method, Reply};
use httpdate::fmt_http_date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::SystemTime;

/// Maximum bytes of a file that are read at once.
pub const BLOCK: usize = 128 << 10;

/// Type of a file that is coded in a way which the client does not accept.
const BYTES: &str = "application/octet-stream";

/// A request for a file.
pub struct Ask {
    /// What it is served from.
    pub site: Arc<Site>,
    /// Its path. `None`: it names no file.
    pub path: Option<FilePath>,
    /// Its query, for a redirection.
    pub query: String,
    /// GET or HEAD.
    pub method: Method,
    /// Its headers.
    pub headers: Headers,
}

/// The response.
pub struct Answer {
    /// Status, headers, and the body if it is not a file.
    pub response: Reply,
    /// The body, if it is a file.
    pub content: Option<Content>,
}

/// The part of a file that is sent.
pub struct Content {
    file: File,
    /// Length of the part in bytes.
    pub len: u64,
    /// Bytes of it that have not been read.
    left: u64,
}

impl Content {
    /// Reads the next block; an empty one at the end. An error: the file has become shorter, or cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let wanted = usize::try_from(self.left).unwrap_or(BLOCK).min(BLOCK);
        let mut block = vec![0; wanted];
        self.file.read_exact(&mut block)?;
        self.left -= wanted as u64;
        Ok(block)
    }

    /// Whether all of it has been read.
    pub fn is_over(&self) -> bool {
        self.left == 0
    }
}

impl Ask {
    /// Opens the file and makes the response. It may take long.
    pub fn answer(&self, now: SystemTime) -> Answer {
        let mut answer = self.find(now).unwrap_or_else(|error| {
            let lacking = format!("the server could not read the file: {}; try again later", error.kind());
            text(503, &lacking).with("Retry-After", "5")
        });
        let headers = &mut answer.response.headers;
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        if let Some(now) = whole_seconds(now) {
            add("Date", &fmt_http_date(now));
        }
        add("X-Content-Type-Options", "nosniff");
        // The client keeps a file, and asks each time whether it has changed.
        add("Cache-Control", "no-cache");
        if self.site.isolated {
            add("Cross-Origin-Opener-Policy", "same-origin");
            add("Cross-Origin-Embedder-Policy", "require-corp");
            add("Cross-Origin-Resource-Policy", "same-origin");
        }
        answer
    }

    fn find(&self, now: SystemTime) -> io::Result<Answer> {
        let Some((path, rest)) = self.path.as_ref().and_then(|path| Some((path, path.below(&self.site.prefix)?)))
        else {
            return Ok(nothing());
        };
        let mut names = rest.to_vec();
        if path.is_folder {
            names.push(INDEX.to_owned());
        }
        let (file, stamp) = match self.site.directory.open(&names)? {
            Some(Found::File(file, stamp)) => (file, stamp),
            Some(Found::Directory) if !path.is_folder => return Ok(self.redirect(path)),
            _ => return Ok(nothing()),
        };
        let name = names.last().map_or("", String::as_str);
        let Kind { mime, coding } = Kind::of(name);
        match coding {
            Named::Nothing => match self.compressed(&mut names, &stamp)? {
                Some((file, stamp, coding)) => self.send(file, &stamp, mime, Some(coding), now),
                None => self.send(file, &stamp, mime, None, now),
            },
            Named::Coding(coding) => self.send_coded(file, &stamp, mime, Some(coding), now),
            Named::ByContent => {
                let mut start = Vec::new();
                (&file).take(CONTENT_BYTES as u64).read_to_end(&mut start)?;
                self.send_coded(file, &stamp, mime, Coding::of_content(&start), now)
            }
        }
    }

    /// The file beside another that has its content in a coding that the client prefers. One that is older was made of
    /// an earlier version.
    fn compressed(&self, names: &mut Vec<String>, plain: &Stamp) -> io::Result<Option<(File, Stamp, Coding)>> {
        let Some(name) = names.pop() else { return Ok(None) };
        for coding in preferred(&self.headers) {
            names.push(format!("{name}.{}", coding.extension()));
            let found = self.site.directory.open(names)?;
            names.pop();
            if let Some(Found::File(file, stamp)) = found
                && stamp.modified >= plain.modified
            {
                return Ok(Some((file, stamp, coding)));
            }
        }
        Ok(None)
    }

    /// Sends a file that is coded itself.
    fn send_coded(
        &self,
        file: File,
        stamp: &Stamp,
        mime: &str,
        coding: Option<Coding>,
        now: SystemTime,
    ) -> io::Result<Answer> {
        match coding {
            // The client has to decode it itself, as Unity's loader can.
            Some(coding) if !accepts(&self.headers, coding) => self.send(file, stamp, BYTES, None, now),
            coding => self.send(file, stamp, mime, coding, now),
        }
    }

    fn send(
        &self,
        mut file: File,
        stamp: &Stamp,
        mime: &str,
        coding: Option<Coding>,
        now: SystemTime,
    ) -> io::Result<Answer> {
        let outcome = Outcome::of(&self.headers, stamp, self.method == Method::Get, now);
        let (status, first, len) = match outcome {
            Outcome::Whole => (200, 0, stamp.len),
            Outcome::Part { first, len } => (206, first, len),
            Outcome::NotModified => (304, 0, 0),
            Outcome::Failed => return Ok(text(412, "the file has changed")),
            Outcome::Unsatisfiable => {
                let answer = text(416, "the file ends before the range begins");
                return Ok(answer.with("Content-Range", &format!("bytes */{}", stamp.len)));
            }
        };
        let mut answer = Answer { response: Reply { status, ..Reply::default() }, content: None };
        if status != 304 {
            answer = answer.with("Content-Type", mime).with("Accept-Ranges", "bytes");
            file.seek(SeekFrom::Start(first))?;
            answer.content = Some(Content { file, len, left: len });
        }
        if status == 206 {
            answer = answer.with("Content-Range", &format!("bytes {first}-{}/{}", first + len - 1, stamp.len));
        }
        if let (Some(coding), true) = (coding, status != 304) {
            answer = answer.with("Content-Encoding", coding.name());
        }
        if let Some(modified) = stamp.modified.and_then(whole_seconds) {
            // Not after Date (RFC 9110 section 8.8.2.1).
            let shown = whole_seconds(now).map_or(modified, |now| now.min(modified));
            answer = answer.with("Last-Modified", &fmt_http_date(shown));
        }
        Ok(answer.with("ETag", &stamp.tag).with("Vary", "Accept-Encoding"))
    }

    /// To the same directory with a slash behind it, so that relative URLs of its page lead into it. The path has no
    /// empty name, so the location never names another server.
    fn redirect(&self, path: &FilePath) -> Answer {
        let mut location = String::new();
        for name in &path.names {
            location.push('/');
            location.extend(utf8_percent_encode(name, &ESCAPED));
        }
        location.push('/');
        if !self.query.is_empty() && self.query.is_ascii() {
            location.extend(["?", &self.query]);
        }
        text(301, "the directory ends with a slash").with("Location", &location)
    }
}

/// The file of a directory that is sent for it.
const INDEX: &str = "index.html";
/// Characters of names that are escaped in a location.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Answer {
    fn with(mut self, name: &str, value: &str) -> Answer {
        self.response.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn text(status: u16, message: &str) -> Answer {
    let body = format!("{message}\n").into_bytes();
    Answer { response: Reply { status, headers: Vec::new(), body }, content: None }
}

fn nothing() -> Answer {
    text(404, "there is no file at this path")
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::Directory;
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, UNIX_EPOCH};

    /// A directory that is served below /game.
    struct Folder(PathBuf);

    impl Folder {
        fn new(files: &[(&str, &[u8])]) -> Folder {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let folder = Folder(std::env::temp_dir().join(format!("wspeer-answer-{}-{number}", std::process::id())));
            for (name, content) in files {
                folder.write(name, content, 1_000_000_000);
            }
            folder
        }

        /// Writes a file that was changed at `time`, in seconds since 1970.
        fn write(&self, name: &str, content: &[u8], time: u64) {
            let path = self.0.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(time)).unwrap();
        }

        fn ask(&self, method: Method, path: &str, lines: &[(&str, &str)], isolated: bool) -> Answer {
            let directory = Directory::new(self.0.to_str().unwrap()).unwrap();
            let site = Arc::new(Site { prefix: FilePath::parse("/game").unwrap(), directory, isolated });
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let headers = Headers::from_pairs(lines.iter().map(|(name, value)| (*name, value.as_bytes())));
            let ask = Ask { site, path: FilePath::parse(path), query: query.to_owned(), method, headers };
            ask.answer(UNIX_EPOCH + Duration::from_secs(1_500_000_000))
        }

        /// Status, and the body that GET gets.
        fn get(&self, path: &str, lines: &[(&str, &str)]) -> (u16, String) {
            let answer = self.ask(Method::Get, path, lines, false);
            (answer.response.status, body(answer))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn body(answer: Answer) -> String {
        let mut bytes = answer.response.body;
        if let Some(mut content) = answer.content {
            while !content.is_over() {
                bytes.extend(content.read().unwrap());
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        let mut found =
            answer.response.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let value = found.next();
        assert!(found.next().is_none(), "{name} comes twice");
        value
    }

    #[test]
    fn a_path_has_its_file_its_index_or_a_redirection() {
        let folder = Folder::new(&[
            ("index.html", b"home"),
            ("a b.txt", b"spaces"),
            ("sub/index.html", b"inner"),
            ("empty/x", b""),
            ("odd/index.html/x", b""),
        ]);
        for (path, status, text) in [
            ("/game/", 200, Some("home")),
            ("/game/index.html", 200, Some("home")),
            ("/game/index.html?v=1", 200, Some("home")),
            ("/game/a%20b.txt", 200, Some("spaces")),
            ("/game/sub/", 200, Some("inner")),
            ("/game/empty/x", 200, Some("")),
            ("/game", 301, None),
            ("/game/sub", 301, None),
            ("/game/empty/", 404, None),
            ("/game/odd/", 404, None),
            ("/game/index.html/", 404, None),
            ("/game/index.html/x", 404, None),
            ("/game/../index.html", 404, None),
            ("/game/%2e%2e/x", 404, None),
            ("/other", 404, None),
        ] {
            let (found, body) = folder.get(path, &[]);
            assert_eq!(found, status, "{path}");
            assert!(text.is_none_or(|text| text == body), "{path}: {body}");
        }
    }

    #[test]
    fn a_redirection_stays_on_the_server() {
        let folder = Folder::new(&[("s u/x", b""), ("\u{E9}/x", b"")]);
        for (path, location) in [
            ("/game", "/game/"),
            ("/game?a=b&c", "/game/?a=b&c"),
            ("/game/s%20u", "/game/s%20u/"),
            ("/game/%c3%a9?x=\u{E9}", "/game/%C3%A9/"),
        ] {
            let answer = folder.ask(Method::Get, path, &[], false);
            assert_eq!(header(&answer, "Location"), Some(location), "{path}");
        }
    }

    #[test]
    fn headers_describe_the_file() {
        let folder = Folder::new(&[("a.wasm", b"0123456789")]);
        let answer = folder.ask(Method::Get, "/game/a.wasm", &[], false);
        for (name, value) in [
            ("Content-Type", Some("application/wasm")),
            ("Last-Modified", Some("Sun, 09 Sep 2001 01:46:40 GMT")),
            ("Date", Some("Fri, 14 Jul 2017 02:40:00 GMT")),
            ("Accept-Ranges", Some("bytes")),
            ("Cache-Control", Some("no-cache")),
            ("X-Content-Type-Options", Some("nosniff")),
            ("Vary", Some("Accept-Encoding")),
            ("Content-Encoding", None),
            ("Content-Range", None),
            ("Cross-Origin-Opener-Policy", None),
        ] {
            assert_eq!(header(&answer, name), value, "{name}");
        }
        assert_eq!(answer.content.as_ref().map(|content| content.len), Some(10));
        let head = folder.ask(Method::Head, "/game/a.wasm", &[("Range", "bytes=0-1")], false);
        assert_eq!((head.response.status, head.content.as_ref().map(|content| content.len)), (200, Some(10)));
        assert_eq!(header(&head, "ETag"), header(&answer, "ETag"));
        // A clock that goes wrong does not make a version of tomorrow.
        folder.write("new.txt", b"", 1_700_000_000);
        let answer = folder.ask(Method::Get, "/game/new.txt", &[], false);
        assert_eq!(header(&answer, "Last-Modified"), header(&answer, "Date"));
    }

    #[test]
    fn an_isolated_site_says_so_in_every_response() {
        let folder = Folder::new(&[("a.js", b"")]);
        for path in ["/game/a.js", "/game/nothing", "/game"] {
            let answer = folder.ask(Method::Get, path, &[], true);
            assert_eq!(header(&answer, "Cross-Origin-Opener-Policy"), Some("same-origin"), "{path}");
            assert_eq!(header(&answer, "Cross-Origin-Embedder-Policy"), Some("require-corp"), "{path}");
            assert_eq!(header(&answer, "Cross-Origin-Resource-Policy"), Some("same-origin"), "{path}");
        }
    }

    #[test]
    fn conditions_and_ranges_have_their_statuses() {
        let folder = Folder::new(&[("a.bin", b"0123456789")]);
        let whole = folder.ask(Method::Get, "/game/a.bin", &[], false);
        let tag = header(&whole, "ETag").unwrap().to_owned();
        assert_eq!(folder.get("/game/a.bin", &[("If-None-Match", &tag)]), (304, String::new()));
        assert_eq!(folder.get("/game/a.bin", &[("If-Match", "\"x\"")]).0, 412);
        assert_eq!(folder.get("/game/a.bin", &[("Range", "bytes=2-4")]), (206, "234".to_owned()));
        assert_eq!(folder.get("/game/a.bin", &[("Range", "bytes=-3")]), (206, "789".to_owned()));
        let part = folder.ask(Method::Get, "/game/a.bin", &[("Range", "bytes=2-")], false);
        assert_eq!(header(&part, "Content-Range"), Some("bytes 2-9/10"));
        let behind = folder.ask(Method::Get, "/game/a.bin", &[("Range", "bytes=10-")], false);
        assert_eq!((behind.response.status, header(&behind, "Content-Range")), (416, Some("bytes */10")));
        let same = folder.ask(Method::Get, "/game/a.bin", &[("If-None-Match", "*")], false);
        for name in ["ETag", "Last-Modified", "Vary", "Cache-Control", "Date"] {
            assert!(header(&same, name).is_some(), "{name}");
        }
        assert!(header(&same, "Content-Type").is_none() && same.content.is_none());
    }

    #[test]
    fn a_ready_made_compressed_file_is_sent_to_who_takes_it() {
        let folder = Folder::new(&[
            ("a.js", b"plain"),
            ("a.js.br", b"brotli"),
            ("a.js.gz", b"gzip"),
            ("b.js", b"plain"),
            ("b.js.gz", b"gzip"),
            ("c.js.br", b"brotli"),
        ]);
        for (path, accepted, coding, expected) in [
            ("/game/a.js", None, None, "plain"),
            ("/game/a.js", Some("gzip, deflate, br"), Some("br"), "brotli"),
            ("/game/a.js", Some("gzip, deflate"), Some("gzip"), "gzip"),
            ("/game/a.js", Some("gzip;q=1, br;q=0.5"), Some("gzip"), "gzip"),
            ("/game/a.js", Some("br;q=0"), None, "plain"),
            ("/game/b.js", Some("br, gzip"), Some("gzip"), "gzip"),
            ("/game/b.js", Some("br"), None, "plain"),
        ] {
            let lines: Vec<_> = accepted.map(|accepted| ("Accept-Encoding", accepted)).into_iter().collect();
            let answer = folder.ask(Method::Get, path, &lines, false);
            assert_eq!(header(&answer, "Content-Encoding"), coding, "{path} {accepted:?}");
            assert_eq!(header(&answer, "Content-Type"), Some("text/javascript; charset=utf-8"));
            assert_eq!(header(&answer, "Vary"), Some("Accept-Encoding"));
            assert_eq!(body(answer), expected, "{path} {accepted:?}");
        }
        let br = [("Accept-Encoding", "br")];
        assert_eq!(folder.get("/game/c.js", &br).0, 404, "it is beside no file");
        let tags: std::collections::HashSet<_> = ["br", "gzip", ""]
            .map(|accepted| {
                let answer = folder.ask(Method::Get, "/game/a.js", &[("Accept-Encoding", accepted)], false);
                header(&answer, "ETag").unwrap().to_owned()
            })
            .into();
        assert_eq!(tags.len(), 3, "each form has its own tag");
        // The game was built again, and the compressed file was not.
        folder.write("a.js", b"newer", 1_000_000_001);
        assert_eq!(folder.get("/game/a.js", &br).1, "newer");
    }

    #[test]
    fn a_compressed_name_of_unity_has_the_type_of_the_inner_name() {
        let gzip = b"\x1F\x8B";
        let folder = Folder::new(&[
            ("a.wasm.br", b"brotli"),
            ("a.wasm.unityweb", gzip.as_slice()),
            ("a.data.unityweb", b"plain"),
            ("a.tar.gz", b"archive"),
        ]);
        for (path, accepted, mime, coding) in [
            ("/game/a.wasm.br", "gzip, br", "application/wasm", Some("br")),
            ("/game/a.wasm.br", "gzip", "application/octet-stream", None),
            ("/game/a.wasm.unityweb", "gzip", "application/wasm", Some("gzip")),
            ("/game/a.wasm.unityweb", "br", "application/octet-stream", None),
            ("/game/a.data.unityweb", "gzip, br", "application/octet-stream", None),
            ("/game/a.tar.gz", "gzip, br", "application/gzip", None),
        ] {
            let answer = folder.ask(Method::Get, path, &[("Accept-Encoding", accepted)], false);
            assert_eq!(header(&answer, "Content-Type"), Some(mime), "{path} {accepted}");
            assert_eq!(header(&answer, "Content-Encoding"), coding, "{path} {accepted}");
        }
        let plain = folder.ask(Method::Get, "/game/a.wasm.br", &[], false);
        assert_eq!(header(&plain, "Content-Encoding"), Some("br"), "who says nothing takes everything");
        let bytes = folder.ask(Method::Get, "/game/a.wasm.unityweb", &[("Range", "bytes=1-")], false);
        assert_eq!(bytes.content.unwrap().read().unwrap(), gzip[1..]);
    }

    #[test]
    fn a_file_is_read_in_blocks_and_not_beyond_its_length() {
        let long: Vec<u8> = (0..BLOCK * 2 + 10).map(|at| at as u8).collect();
        let folder = Folder::new(&[("long", &long)]);
        let mut content = folder.ask(Method::Get, "/game/long", &[], false).content.unwrap();
        let mut log = File::options().append(true).open(folder.0.join("long")).unwrap();
        std::io::Write::write_all(&mut log, b"behind the end").unwrap();
        let mut read = Vec::new();
        while !content.is_over() {
            let block = content.read().unwrap();
            assert!(!block.is_empty() && block.len() <= BLOCK);
            read.extend(block);
        }
        assert!(read == long && content.read().unwrap().is_empty());
        let mut content = folder.ask(Method::Get, "/game/long", &[], false).content.unwrap();
        content.read().unwrap();
        log.set_len(BLOCK as u64 + 1).unwrap();
        assert_eq!(content.read().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
