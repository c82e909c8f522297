using DicomServerless.Dicom;
using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Archive.Search;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>Every sample through the real archive: stored, found at all levels, and back as it was.</summary>
public sealed class SampleArchiveTests(ITestOutputHelper output)
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1024 };

    public static IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Repository.SharedSamples ?? Path.Combine(Repository.Root, "tests", "Samples"), "*", SearchOption.AllDirectories);

    [Fact]
    public async Task Every_sample_is_stored_found_and_returned_or_refused_with_a_reason()
    {
        var (stored, refused) = (0, 0);
        foreach (var path in Files().Order(StringComparer.Ordinal))
        {
            var world = new MemoryWorld(TimeProvider.System);
            var archive = Archives.Open(world);
            var file = await File.ReadAllBytesAsync(path);
            var result = await archive.StoreAsync(file);
            if (!result.IsStored)
            {
                refused++;
                output.WriteLine($"refused  {Path.GetFileName(path)}: {result.Outcome} {result.Problem}");
                Assert.Empty(world.Dicom.Blobs);
                continue;
            }
            stored++;
            await CheckAsync(archive, result.Uids.Key, file, Path.GetFileName(path));
            await archive.CloseAsync();
        }
        output.WriteLine($"{stored} stored, {refused} refused");
        Assert.True(stored > 0);
    }

    private static async Task CheckAsync(DicomArchive archive, InstanceKey key, byte[] file, string name)
    {
        foreach (var level in Enum.GetValues<QidoLevel>())
        {
            KeyValuePair<string, string>[] parameters = [new("StudyInstanceUID", key.Study.Value), new("includefield", "all")];
            var query = QidoQuery.Parse(level, null, null, parameters, out var errors);
            Assert.Empty(errors);
            var answer = await archive.Search.SearchAsync(query, "http://test/dicomweb", CancellationToken.None);
            var found = JsonDocument.Parse(Assert.Single(answer.Results), Deep).RootElement;
            Assert.Equal(key.Study.Value, found.GetProperty("0020000D").GetProperty("Value")[0].GetString());
        }
        var listed = await archive.Retrieval.ListAsync(key.Study, key.Series, key.Sop, CancellationToken.None);
        await foreach (var opened in archive.Retrieval.OpenAllAsync(listed, CancellationToken.None))
        {
            var copy = new MemoryStream();
            await opened.Content.CopyToAsync(copy);
            Assert.Equal(file, copy.ToArray());
        }
        var metadata = await archive.Retrieval.MetadataAsync(key.Study, null, null, CancellationToken.None);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await metadata!.WriteToAsync(pipe.Writer, "http://test/dicomweb", CancellationToken.None);
        await pipe.Writer.CompleteAsync();
        var json = JsonDocument.Parse((await pipe.Reader.ReadAtLeastAsync(int.MaxValue)).Buffer.ToArray(), Deep).RootElement[0];
        await CheckBulkAsync(archive, key, json, name);
        var frames = await archive.Retrieval.FramesAsync(key, [], CancellationToken.None);
        if (json.TryGetProperty("7FE00010", out _) && frames.Outcome == FrameOutcome.Ok)
        {
            var count = 0;
            await foreach (var frame in frames.Frames)
            {
                var bytes = new MemoryStream();
                await frame.Content.CopyToAsync(bytes);
                Assert.Equal(frame.Length, bytes.Length);
                count++;
            }
            Assert.Equal(frames.Count, count);
        }
    }

    // Any BulkDataURI that we emit gives exactly as many bytes as the value has.
    private static async Task CheckBulkAsync(DicomArchive archive, InstanceKey key, JsonElement dataSet, string name)
    {
        foreach (var attribute in dataSet.EnumerateObject())
        {
            if (attribute.Value.TryGetProperty("BulkDataURI", out var uri))
            {
                var prefix = $"http://test/dicomweb/studies/{key.Study}/series/{key.Series}/instances/{key.Sop}/bulkdata/";
                Assert.StartsWith(prefix, uri.GetString(), StringComparison.Ordinal);
                var bulk = await archive.Retrieval.BulkAsync(key, uri.GetString()![prefix.Length..], CancellationToken.None);
                Assert.True(bulk is not null, $"{name} {attribute.Name}");
                await using var stream = await bulk.Open(0, bulk.Length, CancellationToken.None);
                var bytes = new MemoryStream();
                await stream.CopyToAsync(bytes);
                Assert.Equal(bulk.Length, bytes.Length);
            }
            else if (attribute.Value.TryGetProperty("vr", out var vr) && vr.GetString() == "SQ" && attribute.Value.TryGetProperty("Value", out var items))
                foreach (var item in items.EnumerateArray()) await CheckBulkAsync(archive, key, item, name);
        }
    }
}
