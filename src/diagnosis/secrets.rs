//! What a far side may repeat and a diagnosis must not show: the secrets of URL, headers and proxy, in all their forms.

use crate::protocol::{Login, RequestSpec};
use data_encoding::{BASE64, BASE64_NOPAD};
use percent_encoding::percent_decode_str;
use std::collections::HashSet;

/// Number of bytes in common with a secret from which on a text is not shown.
const REPEATED_BYTES: usize = 6;
/// Bytes of the shortest secret. A shorter one is in too many texts by chance.
const SHORTEST: usize = 3;
/// Maximum bytes of secrets, in all their forms, that texts are compared with. With more, no text is shown.
const MAX_BYTES: usize = 64 << 10;

/// What is secret beside the query and the headers of the request.
#[derive(Default)]
pub struct Hidden {
    /// User names and passwords, of the URL and of the proxy.
    pub logins: Vec<Login>,
    /// The fragment of the URL, or nothing.
    pub fragment: String,
}

/// The secrets, as the parts that a text is compared with. ASCII letters are equal to those of the other case.
#[derive(Default)]
pub struct Secrets {
    /// All parts of `REPEATED_BYTES`, and whole secrets that are shorter.
    parts: HashSet<u64>,
    /// Whether there are parts of so many bytes.
    has_length: [bool; REPEATED_BYTES + 1],
    /// Bytes of all secrets.
    bytes: usize,
}

impl Secrets {
    /// The values of the query and of the program's headers, subprotocols that look like a token, and what else is
    /// hidden.
    pub fn of(request: &RequestSpec, hidden: &Hidden) -> Secrets {
        let mut secrets = Secrets::default();
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').chain(hidden.fragment.split('&')) {
            secrets.add_forms(
                pair.split_once('=').map_or(pair, |(name, value)| if value.is_empty() { name } else { value }),
            );
        }
        let public = |name: &str| ["host", "origin", "user-agent"].iter().any(|one| one.eq_ignore_ascii_case(name));
        for (_, value) in request.headers.iter().filter(|(name, _)| !public(name)) {
            let (is_basic, credentials) = credentials(value);
            secrets.add_forms(credentials);
            let encoded = credentials.trim_end_matches('=').as_bytes();
            if let (true, true, Ok(pair)) = (is_basic, encoded.len() <= MAX_BYTES, BASE64_NOPAD.decode(encoded)) {
                let (user, password) = pair.split_at(pair.iter().position(|byte| *byte == b':').unwrap_or(pair.len()));
                secrets.add(user);
                secrets.add(password.strip_prefix(b":").unwrap_or(password));
            }
        }
        request.subprotocols.iter().filter(|name| is_token(name)).for_each(|name| secrets.add_forms(name));
        for Login { user, password } in &hidden.logins {
            if user.is_empty() && password.is_empty() {
                continue;
            }
            secrets.add(user);
            secrets.add(password);
            secrets.add(BASE64.encode(&[user, b":".as_slice(), password].concat()).as_bytes());
        }
        secrets
    }

    /// Whether a text has a part of a secret in it, as it is or percent-encoded. Takes a time proportional to the text.
    pub fn are_in(&self, text: &str) -> bool {
        self.bytes > MAX_BYTES || forms(text).iter().any(|form| self.are_in_bytes(form))
    }

    fn are_in_bytes(&self, text: &[u8]) -> bool {
        (SHORTEST..=REPEATED_BYTES)
            .filter(|length| self.has_length[*length])
            .any(|length| text.windows(length).any(|part| self.parts.contains(&folded(part))))
    }

    /// Adds a secret that may be percent-encoded.
    fn add_forms(&mut self, secret: &str) {
        if secret.len() > MAX_BYTES {
            self.bytes = MAX_BYTES + 1;
        } else if self.bytes <= MAX_BYTES {
            forms(secret).iter().for_each(|form| self.add(form));
        }
    }

    /// Adds a secret, and what an error message makes of it if it has other bytes than printable ASCII.
    fn add(&mut self, secret: &[u8]) {
        self.add_bytes(secret);
        if secret.len() <= MAX_BYTES
            && secret.iter().any(|byte| !matches!(byte, b' '..=b'~') || b"\"'\\".contains(byte))
        {
            self.add_bytes(secret.escape_ascii().to_string().as_bytes());
        }
    }

    fn add_bytes(&mut self, secret: &[u8]) {
        let length = secret.len().min(REPEATED_BYTES);
        if length < SHORTEST {
            return;
        }
        self.bytes = self.bytes.saturating_add(secret.len());
        if self.bytes <= MAX_BYTES {
            self.has_length[length] = true;
            self.parts.extend(secret.windows(length).map(folded));
        }
    }
}

