#!/usr/bin/env bash
# Makes the package that a function app runs: artifacts/functions.zip, with host.json and one folder a function at its root and the self-contained program in app/.
# usage: infra/publish.sh [OUTPUT.zip]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
zip=$(realpath -m "${1:-$root/artifacts/functions.zip}")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

dotnet publish "$root/functions/Functions.csproj" -c Release -r linux-x64 --self-contained -p:PublishTrimmed=true -p:PublishReadyToRun=true \
  -p:DebugType=none -p:GenerateDocumentationFile=false -o "$stage/app" --nologo -v quiet
chmod 0755 "$stage/app/DicomServerless.Functions"

# host.json and the function folders go to the root; the program has no use for its copies.
for item in host.json http events-queue events-grid sweep; do
  rm -rf "${stage:?}/app/$item"
  cp -R "$root/functions/$item" "$stage/$item"
done

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
