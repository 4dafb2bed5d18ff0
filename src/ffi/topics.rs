//! Exports for topics.

use super::guard::{guard, wrong};
use super::latest::latest;
use super::pointers::{copy_text, optional_text, put_optional, text};
use super::talk::{packet, replaceable};
use super::types::*;
use crate::error::Error;
use crate::role::Packet;
use crate::status::{ErrorCode, Success};
use crate::table;
use crate::work::Latest;
use std::ffi::c_char;

/// Subscribes a client of a server or host to a topic: from now on it receives what ws_publish() sends to that topic.
/// `conn` is the client's handle. A topic is any name of 1 to 255 bytes without control characters; names are compared
/// byte by byte. It exists while it has a subscriber. A client keeps its topics while its link is lost (session_ms), and
/// leaves them when it ends. Subscribing twice is the same as once.
///
/// Returns WS_OK, WS_ERR_LIMIT (max_topics of the client, max_server_topics of the server), WS_ERR_STATE (the client is
/// not OPEN, or LOST with a session), WS_ERR_ARG (the name), WS_ERR_UTF8, WS_ERR_KIND, WS_ERR_HANDLE, WS_ERR_NULL.
/// Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_subscribe(conn: ws_handle, topic: *const c_char) -> ws_result {
    guard(|| table::subscribe(conn, text("topic", topic)?).map(|()| Success::Ok))
}

/// Ends the subscription of a client to a topic; NULL: to all of its topics. A topic that it has not subscribed to is no
/// error.
///
/// Returns WS_OK, WS_ERR_ARG (the name), WS_ERR_UTF8, WS_ERR_KIND, WS_ERR_HANDLE. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_unsubscribe(conn: ws_handle, topic: *const c_char) -> ws_result {
    guard(|| table::unsubscribe(conn, optional_text("topic", topic)?).map(|()| Success::Ok))
}

/// Sends a message from a server or host to the clients that have subscribed to a topic, except one: `except` is the
/// handle of a client, on a host the id of a peer, which need not exist; 0: nobody is left out. The message is encoded
/// and compressed once, and is sent in order with all other messages. Its cost grows with the number of subscribers, not
/// of clients. A topic without subscribers is no error. On a host `type` may be WS_CALL with WS_SCENE.
///
/// Returns as ws_put_packet() on a server, and WS_ERR_ARG (the name of the topic, a negative `except`). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_publish(
    h: ws_handle,
    topic: *const c_char,
    except: i32,
    data: *const u8,
    len: usize,
    r#type: i32,
) -> ws_result {
    guard(|| {
        let packet = || packet(ws_packet_out { data, len, r#type, target: 0 });
        publish(h, topic, except, None, packet)
    })
}

/// Sends a message to the clients that have subscribed to a topic as ws_publish() does, and for each of them takes the
/// place of the message with the same key that has not left, as ws_put_latest() does.
///
/// Returns as ws_publish(), and WS_ERR_ARG for WS_CALL. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_publish_latest(
    h: ws_handle,
    topic: *const c_char,
    except: i32,
    key: u32,
    data: *const u8,
    len: usize,
    r#type: i32,
) -> ws_result {
    guard(|| publish(h, topic, except, Some(latest(key)), || replaceable(data, len, r#type)))
}

/// Copies the topics of a client of a server or host to `buf`, one a line, sorted; of a server or host: all topics that
/// have subscribers.
///
/// Outputs and results as ws_get_text(). Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ws_get_topics(h: ws_handle, buf: *mut c_char, cap: usize, len: *mut usize) -> ws_result {
    guard(|| {
        put_optional(len, 0);
        copy_text(&table::topics(h)?, buf, cap, len)
    })
}

fn publish<'a>(
    h: ws_handle,
    topic: *const c_char,
    except: i32,
    latest: Option<Latest>,
    packet: impl FnOnce() -> Result<Packet<'a>, Error>,
) -> Result<Success, Error> {
    let topic = text("topic", topic)?;
    if except < 0 {
        let why = format!("except is {except}: pass the handle or id itself, not minus it");
        return Err(wrong(ErrorCode::Arg, why));
    }
    table::publish(h, topic, latest, Packet { target: (except != 0).then_some(except), ..packet()? })
}
