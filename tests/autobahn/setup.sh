#!/usr/bin/env bash
# Installs the original Autobahn suite, wstest 25.10.1, which needs Python 2.7: that of Debian bullseye is unpacked
# below the given folder, without installing anything on the system, and the suite is installed by pip. Usage: setup.sh
# FOLDER
set -euo pipefail
mkdir -p "$1"
cd "$1"
root=$PWD
arch=$(dpkg --print-architecture)
triplet=$(gcc -print-multiarch)
mkdir -p lists/partial cache/archives/partial packages
chmod 777 packages
# The mirror of this machine's apt.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" > sources.list
options=(-q -o "Dir::Etc::sourcelist=$root/sources.list" -o Dir::Etc::sourceparts=/dev/null \
  -o "Dir::State::lists=$root/lists" -o "Dir::Cache=$root/cache")
apt-get "${options[@]}" update
(
  cd packages
  apt-get "${options[@]}" download python2.7 python2.7-minimal python2.7-dev libpython2.7 libpython2.7-minimal \
    libpython2.7-stdlib \
    libpython2.7-dev libffi7 libssl1.1
)
for package in packages/*_"$arch".deb; do dpkg -x "$package" python; done
export LD_LIBRARY_PATH=$root/python/usr/lib/$triplet
export C_INCLUDE_PATH=$root/python/usr/include/python2.7:$root/python/usr/include
export PIP_DISABLE_PIP_VERSION_CHECK=1
python3 -m venv tool
# Newer versions cannot create an environment for Python 2.7.
tool/bin/pip install -q 'virtualenv<20.22'
tool/bin/virtualenv -q -p "$root/python/usr/bin/python2.7" suite
suite/bin/pip install -q autobahntestsuite==25.10.1
cat > wstest.new <<SH
#!/bin/sh
exec env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" "$root/suite/bin/wstest" "\$@"
SH
chmod +x wstest.new
./wstest.new --help > /dev/null
mv wstest.new wstest
