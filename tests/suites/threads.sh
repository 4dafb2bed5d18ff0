#!/usr/bin/env bash
# Many threads on the same handles.
# Parts: threads, races.
. "$(dirname "$0")/../lib/common.sh"
need cargo
certificate build/tests/threads-cert
for name in threads races; do
  LIMIT=120 FLAGS="-std=c11 -D_GNU_SOURCE -ldl" program "$name" build/tests/threads-cert/cert.pem \
    build/tests/threads-cert/key.pem
done
exit $rc
