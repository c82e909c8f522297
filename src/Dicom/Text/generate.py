#!/usr/bin/env python3
"""Writes CharacterTables.g.cs and FoldTables.g.cs from Python's codecs and Unicode data. Run it after changing a rule: python3 src/Dicom/Text/generate.py"""
import pathlib
import re
import unicodedata

HERE = pathlib.Path(__file__).parent
HEAD = "// Written by generate.py. Change that, not this.\n#nullable enable\nnamespace DicomServerless.Dicom;\n\n"


def one(data, codec):
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return 0xFFFD
    return ord(text) if len(text) == 1 and ord(text) < 0x10000 else 0xFFFD


def span(kind, name, values, comment, form=lambda v: f"0x{v:04X}"):
    rows = ["        " + ", ".join(form(v) for v in values[i:i + 20]) + "," for i in range(0, len(values), 20)]
    return f"    // {comment}\n    internal static ReadOnlySpan<{kind}> {name} =>\n    [\n" + "\n".join(rows) + "\n    ];\n\n"


def double(codec, prefix=b""):
    return [one(prefix + bytes([r, c]), codec) for r in range(0xA1, 0xFF) for c in range(0xA1, 0xFF)]


def jis0208():
    table = double("euc_jp")
    for i, value in enumerate(table):
        if value == 0xFFFD:
            # NEC's row 13 and its selection of IBM's characters stand in names that Windows wrote; the standard set has nothing there.
            row, cell = i // 94, i % 94
            lead = row // 2 + (0x81 if row < 62 else 0xC1)
            trail = (0x40 if cell < 63 else 0x41) + cell if row % 2 == 0 else 0x9F + cell
            table[i] = one(bytes([lead, trail]), "cp932")
            if 0xE000 <= table[i] <= 0xF8FF:
                table[i] = 0xFFFD
    return table


