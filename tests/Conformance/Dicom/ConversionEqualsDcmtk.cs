using System.Diagnostics;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicom;

/// <summary>Our conversions and dcmconv's hold the same elements with the same values, pixel data included.</summary>
public sealed class ConversionEqualsDcmtk
{
    private const int LargestFile = 300_000;

    [Theory]
    [InlineData("1.2.840.10008.1.2", "+ti")]
    [InlineData("1.2.840.10008.1.2.1", "+te")]
    [InlineData("1.2.840.10008.1.2.2", "+tb")]
    [InlineData("1.2.840.10008.1.2.1.99", "+td")]
    public async Task Converted_samples_hold_the_same_elements(string syntax, string option)
    {
        if (!Peers.Require("dcmconv")) return;
        var to = TransferSyntax.Find(syntax)!;
        var reference = Path.GetTempFileName();
        var compared = 0;
        try
        {
            foreach (var path in Candidates())
            {
                var file = await File.ReadAllBytesAsync(path);
                if (file.Length is 0 or > LargestFile || Scan(file) is not { } scan || !TransferSyntaxConverter.CanConvert(scan.TransferSyntax, to)) continue;
                // dcmconv loses elements there
                if (scan.Warnings.Any(warning => warning.Kind is DicomWarningKind.FileMetaGroupLength or DicomWarningKind.DuplicateElement)) continue;
                if (!await DcmconvAsync(option, path, reference)) continue;
                using var output = new MemoryStream();
                Assert.Null(await TransferSyntaxConverter.ConvertAsync(new MemoryStream(file), output, to));
                var theirs = await File.ReadAllBytesAsync(reference);
                Assert.Equal($"{path}\n{Content(theirs)}", $"{path}\n{Content(output.ToArray())}");
                compared++;
            }
        }
        finally
        {
            File.Delete(reference);
        }
        Assert.True(compared >= 10, $"only {compared} files were compared");
    }

    private static IEnumerable<string> Candidates()
    {
        var own = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/Samples"), "*.dcm");
        return Repository.SharedSamples is { } shared ? own.Concat(Directory.EnumerateFiles(shared, "*.dcm", SearchOption.AllDirectories)) : own;
    }

    private static async Task<bool> DcmconvAsync(string option, string source, string destination)
    {
        using var process = Process.Start(new ProcessStartInfo("dcmconv", ["-q", option, source, destination]) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private static InstanceScan? Scan(byte[] file)
    {
        using var scanner = new InstanceScanner(new ScanOptions { BulkThreshold = int.MaxValue });
        return scanner.Push(file) != ScanStatus.Refused && scanner.Complete() == ScanStatus.Complete ? scanner.Result : null;
    }

    // Left out: group lengths and padding, which conversions drop or change, and private elements, whose VRs DCMTK takes from a dictionary of its own.
    private static string Content(byte[] file)
    {
        var scan = Scan(file)!;
        var text = new StringBuilder();
        Write(scan.DataSet);
        if (!scan.IsDeflated && scan.BulkValues.FirstOrDefault(value => value.Path == "7FE00010") is { } pixels)
            text.Append(Value(file.AsSpan((int)(scan.DataSetOffset + pixels.Offset), (int)pixels.Length), pixels.Vr, pixels.IsBigEndian));
        return text.ToString();

        void Write(DataSet set)
        {
            // DCMTK sorts
            foreach (var element in set.Where(e => !e.Tag.IsGroupLength && !e.Tag.IsPrivate && e.Tag != Tags.DataSetTrailingPadding).OrderBy(e => e.Tag))
            {
                text.Append(element.Tag).Append(element.Vr.Code()).Append(' ').AppendLine(Value(element.Value.Span, element.Vr, element.IsBigEndian));
                foreach (var item in element.Items)
                {
                    text.AppendLine("item");
                    Write(item);
                }
            }
        }
    }

    private static string Value(ReadOnlySpan<byte> bytes, Vr vr, bool isBigEndian)
    {
        var value = bytes.ToArray();
        if (isBigEndian) NativeFrame.SwapWords(value, vr.WordSize());
        return Convert.ToHexString(vr.IsText() ? value.AsSpan().TrimEnd(" \0"u8) : value);
    }
}
