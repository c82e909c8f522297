#!/usr/bin/env python3
"""Writes the corpus from which the fuzzer starts: a few small inputs for each target. Run it after adding a target: python3 tests/CoverageFuzz/seeds.py"""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "corpus"
SAMPLES = pathlib.Path(__file__).parent.parent / "Samples"
MAX_SAMPLE = 3_000


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def element(tag, vr, value, implicit=False):
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    return head + (struct.pack("<I", len(value)) if implicit else vr + struct.pack("<H", len(value))) + value


def item(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">BBH", kind, 0, len(body)) + body


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


for sample in SAMPLES.glob("*.dcm"):
    if sample.stat().st_size <= MAX_SAMPLE:
        put("object", sample.name, sample.read_bytes())

put("json", "element.json", b'{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B","Ideographic":"\xe5\xb1\xb1"}]},"00280010":{"vr":"US","Value":[5]},'
    b'"00082112":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}}]}}')
put("json", "bulk.json", b'{"7FE00010":{"vr":"OW","InlineBinary":"AAEC"},"00091001":{"vr":"FD","Value":[1.5,"NaN",null]},'
    b'"00080018":{"vr":"UI","Value":["1.2.3"]},"00420011":{"vr":"OB","BulkDataURI":"x"}}')
put("xml", "element.xml", b'<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'
    b'<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>A</FamilyName></Alphabetic></PersonName>'
    b'</DicomAttribute><DicomAttribute tag="00081140" vr="SQ"><Item number="1"><DicomAttribute tag="00081155" vr="UI"><Value number="1">1.2</Value>'
    b'</DicomAttribute></Item></DicomAttribute></NativeDicomModel>')
put("stow-answer", "answer.json", b'{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.3"]},"00081150":{"vr":"UI","Value":["1.2"]}}]},'
    b'"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.4"]},"00081197":{"vr":"US","Value":[272]}}]},'
    b'"0008119A":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}')
for implicit in (False, True):
    put("identifier", "implicit" if implicit else "explicit",
        element(0x00080052, b"CS", b"PATIENT", implicit) + element(0x00080020, b"DA", b"20240101-", implicit)
        + element(0x00100010, b"PN", b"A*", implicit) + element(0x00100020, b"LO", b"1", implicit) + element(0x0020000D, b"UI", b"1.2\\1.3", implicit))

user = item(0x50, item(0x51, struct.pack(">I", 16384)), item(0x52, b"1.2.3"), item(0x54, struct.pack(">H", 3) + b"1.2" + b"\1\1"), item(0x55, b"X"),
            item(0x56, struct.pack(">H", 3) + b"1.2\1"), item(0x58, b"\1\1" + struct.pack(">H", 1) + b"u" + struct.pack(">H", 0)))
request = struct.pack(">HH", 1, 0) + b"CALLED".ljust(16) + b"CALLING".ljust(16) + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
put("pdu", "associate", pdu(1, request + item(0x20, b"\1\0\0\0", item(0x30, b"1.2.840.10008.1.1"), item(0x40, b"1.2.840.10008.1.2")) + user))
put("pdu", "accept", pdu(2, request + item(0x21, b"\1\0\0\0", item(0x40, b"1.2.840.10008.1.2")) + user))
echo = (element(0x00000002, b"", b"1.2.840.10008.1.1\0", True) + struct.pack("<HHIH", 0, 0x100, 2, 0x30) + struct.pack("<HHIH", 0, 0x110, 2, 1)
        + struct.pack("<HHIH", 0, 0x800, 2, 0x101))
command = struct.pack("<HHII", 0, 0, 4, len(echo)) + echo
put("pdu", "data", pdu(4, struct.pack(">IBB", len(command) + 2, 1, 3) + command) + pdu(5, bytes(4)))
put("pdu", "end", pdu(3, b"\0\1\1\1") + pdu(6, bytes(4)) + pdu(7, b"\0\0\0\0"))
put("pdu", "command", command)
