"""The reference: include/wspeer.h as pages, with an anchor for each function, struct, field and constant."""

import re

# Groups of functions: the file of src/ffi that exports them, the page, its title.
FUNCTIONS = [
    ("open", "opening", "Opening"),
    ("frame", "frame", "Each frame: polling and receiving"),
    ("talk", "sending", "Sending"),
    ("latest", "sending", "Sending"),
    ("topics", "topics", "Topics"),
    ("end", "ending", "Closing and freeing"),
    ("ask", "asking", "Asking: states, texts, statistics, options, the log"),
    ("reconnect", "reconnecting", "Reconnecting"),
    ("certificate", "serving", "Serving: certificates, files, requests"),
    ("serve", "serving", "Serving: certificates, files, requests"),
    ("requests", "serving", "Serving: certificates, files, requests"),
    ("scene", "scenes", "Scenes of Godot 4"),
    ("replication", "replication", "Replication of Godot 4"),
    ("sim", "simulating", "Simulated networks"),
    ("wait", "waiting", "Waiting"),
]
# Groups of constants: the prefix, the page, its title. The first prefix that fits counts; the last group has the rest.
CONSTANTS = [
    ("WS_EVENT_", "events", "Events"),
    ("WS_PHASE_", "phases", "Phases"),
    ("WS_CAUSE_", "causes", "Causes: why a connection ended"),
    ("WS_GET_", "texts", "Texts that can be asked for"),
    ("WS_OPT_", "options", "Options"),
    ("WS_LOG_", "log", "Log levels"),
    ("WS_STRUCT_", "struct-numbers", "Numbers of structs"),
    ("WS_SIM_", "networks", "Simulated networks with names"),
    ("WS_VARIANT_", "variants", "Types of Godot's values"),
    ("WS_FEATURE_", "features", "Features"),
    ("WS_HINT_", "hints", "Hints"),
    ("WS_FULL_", "full", "What a full queue does"),
    ("WS_ROLE_", "roles", "Roles"),
    ("WS_ERR_", "results", "Results"),
    ("", "constants", "Results, states, message types and flags"),
]
RESULTS = ("WS_OK", "WS_EMPTY", "WS_MORE", "WS_PARTIAL", "WS_TRUNCATED")
NAME = re.compile(r"\b(?:ws_[a-z_0-9]+(?:\.[a-z_0-9]+)?(?:\(\))?|WS_[A-Z0-9_]+\b|event\.[a-z_]+(?:\.[a-z_]+)?)")


def page_of(constant):
    if constant.name in RESULTS:
        return "results"
    return next(page for prefix, page, _ in CONSTANTS if constant.name.startswith(prefix))


class Names:
    """Where each name of the header stands."""

    def __init__(self, header, exports):
        self.place = {}
        for function in header.functions:
            self.place[function.name] = f"{exports[function.name]}.md#{function.name}"
        for constant in header.constants:
            self.place[constant.name] = f"{page_of(constant)}.md#{constant.name.lower()}"
        for struct in header.structs:
            self.place[struct.name] = f"structs.md#{struct.name}"
            for field in struct.fields:
                self.place[f"{struct.name}.{field.name}"] = f"structs.md#{struct.name}-{field.name}"
        for field in header.struct("ws_event").fields:
            self.place[f"event.{field.name}"] = f"structs.md#ws_event-{field.name}"

    def link(self, name):
        plain = name.removesuffix("()")
        where = self.place.get(plain) or self.place.get(".".join(plain.split(".")[:2]))
        return f"[`{name}`]({where})" if where else f"`{name}`"

    def prose(self, text):
        """A comment's text as Markdown, with its names linked."""
        parts = re.split(r"(`[^`]*`)", text)
        return "".join(part if part.startswith("`") else self._plain(part) for part in parts)

    def _plain(self, text):
        out, last = "", 0
        for found in NAME.finditer(text):
            out += escaped(text[last : found.start()]) + self.link(found.group())
            last = found.end()
        return out + escaped(text[last:])


