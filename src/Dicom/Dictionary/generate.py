#!/usr/bin/env python3
"""Writes Attributes.g.cs, Tags.g.cs and UidNames.g.cs from the tables beside it (PS3.6). Run it after changing a table:
python3 src/Dicom/Dictionary/generate.py
README.md says of which edition the tables are, and how they are renewed.

The data become spans over the assembly's own read-only bytes: nothing is built at start, nothing lies on the heap.
"""
import pathlib

HERE = pathlib.Path(__file__).parent
HEAD = "// Written by generate.py from {0}. Change that, not this.\n#nullable enable\nnamespace DicomServerless.Dicom;\n\n"


def table(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def numbers(kind, name, values, comment, form=str):
    rows = []
    for i in range(0, len(values), 16):
        rows.append("        " + ", ".join(form(v) for v in values[i:i + 16]) + ",")
    return f"    // {comment}\n    private static ReadOnlySpan<{kind}> {name} =>\n    [\n" + "\n".join(rows) + "\n    ];\n\n"


def text(name, lines, comment):
    body = "\n".join(lines)
    return f'    // {comment}\n    private static ReadOnlySpan<byte> {name} => """\n{body}\n"""u8;\n\n'


def offsets(lines):
    at, result = 0, []
    for line in lines:
        result.append(at)
        at += len(line.encode("utf-8")) + 1
    return result + [at]


def attributes():
    rows = table("attributes.tsv")
    exact = sorted((int(r[0], 16), r) for r in rows if "X" not in r[0])
    masked = []
    for r in rows:
        if "X" in r[0]:
            masked.append((int(r[0].replace("X", "0"), 16), int("".join("0" if c == "X" else "F" for c in r[0]), 16), r))
    masked.sort(key=lambda m: m[0])
    everything = [r for _, r in exact] + [r for _, _, r in masked]
    vrs = sorted({r[2] for r in everything})
    vms = sorted({r[3] for r in everything})
    lines = [f"{r[1]}\t{r[5]}" for r in everything]
    order = sorted(range(len(everything)), key=lambda i: everything[i][1].lower())

    def vr(text):
        parts = ["None" if p == "See" else p for p in text.split("|")]
        # The VR that an implicit VR data set is read with (PS3.5 A.1): words where there is a choice of OW, unsigned where there is one of sign.
        first = "OW" if "OW" in parts else parts[0]
        rest = [p for p in parts if p != first] + ["None", "None"]
        return f"        new(Vr.{first}, Vr.{rest[0]}, Vr.{rest[1]}),"

    out = HEAD.format("attributes.tsv") + "public static partial class DicomDictionary\n{\n"
    out += f"    private const int ExactCount = {len(exact)};\n    private const int MaskedCount = {len(masked)};\n\n"
    out += numbers("uint", "ExactTags", [t for t, _ in exact], "Ascending.", lambda v: f"0x{v:08X}")
    out += numbers("uint", "MaskedTags", [t for t, _, _ in masked], "Repeating groups and elements, x as 0, ascending.", lambda v: f"0x{v:08X}")
    out += numbers("uint", "Masks", [m for _, m, _ in masked], "Which bits of a tag belong to the table's, parallel to MaskedTags.", lambda v: f"0x{v:08X}")
    codes = [vrs.index(r[2]) | (0x80 if r[4] == "Y" else 0) for r in everything]
    out += numbers("byte", "VrCodes", codes, "Index into VrChoices; bit 7: retired. Exact entries first, then masked ones, as in all that follows.")
    out += numbers("byte", "VmCodes", [vms.index(r[3]) for r in everything], "Index into Multiplicities.")
    out += numbers("int", "TextOffsets", offsets(lines), "Where an entry's line starts in Texts.")
    out += numbers("ushort", "ByKeyword", order, "Entries ordered by lower-case keyword.")
    out += "    private static string Multiplicity(int code) => code switch\n    {\n"
    out += "".join(f'        {i} => "{v}",\n' for i, v in enumerate(vms)) + '        _ => "",\n    };\n\n'
    out += "    private static VrChoice Choice(int code) => code switch\n    {\n"
    out += "".join(f"        {i} => {vr(v).strip()[:-1].replace('new(', 'new VrChoice(')},\n" for i, v in enumerate(vrs))
    out += "        _ => default,\n    };\n\n"
    firsts = []
    for v in vrs:
        parts = v.split("|")
        code = "OW" if "OW" in parts else parts[0]
        firsts.append(0 if code == "See" else (ord(code[0]) << 8) | ord(code[1]))
    out += numbers("ushort", "FirstVrs", firsts, "The VR of a code when nothing more is known.")
    out += text("Texts", lines, "Keyword, tab, name.").rstrip("\n") + "\n}\n"
    (HERE / "Attributes.g.cs").write_text(out, encoding="utf-8", newline="\n")

    out = HEAD.format("attributes.tsv") + "#pragma warning disable CS1591 // the names are the standard's (PS3.6), each says what it is\n"
    out += "/// <summary>The tags of PS3.6 and PS3.7 by keyword, without the retired ones.</summary>\npublic static class Tags\n{\n"
    for t, r in exact:
        if r[4] == "N":
            out += f"    public static Tag {r[1]} => new(0x{t:08X}u);\n"
    out += "}\n"
    (HERE / "Tags.g.cs").write_text(out, encoding="utf-8", newline="\n")


def uids():
    rows = sorted(table("uids.tsv"))
    lines = [f"{r[0]}\t{r[1]}\t{r[4]}" for r in rows]
    kinds = {"SOP Class": 0, "Meta SOP Class": 1, "Transfer Syntax": 2}
    out = HEAD.format("uids.tsv") + "public static partial class UidNames\n{\n"
    out += f"    private const int Count = {len(rows)};\n\n"
    out += numbers("byte", "Kinds", [kinds.get(r[2], 3) | (0x80 if r[3] == "Y" else 0) for r in rows],
                   "0 SOP class, 1 meta SOP class, 2 transfer syntax, 3 other; bit 7: retired.")
    out += numbers("int", "TextOffsets", offsets(lines), "Where an entry's line starts in Texts.")
    out += text("Texts", lines, "UID, tab, keyword, tab, name; ordered by UID.").rstrip("\n") + "\n}\n"
    (HERE / "UidNames.g.cs").write_text(out, encoding="utf-8", newline="\n")


attributes()
uids()
