"""Compares DICOM JSON with what pydicom reads from the same files, element by element.

Reads a manifest: one JSON object a line with file, json (path of our DICOM JSON), bulk (list of [path, offset in the file or the inflated bytes, length]) and,
for deflated files, deflatedAt (where the deflated bytes start). Where a server made the JSON, bulk has [BulkDataURI, path of what it served] instead.
Prints one line per difference: kind, file, element, ours, pydicom's; tab separated.
Kinds in capitals are declared exceptions, those in small letters are failures. The last line says how much was compared.
"""
import base64
import json
import math
import struct
import sys
import warnings
import zlib
from decimal import Decimal, InvalidOperation

import pydicom
from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.filewriter import correct_ambiguous_vr_element

warnings.simplefilter("ignore")
config.settings.reading_validation_mode = config.IGNORE
config.use_DS_decimal = False

WORD = {"OW": 2, "US": 2, "SS": 2, "OF": 4, "OL": 4, "UL": 4, "SL": 4, "FL": 4, "OD": 8, "OV": 8, "FD": 8, "SV": 8, "UV": 8}
CHARSET = {"LO", "LT", "SH", "ST", "UC", "UT"}
PLAIN = {"AE", "AS", "CS", "DA", "DT", "TM", "UI", "UR"}
SINGLE = {"LT", "ST", "UR", "UT"}
INTEGERS = {"US", "SS", "UL", "SL", "SV", "UV"}
counts = {"files": 0, "elements": 0}


class Number(str):
    """A JSON number by its text."""


def report(kind, file, path, ours, theirs):
    print("\t".join([kind, file, path, repr(ours)[:120], repr(theirs)[:120]]))


def turned(value, vr, little):
    size = WORD.get(vr, 1)
    if little or size == 1:
        return value
    return b"".join(value[i:i + size][::-1] for i in range(0, len(value), size))


def trimmed(text, vr):
    return text.rstrip(" \0") if vr in SINGLE or vr == "UC" else text.strip(" \0")


def texts(text, vr):
    text = text.rstrip(" \0")
    if not text:
        return []
    return [text] if vr in SINGLE else [trimmed(part, vr) or None for part in text.split("\\")]


def same_decimal(ours, theirs):
    if theirs is None or ours is None:
        return ours is None and theirs is None
    try:
        expected = Decimal(theirs)
    except InvalidOperation:
        return ours == theirs and not isinstance(ours, Number)
    if not expected.is_finite() or not math.isfinite(float(expected)):
        return ours == theirs
    return isinstance(ours, Number) and Decimal(ours) == expected and Decimal(ours).as_tuple().exponent == expected.as_tuple().exponent


def float_of(value):
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[value] if not isinstance(value, Number) else float(value)


def names(value):
    result = []
    for name in value:
        groups = {key: group.strip(" \0") for key, group in zip(("Alphabetic", "Ideographic", "Phonetic"), str(name).split("=", 2))}
        result.append({key: group for key, group in groups.items() if group} or None)
    return result


def listed(value):
    if value is None or value == "" or value == b"":
        return []
    return list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]


