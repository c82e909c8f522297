"""Prints which tests failed, and why: at the end, where one who reads a log from behind finds it.
usage: failures.py RESULT.trx..."""
import sys
import xml.etree.ElementTree as xml

LONGEST = 4000
TEAM_TEST = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"

for path in sys.argv[1:]:
    for result in xml.parse(path).getroot().iter(TEAM_TEST + "UnitTestResult"):
        if result.get("outcome") == "Failed":
            print(f"Failed: {result.get('testName')}\n{result.findtext(f'.//{TEAM_TEST}Message', '')[:LONGEST]}")
