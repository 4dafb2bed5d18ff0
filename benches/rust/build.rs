//! Compiles the C harness shared with the contestants in C, so that all are measured by the same code.

fn main() {
    let files = ["main", "client", "server", "calls", "common", "scale"].map(|name| format!("../harness/{name}.c"));
    println!("cargo:rerun-if-changed=../harness");
    cc::Build::new()
        .files(&files)
        .define("BENCH_NO_MAIN", None)
        .define("_GNU_SOURCE", None)
        .opt_level(3)
        .compile("harness");
}
