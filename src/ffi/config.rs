//! Converts a ws_config to Settings. It checks sizes, flags and values, so the code below it does not.

use super::config_fields::{
    CONNECT_TIMEOUT_MS, FLAGS, IPV6_PREFIX_BITS, MAX_HEADER_BYTES, SESSION_BYTES, options_of, reserved_of, ws_config,
};
use super::guard::wrong;
use super::pointers::{need, optional_text};
use crate::codes::*;
use crate::endpoint::{Options, Refused, definition};
use crate::error::Error;
use crate::journal;
use crate::multiplayer::{SceneSettings, Wire};
use crate::names::{
    self, ALLOWED_HOSTS, ALLOWED_ORIGINS, APP_HEARTBEAT, AUTH, CERT_PEM, CLIENT_NO_CONTEXT_TAKEOVER, DEFLATE,
    DEFLATE_LEVEL, FORWARDED, GODOT3, HEADERS_COUNT, INSECURE, KEY_PEM, MAX_MESSAGE_BYTES, NO_DELAY, NO_RELAY, Name,
    PIN_SHA256, PROXY, PROXY_PROTOCOL, QUEUE_BEFORE_OPEN, RAW_REPLICATION, SCENE, SERVER_NO_CONTEXT_TAKEOVER,
    SESSION_MS, SHARE_PORT, TRUSTED_PROXIES, X_FORWARDED_FOR,
};
use crate::net::{Networks, TlsClientSettings};
use crate::opening::ProxySetting;
use crate::protocol::{
    Allowed, DeflateSettings, Forwarding, HostList, LONGEST_CONTROL, LONGEST_DRAIN, MAX_BITS, OriginList, check_header,
    check_subprotocols, is_node,
};
use crate::server::Proxies;
use crate::session::Terms;
use crate::status::{ErrorCode, Level};
use crate::table::Settings;
use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

/// Reads the config of a call; NULL means all defaults.
pub(super) fn read(config: *const ws_config, server: bool) -> Result<Settings, Error> {
    let settings = read_all(config, server, false)?;
    match settings.wire {
        Wire::Godot4 => Ok(settings),
        Wire::Godot3 => Err(bad("WS_GODOT3 is for ws_host and ws_join".to_owned())),
        Wire::Scene => Err(bad(format!("{SCENE} is for ws_host and ws_join"))),
    }
}

/// Reads the config of a host or a join.
pub(super) fn read_multiplayer(config: *const ws_config, host: bool) -> Result<Settings, Error> {
    let settings = read_all(config, host, true)?;
    if settings.wire != Wire::Godot4 && settings.queue_before_open && !host {
        return Err(bad(format!(
            "{QUEUE_BEFORE_OPEN} goes neither with WS_GODOT3 nor with {SCENE}, where packets are for others who have yet to come"
        )));
    }
    Ok(settings)
}

/// Reads the config of a local player, whose host is this library.
pub(super) fn read_local(config: *const ws_config) -> Result<Settings, Error> {
    let mut settings = read_multiplayer(config, false)?;
    if copy(config)?.max_put_bytes == 0 {
        set(&mut settings.options, WS_OPT_MAX_PUT_BYTES, WS_OFF)?;
    }
    Ok(settings)
}

fn read_all(config: *const ws_config, server: bool, multiplayer: bool) -> Result<Settings, Error> {
    let config = copy(config)?;
    check_flags(&config)?;
    let has = |flag: u32| config.flags & flag != 0;
    let options = options(&config, server, multiplayer)?;
    let tls = tls(&config)?;
    let headers = headers(&config)?;
    let proxy = match optional_text("proxy", config.proxy)? {
        Some(text) => ProxySetting::parse(text).map_err(bad)?,
        None => ProxySetting::None,
    };
    if proxy != ProxySetting::None && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization")) {
        return Err(bad(format!(
            "header Proxy-Authorization would go to the server: put user name and password in the URL of {PROXY}"
        )));
    }
    Ok(Settings {
        owner: config.owner,
        user: config.user as usize as u64,
        options,
        connect_timeout: match config.connect_timeout_ms {
            0 => Some(Duration::from_millis(u64::from(CONNECT_TIMEOUT_MS))),
            WS_OFF => None,
            ms => Some(Duration::from_millis(u64::from(ms))),
        },
        reconnects: has(WS_RECONNECT) || config.session_ms != 0,
        session: (config.session_ms != 0).then(|| Terms {
            ms: config.session_ms,
            bytes: if config.session_bytes == 0 { SESSION_BYTES } else { config.session_bytes },
            renews: has(WS_RECONNECT),
        }),
        node: node(&config)?,
        wire: wire(config.flags)?,
        scene: SceneSettings { auth: has(WS_AUTH), relay: !has(WS_NO_RELAY), raw_replication: has(WS_RAW_REPLICATION) },
        heartbeat: has(WS_APP_HEARTBEAT),
        queue_before_open: has(WS_QUEUE_BEFORE_OPEN),
        max_header_bytes: match config.max_header_bytes {
            0 => MAX_HEADER_BYTES as usize,
            WS_OFF => usize::MAX / 2,
            bytes => bytes as usize,
        },
        headers,
        proxy,
        deflate: deflate(&config)?,
        subprotocols: match optional_text("subprotocols", config.subprotocols)? {
            Some(list) if !list.trim().is_empty() => check_subprotocols(list).map_err(bad)?,
            _ => Vec::new(),
        },
        allowed: if server { allowed(&config)? } else { Allowed::default() },
        asks: has(WS_ASK),
        shares_port: server && shares_port(&config)?,
        proxies: if server { proxies(&config)? } else { None },
        ipv6_prefix_bits: match config.ipv6_prefix_bits {
            0 => IPV6_PREFIX_BITS,
            bits @ 1..=128 => bits,
            bits => return Err(bad(format!("{} is {bits}: use 1 to 128", names::IPV6_PREFIX_BITS))),
        },
        cert_pem: tls.cert_pem.clone(),
        key_pem: tls.key_pem.clone(),
        tls,
    })
}

