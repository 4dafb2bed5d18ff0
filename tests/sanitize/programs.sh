# For the scripts in this folder, after tests/lib/common.sh.

# programs SANITIZER COMPILER NAME[:ARGUMENT,...]...: compiles C programs of the tests and runs them with these
# arguments, or with a certificate. A failing program sets rc to 1.
programs() {
  local sanitizer=$1 compiler=$2 name arguments log
  shift 2
  for name in "$@"; do
    arguments=$LIBDIR/cert/cert.pem,$LIBDIR/cert/key.pem
    case $name in *:*) arguments=${name#*:} name=${name%%:*} ;; esac
    log=$LIBDIR/$name.log
    CC="$compiler" compile "$name" -std=c11 -D_GNU_SOURCE -ldl
    if timeout 300 "build/tests/$name" ${arguments//,/ } > "$log" 2>&1; then
      echo "ok - $sanitizer: $name"
    else
      echo "not ok - $sanitizer: $name ended with $?"
      grep -v '^ok' "$log" | head -80
      rc=1
    fi
    rm -f "build/tests/$name"
  done
}
