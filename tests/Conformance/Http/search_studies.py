"""Writes synthetic objects and random searches of them, the same for the same seed.

search_studies.py FOLDER SEED STUDIES SMALL QUERIES
  FOLDER/all/*.dcm    STUDIES studies of one or two small objects
  FOLDER/small/*.dcm  SMALL studies of several series and instances
  FOLDER/queries.jsonl  {"n", "archive": "all"|"small", "resource", "study", "series", "keys": [[name, value]...], "flags": {...}}
"""
import json
import pathlib
import random
import sys

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

NAMES = ["Smith^John", "Smithson^Anna Maria", "Li^Na", "Ng^O", "O'Brien^Pat", "Müller^Jürgen", "Łuczak^Zofia", "Sørensen^Bjørn", "Weiß^Jörg",
         "Nuñez^José", "MC DONALD^RONALD", "Le-Grand^Élise", "Иванова^Анна", "Ωνάσης^Αρης", "山田^太郎", "王^小明", "김^희중",
         "Yamada^Tarou=山田^太郎=やまだ^たろう", "Hong^Gildong=洪^吉洞=홍^길동", "Wang^XiaoDong=王^小東",
         "Žižková^Jana", "Garcia Lopez^Maria^X^Dr", "Ivanov^Ivan", "X", "Van der Berg^Kees", "Gonçalves^João", "Đorđević^Ana", "Ærø^Åse"]
DESCRIPTIONS = ["CT CHEST W CONTRAST", "XCHEST", "MR BRAIN", "Thorax + abdomen", "HAND_RT", "a/b#c?e", "Knee, left", "PET WB", "Échographie", "CT 100%"]
INSTITUTIONS = ["General Hospital", "St. Mary", "Krankenhaus Süd"]
SERIES = ["AX 5mm", "COR", "SAG T2", "Localizer", "ax 5mm"]
PARTS = ["CHEST", "HEAD", "KNEE", "ABDOMEN"]
MODALITIES = ["CT", "MR", "PT", "CR", "US", "SR"]
CLASSES = ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"]
ZONES = ["+0000", "+0100", "-0500", "+0530", "-0330"]
ADDRESSES = ["Main Street 1", "Marktplatz 4", "5 Rue de la Paix"]


def uid(*parts):
    return "1.2.826.0.1.3680043.10.7." + ".".join(str(p) for p in parts)


def day(r):
    return f"{r.randrange(2018, 2025)}{r.randrange(1, 13):02d}{r.randrange(1, 29):02d}"


def time(r):
    full = f"{r.randrange(24):02d}{r.randrange(60):02d}{r.randrange(60):02d}"
    return r.choice([full, full[:4], full + ".25", full[:2], full])