/// Whether other servers may listen on the port. What a client that comes back has a session with is one of them, and the
/// system may lead it to another.
fn shares_port(config: &ws_config) -> Result<bool, Error> {
    let shares = config.flags & WS_SHARE_PORT != 0;
    if shares && config.session_ms != 0 {
        return Err(bad(format!(
            "{SHARE_PORT} and {SESSION_MS} exclude each other, as a client that comes back may reach another server on the \
             port: give each server a port of its own, behind a proxy that knows nodes"
        )));
    }
    Ok(shares)
}

/// The name of the server's node: the config's, or a random one.
fn node(config: &ws_config) -> Result<Arc<str>, Error> {
    match optional_text("node", config.node)? {
        Some(name) if !is_node(name) => Err(bad(format!(
            "{} \"{name}\" cannot be used: it has 1 to 32 ASCII letters, digits, '.', '_' and '-'",
            names::NODE
        ))),
        Some(name) => Ok(name.into()),
        None => {
            let mut bytes = [0; 8];
            // Without randomness its name is the same as that of others.
            let _ = getrandom::fill(&mut bytes);
            Ok(data_encoding::HEXLOWER.encode(&bytes).into())
        }
    }
}

/// Bytes of the longest message that Godot's own classes take with their default settings (inbound_buffer_size). A
/// longer one closes the connection.
const GODOT_BYTES: u32 = 65_535;
/// heartbeat_ms of a client with a session: a loss has to be noticed long before the session ends.
const SESSION_HEARTBEAT_MS: u32 = 5_000;

fn check_flags(config: &ws_config) -> Result<(), Error> {
    if let Some((name, value)) = reserved_of(config).into_iter().find(|(_, value)| *value != 0) {
        return Err(bad(format!("{name} is {value}: it must be 0")));
    }
    match config.flags & !FLAGS {
        0 => Ok(()),
        unknown => Err(bad(format!("flags has unknown bits (0x{unknown:x})"))),
    }
}

/// The values of all options. `multiplayer`: of a host or a join.
fn options(config: &ws_config, server: bool, multiplayer: bool) -> Result<Options, Error> {
    let has = |flag: u32| config.flags & flag != 0;
    let mut options = Options::defaults(server || has(WS_APP_HEARTBEAT));
    if !server && config.session_ms != 0 {
        set(&mut options, WS_OPT_HEARTBEAT_MS, SESSION_HEARTBEAT_MS)?;
    }
    if multiplayer {
        set(&mut options, WS_OPT_ON_FULL, WS_FULL_DISCONNECT)?;
        set(&mut options, WS_OPT_MAX_PUT_BYTES, GODOT_BYTES)?;
    }
    for (option, value) in options_of(config) {
        if value != 0 {
            set(&mut options, option, value)?;
        }
    }
    let needs =
        [(config.session_ms != 0, SESSION_MS, LONGEST_DRAIN), (has(WS_APP_HEARTBEAT), APP_HEARTBEAT, LONGEST_CONTROL)];
    for (is_set, name, least) in needs {
        if is_set && options.limit(WS_OPT_MAX_MESSAGE_BYTES) < u64::from(least) {
            let most = config.max_message_bytes;
            return Err(bad(format!("{MAX_MESSAGE_BYTES} is {most}: {name} needs at least {least}")));
        }
    }
    match config.no_delay {
        0 | 1 => {}
        WS_OFF => set(&mut options, WS_OPT_NO_DELAY, 0)?,
        other => return Err(bad(format!("{NO_DELAY} is {other}: use 0 (on) or WS_OFF"))),
    }
    set(&mut options, WS_OPT_COALESCE, u32::from(has(WS_COALESCE)))?;
    set(&mut options, WS_OPT_REFUSE_NEW, u32::from(has(WS_REFUSE_NEW)))?;
    set(&mut options, WS_OPT_REPORT_REFUSED, u32::from(has(WS_REPORT_REFUSED)))?;
    options.deflate_level = match config.deflate_level {
        0 => options.deflate_level,
        level @ 1..=9 => level as u8,
        level => return Err(bad(format!("{DEFLATE_LEVEL} is {level}: use 1 to 9"))),
    };
    Ok(options)
}

