"""The platforms that `make release` builds for, and what each kind of package calls them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Platform:
    name: str
    # The Rust target.
    target: str
    # The platform tags of a wheel.
    wheel: tuple
    # NuGet's runtime identifier.
    rid: str
    # The Rust target of the command line, if it has an archive: on Linux a static program, which any system runs.
    program: str = ""
    # Where rustup has no standard library for it: Debian's package of the architecture `deb` is used, else it is built.
    debian_std: bool = False
    # Debian's architecture and the folder of its libraries.
    deb: str = ""
    multiarch: str = ""
    # The place of the library below Runtime/Plugins of the Unity package.
    unity: str = ""
    # What Conan, Nix and xmake call the system and the processor.
    system: str = "Linux"
    conan_arch: str = "x86_64"
    nix: str = ""
    xmake: str = ""
    # The target of `zig cc` for a program that uses the library.
    zig: str = ""
    # Runs a program of this platform on Linux x86-64, and the Debian packages that it takes.
    runner: tuple = ()
    runner_packages: tuple = ()

    @property
    def windows(self):
        return "-windows-" in self.target

    @property
    def macos(self):
        return "-apple-" in self.target

    @property
    def musl(self):
        return "-musl" in self.target

    @property
    def shared(self):
        """The file name of the shared library as cargo and the packages of other languages have it."""
        return "wspeer.dll" if self.windows else "libwspeer.dylib" if self.macos else "libwspeer.so"

    @property
    def archive(self):
        """The extension of the archive."""
        return "zip" if self.windows else "tar.gz"


# The oldest glibc that the Linux libraries run with: that of manylinux2014.
GLIBC = "2.17"

PLATFORMS = [
    Platform(
        "linux-x86_64",
        "x86_64-unknown-linux-gnu",
        wheel=("manylinux2014_x86_64", "manylinux_2_17_x86_64"),
        rid="linux-x64",
        program="x86_64-unknown-linux-musl",
        deb="amd64",
        multiarch="x86_64-linux-gnu",
        unity="linux-x86_64/libwspeer.so",
        nix="x86_64-linux",
        xmake="linux|x86_64",
        zig="x86_64-linux-gnu.2.17",
    ),
    Platform(
        "linux-aarch64",
        "aarch64-unknown-linux-gnu",
        wheel=("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
        rid="linux-arm64",
        program="aarch64-unknown-linux-musl",
        debian_std=True,
        deb="arm64",
        multiarch="aarch64-linux-gnu",
        conan_arch="armv8",
        nix="aarch64-linux",
        xmake="linux|arm64",
        zig="aarch64-linux-gnu.2.17",
        runner=("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"),
        runner_packages=("qemu-user", "libc6-arm64-cross"),
    ),
    Platform(
        "linux-armv7",
        "armv7-unknown-linux-gnueabihf",
        wheel=("manylinux2014_armv7l", "manylinux_2_17_armv7l"),
        rid="linux-arm",
        deb="armhf",
        multiarch="arm-linux-gnueabihf",
        conan_arch="armv7hf",
        nix="armv7l-linux",
        xmake="linux|armv7",
        zig="arm-linux-gnueabihf.2.17",
        runner=("qemu-arm", "-L", "/usr/arm-linux-gnueabihf"),
        runner_packages=("qemu-user", "libc6-armhf-cross"),
    ),
    Platform(
        "linux-i686",
        "i686-unknown-linux-gnu",
        wheel=("manylinux2014_i686", "manylinux_2_17_i686"),
        rid="linux-x86",
        program="i686-unknown-linux-musl",
        deb="i386",
        multiarch="i386-linux-gnu",
        conan_arch="x86",
        nix="i686-linux",
        xmake="linux|i386",
        zig="x86-linux-gnu.2.17",
        runner_packages=("libc6-i386",),
    ),
    Platform(
        "linux-x86_64-musl",
        "x86_64-unknown-linux-musl",
        wheel=("musllinux_1_2_x86_64",),
        rid="linux-musl-x64",
        zig="x86_64-linux-musl",
        runner_packages=("musl",),
    ),
    Platform(
        "windows-x86_64",
        "x86_64-pc-windows-gnu",
        wheel=("win_amd64",),
        rid="win-x64",
        program="x86_64-pc-windows-gnu",
        unity="windows-x86_64/wspeer.dll",
        system="Windows",
        xmake="windows|x64",
        zig="x86_64-windows-gnu",
        runner=("tests/windows/wine",),
        runner_packages=("wine", "wine64"),
    ),
    Platform(
        "windows-i686",
        "i686-pc-windows-gnu",
        wheel=("win32",),
        rid="win-x86",
        program="i686-pc-windows-gnu",
        unity="windows-x86/wspeer.dll",
        system="Windows",
        conan_arch="x86",
        xmake="windows|x86",
        zig="x86-windows-gnu",
    ),
    Platform(
        "macos-aarch64",
        "aarch64-apple-darwin",
        wheel=("macosx_11_0_arm64",),
        rid="osx-arm64",
        program="aarch64-apple-darwin",
        system="Macos",
        conan_arch="armv8",
        nix="aarch64-darwin",
        xmake="macosx|arm64",
        zig="aarch64-macos.11.0",
    ),
    Platform(
        "macos-x86_64",
        "x86_64-apple-darwin",
        wheel=("macosx_10_12_x86_64",),
        rid="osx-x64",
        program="x86_64-apple-darwin",
        system="Macos",
        nix="x86_64-darwin",
        xmake="macosx|x86_64",
        zig="x86_64-macos.10.12",
    ),
]
# These are built in the forge (.github/workflows/release.yml); their crates count for the licences and the SBOM.
FORGE_TARGETS = ["x86_64-pc-windows-msvc", "aarch64-linux-android", "aarch64-apple-ios"]


def named(names):
    """The platforms with these names, or all."""
    known = {platform.name: platform for platform in PLATFORMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"release: no platform is named {unknown[0]}: there are {', '.join(known)}")
    return [known[name] for name in names] or PLATFORMS
