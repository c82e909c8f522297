using System.Buffers.Binary;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Query;

namespace DicomServerless.Unit.Gateway;

/// <summary>Which identifiers are taken, line by line of PS3.4 C.4.1.2, C.4.2.2 and C.4.3.2.</summary>
public sealed class IdentifierTests
{
    private static Identifier Read(string level, params (Tag Tag, Vr Vr, string Value)[] keys)
    {
        var builder = new DataSetBuilder();
        builder.Add(Tags.QueryRetrieveLevel, Vr.CS, Encoding.ASCII.GetBytes(level));
        foreach (var (tag, vr, value) in keys) builder.Add(tag, vr, Encoding.ASCII.GetBytes(value));
        var identifier = Identifier.Read(builder.Build(), isPatientRoot: true, null, out var problem);
        Assert.True(identifier is not null, problem);
        return identifier;
    }

    private static (Tag, Vr, string)[] Keys(string text) => text.Length == 0
        ? [] : [.. text.Split(' ').Select(part => part.Split('=')).Select(part => part[0] switch
    {
        "patient" => (Tags.PatientID, Vr.LO, part[1]),
        "name" => (Tags.PatientName, Vr.PN, part[1]),
        "study" => (Tags.StudyInstanceUID, Vr.UI, part[1]),
        "series" => (Tags.SeriesInstanceUID, Vr.UI, part[1]),
        _ => (Tags.SOPInstanceUID, Vr.UI, part[1]),
    })];

    [Theory]
    // One patient by one ID, without wildcards, in both ways.
    [InlineData("PATIENT", "patient=1CT1", true, true)]
    [InlineData("PATIENT", "", false, false)]
    [InlineData("PATIENT", "name=MISTER*", false, false)]
    [InlineData("PATIENT", "patient=*", false, false)]
    [InlineData("PATIENT", "patient=1*", false, false)]
    [InlineData("PATIENT", "patient=1?T1", false, false)]
    [InlineData("PATIENT", "patient=A\\B", false, false)]
    [InlineData("PATIENT", "study=1.2", false, false)]
    // Lists of UIDs; the hierarchical way needs those above.
    [InlineData("STUDY", "study=1.2", true, true)]
    [InlineData("STUDY", "study=1.2\\1.3", true, true)]
    [InlineData("STUDY", "patient=1CT1", false, false)]
    [InlineData("STUDY", "study=*", false, false)]
    [InlineData("SERIES", "study=1.2 series=1.2.1", true, true)]
    [InlineData("SERIES", "series=1.2.1", false, true)]
    [InlineData("SERIES", "study=1.2", false, false)]
    [InlineData("IMAGE", "study=1.2 series=1.2.1 sop=1.2.1.1\\1.2.1.2", true, true)]
    [InlineData("IMAGE", "sop=1.2.1.1", false, true)]
    [InlineData("IMAGE", "study=1.2 series=1.2.1", false, false)]
    public void Retrieves_name_what_they_want(string level, string keys, bool hierarchical, bool relational)
    {
        var identifier = Read(level, Keys(keys));
        Assert.Equal((hierarchical, relational),
            (identifier.ProblemOfRetrieve(isRelational: false) is null, identifier.ProblemOfRetrieve(isRelational: true) is null));
    }

    [Theory]
    [InlineData("PATIENT", "", true)]
    [InlineData("STUDY", "patient=1CT1", true)]
    [InlineData("STUDY", "name=A*", false)] // the model has a level above
    [InlineData("SERIES", "study=1.2", true)]
    [InlineData("SERIES", "study=1.2\\1.3", false)]
    [InlineData("IMAGE", "study=1.2", false)]
    [InlineData("IMAGE", "study=1.2 series=1.2.1", true)]
    public void Hierarchical_finds_need_one_value_of_each_unique_key_above(string level, string keys, bool isTaken)
    {
        var identifier = Read(level, Keys(keys));
        Assert.Equal(isTaken, identifier.ProblemOfFind(isPatientRoot: true, isRelational: false) is null);
        Assert.Null(identifier.ProblemOfFind(isPatientRoot: true, isRelational: true));
    }

    [Fact]
    public void Keys_in_binary_are_numbers()
    {
        var (single, number, large, tag) = (new byte[4], new byte[8], new byte[8], new byte[] { 0x20, 0, 0x0D, 0 });
        BinaryPrimitives.WriteSingleLittleEndian(single, 2.5f);
        BinaryPrimitives.WriteDoubleLittleEndian(number, -0.125);
        BinaryPrimitives.WriteInt64LittleEndian(large, -9_007_199_254_740_993);
        var builder = new DataSetBuilder();
        builder.Add(Tags.QueryRetrieveLevel, Vr.CS, "IMAGE"u8);
        builder.Add(Tags.ExaminedBodyThickness, Vr.FL, single);
        builder.Add(Tags.RealWorldValueSlope, Vr.FD, number);
        builder.Add(Tags.FrameIncrementPointer, Vr.AT, tag);
        var identifier = Identifier.Read(builder.Build(), isPatientRoot: false, null, out _)!;
        Assert.Equal(["2.5", "-0.125", "0020000D"], identifier.Parameters.Select(key => key.Value));
    }
}
