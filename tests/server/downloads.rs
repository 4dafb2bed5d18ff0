//! ws_serve: files sent to plain requests from the port of the server, beside its clients.
#![cfg(unix)]

use crate::test_server::*;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::internals::files::{BLOCK, Directory, FilePath, Site};
use wspeer::internals::status::EventKind;

/// A directory `www` for one test, and `secret` beside it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = Folder(std::env::temp_dir().join(format!("wspeer-served-{}-{number}", std::process::id())));
        std::fs::create_dir_all(folder.0.join("www/sub")).unwrap();
        std::fs::write(folder.0.join("secret"), SECRET).unwrap();
        folder.write("index.html", b"the page");
        folder.write("game.wasm", b"\0asm");
        folder.write("sub/.hidden", SECRET);
        symlink("../secret", folder.0.join("www/link")).unwrap();
        symlink("..", folder.0.join("www/up")).unwrap();
        folder
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.0.join("www").join(name), content).unwrap();
    }

    /// A server that serves it.
    fn served(&self, changes: &[(i32, u32)]) -> TestServer {
        let mut test = TestServer::new(changes);
        self.serve(&mut test, "/");
        test
    }

    fn serve(&self, test: &mut TestServer, prefix: &str) {
        let directory = Directory::new(self.0.join("www").to_str().unwrap()).unwrap();
        test.server.serve(Site { prefix: FilePath::parse(prefix).unwrap(), directory, isolated: false });
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const SECRET: &[u8] = b"SECRET";
const LONG: usize = 6 << 20;

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes()
}

/// Status and body of the first response, and the number of its bytes. `None`: it is not complete.
fn parsed(bytes: &[u8], has_body: bool) -> Option<(u16, &[u8], usize)> {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let status = head[9..12].parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let len = if has_body { length.map_or(0, |length| length.parse().unwrap()) } else { 0 };
    Some((status, bytes.get(end..end + len)?, end + len))
}

/// Sends requests together and reads a response for each: the statuses and bodies.
fn ask(test: &mut TestServer, stream: &mut TcpStream, requests: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    stream.write_all(&requests.concat()).unwrap();
    let (mut bytes, mut found) = (Vec::new(), Vec::new());
    test.poll_until("a response", |_| {
        read(stream, &mut bytes);
        while let Some(request) = requests.get(found.len())
            && let Some((status, body, len)) = parsed(&bytes, !request.starts_with(b"HEAD"))
        {
            found.push((status, body.to_vec()));
            bytes.drain(..len);
        }
        found.len() == requests.len()
    });
    assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
    found
}

/// Lets time pass, in steps that do not count as a gap between polls.
fn pass(test: &mut TestServer, time: u64) {
    for _ in 0..time / 500 {
        test.now += ms(500);
        test.poll();
    }
}

/// The counts of connected, pending, accepted and refused clients, and of downloads.
fn counts(test: &TestServer) -> ([u64; 4], u64) {
    (test.counts(), test.server.downloads()[0])
}

#[test]
fn nothing_is_served_by_default() {
    let folder = Folder::new();
    let mut test = TestServer::new(&[]);
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/")])[0].0, 426);
    // And nothing outside the prefixes.
    folder.serve(&mut test, "/game");
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/game/index.html")])[0], (200, b"the page".to_vec()));
    assert_eq!(ask(&mut test, &mut stream, &[get("/index.html")])[0].0, 426);
    assert!(test.server.serve_no_more(&FilePath::parse("/game").unwrap()));
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/game/index.html")])[0].0, 426);
    let mut stream = test.connect();
    folder.serve(&mut test, "/");
    let post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(ask(&mut test, &mut stream, &[post])[0].0, 405, "only GET and HEAD are for files");
}

