#!/usr/bin/env python3
"""wspeer against real peers, in both roles. Usage: run.py [PART-OF-A-GROUP]"""
import shutil
import sys
import time

import certificates
import examples
import harness
import lws
import proxies
import secure
import talk

GROUPS = {
    "talk": (talk.all_pairs, ["node", "build/node/node_modules/ws", harness.PYTHON]),
    "secure": (secure.all_details, ["node", "build/node/node_modules/ws", harness.PYTHON]),
    "lws": (lws.test_server, ["libwebsockets-test-server"]),
    "examples": (examples.all_examples, []),
    "nginx": (proxies.behind_nginx, ["nginx", "node", "build/node/node_modules/ws", harness.PYTHON]),
    "haproxy": (proxies.behind_haproxy, ["haproxy", "node", "build/node/node_modules/ws", harness.PYTHON]),
}


def main():
    shutil.rmtree(harness.WORK, ignore_errors=True)
    certificates.make()
    for name, (run, tools) in GROUPS.items():
        if "".join(sys.argv[1:2]) not in name or not harness.have(*tools):
            continue
        began = time.monotonic()
        try:
            run()
        except (harness.Wrong, OSError) as error:
            with harness.case(name):
                raise error
        harness.end_clients()
        print(f"figure: peers {name}: {time.monotonic() - began:.1f} s", flush=True)
    return 1 if harness.failures else 0


sys.exit(main())
