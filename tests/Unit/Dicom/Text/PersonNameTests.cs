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
}
