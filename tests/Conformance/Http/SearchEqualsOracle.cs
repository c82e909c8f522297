using System.Diagnostics;
using System.Net;
using System.Text.Json;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Http;

/// <summary>
/// Searches equal a brute-force oracle in Python, which knows the objects by pydicom and nothing of ours: 3,000 random searches, studies over the samples and 2,000 synthetic
/// studies, series and instances over 100 others; results, order, status, and pages by offset and by link. Everything goes over HTTP to the whole application; its stores are in
/// memory, since the emulator scans whole tables for every query.
/// </summary>
public sealed class SearchEqualsOracle : IAsyncLifetime
{
    private const int Seed = 20240607, Studies = 2_000, SmallStudies = 100, Queries = 3_000;
    // Every so many searches are paged too.
    private const int PagedEvery = 5;

    private readonly string folder = Directory.CreateTempSubdirectory("search-oracle").FullName;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Random_searches_find_what_a_look_at_every_object_finds_in_the_same_order()
    {
        if (!Peers.RequirePython("pydicom")) return;
        var watch = Stopwatch.StartNew();
        await PythonAsync("search_studies.py", null, folder, $"{Seed}", $"{Studies}", $"{SmallStudies}", $"{Queries}");
        await using var all = await Server.StartAsync(("Archive:MaxResults", "5000"));
        await using var small = await Server.StartAsync(("Archive:MaxResults", "5000"));
        var files = await StoreAsync(all, [.. Files("all"), .. await SamplesAsync()]);
        await File.WriteAllLinesAsync(Path.Combine(folder, "all.txt"), files);
        await File.WriteAllLinesAsync(Path.Combine(folder, "small.txt"), await StoreAsync(small, Files("small")));
        var queries = await File.ReadAllLinesAsync(Path.Combine(folder, "queries.jsonl"));
        var asked = PythonAsync("search_oracle.py", null, Path.Combine(folder, "queries.jsonl"), Path.Combine(folder, "all.txt"), Path.Combine(folder, "small.txt"));
        var found = new (int Status, List<string> Uids)[queries.Length];
        await Parallel.ForEachAsync(Enumerable.Range(0, queries.Length), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (n, _) => found[n] = await RunAsync(queries[n], all, small));
        var answers = (await asked).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize(line, OracleJson.Default.StringArray)!).ToArray();
        Assert.Equal(queries.Length, answers.Length);
        var wrong = new List<string>();
        var pages = 0;
        for (var n = 0; n < queries.Length; n++)
        {
            if (!answers[n].SequenceEqual(found[n].Uids) || found[n].Status != (answers[n].Length == 0 ? 204 : 200))
                wrong.Add($"seed {Seed}, search {n}: {queries[n]}\n  oracle {answers[n].Length}: {Excerpt(answers[n], found[n].Uids)}\n  ours   {found[n].Status} {found[n].Uids.Count}: {Excerpt(found[n].Uids, answers[n])}");
        }
        for (var n = 0; n < queries.Length && wrong.Count == 0; n += PagedEvery)
            if (answers[n].Length > 1) pages += await PageAsync(queries[n], answers[n], all, small, wrong);
        Console.WriteLine($"{queries.Length} queries, {answers.Sum(uids => uids.Length)} results compared, {answers.Count(uids => uids.Length > 0)} searches found something, {pages} pages; {files.Count} objects; seed {Seed}, {watch.Elapsed.TotalSeconds:F0} s");
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ.\n{string.Join('\n', wrong.Take(12))}");
    }

    // The whole list, and through the links where a search was stopped at its bound.
    private static async Task<(int Status, List<string> Uids)> RunAsync(string query, Server all, Server small)
    {
        var (url, tag, server) = Url(query, all, small);
        var (status, uids, next, _) = await GetAsync(server, url, tag);
        while (next is not null)
        {
            (_, var more, next, _) = await GetAsync(server, next!, tag);
            uids.AddRange(more);
            if (more.Count > 0) status = 200;
        }
        return (status, uids);
    }

    private static async Task<int> PageAsync(string query, string[] expected, Server all, Server small, List<string> wrong)
    {
        var (url, tag, server) = Url(query, all, small);
        var limit = Math.Max(1, (expected.Length / 3) - 1);
        var (linked, pages) = (new List<string>(), 0);
        for (string? next = $"{url}&limit={limit}"; next is not null; pages++)
        {
            (_, var uids, next, var isWarned) = await GetAsync(server, next!, tag);
            if (isWarned != next is not null || uids.Count > limit) wrong.Add($"seed {Seed}: a page without its warning or link, or too long: {query}");
            linked.AddRange(uids);
        }
        if (!linked.SequenceEqual(expected)) wrong.Add($"seed {Seed}, by link: {query}\n  oracle {Excerpt(expected, linked)}\n  ours   {Excerpt(linked, expected)}");
        var offset = expected.Length / 2;
        var (_, at, _, _) = await GetAsync(server, $"{url}&limit={limit}&offset={offset}", tag);
        // A search that must open every study may be stopped before its page is full.
        if (!at.SequenceEqual(expected.Skip(offset).Take(at.Count)) || (at.Count == 0 && expected.Length < SmallStudies)) wrong.Add($"seed {Seed}, offset {offset}: {query}");
        return pages + 1;
    }

    private static async Task<(int Status, List<string> Uids, string? Next, bool IsWarned)> GetAsync(Server server, string url, string tag)
    {
        using var response = await server.GetAsync(url);
        var next = response.Headers.TryGetValues("Link", out var links) ? links.Single().Split('>')[0][1..] : null;
        var isWarned = response.Headers.NonValidated.TryGetValues("Warning", out var warnings) && warnings.ToString().Contains("additional results", StringComparison.Ordinal);
        if (response.StatusCode == HttpStatusCode.NoContent) return (204, [], next, isWarned);
        if (!response.IsSuccessStatusCode) return ((int)response.StatusCode, [await response.Content.ReadAsStringAsync()], null, isWarned);
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(), new JsonDocumentOptions { MaxDepth = 4096 });
        return ((int)response.StatusCode, [.. document.RootElement.EnumerateArray().Select(item => item.GetProperty(tag).GetProperty("Value")[0].GetString()!)], next, isWarned);
    }

    private static (string Url, string Tag, Server Server) Url(string query, Server all, Server small)
    {
        using var document = JsonDocument.Parse(query);
        var root = document.RootElement;
        var resource = root.GetProperty("resource").GetString()!;
        var path = root.GetProperty("series").GetString() is { } series ? $"/studies/{root.GetProperty("study").GetString()}/series/{series}/{resource}"
            : root.GetProperty("study").GetString() is { } study ? $"/studies/{study}/{resource}" : "/" + resource;
        var parameters = root.GetProperty("keys").EnumerateArray().Select(key => (Name: key[0].GetString()!, Value: key[1].GetString()!))
            .SelectMany(key => key.Name == "private" ? [("00230010", "ACME"), ("00231001", key.Value)] : new[] { key })
            .Concat(root.GetProperty("flags").EnumerateObject().Select(flag => (flag.Name, flag.Value.GetString()!)));
        return (path + "?" + string.Join('&', parameters.Select(item => $"{item.Item1}={Uri.EscapeDataString(item.Item2)}")), resource switch { "studies" => "0020000D", "series" => "0020000E", _ => "00080018" },
            root.GetProperty("archive").GetString() == "small" ? small : all);
    }

    private IEnumerable<string> Files(string name) => Directory.EnumerateFiles(Path.Combine(folder, name)).Order(StringComparer.Ordinal);

    // The samples that pydicom takes for objects, the first of each SOP Instance UID.
    private static async Task<IEnumerable<string>> SamplesAsync()
    {
        var folders = Repository.SharedSamples is { } shared ? [shared] : new[] { Path.Combine(Repository.Root, "tests/Samples"), Path.Combine(Repository.Root, "dev/samples") };
        var files = folders.SelectMany(one => Directory.EnumerateFiles(one, "*", SearchOption.AllDirectories)).Where(file => Path.GetExtension(file) is not (".md" or ".tsv")).Order(StringComparer.Ordinal).ToArray();
        var verdicts = (await PythonAsync("sample_objects.py", string.Join('\n', files) + "\n")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'));
        return files.Zip(verdicts).Where(pair => pair.Second[0] == "object").DistinctBy(pair => pair.Second[3]).Select(pair => pair.First);
    }

    // Those that were stored.
    private static async Task<List<string>> StoreAsync(Server server, IEnumerable<string> files)
    {
        const int perRequest = 50;
        var stored = new List<string>();
        foreach (var batch in files.Chunk(perRequest))
        {
            using var response = await server.StoreAsync([.. batch.Select(File.ReadAllBytes)]);
            if (response.StatusCode == HttpStatusCode.OK) stored.AddRange(batch);
            else foreach (var file in batch)
            {
                using var alone = await server.StoreAsync(await File.ReadAllBytesAsync(file));
                if (alone.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted) stored.Add(file);
            }
        }
        return stored;
    }

    private static async Task<string> PythonAsync(string script, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [Path.Combine(Repository.Root, "tests/Conformance/Http", script), .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return await output;
    }

    // What one list has and the other lacks; where both have the same, the first places that differ.
    private static string Excerpt(IReadOnlyList<string> list, IReadOnlyList<string> other)
    {
        var only = list.Except(other).Take(6).ToArray();
        if (only.Length > 0) return "only here: " + string.Join(' ', only);
        var at = list.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"from place {at}: {string.Join(' ', list.Skip(at).Take(4))}";
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class OracleJson : System.Text.Json.Serialization.JsonSerializerContext;
