//! The committed header equals the generated one; `make generate` writes it.

#[test]
fn committed_header_is_the_generated_one() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/wspeer.h"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/include/wspeer.h");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "include/wspeer.h is not what the sources say: run `make generate`");
}

#[test]
fn every_name_in_the_header_has_the_ws_prefix() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/include/wspeer.h")).unwrap();
    let names = committed
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .map(|rest| rest.split([' ', '(']).next().unwrap_or_default());
    let strangers: Vec<&str> = names.filter(|name| !name.starts_with("WS")).collect();
    assert!(strangers.is_empty(), "exclude them in cbindgen.toml: {strangers:?}");
}

/// A program linked with the library that `cargo build` makes finds it by its soname.
#[test]
#[cfg(target_os = "linux")]
fn cargo_creates_a_symlink_named_by_the_soname() {
    let program = std::env::current_exe().unwrap();
    let link = program.parent().and_then(|deps| deps.parent()).unwrap().join("libwspeer.so.0");
    assert_eq!(std::fs::read_link(&link).unwrap().to_str(), Some("libwspeer.so"), "{}", link.display());
}
