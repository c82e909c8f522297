"""What searches must find, worked out the plain way: every object is read by pydicom, every key is compared with every study, series or instance.

search_oracle.py QUERIES ALL.txt SMALL.txt   (lists of files, one a line; answers as JSON lines on stdout: the UIDs in order)
Written from PS3.4 C.2.2.2, PS3.18 8.3.4 and 10.6, and docs/dicomweb.md for what the standard leaves open.
"""
import datetime
import functools
import io
import json
import re
import sys
import unicodedata
import warnings

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword

pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.simplefilter("ignore")
FAR = 1 << 62
STUDY = {tag_for_keyword(k) for k in (
    "StudyDate StudyTime AccessionNumber InstitutionName ReferringPhysicianName StudyDescription "
    "PatientName PatientID PatientBirthDate PatientSex StudyID TimezoneOffsetFromUTC").split()}
SERIES = {tag_for_keyword(k) for k in (
    "Modality SeriesDescription SeriesNumber BodyPartExamined PerformedProcedureStepStartDate PerformedProcedureStepStartTime "
    "RequestAttributesSequence InstitutionName TimezoneOffsetFromUTC").split()}
MODALITIES, STUDY_UID, SERIES_UID, ZONE = 0x00080061, 0x0020000D, 0x0020000E, 0x00080201
WILD = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
EVERY = {"AE", "AS", "AT", "CS", "LO", "PN", "SH", "UC"}
SPELLED = str.maketrans({
    "ß": "SS", "ẞ": "SS", "ø": "O", "Ø": "O", "ł": "L", "Ł": "L", "đ": "D", "Đ": "D", "æ": "AE", "Æ": "AE", "œ": "OE", "Œ": "OE",
    "þ": "TH", "Þ": "TH", "ð": "D", "Ð": "D", "ı": "I"})


@functools.lru_cache(maxsize=100_000)
def fold(text):
    kept = "".join(c for c in unicodedata.normalize("NFKD", text.translate(SPELLED)) if not unicodedata.combining(c) or c in "\u3099\u309a")
    return unicodedata.normalize("NFC", kept).upper()


def texts(element):
    """The element's values as text; None of sequences and binary."""
    if element is None or element.VR in ("SQ", "OB", "OW", "UN", "OF", "OD", "OL", "OV"):
        return []
    value = element.value
    values = value if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    out = []
    for v in values:
        text = "" if v is None else str(v)
        if element.VR == "PN":
            text = "=".join(group.rstrip("^ ") for group in text.rstrip(" =").split("="))
        text = text.rstrip(" \0") if element.VR in ("LT", "ST", "UT", "UR", "UC") else text.strip(" \0")
        if text:
            out.append(text)
    return out


def zone(text):
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)", text or "")
    return None if not match else int(match[1] + "1") * (int(match[2]) * 60 + int(match[3]))


def date(text):
    text = text[:4] + text[5:7] + text[8:] if re.fullmatch(r"\d{4}\.\d\d\.\d\d", text) else text
    return text if re.fullmatch(r"\d{8}", text) and text[:4] != "0000" and 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:]) <= 31 else None


def clock(text, pad):
    """Twelve digits, HHMMSSffffff; None if it is no time."""
    digits = re.sub(r"[:.]", "", text)
    return digits.ljust(12, pad) if digits.isdigit() and len(digits) <= 12 else None


def moved(stamp, minutes):
    """Twenty digits, later by some minutes."""
    try:
        at = datetime.datetime.strptime(stamp[:14], "%Y%m%d%H%M%S")
    except ValueError:
        return stamp
    return (at + datetime.timedelta(minutes=minutes)).strftime("%Y%m%d%H%M%S") + stamp[14:]


def ends(text):
    a, dash, b = text.partition("-")
    return (a, b) if dash else (text, text)


