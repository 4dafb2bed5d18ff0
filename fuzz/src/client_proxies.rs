//! Proxies: what they answer leads to the same however it is cut, and their URLs and the environment never panic or show a secret.

use super::input::{Input, pieces};
use wspeer::internals::opening::{Goal, ProxySetting};
use wspeer::internals::protocol::{Asked, Login, Place, Site, Tunnel};
use wspeer::internals::status::{Cause, Phase};

const MAX_HEADER: usize = 2_048;

pub fn answers(data: &[u8]) {
    let mut input = Input(data);
    let (how, cut) = (input.byte(), input.byte());
    let outcomes = [ask(how, input.0, 0), ask(how, input.0, 1), ask(how, input.0, cut)];
    // A proxy that answers several questions at once answers before it is asked, which depends on the cut.
    let told: Vec<_> = outcomes.into_iter().flatten().collect();
    assert!(told.windows(2).all(|two| two[0] == two[1]), "cut otherwise: {told:?}");
}

/// What was sent meanwhile, and how many bytes are behind the answer, or its status and cause.
type Outcome = (Vec<u8>, Result<usize, (u16, Cause)>);

/// What an answer leads to; `None`: it came before it was asked for.
fn ask(how: u8, answer: &[u8], cut: u8) -> Option<Outcome> {
    let to = Place { site: Site::Name("game.example".to_owned()), port: 443 };
    let login = Login { user: b"player".to_vec(), password: b"topsecret".to_vec() };
    let login = (how & 2 != 0).then_some(&login);
    let (mut tunnel, hello) = match how & 1 {
        0 => Tunnel::by_connect(&to, login, MAX_HEADER),
        _ => Tunnel::by_socks(&to, login),
    };
    assert!(!hello.is_empty());
    let (mut sent, mut at) = (Vec::new(), 0);
    for piece in pieces(answer, cut) {
        match tunnel.receive(piece) {
            Ok(Asked::More(output)) => {
                at += piece.len();
                sent.extend(output);
                assert!(sent.len() < 600, "more than a login and a request");
            }
            Ok(Asked::Open(used)) => {
                assert!(used <= piece.len());
                return Some((sent, Ok(answer.len() - at - used)));
            }
            Err(refused) => {
                let failure = &refused.failure;
                assert!(failure.phase == Phase::Proxy && !failure.message.is_empty());
                assert!(!failure.message.contains("topsecret") && refused.body.len() <= 1_024);
                let is_early = failure.message.contains("before it is asked");
                return (!is_early).then_some((sent, Err((refused.status, failure.cause))));
            }
        }
    }
    let refused = tunnel.receive_eof();
    Some((sent, Err((refused.status, refused.failure.cause))))
}

/// A URL of a proxy, no_proxy and the URL of a server, separated by line breaks.
pub fn urls(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let (proxy, list, server) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let secret = format!("http://topsecret:topsecret@{proxy}");
    for url in [proxy, &secret] {
        match ProxySetting::parse(url) {
            Ok(ProxySetting::Fixed(proxy)) => {
                assert!(!proxy.host.is_empty() && proxy.port > 0);
                assert!(
                    !format!("{proxy:?}").contains("login: Some(b")
                        && proxy.login.iter().all(|login| login.user.len() < 256)
                );
            }
            Ok(_) => {}
            Err(why) => assert!(!why.is_empty() && !why.contains("topsecret"), "{why}"),
        }
    }
    let Ok(url) = url::Url::parse(server) else { return };
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return };
    let goal = Goal { is_secure: url.scheme() == "wss", host: &host, port };
    let environment = |name: &str| match name {
        "no_proxy" => Some(list.to_owned()),
        "http_proxy" | "https_proxy" => Some(proxy.to_owned()),
        _ => None,
    };
    let chosen = ProxySetting::Env.choose(goal, &environment);
    if list == "*" {
        assert_eq!(chosen, Ok(None));
    }
}
