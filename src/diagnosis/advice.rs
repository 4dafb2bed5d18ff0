//! The advice at the end: what is wrong, and what to do about it.

use super::clock::{apart, date, ms};
use super::evidence::{Came, Evidence, Foreign};
use super::redact::{plain, scheme};
use super::secrets::Secrets;
use super::{Fault, Subject, Trust};
use crate::endpoint::Info;
use crate::names::{CA_PEM, INSECURE, PIN_SHA256, PROXY, SERVER_NAME};
use crate::status::{Cause, Phase, Text};
use crate::trace::Certificate;
use std::net::SocketAddr;

/// Seconds before the end of a certificate from which on it is mentioned.
const EXPIRES_SOON: u64 = 14 * 86_400;

/// The advice for a fault, or that everything works.
pub(super) fn of(fault: &Fault, subject: &Subject, evidence: &Evidence, info: &Info, secrets: &Secrets) -> String {
    match fault.cause {
        Cause::None => works(subject, evidence),
        Cause::NameNotFound | Cause::NameFailed => of_name(fault, subject, evidence),
        Cause::Refused | Cause::Unreachable => of_address(fault, subject, evidence),
        Cause::ConnectTimeout => of_timeout(fault, subject, evidence),
        Cause::CertificateExpired => of_dates(fault, evidence, secrets),
        Cause::CertificateUntrusted => of_issuer(fault, evidence, secrets),
        Cause::CertificateName => of_certificate_name(fault, subject, evidence, secrets),
        Cause::NotTls if fault.phase == Phase::Tls => format!(
            "Port {} of {} does not speak TLS. Use ws:// instead of wss://, or correct the port: a server with TLS \
             often has another one.",
            subject.port, subject.host
        ),
        Cause::HttpStatus => of_status(fault, subject, info, secrets),
        Cause::HttpInvalid if evidence.foreign.is_some() => of_foreign(fault, subject, evidence),
        Cause::PongTimeout => of_ping(evidence.came),
        Cause::ClosedByPeer => of_close(fault),
        Cause::PeerGone if fault.phase == Phase::Http => of_silent_end(fault, subject),
        Cause::PeerGone | Cause::Reset if fault.phase == Phase::Websocket => format!(
            "The server accepted the connection and then ended it without a close frame: {} Its log may say why; it \
             may have crashed, or a proxy in between has cut the connection.",
            ended(&fault.message)
        ),
        Cause::CloseTimeout => format!(
            "The connection works, and the server answered a ping{}, but it did not answer the close frame (RFC 6455 \
             section 5.5.1). Games work with it, but each close waits for its timeout: correct the server.",
            evidence.rtt.map(|rtt| format!(" in {}", ms(rtt))).unwrap_or_default()
        ),
        _ => sentence(&fault.message),
    }
}

fn works(subject: &Subject, evidence: &Evidence) -> String {
    let mut text = match evidence.rtt {
        Some(rtt) => format!("Everything works: the connection opened, and the server answered a ping in {}.", ms(rtt)),
        None => "The connection opened and closed as it should.".to_owned(),
    };
    if let (Some(failed), Some(used)) = (evidence.failed_ipv6(), evidence.connected) {
        text += &format!(
            " But its IPv6 address {} does not answer as {} does: let the server listen on IPv6 too, or remove the \
             address from its name; players with IPv6 only cannot connect, and others wait longer.",
            failed.ip(),
            used.ip()
        );
    }
    match evidence.chain.0.first().and_then(|leaf| leaf.validity) {
        Some((_, until)) if until >= evidence.clock && until - evidence.clock < EXPIRES_SOON => {
            text += &format!(" Its certificate expires in {}: renew it.", apart(until, evidence.clock));
        }
        _ => {}
    }
    if subject.trust == Trust::Nothing {
        text += &format!(" Its certificate was not verified ({INSECURE}), so others can read and change what is sent.");
    }
    text
}