/// The hosts and origins that a server allows.
fn allowed(config: &ws_config) -> Result<Allowed, Error> {
    let hosts = optional_text("allowed_hosts", config.allowed_hosts)?.map(HostList::parse).transpose();
    let origins = optional_text("allowed_origins", config.allowed_origins)?.map(OriginList::parse).transpose();
    Ok(Allowed {
        hosts: hosts.map_err(|why| bad(format!("{ALLOWED_HOSTS}: {why}")))?,
        origins: origins.map_err(|why| bad(format!("{ALLOWED_ORIGINS}: {why}")))?,
    })
}

/// The proxies that a server trusts.
fn proxies(config: &ws_config) -> Result<Option<Proxies>, Error> {
    let has = |flag: u32| config.flags & flag != 0;
    let forwarding = match (has(WS_FORWARDED), has(WS_X_FORWARDED_FOR)) {
        (true, true) => {
            return Err(bad(format!(
                "{FORWARDED} and {X_FORWARDED_FOR} are both set: choose the header that your proxy sets, because it passes on the other as the client wrote it"
            )));
        }
        (true, false) => Some(Forwarding::Forwarded),
        (false, true) => Some(Forwarding::XForwardedFor),
        (false, false) => None,
    };
    let header = has(WS_PROXY_PROTOCOL);
    match optional_text("trusted_proxies", config.trusted_proxies)? {
        None if header || forwarding.is_some() => Err(bad(format!(
            "{FORWARDED}, {X_FORWARDED_FOR} and {PROXY_PROTOCOL} need {TRUSTED_PROXIES}, the addresses of your proxies"
        ))),
        None => Ok(None),
        Some(_) if !header && forwarding.is_none() => Err(bad(format!(
            "{TRUSTED_PROXIES} is set without {FORWARDED}, {X_FORWARDED_FOR} or {PROXY_PROTOCOL}: set how your proxy reports a client's address"
        ))),
        Some(list) => {
            let trusted = Networks::parse(list).map_err(|why| bad(format!("{TRUSTED_PROXIES}: {why}")))?;
            Ok(Some(Proxies { trusted, header, forwarding }))
        }
    }
}

fn tls(config: &ws_config) -> Result<TlsClientSettings, Error> {
    let has = |flag: u32| config.flags & flag != 0;
    if has(WS_INSECURE) {
        journal::note(Level::Warn, || {
            format!("{INSECURE} is set: certificates are not checked, so anyone can read and change the traffic")
        });
    }
    let owned = |name: &str, pointer: *const c_char| optional_text(name, pointer).map(|text| text.map(str::to_owned));
    let cert_pem = owned("cert_pem", config.cert_pem)?;
    let key_pem = owned("key_pem", config.key_pem)?;
    if cert_pem.is_some() != key_pem.is_some() {
        return Err(bad(format!("{CERT_PEM} and {KEY_PEM} go together: one of them is NULL")));
    }
    Ok(TlsClientSettings {
        server_name: owned("server_name", config.server_name)?,
        ca_pem: owned("ca_pem", config.ca_pem)?,
        only_ca_pem: has(WS_ONLY_CA_PEM),
        cert_pem,
        key_pem,
        pin_sha256: pin(config.pin_sha256)?,
        insecure: has(WS_INSECURE),
        any_name: has(WS_ANY_NAME),
        trace: None,
    })
}