class Key:
    def __init__(self, name, value, flags):
        self.path = [0x00230001 if step == "private" else tag_for_keyword(step) or int(step, 16) for step in name.split(".")]
        self.tag = self.path[0]
        self.private = name == "private"
        self.vr = "LO" if self.private else "CS" if self.tag == MODALITIES else dictionary_VR(self.path[-1])
        self.value, self.fuzzy = value, flags.get("fuzzymatching") == "true"
        self.zone = zone(flags.get("TimezoneOffsetFromUTC"))
        self.empty = flags.get("emptyvaluematching") == "true" and value == '""'
        self.partner = None  # the times of a combined range
        every = flags.get("multiplevaluematching") == "true" and self.vr in EVERY and "\\" in value
        self.choose = all if every else any
        if every:
            self.wanted = value.split("\\")
        elif self.vr in ("UI", "CS", "AE", "IS"):
            self.wanted = re.split(r"[,\\]", value)
        else:
            self.wanted = value.split("\\") if self.vr == "SH" else [value]
        self.tests = [self.test(w) for w in self.wanted]
        self.universal = not self.empty and (value == "" or (self.vr in WILD and all(set(w) <= {"*"} for w in self.wanted)))

    def test(self, wanted):
        if self.vr == "PN":
            pattern = fold(wanted)
            wild = re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.S) if re.search(r"[*?]", pattern) else None
            split = re.compile(r"[ ^,.\-=*?]")
            words = [w for w in split.split(pattern) if w]

            def name(text):
                for group in fold(text).split("=") + [fold(text)]:
                    bare = group.rstrip("^ ")
                    if not bare:
                        continue
                    if (wild.fullmatch(group) or wild.fullmatch(bare)) if wild else bare == pattern.rstrip("^ "):
                        return True
                    if self.fuzzy and words and all(any(part.startswith(w) for part in split.split(bare)) for w in words):
                        return True
                return False
            return name
        if self.vr in WILD and re.search(r"[*?]", wanted):
            wild = re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in wanted), re.S)
            return lambda text: wild.fullmatch(text) is not None
        if self.vr in ("IS", "DS", "US", "UL", "SS", "SL", "FL", "FD"):
            def number(text):
                try:
                    return text == wanted or float(text) == float(wanted)
                except ValueError:
                    return False
            return number
        return lambda text: text == wanted.rstrip(" ")

    def matches(self, thing):
        if self.universal:
            return True
        if len(self.path) == 2:
            return any(self.among(texts(item.get(self.path[1])), None) for item in thing.items(self.tag))
        values = thing.private("ACME", 1) if self.private else thing.values(self.tag)
        return not values if self.empty else self.among(values, thing)

    def among(self, values, thing):
        if self.vr in ("DA", "TM", "DT"):
            return any(self.within(v, thing) for v in (values[:1] if self.partner else values))
        return self.choose(any(test(v) for v in values) for test in self.tests)

    def within(self, text, thing):
        low, high = ends(self.value)
        shift = 0
        own = thing.zone() if thing is not None else None
        birth = self.tag == 0x00100030
        if self.zone is not None and own is not None and not birth:
            shift = self.zone - own
        if self.vr == "DT":
            offset = re.search(r"[+-]\d{4}$", text)
            if offset:
                text = text[:-5]
                shift = self.zone - zone(offset[0]) if self.zone is not None else 0
            stamp = moved(re.sub(r"\.", "", text).ljust(20, "0"), shift) if shift else text.replace(".", "").ljust(20, "0")
            return low.ljust(20, "0") <= stamp <= (high.ljust(20, "9") if high else "9" * 20)
        other = {True: "Date", False: "Time"}[self.vr == "TM"]
        keyword = pydicom.datadict.keyword_for_tag(self.path[-1])
        pair = tag_for_keyword(keyword[:-4] + other)
        companion = (thing.values(pair) if thing is not None and pair else [])[:1]
        if self.vr == "TM":
            t = clock(text, "0")
            if t is None:
                return False
            day = (date(companion[0]) if companion else None) or "20000101"
            t = moved(day + t, shift)[8:] if shift else t
            return (clock(low, "0") if low else "0" * 12) <= t <= (clock(high, "9") if high else "9" * 12)
        d = date(text)
        if d is None:
            return False
        t = clock(companion[0], "0") if companion else None
        if self.partner:
            first, last = ends(self.partner)
            a, b = (low or "00000000") + (clock(first, "0") if first else "0" * 12), (high or "99999999") + (clock(last, "9") if last else "9" * 12)
            if t is not None:
                return a <= (moved(d + t, shift) if shift else d + t) <= b
        elif shift and t is not None:
            d = moved(d + t, shift)[:8]
        return (low or "0") <= d <= (high or "99999999")


def element(ds, tag):
    """None also of what pydicom cannot make a value of."""
    try:
        return ds.get(tag)
    except (ValueError, TypeError, KeyError, NotImplementedError, AttributeError):
        return None


# Longer attributes are not held in the rows of the index (IndexedAttributes.MaxAttributeBytes).
LONGEST = 14_000


class Thing:
    """A study, series or instance: values of its own, from the lowest SOP Instance UID that has one."""

    def __init__(self, instances):
        self.instances = sorted(instances, key=lambda ds: str(ds.SOPInstanceUID))
        self.cache = {}

    def values(self, tag):
        if tag not in self.cache:
            self.cache[tag] = next((v for v in (texts(element(ds, tag)) for ds in self.instances) if v and sum(map(len, v)) < LONGEST), [])
        return self.cache[tag]

    def items(self, tag):
        return next((ds[tag].value for ds in self.instances if tag in ds and ds[tag].VR == "SQ" and len(ds[tag].value)), [])

    def private(self, creator, element):
        try:
            return texts(self.instances[0].private_block(0x0023, creator)[element])
        except KeyError:
            return []

    def zone(self):
        found = self.values(ZONE)
        return zone(found[0]) if found else None

    def number(self, tag):
        found = self.values(tag)
        try:
            return int(found[0]) if found else FAR
        except ValueError:
            return FAR


