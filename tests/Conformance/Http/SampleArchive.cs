using DicomServerless.Dicom.Web;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Http;

/// <summary>A sample file, what pydicom says of it, and what became of it in the archive.</summary>
internal sealed record Sample(string Path, string Verdict, string Study, string Series, string Sop, string SopClass, string Remark)
{
    public string Name => System.IO.Path.GetRelativePath(Repository.SharedSamples ?? Repository.Root, Path);
    public bool IsObject => Verdict is "object" or "meta-mismatch";

    /// <summary>Of the archive that it went to; e.g. http://127.0.0.1:1/dicomweb.</summary>
    public string Base { get; set; } = "";
    public bool IsStored { get; set; }

    /// <summary>Failure Reason (0008,1197), when it was refused.</summary>
    public int? Reason { get; set; }

    /// <summary>Whether the failure was an item of Failed SOP Sequence (0008,1198), else of Other Failures Sequence (0008,119A).</summary>
    public bool IsFailureNamed { get; set; }

    /// <summary>The text of the warning about its part.</summary>
    public string Problem { get; set; } = "";

    /// <summary>Retrieve URL (0008,1190) that the store gave.</summary>
    public string Url { get; set; } = "";
}

/// <summary>
/// Every sample sent once by STOW-RS, good and bad ones mixed in requests of several parts: to the built program over a storage emulator, and those that share
/// a SOP Instance UID with another file to archives of their own, in memory.
/// </summary>
public sealed partial class SampleArchive : IAsyncLifetime
{
    private const int PartsPerRequest = 20;

    private readonly List<Server> others = [];
    private Azurite? azurite;
    private FunctionsProcess? main;

    internal List<Sample> Samples { get; } = [];

    /// <summary>What was wrong with answers as a whole.</summary>
    internal List<string> Problems { get; } = [];
    internal string Summary { get; private set; } = "";
    internal HttpClient Client { get; } = new();

    /// <summary>Null when pydicom is not there to say what to expect.</summary>
    internal bool IsReady => Samples.Count > 0;