fn of_name(fault: &Fault, subject: &Subject, evidence: &Evidence) -> String {
    if evidence.is_before_tunnel {
        return format!("The name lookup failed. Check the host in {PROXY} and in the URL: {}", ended(&fault.message));
    }
    let host = plain(&subject.host);
    if fault.cause == Cause::NameNotFound {
        return format!(
            "The name {host} has no address. Check its spelling in the URL. If it is right, the name is not \
             registered, or not known on this network: a name of a company network needs its VPN, and a new one \
             takes up to a day."
        );
    }
    format!(
        "The name {host} could not be looked up. Check that this machine is online and its name server works: {}",
        ended(&fault.message)
    )
}

fn of_address(fault: &Fault, subject: &Subject, evidence: &Evidence) -> String {
    let whom = if evidence.is_before_tunnel { "proxy" } else { "server" };
    let places = places(evidence.lost.iter().map(|(address, _)| *address));
    if fault.cause == Cause::Refused {
        let host = if evidence.is_before_tunnel { PROXY.to_string() } else { plain(&subject.host) };
        return format!(
            "Nothing listens on {places}. Start the {whom}, or correct the port or host ({host}). If it runs, it may \
             listen on another address only (such as 127.0.0.1), or a firewall refuses the connection."
        );
    }
    format!("There is no route to {places}. Check that this machine is online, its VPN, and the address of the {whom}.")
}

fn of_timeout(fault: &Fault, subject: &Subject, evidence: &Evidence) -> String {
    match fault.phase {
        Phase::Tcp => format!(
            "There is no answer from {}. The {} may be off or its address wrong, or a firewall drops the packets: \
             check the address, and that port {} is open in the firewalls and routers in between.",
            places(evidence.silent.iter().copied()),
            if evidence.is_before_tunnel { "proxy" } else { "server" },
            evidence.silent.first().map_or(subject.port, SocketAddr::port)
        ),
        Phase::Tls => format!(
            "Port {} of {} accepts connections and does not answer TLS. It may be a ws:// server, then use ws://; or \
             a server that hangs, then restart it.",
            subject.port, subject.host
        ),
        Phase::Http => format!(
            "Port {} of {} accepts connections and does not answer the request. It may be another kind of server, {}, \
             or a WebSocket server that hangs.",
            subject.port,
            subject.host,
            if subject.is_secure {
                "such as a game server of its own protocol"
            } else {
                "such as one that expects wss://"
            }
        ),
        _ => sentence(&fault.message),
    }
}

fn of_dates(fault: &Fault, evidence: &Evidence, secrets: &Secrets) -> String {
    let clock = evidence.clock;
    let dated: Vec<(&Certificate, (u64, u64))> =
        evidence.chain.0.iter().filter_map(|one| one.validity.map(|validity| (one, validity))).collect();
    if let Some((certificate, (from, _))) = dated.iter().find(|(_, (from, _))| clock < *from) {
        let both = format!(
            "The certificate \"{}\" is not valid before {}, and the clock of this machine says {}, {} earlier.",
            secrets.cover(&certificate.subject),
            date(*from),
            date(clock),
            apart(*from, clock)
        );
        let what = if dated.iter().all(|(_, (from, _))| clock < *from) {
            "This clock is probably wrong: set it. If it is right, the server uses its certificate too early."
        } else {
            "The server uses the certificate too early, or this clock is wrong."
        };
        return format!("{both} {what}");
    }
    match dated.iter().find(|(_, (_, until))| clock > *until) {
        Some((certificate, (_, until))) => format!(
            "The certificate \"{}\" expired on {}, {} ago by the clock of this machine, which says {}. Renew it on \
             the server and have the server load it. If that clock is wrong, set it.",
            secrets.cover(&certificate.subject),
            date(*until),
            apart(clock, *until),
            date(clock)
        ),
        None => sentence(&fault.message),
    }
}