def study(r, group, i, several):
    base = {
        "StudyInstanceUID": uid(group, i), "PatientName": r.choice(NAMES), "PatientID": f"{r.choice(['MRN', 'P-', '00'])}{r.randrange(400)}",
        "PatientSex": r.choice(["M", "F", "O", ""]), "PatientBirthDate": r.choice([day(r).replace("20", "19", 1), ""]),
        "StudyDate": r.choice([day(r)] * 12 + ["", day(r)[:4] + ".03.04"]), "StudyTime": r.choice([time(r)] * 8 + [""]),
        "AccessionNumber": r.choice([f"A{r.randrange(3000)}", f"A{r.randrange(3000)}", ""]), "StudyID": str(r.randrange(300)),
        "ReferringPhysicianName": r.choice(NAMES + [""] * 8),
        "StudyDescription": r.choice(DESCRIPTIONS + [""]), "InstitutionName": r.choice(INSTITUTIONS + [""]),
    }
    zone = r.choice([None] * 3 + ZONES)
    address = r.choice(ADDRESSES + [None])
    for s in range(1, (r.randrange(2, 5) if several else r.choice([1, 1, 1, 2])) + 1):
        of = {
            "SeriesInstanceUID": uid(group, i, s), "Modality": r.choice(MODALITIES), "SeriesNumber": r.choice([str(s), str(s), str(20 - s), ""]),
            "SeriesDescription": r.choice(SERIES + [""]), "BodyPartExamined": r.choice(PARTS + [""]),
            "PerformedProcedureStepStartDate": r.choice([day(r), ""]), "PerformedProcedureStepStartTime": r.choice([time(r), ""]),
        }
        request = r.choice([None, r.randrange(50)])
        for k in range(1, (r.randrange(1, 6) if several else 1) + 1):
            ds = Dataset()
            ds.SpecificCharacterSet = "ISO_IR 192"
            for keyword, value in {**base, **of}.items():
                # One object in ten lacks what its study has: the study's value is that of the others.
                if value == "" and r.random() < 0.5 or (k > 1 and keyword in ("StudyDescription", "AccessionNumber") and r.random() < 0.1):
                    continue
                setattr(ds, keyword, value)
            ds.SOPClassUID = r.choice(CLASSES)
            ds.SOPInstanceUID = uid(group, i, s, r.randrange(1000), k)
            if r.random() < 0.9:
                ds.InstanceNumber = str(r.randrange(1, 4))
            ds.ImageType = r.choice([["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY"], ["ORIGINAL", "PRIMARY"]])
            ds.Rows = r.choice([128, 256, 512])
            if zone:
                ds.TimezoneOffsetFromUTC = zone
            if address:
                ds.PatientAddress = address
            if r.random() < 0.5:
                ds.AcquisitionDateTime = day(r) + time(r)[:4] + r.choice(["", "+0100", "-0500"])
            if request is not None:
                item = Dataset()
                item.ScheduledProcedureStepID, item.RequestedProcedureID = f"SPS{request}", f"RP{request % 7}"
                ds.RequestAttributesSequence = [item]
            if r.random() < 0.5:
                # The creator's block is now the first, now behind another's.
                if r.random() < 0.5:
                    ds.private_block(0x0023, "OTHER 1.0", create=True).add_new(0x01, "LO", "Elsewhere")
                ds.private_block(0x0023, "ACME", create=True).add_new(0x01, "LO", r.choice(["Left", "Right", "Both"]))
            yield ds


def save(ds, path):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = ds.SOPClassUID, ds.SOPInstanceUID, ExplicitVRLittleEndian
    meta.ImplementationClassUID = "1.2.826.0.1.3680043.10.7.0"
    file = FileDataset(str(path), ds, file_meta=meta, preamble=b"\0" * 128)
    file.is_little_endian, file.is_implicit_VR = True, False
    file.save_as(str(path), write_like_original=False)


def pattern(r, value):
    if not value:
        return "*"
    a = r.randrange(len(value))
    part = value[a:r.randrange(a + 1, len(value) + 1)]
    return r.choice([value, value, value.upper(), value.lower(), f"*{part}*", value[:a + 1] + "*", "*" + value[a:],
                     value[:a] + "?" + value[a + 1:], value[:a] + "*" + value[a + 1:]])


def interval(r, make):
    a, b = sorted([make(r), make(r)])
    return r.choice([a, f"{a}-{b}", f"{a}-{b}", f"{a}-", f"-{b}"])