/// A subprotocol that looks like a token: some programs offer one in place of a name.
pub fn is_token(subprotocol: &str) -> bool {
    subprotocol.len() > 24 || subprotocol.bytes().filter(u8::is_ascii_digit).count() > 4
}

/// A text as it is, percent-decoded, and decoded as a form is, with "+" for a space.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![text.as_bytes().to_vec()];
    if text.contains('%') {
        forms.push(percent_decode_str(text).collect());
    }
    if text.contains('+') {
        forms.push(percent_decode_str(&text.replace('+', " ")).collect());
    }
    forms
}

/// A part of at most `REPEATED_BYTES` in lower case, with its length, as one number.
fn folded(part: &[u8]) -> u64 {
    part.iter().fold(part.len() as u64, |number, byte| number << 8 | u64::from(byte.to_ascii_lowercase()))
}

/// Whether a header's value has the scheme Basic, and its secret part: without the scheme of an authentication.
fn credentials(value: &str) -> (bool, &str) {
    const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "token"];
    match value.trim().split_once(' ') {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => {
            (scheme.eq_ignore_ascii_case("basic"), rest.trim())
        }
        _ => (false, value.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&str, &str)], subprotocols: &[&str]) -> RequestSpec {
        RequestSpec {
            host: "h".to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            subprotocols: subprotocols.iter().map(|name| (*name).to_owned()).collect(),
            deflate: None,
            max_header_bytes: 1_000,
            channel: None,
        }
    }

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.as_bytes().to_vec(), password: password.as_bytes().to_vec() }
    }

    #[test]
    fn each_form_of_each_secret_is_found() {
        let headers = [
            ("Authorization", "Basic Ym9iYnk6cGFzc3dvcmRY"),
            ("Cookie", "id=a%2Fb%2Fc%2Fd"),
            ("X-Key", "key"),
            ("Origin", "https://public.example"),
        ];
        let request = request(
            "/room?t=hi%64%64en%2Dvalue&q=ab+cd+ef+gh&onlyname=&sp%65cial=x%22y%22z%22",
            &headers,
            &["chat", "tok12345"],
        );
        let hidden = Hidden {
            logins: vec![login("administrator", "pa55w@rd!"), login("proxyuser", "proxypass")],
            fragment: "fragsecret".to_owned(),
        };
        let secrets = Secrets::of(&request, &hidden);
        for text in [
            "hi%64%64en",
            "hidden-value",
            "HIDDEN-VALUE",
            "/%68%69%64%64%65%6e",
            "ab cd ef gh",
            "ab+cd+ef+gh",
            "ab%20cd%20ef",
            "onlyname",
            "bobby",
            "passwordX",
            "Ym9iYnk6cGFzc3dvcmRY",
            "id=a/b/c/d",
            "a key here",
            "tok12345",
            "administrator",
            "pa55w@rd!",
            "pa55w%40rd%21",
            &BASE64.encode(b"administrator:pa55w@rd!"),
            &BASE64.encode(b"proxyuser:proxypass"),
            "proxyuser",
            "proxypass",
            "fragsecret",
            r#"x\"y\"z\""#,
        ] {
            assert!(secrets.are_in(text), "{text}");
        }
        for text in ["/room", "chat", "Basic", "https://public.example", "nginx/1.22", ""] {
            assert!(!secrets.are_in(text), "{text}");
        }
    }

    #[test]
    fn with_too_many_secrets_no_text_is_shown() {
        let shown = |bytes: usize| {
            let query: String = (0..bytes / 10).map(|number| format!("a={number:07}&")).collect();
            !Secrets::of(&request(&format!("/?{query}"), &[], &[]), &Hidden::default()).are_in("nginx")
        };
        assert!(shown(60 << 10) && !shown(200 << 10));
        let one = "x".repeat(MAX_BYTES + 1);
        assert!(Secrets::of(&request(&format!("/?{one}"), &[], &[]), &Hidden::default()).are_in("nginx"));
        assert!(Secrets::of(&request("/", &[("X-Key", &one)], &[]), &Hidden::default()).are_in("nginx"));
    }
}
