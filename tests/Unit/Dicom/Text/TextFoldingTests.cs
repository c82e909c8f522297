using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class TextFoldingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Smith^John", "SMITH^JOHN")]
    [InlineData("Müller", "MULLER")]
    [InlineData("Mu\u0308ller", "MULLER")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("STRAẞE", "STRASSE")]
    [InlineData("Łukasz Żółć", "LUKASZ ZOLC")]
    [InlineData("Ørsted Æsir œuvre", "ORSTED AESIR OEUVRE")]
    [InlineData("İstanbul ısı", "ISTANBUL ISI")]
    [InlineData("Đặng Þór ðe", "DANG THOR DE")]
    [InlineData("Čáslavská Ħal", "CASLAVSKA HAL")]
    [InlineData("Διονύσιος", "ΔΙΟΝΥΣΙΟΣ")]
    [InlineData("Ёлкин Йод", "ЕЛКИН ИОД")]
    [InlineData("Ｓｍｉｔｈ　１", "SMITH 1")]
    [InlineData("ﾔﾏﾀﾞ ﾊﾟ", "ヤマダ パ")]
    [InlineData("ヤマタ\u3099", "ヤマダ")]
    [InlineData("か\u3099", "が")]
    [InlineData("山田^太郎", "山田^太郎")]
    [InlineData("홍^길동", "홍^길동")]
    [InlineData("O’Brien", "O'BRIEN")]
    [InlineData("ﬁn", "FIN")]
    [InlineData("😀é", "😀E")]
    public void Forms_of_a_text_fold_to_one(string text, string folded) => Assert.Equal(folded, TextFolding.Fold(text));

    [Fact]
    public void Folding_again_changes_nothing_for_any_unit()
    {
        for (var c = 0; c < 0xFFFF; c++)
        {
            if (char.IsSurrogate((char)c)) continue;
            var once = TextFolding.Fold($"a{(char)c}");
            Assert.True(once == TextFolding.Fold(once), $"U+{c:X4}: {once} then {TextFolding.Fold(once)}");
        }
    }
}
