using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Http;

/// <summary>
/// D3: every study of the samples as a ZIP. Info-ZIP tests it; DCMTK and pydicom read its DICOMDIR, and every record is held against its file.
/// </summary>
public sealed partial class ZipTests(ITestOutputHelper output)
{
    // Files that were made to be wrong, which we and pydicom read in different ways.
    private static readonly Dictionary<string, string> Declared = new()
    {
        ["2.25.122196250638120848943260193693720376"] =
            "vr-unknown.dcm: a VR that is not known has a length of 32 bits (PS3.5 6.2.2); pydicom reads 16 and loses its way",
        ["2.25.674987665894046803205472015104653020"] = "dup-tag.dcm: of a duplicate element the first counts; pydicom takes the last",
        ["2.25.1020940436115538007501030429684138350"] = "no-preamble.dcm: stored without a preamble, and given as it is stored",
    };

    [Theory]
    [InlineData("application/zip")]
    [InlineData("application/zip; transfer-syntax=*")]
    public async Task Every_study_of_the_samples_is_a_file_set_that_unzip_dcmtk_and_pydicom_read(string accept)
    {
        if (!Peers.Require("unzip") || !Peers.Require("dcmdump") || !Peers.Require("dcmmkdir") || !Peers.RequirePython("pydicom")) return;
        await using var server = await Server.StartAsync();
        foreach (var file in Samples()) (await server.PostAsync("/studies", "application/dicom", await File.ReadAllBytesAsync(file))).Dispose();
        using var found = await server.GetAsync("/studies?limit=1000");
        var studies = (await Server.JsonAsync(found)).EnumerateArray()
            .Select(study => study.GetProperty("0020000D").GetProperty("Value")[0].GetString()!).ToList();
        var root = Directory.CreateTempSubdirectory("zip-");
        try
        {
            var wrong = new List<string>();
            var (number, dcmtkRecords, bytes, severalSeries) = (0, 0, 0L, 0);
            foreach (var study in studies)
            {
                using var answer = await server.GetAsync($"/studies/{study}", accept);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                var zip = Path.Combine(root.FullName, "study.zip");
                await File.WriteAllBytesAsync(zip, await answer.Content.ReadAsByteArrayAsync());
                bytes += new FileInfo(zip).Length;
                var (exit, text) = await RunAsync("unzip", ["-t", zip]);
                if (exit != 0 || !text.Contains("No errors detected", StringComparison.Ordinal)) wrong.Add($"{study}: unzip {text}");
                var folder = Path.Combine(root.FullName, (++number).ToString(CultureInfo.InvariantCulture));
                await ZipFile.ExtractToDirectoryAsync(zip, folder);
                var files = Directory.EnumerateFiles(Path.Combine(folder, "DICOM"), "*", SearchOption.AllDirectories).Count();
                if (Directory.GetDirectories(Path.Combine(folder, "DICOM")).Length > 1) severalSeries++;

                var directory = Path.Combine(folder, "DICOMDIR");
                (exit, text) = await RunAsync("dcmdump", [directory]);
                var records = ReferencedFile().Count(text);
                dcmtkRecords += records;
                if (exit != 0 || records != files) wrong.Add($"{study}: dcmdump {exit}, {records} of {files} files");
                // DCMTK reads the records by their offsets and writes them again, with a file that is there already; a second time where it invents another
                // patient than we do.
                var copy = Path.Combine(folder, "APPENDED");
                File.Copy(directory, copy);
                await RunAsync("dcmmkdir", ["--append", "--no-backup", "--invent", "-W", "-Nxc",
                    "-Nec", "-Nrc", "+Nrs", "+Ipi", "+id", folder, "+D", copy, "DICOM/SE000001/IM000001"]);
                (exit, text) = await RunAsync("dcmdump", [copy]);
                if (exit != 0 || ReferencedFile().Count(text) < files) wrong.Add($"{study}: after dcmmkdir {ReferencedFile().Count(text)} of {files} files");
                File.Delete(copy);
            }
            var answers = await PythonAsync(Enumerable.Range(1, number).Select(i => Path.Combine(root.FullName, i.ToString(CultureInfo.InvariantCulture))));
            wrong.AddRange(answers[..^1]
                .Select(line => $"{studies[int.Parse(Path.GetFileName(line[1]), CultureInfo.InvariantCulture) - 1]}: {string.Join(' ', line[2..])}"));
            output.WriteLine($"{studies.Count} studies as {accept}, {severalSeries} of several series, {bytes / 1e6:F1} MB: unzip finds no errors, "
                + $"dcmdump {dcmtkRecords} referenced files; "
                + $"pydicom {answers[^1][1]} file-sets, {answers[^1][2]} records, {answers[^1][3]} files: {answers[^1][4]}. {wrong.Count} wrong, "
                    + $"{wrong.Count(line => Declared.ContainsKey(line.Split(':')[0]))} of them declared.");
            wrong.RemoveAll(line => Declared.ContainsKey(line.Split(':')[0]));
            Assert.True(wrong.Count == 0, string.Join('\n', wrong));
            Assert.True(studies.Count >= 3 && severalSeries > 0);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Samples() => new[]
        { Path.Combine(Repository.Root, "tests/Samples"), Path.Combine(Repository.Root, "tests/Viewer/Samples"), Repository.SharedSamples }.OfType<string>()
        .Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is not (".md" or ".tsv")).Order(StringComparer.Ordinal);

    private static async Task<(int Exit, string Text)> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (text, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await text + await errors);
    }

    private static async Task<string[][]> PythonAsync(IEnumerable<string> folders)
    {
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [Path.Combine(Repository.Root, "tests/Conformance/Http/dicomdir_files.py")])
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (lines, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        foreach (var folder in folders) await process.StandardInput.WriteLineAsync(folder);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return [.. (await lines).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))];
    }

    [GeneratedRegex(@"\(0004,1500\) CS \[DICOM\\SE\d{6}\\IM\d{6}\]")]
    private static partial Regex ReferencedFile();
}
