"""Says of each file whether pydicom finds an object of a study in it.

Reads paths, one a line, from standard input. Prints one line a file: verdict, Study, Series and SOP Instance UID, SOP Class UID, remark; tab separated.
Verdicts: object, no-object (cannot be read to its end, or one of the four UIDs is missing or malformed) and meta-mismatch (group 2 names another object).
A UID that is malformed is printed as an empty field.
"""
import io
import re
import sys
import warnings

import pydicom
import pydicom.filereader
from pydicom import config
from pydicom.dataelem import RawDataElement

warnings.simplefilter("ignore")
config.settings.reading_validation_mode = config.IGNORE
UID = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
KEYWORDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def uid_of(data_set, keyword):
    text = str(data_set.get(keyword) or "").strip(" \0")
    return text if len(text) <= 64 and UID.fullmatch(text) else ""


def read(path):
    with open(path, "rb") as stream:
        data = stream.read()
    if data[:4] == b"DICM":  # pydicom wants the preamble before the prefix
        data = bytes(128) + data
    return pydicom.dcmread(io.BytesIO(data), force=True)


def instance_of(path):
    """SOP Instance and Class UID of a file that breaks after them."""
    try:
        with open(path, "rb") as stream:
            start = pydicom.filereader.read_partial(stream, stop_when=lambda tag, vr, length: tag > 0x00080018, force=True)
        return [uid_of(start, "SOPInstanceUID"), uid_of(start, "SOPClassUID")]
    except Exception:
        return ["", ""]


def short(data_set):
    """Where a value has fewer bytes than its length says; bytes after Pixel Data, the last element of an image (PS3.3), are none of its elements."""
    for element in data_set._dict.values():
        if "PixelData" in data_set and element.tag > 0x7FE00010:
            continue
        if isinstance(element, RawDataElement) and element.value is not None and element.length != 0xFFFFFFFF and len(element.value) < element.length:
            return str(element.tag)
    return None


def verdict(path):
    try:
        data_set = read(path)
        tags = list(data_set.keys())
    except Exception as error:  # what pydicom cannot read is none, whatever it says
        return "no-object", ["", "", *instance_of(path)], f"{type(error).__name__}: {error}"
    cut = short(data_set)
    uids = [uid_of(data_set, keyword) for keyword in KEYWORDS]
    if cut:
        return "no-object", uids, f"{cut} is cut off"
    if not tags:
        return "no-object", uids, "no elements"
    for keyword, uid in zip(KEYWORDS, uids):
        if not uid:
            return "no-object", uids, f"{keyword} missing or malformed"
    for keyword, uid in (("MediaStorageSOPClassUID", uids[3]), ("MediaStorageSOPInstanceUID", uids[2])):
        stated = str(data_set.file_meta.get(keyword) or "").strip(" \0")
        if stated and stated != uid:
            return "meta-mismatch", uids, f"{keyword} differs"
    return "object", uids, ""


def main():
    for line in sys.stdin:
        path = line.rstrip("\n")
        name, uids, remark = verdict(path)
        print("\t".join([name, *uids, " ".join(remark.split())[:100]]))


main()
