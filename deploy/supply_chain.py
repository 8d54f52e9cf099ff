"""Checks what the project depends on: licences, pins, withdrawn releases and known vulnerabilities; writes an SBOM.

Run by `make supply-chain` in an environment that has the tools of supply-chain.txt; the argument is the Python to look at. Asks nobody but
the package index. Exit code 1 where something is wrong; what could not be checked is said and not counted as right.
"""

import json
import subprocess
import sys
from pathlib import Path

PERMISSIVE = ("MIT", "BSD", "0BSD", "Apache", "PSF", "Python Software Foundation", "ISC", "Zlib", "CC0", "MPL", "Mozilla")
OURS = "dlnflow"
CONSTRAINTS = "constraints.txt"
SBOM = "sbom.json"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A tool's answer, whatever its exit code."""
    return subprocess.run([*words], capture_output=True, text=True)


def tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A tool of this environment."""
    return run(str(Path(sys.executable).parent / name), *words)


def permitted(licence: str) -> bool:
    """Whether each part that binds is a licence that asks for no more than credit (or, with MPL, for the source of its own files)."""
    parts = licence.replace(";", " OR ").replace(" AND ", " OR ").split(" OR ")
    return all(part.strip(" ()").startswith(PERMISSIVE) for part in parts)


def check_licences(python: str) -> list[str]:
    """Packages whose licence is unknown or asks for more."""
    packages = json.loads(tool("pip-licenses", "--python", python, "--from=mixed", "--format=json").stdout)
    print(f"licences: {len(packages)} packages")
    return [f"licence of {p['Name']}: {p['License']}" for p in packages if p["Name"] != OURS and not permitted(p["License"])]


def check_pins(python: str) -> list[str]:
    """Installed packages that constraints.txt does not pin to the version that is there."""
    lines = Path(CONSTRAINTS).read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)
    installed = json.loads(run(python, "-m", "pip", "list", "--format=json", "--exclude", OURS).stdout)
    others = {"pip", "setuptools", "wheel"}
    found = {p["name"].lower().replace("_", "-"): p["version"].lower() for p in installed}
    print(f"pins: {len(pins)} in {CONSTRAINTS}, {len(found)} packages installed")
    return [f"{name} {version} is not pinned" for name, version in found.items() if name not in others and pins.get(name) != version]


def check_withdrawn(python: str) -> list[str]:
    """Pinned releases that their authors withdrew from the index."""
    answer = run(python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "-q", "--no-deps", "-r", CONSTRAINTS)
    print("withdrawn releases: asked the index")
    if answer.returncode:
        return [f"the index does not have every pinned release: {answer.stderr.strip()[-500:]}"]
    return [line for line in answer.stderr.splitlines() if "yanked" in line]


def check_vulnerabilities() -> list[str]:
    """Known vulnerabilities of the pinned releases, from the index's own service."""
    answer = tool("pip-audit", "-r", CONSTRAINTS, "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off")
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        print("vulnerabilities: NOT CHECKED, the service did not answer")
        return []
    checked = [p for p in packages if "vulns" in p]
    print(f"vulnerabilities: {len(checked)} packages checked, {len(packages) - len(checked)} NOT CHECKED, unknown to the service")
    return [f"{p['name']} {p['version']}: {v['id']}, fixed in {v['fix_versions']}" for p in checked for v in p["vulns"]]


def write_sbom(python: str) -> list[str]:
    """The parts list, in CycloneDX's format."""
    answer = tool("cyclonedx-py", "environment", python, "--output-reproducible", "-o", SBOM)
    print(f"SBOM: {SBOM}")
    return [] if answer.returncode == 0 else [f"SBOM: {answer.stderr[-500:]}"]


def main() -> int:
    """All checks; the number of findings decides the exit code."""
    python = sys.argv[1]
    findings = check_licences(python) + check_pins(python) + check_withdrawn(python) + check_vulnerabilities() + write_sbom(python)
    print("\n".join(findings) or "nothing found")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
