"""Installs the archive of the release: conan create . --version @VERSION@"""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, get


class Wspeer(ConanFile):
    name = "wspeer"
    description = "WebSockets that a game engine polls from its frame loop"
    license = "MIT OR Apache-2.0"
    author = "the wspeer developers"
    homepage = "https://github.com/wspeer/wspeer"
    topics = ("websocket", "gamedev", "multiplayer")
    package_type = "library"
    settings = "os", "arch"
    options = {"shared": [True, False]}
    default_options = {"shared": True}

    def _archive(self):
        return self.conan_data["archives"][self.version].get(f"{self.settings.os}-{self.settings.arch}")

    def validate(self):
        if not self._archive():
            raise ConanInvalidConfiguration(f"there is no archive for {self.settings.os} {self.settings.arch}")

    def build(self):
        archive = self._archive()
        # WSPEER_ARCHIVES names a folder or mirror that has the archives.
        base = os.environ.get("WSPEER_ARCHIVES", self.conan_data["url"])
        get(self, f"{base}/{archive['file']}", sha256=archive["sha256"], strip_root=True)

    def package(self):
        copy(
            self,
            "*",
            os.path.join(self.build_folder, "share", "doc", "wspeer"),
            os.path.join(self.package_folder, "licenses"),
        )
        copy(self, "*.h*", os.path.join(self.build_folder, "include"), os.path.join(self.package_folder, "include"))
        static = ("libwspeer.a",)
        shared = ("libwspeer.so*", "libwspeer.dylib", "*.dll", "*.dll.a", "*.lib")
        for folder in ("lib", "bin"):
            for pattern in shared if self.options.shared else static:
                copy(self, pattern, os.path.join(self.build_folder, folder), os.path.join(self.package_folder, folder))

    def package_info(self):
        self.cpp_info.libs = ["wspeer"]
        self.cpp_info.set_property("cmake_target_name", "wspeer::wspeer" if self.options.shared else "wspeer::static")
        if self.options.shared:
            return
        self.cpp_info.defines = ["WS_STATIC"]
        if self.settings.os == "Windows":
            self.cpp_info.system_libs = ["ws2_32", "bcrypt", "ntdll", "userenv", "crypt32", "secur32", "advapi32"]
        elif self.settings.os == "Macos":
            self.cpp_info.frameworks = ["Security", "CoreFoundation"]
        else:
            self.cpp_info.system_libs = ["pthread", "dl", "m"]
