//! Parses certificates and private keys from PEM text (RFC 7468) as people paste it. No error text contains any part of
//! it.

use crate::error::Error;
use crate::status::ErrorCode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The longest known label is "ENCRYPTED PRIVATE KEY".
const MAX_LABEL: usize = 32;

/// All certificates of a text, in order. A damaged one is an error.
pub(super) fn certificates(field: &str, text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let blocks = whole(field, blocks(text))?;
    let mut list = Vec::new();
    for block in blocks.iter().filter(|block| block.is_certificate()) {
        list.push(
            block
                .certificate()
                .ok_or_else(|| wrong(format!("{field}: the base64 of certificate {} is damaged", list.len() + 1)))?,
        );
    }
    if list.is_empty() { Err(no_certificate(field, &blocks)) } else { Ok(list) }
}

/// The readable certificates of a bundle, in order, and the number of unreadable ones.
pub(super) fn bundle(field: &str, text: &str) -> Result<(Vec<CertificateDer<'static>>, usize), Error> {
    let found = blocks(text);
    let blocks: Vec<&Block> = found.iter().flatten().collect();
    let list: Vec<_> =
        blocks.iter().filter(|block| block.is_certificate()).filter_map(|block| block.certificate()).collect();
    // An incomplete block counts as unreadable, because its label is unknown.
    let unread = found.len() - blocks.iter().filter(|block| !block.label.ends_with("CERTIFICATE")).count() - list.len();
    if list.is_empty() && unread == 0 { Err(no_certificate(field, blocks)) } else { Ok((list, unread)) }
}

fn no_certificate<'a>(field: &str, blocks: impl IntoIterator<Item = &'a Block>) -> Error {
    wrong(if blocks.into_iter().any(Block::is_key) {
        format!("{field} has a private key and no certificate: are certificate and key exchanged?")
    } else {
        format!("{field} has no certificate in it: give the text of a PEM file, not its name")
    })
}

/// The first private key of a text.
pub(super) fn private_key(field: &str, text: &str) -> Result<PrivateKeyDer<'static>, Error> {
    let blocks = whole(field, blocks(text))?;
    let Some(block) = blocks.iter().find(|block| block.is_key()) else {
        return Err(wrong(if blocks.iter().any(Block::is_certificate) {
            format!("{field} has a certificate and no private key: are certificate and key exchanged?")
        } else {
            format!(
                "{field} has no private key in it: give the text of an unencrypted PEM file (PKCS #8, PKCS #1 or SEC1), not its name"
            )
        }));
    };
    if block.is_encrypted() {
        return Err(wrong(format!(
            "{field} is encrypted: write it without its password (openssl pkey -in key.pem -out plain.pem)"
        )));
    }
    PrivateKeyDer::from_pem_slice(block.canonical().as_bytes()).map_err(|_| {
        wrong(format!("{field} cannot be read as a private key: give unencrypted PKCS #8, PKCS #1 or SEC1 PEM text; its base64 may be damaged"))
    })
}

/// One block, from BEGIN to END.
struct Block {
    label: String,
    /// The text between the two lines, without white space.
    body: String,
}

impl Block {
    fn is_certificate(&self) -> bool {
        self.label == "CERTIFICATE"
    }

    /// `None`: its base64 is damaged.
    fn certificate(&self) -> Option<CertificateDer<'static>> {
        CertificateDer::from_pem_slice(self.canonical().as_bytes()).ok()
    }

    fn is_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// Encrypted, by its label (PKCS #8) or by its header "Proc-Type: 4,ENCRYPTED" (RFC 1421).
    fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY" || self.body.contains("ENCRYPTED")
    }

    /// The block as RFC 7468 writes it, except for the length of its lines.
    fn canonical(&self) -> String {
        format!("{BEGIN}{label}{DASHES}\n{body}\n{END}{label}{DASHES}\n", label = self.label, body = self.body)
    }
}

/// The blocks of a text, ignoring everything around them. `None`: a block whose BEGIN or END line is damaged or
/// missing. A byte order mark, indentation, any line ends, line ends written as `\n` (environment variables, JSON),
/// and no line ends at all are accepted.
fn blocks(text: &str) -> Vec<Option<Block>> {
    let text = text.replace("\\r", "\n").replace("\\n", "\n");
    let mut parts = text.split(BEGIN);
    let before = parts.next().unwrap_or_default();
    let mut found: Vec<_> = before.matches(END).map(|_| None).collect();
    for part in parts {
        let block = block(part);
        // An extra END line belongs to a block whose BEGIN line is damaged.
        let ends = part.matches(END).count().max(1);
        found.push(block);
        found.extend((1..ends).map(|_| None));
    }
    found
}

/// Parses a block, after its BEGIN.
fn block(part: &str) -> Option<Block> {
    let (label, behind) = part.split_once(DASHES).filter(|(label, _)| label.len() <= MAX_LABEL)?;
    let (body, _) = behind.split_once(format!("{END}{label}{DASHES}").as_str())?;
    Some(Block { label: label.to_owned(), body: body.split_whitespace().collect() })
}

/// All blocks, or an error if one is incomplete.
fn whole(field: &str, found: Vec<Option<Block>>) -> Result<Vec<Block>, Error> {
    let cut = |index| {
        wrong(format!("{field}: block {} has no whole BEGIN and END line: the text is cut off or damaged", index + 1))
    };
    found.into_iter().enumerate().map(|(index, block)| block.ok_or_else(|| cut(index))).collect()
}