KEYS = {
    "PatientName": lambda r: pattern(r, r.choice(r.choice(NAMES).split("="))),
    "PatientID": lambda r: pattern(r, f"{r.choice(['MRN', 'P-', '00'])}{r.randrange(400)}"),
    "AccessionNumber": lambda r: pattern(r, f"A{r.randrange(3000)}"),
    "StudyID": lambda r: pattern(r, str(r.randrange(300))),
    "StudyDescription": lambda r: pattern(r, r.choice(DESCRIPTIONS)),
    "ReferringPhysicianName": lambda r: pattern(r, r.choice(NAMES)),
    "PatientSex": lambda r: r.choice(["M", "F", "M,F", "O\\F", "*"]),
    "PatientBirthDate": lambda r: interval(r, lambda q: day(q).replace("20", "19", 1)),
    "InstitutionName": lambda r: pattern(r, r.choice(INSTITUTIONS)),
    "StudyDate": lambda r: interval(r, day),
    "StudyTime": lambda r: interval(r, lambda q: time(q)[:4]),
    "ModalitiesInStudy": lambda r: r.choice(["CT", "CT,MR", "MR\\PT", "C?", "S*", "XA"]),
}
SERIES_KEYS = {
    "Modality": lambda r: r.choice(["CT", "CT,MR", "M?"]),
    "SeriesDescription": lambda r: pattern(r, r.choice(SERIES)),
    "SeriesNumber": lambda r: str(r.randrange(1, 5)),
    "BodyPartExamined": lambda r: r.choice(PARTS + ["*E*"]),
    "PerformedProcedureStepStartDate": lambda r: interval(r, day),
    "PerformedProcedureStepStartTime": lambda r: interval(r, lambda q: time(q)[:4]),
    "RequestAttributesSequence.ScheduledProcedureStepID": lambda r: pattern(r, f"SPS{r.randrange(50)}"),
    "00400275.00401001": lambda r: f"RP{r.randrange(7)}",
}
INSTANCE_KEYS = {
    "SOPClassUID": lambda r: r.choice([CLASSES[0], ",".join(CLASSES[:2]), "\\".join(CLASSES[1:])]),
    "InstanceNumber": lambda r: r.choice(["1", "2", "01", "2,3"]),
    "ImageType": lambda r: r.choice(["AXIAL", "ORIGINAL\\SECONDARY", "DERIVED", "ORIGINAL\\AXIAL"]),
    "Rows": lambda r: r.choice(["256", "512"]),
    "PatientAddress": lambda r: pattern(r, r.choice(ADDRESSES)),
    "AcquisitionDateTime": lambda r: interval(r, lambda q: day(q) + r.choice(["", "12", "1200"])) + r.choice(["", ""]),
    "private": lambda r: pattern(r, r.choice(["Left", "Right", "Both"])),
}

WILD = {"PatientName", "PatientID", "AccessionNumber", "StudyID", "StudyDescription", "ReferringPhysicianName", "InstitutionName", "ModalitiesInStudy",
        "Modality", "SeriesDescription", "BodyPartExamined", "ScheduledProcedureStepID", "ImageType", "PatientAddress", "private"}
LISTS = {"ModalitiesInStudy", "Modality", "PatientSex", "InstanceNumber"}


def kinds(resource, study_uid, keys, flags):
    """What of the rules a search tries, for the count of them."""
    yield f"{resource} of a study" if study_uid else resource
    yield from flags
    if not keys:
        yield "no key"
    for name, value in keys.items():
        plain = value.strip("*?")
        wild = name.split(".")[-1] in WILD
        if wild and plain and value.startswith("*"):
            yield "wildcard before"
        if wild and plain and value.endswith("*"):
            yield "wildcard behind"
        if wild and "*" in plain:
            yield "wildcard between"
        if wild and "?" in value:
            yield "any one character"
        if value and not plain:
            yield "universal"
        if name.endswith(("Date", "Time")) and "-" in value:
            yield "range"
        for start in ("Study", "PerformedProcedureStepStart"):
            if name == start + "Date" and "-" in value and "-" in keys.get(start + "Time", ""):
                yield "combined date and time"
        if name == "AcquisitionDateTime":
            yield "date-time"
        if name.endswith("UID"):
            yield "UID list by comma" if "," in value else "UID list by backslash" if "\\" in value else "UID"
        elif "," in value and name in LISTS or "\\" in value:
            yield "several values by comma" if "," in value else "several values by backslash"
        if "." in name:
            yield "sequence path"
        if name == "private":
            yield "private, with creator"
        if name == "ImageType":
            yield "multi-valued attribute"
        if name in SERIES_KEYS and resource == "studies" or name in INSTANCE_KEYS and resource != "instances":
            yield "key below the resource"