#[test]
fn one_connection_gets_many_files_and_causes_no_event() {
    let folder = Folder::new();
    let long: Vec<u8> = (0..3 * BLOCK + 7).map(|at| (at / 3) as u8).collect();
    folder.write("long", &long);
    let mut test = folder.served(&[]);
    let (mut player, key) = test.open();
    test.items();
    let mut stream = test.connect();
    let head = b"HEAD /long HTTP/1.1\r\nHost: h\r\n\r\n".to_vec();
    // Pipelined: the requests arrive together, and the responses in their order.
    let requests = [get("/"), get("/long"), head, get("/nothing"), get("/sub"), get("/game.wasm"), get("/long")];
    let found = ask(&mut test, &mut stream, &requests);
    let statuses: Vec<_> = found.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 200, 200, 404, 301, 200, 200]);
    assert!(found[1].1 == long && found[6].1 == long && found[2].1.is_empty());
    // The WebSocket shares the paths with the page.
    player.write_all(&frame(0x81, b"hello")).unwrap();
    test.poll_until("the message", |test| test.server.available() > 0);
    assert_eq!(test.items(), [(Some(key), EventKind::Message)]);
    assert_eq!(test.given.count.get(), 1, "a request for a file has no handle");
    assert_eq!(counts(&test), ([1, 1, 2, 0], 0), "the connection waits for another request");
    assert_eq!(test.server.downloads()[1], 7);
    // It can become a WebSocket.
    stream.write_all(REQUEST).unwrap();
    test.poll_until("the other client", |test| test.server.keys().count() == 2);
    assert_eq!(counts(&test).0, [2, 0, 2, 0]);
}

#[test]
fn a_connection_ends_when_the_client_or_the_time_says_so() {
    let folder = Folder::new();
    for request in ["GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let mut test = folder.served(&[]);
        let mut stream = test.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        test.poll_until("the end", |_| !read(&mut stream, &mut bytes));
        assert!(bytes.ends_with(b"\r\n\r\nthe page"), "{}", String::from_utf8_lossy(&bytes));
        assert!(String::from_utf8_lossy(&bytes).contains("\r\nConnection: close\r\n"));
        test.poll_until("its removal", |test| counts(test) == ([0, 0, 1, 0], 0));
    }
    let mut test = folder.served(&[]);
    let mut stream = test.connect();
    ask(&mut test, &mut stream, &[get("/")]);
    pass(&mut test, 2_500);
    assert!(read(&mut stream, &mut Vec::new()), "it may send another request for three seconds");
    pass(&mut test, 1_000);
    let mut bytes = Vec::new();
    test.poll_until("the end", |_| !read(&mut stream, &mut bytes));
    assert!(bytes.is_empty(), "{}", String::from_utf8_lossy(&bytes));
    assert!(test.items().is_empty());
    assert_eq!(counts(&test), ([0, 0, 1, 0], 0), "nobody was refused");
}

#[test]
fn no_path_leads_out_of_the_directory() {
    let folder = Folder::new();
    let mut test = folder.served(&[]);
    let mut count = 0;
    let up = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2E.",
        "%252e%252e",
        "..%00",
        "...",
        "..;",
        "%c0%ae%c0%ae",
        "..%c0%af",
        "%uff0e%uff0e",
    ];
    let slash = ["/", "%2f", "%5c", "\\", "//", "%252f", "/./", "%c0%af", "%e2%88%95", "%ef%bc%8f"];
    let mut paths: Vec<String> = up
        .iter()
        .flat_map(|up| {
            slash.iter().flat_map(move |slash| {
                [format!("/{up}{slash}secret"), format!("/sub{slash}{up}{slash}{up}{slash}secret")]
            })
        })
        .collect();
    paths.extend(
        [
            "/link",
            "/link/",
            "/link%00",
            "/up/secret",
            "/up/../secret",
            "/up/www/../secret",
            "/sub/.hidden",
            "/sub/%2ehidden",
            "/sub/.hidden%20",
            "//secret",
            "///secret",
            "/./../secret",
            "/sub/../../secret",
            "/secret",
            "/file:///secret",
            "/?/../secret",
            "/#/../secret",
            "/..?secret",
            "/sub/..%2f..%2fsecret",
            "/index.html/../../secret",
            "/index.html%00/../secret",
            "/www/../secret",
            "/proc/self/root/etc/passwd",
            "/dev/null",
            "/~root",
            "/C:/secret",
            "/index.html::$DATA",
            "/INDEX.HTML",
            "/Index.html",
            "/index.html.",
            "/index.html%20",
            "/index.html/",
        ]
        .map(str::to_owned),
    );
    paths.push(format!("/..{}secret", "/x/..".repeat(20)));
    paths.push(format!("/{}secret", "../".repeat(40)));
    paths.push(folder.0.join("secret").to_str().unwrap().to_owned());
    paths.push(format!("/.{}", folder.0.join("secret").to_str().unwrap()));
    for path in &paths {
        let mut stream = test.connect();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        test.poll_until("the end", |_| !read(&mut stream, &mut bytes));
        let answer = String::from_utf8_lossy(&bytes);
        assert!(!answer.contains("SECRET"), "{path} led to {answer}");
        let expected = if path.starts_with("/?") || path.starts_with("/#") { "HTTP/1.1 200" } else { "HTTP/1.1 4" };
        assert!(answer.starts_with(expected), "{path}: {answer}");
        count += 1;
    }
    assert!(count > 200, "{count}");
    // Absolute form, as for a proxy.
    for (target, status) in [("http://h/index.html", 200), ("http://h/../secret", 404), ("http://h/%2e%2e/secret", 404)]
    {
        let mut stream = test.connect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes();
        assert_eq!(ask(&mut test, &mut stream, &[request])[0].0, status, "{target}");
    }
}

