//! Certificates of many kinds, made by openssl and served by it: which trust settings accept them, and what the others
//! report.
#![allow(unsafe_code)] // Calls the C ABI.

#[path = "../support/c_host.rs"]
mod c_host;

use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use wspeer::codes::*;
use wspeer::ffi::*;

/// Whether openssl is installed; in CI it must be.
fn has_openssl() -> bool {
    let found =
        Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(found || std::env::var_os("CI").is_none(), "openssl is missing");
    found
}

/// A temporary folder, deleted on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wspeer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate: openssl arguments that make its key, and those that sign it. Its files are `{}.key` and `{}.pem`.
struct Made {
    name: &'static str,
    key: &'static str,
    sign: &'static str,
}

const EC: &str = "ecparam -name prime256v1 -genkey -noout";
const OWN: &str = "req -x509 -new -days 30 -subj /CN=localhost";
const CSR: &str = "req -new -subj /CN=localhost";

fn make(folder: &Folder, made: &Made) {
    let Made { name, key, sign } = made;
    openssl(&folder.0, &format!("{key} -out {name}.key"));
    for step in sign.split(';') {
        openssl(&folder.0, &step.replace("{}", name));
    }
}

/// `openssl s_server -www`, which answers every request with 200: a client that gets a status has passed TLS.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Folder, name: &str, version: &str) -> Server {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cipher", "ALL:@SECLEVEL=0", version])
            .args(["-cert", &folder.file(&format!("{name}.pem")), "-key", &folder.file(&format!("{name}.key"))])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let accept = lines
            .find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned))
            .expect("s_server did not listen");
        // Drains the further output, so that s_server does not block.
        std::thread::spawn(move || lines.for_each(drop));
        let port = accept.rsplit(':').next().unwrap().trim().parse().unwrap();
        Server { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a client verifies the server.
enum Trust<'a> {
    Ca(&'a str),
    Insecure,
    Pin,
}

/// Connects and returns the end event.
fn end_of(port: u16, trust: &Trust<'_>, pem: &str) -> c_host::Event {
    let url = CString::new(format!("wss://localhost:{port}/")).unwrap();
    let (ca, pin);
    // SAFETY: a config is numbers and pointers.
    let mut config: ws_config = unsafe { std::mem::zeroed() };
    // SAFETY: it lives.
    assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
    match trust {
        Trust::Ca(pem) => {
            ca = CString::new(*pem).unwrap();
            config.ca_pem = ca.as_ptr();
            config.flags |= WS_ONLY_CA_PEM;
        }
        Trust::Insecure => config.flags |= WS_INSECURE,
        Trust::Pin => {
            pin = CString::new(fingerprint(pem)).unwrap();
            config.pin_sha256 = pin.as_ptr();
        }
    }
    let mut client = 0;
    // SAFETY: everything lives.
    assert_eq!(unsafe { ws_connect(url.as_ptr(), &config, &mut client) }, WS_OK, "{}", c_host::last_error());
    let mut end = None;
    c_host::until("the end", || {
        c_host::poll(client);
        end = std::iter::from_fn(|| c_host::next(client)).find(c_host::Event::is_end);
        end.is_some()
    });
    c_host::free(client);
    end.unwrap()
}

fn fingerprint(pem: &str) -> String {
    use rustls::pki_types::pem::PemObject;
    let der = rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    ring::digest::digest(&ring::digest::SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn common_certificates_are_accepted_or_refused_with_a_reason() {
    if !has_openssl() {
        println!("SKIP: openssl is missing");
        return;
    }
    let folder = Folder::new("certificates");
    make(
        &folder,
        &Made { name: "ca", key: EC, sign: "req -x509 -new -days 30 -subj /CN=authority -key {}.key -out {}.pem" },
    );
    std::fs::write(folder.0.join("san.ext"), "subjectAltName=DNS:localhost\n").unwrap();
    let own = |options: &str| -> &'static str { format!("{OWN} -key {{}}.key -out {{}}.pem {options}").leak() };
    const SAN: &str = "-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    let signed = |options: &str| -> &'static str {
        format!("{CSR} -key {{}}.key -out {{}}.csr;x509 -req -days 30 -in {{}}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {{}}.pem {options}")
            .leak()
    };
    const PASSES: &str = "";
    // Each row: the certificate, the expected error with itself as ca_pem, and with the CA as ca_pem.
    let list = [
        (Made { name: "plain", key: EC, sign: own(SAN) }, PASSES, "signed by nobody"),
        (Made { name: "leaf", key: EC, sign: signed("-extfile san.ext") }, PASSES, PASSES),
        (Made { name: "rsa", key: "genrsa", sign: own(SAN) }, PASSES, "signed by nobody"),
        (
            Made { name: "no_san", key: EC, sign: own("-addext basicConstraints=critical,CA:FALSE") },
            PASSES,
            "signed by nobody",
        ),
        (Made { name: "leaf_no_san", key: EC, sign: signed("-extfile none.ext") }, PASSES, "no name in subjectAltName"),
        (Made { name: "v1", key: EC, sign: signed("") }, PASSES, "version 1"),
        (Made { name: "v1_rsa", key: "genrsa", sign: signed("") }, PASSES, "version 1"),
        (
            Made { name: "v1_other", key: EC, sign: signed("").replace("localhost", "other.example").leak() },
            "set server_name",
            "version 1",
        ),
        (
            Made {
                name: "other_common_name",
                key: EC,
                sign: own("-addext basicConstraints=critical,CA:FALSE").replace("localhost", "other.example").leak(),
            },
            "set server_name",
            "signed by nobody",
        ),
        (
            Made { name: "critical", key: EC, sign: own(&format!("{SAN} -addext 1.2.3.4=critical,ASN1:NULL")) },
            "critical extension",
            "critical extension",
        ),
        (
            Made {
                name: "other_name",
                key: EC,
                sign: own("-addext subjectAltName=DNS:other.example -addext basicConstraints=critical,CA:FALSE"),
            },
            "not for the name",
            "signed by nobody",
        ),
    ];
    std::fs::write(folder.0.join("none.ext"), "basicConstraints=CA:FALSE\n").unwrap();
    let ca = folder.read("ca.pem");
    for (made, by_itself, by_ca) in &list {
        make(&folder, made);
        let pem = folder.read(&format!("{}.pem", made.name));
        for version in ["-tls1_2", "-tls1_3"] {
            let server = Server::start(&folder, made.name, version);
            let tries = [
                ("itself", Trust::Ca(&pem), *by_itself),
                ("its CA", Trust::Ca(&ca), *by_ca),
                ("WS_INSECURE", Trust::Insecure, PASSES),
                ("pin_sha256", Trust::Pin, PASSES),
            ];
            for (by, trust, wanted) in tries {
                let end = end_of(server.port, &trust, &pem);
                let what = format!("{} by {by}, {version}: {}", made.name, end.error_text());
                if wanted == PASSES {
                    assert_eq!((end.phase, end.cause), (WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS), "{what}");
                } else {
                    assert_eq!(end.phase, WS_PHASE_TLS, "{what}");
                    assert!(end.error_text().contains(wanted), "{what}");
                }
            }
        }
    }
}

/// Unsupported key types and sizes are named in the error, for every trust setting.
#[test]
fn weak_or_unknown_keys_and_signatures_are_refused() {
    if !has_openssl() {
        println!("SKIP: openssl is missing");
        return;
    }
    let folder = Folder::new("weak");
    let own = |options: &str| -> &'static str {
        format!("{OWN} -key {{}}.key -out {{}}.pem -addext subjectAltName=DNS:localhost {options}").leak()
    };
    let list = [
        (Made { name: "p521", key: "ecparam -name secp521r1 -genkey -noout", sign: own("") }, "P-521"),
        (Made { name: "rsa1024", key: "genrsa -out rsa1024.key 1024 -out", sign: own("") }, "2048"),
    ];
    for (made, wanted) in &list {
        let Made { name, key, sign } = made;
        let key = key.split(" -out").next().unwrap();
        match *name {
            "rsa1024" => openssl(&folder.0, "genrsa -out rsa1024.key 1024"),
            _ => openssl(&folder.0, &format!("{key} -out {name}.key")),
        }
        openssl(&folder.0, &sign.replace("{}", name));
        let pem = folder.read(&format!("{name}.pem"));
        for version in ["-tls1_2", "-tls1_3"] {
            let server = Server::start(&folder, name, version);
            for trust in [Trust::Ca(&pem), Trust::Insecure] {
                let end = end_of(server.port, &trust, &pem);
                assert_eq!(end.phase, WS_PHASE_TLS, "{name}, {version}: {}", end.error_text());
                assert!(end.error_text().contains(wanted), "{name}, {version}: {}", end.error_text());
            }
        }
    }
}

/// An invalid certificate or key makes ws_listen fail, with the reason.
#[test]
fn an_invalid_certificate_or_key_fails_ws_listen() {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (one, two) = (made("localhost"), made("localhost"));
    let listen = |cert: &str, key: &str| {
        let (cert, key) = (CString::new(cert).unwrap(), CString::new(key).unwrap());
        // SAFETY: a config is numbers and pointers.
        let mut config: ws_config = unsafe { std::mem::zeroed() };
        // SAFETY: it lives.
        assert_eq!(unsafe { ws_config_init(&mut config, size_of::<ws_config>()) }, WS_OK);
        (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr());
        let mut server = 0;
        // SAFETY: everything lives.
        let result = unsafe { ws_listen(c"wss://127.0.0.1:0".as_ptr(), &config, &mut server) };
        c_host::free(server);
        (result, if result == WS_OK { String::new() } else { c_host::last_error() })
    };
    let (cert, key) = (one.cert.pem(), one.signing_key.serialize_pem());
    assert_eq!(listen(&cert, &key).0, WS_OK);
    assert_eq!(listen(&cert.replace('\n', "\\n"), &key.replace('\n', "\\n")).0, WS_OK, "line ends written out");
    for (cert, key, wanted) in [
        (&cert, &two.signing_key.serialize_pem(), "another certificate's"),
        (&format!("{}{cert}", two.cert.pem()), &key, "its own certificate comes first"),
        (&key, &cert, "exchanged"),
        (&cert, &"key.pem".to_owned(), "not its name"),
    ] {
        let (result, sentence) = listen(cert, key);
        assert_eq!(result, WS_ERR_TLS);
        assert!(sentence.contains(wanted), "{sentence}");
    }
}

/// An invalid entry of a bundle is skipped and logged.
#[test]
fn an_invalid_entry_does_not_affect_the_rest_of_a_bundle() {
    use wspeer::internals::net::{TlsClient, TlsClientSettings};
    let good = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let bad = "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n";
    let client = |pem: String| {
        TlsClient::new(
            "localhost",
            TlsClientSettings { ca_pem: Some(pem), only_ca_pem: true, ..TlsClientSettings::default() },
        )
    };
    assert!(client(format!("{good}{bad}")).is_ok());
    assert!(std::iter::from_fn(c_host::log_line).any(|line| line.contains("1 of the 2 certificates of ca_pem")));
    let cut = good.split("-----END").next().unwrap();
    for damaged in [
        cut.to_owned(),
        cut.replace('\n', ""),
        good.replace("END CERTIFICATE", "END X"),
        good.replacen("MII", "!II", 1),
    ] {
        assert!(client(format!("{good}{damaged}{good}")).is_ok());
        assert!(std::iter::from_fn(c_host::log_line).any(|line| line.contains("1 of the 3 certificates of ca_pem")));
        let sentence = client(damaged).err().unwrap().into_message();
        assert!(sentence.contains("no certificate that can be used"), "{sentence}");
    }
    let sentence = client(bad.to_owned()).err().unwrap().into_message();
    assert!(sentence.contains("no certificate that can be used"), "{sentence}");
}
