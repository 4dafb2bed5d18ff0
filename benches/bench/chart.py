"""docs/benchmarks.svg: CPU per message relative to raw TCP, as small panels with the same scale; the SVG is written
directly."""
from .figures import ratio

PANELS = (
    ("W1c", "client: 32 × 64 B a frame"),
    ("W1t", "client: 64 B, tight loop"),
    ("W3ac", "client: 4 × 64 KiB a frame"),
    ("W3bc", "client: 1 MiB a frame"),
    ("W1b", "server: 64 B, bursts of 32"),
    ("W2", "server: 64 B, 100 connections"),
    ("W3a", "server: 64 KiB"),
    ("W3b", "server: 1 MiB"),
)
SHOWN = ("wspeer", "tung", "fastws", "lws", "wslay", "websocketpp")
TITLES = {"tung": "tungstenite", "fastws": "fastwebsockets", "lws": "libwebsockets"}
WIDTH, PANEL, ROW, LABEL, BAR, LIMIT = 920, 460, 18, 118, 270, 8.0
OWN, OTHER, INK, FAINT = "#1f6feb", "#9aa4b2", "#1b1f24", "#d5dae1"


def text(x, y, words, size=12, anchor="start", weight="normal", ink=INK):
    look = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{ink}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look} stroke="#fff" stroke-width="3" paint-order="stroke">{words}</text>'


def bar(x, y, name, value):
    """One row; a bar that exceeds the scale ends in an arrow."""
    ink = OWN if name == "wspeer" else OTHER
    parts = [
        text(
            x + LABEL - 8, y + 12, TITLES.get(name, name), anchor="end", weight="bold" if name == "wspeer" else "normal"
        )
    ]
    width = BAR * min(value, LIMIT) / LIMIT
    shape = f"M{x + LABEL:.1f} {y + 2} h{width:.1f} v{ROW - 5} h-{width:.1f} z"
    if value > LIMIT:
        shape = f"M{x + LABEL:.1f} {y + 2} h{width:.1f} l7 {(ROW - 5) / 2} l-7 {(ROW - 5) / 2} h-{width:.1f} z"
    return parts + [
        f'<path d="{shape}" fill="{ink}"/>',
        text(x + LABEL + width + 12, y + 12, f"{value:.2f}" if value < 10 else f"{value:.0f}", 11),
    ]


def panel(x, y, title, runs):
    bottom = y + 20 + ROW * len(SHOWN)
    parts = [text(x + LABEL, y + 8, title, 13, weight="bold")]
    for mark in (1, 2, 4, 6, 8):
        at = x + LABEL + BAR * mark / LIMIT
        stroke = f'stroke="{INK}" stroke-dasharray="3 3"' if mark == 1 else f'stroke="{FAINT}"'
        parts.append(f'<path d="M{at:.1f} {y + 16} V{bottom}" {stroke}/>')
        parts.append(text(at, bottom + 13, f"{mark}", 10, "middle", ink="#6b7480"))
    for index, name in enumerate(name for name in SHOWN if ratio(runs, name, "raw") is not None):
        parts += bar(x, y + 18 + ROW * index, name, ratio(runs, name, "raw"))
    return parts


def svg(results):
    height_of = 56 + ROW * len(SHOWN)
    panels = [(name, title) for name, title in PANELS if name in results]
    height = 64 + height_of * ((len(panels) + 1) // 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" role="img">',
        "<title>CPU time a message, as a multiple of raw TCP</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(20, 26, "CPU time a message, as a multiple of raw TCP (1, dashed)", 16, weight="bold"),
        text(
            20,
            44,
            "Shorter is better. Arrows: over the scale. Medians of the ratios within a round.",
            12,
            ink="#6b7480",
        ),
    ]
    for index, (name, title) in enumerate(panels):
        parts += panel(10 + PANEL * (index % 2), 70 + height_of * (index // 2), f"{name}, {title}", results[name])
    return "\n".join([*parts, "</svg>", ""])