#[test]
fn downloads_are_limited_and_lock_no_player_out() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[
        (WS_OPT_MAX_DOWNLOADS, 3),
        (WS_OPT_MAX_PENDING_HANDSHAKES, 2),
        (WS_OPT_MAX_CLIENTS_PER_ADDRESS, 2),
    ]);
    let mut streams: Vec<_> = (0..3)
        .map(|index| {
            let mut stream = test.connect();
            stream.write_all(&get("/long")).unwrap();
            test.poll_until("a download", |test| counts(test).1 == index + 1);
            stream
        })
        .collect();
    assert_eq!(counts(&test).0, [0, 0, 3, 0], "a download is no pending handshake");
    let mut over = test.connect();
    over.write_all(&get("/")).unwrap();
    let mut bytes = Vec::new();
    test.poll_until("the refusal", |_| {
        read(&mut over, &mut bytes);
        parsed(&bytes, true).is_some()
    });
    let answer = String::from_utf8_lossy(&bytes);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    // Players come in as if there were no downloads.
    let _players = [test.open(), test.open()];
    let mut third = test.connect();
    third.write_all(REQUEST).unwrap();
    let mut bytes = Vec::new();
    test.poll_until("a refusal", |_| !read(&mut third, &mut bytes));
    assert!(bytes.starts_with(b"HTTP/1.1 503 "), "max_clients_per_address counts players");
    // The page can be loaded by an address that has all its players.
    drop(streams.pop());
    test.poll_until("room", |test| counts(test).1 == 2);
    assert_eq!(ask(&mut test, &mut over, &[get("/")])[0].0, 200);
    assert!(test.items().iter().all(|(_, kind)| *kind == EventKind::Connected));
}

#[test]
fn downloads_of_one_address_are_limited() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[(WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, 2)]);
    let mut streams: Vec<_> = (0..3).map(|_| test.connect()).collect();
    for stream in &mut streams[..2] {
        stream.write_all(&get("/long")).unwrap();
    }
    test.poll_until("two downloads", |test| counts(test).1 == 2);
    let mut third = streams.pop().unwrap();
    assert_eq!(ask(&mut test, &mut third, &[get("/")])[0].0, 503);
    drop(streams);
    test.poll_until("their end", |test| counts(test).1 == 0);
    assert_eq!(ask(&mut test, &mut third, &[get("/")])[0].0, 200);
}

#[test]
fn a_method_that_files_do_not_have_is_refused_and_the_connection_goes_on() {
    let folder = Folder::new();
    let mut test = folder.served(&[]);
    let mut stream = test.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").unwrap();
    let mut bytes = Vec::new();
    test.poll_until("the response", |_| {
        read(&mut stream, &mut bytes);
        parsed(&bytes, true).is_some()
    });
    let answer = String::from_utf8_lossy(&bytes);
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("\r\nAllow: GET, HEAD\r\n"), "{answer}");
    assert_eq!(ask(&mut test, &mut stream, &[get("/")])[0].0, 200);
    drop(stream);
    test.poll_until("its removal", |test| counts(test) == ([0, 0, 1, 0], 0));
}

#[test]
fn a_new_connection_takes_the_place_of_the_one_that_waits_longest() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[(WS_OPT_MAX_PENDING_HANDSHAKES, 2)]);
    let mut streams: Vec<_> = (0..2)
        .map(|index| {
            let mut stream = test.connect();
            stream.write_all(&get("/long")).unwrap();
            test.poll_until("a download", |test| counts(test).1 == index + 1);
            stream
        })
        .collect();
    // The second one begins to wait first.
    for (stream, pending) in streams.iter_mut().rev().zip(1..) {
        let mut bytes = Vec::new();
        test.poll_until("the file", |test| {
            read(stream, &mut bytes);
            counts(test).0[1] == pending
        });
        assert!(parsed(&bytes, true).is_some() || read(stream, &mut bytes));
    }
    test.poll_until("rest", |test| !test.server.has_work());
    assert_eq!(counts(&test), ([0, 2, 2, 0], 0), "both stay while nobody needs their places");
    // No time passes.
    let _player = test.open();
    test.poll_until("the end", |_| !read(&mut streams[1], &mut Vec::new()));
    assert!(read(&mut streams[0], &mut Vec::new()), "one place was enough");
    // One that has begun its next request stays, and times out like others.
    streams[0].write_all(b"GET /").unwrap();
    let silent = test.connect();
    test.poll_until("the other", |test| counts(test).0[1] == 2);
    let mut late = test.connect();
    late.write_all(REQUEST).unwrap();
    (0..20).for_each(|_| test.poll());
    assert_eq!(counts(&test).0, [1, 2, 4, 0]);
    assert!(!test.server.has_work() || test.items().len() == 1);
    drop(silent);
    test.poll_until("the late one", |test| counts(test).0[0] == 2);
    assert_eq!(counts(&test).0[3], 1, "only the silent one that left was refused");
}

