using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class PersonNameTests
{
    [Fact]
    public void Groups_and_components_are_told_apart_and_padding_dropped()
    {
        var name = PersonName.Parse("Yamada^Tarou =山田^太郎= やまだ^たろう");
        Assert.Equal(new PersonName("Yamada^Tarou", "山田^太郎", "やまだ^たろう"), name);
        Assert.Equal(new PersonNameComponents("Adams", "John Robert Quincy", "", "Rev.", "B.A. M.Div."),
            PersonName.Components("Adams^John Robert Quincy^^Rev.^B.A. M.Div."));
        Assert.Equal(new PersonName("", "山田", ""), PersonName.Parse("=山田"));
        Assert.True(PersonName.Parse("==").IsEmpty);
        Assert.Equal("a=b", PersonName.Parse("a=b=").ToString());
        Assert.Equal("c=d", PersonName.Parse("a=b=c=d").Phonetic);
        Assert.Equal("e^f", PersonName.Components("a^b^c^d^e^f").Suffix);
    }

    [Theory]
    [InlineData("", "", "", "")]
    [InlineData("a", "a", "", "")]
    [InlineData("=b", "", "b", "")]
    [InlineData("==c", "", "", "c")]
    [InlineData("a==c", "a", "", "c")]
    [InlineData("a=b", "a", "b", "")]
    [InlineData(" a = b = c ", "a", "b", "c")]
    [InlineData("a^b==", "a^b", "", "")]
    [InlineData("^=^=^", "^", "^", "^")]
    public void Empty_groups_keep_their_places(string text, string alphabetic, string ideographic, string phonetic) =>
        Assert.Equal(new PersonName(alphabetic, ideographic, phonetic), PersonName.Parse(text));

    [Theory]
    [InlineData("", "||||")]
    [InlineData("a", "a||||")]
    [InlineData("^b", "|b|||")]
    [InlineData("^^c", "||c||")]
    [InlineData("^^^d", "|||d|")]
    [InlineData("^^^^e", "||||e")]
    [InlineData("a^b^c^d", "a|b|c|d|")]
    [InlineData(" a ^ b\0^^^ e ", "a|b|||e")]
    public void Empty_components_keep_their_places(string group, string expected)
    {
        var (family, given, middle, prefix, suffix) = PersonName.Components(group);
        Assert.Equal(expected, string.Join('|', family, given, middle, prefix, suffix));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a==", "a")]
    [InlineData("=b=", "=b")]
    [InlineData("a=b", "a=b")]
    [InlineData("==c", "==c")]
    [InlineData("a==c", "a==c")]
    [InlineData("a=b=c", "a=b=c")]
    public void A_name_is_written_without_trailing_delimiters(string text, string expected) => Assert.Equal(expected, PersonName.Parse(text).ToString());

    [Fact]
    public void A_name_that_was_never_set_is_empty()
    {
        Assert.True(default(PersonName).IsEmpty);
        Assert.Equal("", default(PersonName).ToString());
        Assert.False(PersonName.Parse("a").IsEmpty);
        Assert.False(PersonName.Parse("=b").IsEmpty);
        Assert.False(PersonName.Parse("==c").IsEmpty);
    }
}