def four_byte_ranges():
    starts, points, previous = [], [], None
    for index in range(39420):
        data = bytes([0x81 + index // 12600, 0x30 + index // 1260 % 10, 0x81 + index // 10 % 126, 0x30 + index % 10])
        value = one(data, "gb18030")
        if previous is None or value != previous + 1:
            starts.append(index)
            points.append(value)
        previous = value
    return starts, points


def characters():
    out = HEAD + "/// <summary>The coded character sets that PS3.3 C.12.1.1.2 names, as tables. U+FFFD where a set has nothing.</summary>\n"
    out += "internal static class CharacterTables\n{\n"
    singles = ["latin_1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "iso8859_15", "iso8859_11"]
    out += span("ushort", "SingleByte", [one(bytes([b]), codec) for codec in singles for b in range(0xA0, 0x100)],
                "A0 to FF of ISO_IR 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 166, in the order of CodedSet.")
    out += span("ushort", "Jis0208", jis0208(), "ISO-IR 87, 94 by 94.")
    out += span("ushort", "Jis0212", double("euc_jp", b"\x8f"), "ISO-IR 159, 94 by 94.")
    out += span("ushort", "Ksx1001", double("euc_kr"), "ISO-IR 149, 94 by 94.")
    gbk = [one(bytes([r, c]), "gb18030") for r in range(0x81, 0xFF) for c in range(0x40, 0xFF) if c != 0x7F]
    out += span("ushort", "Gbk", gbk, "Two bytes of GBK and GB18030: 126 by 190. GB 2312 (ISO-IR 58) is its A1A1 to FEFE.")
    starts, points = four_byte_ranges()
    out += span("ushort", "FourByteStarts", starts, "Four bytes of GB18030 as a running number: where a run of code points starts ...")
    out += span("ushort", "FourBytePoints", points, "... and at which code point.").rstrip("\n") + "\n}\n"
    (HERE / "CharacterTables.g.cs").write_text(out, encoding="utf-8", newline="\n")


SPECIAL = {"ß": "SS", "ẞ": "SS", "æ": "AE", "œ": "OE", "ð": "D", "þ": "TH", "ı": "I", "ŋ": "N", "ĸ": "K", "ſ": "S", "ə": "E", "’": "'", "‘": "'", "ʼ": "'",
           "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "“": '"', "”": '"'}
LETTER = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]|AE|OE) WITH ")


def is_mark(c):
    o = ord(c)
    return unicodedata.category(c) == "Mn" and any(a <= o <= b for a, b in [
        (0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
        (0x20D0, 0x20FF), (0xFE20, 0xFE2F)])


def is_kana(o):
    return 0x3041 <= o <= 0x30FF or 0xFF66 <= o <= 0xFF9F


def fold(c):
    o = ord(c)
    if 0xAC00 <= o <= 0xD7A3 or 0x1100 <= o <= 0x11FF or 0x3130 <= o <= 0x318F or 0xA960 <= o <= 0xA97F or 0xD7B0 <= o <= 0xD7FF or 0xD800 <= o <= 0xF8FF:
        return c
    if 0xFFA0 <= o <= 0xFFDC:
        return c  # half-width Hangul
    if c in ("\u3099", "\u309A", "\u309B", "\u309C"):
        return c  # voicing marks are joined to their kana by Fold
    if o == 0xFF9E or o == 0xFF9F:
        return "\u3099" if o == 0xFF9E else "\u309A"
    if is_kana(o):
        return unicodedata.normalize("NFKC", c) if o >= 0xFF66 else c
    if unicodedata.normalize("NFKC", c) and 0x3000 < o < 0x3400 and unicodedata.category(c) not in ("Zs",):
        return c  # squared and circled CJK compatibility characters are kept
    result, previous = c, None
    while result != previous:
        previous = result
        result = "".join(SPECIAL.get(x, x) for x in result).upper()
        result = "".join(SPECIAL.get(x, SPECIAL.get(x.lower(), x)) for x in result)
        result = "".join(x for x in unicodedata.normalize("NFKD", result) if not is_mark(x))
        if len(result) == 1 and (match := LETTER.match(unicodedata.name(result, ""))):
            result = match.group(1)
    if (result.startswith(" ") and unicodedata.category(c) != "Zs") or len(result) > 6:
        return c
    return result


def folds():
    keys, values, strings = [], [], []
    for o in range(0x80, 0x10000):
        c = chr(o)
        if not unicodedata.category(c).startswith("C") or o == 0xAD:
            f = "" if o == 0xAD or is_mark(c) else fold(c)
            if f != c and all(ord(x) < 0xE000 or ord(x) > 0xF8FF for x in f):
                keys.append(o)
                if len(f) == 1 and ord(f) < 0x10000:
                    values.append(ord(f))
                elif any(ord(x) > 0xFFFF for x in f):
                    keys.pop()
                else:
                    if f not in strings:
                        strings.append(f)
                    values.append(0xE000 + strings.index(f))
    out = HEAD + "/// <summary>What <see cref=\"TextFolding\"/> makes of each UTF-16 unit above ASCII that it changes.</summary>\n"
    out += "internal static class FoldTables\n{\n"
    out += span("ushort", "Keys", keys, "Ascending.")
    out += span("ushort", "Values", values, "One unit, or E000 and above: an index into Strings. Parallel to Keys.")
    out += "    internal static string String(int index) => index switch\n    {\n"
    out += "".join('        %d => "%s",\n' % (i, "".join(f"\\u{ord(x):04X}" if ord(x) > 126 or x in '"\\' else x for x in s)) for i, s in enumerate(strings))
    out += '        _ => "",\n    };\n\n'
    pairs = []
    for o in range(0x3041, 0x3100):
        for mark, bit in (("\u3099", 0), ("\u309A", 1)):
            n = unicodedata.normalize("NFC", chr(o) + mark)
            if len(n) == 1:
                pairs.append((o << 1 | bit, ord(n)))
    out += span("ushort", "VoicedKeys", [p[0] for p in pairs], "Kana times 2, plus 1 for the semi-voiced mark; ascending.")
    out += span("ushort", "VoicedValues", [p[1] for p in pairs], "The kana with its mark.").rstrip("\n") + "\n}\n"
    (HERE / "FoldTables.g.cs").write_text(out, encoding="utf-8", newline="\n")
    print(len(keys), "folds", len(strings), "strings", [s for s in strings][:40])


characters()
folds()
