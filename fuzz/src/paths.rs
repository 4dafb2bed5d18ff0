//! Paths and headers of requests for files: a path names files below a directory, or nothing; a range lies in its file.

use super::input::Input;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::path::{Component, Path};
use std::time::{Duration, UNIX_EPOCH};
use wspeer::internals::files::{FilePath, Outcome, Stamp};
use wspeer::internals::protocol::Headers;

/// A byte, the length of the path, the path, and lines of headers for the file.
pub fn paths(data: &[u8]) {
    let mut input = Input(data);
    let (choice, len) = (input.byte(), usize::from(input.byte()));
    path(&String::from_utf8_lossy(input.take(len)));
    headers(choice, input.0);
}

fn path(text: &str) {
    let Some(parsed) = FilePath::parse(text) else { return };
    let mut joined = Path::new("/served").to_owned();
    for name in &parsed.names {
        assert!(!name.is_empty() && !name.starts_with('.') && !name.ends_with(['.', ' ']), "{text:?}: {name:?}");
        assert!(!name.contains(['/', '\\', ':', '\0']) && !name.chars().any(char::is_control), "{text:?}: {name:?}");
        joined.push(name);
    }
    let components: Vec<_> = joined.components().skip(2).collect();
    assert!(
        components.iter().all(|component| matches!(component, Component::Normal(_))) && joined.starts_with("/served")
    );
    assert_eq!(components.len(), parsed.names.len());
    // Written with percent codes, it is the same path.
    let mut written: String = parsed
        .names
        .iter()
        .flat_map(|name| name.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().into_iter().zip(0..))
        .map(|(code, at)| if at == 0 { format!("/{code}") } else { code })
        .collect();
    if parsed.is_folder {
        written.push('/');
    }
    assert_eq!(FilePath::parse(&written).as_ref(), Some(&parsed), "{text:?} as {written:?}");
    assert!(parsed.below(&parsed).is_some_and(<[String]>::is_empty));
    let deeper = FilePath { names: [&parsed.names[..], &["more".to_owned()]].concat(), is_folder: false };
    assert_eq!(deeper.below(&parsed), Some(&["more".to_owned()][..]));
    assert_eq!(parsed.below(&deeper), None);
}

fn headers(choice: u8, lines: &[u8]) {
    let mut map = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        if let (Some(Ok(name)), Some(Ok(value))) =
            (halves.next().map(HeaderName::from_bytes), halves.next().map(HeaderValue::from_bytes))
        {
            map.append(name, value);
        }
    }
    let headers = Headers::from_map(&map);
    let len = u64::from(choice >> 1);
    let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let stamp = Stamp { len, modified: Some(modified), tag: "\"tag\"".to_owned() };
    let is_get = choice & 1 == 0;
    match Outcome::of(&headers, &stamp, is_get, modified + Duration::from_secs(9)) {
        Outcome::Part { first, len: part } => {
            assert!(is_get && part > 0 && first + part <= len && headers.count("range") == 1);
        }
        Outcome::Unsatisfiable => assert!(is_get && headers.count("range") == 1),
        Outcome::NotModified => {
            assert!(headers.count("if-none-match") + headers.count("if-modified-since") > 0);
        }
        Outcome::Failed => assert!(headers.count("if-match") + headers.count("if-unmodified-since") > 0),
        Outcome::Whole => {}
    }
}
