//! How a client opens a connection, whatever its URL.

use super::open::Settings;
use super::place::{Place, bad_url};
use crate::codes::WS_OPT_NO_DELAY;
use crate::error::Error;
use crate::net::{Destination, TlsClient, TlsClientSettings};
use crate::opening::{Goal, MAX_TEXT, ProxyKind, ProxySetting, Recipe, Via};
use crate::protocol::{AskedChannel, DeflateSettings, RequestSpec};
use crate::session::Terms;
use crate::status::ErrorCode;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Settings of a client's opening.
pub(super) struct Way {
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
    deflate: Option<DeflateSettings>,
    max_header_bytes: usize,
    channel: Option<AskedChannel>,
    session: Option<Terms>,
    tls: TlsClientSettings,
    proxy: ProxySetting,
    no_delay: bool,
    timeout: Option<Duration>,
    queue_before_open: bool,
}

impl Way {
    /// The part of a client's settings that concerns its opening.
    pub(super) fn of(settings: Settings) -> Way {
        Way {
            headers: settings.headers,
            subprotocols: settings.subprotocols,
            deflate: settings.deflate,
            max_header_bytes: settings.max_header_bytes,
            channel: (settings.heartbeat || settings.session.is_some())
                .then_some(AskedChannel { heartbeat: settings.heartbeat, node: None }),
            session: settings.session,
            tls: settings.tls,
            proxy: settings.proxy,
            no_delay: settings.options.is_on(WS_OPT_NO_DELAY),
            timeout: settings.connect_timeout,
            queue_before_open: settings.queue_before_open,
        }
    }

    /// What opens a connection to the place. The environment's proxies are read here, once.
    pub(super) fn to(&self, place: &Place) -> Result<Recipe, Error> {
        let (host, port) = place.host_and_port()?;
        let via = match &self.proxy {
            ProxySetting::None => None,
            setting => self.via(setting.clone(), &place.url, port)?,
        };
        let tls = match place.url.scheme() {
            "wss" => Some(Arc::new(TlsClient::new(&host, self.tls.clone())?)),
            _ => None,
        };
        let host = place.with_zone(host);
        let to = Destination { host, port, tls, no_delay: self.no_delay, trace: self.tls.trace.clone() };
        Ok(Recipe {
            to,
            via,
            request: self.request(place),
            session: self.session,
            timeout: self.timeout,
            queue_before_open: self.queue_before_open,
        })
    }

    /// The request of the opening handshake at the place.
    pub(super) fn request(&self, place: &Place) -> RequestSpec {
        let mut headers = self.headers.clone();
        let has_own = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        headers.extend(place.authorization().filter(|_| !has_own));
        RequestSpec {
            host: place.authority(),
            target: place.target().to_owned(),
            headers,
            subprotocols: self.subprotocols.clone(),
            deflate: self.deflate,
            max_header_bytes: self.max_header_bytes,
            channel: self.channel.clone(),
        }
    }

    /// Sets an extra header of the request, in the place of all with this name; `None` removes them. False: there would
    /// be more than `most`, and nothing was changed.
    pub(super) fn set_header(&mut self, name: &str, value: Option<String>, most: usize) -> bool {
        let is_other = |(other, _): &(String, String)| !other.eq_ignore_ascii_case(name);
        let fits = value.is_none() || self.headers.iter().filter(|header| is_other(header)).count() < most;
        if fits {
            self.headers.retain(is_other);
            self.headers.extend(value.map(|value| (name.to_owned(), value)));
        }
        fits
    }

    /// Drops all extra headers of the request.
    pub(super) fn drop_headers(&mut self) {
        self.headers.clear();
    }

    /// The proxy for a URL.
    fn via(&self, setting: ProxySetting, url: &Url, port: u16) -> Result<Option<Box<Via>>, Error> {
        let wrong = |why: String| Error::new(ErrorCode::Config, format!("the config cannot be used: {why}"));
        let Some(host) = url.host() else { return Err(bad_url("it has no host")) };
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let goal = Goal { is_secure: url.scheme() == "wss", host: &host, port };
        let Some(proxy) = setting.choose(goal, &variable).map_err(wrong)? else { return Ok(None) };
        if proxy.kind == ProxyKind::Socks5h && matches!(host, Host::Domain(name) if name.len() > MAX_TEXT) {
            return Err(bad_url(&format!("its host is longer than {MAX_TEXT} bytes, which SOCKS cannot ask for")));
        }
        let tls = match proxy.kind {
            ProxyKind::Https => {
                // What the program says about the server's certificate does not hold for the proxy's.
                let trust = TlsClientSettings {
                    ca_pem: self.tls.ca_pem.clone(),
                    only_ca_pem: self.tls.only_ca_pem,
                    trace: self.tls.trace.clone(),
                    ..TlsClientSettings::default()
                };
                let name = proxy.host.split('%').next().unwrap_or("");
                Some(Arc::new(TlsClient::new(name, trust)?))
            }
            _ => None,
        };
        let to = Destination {
            host: proxy.host.clone(),
            port: proxy.port,
            tls,
            no_delay: self.no_delay,
            trace: self.tls.trace.clone(),
        };
        Ok(Some(Box::new(Via { proxy: *proxy, to })))
    }
}
