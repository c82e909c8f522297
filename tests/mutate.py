#!/usr/bin/env python3
"""Mutation testing with Stryker: mutate.py [--jobs N] [FOLDER…], all folders where none is given. Prints the score of each folder; what survived goes to
mutants/FOLDER.tsv, and Stryker's own report, which names the tests, to mutants/PROJECT.json. While it works it says every minute how many mutants are done.

The score is what the tests caught (a test failed, or did not end) of the mutants that any change of behaviour could show. Left out are changes of the words
of messages and logs, and what one process for many mutants cannot tell: mutants of static initializers, which run once, and those that end the process. They
are in the list too, as Static and RuntimeError. The model tests play fewer histories than in a test run (MODEL_HISTORIES), because thousands of mutants are
tried.
"""
import argparse
import fnmatch
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# folder: project, the project's folder, what of it is changed, the tests that are run.
FOLDERS = {
    "tokenizer": ("Dicom", "src/Dicom", ["DicomTokenizer.cs", "TokenizerState.cs", "Token.cs"], "Unit.Dicom"),
    "text": ("Dicom", "src/Dicom", ["Text/*.cs"], "Unit.Dicom"),
    "frames": ("Dicom", "src/Dicom", ["FrameTable.cs", "FrameTableBuilder.cs", "PixelDataInfo.cs"], "Unit.Dicom"),
    "index": ("Archive", "src/Archive", ["Index/*.cs"], "Unit.Archive"),
    "search": ("Archive", "src/Archive", ["Search/*.cs"], "Unit.Archive"),
    "spool": ("EdgeGateway", "edge-gateway", ["Spool/*.cs"], "Unit.Gateway"),
    "forwarding": ("EdgeGateway", "edge-gateway", ["Forwarding/*.cs"], "Unit.Gateway"),
}
SAY_EVERY = 60
WORDS = ["*Log.*", "Log*", "*logger.Log*", "*Exception.ctor", "*Describe*"]


def run(project, folders, jobs, work):
    """Tries the mutants of some folders of one project, and prints a line for each; false where there is no report."""
    config = {
        "project": project + ".csproj",
        # The other runner, vstest, sees none of the mutants: xunit's tests run in a process below the one that it switches mutants on in.
        "test-runner": "mtp",
        "test-case-filter": "FullyQualifiedName~" + FOLDERS[folders[0]][3],
        "mutate": sorted("**/" + os.path.relpath(file, os.path.join(ROOT, FOLDERS[folder][1])) for folder in folders for file in files(folder)),
        "ignore-mutations": ["string"],
        "ignore-methods": WORDS,
        "concurrency": jobs,
        "reporters": ["json", "dots"],
    }
    path, output, log = (os.path.join(work, project + end) for end in (".json", "", ".log"))
    with open(path, "w") as file:
        json.dump({"stryker-config": config}, file)
    # One failed test is enough to know that a mutant is caught, and this runner does not stop at it; xunit does if it is told to.
    environment = dict(os.environ, MODEL_HISTORIES=os.environ.get("MODEL_HISTORIES", "100"), xUnit__stopOnFail="true",
                       DOTNET_NOLOGO="1", DOTNET_CLI_TELEMETRY_OPTOUT="1")
    status = follow(["dotnet", "stryker", "--config-file", path, "--output", output], environment, log, " ".join(folders))
    reports = glob.glob(os.path.join(output, "**", "mutation-report.json"), recursive=True)
    if not reports:
        with open(log) as file:
            print(f"{' '.join(folders)}: no report (exit {status})\n{''.join(file.readlines()[-15:])}")
        return False
    os.makedirs(os.path.join(ROOT, "mutants"), exist_ok=True)
    shutil.copy(reports[0], os.path.join(ROOT, "mutants", project + ".json"))
    with open(reports[0]) as file:
        sources = json.load(file)["files"]
    for folder in folders:
        tell(folder, {name: source for name, source in sources.items() if os.path.realpath(name) in files(folder)})
    return True


def follow(command, environment, log, name):
    """Runs Stryker, whose words go into a log, and says every minute how far it is."""
    text, start = "", time.monotonic()
    said = start
    with open(log, "w") as file, subprocess.Popen(command, cwd=os.path.join(ROOT, "tests", "Unit"), env=environment,
                                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while chunk := os.read(process.stdout.fileno(), 1 << 16):
            text += chunk.decode(errors="replace")
            file.write(chunk.decode(errors="replace"))
            file.flush()
            total = re.search(r"(\d+) +total mutants will be tested", text)
            if total and time.monotonic() - said >= SAY_EVERY:
                said = time.monotonic()
                # The reporter "dots" writes a character for each mutant that is done; lines of the log begin with a bracket.
                done = sum(len(re.match("[.ST]*", line)[0]) for line in text[total.end():].splitlines())
                print(f"{name}: {done} of {total[1]} mutants done after {(said - start) / 60:.0f} min", flush=True)
    return process.returncode


def files(folder):
    _, root, patterns, _ = FOLDERS[folder]
    return [file for pattern in patterns for file in glob.glob(os.path.join(ROOT, root, pattern)) if not fnmatch.fnmatch(file, "*.g.cs")]


def tell(folder, sources):
    tally, rows = {}, []
    for name, source in sorted(sources.items()):
        lines = source["source"].splitlines()
        for mutant in source["mutants"]:
            status = mutant["status"]
            if mutant.get("static") and status in ("Killed", "Survived", "Timeout"):
                status = "Static"
            tally[status] = tally.get(status, 0) + 1
            if status in ("Survived", "NoCoverage", "Static", "RuntimeError"):
                line = mutant["location"]["start"]["line"]
                rows.append((os.path.relpath(name, ROOT), line, status, mutant["mutatorName"],
                             " ".join(mutant["replacement"].split())[:200], lines[line - 1].strip()))
    with open(os.path.join(ROOT, "mutants", folder + ".tsv"), "w") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in rows)
    caught = tally.get("Killed", 0) + tally.get("Timeout", 0)
    counted = caught + tally.get("Survived", 0) + tally.get("NoCoverage", 0)
    print(f"{folder}: {100 * caught / max(1, counted):.1f} % ({caught} of {counted} caught, {tally.get('Timeout', 0)} of them because a test did not end; "
          f"{tally.get('NoCoverage', 0)} met by no test; {tally.get('Static', 0) + tally.get('RuntimeError', 0)} not counted)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="one of " + ", ".join(FOLDERS))
    arguments = parser.parse_args()
    wanted = arguments.folders or list(FOLDERS)
    if unknown := set(wanted) - set(FOLDERS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Folders: {', '.join(FOLDERS)}.")
    subprocess.check_call(["dotnet", "tool", "restore"], cwd=ROOT, stdout=subprocess.DEVNULL)
    work = tempfile.mkdtemp()
    try:
        projects = dict.fromkeys(FOLDERS[folder][0] for folder in wanted)
        return 0 if all([run(project, [f for f in wanted if FOLDERS[f][0] == project], arguments.jobs, work) for project in projects]) else 1
    finally:
        shutil.rmtree(work)


sys.exit(main())
