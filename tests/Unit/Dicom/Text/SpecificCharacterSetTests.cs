using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class SpecificCharacterSetTests
{
    private static string Decode(string terms, ReadOnlySpan<byte> bytes, Vr vr = Vr.PN) =>
        SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(terms)).Decode(bytes, vr);

    private static byte[] Bytes(string escaped) => Encoding.Latin1.GetBytes(escaped.Replace("{ESC}", "\u001B", StringComparison.Ordinal));

    // The examples of PS3.5 annexes H, I and J, and PS3.3 C.12.1.1.2.
    [Theory]
    [InlineData("\\ISO 2022 IR 87", "Yamada^Tarou={ESC}$B;3ED{ESC}(B^{ESC}$BB@O:{ESC}(B={ESC}$B$d$^$@{ESC}(B^{ESC}$B$?$m$&{ESC}(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう")]
    [InlineData("ISO 2022 IR 13\\ISO 2022 IR 87",
        "\u00D4\u00CF\u00C0\u00DE^\u00C0\u00DB\u00B3={ESC}$B;3ED{ESC}(J^{ESC}$BB@O:{ESC}(J={ESC}$B$d$^$@{ESC}(J^{ESC}$B$?$m$&{ESC}(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう")]
    [InlineData("\\ISO 2022 IR 149", "Hong^Gildong={ESC}$)C\u00FB\u00F3^{ESC}$)C\u00D1\u00CE\u00D4\u00D7={ESC}$)C\u00C8\u00AB^{ESC}$)C\u00B1\u00E6\u00B5\u00BF",
        "Hong^Gildong=洪^吉洞=홍^길동")]
    // Real writers forget the sequence after a delimiter; the only declared set for G1 is meant.
    [InlineData("\\ISO 2022 IR 149", "Hong^Gildong=\u00FB\u00F3^\u00D1\u00CE\u00D4\u00D7", "Hong^Gildong=洪^吉洞")]
    [InlineData("\\ISO 2022 IR 58", "Zhang^XiaoDong={ESC}$)A\u00D5\u00C5^{ESC}$)A\u00D0\u00A1\u00B6\u00AB=", "Zhang^XiaoDong=张^小东=")]
    [InlineData("GB18030", "Wang^XiaoDong=\u00CD\u00F5^\u00D0\u00A1\u00B6\u00AB=", "Wang^XiaoDong=王^小东=")]
    [InlineData("ISO_IR 144", "\u00BB\u00EE\u00DA\u00E1\u00D5\u00DC\u00D1\u00E3\u00E0\u00D3", "Люксембург")]
    [InlineData("ISO_IR 126", "\u00C4\u00E9\u00EF\u00ED\u00F5\u00F3\u00E9\u00EF\u00F2", "Διονυσιος")]
    [InlineData("ISO_IR 138", "\u00F9\u00F8\u00E5\u00EF^\u00E3\u00E1\u00E5\u00F8\u00E4", "שרון^דבורה")]
    [InlineData("ISO_IR 127", "\u00E2\u00C8\u00C7\u00E6\u00EA^\u00E4\u00E6\u00D2\u00C7\u00D1", "قباني^لنزار")]
    [InlineData("ISO_IR 203", "\u00A4", "€")]
    [InlineData("ISO 2022 IR 100\\ISO 2022 IR 144", "Buc^J\u00E9r\u00F4me={ESC}-L\u00BB\u00EE\u00DA^\u00E9", "Buc^Jérôme=Люк^é")]
    [InlineData("\\ISO 2022 IR 87\\ISO 2022 IR 159", "{ESC}$BB@O:{ESC}$(D\"o{ESC}(B", "太郎™")]
    public void The_standards_examples_are_read(string terms, string escaped, string expected)
    {
        Assert.Equal(expected, Decode(terms, Bytes(escaped)));
    }

    [Theory]
    [InlineData("ISO_IR 100")]
    [InlineData("ISO-IR 100")]
    [InlineData("ISO IR 100")]
    [InlineData("iso_ir_100 ")]
    [InlineData("ISO_IR100\0")]
    [InlineData("ISO 2022 IR 100")]
    [InlineData("\\ISO 2022 IR 100")]
    [InlineData("ISO 2022 IR 6\\ISO 2022 IR 100")]
    [InlineData("ISO8859-1")]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("NONSENSE")]
    public void Terms_as_real_files_spell_them_are_understood_and_unknown_ones_fall_back_to_latin_1(string terms) =>
        Assert.Equal("Müller", Decode(terms, [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72]));

    [Theory]
    [InlineData("ISO_IR 192")]
    [InlineData("ISO IR 192")]
    [InlineData("UTF8")]
    [InlineData("UTF-8")]
    [InlineData("\\ISO_IR 192")]
    [InlineData("ISO_IR 192\\ISO 2022 IR 87")]
    [InlineData("")]
    [InlineData("NONSENSE")]
    public void Utf8_is_read_when_declared_however_and_when_nothing_is_declared_and_the_bytes_are_utf8(string terms) =>
        Assert.Equal("Müller=山田", Decode(terms, "Müller=山田"u8));

    [Fact]
    public void A_declared_set_is_believed_even_if_the_bytes_look_like_utf8() => Assert.Equal("MÃ¼ller", Decode("ISO_IR 100", "Müller"u8));

    [Fact]
    public void The_configured_fallback_is_used_for_absent_and_unknown_terms_only()
    {
        var cyrillic = SpecificCharacterSet.Parse("ISO_IR 144"u8);
        Assert.Equal("Л", SpecificCharacterSet.Parse([], cyrillic).Decode([0xBB], Vr.PN));
        Assert.Equal("Л", SpecificCharacterSet.Parse("WHAT"u8, cyrillic).Decode([0xBB], Vr.PN));
        Assert.Equal("Л", SpecificCharacterSet.Parse("ISO_IR 6"u8, cyrillic).Decode([0xBB], Vr.PN));
        Assert.Equal("»", SpecificCharacterSet.Parse("ISO_IR 100"u8, cyrillic).Decode([0xBB], Vr.PN));
        Assert.Equal("山", SpecificCharacterSet.Parse("ISO 2022 IR 6"u8, SpecificCharacterSet.Utf8).Decode("山"u8, Vr.PN));
    }

    [Fact]
    public void Invalid_bytes_become_replacement_characters_and_never_an_exception()
    {
        Assert.Equal("a\uFFFDb", Decode("ISO_IR 192", [0x61, 0xFF, 0x62]));
        Assert.Equal("a\uFFFD", Decode("GB18030", [0x61, 0x81]));
        Assert.Equal("\uFFFDa", Decode("\\ISO 2022 IR 149", [0xB0, 0x61]));
        Assert.Equal("\uFFFD[Z", Decode("ISO_IR 100", [0x1B, 0x5B, 0x5A]));
        var random = new Random(7);
        var bytes = new byte[64];
        foreach (var terms in new[] { "", "ISO_IR 100", "ISO_IR 13", "\\ISO 2022 IR 87\\ISO 2022 IR 159",
            "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "GB18030", "ISO_IR 192", "ISO_IR 166" })
        {
            for (var i = 0; i < 2_000; i++)
            {
                random.NextBytes(bytes);
                if (i % 2 == 0) bytes[random.Next(60)] = 0x1B;
                Assert.DoesNotContain(Decode(terms, bytes).EnumerateRunes(), rune => rune.Value is >= 0xD800 and < 0xE000);
            }
        }
    }

    [Fact]
    public void A_backslash_that_is_half_of_a_character_splits_nothing()
    {
        // The second byte of 猏 (AA5C) is that of a backslash.
        var gb = SpecificCharacterSet.Parse("GB18030"u8);
        Assert.Equal(["猏", "b"], gb.DecodeValues([0xAA, 0x5C, 0x5C, 0x62, 0x20], Vr.LO));
        // ISO-IR 87 rows have 5C in either byte.
        var japanese = SpecificCharacterSet.Parse("\\ISO 2022 IR 87"u8);
        Assert.Equal(["従", "x"], japanese.DecodeValues(Bytes("{ESC}$B=>{ESC}(B\\x"), Vr.LO));
        Assert.Equal(2, japanese.DecodeValues(Bytes("{ESC}$B\\\\{ESC}(B\\x"), Vr.LO).Length);
        // Shift JIS under the name of ISO_IR 13: 8F5C is 十.
        Assert.Equal(["十", "ｱ"], SpecificCharacterSet.Parse("ISO_IR 13"u8).DecodeValues([0x8F, 0x5C, 0x5C, 0xB1], Vr.LO));
    }

    [Fact]
    public void The_yen_sign_of_jis_roman_is_a_delimiter_only_where_values_are_split()
    {
        var roman = SpecificCharacterSet.Parse("ISO_IR 13"u8);
        Assert.Equal(["a", "b‾"], roman.DecodeValues("a\\b~"u8, Vr.LO));
        Assert.Equal(["a¥b‾"], roman.DecodeValues("a\\b~"u8, Vr.LT));
    }

    [Fact]
    public void Sets_are_put_back_at_line_ends_and_delimiters()
    {
        var set = SpecificCharacterSet.Parse("ISO 2022 IR 100\\ISO 2022 IR 144"u8);
        Assert.Equal("Л\r\né", set.Decode([0x1B, 0x2D, 0x4C, 0xBB, 0x0D, 0x0A, 0xE9], Vr.LT));
        Assert.Equal("Л\\й", set.Decode([0x1B, 0x2D, 0x4C, 0xBB, 0x5C, 0xD9], Vr.LT));
        Assert.Equal("Л^й", set.Decode([0x1B, 0x2D, 0x4C, 0xBB, 0x5E, 0xD9], Vr.LO));
        Assert.Equal(["Л", "é"], set.DecodeValues([0x1B, 0x2D, 0x4C, 0xBB, 0x5C, 0xE9], Vr.LO));
    }

    [Fact]
    public void Padding_is_dropped_where_the_vr_says_so()
    {
        var set = SpecificCharacterSet.Default;
        Assert.Equal(["a", "", "b"], set.DecodeValues(" a \\\\b\0"u8, Vr.LO));
        Assert.Equal(["  a\\b"], set.DecodeValues("  a\\b  "u8, Vr.LT));
        Assert.Equal([" a", " b"], set.DecodeValues(" a\\ b "u8, Vr.UC));
        Assert.Equal(["1.2", "1.3"], set.DecodeValues("1.2\\1.3\0"u8, Vr.UI));
        Assert.Empty(set.DecodeValues("  "u8, Vr.SH));
        Assert.Empty(set.DecodeValues([], Vr.LT));
    }

    [Fact]
    public void Four_byte_and_supplementary_characters_of_gb18030_are_read()
    {
        Assert.Equal("\u0080\U00010000\U0010FFFF\uFFFF",
            Decode("GB18030", [0x81, 0x30, 0x81, 0x30, 0x90, 0x30, 0x81, 0x30, 0xE3, 0x32, 0x9A, 0x35, 0x84, 0x31, 0xA4, 0x39]));
        Assert.Equal("\uFFFD", Decode("GB18030", [0xE3, 0x32, 0x9A, 0x36]));
    }

    [Theory]
    [InlineData("", "ISO_IR 100")]
    [InlineData("ISO_IR 6", "ISO_IR 100")]
    [InlineData("ISO_IR 999", "ISO_IR 100")]
    [InlineData("", "ISO_IR 144")]
    [InlineData("", "GB18030")]
    [InlineData("", "ISO_IR 192")]
    [InlineData("ISO_IR 6", null)]
    public void Without_a_character_set_that_says_otherwise_valid_utf8_is_utf8_whatever_the_fallback(string declared, string? fallback)
    {
        var set = SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(declared),
            fallback is null ? null : SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(fallback)));
        Assert.Equal("Müller^Иван", set.Decode("Müller^Иван"u8, Vr.PN));
    }

    [Theory]
    [InlineData("ISO_IR 100", "4DFC6C6C6572", "Müller")]
    [InlineData("ISO_IR 144", "B8D2D0DD", "Иван")]
    [InlineData("GB18030", "CDF5", "王")]
    public void Bytes_that_are_no_utf8_are_read_with_the_fallback(string fallback, string hex, string expected)
    {
        foreach (var declared in new[] { "", "ISO_IR 6", "ISO_IR 999" })
        {
            var set = SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(declared), SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(fallback)));
            Assert.Equal(expected, set.Decode(Convert.FromHexString(hex), Vr.PN));
        }
    }

    [Fact]
    public void A_declared_set_is_not_second_guessed() =>
        Assert.Equal("MÃ¼ller", SpecificCharacterSet.Parse("ISO_IR 100"u8, SpecificCharacterSet.Utf8).Decode("Müller"u8, Vr.PN));
}
