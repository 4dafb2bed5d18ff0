#!/usr/bin/env bash
# One read per poll, and one write per frame: counted by strace between two marks.
. "$(dirname "$0")/../lib/common.sh"
need strace
compile frame_calls
trap 'kill "$server" 2> /dev/null || true' EXIT
coproc echo_server { exec build/echo_server 0; }
server=$echo_server_PID
read -r -t 20 line <&"${echo_server[0]}"
url=ws://127.0.0.1:${line##*:}
strace -f -qq -o build/tests/frame_calls.trace -e trace=open,openat,read,recvfrom,recvmsg,write,sendto,sendmsg,writev \
  build/tests/frame_calls "$url" > build/tests/frame_calls.out
cat build/tests/frame_calls.out
read -r _ polls _ frames < <(grep '^polls' build/tests/frame_calls.out)
between=$(sed -n '/frames\/begin/,/frames\/end/p' build/tests/frame_calls.trace | grep -v frames/)
reads=$(grep -cE ' (read|recvfrom|recvmsg)\(' <<< "$between" || true)
writes=$(grep -cE ' (write|writev|sendto|sendmsg)\(' <<< "$between" || true)
echo "figure: $polls polls, $reads reads; $frames frames of 32 messages, $writes writes"
rc=0
[ "$reads" = "$polls" ] && echo "ok - one read per poll" || { echo "not ok - one read per poll"; rc=1; }
[ "$writes" = "$frames" ] && echo "ok - one write per frame" || { echo "not ok - one write per frame"; rc=1; }
exit $rc
