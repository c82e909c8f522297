using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicom;

/// <summary>D5.1-D5.3: what our metadata say of every sample is what an independent reader says, element by element.</summary>
public sealed class MetadataEqualsPydicom(ITestOutputHelper output)
{
    // Differences that are right, by kind and the most that there may be in the sample collection.
    internal static readonly Dictionary<string, string> Declared = new(StringComparer.Ordinal)
    {
        ["SPECIFIC-CHARACTER-SET"] = "JSON is UTF-8, so (0008,0005) says ISO_IR 192 (PS3.18 F.2)",
        ["PRIVATE-DICTIONARY"] = "pydicom has a private dictionary; we keep the bytes of private elements without a VR as UN, and those are compared",
        ["UN-SEQUENCE"] = "a private sequence that its writer made UN of defined length stays bytes for us, and those are compared",
        ["PYDICOM-FAILS"] = "pydicom cannot read the file or the value",
    };

    // And single ones, in files that were made to be wrong.
    internal static readonly Dictionary<(string File, string Path), string> DeclaredSingly = new()
    {
        [("dup-tag.dcm", "00100020")] = "of duplicates the first counts for us, the last for pydicom",
        [("encaps-no-delim.dcm", "")] = "pydicom drops pixel data without their last delimiter; we keep them, because every fragment is whole",
        [("no-preamble.dcm", "")] = "pydicom takes the prefix DICM for an element",
        [("trailing-garbage.dcm", "")] = "pydicom takes bytes after Pixel Data for an element",
        [("vr-unknown.dcm", "")] = "a VR that is not known has a length of 32 bits (PS3.5 6.2.2), pydicom reads 16 and stops",
    };

    [Fact]
    public async Task Every_element_of_every_sample_has_the_vr_and_the_values_that_pydicom_finds()
    {
        if (!Peers.RequirePython("pydicom")) return;
        var folder = Directory.CreateTempSubdirectory("metadata-");
        try
        {
            var refused = 0;
            var manifest = new StringBuilder();
            foreach (var file in Samples())
            {
                var name = Path.GetRelativePath(Repository.Root, file);
                if (Scan(file, out var error) is not { } scan)
                {
                    output.WriteLine($"Refused: {name}: {error}");
                    refused++;
                    continue;
                }
                var json = Path.Combine(folder.FullName, $"{manifest.Length}.json");
                await File.WriteAllBytesAsync(json, Metadata(scan));
                manifest.AppendLine(Line(file, name, json, scan));
            }
            var list = Path.Combine(folder.FullName, "manifest");
            await File.WriteAllTextAsync(list, manifest.ToString());
            var differences = await CompareAsync(list);
            var compared = differences.Single(d => d[0] == "compared");
            var unexpected = differences.Where(d => d[0] != "compared" && !Declared.ContainsKey(d[0])
                && !DeclaredSingly.ContainsKey((Path.GetFileName(d[1]), d[2]))).ToList();
            output.WriteLine($"{compared[1]} files, {compared[2]} elements compared; {refused} files refused by our scanner.");
            foreach (var group in differences.Where(d => d[0] != "compared").GroupBy(d => d[0]))
                output.WriteLine($"{group.Key}: {group.Count()} {Declared.GetValueOrDefault(group.Key)}");
            foreach (var failure in differences.Where(d => d[0] == "PYDICOM-FAILS")) output.WriteLine(string.Join(' ', failure));
            Assert.True(unexpected.Count == 0, string.Join('\n', unexpected.Take(60).Select(d => string.Join(' ', d))));
            Assert.True(int.Parse(compared[1], System.Globalization.CultureInfo.InvariantCulture) >= 10);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Samples()
    {
        var folders = new[] { Path.Combine(Repository.Root, "tests/Samples"), Repository.SharedSamples };
        return folders.OfType<string>().Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal);
    }

    private static InstanceScan? Scan(string file, out DicomError? error)
    {
        using var scanner = new InstanceScanner();
        var result = scanner.Push(File.ReadAllBytes(file)) != ScanStatus.Refused && scanner.Complete() == ScanStatus.Complete ? scanner.Result : null;
        error = scanner.Error;
        return result;
    }

    private static byte[] Metadata(InstanceScan scan)
    {
        var buffer = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(scan.DataSet, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Line(string file, string name, string json, InstanceScan scan)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("file", file);
            writer.WriteString("name", name);
            writer.WriteString("json", json);
            if (scan.IsDeflated) writer.WriteNumber("deflatedAt", scan.DataSetOffset);
            writer.WriteStartArray("bulk");
            foreach (var bulk in scan.BulkValues)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(bulk.Path);
                writer.WriteNumberValue(bulk.Offset + (scan.IsDeflated ? 0 : scan.DataSetOffset));
                writer.WriteNumberValue(bulk.Length);
                writer.WriteEndArray();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static async Task<List<string[]>> CompareAsync(string manifest)
    {
        var script = Path.Combine(Repository.Root, "tests/Conformance/Dicom/metadata_equals_pydicom.py");
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [script, manifest])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var lines = new List<string[]>();
        while (await process.StandardOutput.ReadLineAsync() is { } line) lines.Add(line.Split('\t'));
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return lines;
    }
}
