"""Prints which tests failed, and why, and which gave no result: at the end, where one who reads a log from behind finds it. Fails where one gave none.
usage: failures.py LISTED RESULT.trx...    LISTED: what `dotnet test --list-tests` prints
"""
import collections
import struct
import sys
import xml.etree.ElementTree as xml

LONGEST = 4000
TEAM_TEST = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"

seen = collections.Counter()
for path in sys.argv[2:]:
    for result in xml.parse(path).getroot().iter(TEAM_TEST + "UnitTestResult"):
        name = result.get("testName")
        # A theory whose data are made while it runs is listed once, under its method's name.
        seen.update({name, name.split("(")[0]} if "(" in name else [name])
        if result.get("outcome") == "Failed":
            print(f"Failed: {name}\n{result.findtext(f'.//{TEAM_TEST}Message', '')[:LONGEST]}")



def as_in_results(name):
    """Result files spell characters beyond U+FFFF as escapes of their surrogates."""
    return "".join(c if ord(c) < 0x10000 else "".join(f"\\u{unit:04x}" for unit in struct.unpack(">HH", c.encode("utf-16-be"))) for c in name)


# Lines of a test are indented, and those around them are not.
with open(sys.argv[1], encoding="utf-8") as file:
    listed = collections.Counter(as_in_results(line.strip()) for line in file if line.startswith("    ") and line.strip())
lost = sorted((listed - seen).elements())
for name in lost:
    print(f"No result: {name}")
if not listed:
    print("No test is listed.")
sys.exit(1 if lost or not listed else 0)
