using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Functional.Http;

namespace DicomServerless.Fuzz.Http;

/// <summary>An object that was cut off on its way, wherever it was cut.</summary>
public sealed class TruncationTests(ITestOutputHelper output)
{
    private const int FilesOverHttp = 10, SmallFile = 2048, PartsPerRequest = 128;

    [Fact]
    public async Task Every_beginning_of_a_small_object_gets_an_answer_over_http()
    {
        // The small samples that are objects of a study, and made ones to have ten.
        var files = Fuzzing.SmallSamples(SmallFile).Select(file => (Name: Path.GetFileName(file), Bytes: File.ReadAllBytes(file)))
            .Where(file => IsObject(file.Bytes)).DistinctBy(file => file.Name).Take(FilesOverHttp).ToList();
        for (var i = 1; files.Count < FilesOverHttp; i++)
            files.Add(($"made {i}", Server.Image("1.2", "1.2.1", $"1.2.1.{i}").Add(0x00091001, "OB", new byte[i * 64]).ToFile()));
        await using var fuzzing = await Fuzzing.StartAsync();
        foreach (var (name, bytes) in files)
        {
            var stored = fuzzing.Stored;
            foreach (var cuts in Enumerable.Range(0, bytes.Length).Chunk(PartsPerRequest))
                await fuzzing.StoreAsync([.. cuts.Select(cut => bytes[..cut])], () => $"{name} cut at {cuts[0]} to {cuts[^1]}");
            output.WriteLine($"{name}: {bytes.Length} beginnings, {fuzzing.Stored - stored} ended between two elements and were stored");
        }
        await fuzzing.AssertAliveAsync();
        output.WriteLine(fuzzing.Tally());
        Assert.True(fuzzing.Refused > fuzzing.Stored);
    }

    private static bool IsObject(byte[] file)
    {
        using var scanner = new InstanceScanner();
        return scanner.Push(file) != ScanStatus.Refused && scanner.Complete() == ScanStatus.Complete
            && InstanceUids.Read(scanner.Result!.DataSet).Problem is null;
    }

    [Fact]
    public void Every_beginning_of_a_larger_object_is_read_or_refused_with_a_place_in_it()
    {
        var (files, cuts, complete) = (0, 0, 0);
        foreach (var file in Fuzzing.SmallSamples(8 * 1024).Where(file => new FileInfo(file).Length > SmallFile).Take(60))
        {
            var bytes = File.ReadAllBytes(file);
            files++;
            for (var cut = 0; cut < bytes.Length; cut++, cuts++)
            {
                using var scanner = new InstanceScanner();
                var status = scanner.Push(bytes.AsSpan(0, cut));
                if (status != ScanStatus.Refused) status = scanner.Complete();
                if (status == ScanStatus.Complete) complete++;
                else Assert.True(scanner.Error is { Offset: >= 0 }, $"{file} cut at {cut}");
            }
        }
        output.WriteLine($"{files} files, {cuts} beginnings: {complete} end between two elements, {cuts - complete} refused");
        Assert.True(files > 0 && complete < cuts / 2);
    }
}
