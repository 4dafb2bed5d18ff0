"""The list of what the libraries contain (SBOM), in the format CycloneDX 1.5."""

import json
import time
import uuid

import crates
from files import AUTHOR, NAME, SITE, SUMMARY, epoch, version


def write(folder):
    target = folder / f"{NAME}-{version()}.cdx.json"
    target.write_text(json.dumps(bill(), indent=2, ensure_ascii=False) + "\n")
    return target


def bill():
    linked = list(crates.linked().values())
    root, others = linked[0], linked[1:]
    refs = {crate.key: f"pkg:cargo/{crate.name}@{crate.version}" for crate in others}
    refs[root.key] = f"pkg:generic/{NAME}@{version()}"
    standard = {
        "type": "library",
        "bom-ref": "rust-std",
        "name": "Rust standard library",
        "licenses": expression("MIT OR Apache-2.0"),
    }
    links = [{"ref": refs[crate.key], "dependsOn": [refs[key] for key in crate.uses]} for crate in linked]
    links[0]["dependsOn"].append("rust-std")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same for the same crates.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(sorted(refs.values())))}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch())),
            "authors": [{"name": AUTHOR}],
            "component": {
                "type": "library",
                "bom-ref": refs[root.key],
                "name": NAME,
                "version": version(),
                "description": SUMMARY,
                "licenses": expression(root.licence),
                "purl": refs[root.key],
                "externalReferences": [{"type": "vcs", "url": SITE}],
            },
        },
        "components": [component(crate, refs[crate.key]) for crate in others] + [standard],
        "dependencies": [*links, {"ref": "rust-std"}],
    }


def component(crate, ref):
    said = {
        "type": "library",
        "bom-ref": ref,
        "name": crate.name,
        "version": crate.version,
        "description": crate.description,
        "hashes": [{"alg": "SHA-256", "content": crate.checksum}],
        "licenses": expression(crate.licence),
        "purl": ref,
    }
    if crate.repository:
        said["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    return said


def expression(licence):
    return [{"expression": licence}]
