#!/usr/bin/env python3
"""The defaults that SECURITY.md tells are those of the header."""
import re
import sys

header = {field: value for value, field in re.findall(r"\(default: ([\w]+)[^)]*\)\.?\n(?:  //.*\n)*  uint32_t (\w+);", open("include/wspeer.h").read())}
told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", open("SECURITY.md").read(), re.M))
wrong = {field: (value, header.get(field)) for field, value in told.items() if header.get(field) != value}
unnamed = {field for field in header if re.match(r"max_", field)} - told.keys()
good = not wrong and not unnamed and len(told) > 10
print(f"{'ok' if good else 'not ok'} - limits: {len(told)} defaults of SECURITY.md are the header's {wrong or ''}{unnamed or ''}")
sys.exit(not good)