def query(r, n, studies, small):
    at_small = r.random() < 0.35
    flags, keys = {}, {}
    resource, study_uid, series_uid = "studies", None, None
    pools = [KEYS]
    if at_small:
        resource = r.choice(["series", "instances"])
        pools = [KEYS, SERIES_KEYS] + ([INSTANCE_KEYS] if resource == "instances" or r.random() < 0.3 else [])
        if r.random() < 0.4:
            i = r.randrange(small)
            study_uid = uid(2, i)
            if resource == "instances" and r.random() < 0.4:
                series_uid = uid(2, i, r.randrange(1, 4))
    elif r.random() < 0.02:
        pools = [SERIES_KEYS, INSTANCE_KEYS]
    # Few without any key: each of these returns everything.
    for _ in range(r.choice([0] + [1] * 9 + [2] * 9 + [3] * 5)):
        pool = r.choice(pools)
        keyword = r.choice(list(pool))
        keys[keyword] = pool[keyword](r)
    if r.random() < 0.1:
        keys["StudyDate"], keys["StudyTime"] = "-".join(sorted([day(r), day(r)])), r.choice(["1200-1100", "0900-", "-1530", "08-17"])
    if at_small and r.random() < 0.05:
        keys["PerformedProcedureStepStartDate"], keys["PerformedProcedureStepStartTime"] = "-".join(sorted([day(r), day(r)])), "1000-1500"
    if study_uid is None and r.random() < 0.05:
        group, count = (2, small) if at_small else (1, studies)
        keys["StudyInstanceUID"] = r.choice([",", "\\"]).join(uid(group, r.randrange(count)) for _ in range(r.randrange(1, 6)))
    if r.random() < 0.2:
        flags["fuzzymatching"] = "true"
        if r.random() < 0.6:
            parts = [p for p in r.choice(NAMES).replace("=", "^").split("^") if p][:3]
            keys["PatientName"] = " ".join(part[:r.randrange(1, len(part) + 1)] for part in r.sample(parts, 1))
    if r.random() < 0.08:
        flags["emptyvaluematching"] = "true"
        keys[r.choice(["AccessionNumber", "StudyDescription", "StudyDate", "PatientSex", "ReferringPhysicianName"])] = '""'
    if r.random() < 0.08:
        flags["multiplevaluematching"] = "true"
        keys["ModalitiesInStudy"] = r.choice(["CT\\MR", "CT\\MR\\PT", "SR\\US"])
        if keys.get("PatientSex") == "O\\F":
            keys["PatientSex"] = "F"
    if r.random() < 0.15 and any(k.endswith(("Date", "Time")) for k in keys):
        flags["TimezoneOffsetFromUTC"] = r.choice(ZONES)
    if study_uid is not None:
        keys.pop("StudyInstanceUID", None)
    if r.random() < 0.1:
        flags["includefield"] = r.choice(["all", "00081030,00080060", "PatientComments"])
    return {"n": n, "kinds": sorted(kinds(resource, study_uid, keys, flags)), "archive": "small" if at_small else "all", "resource": resource,
            "study": study_uid, "series": series_uid, "keys": list(keys.items()), "flags": flags}


def main():
    folder, seed, studies, small, queries = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    r = random.Random(seed)
    for name, group, count in (("all", 1, studies), ("small", 2, small)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            for n, ds in enumerate(study(r, group, i, name == "small")):
                save(ds, folder / name / f"{i:05d}-{n:03d}.dcm")
    with open(folder / "queries.jsonl", "w", encoding="utf-8") as out:
        for n in range(queries):
            out.write(json.dumps(query(r, n, studies, small), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
