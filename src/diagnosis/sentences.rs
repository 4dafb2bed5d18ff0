//! The sentence of each step.

use super::clock::{apart, date, ms};
use super::evidence::{Came, Evidence, Foreign};
use super::redact::{plain, shown_target};
use super::secrets::Secrets;
use super::{Step, Subject, Trust};
use crate::endpoint::Info;
use crate::names::{ANY_NAME, INSECURE, PIN_SHA256};
use crate::protocol::Headers;
use crate::status::{Cause, Phase, Text};
use crate::trace::{Certificate, Fact};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The first step: what is diagnosed, where and when.
pub(super) fn beginning(subject: &Subject, clock: u64) -> Step {
    let query = match subject.request.target.split_once('?') {
        Some((_, query)) => format!(" (and a query of {} bytes, not shown)", query.len()),
        None => String::new(),
    };
    let proxy = subject.proxy.as_ref().map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
    let time = subject.timeout.map_or_else(|| "no time limit".to_owned(), |time| format!("at most {}", ms(time)));
    let text = format!(
        "wspeer {} on {} {} opens {}{query}{proxy}, {time}; the clock of this machine says {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        subject.url,
        date(clock)
    );
    fine(Phase::None, text)
}

/// The step of a fact; `None`: it is not reported.
pub(super) fn of_fact(
    fact: &Fact,
    at: Instant,
    subject: &Subject,
    evidence: &Evidence,
    secrets: &Secrets,
) -> Option<Step> {
    let took = ms(at.saturating_duration_since(evidence.since));
    let whom = if evidence.is_before_tunnel { "the proxy" } else { "the server" };
    // TLS to a proxy belongs to the proxy.
    let tls = if evidence.is_before_tunnel { Phase::Proxy } else { Phase::Tls };
    Some(match fact {
        Fact::Found { host, addresses, count } => fine(Phase::Dns, found(host, addresses, *count, &took)),
        Fact::Trying(address) => fine(Phase::Tcp, format!("connecting to {address}")),
        Fact::Lost { address, cause, os_error, why } => Step {
            phase: Phase::Tcp,
            cause: *cause,
            os_error: *os_error,
            text: format!("{address} failed{}: {why}", after(evidence.tried_for(*address, at))),
            ..Step::default()
        },
        Fact::Connected { address, unanswered } => {
            let time = after(evidence.tried_for(*address, at));
            let silent = if unanswered.is_empty() {
                String::new()
            } else {
                format!("; no answer yet from {}", list(unanswered))
            };
            fine(Phase::Tcp, format!("{address} accepted the TCP connection{time}{silent}"))
        }
        Fact::Silent { addresses, untried } => {
            let untried = if *untried == 0 { String::new() } else { format!("; {untried} more were not tried") };
            let text = format!("the time is over, and there is no answer from {}{untried}", list(addresses));
            Step { phase: Phase::Tcp, cause: Cause::ConnectTimeout, text, ..Step::default() }
        }
        Fact::Securing { name } => {
            fine(tls, format!("beginning TLS with {whom} {}: 1.2 and 1.3 are offered", plain(name)))
        }
        Fact::Certificate { index, count, certificate } => {
            let number = format!("certificate {} of {count}", index + 1);
            fine(tls, format!("{number}: {}", described(certificate, evidence.clock, secrets)))
        }
        Fact::Verified { refusal: Some(_), .. } => return None,
        Fact::Verified { name, refusal: None } => fine(tls, accepted(name, subject, evidence)),
        Fact::Secured(tls_text) => fine(tls, format!("TLS with {whom} is open after {took}: {tls_text}")),
        Fact::Asking { proxy, to, has_login } => {
            let login = if *has_login { "with" } else { "without" };
            let text = format!("asking the proxy {proxy} for a tunnel to {to}, {login} user name and password");
            fine(Phase::Proxy, text)
        }
        Fact::NextAddress => Step {
            phase: Phase::Proxy,
            cause: Cause::ProxyRefused,
            text: format!("the proxy did not connect to that address after {took}; trying the next one"),
            ..Step::default()
        },
        Fact::Tunneled => fine(Phase::Proxy, format!("the proxy opened the tunnel after {took}")),
        Fact::Requested => fine(Phase::Http, request(subject)),
        Fact::Foreign(bytes) => {
            let what = match Foreign::of(bytes) {
                Foreign::Tls => "TLS",
                Foreign::Http2 => "HTTP/2",
                Foreign::Ssh => "SSH",
                Foreign::Mail => "a protocol such as SMTP or FTP",
                Foreign::Other => "another protocol",
            };
            let text = format!("the server answered after {took}, not in HTTP/1.1 but in {what}");
            Step { phase: Phase::Http, cause: Cause::HttpInvalid, text, ..Step::default() }
        }
    })
}

/// Status and headers of the answer of a server or proxy.
pub(super) fn answer(
    status: u16,
    headers: &Headers,
    now: Instant,
    evidence: &Evidence,
    secrets: &Secrets,
) -> Vec<Step> {
    let (phase, whom) =
        if evidence.is_before_tunnel { (Phase::Proxy, "the proxy") } else { (Phase::Http, "the server") };
    let took = ms(now.saturating_duration_since(evidence.since));
    let name = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
    let step = |text| Step { phase, http_status: status, text, ..Step::default() };
    let shown = secrets.shown_headers(headers);
    let shown = if shown.is_empty() { "none".to_owned() } else { shown };
    vec![step(format!("{whom} answered {status} {name} after {took}")), step(format!("headers of the answer: {shown}"))]
}

