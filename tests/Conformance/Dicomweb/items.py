"""Prints the table of demands on a DICOMweb server with what the tests of this run say. Ends with 1 if a demand has no passing test and no declared reason.
usage: items.py ITEMS.tsv RESULT.trx..."""
import re
import sys
import xml.etree.ElementTree as xml

outcomes = {}
for path in sys.argv[2:]:
    for result in xml.parse(path).getroot().iter("{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}UnitTestResult"):
        name = ".".join(re.sub(r"\(.*", "", result.get("testName"), flags=re.S).split(".")[-2:])
        outcomes.setdefault(name, []).append(result.get("outcome"))


def told(test):
    results = outcomes.get(test, [])
    return f"{len(results)} of {len(results)} cases" if set(results) == {"Passed"} else outcomes.get(test, "did not run")


missing = 0
counts = {}
with open(sys.argv[1], encoding="utf-8") as lines:
    next(lines)
    for line in lines:
        item, kind, what, verdict, tests, note = (line.rstrip("\n").split("\t") + [""] * 6)[:6]
        said = verdict
        if verdict == "test":
            said = "pass" if all(outcomes.get(test) and set(outcomes[test]) == {"Passed"} for test in tests.split()) else "NOT SHOWN"
            missing += said != "pass"
        counts[said] = counts.get(said, 0) + 1
        print(f"{item:6} [{kind}] {said:9} {what}" + (f" ({note})" if note else "") + "".join(f"\n{'':20}{test}: {told(test)}" for test in tests.split()))
print("Demands on a DICOMweb server: " + ", ".join(f"{count} {said}" for said, count in sorted(counts.items())))
sys.exit(1 if missing else 0)
