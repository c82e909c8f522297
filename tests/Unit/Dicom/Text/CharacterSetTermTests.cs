using System.Buffers;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>The terms of (0008,0005), PS3.3 C.12.1.1.2, as the standard and as real files spell them.</summary>
public sealed class CharacterSetTermTests
{
    private static SpecificCharacterSet Set(string terms, string? fallback = null) => SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(terms),
        fallback is null ? null : SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(fallback)));

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    // The same bytes mean something else in each set.
    [Theory]
    [InlineData("100|LATIN1|ISO 8859-1|ISO88591", "\u00A0¡¤¥¾ÐÞéýþÿ")]
    [InlineData("101|LATIN2|ISO 8859-2", "\u00A0Ą¤ĽžĐŢéýţ˙")]
    [InlineData("109|ISO 8859-3", "\u00A0Ħ¤\uFFFD\uFFFD\uFFFDŜéŭŝ˙")]
    [InlineData("110|ISO 8859-4", "\u00A0Ą¤ĨžĐŪéũū˙")]
    [InlineData("144|ISO 8859-5", "\u00A0ЁЄЅОаощ§ўџ")]
    [InlineData("127|ISO 8859-6", "\u00A0\uFFFD¤\uFFFD\uFFFD\u0630\uFFFD\u0649\uFFFD\uFFFD\uFFFD")]
    [InlineData("126|ISO 8859-7", "\u00A0‘€₯ΎΠήιύώ\uFFFD")]
    [InlineData("138|ISO 8859-8", "\u00A0\uFFFD¤¥¾\uFFFD\uFFFD\u05D9\u200E\u200F\uFFFD")]
    [InlineData("148|ISO 8859-9", "\u00A0¡¤¥¾ĞŞéışÿ")]
    [InlineData("203|ISO 8859-15", "\u00A0¡€¥ŸÐÞéýþÿ")]
    [InlineData("166|TIS620|TIS-620|ISO 8859-11", "\u00A0\u0E01\u0E04\u0E05\u0E1E\u0E30\uFFFD\u0E49\uFFFD\uFFFD\uFFFD")]
    public void Each_single_byte_set_is_told_from_every_other(string spellings, string expected)
    {
        var names = spellings.Split('|');
        string[] all = [$"ISO_IR {names[0]}", $"ISO 2022 IR {names[0]}", $"\\ISO 2022 IR {names[0]}", $"iso-ir-{names[0]}", $"ISO2022IR{names[0]}", .. names];
        foreach (var terms in all)
        {
            Assert.True(SpecificCharacterSet.IsDefined(terms), terms);
            // A fallback of two bytes shows a term that was not understood.
            Assert.Equal(expected, Set(terms, "GB18030").Decode(Hex("A0A1A4A5BED0DEE9FDFEFF"), Vr.LT));
        }
    }

    [Theory]
    [InlineData("ISO_IR 13|ISO 2022 IR 13|ISO 2022 IR 13\\ISO 2022 IR 87|ISO_IR 14|ISO 2022 IR 14", "5C7E B1DF", "¥‾ｱﾟ")]
    [InlineData("ISO 2022 IR 149|\\ISO 2022 IR 149|ISO_IR 149|EUC-KR|KSC5601|KS X 1001", "41 B1E8", "A김")]
    [InlineData("ISO 2022 IR 58|\\ISO 2022 IR 58|ISO_IR 58", "41 CDF5 81", "A王\uFFFD")]
    [InlineData("GB18030|GBK|GB2312|GB 2312|18030|\\GB18030|ISO 2022 IR 6\\GB18030|GB18030\\ISO 2022 IR 149", "CDF5 8140 90308130", "王丂\U00010000")]
    [InlineData("ISO_IR 192|ISO 2022 IR 192|UTF8|UTF-8|utf_8|\\ISO_IR 192|\\UTF-8|ISO_IR 192\\ISO 2022 IR 87", "C3A9 E78E8B FF", "é王\uFFFD")]
    [InlineData("ISO 2022 IR 87|\\ISO 2022 IR 87|ISO_IR 87", "1B24423B33 1B2842 E9", "山é")]
    [InlineData("ISO 2022 IR 159|\\ISO 2022 IR 159|ISO_IR 159", "1B242844226F 1B2842 E9", "™é")]
    public void Each_set_of_several_bytes_is_told_from_every_other(string spellings, string hex, string expected)
    {
        foreach (var terms in spellings.Split('|'))
        {
            Assert.True(SpecificCharacterSet.IsDefined(terms), terms);
            Assert.Equal(expected, Set(terms).Decode(Hex(hex), Vr.LT));
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("ISO_IR 6", true)]
    [InlineData("ISO 2022 IR 6", true)]
    [InlineData("ISO 646", true)]
    [InlineData("ASCII", true)]
    [InlineData("US-ASCII", true)]
    [InlineData("ISO 2022 IR 6\\ISO 2022 IR 87", true)]
    [InlineData("\\ISO 2022 IR 87\\ISO 2022 IR 159", true)]
    [InlineData("NONSENSE", false)]
    [InlineData("ISO_IR 999", false)]
    [InlineData("ISO_IR 100\\NONSENSE", false)]
    [InlineData("NONSENSE\\ISO_IR 100", false)]
    [InlineData("ISO_IR 1000000000000000000000000000000", false)]
    public void Terms_are_defined_when_every_value_is_known(string terms, bool expected) => Assert.Equal(expected, SpecificCharacterSet.IsDefined(terms));

    // Without an escape sequence, bytes above ASCII belong to the first value if it has any, else to the first later one that has.
    [Theory]
    [InlineData("\\ISO 2022 IR 149\\ISO 2022 IR 58", "FBF3", "洪")]
    [InlineData("\\ISO 2022 IR 58\\ISO 2022 IR 149", "D5C5", "张")]
    [InlineData("\\ISO 2022 IR 6\\ISO 2022 IR 144", "BB", "Л")]
    [InlineData("\\ISO 2022 IR 87\\ISO 2022 IR 13", "B1", "ｱ")]
    [InlineData("ISO 2022 IR 87\\ISO 2022 IR 13", "B1", "ｱ")]
    [InlineData("\\ISO 2022 IR 159\\ISO 2022 IR 144", "BB", "Л")]
    [InlineData("ISO 2022 IR 159\\ISO 2022 IR 144", "BB", "Л")]
    [InlineData("\\\\ISO 2022 IR 144", "BB", "Л")]
    [InlineData("WHAT\\ISO 2022 IR 144", "BB", "Л")]
    [InlineData("ISO 2022 IR 144\\ISO 2022 IR 100", "BB", "Л")]
    // What stands alone cannot come after a set that code extensions begin from.
    [InlineData("ISO_IR 100\\GB18030", "CDF5", "Íõ")]
    [InlineData("ISO_IR 144\\ISO_IR 192", "D2D0", "ва")]
    public void Bytes_without_an_escape_sequence_are_of_the_first_declared_set_that_has_them(string terms, string hex, string expected) =>
        Assert.Equal(expected, Set(terms).Decode(Hex(hex), Vr.LT));

    // Where only sets of G0 are declared, escape sequences are read all the same, and the fallback has what is above ASCII unless it is UTF-8.
    [Theory]
    [InlineData("\\ISO 2022 IR 87", null, "1B24423B33 1B2842 E9", "山é")]
    [InlineData("\\ISO 2022 IR 87", "ISO_IR 144", "1B24423B33 1B2842 BB", "山Л")]
    [InlineData("\\ISO 2022 IR 87", "ISO_IR 192", "1B24423B33 1B2842 E9", "山é")]
    [InlineData("\\ISO 2022 IR 87", "GB18030", "1B24423B33 1B2842 CDF5", "山Íõ")]
    [InlineData("ISO 2022 IR 87", "GB18030", "1B24423B33 1B2842 CDF5", "山Íõ")]
    [InlineData("ISO 2022 IR 6\\ISO 2022 IR 87", "GB18030", "1B24423B33 1B2842 CDF5", "山Íõ")]
    [InlineData("ISO 2022 IR 87\\WHAT", "GB18030", "1B24423B33 1B2842 CDF5", "山Íõ")]
    [InlineData("\\ISO 2022 IR 87", "GB18030", "C3A9", "é")]
    [InlineData("\\ISO 2022 IR 159", "ISO_IR 144", "C3A9", "é")]
    [InlineData("WHAT", "GB18030", "CDF5", "王")]
    [InlineData("WHAT\\WHO", "GB18030", "CDF5", "王")]
    [InlineData("\\WHAT", "GB18030", "CDF5", "王")]
    [InlineData("ISO_IR 6", "GB18030", "CDF5", "王")]
    [InlineData("ASCII", "GB18030", "CDF5", "王")]
    public void The_fallback_stands_beside_sets_that_are_declared_for_g0_only(string terms, string? fallback, string hex, string expected) =>
        Assert.Equal(expected, Set(terms, fallback).Decode(Hex(hex), Vr.LT));

    // JSON and XML copy the bytes of such values.
    [Theory]
    [InlineData("", "abc ~\\", Vr.LO, true)]
    [InlineData("", "ab\u001B", Vr.LO, false)]
    [InlineData("ISO_IR 100", "abc ~\\", Vr.LT, true)]
    [InlineData("ISO_IR 100", "ab\u001B", Vr.LO, false)]
    [InlineData("ISO_IR 100", "é", Vr.LO, false)]
    [InlineData("ISO_IR 192", "ab\u001B", Vr.LO, true)]
    [InlineData("ISO_IR 192", "é", Vr.LO, false)]
    [InlineData("GB18030", "ab\u001B", Vr.LO, true)]
    [InlineData("ISO_IR 13", "abc", Vr.LO, true)]
    [InlineData("ISO_IR 13", "abc", Vr.LT, true)]
    [InlineData("ISO_IR 13", "a\\c", Vr.LO, true)]
    [InlineData("ISO_IR 13", "a\\c", Vr.LT, false)]
    [InlineData("ISO_IR 13", "a~c", Vr.LO, false)]
    [InlineData("ISO_IR 13", "a~c", Vr.LT, false)]
    [InlineData("ISO_IR 13", "a\u001B", Vr.LO, false)]
    public void Bytes_are_plain_when_each_is_its_ascii_character(string terms, string text, Vr vr, bool expected) =>
        Assert.Equal(expected, Set(terms).IsPlain(Encoding.Latin1.GetBytes(text), vr));

    [Fact]
    public void A_yen_sign_in_a_single_text_is_no_backslash()
    {
        Assert.Equal(["a¥b"], Set("ISO_IR 13").DecodeValues("a\\b"u8, Vr.LT));
        Assert.Equal(["a", "b"], Set("ISO_IR 13").DecodeValues("a\\b"u8, Vr.LO));
    }

    [Fact]
    public void A_vr_that_the_character_set_does_not_govern_is_read_byte_by_byte()
    {
        Assert.Equal(["Ã©", "x"], SpecificCharacterSet.Utf8.DecodeValues("é\\x"u8, Vr.CS));
        Assert.Equal(["\u001B$B;3"], Set("\\ISO 2022 IR 87").DecodeValues("\u001B$B;3"u8, Vr.UR));
    }

    [Fact]
    public void A_text_longer_than_the_stack_holds_is_read_whole_and_does_not_stay_in_the_pool()
    {
        foreach (var count in new[] { 255, 256, 257, 400 })
        {
            Assert.Equal(new string('Л', count), Set("ISO_IR 144").Decode(Enumerable.Repeat((byte)0xBB, count).ToArray(), Vr.LT));
            // The pool gives a thread what the thread returned last.
            var rented = ArrayPool<char>.Shared.Rent(count);
            Assert.DoesNotContain('Л', rented);
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
