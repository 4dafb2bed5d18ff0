//! Writes the C header to OUT_DIR (a test compares the committed one with it), and sets the soname of the library.

fn main() {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets it"));
    let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is there and right");
    config.header = Some(std::fs::read_to_string("src/ffi/manual.h").expect("src/ffi/manual.h is there"));
    let header =
        cbindgen::Builder::new().with_crate(root).with_config(config).generate().expect("the exports can be told in C");
    let mut text = Vec::new();
    header.write(&mut text);
    let text = String::from_utf8(text).expect("the header is UTF-8");
    std::fs::write(out.join("wspeer.h"), wrapped(&text)).expect("OUT_DIR is writable");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwspeer.so.0");
        link_by_soname(&out);
        // The library stays mapped after dlclose: its threads may still run, and its fork handlers stay registered.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

/// Breaks prototypes into lines of at most 120 columns, between parameters. Comments have these lines in the sources.
fn wrapped(header: &str) -> String {
    let mut text = String::new();
    for line in header.lines() {
        let mut rest = line;
        while line.starts_with("WS_API ")
            && rest.len() > 120
            && let Some(comma) = rest[..120].rfind(", ")
        {
            text.push_str(&rest[..=comma]);
            text.push_str("\n   ");
            rest = &rest[comma + 1..];
        }
        text.push_str(rest);
        text.push('\n');
    }
    text
}

/// Leaves a link by the soname beside the place where cargo will put the library: a program that was linked with
/// target/PROFILE/libwspeer.so looks for it by that name.
#[cfg_attr(not(unix), allow(unused_variables))]
fn link_by_soname(out: &std::path::Path) {
    #[cfg(unix)]
    if let Some(beside) = out.ancestors().nth(3) {
        // The link may exist already. Without it, a program can still link the file by its path.
        let _ = std::os::unix::fs::symlink("libwspeer.so", beside.join("libwspeer.so.0"));
    }
}
