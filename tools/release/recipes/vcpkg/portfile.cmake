# Installs the archive of the release: untested, as no vcpkg was at hand. The checksums are those of the archives.
set(VCPKG_POLICY_MISMATCHED_NUMBER_OF_BINARIES enabled)
@VCPKG@

if(VCPKG_TARGET_ARCHITECTURE STREQUAL "x64")
  set(wspeer_MACHINE x86_64)
elseif(VCPKG_TARGET_ARCHITECTURE STREQUAL "arm64")
  set(wspeer_MACHINE aarch64)
elseif(VCPKG_TARGET_ARCHITECTURE STREQUAL "arm")
  set(wspeer_MACHINE armv7)
elseif(VCPKG_TARGET_ARCHITECTURE STREQUAL "x86")
  set(wspeer_MACHINE i686)
endif()
set(wspeer_EXTENSION tar.gz)
if(VCPKG_TARGET_IS_WINDOWS)
  set(wspeer_PLATFORM windows-${wspeer_MACHINE})
  set(wspeer_EXTENSION zip)
elseif(VCPKG_TARGET_IS_OSX)
  set(wspeer_PLATFORM macos-${wspeer_MACHINE})
else()
  set(wspeer_PLATFORM linux-${wspeer_MACHINE})
endif()
if(NOT DEFINED wspeer_SHA512_${wspeer_PLATFORM})
  message(FATAL_ERROR "wspeer @VERSION@ has no archive for ${wspeer_PLATFORM}")
endif()

set(wspeer_FILE wspeer-${VERSION}-${wspeer_PLATFORM}.${wspeer_EXTENSION})
vcpkg_download_distfile(
  ARCHIVE
  URLS "@URL@/${wspeer_FILE}"
  FILENAME "${wspeer_FILE}"
  SHA512 "${wspeer_SHA512_${wspeer_PLATFORM}}")
vcpkg_extract_source_archive(SOURCE ARCHIVE "${ARCHIVE}")

file(INSTALL "${SOURCE}/include/" DESTINATION "${CURRENT_PACKAGES_DIR}/include")
file(INSTALL "${SOURCE}/lib" DESTINATION "${CURRENT_PACKAGES_DIR}")
if(VCPKG_TARGET_IS_WINDOWS)
  file(INSTALL "${SOURCE}/bin" DESTINATION "${CURRENT_PACKAGES_DIR}")
endif()
# vcpkg keeps CMake packages in share/, beside the folders of the libraries: from there it is two folders up.
file(RENAME "${CURRENT_PACKAGES_DIR}/lib/cmake/wspeer" "${CURRENT_PACKAGES_DIR}/share/wspeer")
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib/cmake")
vcpkg_replace_string("${CURRENT_PACKAGES_DIR}/share/wspeer/wspeerConfig.cmake" "/../../.." "/../..")
if(NOT VCPKG_BUILD_TYPE)
  file(INSTALL "${CURRENT_PACKAGES_DIR}/lib" DESTINATION "${CURRENT_PACKAGES_DIR}/debug")
endif()
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE}/share/doc/wspeer/LICENSE-MIT" "${SOURCE}/share/doc/wspeer/LICENSE-APACHE"
                                  "${SOURCE}/share/doc/wspeer/THIRD-PARTY.md")