/// What the opening handshake agreed on.
pub(super) fn agreed(subject: &Subject, info: &Info, secrets: &Secrets) -> Step {
    let request = &subject.request;
    let subprotocol = match (info.text(Text::Subprotocol), request.subprotocols.len()) {
        ("", 0) => "no subprotocol, as none was offered".to_owned(),
        ("", count) => format!("no subprotocol of the {count} offered"),
        (name, count) => format!("the subprotocol {}, of {count} offered", secrets.cover_subprotocol(name)),
    };
    let extension = match (info.text(Text::Extensions), &request.deflate) {
        ("", None) => "no extension, as none was offered".to_owned(),
        ("", Some(_)) => "no extension, although permessage-deflate was offered".to_owned(),
        (name, _) => format!("the extension {}", secrets.cover(name)),
    };
    Step { http_status: info.http_status, ..fine(Phase::Http, format!("agreed: {subprotocol}; {extension}")) }
}

/// The ping is sent.
pub(super) fn pinging() -> Step {
    fine(Phase::Websocket, "the connection is open; sending a ping")
}

/// The ping was answered.
pub(super) fn pong(rtt: Duration) -> Step {
    fine(Phase::Websocket, format!("the server answered the ping after {}; closing", ms(rtt)))
}

/// The ping was not answered.
pub(super) fn no_pong(waited: Duration, came: Came) -> String {
    format!("the server did not answer the ping within {}; what came: {came}", ms(waited))
}

/// The peer closed the connection.
pub(super) fn closed_by_peer(code: i32, reason: &str, secrets: &Secrets) -> String {
    let reason = if reason.is_empty() {
        "without a reason".to_owned()
    } else {
        format!("with the reason: {}", secrets.cover(reason))
    };
    format!("the server closed the connection with the code {code}, {reason}")
}

/// Facts were left out.
pub(super) fn omitted(count: usize) -> Step {
    fine(Phase::None, format!("{count} more steps like those above are left out"))
}

fn found(host: &str, addresses: &[IpAddr], count: usize, took: &str) -> String {
    let host = plain(host);
    if addresses.len() == 1 && addresses[0].to_string() == host {
        return format!("{host} is an address, so no name is looked up");
    }
    let shown: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    let more = count - shown.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let noun = if count == 1 { "address" } else { "addresses" };
    format!("{host} has {count} {noun}, found after {took}: {}{more}", shown.join(", "))
}

fn described(certificate: &Certificate, clock: u64, secrets: &Secrets) -> String {
    let Certificate { subject, issuer, is_self_issued, names, name_count, validity, sha256 } = certificate;
    let subject = secrets.cover(subject);
    let names: Vec<String> = names.iter().map(|name| secrets.cover(name)).collect();
    let names = match names.as_slice() {
        [] => "without subjectAltName".to_owned(),
        names if names.len() < *name_count => {
            format!("for {} and {} more names", names.join(", "), name_count - names.len())
        }
        names => format!("for {}", names.join(", ")),
    };
    let issuer = if *is_self_issued {
        "signed by itself".to_owned()
    } else {
        format!("signed by \"{}\"", secrets.cover(issuer))
    };
    let validity = match *validity {
        None => "with dates that cannot be read".to_owned(),
        Some((from, until)) => {
            let now = match clock {
                clock if clock < from => format!("begins in {}", apart(from, clock)),
                clock if clock > until => format!("ended {} ago", apart(clock, until)),
                clock => format!("ends in {}", apart(until, clock)),
            };
            format!("valid from {} to {}, which {now}", date(from), date(until))
        }
    };
    format!("\"{subject}\", {names}, {issuer}, {validity}; SHA-256 {sha256}")
}

fn accepted(name: &str, subject: &Subject, evidence: &Evidence) -> String {
    // The settings of the program concern the server alone.
    let trust = if evidence.is_before_tunnel { Trust::Usual } else { subject.trust };
    match trust {
        Trust::Usual => format!("the chain is trusted and valid for {}", plain(name)),
        Trust::AnyName => format!("the chain is trusted; its name was not checked ({ANY_NAME})"),
        Trust::Pin => format!("the certificate has the fingerprint of {PIN_SHA256}"),
        Trust::Nothing => format!("the certificate was accepted without a check ({INSECURE})"),
    }
}

fn request(subject: &Subject) -> String {
    let spec = &subject.request;
    let mut names = vec!["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];
    names.extend((!spec.subprotocols.is_empty()).then_some("Sec-WebSocket-Protocol"));
    names.extend(spec.deflate.is_some().then_some("Sec-WebSocket-Extensions"));
    names.extend(spec.headers.iter().map(|(name, _)| name.as_str()).filter(|name| !name.eq_ignore_ascii_case("host")));
    let names: Vec<String> = names.into_iter().map(plain).collect();
    let subprotocols = match spec.subprotocols.len() {
        0 => "no subprotocol",
        1 => "one subprotocol",
        _ => "several subprotocols",
    };
    let deflate = if spec.deflate.is_some() { "permessage-deflate" } else { "no extension" };
    format!(
        "sent GET {} with the headers {}; it offers {subprotocols} and {deflate}",
        shown_target(&spec.target),
        names.join(", ")
    )
}

fn after(time: Option<Duration>) -> String {
    time.map(|time| format!(" after {}", ms(time))).unwrap_or_default()
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ")
}

fn fine(phase: Phase, text: impl Into<String>) -> Step {
    Step { phase, text: text.into(), ..Step::default() }
}