    public async ValueTask InitializeAsync()
    {
        if (!Peers.RequirePython("pydicom")) return;
        Samples.AddRange(await JudgeAsync(Files().ToList()));
        azurite = await Azurite.StartAsync();
        main = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        var watch = Stopwatch.StartNew();
        var requests = 0;
        foreach (var (archive, samples) in Archives())
        {
            var root = main.Url + "/dicomweb";
            if (archive > 0)
            {
                others.Add(await Server.StartAsync());
                root = others[^1].Base;
            }
            foreach (var batch in samples.Chunk(PartsPerRequest))
            {
                await StoreAsync(root, batch);
                requests++;
            }
        }
        Summary = string.Create(CultureInfo.InvariantCulture,
            $"{Samples.Count} files in {requests} requests to {others.Count + 1} archives, {watch.Elapsed.TotalSeconds:F1} s");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in others) await server.DisposeAsync();
        main?.Dispose();
        azurite?.Dispose();
        Client.Dispose();
    }

    private static IEnumerable<string> Files()
    {
        var folders = Repository.SharedSamples is { } shared ? [shared] : new[]
            { Path.Combine(Repository.Root, "tests/Samples"), Path.Combine(Repository.Root, "dev/samples") };
        return folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is not (".md" or ".tsv")).Order(StringComparer.Ordinal);
    }

    private static async Task<List<Sample>> JudgeAsync(List<string> files)
    {
        var script = Path.Combine(Repository.Root, "tests/Conformance/Http/sample_objects.py");
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [script])
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (lines, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        foreach (var file in files) await process.StandardInput.WriteLineAsync(file);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        var verdicts = (await lines).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(files.Count, verdicts.Length);
        return [.. files.Zip(verdicts, (file, line) => line.Split('\t') is var field
            ? new Sample(file, field[0], field[1], field[2], field[3], field[4], field[5]) : null!)];
    }

    // The first file of each SOP Instance UID goes to archive 0, the next to archive 1 and so on. What is no object goes to 0, evenly among the others.
    private IEnumerable<(int Archive, List<Sample> Samples)> Archives()
    {
        var groups = Samples.Where(sample => sample.IsObject).GroupBy(sample => sample.Sop)
            .SelectMany(same => same.Select((sample, number) => (sample, number)))
            .GroupBy(item => item.number, item => item.sample).OrderBy(group => group.Key).ToList();
        foreach (var group in groups)
        {
            var all = group.ToList();
            if (group.Key == 0)
            {
                var bad = Samples.Where(sample => !sample.IsObject).ToList();
                for (var i = 0; i < bad.Count; i++) all.Insert(Math.Min(all.Count, i * (group.Count() + bad.Count) / bad.Count), bad[i]);
            }
            yield return (group.Key, all);
        }
    }

    private async Task StoreAsync(string root, Sample[] samples)
    {
        using var content = new MultipartContent("related", "b0undary");
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/related; type=\"application/dicom\"; boundary=b0undary");
        foreach (var sample in samples)
            content.Add(new ByteArrayContent(await File.ReadAllBytesAsync(sample.Path))
                { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } });
        using var response = await Client.PostAsync(root + "/studies", content);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.Conflict))
        {
            Problems.Add($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            return;
        }
        var answer = await Server.JsonAsync(response);
        var referenced = Items(answer, "00081199").DistinctBy(item => Text(item, "00081155"))
            .ToDictionary(item => Text(item, "00081155"), item => Text(item, "00081190"));
        var failed = Items(answer, "00081198").Select(item => (Sop: Text(item, "00081155"), Reason: Reason(item))).ToList();
        var nameless = Items(answer, "0008119A").Select(Reason).ToList();
        foreach (var (part, problem) in WarningsOf(response)) samples[part - 1].Problem = problem;
        // Of those that are stored with a warning the words are in the header too.
        var warned = Items(answer, "00081199").Where(item => item.TryGetProperty("00081196", out _)).Select(item => Text(item, "00081155")).ToHashSet();
        // In the order of the request, so the nth failure of a kind is the nth refused part of that kind.
        foreach (var sample in samples)
        {
            sample.Base = root;
            var named = failed.FindIndex(item => item.Sop == sample.Sop && !sample.IsObject);
            if (named < 0 && sample.IsObject && !referenced.ContainsKey(sample.Sop)) named = failed.FindIndex(item => item.Sop == sample.Sop);
            if (named >= 0)
            {
                (sample.Reason, sample.IsFailureNamed) = (failed[named].Reason, true);
                failed.RemoveAt(named);
            }
            else if ((sample.Problem.Length == 0 || (sample.IsObject && warned.Contains(sample.Sop))) && referenced.TryGetValue(sample.Sop, out var url))
                 (sample.IsStored, sample.Url) = (true, url);
            else if (nameless.Count > 0)
            {
                sample.Reason = nameless[0];
                nameless.RemoveAt(0);
            }
        }
        if (failed.Count + nameless.Count > 0) Problems.Add($"{failed.Count + nameless.Count} failures of no part");
        var expected = samples.All(sample => sample.IsStored) && warned.Count == 0
            ? HttpStatusCode.OK : samples.Any(sample => sample.IsStored) ? HttpStatusCode.Accepted : HttpStatusCode.Conflict;
        if (response.StatusCode != expected) Problems.Add($"{(int)response.StatusCode} where {(int)expected} is right (PS3.18 Table 10.5.3-1)");
    }

    private static IEnumerable<JsonElement> Items(JsonElement answer, string tag) => answer.TryGetProperty(tag, out var sequence)
        ? sequence.GetProperty("Value").EnumerateArray() : [];

    private static string Text(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].GetString()!;

    private static int Reason(JsonElement item) => item.GetProperty("00081197").GetProperty("Value")[0].GetInt32();

    private static IEnumerable<(int Part, string Problem)> WarningsOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Warning", out var lines)
        ? lines.SelectMany(line => PartWarning().Matches(line))
            .Select(match => (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), match.Groups[2].Value)) : [];

    [GeneratedRegex(@"Part (\d+): (.*?)(?=, 299 |$)")]
    private static partial Regex PartWarning();
}

[CollectionDefinition(Name)]
public sealed class SampleArchiveCollection : ICollectionFixture<SampleArchive>
{
    public const string Name = "Sample archive";
}