fn wrong(why: String) -> Error {
    Error::new(ErrorCode::Tls, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["game.example".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    /// What pasting does to a text.
    fn pasted(text: &str) -> Vec<(&'static str, String)> {
        vec![
            ("as it is", text.to_owned()),
            ("a byte order mark", format!("\u{FEFF}{text}")),
            ("CRLF", text.replace('\n', "\r\n")),
            ("CR", text.replace('\n', "\r")),
            ("indented", text.lines().map(|line| format!("    {line}  \n")).collect()),
            ("written-out line ends", text.replace('\n', "\\n")),
            ("written-out CRLF", text.replace('\n', "\\r\\n")),
            ("one line", text.replace('\n', "")),
            ("spaces for line ends", text.replace('\n', " ")),
            ("text around it", format!("Bag Attributes\n  friendlyName: x\n{text}\nthe end")),
            ("quotes around it", format!("\"{text}\"")),
            ("empty lines", text.replace('\n', "\n\n")),
        ]
    }

    #[test]
    fn pem_pasted_with_altered_whitespace_is_read() {
        let (cert, key) = made();
        for (how, text) in pasted(&cert) {
            assert_eq!(certificates("cert_pem", &text).unwrap(), certificates("cert_pem", &cert).unwrap(), "{how}");
        }
        for (how, text) in pasted(&key) {
            assert_eq!(private_key("key_pem", &text).unwrap(), private_key("key_pem", &key).unwrap(), "{how}");
        }
        for (_, text) in pasted(&format!("{key}{cert}{cert}")) {
            assert_eq!(certificates("cert_pem", &text).unwrap().len(), 2);
        }
    }

    /// Many kinds of damaged PEM, read as a certificate and as a key.
    #[test]
    fn error_messages_contain_no_part_of_the_pem() {
        let (cert, key) = made();
        let mut tried = 0;
        for text in [&key, &cert, &format!("{cert}{key}")] {
            let damaged = [
                text.replace("-----END", "----END"),
                text.replace("KEY-----", "KEY--"),
                text.replace("-----\n", "\n"),
                text.replace("M", "!"),
                text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
                text.replace("PRIVATE KEY", "SECRET"),
                text.replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1),
            ];
            let cuts = (0..text.len()).step_by(7).flat_map(|at| [text[..at].to_owned(), text[at..].to_owned()]);
            for text in cuts.chain(damaged) {
                for (_, text) in pasted(&text) {
                    let errors = [
                        certificates("cert_pem", &text).err(),
                        private_key("key_pem", &text).err(),
                        bundle("ca_pem", &text).err(),
                    ];
                    for why in errors.into_iter().flatten().map(Error::into_message) {
                        tried += 1;
                        for secret in [&cert, &key] {
                            let secret: String = secret.lines().filter(|line| !line.contains('-')).collect();
                            let leaks = secret
                                .as_bytes()
                                .windows(8)
                                .any(|piece| why.as_bytes().windows(8).any(|said| said == piece));
                            assert!(!leaks && why.len() < 200, "{why}");
                        }
                    }
                }
            }
        }
        assert!(tried > 1_000);
    }

    /// A damaged block of a bundle does not affect the others.
    #[test]
    fn a_damaged_block_does_not_affect_the_rest_of_a_bundle() {
        let (cert, key) = made();
        let good = certificates("ca_pem", &cert).unwrap().remove(0);
        let body = cert.lines().nth(1).unwrap();
        let damaged = [
            ("no END line", cert.split("-----END").next().unwrap().to_owned()),
            ("no BEGIN line", cert.split_once("CERTIFICATE-----\n").unwrap().1.to_owned()),
            ("a BEGIN line cut", cert.replacen("-----\n", "---\n", 1)),
            ("an END line cut", cert.replace("-----END", "----END")),
            ("END of another kind", cert.replace("END CERTIFICATE", "END X")),
            ("cut off", cert[..cert.len() / 2].to_owned() + "\n"),
            ("cut off, in one line", cert[..cert.len() / 2].replace('\n', "")),
            ("BEGIN alone", "-----BEGIN ".to_owned()),
            ("a label without end", format!("-----BEGIN {}", "CERTIFICATE".repeat(9))),
            ("a bad character", cert.replacen(body, &format!("!{}", &body[1..]), 1)),
            ("a short line", cert.replacen(body, &body[..body.len() - 3], 1)),
            ("of openssl's own kind", cert.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
        ];
        for (what, bad) in damaged {
            for (text, kept) in [
                (format!("{cert}{bad}"), 1),
                (format!("{bad}{cert}"), 1),
                (format!("{cert}{bad}{cert}"), 2),
                (bad.clone(), 0),
            ] {
                for (how, text) in pasted(&text) {
                    let (list, unread) = bundle("ca_pem", &text).unwrap();
                    assert_eq!((list, unread), (vec![good.clone(); kept], 1), "{what}, {how}");
                }
            }
        }
        assert_eq!(bundle("ca_pem", &format!("{cert}{key}")).unwrap(), (vec![good], 0), "a key is no certificate");
        assert!(bundle("ca_pem", &key).unwrap_err().into_message().contains("exchanged"));
        assert!(bundle("ca_pem", "ca.pem").unwrap_err().into_message().contains("not its name"));
    }

    #[test]
    fn error_messages_name_common_mistakes() {
        let (cert, key) = made();
        let of_cert = |text: &str| certificates("cert_pem", text).unwrap_err().into_message();
        let of_key = |text: &str| private_key("key_pem", text).unwrap_err().into_message();
        assert!(of_cert(&key).contains("exchanged"));
        assert!(of_key(&cert).contains("exchanged"));
        assert!(of_cert("cert.pem").contains("not its name"));
        assert!(of_key("key.pem").contains("not its name"));
        assert!(of_key(&key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")).contains("password"));
        assert!(of_cert(&format!("{cert}{}", cert.replace("M", "!"))).contains("certificate 2"));
        assert!(of_key(&key[..key.len() / 2]).contains("cut off"));
    }
}