#[test]
fn who_is_answered_with_503_for_a_file_is_no_refused_client() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[(WS_OPT_MAX_DOWNLOADS, 1)]);
    let mut first = test.connect();
    first.write_all(&get("/long")).unwrap();
    test.poll_until("a download", |test| counts(test).1 == 1);
    let closes = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_vec();
    // It leaves.
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/")])[0].0, 503);
    drop(stream);
    test.poll_until("its removal", |test| counts(test).0 == [0, 0, 2, 0]);
    // The server closes the connection after the response.
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[closes])[0].0, 503);
    drop(stream);
    test.poll_until("its removal", |test| counts(test).0 == [0, 0, 3, 0]);
    // Its time is over.
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/")])[0].0, 503);
    pass(&mut test, 3_500);
    test.poll_until("its removal", |test| counts(test).0 == [0, 0, 4, 0]);
    // What it asks for afterwards can be refused.
    let mut stream = test.connect();
    assert_eq!(ask(&mut test, &mut stream, &[get("/")])[0].0, 503);
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    test.poll_until("its removal", |test| counts(test).0 == [0, 0, 5, 1]);
}

/// Reads up to `count` bytes.
fn read_some(stream: &mut TcpStream, count: usize) -> usize {
    let mut buffer = vec![0; count];
    std::io::Read::read(stream, &mut buffer).unwrap_or(0)
}

#[test]
fn a_slow_downloader_costs_a_bounded_buffer_and_is_dropped_when_it_stalls() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; 4 * LONG]);
    let mut test = folder.served(&[]);
    let mut stream = test.connect();
    stream.write_all(&get("/long")).unwrap();
    test.poll_until("the download", |test| counts(test).1 == 1);
    // The socket is full: polls change nothing more.
    let stalled = |test: &mut TestServer| {
        let mut since = (0, Instant::now());
        test.poll_until("the stall", |test| {
            let sent = test.server.totals().0.wire_out;
            if sent != since.0 {
                since = (sent, Instant::now());
            }
            let queued = test.server.totals().1[3];
            assert!(queued <= 2 * BLOCK as u64 + 4_096, "{queued} bytes are queued");
            sent > 0 && queued > 0 && since.1.elapsed() > ms(50)
        });
    };
    stalled(&mut test);
    let begin = test.now;
    // Each step begins the time again, however slow.
    for _ in 0..5 {
        pass(&mut test, 29_000);
        let mut taken = 0;
        let before = test.server.totals().0.wire_out;
        test.poll_until("a step", |test| {
            taken += read_some(&mut stream, 65_536);
            test.server.totals().0.wire_out >= before + (64 << 10)
        });
        assert_eq!(counts(&test).1, 1, "{taken} bytes were taken");
        stalled(&mut test);
    }
    assert!(test.now - begin > Duration::from_secs(120));
    // A drip is no step.
    let before = test.now;
    test.poll_until("the end", |test| {
        test.now += ms(500);
        read_some(&mut stream, 100);
        counts(test).1 == 0
    });
    assert!((ms(29_000)..ms(35_000)).contains(&(test.now - before)), "after {:?}", test.now - before);
    let mut bytes = Vec::new();
    test.poll_until("the reset or end", |_| !read(&mut stream, &mut bytes));
    assert!(test.items().is_empty());
}

