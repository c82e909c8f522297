using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class DataElementTextTests
{
    private static DataSet Build()
    {
        var builder = new DataSetBuilder();
        builder.Add(Tags.SpecificCharacterSet, Vr.CS, "ISO_IR 192"u8);
        builder.Add(Tags.Modality, Vr.CS, "é\\MR"u8);
        builder.Add(Tags.StudyDescription, Vr.LO, "\\é"u8);
        builder.Add(Tags.PatientName, Vr.PN, "Müller^A=山田 \\B"u8);
        builder.Add(Tags.Rows, Vr.US, [0x41, 0x42]);
        return builder.Build();
    }

    [Fact]
    public void Texts_are_read_with_the_set_that_governs_their_vr()
    {
        var set = Build();
        Assert.True(set.TryGet(Tags.PatientName, out var name));
        Assert.Equal(["Müller^A=山田", "B"], name.GetStrings());
        Assert.Equal("Müller^A=山田", set.GetString(Tags.PatientName));
        // A code string is of the default repertoire whatever is declared (PS3.5 6.1.2.2).
        Assert.Equal("Ã©", set.GetString(Tags.Modality));
    }

    [Fact]
    public void An_empty_first_value_an_absent_element_and_a_number_have_no_text()
    {
        var set = Build();
        Assert.True(set.TryGet(Tags.StudyDescription, out var description));
        Assert.Equal(["", "é"], description.GetStrings());
        Assert.Null(set.GetString(Tags.StudyDescription));
        Assert.Null(set.GetString(Tags.PatientID));
        Assert.Null(set.GetString(Tags.Rows));
        Assert.True(set.TryGet(Tags.Rows, out var rows));
        Assert.Empty(rows.GetStrings());
    }
}
