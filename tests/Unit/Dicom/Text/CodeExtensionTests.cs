using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>The code extension techniques of PS3.5 6.1.2.5, and the bytes on either side of each range that a set has.</summary>
public sealed class CodeExtensionTests
{
    // Every sequence that is read, without its ESC: PS3.3 tables C.12-3 and C.12-4, and the older forms.
    private static readonly string[] Sequences =
    [
        "(B", "(J", "(I", ")I", "-A", "-B", "-C", "-D", "-L", "-G", "-F", "-H", "-M", "-b", "-T",
        "$B", "$@", "$A", "$(D", "$(B", "$(@", "$)B", "$)C", "$(C", "$)A", "$(A",
    ];

    private static string Decode(string terms, ReadOnlySpan<byte> bytes, Vr vr = Vr.LT) =>
        SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(terms)).Decode(bytes, vr);

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    // The probe has bytes for G0 that differ between the Latin halves (5C, 7E), a space, and bytes for G1 that differ between all sets.
    [Theory]
    [InlineData("ISO_IR 13", "(B", "1\\~\\ ､ｰﾐ\uFFFD")]
    [InlineData("ISO_IR 100", "(J", "1¥‾¥ ¤°Ðþ")]
    [InlineData("ISO_IR 100", "(I", "ｱﾜ\uFFFDﾜ ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$B", "閲\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$@", "閲\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$A", "避\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$(D", "倲\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$(B", "閲\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$(@", "閲\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$(C", "긁\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", "$(A", "避\uFFFD ¤°Ðþ")]
    [InlineData("ISO_IR 100", ")I", "1\\~\\ ､ｰﾐ\uFFFD")]
    [InlineData("ISO_IR 144", "-A", "1\\~\\ ¤°Ðþ")]
    [InlineData("ISO_IR 100", "-B", "1\\~\\ ¤°Đţ")]
    [InlineData("ISO_IR 100", "-C", "1\\~\\ ¤°\uFFFDŝ")]
    [InlineData("ISO_IR 100", "-D", "1\\~\\ ¤°Đū")]
    [InlineData("ISO_IR 100", "-L", "1\\~\\ ЄАаў")]
    [InlineData("ISO_IR 100", "-G", "1\\~\\ ¤\uFFFD\u0630\uFFFD")]
    [InlineData("ISO_IR 100", "-F", "1\\~\\ €°Πώ")]
    [InlineData("ISO_IR 100", "-H", "1\\~\\ ¤°\uFFFD\u200F")]
    [InlineData("ISO_IR 100", "-M", "1\\~\\ ¤°Ğş")]
    [InlineData("ISO_IR 100", "-b", "1\\~\\ €°Ðþ")]
    [InlineData("ISO_IR 100", "-T", "1\\~\\ \u0E04\u0E10\u0E30\uFFFD")]
    [InlineData("ISO_IR 100", "$)B", "1\\~\\ ぐ傲")]
    [InlineData("ISO_IR 100", "$)C", "1\\~\\ ㅀ旣")]
    [InlineData("ISO_IR 100", "$)A", "1\\~\\ ぐ玄")]
    public void Each_escape_sequence_puts_its_set_into_its_code_element_alone(string start, string sequence, string expected) =>
        Assert.Equal(expected, Decode(start, [0x1B, .. Encoding.ASCII.GetBytes(sequence), .. Hex("31 5C 7E 5C 20 A4 B0 D0 FE")]));

    [Fact]
    public void An_escape_sequence_that_is_cut_is_a_replacement_character_and_its_remaining_bytes()
    {
        foreach (var sequence in Sequences)
        {
            byte[] whole = [0x61, 0x1B, .. Encoding.ASCII.GetBytes(sequence)];
            Assert.Equal("a", Decode("ISO_IR 100", whole));
            for (var length = 2; length < whole.Length; length++)
            {
                Assert.Equal($"a\uFFFD{sequence[..(length - 2)]}", Decode("ISO_IR 100", whole.AsSpan(0, length)));
                Assert.Equal(0, CodedSets.TryReadEscape(whole.AsSpan(1, length - 1), out var set, out var isG1));
                Assert.Equal((CodedSet.None, false), (set, isG1));
            }
        }
    }

    [Theory]
    [InlineData("(Z")]
    [InlineData(")B")]
    [InlineData("-Z")]
    [InlineData("$Z")]
    [InlineData("$(Z")]
    [InlineData("$)D")]
    [InlineData("x)C")]
    [InlineData("x(A")]
    [InlineData("[0m")]
    public void An_escape_sequence_that_is_none_of_dicoms_changes_no_set(string sequence)
    {
        Assert.Equal($"a\uFFFD{sequence}bé", Decode("ISO_IR 100", [0x61, 0x1B, .. Encoding.ASCII.GetBytes(sequence), 0x62, 0xE9]));
        Assert.Equal(0, CodedSets.TryReadEscape([0x1B, .. Encoding.ASCII.GetBytes(sequence), 0x62, 0xE9], out var set, out var isG1));
        Assert.Equal((CodedSet.None, false), (set, isG1));
    }

    [Fact]
    public void An_escape_byte_before_an_escape_sequence_does_not_spoil_it() =>
        Assert.Equal("\uFFFD山", Decode("ISO_IR 100", [0x1B, .. "\u001B$B;3"u8]));

    // PS3.5 6.1.2.5.3: control characters in any text; the backslash where it separates values; ^ and = in person names.
    [Theory]
    [InlineData(Vr.LT, "000109 0A0C0D 1F7F", "2021 2F3D5E5C 7D")]
    [InlineData(Vr.ST, "0A", "5C5E3D")]
    [InlineData(Vr.UT, "0A", "5C5E3D")]
    [InlineData(Vr.LO, "000A1F 7F5C", "2021 2F3D5E 7E")]
    [InlineData(Vr.SH, "5C", "3D5E")]
    [InlineData(Vr.UC, "5C", "3D5E")]
    [InlineData(Vr.PN, "000A1F 7F5C3D5E", "2021 2F3C3E5D5F 7E")]
    public void Sets_are_put_back_at_control_characters_and_at_the_delimiters_of_the_vr(Vr vr, string resetting, string keeping)
    {
        foreach (var b in Hex(resetting))
        {
            Assert.Equal($"Л{(char)b}»", Decode("ISO 2022 IR 100\\ISO 2022 IR 144", [0x1B, 0x2D, 0x4C, 0xBB, b, 0xBB], vr));
            Assert.Equal($"‾{(char)b}~", Decode("ISO 2022 IR 100", [0x1B, 0x28, 0x4A, 0x7E, b, 0x7E], vr));
        }
        foreach (var b in Hex(keeping))
        {
            Assert.Equal($"Л{(char)b}Л", Decode("ISO 2022 IR 100\\ISO 2022 IR 144", [0x1B, 0x2D, 0x4C, 0xBB, b, 0xBB], vr));
            var roman = b switch { 0x5C => '¥', 0x7E => '‾', _ => (char)b };
            Assert.Equal($"‾{roman}‾", Decode("ISO 2022 IR 100", [0x1B, 0x28, 0x4A, 0x7E, b, 0x7E], vr));
        }
    }

    [Theory]
    // The corners of what a cell may be.
    [InlineData("2121", "\u3000")]
    [InlineData("217E", "◇")]
    [InlineData("3021", "亜")]
    [InlineData("7426", "熙")]
    [InlineData("7E7E", "\uFFFD")]
    // A space, a control character or a byte of G1 is no second byte: it stays what it is.
    [InlineData("3B20 3021", "\uFFFD 亜")]
    [InlineData("3B0A 3021", "\uFFFD\n0!")]
    [InlineData("3B7F 3021", "\uFFFD\u007F0!")]
    [InlineData("3BE9 3021", "\uFFFDé亜")]
    [InlineData("3B1B2842 3021", "\uFFFD0!")]
    [InlineData("3021 3B", "亜\uFFFD")]
    public void A_set_of_two_bytes_in_g0_takes_pairs_of_21_to_7E(string hex, string expected) =>
        Assert.Equal(expected, Decode("ISO 2022 IR 100\\ISO 2022 IR 87", [0x1B, 0x24, 0x42, .. Hex(hex)]));

    [Theory]
    [InlineData("149", "A1A1", "\u3000")]
    [InlineData("149", "A1A2", "、")]
    [InlineData("149", "A1FE", "￢")]
    [InlineData("149", "B0A1", "가")]
    [InlineData("149", "C8FE", "힝")]
    [InlineData("149", "FDFE", "詰")]
    [InlineData("149", "FEFE", "\uFFFD")]
    [InlineData("149", "80 B0A1", "\uFFFD가")]
    [InlineData("149", "A0 B0A1", "\uFFFD가")]
    [InlineData("149", "FF B0A1", "\uFFFD가")]
    [InlineData("149", "B0A0 B0A1", "\uFFFD\uFFFD가")]
    [InlineData("149", "B0FF B0A1", "\uFFFD\uFFFD가")]
    [InlineData("149", "B020 B0A1", "\uFFFD 가")]
    [InlineData("149", "B05C B0A1", "\uFFFD\\가")]
    [InlineData("149", "B07E", "\uFFFD~")]
    [InlineData("149", "B0A1 B0", "가\uFFFD")]
    [InlineData("58", "A1A2", "、")]
    [InlineData("58", "A1FE", "〓")]
    [InlineData("58", "B0A1", "啊")]
    [InlineData("58", "F7FE", "齄")]
    // What GBK leaves to its users is not in GB 2312.
    [InlineData("58", "FEA1", "\uFFFD")]
    [InlineData("58", "FEFE", "\uFFFD")]
    [InlineData("58", "A4", "\uFFFD")]
    public void A_set_of_two_bytes_in_g1_takes_pairs_of_A1_to_FE(string set, string hex, string expected) =>
        Assert.Equal(expected, Decode($"\\ISO 2022 IR {set}", Hex(hex)));

    [Theory]
    [InlineData("ISO_IR 100")]
    [InlineData("ISO_IR 101")]
    [InlineData("ISO_IR 109")]
    [InlineData("ISO_IR 110")]
    [InlineData("ISO_IR 144")]
    [InlineData("ISO_IR 127")]
    [InlineData("ISO_IR 126")]
    [InlineData("ISO_IR 138")]
    [InlineData("ISO_IR 148")]
    [InlineData("ISO_IR 203")]
    [InlineData("ISO_IR 166")]
    public void Bytes_80_to_9F_are_kept_where_a_single_byte_set_has_room_for_them(string terms) =>
        Assert.Equal("!~\u007F\u0080\u0085\u009F\u00A0", Decode(terms, Hex("217E7F 80859F A0")));

    [Theory]
    [InlineData("ISO_IR 13", "80")]
    [InlineData("ISO_IR 13", "85")]
    [InlineData("ISO_IR 13", "9F")]
    [InlineData("ISO_IR 13", "A0")]
    [InlineData("ISO_IR 13", "E0")]
    [InlineData("ISO_IR 13", "FF")]
    [InlineData("\\ISO 2022 IR 149", "80")]
    [InlineData("\\ISO 2022 IR 58", "9F")]
    public void Bytes_that_the_set_does_not_have_become_replacement_characters(string terms, string hex) =>
        Assert.Equal("a\uFFFD", Decode(terms, [0x61, .. Hex(hex)]));

    [Fact]
    public void Half_width_katakana_are_A1_to_DF_of_g1_and_21_to_5F_of_g0()
    {
        Assert.Equal("｡ｱﾟ¥‾", Decode("ISO_IR 13", Hex("A1 B1 DF 5C 7E")));
        Assert.Equal("｡ｱﾟ\uFFFD\uFFFD", Decode("ISO_IR 100", Hex("1B2849 21 31 5F 60 7E")));
    }

    // Oracle: Microsoft's code page 932. Each corner of first and second bytes, and second bytes that turn row or cell around.
    [Theory]
    [InlineData("8140", "\u3000")]
    [InlineData("8141", "、")]
    [InlineData("817E", "×")]
    [InlineData("8180", "÷")]
    [InlineData("819E", "◇")]
    [InlineData("819F", "◆")]
    [InlineData("81FC", "◯")]
    [InlineData("889F", "亜")]
    [InlineData("9F40", "檗")]
    [InlineData("9F7E", "毯")]
    [InlineData("9F80", "麾")]
    [InlineData("9F9E", "沾")]
    [InlineData("9F9F", "沺")]
    [InlineData("9FFC", "滌")]
    [InlineData("E040", "漾")]
    [InlineData("E07E", "烝")]
    [InlineData("E080", "烙")]
    [InlineData("E09E", "燼")]
    [InlineData("E09F", "燹")]
    [InlineData("E0FC", "珱")]
    [InlineData("EAA4", "熙")]
    [InlineData("EEFC", "＂")]
    // A pair without a character is one replacement character, not one and a letter.
    [InlineData("EF41", "\uFFFD")]
    [InlineData("EFFC", "\uFFFD")]
    // These are no pairs.
    [InlineData("813F", "\uFFFD?")]
    [InlineData("8120", "\uFFFD")]
    [InlineData("817F", "\uFFFD\u007F")]
    [InlineData("81FD", "\uFFFD\uFFFD")]
    [InlineData("8041", "\uFFFDA")]
    [InlineData("A041", "\uFFFDA")]
    [InlineData("DF41", "ﾟA")]
    [InlineData("F041", "\uFFFDA")]
    [InlineData("81", "\uFFFD")]
    public void Shift_jis_under_the_name_of_iso_ir_13_is_read(string hex, string expected) => Assert.Equal(expected, Decode("ISO_IR 13", Hex(hex)));

    [Fact]
    public void Shift_jis_is_read_under_no_other_name() => Assert.Equal("\u0081A", Decode("ISO_IR 100", Hex("8141")));

    [Fact]
    public void What_a_set_does_not_have_is_a_replacement_character()
    {
        Assert.Equal('\uFFFD', CodedSet.None.Single(0x41));
        Assert.Equal('\uFFFD', CodedSet.Jis0208.Single(0x41));
        Assert.Equal('\uFFFD', CodedSet.Latin1.Single(0x9F));
        Assert.Equal('\u00A0', CodedSet.Latin1.Single(0xA0));
        Assert.Equal('\uFFFD', CodedSet.Ksx1001.Double(94, 0));
        Assert.Equal('\uFFFD', CodedSet.Ksx1001.Double(0, 94));
        Assert.Equal('\uFFFD', CodedSet.Ksx1001.Double(-1, 0));
        Assert.Equal('\uFFFD', CodedSet.Latin1.Double(0, 0));
    }
}