#[test]
fn a_file_that_becomes_shorter_ends_the_connection() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[]);
    let mut stream = test.connect();
    stream.write_all(&get("/long")).unwrap();
    test.poll_until("the download", |test| counts(test).1 == 1 && test.server.totals().0.wire_out > 0);
    let file = std::fs::File::options().write(true).open(folder.0.join("www/long")).unwrap();
    file.set_len(1).unwrap();
    let mut bytes = Vec::new();
    test.poll_until("the end", |_| !read(&mut stream, &mut bytes));
    assert!(bytes.len() < LONG && String::from_utf8_lossy(&bytes).contains(&format!("Content-Length: {LONG}\r\n")));
    test.poll_until("its removal", |test| counts(test) == ([0, 0, 1, 0], 0));
}

#[test]
fn a_file_swapped_for_a_link_while_it_is_served_leaks_nothing() {
    let folder = Folder::new();
    let mut test = folder.served(&[]);
    let mut stream = test.connect();
    let www = folder.0.join("www");
    let mut found = [0; 2];
    for round in 0..200 {
        let (kept, page) = (www.join("kept"), www.join("index.html"));
        if round % 2 == 0 {
            std::fs::rename(&page, &kept).unwrap();
            symlink("../secret", &page).unwrap();
        } else {
            std::fs::remove_file(&page).unwrap();
            std::fs::rename(&kept, &page).unwrap();
        }
        let (status, body) = ask(&mut test, &mut stream, &[get("/")]).remove(0);
        assert!(!body.windows(6).any(|window| window == SECRET));
        assert_eq!(status, if round % 2 == 0 { 404 } else { 200 });
        found[round % 2] += 1;
    }
    assert_eq!(found, [100, 100]);
    // One that is being sent is the file that was opened.
    folder.write("long", &vec![b'x'; LONG]);
    stream.write_all(&get("/long")).unwrap();
    test.poll_until("the download", |test| counts(test).1 == 1 && test.server.totals().1[3] > 0);
    std::fs::remove_file(www.join("long")).unwrap();
    symlink("../secret", www.join("long")).unwrap();
    let mut bytes = Vec::new();
    test.poll_until("all of it", |_| {
        read(&mut stream, &mut bytes);
        parsed(&bytes, true).is_some()
    });
    let (status, body, _) = parsed(&bytes, true).unwrap();
    assert!(status == 200 && body.len() == LONG && body.iter().all(|byte| *byte == b'x'));
}

#[test]
fn a_client_that_leaves_frees_its_download() {
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[]);
    for round in 0..20 {
        let mut stream = test.connect();
        stream.write_all(&get(if round % 2 == 0 { "/long" } else { "/" })).unwrap();
        if round % 4 < 2 {
            test.poll();
        }
        drop(stream);
        test.poll_until("its removal", |test| counts(test) == ([0, 0, round + 1, counts(test).0[3]], 0));
    }
    assert!(test.items().is_empty());
    test.act(|server, cx| server.close(cx, 1_001, ""));
    test.poll_until("the end", |test| test.server.state() == wspeer::internals::status::State::Closed);
}

#[test]
fn a_hundred_downloads_leave_a_hundred_players_their_frames() {
    const COUNT: usize = 100;
    let folder = Folder::new();
    folder.write("long", &vec![b'x'; LONG]);
    let mut test = folder.served(&[(WS_OPT_MAX_DOWNLOADS_PER_ADDRESS, WS_OFF), (WS_OPT_MAX_CLIENTS, WS_OFF)]);
    let mut players: Vec<_> = (0..COUNT).map(|_| test.open().0).collect();
    let mut downloads: Vec<_> = (0..COUNT)
        .map(|_| {
            let mut stream = test.connect();
            stream.write_all(&get("/long")).unwrap();
            stream
        })
        .collect();
    test.poll_until("the downloads", |test| counts(test).1 == COUNT as u64);
    test.items();
    let (mut late, mut sent) = (0, 0);
    for _ in 0..120 {
        let mut buffer = vec![0; 1 << 20];
        for stream in &mut downloads {
            sent += std::io::Read::read(stream, &mut buffer).unwrap_or(0);
        }
        for player in &mut players {
            player.write_all(&frame(0x82, b"a move")).unwrap();
        }
        // Each check of the clock takes 5 us of the budget of 1 ms, of which polls use three quarters.
        let clock = test.clock(Duration::from_micros(5));
        test.poll_within(&clock, Some(1_000));
        test.now += ms(16);
        let came = test.items().iter().filter(|(_, kind)| *kind == EventKind::Message).count();
        // What comes late while budget is left, the system has delivered late.
        if clock.asked.get() >= 150 {
            late += COUNT - came.min(COUNT);
        }
    }
    assert!(late <= 12, "{late} of {} messages came a frame late", 120 * COUNT);
    assert!(sent > 10 * LONG, "the downloads went on: {sent} bytes");
}