def read(path):
    with open(path, "rb") as stream:
        data = stream.read()
    if data[:4] == b"DICM":  # pydicom wants the preamble before the prefix
        data = bytes(128) + data
    return pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=True)


class Archive:
    def __init__(self, files):
        by_study, patient_of = {}, {}
        for file in files:
            ds = read(file)
            patient_of.setdefault(str(ds.StudyInstanceUID).strip(" \0"), str(ds.get("PatientID", "")))
            by_study.setdefault(str(ds.StudyInstanceUID).strip(" \0"), {}).setdefault(str(ds.SeriesInstanceUID).strip(" \0"), []).append(ds)
        self.studies = []
        for study_uid, series in by_study.items():
            # The study is that of the patient who came first; objects of others give it no attributes.
            study = Thing([ds for of in series.values() for ds in of if str(ds.get("PatientID", "")) == patient_of[study_uid]])
            study.uid, study.series = study_uid, []
            study.cache[STUDY_UID] = [study_uid]
            for series_uid, of in series.items():
                one = Thing(of)
                one.uid = series_uid
                one.cache[STUDY_UID], one.cache[SERIES_UID] = [study_uid], [series_uid]
                one.members = []
                for ds in of:
                    instance = Thing([ds])
                    instance.uid = str(ds.SOPInstanceUID)
                    one.members.append(instance)
                one.members.sort(key=lambda m: (m.number(0x00200013), m.uid))
                study.series.append(one)
            study.series.sort(key=lambda s: (s.number(0x00200011), s.uid))
            study.cache[MODALITIES] = sorted({s.values(0x00080060)[0] for s in study.series if s.values(0x00080060)})
            self.studies.append(study)
        self.studies.sort(key=self.newest_first)

    @staticmethod
    def newest_first(study):
        day = date(study.values(0x00080020)[0]) if study.values(0x00080020) else None
        if day is None:
            return (1, 0, 0, study.uid)
        digits = re.match(r"\d{0,12}", re.sub(r"[:.]", "", (study.values(0x00080030) or [""])[0]))[0]
        return (0, -int(day), -int(digits.ljust(12, "0")), study.uid)

    def search(self, query):
        keys = [Key(name, value, query["flags"]) for name, value in query["keys"]]
        by_tag = {key.tag: key for key in keys if len(key.path) == 1}
        for day_tag, time_tag in ((0x00080020, 0x00080030), (0x00400244, 0x00400245)):
            d, t = by_tag.get(day_tag), by_tag.get(time_tag)
            if d and t and "-" in d.value and "-" in t.value:
                d.partner = t.value
                keys.remove(t)
        at_study, at_instance = query["resource"] == "studies", query["resource"] == "instances"
        of_series = [k for k in keys if k.tag in SERIES | {SERIES_UID} and not (at_study and k.tag in STUDY)]
        of_study = [k for k in keys if k not in of_series and k.tag in STUDY | {STUDY_UID, MODALITIES}]
        of_instance = [k for k in keys if k not in of_series and k not in of_study]
        if at_instance:  # what its own object lacks is empty, whatever the study has
            of_study, of_series = [k for k in of_study if not k.empty], [k for k in of_series if not k.empty]
        for study in self.studies:
            if query["study"] not in (None, study.uid) or not all(k.matches(study) for k in of_study):
                continue
            if at_study and not of_series and not of_instance:
                yield study.uid
                continue
            for series in study.series:
                if query["series"] not in (None, series.uid) or not all(k.matches(series) for k in of_series):
                    continue
                of_object = of_instance
                if at_instance:  # matched by what its own object says, too
                    of_object = [k for k in keys if k.tag not in {STUDY_UID, SERIES_UID, MODALITIES}]
                members = (m for m in series.members if all(k.matches(m) for k in of_object))
                if at_instance:
                    yield from (m.uid for m in members)
                elif not of_instance or next(members, None) is not None:
                    yield study.uid if at_study else series.uid
                    if at_study:
                        break


def main():
    archives = {name: Archive(open(path, encoding="utf-8").read().split("\n")[:-1]) for name, path in (("all", sys.argv[2]), ("small", sys.argv[3]))}
    for line in open(sys.argv[1], encoding="utf-8"):
        query = json.loads(line)
        print(json.dumps(list(archives[query["archive"]].search(query))))


if __name__ == "__main__":
    main()
