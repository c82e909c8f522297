"""Prints every character of every set that Specific Character Set can name, as Python's codecs have it: terms, bytes in hex, code points in hex."""


def show(terms, data, text):
    print(f"{terms}\t{data.hex()}\t{'.'.join(f'{ord(c):X}' for c in text)}")


def single(terms, codec):
    for b in range(0xA0, 0x100):
        show(terms, bytes([b]), bytes([b]).decode(codec, "replace"))


def double(terms, escape, codec, prefix=b"", high=False, skip=()):
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            pair = bytes([row + 0x80, cell + 0x80])
            try:
                text = (prefix + pair).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(text) == 1 and pair not in skip:
                show(terms, escape + (pair if high else bytes([row, cell])), text)


for terms, codec in [("ISO_IR 100", "latin_1"), ("ISO_IR 101", "iso8859_2"), ("ISO_IR 109", "iso8859_3"), ("ISO_IR 110", "iso8859_4"),
                     ("ISO_IR 144", "iso8859_5"), ("ISO_IR 127", "iso8859_6"), ("ISO_IR 126", "iso8859_7"), ("ISO_IR 138", "iso8859_8"),
                     ("ISO_IR 148", "iso8859_9"), ("ISO_IR 203", "iso8859_15"), ("ISO_IR 166", "iso8859_11")]:
    single(terms, codec)
for b in range(0xA1, 0xE0):
    show("ISO_IR 13", bytes([b]), bytes([b]).decode("shift_jis"))
double("\\ISO 2022 IR 87", b"\x1b$B", "euc_jp")
double("\\ISO 2022 IR 159", b"\x1b$(D", "euc_jp", b"\x8f")
double("\\ISO 2022 IR 149", b"\x1b$)C", "euc_kr", high=True)
# Two characters are read as GBK and GB18030 have them, since that is what writers mean: the middle dot of names and the dash.
double("\\ISO 2022 IR 58", b"\x1b$)A", "gb2312", high=True, skip=(b"\xa1\xa4", b"\xa1\xaa"))
for codec in ("gbk", "gb18030"):
    for row in range(0x81, 0xFF):
        for cell in range(0x40, 0xFF):
            try:
                text = bytes([row, cell]).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                show(codec.upper(), bytes([row, cell]), text)
for point in list(range(0x80, 0xD800)) + list(range(0xE000, 0x10000)) + list(range(0x10000, 0x110000, 0x101)):
    show("GB18030", chr(point).encode("gb18030"), chr(point))
