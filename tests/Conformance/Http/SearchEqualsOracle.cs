using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Http;

/// <summary>
/// Searches equal a brute-force oracle in Python, which knows the objects by pydicom and nothing of ours: results, order, status, and pages by offset and by
/// link. 3,000 random searches, studies over the samples and 2,000 synthetic studies, series and instances over 100 others, go over HTTP to the whole
/// application with its stores in memory; 200 more over 150 studies to the executable over the storage emulator, which scans whole tables for every query.
/// </summary>
public sealed class SearchEqualsOracle : IAsyncLifetime
{
    private const int Seed = 20240607;
    // Every so many searches are paged too.
    private const int PagedEvery = 4;
    private const int Clients = 4;
    // More than there are studies, so that one request returns them all.
    private const string MaxResults = "5000";

    private readonly string folder = Directory.CreateTempSubdirectory("search-oracle").FullName;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Random_searches_find_what_a_look_at_every_object_finds_in_the_same_order()
    {
        if (!Peers.RequirePython("pydicom")) return;
        await GenerateAsync(Seed, 2_000, 100, 3_000);
        await using var all = await Server.StartAsync(("Archive:MaxResults", MaxResults));
        await using var small = await Server.StartAsync(("Archive:MaxResults", MaxResults));
        var stored = await StoreAsync(all.Client, [.. Files("all"), .. await SamplesAsync()]);
        await File.WriteAllLinesAsync(Path.Combine(folder, "all.txt"), stored);
        await File.WriteAllLinesAsync(Path.Combine(folder, "small.txt"), await StoreAsync(small.Client, Files("small")));
        await CompareAsync(Seed, all.Client, small.Client);
    }

