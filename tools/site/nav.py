"""The pages of the site, by section: a title, and the file in the tree that it is made from. `reference/` is generated
from the header. A file that does not exist is left out, and a page of docs/ that is not named here goes under "More"."""

NAV = [
    ("Home", "docs/index.md"),
    (
        "Start",
        [
            ("C", "docs/start/c.md"),
            ("C++", "docs/start/cpp.md"),
            ("Rust", "bindings/rust/README.md"),
            ("C# and Unity", "docs/start/csharp.md"),
            ("Python", "docs/start/python.md"),
            ("Godot", "docs/start/godot.md"),
            ("LuaJIT", "docs/start/lua.md"),
            ("Web pages", "docs/start/web.md"),
        ],
    ),
    ("Concepts", "docs/concepts.md"),
    (
        "Cookbook",
        [
            ("Recipes", "docs/cookbook.md"),
            ("Reconnecting", "docs/reconnecting.md"),
            ("Sessions", "docs/sessions.md"),
            ("Rooms", "docs/topics.md"),
            ("Positions", "docs/latest.md"),
            ("Running a server", "docs/serving.md"),
            ("Deploying", "docs/deploying.md"),
            ("Many players", "docs/scale.md"),
            ("Proxies of clients", "docs/proxies.md"),
            ("The command line", "docs/cli.md"),
            ("When a client cannot connect", "docs/diagnose.md"),
            ("Seeing what happens", "docs/debugging.md"),
            ("A bad network", "docs/simulator.md"),
            ("A Godot game without Godot", "docs/godot-scene.md"),
        ],
    ),
    (
        "Coming from",
        [
            ("Godot 3", "docs/godot3.md"),
            ("Godot 4", "docs/coming-from/godot4.md"),
            ("NativeWebSocket", "docs/coming-from/nativewebsocket.md"),
            ("websocket-sharp", "docs/coming-from/websocket-sharp.md"),
            ("IXWebSocket", "docs/coming-from/ixwebsocket.md"),
            ("libwebsockets", "docs/coming-from/libwebsockets.md"),
            ("ENet", "docs/coming-from/enet.md"),
        ],
    ),
    (
        "Bindings",
        [
            ("C++", "bindings/cpp/README.md"),
            ("C# and Unity", "bindings/csharp/README.md"),
            ("The manual for Unity", "bindings/csharp/Documentation~/wspeer.md"),
            ("Python", "bindings/python/README.md"),
            ("Godot", "bindings/godot/README.md"),
            ("The browser", "docs/web.md"),
            ("Any language", "docs/binding.md"),
            ("Conformance", "docs/conformance.md"),
        ],
    ),
    ("Reference", "reference/"),
    (
        "Facts",
        [
            ("Security", "SECURITY.md"),
            ("Platforms", "docs/platforms.md"),
            ("Windows", "docs/windows.md"),
            ("Benchmarks", "docs/benchmarks.md"),
            ("Benchmarks in Godot", "docs/godot-benchmarks.md"),
            ("Reliability", "docs/reliability.md"),
            ("Reports of other libraries", "docs/reports.md"),
            ("Dependencies", "docs/dependencies.md"),
            ("Design", "docs/design.md"),
            ("The control channel", "docs/control-channel.md"),
            ("Make targets", "docs/commands.md"),
            ("Making a release", "docs/releasing.md"),
            ("Changes", "CHANGELOG.md"),
            ("Contributing", "CONTRIBUTING.md"),
        ],
    ),
]
# Pages that stand in the section Reference.
BESIDE_REFERENCE = [("All messages", "docs/errors.md")]
