"""Debian packages: the library, and what programs are built with."""

import shutil

import archive
from files import AUTHOR, SITE, SUMMARY, WORK, epoch, run, version
from platforms import GLIBC


def write(folder, platform, library):
    parts = archive.contents(platform, library)
    lib = f"usr/lib/{platform.multiarch}"
    doc = {name.removeprefix("share/doc/wspeer/"): file for name, file in parts.items() if "share/doc" in name}
    soname, link = parts["lib/libwspeer.so.0"], parts["lib/libwspeer.so"]
    soname.executable = False
    runtime = {f"{lib}/libwspeer.so.0": soname}
    pkg_config = archive.pkg_config(platform, "/usr", f"${{prefix}}/lib/{platform.multiarch}")
    cmake = archive.cmake(platform, f"lib/{platform.multiarch}", "../../../..")
    develop = {
        **{f"usr/{name}": file for name, file in parts.items() if name.startswith("include/")},
        f"{lib}/libwspeer.so": link,
        f"{lib}/libwspeer.a": parts["lib/libwspeer.a"],
        f"{lib}/pkgconfig/wspeer.pc": archive.text(pkg_config),
        **archive.below(f"{lib}/cmake/wspeer", cmake),
    }
    yield package(
        folder, platform, "libwspeer0", runtime, doc, f"Depends: libc6 (>= {GLIBC})", "libs", "shared library"
    )
    yield package(
        folder,
        platform,
        "libwspeer-dev",
        develop,
        doc,
        f"Depends: libwspeer0 (= {version()})",
        "libdevel",
        "headers and static library",
    )


def package(folder, platform, name, tree, doc, depends, section, what):
    root = WORK / "deb" / f"{name}-{platform.deb}"
    shutil.rmtree(root, ignore_errors=True)
    tree = {**tree, **archive.below(f"usr/share/doc/{name}", doc)}
    # What Debian calls the file with the licences.
    texts = [tree.pop(f"usr/share/doc/{name}/{one}").content.decode() for one in ("LICENSE-MIT", "LICENSE-APACHE")]
    tree[f"usr/share/doc/{name}/copyright"] = archive.text(
        f"wspeer, {SITE}\nMIT OR Apache-2.0\n\n" + "\n\n".join(texts)
    )
    size = sum(len(file.content) for file in tree.values()) // 1024 + 1
    control = f"""Package: {name}
Version: {version()}
Architecture: {platform.deb}
Multi-Arch: same
Section: {section}
Priority: optional
Maintainer: {AUTHOR}
Homepage: {SITE}
Installed-Size: {size}
{depends}
Description: {SUMMARY} ({what})
 A client, a server and Godot's multiplayer peer over ws:// and wss://, behind one C header. No call blocks, and the
 library calls nothing back.
"""
    triggers = {"DEBIAN/triggers": archive.text("activate-noawait ldconfig\n")} if name == "libwspeer0" else {}
    for path, file in {**tree, **triggers, "DEBIAN/control": archive.text(control)}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.link:
            target.symlink_to(file.link)
        else:
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    made = folder / f"{name}_{version()}_{platform.deb}.deb"
    environment = {"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(epoch())}
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, made, env=environment)
    return made
