"""The NuGet package: the assembly in lib/, and the native libraries in runtimes/RID/native."""

import hashlib
import os
import pathlib
import shutil
import xml.sax.saxutils

import needs
from files import AUTHOR, ROOT, SITE, WORK, File, below, licences, read, run, text, version, zipped

ID = "Wspeer"
TAGS = "websocket gamedev multiplayer godot unity"
DESCRIPTION = (
    "WebSockets that a program polls from its frame loop: client, server and Godot-compatible multiplayer peer over "
    "ws:// and wss://."
)


def write(folder, libraries):
    """`libraries` has the library of each platform."""
    natives = {
        f"runtimes/{platform.rid}/native/{platform.shared}": File(library.stripped.read_bytes())
        for platform, library in libraries.items()
    }
    tree = {
        **below("lib/netstandard2.1", assembly()),
        **natives,
        **licences(),
        **read("bindings/csharp/README.md"),
        f"{ID}.nuspec": text(nuspec()),
        "[Content_Types].xml": text(content_types()),
        "_rels/.rels": text(relations()),
    }
    return zipped(tree, folder / f"{ID}.{version()}.nupkg", ["[Content_Types].xml", "_rels/.rels", f"{ID}.nuspec"])


def assembly():
    """Wspeer.dll with its documentation: from WSPEER_ASSEMBLY, a folder that `dotnet build` has filled, or by Mono's
    compiler, whose output differs from run to run only in its identity (MVID), which is computed here."""
    given = os.environ.get("WSPEER_ASSEMBLY")
    folder = pathlib.Path(given) if given else WORK / "nuget"
    if not given:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sources = sorted((ROOT / "bindings/csharp/Runtime/Core").glob("*.cs"))
        # Version attributes, which the project file states for `dotnet build`.
        about = folder / "AssemblyInfo.cs"
        about.write_text(f'[assembly: System.Reflection.AssemblyVersion("{version()}.0")]\n')
        flags = ["-langversion:7.2", "-optimize+", "-unsafe", "-nologo", "-target:library", f"-out:{folder}/{ID}.dll"]
        flags += ["-noconfig", "-nostdlib", f"-r:{needs.netstandard()}"]
        run("mcs", *flags, f"-doc:{folder}/{ID}.xml", about, *sources)
        (folder / f"{ID}.dll").write_bytes(identified((folder / f"{ID}.dll").read_bytes()))
    return {name: File((folder / name).read_bytes()) for name in (f"{ID}.dll", f"{ID}.xml")}


def identified(content):
    """An assembly without what a compiler invents at each run: the time in the PE header is 0, and the GUID of the
    module is a digest of the rest."""
    made = bytearray(content)
    header = int.from_bytes(made[0x3C:0x40], "little")
    made[header + 8 : header + 12] = bytes(4)
    # ECMA-335, II.24.2.1: the root of the metadata, with a header for each stream.
    root = made.index(b"BSJB")
    at = root + 16 + int.from_bytes(made[root + 12 : root + 16], "little") + 4
    for _ in range(int.from_bytes(made[at - 2 : at], "little")):
        offset, size = (int.from_bytes(made[at + one : at + one + 4], "little") for one in (0, 4))
        name = bytes(made[at + 8 : made.index(0, at + 8)])
        if name == b"#GUID":
            made[root + offset : root + offset + size] = bytes(size)
            digest = hashlib.sha256(made).digest()[:16]
            made[root + offset : root + offset + 16] = digest
        at += 8 + (len(name) // 4 + 1) * 4
    return bytes(made)


def nuspec():
    quoted = xml.sax.saxutils.escape
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>{ID}</id>
    <version>{version()}</version>
    <authors>{AUTHOR}</authors>
    <license type="expression">MIT OR Apache-2.0</license>
    <projectUrl>{SITE}</projectUrl>
    <readme>README.md</readme>
    <description>{quoted(DESCRIPTION)}</description>
    <tags>{TAGS}</tags>
    <repository type="git" url="{SITE}" />
    <dependencies>
      <group targetFramework=".NETStandard2.1" />
    </dependencies>
  </metadata>
</package>
"""


def content_types():
    known = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "nuspec": "application/octet"}
    names = ["dll", "xml", "so", "dylib", "md"]
    rows = [(name, "application/octet") for name in names] + list(known.items())
    lines = "".join(f'  <Default Extension="{name}" ContentType="{kind}" />\n' for name, kind in rows)
    lines += "".join(
        f'  <Override PartName="/{name}" ContentType="application/octet" />\n'
        for name in ("LICENSE-MIT", "LICENSE-APACHE")
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\n{lines}</Types>\n'
    )


def relations():
    manifest = "http://schemas.microsoft.com/packaging/2010/07/manifest"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\n'
        f'  <Relationship Type="{manifest}" Target="/{ID}.nuspec" Id="R0" />\n'
        "</Relationships>\n"
    )
