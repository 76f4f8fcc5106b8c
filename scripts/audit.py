"""Ask for known vulnerabilities of the installed packages.

Fails when there are any, or when the audit itself goes wrong. Only a service that cannot be reached, as on a
machine without a network, is let pass, and said.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

COMMAND = (
    *(sys.executable, "-m", "pip_audit"),
    *("--local", "--skip-editable", "--vulnerability-service", "osv"),
    *("--format", "json", "--desc", "off", "--progress-spinner", "off"),
)
UNREACHABLE = re.compile(r"requests\.exceptions\.(Connect\w+|ProxyError|ReadTimeout|SSLError)")


def main() -> int:
    """Run pip-audit; the result is the exit code."""
    audit = subprocess.run(COMMAND, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if not audit.stdout.strip():
        if UNREACHABLE.search(audit.stderr):
            print("pip-audit: the advisory service cannot be reached, so nothing was audited; going on")
            return 0
        print(audit.stderr, file=sys.stderr)
        return audit.returncode or 1
    packages = json.loads(audit.stdout)["dependencies"]
    findings = [(package, finding) for package in packages for finding in package.get("vulns", ())]
    for package, finding in findings:
        fixed = ", ".join(finding["fix_versions"]) or "none yet"
        print(f"{package['name']} {package['version']}: {finding['id']}, fixed in: {fixed}")
    print(f"pip-audit: {len(packages)} packages, {len(findings)} known vulnerabilities")
    return 1 if findings or audit.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