fn of_issuer(fault: &Fault, evidence: &Evidence, secrets: &Secrets) -> String {
    let (chain, count) = &evidence.chain;
    let Some((leaf, last)) = chain.first().zip(chain.last()) else { return sentence(&fault.message) };
    if leaf.is_self_issued {
        return format!(
            "The certificate \"{}\" is self-signed, so nobody vouches for it. For a test or a local network give it \
             as {CA_PEM}, or its SHA-256 as {PIN_SHA256}: {}. A public server needs one of a public authority, such \
             as Let's Encrypt.",
            secrets.cover(&leaf.subject),
            leaf.sha256
        );
    }
    if last.is_self_issued {
        return format!(
            "The chain ends at the authority \"{}\", which is not trusted here. If it is your own, give its \
             certificate as {CA_PEM}. If you do not know it, a company proxy or antivirus program may be reading \
             along.",
            secrets.cover(&last.subject)
        );
    }
    let sent = if *count == 1 { "only its own certificate".to_owned() } else { format!("{count} certificates") };
    format!(
        "The server sent {sent}, and \"{}\", which signed the last, is neither sent nor trusted here: the chain is \
         incomplete, or the authority a private one. Have the server send its whole chain (often fullchain.pem), or \
         give the private authority as {CA_PEM}.",
        secrets.cover(&last.issuer)
    )
}

fn of_certificate_name(fault: &Fault, subject: &Subject, evidence: &Evidence, secrets: &Secrets) -> String {
    let Some(leaf) = evidence.chain.0.first() else { return sentence(&fault.message) };
    let names = match leaf.names.as_slice() {
        [] => format!("no name but the common name \"{}\", which does not count", secrets.cover(&leaf.subject)),
        names => names.iter().map(|name| secrets.cover(name)).collect::<Vec<_>>().join(", "),
    };
    let host = if evidence.is_before_tunnel { "the proxy".to_owned() } else { plain(&subject.host) };
    format!(
        "The certificate is for another name than {host}: it has {names}. Connect by a name that it has, set \
         {SERVER_NAME} to one, or get a certificate with the right subjectAltName. If none of these names is yours, \
         another server answers."
    )
}

fn of_status(fault: &Fault, subject: &Subject, info: &Info, secrets: &Secrets) -> String {
    let header = |name: &str| info.headers.get(name, 0).map(str::trim);
    let sent = |name: &str| subject.request.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let by = header("server").map(|server| format!(" (Server: {})", secrets.cover(server))).unwrap_or_default();
    match fault.http_status {
        200 if is_html(header("content-type")) => format!(
            "A web page came instead of a WebSocket{by}. Either this network asks for a sign-in (a captive portal): \
             open a page in a browser; or the URL is that of a web page: check host and path."
        ),
        401 => {
            let asked = header("www-authenticate").map(|value| secrets.cover(scheme(value)));
            let asked = asked.map(|scheme| format!(" by {scheme}")).unwrap_or_default();
            let what = if sent("authorization") {
                "refused the Authorization header that was sent: check user name, password or token"
            } else {
                "got no Authorization header: put user name and password in the URL, or add the header"
            };
            format!("The server requires authentication{asked} and {what}.")
        }
        403 => format!(
            "The server forbids the connection{by}: check the token or password, and whether it allows the Origin \
             header ({}) and this network's address.",
            if sent("origin") { "one was sent" } else { "none was sent" }
        ),
        404 => format!(
            "Nothing is served at the path {}{by}. Check the path in the URL; a proxy in front of the server may \
             expect another one.",
            plain(info.path())
        ),
        400 if info.text(Text::Body).contains("HTTPS port") => {
            format!("Port {} expects TLS{by}. Use wss:// instead of ws://.", subject.port)
        }
        429 | 503 => {
            let when = header("retry-after").map_or_else(
                || "try again later".to_owned(),
                |after| match after.parse::<u32>() {
                    Ok(seconds) => format!("it asks to try again in {seconds} s"),
                    Err(_) => format!("it asks to try again at {}", secrets.cover(after)),
                },
            );
            format!("{} {when}.", status_of(&fault.message))
        }
        502 | 504 => format!(
            "A proxy in front of the server{by} answered {}, as it cannot reach the server behind it: start that \
             server, or correct the address that the proxy has for it.",
            fault.http_status
        ),
        _ => sentence(&fault.message),
    }
}

