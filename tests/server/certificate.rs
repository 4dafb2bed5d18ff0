//! Replacing the certificate of a server that runs, and the warnings before it expires.
#![allow(unsafe_code)] // Calls the C ABI.

use crate::test_server::TestServer;
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wspeer::codes::*;
use wspeer::ffi::*;
use wspeer::internals::net::TlsServer;

/// Longer than thousands of TLS handshakes take, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {
        // SAFETY: every pointer of these tests is NULL or points to a live value of its type.
        unsafe { $call }
    };
}

/// A certificate of ws_make_certificate.
struct Made {
    cert: CString,
    key: CString,
    sha256: CString,
}

fn made(days: u32) -> Made {
    let (mut cert, mut key, mut sha256) = ([0; 2_048], [0; 512], [0; 65]);
    let result = c!(ws_make_certificate(
        c"localhost, 127.0.0.1".as_ptr(),
        days,
        cert.as_mut_ptr(),
        cert.len(),
        key.as_mut_ptr(),
        key.len(),
        sha256.as_mut_ptr(),
        sha256.len()
    ));
    assert_eq!(result, WS_OK, "{}", last_error());
    let text = |bytes: &[i8]| c!(CStr::from_ptr(bytes.as_ptr().cast())).to_owned();
    Made { cert: text(&cert), key: text(&key), sha256: text(&sha256) }
}

/// A certificate that was valid until an hour ago.
fn expired() -> (CString, CString) {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_secs() - 3_600);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    (CString::new(cert.pem()).unwrap(), CString::new(key.serialize_pem()).unwrap())
}

fn last_error() -> String {
    let mut text = [0; 512];
    c!(ws_last_error(text.as_mut_ptr(), text.len(), null_mut()));
    c!(CStr::from_ptr(text.as_ptr())).to_string_lossy().into_owned()
}

fn config() -> ws_config {
    // SAFETY: a ws_config is integers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    c!(ws_config_init(&mut config, size_of::<ws_config>()));
    config
}

