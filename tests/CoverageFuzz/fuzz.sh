#!/usr/bin/env bash
# Coverage-guided fuzzing with AFL++ (package afl++): fuzz.sh [SECONDS] [TARGET…]. Two targets at a time; 60 seconds and all targets where nothing is given;
# 1800 for a long run. Prints of each target its executions, its coverage (edges of the instrumented assemblies that inputs have reached) and its findings;
# inputs that break a target are kept in fuzz-findings/ and end the script with 1. What was found belongs into corpus/, so that every test run replays it.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet tool restore >/dev/null || exit 2
# Its build has a folder of its own: another build of the same projects may be going on in the tree.
dotnet publish tests/CoverageFuzz -c Release --artifacts-path "$work/build" -o "$work/program" -v q --nologo >"$work/publish.log" 2>&1 \
  || { cat "$work/publish.log"; exit 2; }
program="$work/program/DicomServerless.CoverageFuzz.dll"
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(dotnet "$program" targets) # before it is instrumented: then it runs under the fuzzer alone
for assembly in Dicom Dicom.Network Dicom.Web EdgeGateway; do
  dotnet sharpfuzz "$work/program/DicomServerless.$assembly.dll" >/dev/null || { echo "$assembly cannot be instrumented."; exit 2; }
done

# No part of it needs the machine to be tuned; a crash is an exception that .NET reports to the fuzzer itself.
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
fuzz() {
  afl-fuzz -i "tests/CoverageFuzz/corpus/$1" -o "$work/$1" -t 10000 -m none -V "$seconds" -- dotnet "$program" "$1" >"$work/$1.log" 2>&1
}
for ((i = 0; i < ${#targets[@]}; i += 2)); do
  for target in "${targets[@]:i:2}"; do fuzz "$target" & done
  wait
done

bad=0
for target in "${targets[@]}"; do
  stats="$work/$target/default/fuzzer_stats"
  if [ ! -f "$stats" ]; then
    echo "$target: did not start: $(tail -n 5 "$work/$target.log" | tr '\n' ' ')"
    bad=1
    continue
  fi
  value() { sed -n "s/^$1 *: //p" "$stats"; }
  findings=$(find "$work/$target/default/crashes" "$work/$target/default/hangs" -type f -name 'id:*' 2>/dev/null)
  count=$(printf '%s' "$findings" | grep -c .)
  echo "$target: $(value execs_done) executions in $(value run_time) s, $(value edges_found) of $(value total_edges) edges ($(value bitmap_cvg))," \
    "$(value corpus_count) inputs kept, $count findings"
  if [ "$count" -gt 0 ]; then
    bad=1
    mkdir -p "fuzz-findings/$target"
    printf '%s\n' "$findings" | while read -r file; do cp "$file" "fuzz-findings/$target/$(sha256sum "$file" | cut -c1-12)"; done
  fi
done
exit "$bad"
