using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>Every sample file is scanned: it is either read or refused with an error that names a place, whatever the pieces it comes in.</summary>
public sealed class SampleCorpusTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_sample_scans_or_gives_an_error_the_same_in_one_piece_and_in_many()
    {
        var files = Samples.All().ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            var (whole, error) = Scans.Run(bytes, bytes.Length);
            var (parts, partsError) = Scans.Run(bytes, 97);
            Assert.Equal(error, partsError);
            Assert.Equal(Scans.Describe(whole), Scans.Describe(parts));
            if (error is not null) Assert.InRange(error.Offset, 0, Math.Max(bytes.Length, 1L << 33));
            var found = error is not null ? error.Message : string.Create(CultureInfo.InvariantCulture,
                $"{whole!.TransferSyntax.Uid.Value,-24} elements {whole.DataSet.Count(),4} bulk {whole.BulkValues.Count,3} "
                + $"frames {whole.Frames?.Count ?? 0,4} {string.Join(' ', whole.Warnings.Select(w => w.Kind).Distinct())}");
            output.WriteLine($"{Path.GetFileName(file),-44} {found}");
        }
    }
}
