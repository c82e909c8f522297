using System.Buffers;
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
    [InlineData("う\u3099", "ゔ")]
    [InlineData("は\u309A", "ぱ")]
    [InlineData("は\u3099", "ば")]
    [InlineData("ｳﾞﾊﾞﾊﾟ", "ヴバパ")]
    // A voiced mark without a kana that takes it stays, and what is no mark voices nothing.
    [InlineData("あ\u3099", "あ\u3099")]
    [InlineData("か\u309A", "か\u309A")]
    [InlineData("한\u3099", "한\u3099")]
    [InlineData("한\u309A", "한\u309A")]
    [InlineData("\u3099か", "\u3099か")]
    [InlineData("ﾞｶ", "\u3099カ")]
    [InlineData("かあ", "かあ")]
    [InlineData("カア", "カア")]
    [InlineData("ｶｱ", "カア")]
    [InlineData("é\u00A0\u00A1", "E \u00A1")]
    [InlineData("é\u0080\u007Fz", "E\u0080\u007FZ")]
    [InlineData("é\uF8FF\uE000", "E\uF8FF\uE000")]
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

    [Theory]
    [InlineData("", "")]
    [InlineData("SMITH", "SMITH")]
    [InlineData("山田", "山田")]
    [InlineData("か", "か")]
    [InlineData("が", "か\u3099")]
    [InlineData("ゔ", "う\u3099")]
    [InlineData("ば", "は\u3099")]
    [InlineData("ぱ", "は\u309A")]
    [InlineData("ヴ", "ウ\u3099")]
    [InlineData("ヾ", "ヽ\u3099")]
    [InlineData("X^ガギx", "X^カ\u3099キ\u3099x")]
    [InlineData("山田^ヤマダ", "山田^ヤマタ\u3099")]
    public void Voiced_kana_are_split_into_kana_and_mark_wherever_they_stand(string folded, string expected) =>
        Assert.Equal(expected, TextFolding.SplitVoicedKana(folded));

    [Fact]
    public void A_text_longer_than_the_stack_holds_is_folded_whole_and_does_not_stay_in_the_pool()
    {
        foreach (var count in new[] { 85, 86, 100, 600, 4_000 })
        {
            Assert.Equal(new string('Л', count), TextFolding.Fold(new string('л', count)));
            Assert.Equal(string.Concat(Enumerable.Repeat("SS", count)), TextFolding.Fold(new string('ß', count)));
            // The pool gives a thread what the thread returned last.
            var rented = ArrayPool<char>.Shared.Rent(count * 6);
            Assert.NotEqual("SS", new string(rented.AsSpan(0, 2)));
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