fn listen(url: &CStr, cert: Option<(&CStr, &CStr)>) -> (u32, CString) {
    let mut config = config();
    if let Some((cert, key)) = cert {
        (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
    }
    config.handshake_timeout_ms = WS_OFF;
    let (mut server, mut port) = (0, 0);
    assert_eq!(c!(ws_listen(url.as_ptr(), &config, &mut server)), WS_OK, "{}", last_error());
    c!(ws_get_option(server, WS_OPT_PORT, &mut port));
    (server, CString::new(format!("wss://127.0.0.1:{port}")).unwrap())
}

/// A client that trusts this certificate alone.
fn connect(url: &CStr, pin: &Made) -> u32 {
    let mut config = config();
    config.pin_sha256 = pin.sha256.as_ptr();
    config.connect_timeout_ms = WS_OFF;
    let mut client = 0;
    assert_eq!(c!(ws_connect(url.as_ptr(), &config, &mut client)), WS_OK);
    client
}

fn poll_all(server: u32, clients: &[u32]) {
    assert!(ws_poll(server) >= 0);
    for client in clients {
        assert!(ws_poll(*client) >= 0);
    }
}

/// Polls until all clients have left CONNECTING.
fn settle(server: u32, clients: &[u32]) {
    let end = Instant::now() + PATIENCE;
    while clients.iter().any(|client| ws_get_state(*client) == WS_CONNECTING) {
        assert!(Instant::now() < end, "a client neither opened nor failed");
        poll_all(server, clients);
    }
}

/// Why a client ended, WS_CAUSE_*; 0 while it has not.
fn cause(client: u32) -> i32 {
    // SAFETY: an event is integers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    if c!(ws_get_end(client, &mut event)) == WS_OK { event.cause } else { 0 }
}

/// Opens a client and returns why it ended, or 0 when it is open.
fn visit(server: u32, url: &CStr, pin: &Made) -> i32 {
    let client = connect(url, pin);
    settle(server, &[client]);
    let cause = cause(client);
    ws_free(client);
    cause
}

fn set(server: u32, cert: &CStr, key: &CStr) -> i32 {
    c!(ws_set_certificate(server, cert.as_ptr(), key.as_ptr()))
}

#[test]
fn two_thousand_connections_survive_the_replacement_of_the_certificate() {
    const CLIENTS: usize = 2_000;
    let (first, second) = (made(30), made(30));
    let (server, url) = listen(c"wss://127.0.0.1:0", Some((&first.cert, &first.key)));
    let mut clients = Vec::new();
    while clients.len() < CLIENTS - 200 {
        let more: Vec<u32> = (0..200).map(|_| connect(&url, &first)).collect();
        settle(server, &more);
        clients.extend(more);
    }
    // The last ones are in the middle of their handshakes when the certificate is replaced: each sees either.
    let late: Vec<u32> = (0..200).map(|_| connect(&url, &first)).collect();
    let accepted = |server| {
        let mut stats = ws_stats::default();
        c!(ws_get_stats(server, &mut stats, size_of::<ws_stats>()));
        stats.accepted
    };
    let end = Instant::now() + PATIENCE;
    while accepted(server) < (CLIENTS - 100) as u64 {
        assert!(Instant::now() < end);
        poll_all(server, &late);
    }
    assert_eq!(set(server, &second.cert, &second.key), WS_OK, "{}", last_error());
    settle(server, &late);
    let (stayed, refused): (Vec<u32>, Vec<u32>) = late.iter().partition(|client| ws_get_state(**client) == WS_OPEN);
    assert!(stayed.len() >= 100, "{} handshakes that had begun were completed", stayed.len());
    assert!(refused.iter().all(|client| cause(*client) == WS_CAUSE_CERTIFICATE_PIN));
    clients.extend(stayed);

    // Nobody was cut: a message of each arrives, and no DISCONNECTED.
    assert!(clients.iter().all(|client| ws_get_state(*client) == WS_OPEN));
    for client in &clients {
        assert_eq!(c!(ws_put_packet(*client, b"still here".as_ptr(), 10, WS_TEXT)), WS_OK);
    }
    // SAFETY: an event is integers and pointers.
    let mut event: ws_event = unsafe { std::mem::zeroed() };
    let mut messages = 0;
    while messages < clients.len() {
        assert!(Instant::now() < end);
        poll_all(server, &clients);
        while c!(ws_next_event(server, &mut event)) == WS_OK {
            assert!([WS_EVENT_CONNECTED, WS_EVENT_MESSAGE].contains(&event.r#type), "event {}", event.r#type);
            messages += usize::from(event.r#type == WS_EVENT_MESSAGE);
        }
    }

    // New clients see the new certificate, and still do after pairs that cannot be used.
    assert_eq!(visit(server, &url, &second), 0);
    assert_eq!(visit(server, &url, &first), WS_CAUSE_CERTIFICATE_PIN);
    let (old_cert, old_key) = expired();
    for (what, cert, key) in [
        ("the key of another certificate", first.cert.as_c_str(), second.key.as_c_str()),
        ("no PEM", c"cert.pem", second.key.as_c_str()),
        ("no key", first.cert.as_c_str(), first.cert.as_c_str()),
        ("empty", c"", c""),
        ("expired", old_cert.as_c_str(), old_key.as_c_str()),
    ] {
        assert_eq!(set(server, cert, key), WS_ERR_TLS, "{what}");
        assert_eq!(visit(server, &url, &second), 0, "{what}");
    }
    assert_eq!(set(server, &first.cert, &first.key), WS_OK);
    assert_eq!(visit(server, &url, &first), 0);
    assert!(clients.iter().all(|client| ws_get_state(*client) == WS_OPEN));
    ws_free(server);
    clients.iter().chain(&refused).for_each(|client| ws_free(*client));
}

#[test]
fn only_an_open_server_with_tls_takes_a_certificate() {
    let pair = made(30);
    let (plain, _) = listen(c"ws://127.0.0.1:0", None);
    assert_eq!(set(plain, &pair.cert, &pair.key), WS_ERR_KIND);
    assert!(last_error().contains("wss://"), "{}", last_error());
    let (server, url) = listen(c"wss://127.0.0.1:0", Some((&pair.cert, &pair.key)));
    let client = connect(&url, &pair);
    settle(server, &[client]);
    assert_eq!(set(client, &pair.cert, &pair.key), WS_ERR_KIND);
    let mut conn = 0;
    assert_eq!(c!(ws_get_conns(server, &mut conn, 1, &mut 0)), WS_OK);
    assert_eq!(set(conn, &pair.cert, &pair.key), WS_ERR_KIND);
    assert_eq!(c!(ws_set_certificate(server, null(), pair.key.as_ptr())), WS_ERR_NULL);
    assert_eq!(c!(ws_close(server, 0, null())), WS_OK);
    assert_eq!(set(server, &pair.cert, &pair.key), WS_ERR_STATE);
    ws_free(server);
    assert_eq!(set(server, &pair.cert, &pair.key), WS_ERR_HANDLE);
    ws_free(client);
    ws_free(plain);
}

#[test]
fn a_short_buffer_gets_nothing() {
    let (mut cert, mut key, mut sha256) = ([7; 2_048], [7; 512], [7; 65]);
    let mut make = |cert_cap, key_cap, sha256_cap| {
        let names = c"localhost".as_ptr();
        let result = c!(ws_make_certificate(
            names,
            1,
            cert.as_mut_ptr(),
            cert_cap,
            key.as_mut_ptr(),
            key_cap,
            sha256.as_mut_ptr(),
            sha256_cap
        ));
        (result, cert[0] == 7 && key[0] == 7 && sha256[0] == 7)
    };
    assert_eq!(make(100, 512, 65), (WS_ERR_TOO_BIG, true));
    assert!(last_error().starts_with("cert needs "), "{}", last_error());
    assert_eq!(make(2_048, 100, 65), (WS_ERR_TOO_BIG, true));
    assert_eq!(make(2_048, 512, 64), (WS_ERR_TOO_BIG, true));
    assert_eq!(make(0, 0, 0), (WS_ERR_TOO_BIG, true));
    assert_eq!(make(2_048, 512, 65), (WS_OK, false));
    let (mut cert, mut key) = ([0; 2_048], [0; 512]);
    let names = c"localhost".as_ptr();
    let without = |cert, key| c!(ws_make_certificate(names, 1, cert, 2_048, key, 512, null_mut(), 0));
    assert_eq!(without(cert.as_mut_ptr(), key.as_mut_ptr()), WS_OK);
    assert_eq!(without(null_mut(), key.as_mut_ptr()), WS_ERR_NULL);
    assert_eq!(without(cert.as_mut_ptr(), null_mut()), WS_ERR_NULL);
}

/// Lines of the log about the certificate of this server.
fn warnings(url: &CStr) -> Vec<String> {
    let port = url.to_string_lossy().rsplit(':').next().unwrap().to_owned();
    crate::refusals::log()
        .into_iter()
        .filter(|line| line.contains("certificate of") && line.contains(&format!(":{port} ")))
        .collect()
}

#[test]
fn a_certificate_that_ends_within_14_days_is_warned_of() {
    let _alone = crate::refusals::ALONE.lock();
    let (long, short) = (made(15), made(13));
    let (server, url) = listen(c"wss://127.0.0.1:0", Some((&long.cert, &long.key)));
    assert_eq!(warnings(&url), Vec::<String>::new());
    assert_eq!(set(server, &short.cert, &short.key), WS_OK);
    let told = warnings(&url);
    assert!(told.len() == 1 && told[0].contains("expires in 1") && told[0].starts_with("warning: "), "{told:?}");
    // Polls and new clients do not repeat it.
    for _ in 0..20 {
        assert_eq!(visit(server, &url, &short), 0);
    }
    assert_eq!(warnings(&url), Vec::<String>::new());
    assert_eq!(set(server, &long.cert, &long.key), WS_OK);
    assert_eq!(warnings(&url), Vec::<String>::new());
    ws_free(server);
    // One that has expired is warned of, and can be opened as before.
    let (cert, key) = expired();
    let (server, url) = listen(c"wss://127.0.0.1:0", Some((&cert, &key)));
    let told = warnings(&url);
    assert!(told.len() == 1 && told[0].contains("has expired"), "{told:?}");
    ws_free(server);
}

#[test]
fn a_server_that_runs_warns_once_a_day() {
    const DAY: Duration = Duration::from_secs(86_400);
    let _alone = crate::refusals::ALONE.lock();
    let pair = made(5);
    let tls = TlsServer::new(pair.cert.to_str().unwrap(), pair.key.to_str().unwrap()).unwrap();
    let mut test = TestServer::new(&[]);
    let url = CString::new(test.server.url()).unwrap();
    warnings(&url);
    let set = |test: &mut TestServer, tls| test.server.set_certificate(tls, test.now);
    let tls = Arc::new(tls);
    set(&mut test, tls.clone());
    assert_eq!(warnings(&url).len(), 1);
    for _ in 0..3 {
        // The timer of a certificate that was replaced is not used any more.
        set(&mut test, tls.clone());
        assert_eq!(warnings(&url).len(), 1);
    }
    for _ in 0..3 {
        test.now += DAY / 2;
        test.poll();
        assert_eq!(warnings(&url), Vec::<String>::new());
        test.now += DAY / 2;
        test.poll();
        test.poll();
        assert_eq!(warnings(&url).len(), 1);
    }
}