def escaped(text):
    return re.sub(r"([\\*_\[\]#|])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def paragraphs(lines):
    """Comment lines as blocks: ("text", …) or ("code", …). Code is indented."""
    blocks = []
    for line in lines:
        kind = "code" if line.startswith("  ") else "text"
        if not line:
            blocks.append(("gap", ""))
        elif blocks and blocks[-1][0] == kind:
            blocks[-1] = (kind, blocks[-1][1] + ("\n" if kind == "code" else " ") + line)
        else:
            blocks.append((kind, line))
    return [block for block in blocks if block[0] != "gap"]


def rendered(lines, names):
    out = ""
    for kind, text in paragraphs(lines):
        if kind == "code":
            cut = min(len(line) - len(line.lstrip()) for line in text.splitlines())
            out += "```c\n" + "\n".join(line[cut:] for line in text.splitlines()) + "\n```\n\n"
        else:
            out += names.prose(text) + "\n\n"
    return out


def prototype(function):
    def one(field):
        return f"{field.type}{'' if field.type.endswith('*') else ' '}{field.name}"

    start = f"{function.result}{'' if function.result.endswith('*') else ' '}{function.name}("
    inner = ", ".join(map(one, function.parameters)) or "void"
    if len(start + inner) > 70:
        inner = "\n    " + ",\n    ".join(map(one, function.parameters))
    return f"```c\n{start}{inner});\n```\n\n"


def results(function, header):
    """The names of the results in a comment, also of the function that it refers to ("Results as ws_get_text()")."""
    text = " ".join(function.doc)
    found = re.findall(r"\bWS_(?:OK|EMPTY|MORE|PARTIAL|TRUNCATED|ERR_[A-Z0-9_]+)\b", text)
    for other in re.findall(r"(?:[Rr]esults|Returns) as (ws_\w+)\(\)", text):
        found += results(next(one for one in header.functions if one.name == other), header)
    return list(dict.fromkeys(found))


def threads(function):
    if "Thread-safe" in " ".join(function.doc):
        return "any thread, at any time."
    return "one at a time through a handle: see [threads](manual.md#threads)."


def functions(header, names, exports):
    pages = {}
    titles = {page: title for _, page, title in FUNCTIONS}
    for page, title in titles.items():
        text = f"# {title}\n\n"
        for function in header.functions:
            if exports[function.name] != page:
                continue
            text += (
                f"## {function.name} {{ #{function.name} }}\n\n" + prototype(function) + rendered(function.doc, names)
            )
            codes = results(function, header) if function.result == "ws_result" else []
            if codes:
                text += "**Results:** " + ", ".join(names.link(code) for code in codes) + "\n\n"
            text += f"**Threads:** {threads(function)}\n\n"
        pages[page] = text
    return pages


def constants(header, names):
    pages, titles = {}, {}
    for _, page, title in CONSTANTS:
        titles.setdefault(page, title)
    titles["constants"] = "States, message types and flags"
    for page, title in titles.items():
        text = f"# {title}\n\n"
        for constant in header.constants:
            if page_of(constant) == page:
                text += f"## {constant.name} {{ #{constant.name.lower()} }}\n\n`{constant.text.rstrip('u')}`\n\n"
                text += rendered(constant.doc, names)
        pages[page] = text
    return pages


def structs(header, names):
    text = "# Structs\n\n"
    for struct in header.structs:
        text += f"## {struct.name} {{ #{struct.name} }}\n\n" + rendered(struct.doc, names)
        for field in struct.fields:
            kind = field.type + (f"[{field.count}]" if field.count else "")
            text += f"### {field.name} {{ #{struct.name}-{field.name} }}\n\n`{kind}`\n\n" + rendered(field.doc, names)
    return {"structs": text}


def manual(text, names):
    """The comment at the top of the header."""
    lines = [line[3:] if line.startswith(" * ") else "" for line in text[: text.index("*/")].splitlines()[1:]]
    out, begun = "# The manual\n\nThe text at the top of `include/wspeer.h`.\n\n", []

    def flush():
        nonlocal out
        block, begun[:] = begun[:], []
        if not block:
            return
        if all(line.startswith("  ") or not line for line in block):
            code = any(re.search(r"[;{}]", line) for line in block)
            cut = min(len(line) - len(line.lstrip()) for line in block if line)
            out += f"```{'c' if code else 'text'}\n" + "\n".join(line[cut:] for line in block) + "\n```\n\n"
            return
        said = " ".join(block)
        heading = re.match(r"([A-Z][A-Z ]+)\. ", said)
        if heading:
            out += f"## {heading[1].capitalize()}\n\n"
            said = said[heading.end() :]
        elif heading := re.match(r"TEXT is ", said):
            out += "## Text\n\n"
        elif heading := re.match(r"CALLS AND HANDLES \(- : WS_ERR_KIND\)\. ", said):
            out += "## Calls and handles\n\nA minus means `WS_ERR_KIND`. "
            said = said[heading.end() :]
        out += names.prose(said) + "\n\n"

    for number, line in enumerate(lines):
        is_code = line.startswith("  ")
        was_code = bool(begun) and begun[0].startswith("  ")
        if not line:
            ahead = next((other for other in lines[number:] if other), "")
            if was_code and ahead.startswith("  "):
                begun.append("")
            else:
                flush()
            continue
        if begun and is_code != was_code:
            flush()
        begun.append(line)
    flush()
    return out


def index(header, names):
    text = "# All functions\n\n| function | what it does |\n|---|---|\n"
    for function in sorted(header.functions, key=lambda one: one.name):
        first = re.split(r"(?<=[.:])\s", " ".join(function.doc))[0].rstrip(":.")
        text += f"| {names.link(function.name)} | {names.prose(first)} |\n"
    return text


def exports(root, header):
    """The page of each function."""
    found = {}
    for path in sorted((root / "src" / "ffi").glob("*.rs")):
        for name in re.findall(r'extern "C" fn (ws_\w+)', path.read_text()):
            found[name] = path.stem
    pages = {file: page for file, page, _ in FUNCTIONS}
    wrong = [one.name for one in header.functions if found.get(one.name) not in pages]
    if wrong:
        raise SystemExit(f"reference.py has no page for {', '.join(wrong)}: name its file of src/ffi in FUNCTIONS")
    return {name: pages[file] for name, file in found.items() if file in pages}


def pages(root, header):
    """The pages by name, and the navigation: (title, name)."""
    place = exports(root, header)
    names = Names(header, place)
    made = {"manual": manual((root / "include" / "wspeer.h").read_text(), names), "functions": index(header, names)}
    made |= functions(header, names, place) | structs(header, names) | constants(header, names)
    nav = [("The manual", "manual"), ("All functions", "functions")]
    nav += list(dict.fromkeys((title, page) for _, page, title in FUNCTIONS))
    nav += [("Structs", "structs"), ("Results", "results"), ("States, types, flags", "constants")]
    nav += [(title, page) for prefix, page, title in CONSTANTS if prefix and page != "results"]
    return made, nav