class Comparison:
    def __init__(self, entry):
        self.file = entry["file"]
        self.name = entry["name"]
        self.served = {entry[0]: entry[1] for entry in entry["bulk"]} if entry.get("served") else None
        self.bulk = {path: (offset, length) for path, offset, length in entry["bulk"]} if self.served is None else {}
        data = open(self.file, "rb").read()
        if entry.get("deflatedAt") is not None:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[entry["deflatedAt"]:])
        self.data = data
        self.transfer_syntax = None

    def data_set(self, ours, theirs, path):
        wanted = [tag for tag in sorted(theirs.keys()) if tag.element != 0 and tag.group != 2]
        keys = [f"{int(tag):08X}" for tag in wanted]
        if list(ours) != keys:
            report("elements", self.name, path, sorted(set(ours) - set(keys)), sorted(set(keys) - set(ours)))
        for tag, key in zip(wanted, keys):
            if key in ours:
                counts["elements"] += 1
                self.element(ours[key], theirs, tag, path + ("/" if path else "") + key)

    def element(self, ours, theirs, tag, path):
        raw = theirs._dict[tag]
        little = raw.is_little_endian if isinstance(raw, RawDataElement) else theirs.is_little_endian is not False
        raw_bytes = raw.value if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) else b"" if isinstance(raw, RawDataElement) else None
        try:
            element = theirs[tag]
            if " or " in element.VR:
                element = correct_ambiguous_vr_element(element, theirs, little)
        except Exception as error:  # pydicom gives up where we show what is there
            if ours["vr"] in ("DS", "IS") and raw_bytes is not None and self.texts(ours, raw_bytes.decode("latin-1"), path):
                return
            report("PYDICOM-FAILS", self.name, path, ours, str(error))
            return
        vr = element.VR
        if vr != ours["vr"]:
            if ours["vr"] == "UN" and tag.is_private and isinstance(raw, RawDataElement) and raw.VR in (None, "UN"):
                report("PRIVATE-DICTIONARY", self.name, path, ours["vr"], vr)
                self.binary(ours, "UN", raw_bytes, little, path)
                return
            if ours["vr"] == "UN" and vr == "SQ" and isinstance(raw, RawDataElement) and raw.VR == "UN":
                report("UN-SEQUENCE", self.name, path, ours["vr"], vr)
                self.binary(ours, "UN", raw_bytes, little, path)
                return
            report("vr", self.name, path, ours["vr"], vr)
            return
        if vr == "SQ":
            items = ours.get("Value", [])
            if len(items) != len(element.value):
                report("items", self.name, path, len(items), len(element.value))
            for number, (mine, item) in enumerate(zip(items, element.value), 1):
                self.data_set(mine, item, f"{path}/{number}")
        elif "BulkDataURI" in ours or vr.startswith("O") or vr == "UN":
            self.binary(ours, vr, raw_bytes if raw_bytes is not None else element.value, little, path)
        elif int(tag) == 0x00080005:
            present = raw_bytes.strip(b" \0") if raw_bytes is not None else [v for v in listed(element.value) if v]
            expected = ["ISO_IR 192"] if present else []
            if ours.get("Value", []) != expected:
                report("charset", self.name, path, ours, expected)
            elif expected != listed(element.value):
                report("SPECIFIC-CHARACTER-SET", self.name, path, expected, listed(element.value))
        else:
            self.value(ours, vr, element, raw_bytes, path)

    def texts(self, ours, text, path):
        expected = texts(text, ours["vr"])
        mine = ours.get("Value", [])
        if len(mine) == len(expected) and all(same_decimal(a, b) for a, b in zip(mine, expected)):
            return True
        report("decimal", self.name, path, mine, expected)
        return False

    def value(self, ours, vr, element, raw_bytes, path):
        mine = ours.get("Value", [])
        if vr in ("DS", "IS"):
            self.texts(ours, raw_bytes.decode("latin-1"), path)
            return
        if vr in PLAIN:
            expected = texts(raw_bytes.decode("latin-1"), vr) if raw_bytes is not None else [str(v) for v in listed(element.value)]
        elif vr in CHARSET:
            value = element.value
            expected = texts(value if isinstance(value, str) else "\\".join(listed(value)), vr)
        elif vr == "PN":
            value = element.value
            expected = [] if value is None or value == "" else names([value] if isinstance(value, pydicom.valuerep.PersonName) else value)
            expected = [] if expected == [None] and not mine else expected
        elif vr == "AT":
            expected = [f"{int(v):08X}" for v in listed(element.value)]
        elif vr in INTEGERS:
            expected = listed(element.value)
            mine = [int(v) for v in mine]
            for v, text in zip(mine, ours.get("Value", [])):
                if isinstance(text, Number) != (abs(v) <= 2 ** 53):
                    report("integer", self.name, path, text, v)
        elif vr in ("FL", "FD"):
            form = "<f" if vr == "FL" else "<d"
            expected = [struct.pack(form, v) for v in listed(element.value)]
            mine = [struct.pack(form, float_of(v)) for v in mine]
            if any(math.isnan(v) for v in listed(element.value)):
                mine, expected = [repr(float_of(v)) for v in ours["Value"]], [repr(v) for v in listed(element.value)]
        else:
            report("form", self.name, path, ours, vr)
            return
        if mine != expected:
            report("value", self.name, path, mine, expected)

    def binary(self, ours, vr, expected, little, path):
        if "Value" in ours:
            report("form", self.name, path, ours, vr)
        elif "BulkDataURI" in ours and self.served is not None:
            with open(self.served[ours["BulkDataURI"]], "rb") as stream:
                value = stream.read()
            # GE's private transfer syntax has big endian pixels in a little endian data set; values are served little endian (PS3.18 8.7.3.3).
            little = little and not (path == "7FE00010" and self.transfer_syntax == "1.2.840.113619.5.2")
            if not ours["BulkDataURI"].endswith("/bulkdata/" + path) or value != turned(expected or b"", vr, little):
                report("bulk", self.name, path, (ours["BulkDataURI"], len(value), value[:16]), (len(expected or b""), (expected or b"")[:16]))
        elif "BulkDataURI" in ours:
            offset, length = self.bulk.get(ours["BulkDataURI"], (0, 0))
            if ours["BulkDataURI"] != path or self.data[offset:offset + length] != expected:
                report("bulk", self.name, path, (ours["BulkDataURI"], offset, length), len(expected))
        else:
            value = base64.b64decode(ours.get("InlineBinary", ""), validate=True)
            if value != turned(expected or b"", vr, little):
                report("binary", self.name, path, value[:20], (expected or b"")[:20])


def main():
    for line in open(sys.argv[1], encoding="utf-8"):
        entry = json.loads(line)
        with open(entry["json"], encoding="utf-8") as stream:
            ours = json.load(stream, parse_float=Number, parse_int=Number)
        try:
            theirs = pydicom.dcmread(entry["file"], force=True)
            list(theirs.keys())
        except Exception as error:
            report("PYDICOM-FAILS", entry["name"], "", "", str(error))
            continue
        counts["files"] += 1
        try:
            comparison = Comparison(entry)
            comparison.transfer_syntax = theirs.file_meta.get("TransferSyntaxUID")
            comparison.data_set(ours, theirs, "")
        except RecursionError as error:
            report("PYDICOM-FAILS", entry["name"], "", "", str(error))
    print(f"compared\t{counts['files']}\t{counts['elements']}")


main()
