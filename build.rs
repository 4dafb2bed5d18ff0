//! Makes the C header into OUT_DIR (a test holds the committed one against it) and sets the name of the shared library.

fn main() {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets it"));
    let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is there and right");
    config.header = Some(std::fs::read_to_string("src/ffi/manual.h").expect("src/ffi/manual.h is there"));
    let header =
        cbindgen::Builder::new().with_crate(root).with_config(config).generate().expect("the exports can be told in C");
    header.write_to_file(out.join("wspeer.h"));
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libwspeer.so.0");
        link_by_soname(&out);
        // Threads of ours may run and fork handlers stay registered after dlclose: the library stays mapped.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}

/// A program that was linked with target/PROFILE/libwspeer.so looks for it by its soname: leaves a link of that name beside where cargo will put it.
#[cfg_attr(not(unix), allow(unused_variables))]
fn link_by_soname(out: &std::path::Path) {
    #[cfg(unix)]
    if let Some(beside) = out.ancestors().nth(3) {
        // It may be there; and who cannot have it can still link the file by its path.
        let _ = std::os::unix::fs::symlink("libwspeer.so", beside.join("libwspeer.so.0"));
    }
}