/// A message about a status, up to its hint.
fn status_of(message: &str) -> String {
    let mut text = sentence(message);
    if let Some((what, hint)) = message.split_once(": ") {
        let hint = hint.split_once(':').map_or(hint, |(hint, _)| hint);
        text = format!("{}: {hint};", capital(what));
    }
    text
}

fn of_foreign(fault: &Fault, subject: &Subject, evidence: &Evidence) -> String {
    let port = subject.port;
    match evidence.foreign {
        Some(Foreign::Tls) if !subject.is_secure => {
            format!("Port {port} of {} speaks TLS. Use wss:// instead of ws://.", subject.host)
        }
        Some(Foreign::Http2) => format!(
            "The server speaks only HTTP/2 on port {port}, and this client opens WebSockets by HTTP/1.1 (RFC 6455). \
             Enable HTTP/1.1 there, or connect to a port that has it."
        ),
        Some(Foreign::Ssh) => format!("Port {port} belongs to an SSH server. Correct the port."),
        Some(Foreign::Mail) => format!("Port {port} belongs to a server of SMTP, FTP or the like. Correct the port."),
        _ => sentence(&fault.message),
    }
}

fn of_ping(came: Came) -> String {
    if came == Came::Nothing {
        return "The opening handshake succeeded, but the ping was not answered, and nothing else came after it. A \
                proxy, firewall or load balancer between here and the server may pass the handshake on and hold back \
                what follows (turn off its buffering, or use wss://), or the server does not answer pings, which RFC \
                6455 section 5.5.2 requires."
            .to_owned();
    }
    format!(
        "The connection opened, and the server sent {came}, but did not answer the ping, which RFC 6455 section 5.5.2 \
         requires. Correct the server; or a proxy, firewall or load balancer in between holds back what is sent to it: \
         turn off its buffering, or use wss://."
    )
}

fn of_silent_end(fault: &Fault, subject: &Subject) -> String {
    let scheme = if subject.is_secure { "" } else { " It may expect TLS: try wss://." };
    format!("{}{scheme}", sentence(&fault.message))
}

fn of_close(fault: &Fault) -> String {
    let what = match fault.code {
        1001 | 1012 => "The server is being stopped or restarted: try again in a minute.",
        1008 => "Its rules forbid this connection: check the token, version and address.",
        1011 => "It failed inside: its log says why.",
        1013 => "It is full: try again later.",
        _ => {
            "Its log or documentation says what the code means; it may require something in the URL or headers, such \
             as a token."
        }
    };
    format!("The server accepted the connection and closed it at once: {} {what}", ended(&fault.message))
}

fn is_html(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("text/html"))
}

fn places(addresses: impl Iterator<Item = SocketAddr>) -> String {
    let mut places: Vec<String> = Vec::new();
    for address in addresses {
        let place = address.to_string();
        if !places.contains(&place) {
            places.push(place);
        }
    }
    match places.len() {
        0 => "the address".to_owned(),
        1..=3 => places.join(" and "),
        count => format!("{} and {} other addresses", places[0], count - 1),
    }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    capital(&ended(message))
}

/// A message with one mark at its end.
fn ended(message: &str) -> String {
    let message = message.trim_end_matches('.');
    if message.ends_with(['?', '!']) { message.to_owned() } else { format!("{message}.") }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_one_mark_at_its_end() {
        for (message, expected) in [
            ("is it a WebSocket server?", "Is it a WebSocket server?"),
            ("it failed.", "It failed."),
            ("it failed...", "It failed."),
            ("it failed", "It failed."),
            ("it failed!", "It failed!"),
        ] {
            assert_eq!(sentence(message), expected);
        }
    }
}
