#!/usr/bin/env python3
"""Compares bindings/godot/src/interface.h with the engine's header: each function exists since 4.3 or earlier with as
many arguments of the same kind, and each struct and number is the same. Usage: interface.py ENGINE_HEADER OUR_HEADER"""
import pathlib
import re
import subprocess
import sys
import tempfile

theirs, ours = (pathlib.Path(name) for name in sys.argv[1:])
STRUCTS = {
    "gd_property_info": ("GDExtensionPropertyInfo", "type name class_name hint hint_string usage".split()),
    "gd_method_info": (
        "GDExtensionClassMethodInfo",
        "name data:method_userdata call:call_func ptrcall:ptrcall_func flags:method_flags returns:has_return_value return_info:return_value_info "
        "return_metadata:return_value_metadata argument_count argument_info:arguments_info argument_metadata:arguments_metadata "
        "default_count:default_argument_count defaults:default_arguments".split(),
    ),
    "gd_class_info": (
        "GDExtensionClassCreationInfo3",
        "is_virtual is_abstract is_exposed is_runtime unused:set_func notification:notification_func "
        "unused_too:to_string_func create:create_instance_func free:free_instance_func recreate:recreate_instance_func "
        "get_virtual:get_virtual_func get_virtual_data:get_virtual_call_data_func call_virtual:call_virtual_with_data_func get_rid:get_rid_func "
        "data:class_userdata".split(),
    ),
    "gd_callable_info": (
        "GDExtensionCallableCustomInfo2",
        "data:callable_userdata token object:object_id call:call_func is_valid:is_valid_func free:free_func "
        "unused:hash_func".split(),
    ),
    "gd_initialization": (
        "GDExtensionInitialization",
        "minimum_level:minimum_initialization_level data:userdata initialize deinitialize".split(),
    ),
    "gd_call_error": ("GDExtensionCallError", "error argument expected".split()),
}
NUMBERS = {
    **{
        f"GD_{name}": f"GDEXTENSION_VARIANT_TYPE_{name}"
        for name in "NIL BOOL INT FLOAT STRING STRING_NAME OBJECT CALLABLE DICTIONARY ARRAY".split()
    },
    "GD_BYTES": "GDEXTENSION_VARIANT_TYPE_PACKED_BYTE_ARRAY",
    "GD_INTS": "GDEXTENSION_VARIANT_TYPE_PACKED_INT32_ARRAY",
    "GD_STRINGS": "GDEXTENSION_VARIANT_TYPE_PACKED_STRING_ARRAY",
    "GD_CALL_OK": "GDEXTENSION_CALL_OK",
    "GD_CALL_WRONG_ARGUMENT": "GDEXTENSION_CALL_ERROR_INVALID_ARGUMENT",
    "GD_CALL_TOO_MANY": "GDEXTENSION_CALL_ERROR_TOO_MANY_ARGUMENTS",
    "GD_CALL_TOO_FEW": "GDEXTENSION_CALL_ERROR_TOO_FEW_ARGUMENTS",
    "GD_METHOD_NORMAL": "GDEXTENSION_METHOD_FLAG_NORMAL",
    "GD_METHOD_CONST": "GDEXTENSION_METHOD_FLAG_CONST",
    "GD_LEVEL_SCENE": "GDEXTENSION_INITIALIZATION_SCENE",
    "GD_LEVEL_EDITOR": "GDEXTENSION_INITIALIZATION_EDITOR",
}


def say(good, what):
    print("ok -" if good else "not ok -", what)
    return good


def kind(declared):
    """What an argument is in the calling convention: a pointer, or a number and its width in bits."""
    words = declared.replace("*", " * ").split()
    name = next(word for word in words if word not in ("const", "struct"))
    if (
        "*" in words
        or re.search("(Ptr|Func|Constructor|Destructor|BuiltInMethod)$", name)
        or name in ("gd_from_type", "gd_to_type", "gd_constructor", "gd_destructor", "gd_builtin")
    ):
        return "pointer"
    return {
        "GDExtensionInt": "int64_t",
        "GDExtensionBool": "uint8_t",
        "gd_bool": "uint8_t",
        "GDExtensionVariantType": "uint32_t",
    }.get(name, name)


def functions_of_engine():
    found = {}
    pattern = r"@name (\w+)\n \* @since (\d)\.(\d+)(?:(?!@name).)*?typedef ([^;(]*?)\(\*\w+\)\(([^;]*)\);"
    for name, major, minor, result, arguments in re.findall(pattern, theirs.read_text(), re.S):
        found[name] = (
            (int(major), int(minor)),
            kind(result),
            [kind(argument) for argument in arguments.split(",") if argument.strip()],
        )
    return found


def functions_of_ours():
    text = ours.read_text().replace("\\\n", "\n")
    body = text[text.index("#define GD_INTERFACE"):text.index("Since 4.3 in the editor")]
    for result, name, arguments in re.findall(r"X\(([^,()]+), (\w+),\s*\(([^()]*)\)\)", body):
        yield name, kind(result), [kind(argument) for argument in arguments.split(",")]


def structs():
    lines = [
        "#include <stddef.h>",
        f'#include "{theirs.resolve()}"',
        f'#include "{ours.resolve()}"',
        "#define SAME(a, b) _Static_assert((a) == (b), #a)",
    ]
    for mine, (engine, fields) in STRUCTS.items():
        lines.append(f"SAME(sizeof({mine}), sizeof({engine}));")
        for field in fields:
            own, _, other = field.partition(":")
            lines.append(f"SAME(offsetof({mine}, {own}), offsetof({engine}, {other or own}));")
    lines += [f"SAME({mine}, (int){engine});" for mine, engine in NUMBERS.items()]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "same.c"
        source.write_text("\n".join(lines) + "\n")
        done = subprocess.run(["cc", "-std=c11", "-fsyntax-only", source], capture_output=True, text=True)
    print(done.stderr, end="")
    return done.returncode == 0


engine = functions_of_engine()
good = True
count = 0
for name, result, arguments in functions_of_ours():
    count += 1
    since, wanted_result, wanted = engine.get(name, ((99, 0), None, None))
    if since > (4, 3) or result != wanted_result or arguments != wanted:
        good = say(False, f"{name}: {result} {arguments}, in the engine since {since}: {wanted_result} {wanted}")
good &= say(count > 30, f"{count} functions match the engine's declarations, and exist since Godot 4.3 or earlier")
good &= say(structs(), "structs and numbers match the engine's")
sys.exit(not good)