/// Copies the program's config to the current layout: an older, shorter one is filled with zeros; a newer, longer one
/// must have a tail of zeros.
fn copy(config: *const ws_config) -> Result<ws_config, Error> {
    // SAFETY: all fields of ws_config are integers and pointers, for which zero is a value.
    let mut copy: ws_config = unsafe { std::mem::zeroed() };
    if config.is_null() {
        return Ok(copy);
    }
    // SAFETY: the header says that a config holds at least its struct_size, so its first field is readable.
    let size = unsafe { config.cast::<u32>().read_unaligned() } as usize;
    let known = size_of::<ws_config>();
    if !(WS_CONFIG_MIN_SIZE..=MAX_CONFIG).contains(&size) {
        return Err(bad(format!(
            "struct_size is {size} and should be {known}: fill the config with ws_config_init(&config, sizeof config) first"
        )));
    }
    // SAFETY: the header says that struct_size bytes are readable; no more than this library's own struct is written.
    unsafe { std::ptr::copy_nonoverlapping(config.cast::<u8>(), (&raw mut copy).cast::<u8>(), size.min(known)) };
    if size > known {
        // SAFETY: as above; the tail lies within struct_size.
        let tail = unsafe { std::slice::from_raw_parts(config.cast::<u8>().add(known), size - known) };
        if tail.iter().any(|byte| *byte != 0) {
            return Err(
                bad("it sets a field that this version of wspeer does not know: update the library".to_owned()),
            );
        }
    }
    Ok(copy)
}

/// Size of the first published ws_config, which ended before this field.
const WS_CONFIG_MIN_SIZE: usize = std::mem::offset_of!(ws_config, max_call_bytes);
/// More than any ws_config will ever have.
const MAX_CONFIG: usize = 4_096;

fn headers(config: &ws_config) -> Result<Vec<(String, String)>, Error> {
    if config.headers_count == 0 {
        return Ok(Vec::new());
    }
    need("headers", config.headers)?;
    if config.headers_count > 100 {
        return Err(bad(format!("{HEADERS_COUNT} is {}: at most 100", config.headers_count)));
    }
    let mut list = Vec::new();
    for index in 0..config.headers_count as usize {
        // SAFETY: the header says that `headers` points to headers_count texts; NULL was refused above.
        let pointer = unsafe { config.headers.add(index).read_unaligned() };
        let line = super::pointers::text("a header", pointer)?;
        list.push(check_header(line).map_err(bad)?);
    }
    Ok(list)
}

fn wire(flags: u32) -> Result<Wire, Error> {
    match (flags & WS_GODOT3 != 0, flags & WS_SCENE != 0) {
        (true, true) => Err(bad(format!("{GODOT3} and {SCENE} exclude each other"))),
        (_, false) if flags & (WS_AUTH | WS_NO_RELAY | WS_RAW_REPLICATION) != 0 => {
            Err(bad(format!("{AUTH}, {NO_RELAY} or {RAW_REPLICATION} is set without {SCENE}")))
        }
        (true, false) => Ok(Wire::Godot3),
        (false, true) => Ok(Wire::Scene),
        (false, false) => Ok(Wire::Godot4),
    }
}

fn deflate(config: &ws_config) -> Result<Option<DeflateSettings>, Error> {
    let bits = |name: &str, value: u32| match value {
        0 => Ok(MAX_BITS),
        9..=15 => Ok(value as u8),
        _ => Err(bad(format!("{name} is {value}: use 9 to 15"))),
    };
    let settings = DeflateSettings {
        server_no_takeover: config.flags & WS_SERVER_NO_CONTEXT_TAKEOVER != 0,
        client_no_takeover: config.flags & WS_CLIENT_NO_CONTEXT_TAKEOVER != 0,
        server_bits: bits("server_max_window_bits", config.server_max_window_bits)?,
        client_bits: bits("client_max_window_bits", config.client_max_window_bits)?,
    };
    if config.flags & WS_DEFLATE == 0 && (settings.server_no_takeover || settings.client_no_takeover) {
        return Err(bad(format!(
            "{SERVER_NO_CONTEXT_TAKEOVER} or {CLIENT_NO_CONTEXT_TAKEOVER} is set without {DEFLATE}"
        )));
    }
    Ok((config.flags & WS_DEFLATE != 0).then_some(settings))
}

fn pin(pointer: *const c_char) -> Result<Option<[u8; 32]>, Error> {
    let Some(text) = optional_text("pin_sha256", pointer)? else { return Ok(None) };
    let digits: String = text.chars().filter(|char| *char != ':').collect();
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
    <[u8; 32]>::try_from(bytes)
        .map(Some)
        .map_err(|_| wrong(ErrorCode::Tls, format!("{PIN_SHA256} must be 64 hex digits, colons allowed")))
}

fn set(options: &mut Options, option: i32, value: u32) -> Result<(), Error> {
    let name = definition(option).map_or(Name(""), |definition| Name(definition.name));
    options.set(option, value).map_err(|refused| match refused {
        Refused::Unknown => bad("no option has this number".to_owned()),
        Refused::Value(why) => bad(format!("{name} is {value}: it {why}")),
    })
}

fn bad(why: String) -> Error {
    wrong(ErrorCode::Config, format!("the config cannot be used: {why}"))
}
