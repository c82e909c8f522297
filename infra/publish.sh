#!/usr/bin/env bash
# Makes the package that a function app runs: artifacts/functions.zip, with host.json, the worker and what the host needs to know of its functions at its
# root. It depends on the platform's .NET and is compiled ahead for its processors. The viewer comes along; that needs Node.
# usage: infra/publish.sh [--no-viewer] [OUTPUT.zip]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
viewer=1
if [ "${1:-}" = --no-viewer ]; then viewer=0; shift; fi
zip=$(realpath -m "${1:-$root/artifacts/functions.zip}")
stage=$(mktemp -d)
build=$(mktemp -d)
trap 'rm -rf "$stage" "$build"' EXIT

# The build has a folder of its own, so that nothing else that builds in the tree is disturbed. No build servers are left behind: they would keep the
# caller's output open for as long as they wait for more.
dotnet publish "$root/functions/Functions.csproj" -nodeReuse:false -p:UseSharedCompilation=false -c Release -r linux-x64 --self-contained false \
  -p:PublishReadyToRun=true -p:DebugType=none -p:GenerateDocumentationFile=false --artifacts-path "$build" -o "$stage" --nologo -v quiet

# Prepared once: the script knows a viewer that it has made.
if [ "$viewer" = 1 ]; then
  node "$root/infra/viewer.mjs" "$root/artifacts/viewer"
  cp -R "$root/artifacts/viewer" "$stage/viewer"
fi

mkdir -p "$(dirname "$zip")"
rm -f "$zip"
# zip keeps the executable bit; python3 does the same where zip is not installed.
if command -v zip >/dev/null; then
  (cd "$stage" && zip -q -r -X "$zip" .)
else
  python3 - "$stage" "$zip" <<'PY'
import os, sys, zipfile
stage, target = sys.argv[1:]
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as package:
    for folder, _, files in os.walk(stage):
        for name in sorted(files):
            path = os.path.join(folder, name)
            info = zipfile.ZipInfo.from_file(path, os.path.relpath(path, stage))
            info.compress_type = zipfile.ZIP_DEFLATED
            with open(path, 'rb') as source:
                package.writestr(info, source.read())
PY
fi
echo "$zip ($(du -h "$zip" | cut -f1))"