    [Fact]
    public async Task Random_searches_over_table_storage_find_the_same()
    {
        if (!Peers.RequirePython("pydicom")) return;
        await GenerateAsync(Seed + 1, 110, 40, 200);
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString, new Dictionary<string, string>
            { ["Archive__MaxResults"] = MaxResults });
        using var client = new HttpClient { BaseAddress = new Uri(functions.Url) };
        var stored = await StoreAsync(client, Files("all").Concat(Files("small")));
        foreach (var name in new[] { "all.txt", "small.txt" }) await File.WriteAllLinesAsync(Path.Combine(folder, name), stored);
        await CompareAsync(Seed + 1, client, client);
    }

    private async Task CompareAsync(int seed, HttpClient all, HttpClient small)
    {
        var watch = Stopwatch.StartNew();
        var queries = await File.ReadAllLinesAsync(Path.Combine(folder, "queries.jsonl"));
        var asked = PythonAsync("search_oracle.py", null, Path.Combine(folder, "queries.jsonl"),
            Path.Combine(folder, "all.txt"), Path.Combine(folder, "small.txt"));
        var found = new (int Status, List<string> Uids)[queries.Length];
        await Parallel.ForEachAsync(Enumerable.Range(0, queries.Length), new ParallelOptions
            { MaxDegreeOfParallelism = Clients }, async (n, _) => found[n] = await RunAsync(queries[n], all, small));
        var answers = (await asked).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, OracleJson.Default.StringArray)!).ToArray();
        Assert.Equal(queries.Length, answers.Length);
        var wrong = new List<string>();
        for (var n = 0; n < queries.Length; n++)
        {
            if (!answers[n].SequenceEqual(found[n].Uids) || found[n].Status != (answers[n].Length == 0 ? 204 : 200))
                wrong.Add($"seed {seed}, search {n}: {queries[n]}\n  oracle {answers[n].Length}: {Excerpt(answers[n], found[n].Uids)}\n  ours   "
                    + $"{found[n].Status} {found[n].Uids.Count}: {Excerpt(found[n].Uids, answers[n])}");
        }
        int[] paged = wrong.Count > 0 ? [] : [.. Enumerable.Range(0, queries.Length).Where(n => n % PagedEvery == 0 && answers[n].Length > 1)];
        var pages = 0;
        await Parallel.ForEachAsync(paged, new ParallelOptions { MaxDegreeOfParallelism = Clients }, async (n, _) =>
        {
            var (count, problems) = await PageAsync(queries[n], answers[n], all, small);
            lock (wrong) wrong.AddRange(problems.Select(problem => $"seed {seed}, search {n}: {queries[n]}\n  {problem}"));
            Interlocked.Add(ref pages, count);
        });
        Console.WriteLine($"{queries.Length} queries, {answers.Sum(uids => uids.Length)} results compared; {answers.Count(uids => uids.Length > 0)} "
            + $"found something, {paged.Length} came in {pages} pages too; seed {seed}, {watch.Elapsed.TotalSeconds:F0} s");
        Console.WriteLine("of each kind: " + string.Join(", ", queries.SelectMany(Kinds).CountBy(kind => kind)
            .OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Key} {kind.Value}")));
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ.\n{string.Join('\n', wrong.Take(12))}");
    }

    // The whole list, and through the links where a search was stopped at its bound.
    private static async Task<(int Status, List<string> Uids)> RunAsync(string query, HttpClient all, HttpClient small)
    {
        var (url, tag, client) = Url(query, all, small);
        var (status, uids, next, _) = await GetAsync(client, url, tag);
        while (next is not null)
        {
            (_, var more, next, _) = await GetAsync(client, next!, tag);
            uids.AddRange(more);
            if (more.Count > 0) status = 200;
        }
        return (status, uids);
    }

    // By link from the start to the end, and one page by its offset.
    private static async Task<(int Pages, List<string> Problems)> PageAsync(string query, string[] expected, HttpClient all, HttpClient small)
    {
        var (url, tag, client) = Url(query, all, small);
        var limit = Math.Max(1, (expected.Length / 3) - 1);
        var (linked, pages, problems) = (new List<string>(), 0, new List<string>());
        for (string? next = $"{url}&limit={limit}"; next is not null; pages++)
        {
            (_, var uids, next, var isWarned) = await GetAsync(client, next!, tag);
            if (isWarned != next is not null || uids.Count > limit) problems.Add("a page without its warning or link, or too long");
            linked.AddRange(uids);
        }
        if (!linked.SequenceEqual(expected)) problems.Add($"by link\n  oracle {Excerpt(expected, linked)}\n  ours   {Excerpt(linked, expected)}");
        var offset = expected.Length / 2;
        var (_, at, rest, _) = await GetAsync(client, $"{url}&limit={limit}&offset={offset}", tag);
        var whole = expected.Skip(offset).Take(limit);
        // A search that must open very many studies may be stopped before its page is full, and then says so by its link.
        if (rest is null ? !at.SequenceEqual(whole) : !at.SequenceEqual(whole.Take(at.Count))) problems.Add($"offset {offset}, limit {limit}");
        return (pages + 1, problems);
    }

    private static async Task<(int Status, List<string> Uids, string? Next, bool IsWarned)> GetAsync(HttpClient client, string url, string tag)
    {
        using var response = await client.GetAsync(url);
        var next = response.Headers.TryGetValues("Link", out var links) ? links.Single().Split('>')[0][1..] : null;
        var isWarned = response.Headers.NonValidated.TryGetValues("Warning", out var warnings)
            && warnings.ToString().Contains("additional results", StringComparison.Ordinal);
        if (response.StatusCode == HttpStatusCode.NoContent) return (204, [], next, isWarned);
        if (!response.IsSuccessStatusCode) return ((int)response.StatusCode, [await response.Content.ReadAsStringAsync()], null, isWarned);
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(), new JsonDocumentOptions { MaxDepth = 4096 });
        return ((int)response.StatusCode, [.. document.RootElement.EnumerateArray().Select(item => item.GetProperty(tag).GetProperty("Value")[0].GetString()!)],
            next, isWarned);
    }

    private static string[] Kinds(string query)
    {
        using var document = JsonDocument.Parse(query);
        return [.. document.RootElement.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString()!)];
    }

    private static (string Url, string Tag, HttpClient Client) Url(string query, HttpClient all, HttpClient small)
    {
        using var document = JsonDocument.Parse(query);
        var root = document.RootElement;
        var resource = root.GetProperty("resource").GetString()!;
        var path = root.GetProperty("series").GetString() is { } series ? $"/studies/{root.GetProperty("study").GetString()}/series/{series}/{resource}"
            : root.GetProperty("study").GetString() is { } study ? $"/studies/{study}/{resource}" : "/" + resource;
        var parameters = root.GetProperty("keys").EnumerateArray().Select(key => (Name: key[0].GetString()!, Value: key[1].GetString()!))
            .SelectMany(key => key.Name == "private" ? [("00230010", "ACME"), ("00231001", key.Value)] : new[] { key })
            .Concat(root.GetProperty("flags").EnumerateObject().Select(flag => (flag.Name, flag.Value.GetString()!)));
        return ("/dicomweb" + path + "?" + string.Join('&', parameters.Select(item => $"{item.Item1}={Uri.EscapeDataString(item.Item2)}")),
            resource switch { "studies" => "0020000D", "series" => "0020000E", _ => "00080018" },
            root.GetProperty("archive").GetString() == "small" ? small : all);
    }

    private IEnumerable<string> Files(string name) => Directory.EnumerateFiles(Path.Combine(folder, name)).Order(StringComparer.Ordinal);

    // The samples that pydicom takes for objects, the first of each SOP Instance UID. Not the one with a tag twice: of duplicates the first counts for us, the
    // last for pydicom.
    private static async Task<IEnumerable<string>> SamplesAsync()
    {
        var folders = Repository.SharedSamples is { } shared ? [shared] : new[]
            { Path.Combine(Repository.Root, "tests/Samples"), Path.Combine(Repository.Root, "dev/samples") };
        var files = folders.SelectMany(one => Directory.EnumerateFiles(one, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is not (".md" or ".tsv")).Order(StringComparer.Ordinal).ToArray();
        var verdicts = (await PythonAsync("sample_objects.py", string.Join('\n', files) + "\n"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'));
        return files.Zip(verdicts).Where(pair => pair.Second[0] == "object" && Path.GetFileName(pair.First) != "dup-tag.dcm")
            .DistinctBy(pair => pair.Second[3]).Select(pair => pair.First);
    }

    // Those that were stored.
    private static async Task<List<string>> StoreAsync(HttpClient client, IEnumerable<string> files)
    {
        const int perRequest = 50;
        var stored = new List<string>();
        foreach (var batch in files.Chunk(perRequest))
        {
            if (await PostAsync(client, batch) == HttpStatusCode.OK) stored.AddRange(batch);
            else foreach (var file in batch)
                if (await PostAsync(client, [file]) is HttpStatusCode.OK or HttpStatusCode.Accepted) stored.Add(file);
        }
        return stored;
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string[] files)
    {
        using var body = new MultipartContent("related", "b0undary");
        body.Headers.ContentType!.Parameters.Add(new NameValueHeaderValue("type", "\"application/dicom\""));
        foreach (var file in files)
            body.Add(new ByteArrayContent(await File.ReadAllBytesAsync(file)) { Headers = { ContentType = new MediaTypeHeaderValue("application/dicom") } });
        using var response = await client.PostAsync("/dicomweb/studies", body);
        return response.StatusCode;
    }

    private Task GenerateAsync(int seed, int studies, int small, int queries) =>
        PythonAsync("search_studies.py", null, folder, $"{seed}", $"{studies}", $"{small}", $"{queries}");

    private static async Task<string> PythonAsync(string script, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [Path.Combine(Repository.Root, "tests/Conformance/Http", script), .. arguments])
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
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
