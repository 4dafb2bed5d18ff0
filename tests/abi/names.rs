//! Error messages name an option by the name that a binding set with ws_set_name().

use crate::c_host::*;
use std::ffi::CString;
use wspeer::codes::*;
use wspeer::ffi::*;

fn set_name(word: &str, name: Option<&str>) -> i32 {
    let [word, name] = [Some(word), name].map(|text| text.map(|text| CString::new(text).unwrap()));
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    // SAFETY: both texts live.
    unsafe { ws_set_name(pointer(&word), pointer(&name)) }
}

/// The error message for a wss:// server without a certificate.
fn error_text() -> String {
    // SAFETY: the URL lives, and NULL is a config of defaults.
    assert_eq!(unsafe { ws_listen(c"wss://127.0.0.1:0".as_ptr(), std::ptr::null(), &mut 0) }, WS_ERR_TLS);
    last_error()
}

#[test]
fn error_messages_use_the_names_set_by_a_binding() {
    assert_eq!(error_text(), "a wss:// server needs cert_pem and key_pem in its config");
    assert_eq!(set_name("cert_pem", Some("the certificate")), WS_OK);
    assert_eq!(error_text(), "a wss:// server needs the certificate and key_pem in its config");
    assert_eq!(set_name("cert_pem", None), WS_OK);
    assert_eq!(error_text(), "a wss:// server needs cert_pem and key_pem in its config");

    // The name is also used in the event of a connection.
    assert_eq!(set_name("max_inflate_ratio", Some("Bombs")), WS_OK);
    let (server, port) = listen(None, |config| {
        config.flags |= WS_DEFLATE;
        config.max_inflate_ratio = 2;
    });
    let client = connect(port, None, |config| {
        config.flags |= WS_DEFLATE;
        config.max_inflate_ratio = WS_OFF;
    });
    until("it is open", || {
        poll(server);
        poll(client);
        ws_get_state(client) == WS_OPEN
    });
    assert_eq!(put(client, &vec![0; 4 << 20]), WS_OK);
    let mut reported = None;
    until("the server refuses the message", || {
        poll(client);
        poll(server);
        reported = next(server).filter(|event| event.kind == WS_EVENT_DISCONNECTED).map(|event| event.error_text());
        reported.is_some()
    });
    assert!(reported.as_ref().is_some_and(|reported| reported.ends_with("; else raise Bombs")), "{reported:?}");
    assert_eq!(set_name("max_inflate_ratio", None), WS_OK);
    free(client);
    free(server);
}

#[test]
fn invalid_names_are_refused() {
    assert_eq!(set_name("a word that no message has", Some("x")), WS_OK);
    assert_eq!(set_name("a word that no message has", None), WS_OK);
    assert_eq!(set_name("port", Some(&"x".repeat(64))), WS_OK);
    assert_eq!(set_name("port", Some(&"x".repeat(65))), WS_ERR_TOO_BIG);
    assert_eq!(set_name(&"x".repeat(65), None), WS_ERR_TOO_BIG);
    assert_eq!(set_name("port", None), WS_OK);
    // SAFETY: NULL is refused, and the text that is not UTF-8 lives.
    assert_eq!(unsafe { ws_set_name(std::ptr::null(), c"x".as_ptr()) }, WS_ERR_NULL);
    // SAFETY: as above.
    assert_eq!(unsafe { ws_set_name(c"port".as_ptr(), c"\xFF".as_ptr()) }, WS_ERR_UTF8);
}
