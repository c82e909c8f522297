using DicomServerless.Dicom.Web;
using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Conformance.Dicom;

namespace DicomServerless.Conformance.Http;

/// <summary>D5: the metadata that the server gives of every stored sample, with what its BulkDataURIs serve, is what pydicom reads from the file.</summary>
[Collection(SampleArchiveCollection.Name)]
public sealed class MetadataOverHttpTests(SampleArchive archive, ITestOutputHelper output)
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1024 };

    [Fact]
    public async Task Metadata_and_bulk_data_of_every_stored_sample_are_what_pydicom_reads()
    {
        if (!archive.IsReady) return;
        var folder = Directory.CreateTempSubdirectory("metadata-http-");
        try
        {
            var manifest = new StringBuilder();
            var (files, bulkValues, bulkBytes) = (0, 0, 0L);
            foreach (var sample in archive.Samples.Where(sample => sample.IsStored))
            {
                using var response = await archive.Client.GetAsync(sample.Url + "/metadata");
                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{sample.Name}: {(int)response.StatusCode}");
                Assert.Equal("application/dicom+json", response.Content.Headers.ContentType!.MediaType);
                using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(), Deep);
                var instance = Assert.Single(document.RootElement.EnumerateArray());
                var json = Path.Combine(folder.FullName, $"{files++}.json");
                await File.WriteAllTextAsync(json, instance.GetRawText());
                var bulk = new List<(string Uri, string File)>();
                foreach (var uri in BulkUrisIn(instance))
                {
                    Assert.StartsWith(sample.Url + "/bulkdata/", uri, StringComparison.Ordinal);
                    using var request = new HttpRequestMessage(HttpMethod.Get, uri);
                    request.Headers.TryAddWithoutValidation("Accept", "application/octet-stream");
                    using var served = await archive.Client.SendAsync(request);
                    Assert.True(served.StatusCode == HttpStatusCode.OK, $"{sample.Name} {uri}: {(int)served.StatusCode}");
                    var bytes = await served.Content.ReadAsByteArrayAsync();
                    var file = Path.Combine(folder.FullName, $"{bulkValues++}.bin");
                    await File.WriteAllBytesAsync(file, bytes);
                    bulkBytes += bytes.Length;
                    bulk.Add((uri, file));
                }
                manifest.AppendLine(Line(sample, json, bulk));
            }
            var list = Path.Combine(folder.FullName, "manifest");
            await File.WriteAllTextAsync(list, manifest.ToString());
            var differences = await MetadataEqualsPydicom.CompareAsync(list);
            var compared = differences.Single(d => d[0] == "compared");
            var unexpected = differences.Where(d => d[0] != "compared" && !MetadataEqualsPydicom.Declared.ContainsKey(d[0])
                && !MetadataEqualsPydicom.DeclaredSingly.ContainsKey((Path.GetFileName(d[1]), d[2]))).ToList();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{files} stored, {compared[1]} compared with pydicom, {compared[2]} elements, {bulkValues} BulkDataURIs served {bulkBytes / 1e6:F1} "
                    + $"MB; {unexpected.Count} differences not declared."));
            foreach (var group in differences.Where(d => d[0] != "compared" && MetadataEqualsPydicom.Declared.ContainsKey(d[0])).GroupBy(d => d[0]))
                output.WriteLine($"declared: {group.Key}: {group.Count()} in {group.Select(d => d[1]).Distinct().Count()} files: "
                    + $"{MetadataEqualsPydicom.Declared[group.Key]}");
            foreach (var single in differences.Where(d => d.Length > 2 && MetadataEqualsPydicom.DeclaredSingly.ContainsKey((Path.GetFileName(d[1]), d[2]))))
                output.WriteLine($"declared: {single[1]} {single[2]}: {MetadataEqualsPydicom.DeclaredSingly[(Path.GetFileName(single[1]), single[2])]}");
            foreach (var failure in differences.Where(d => d[0] == "PYDICOM-FAILS")) output.WriteLine(string.Join(' ', failure));
            Assert.True(unexpected.Count == 0, string.Join('\n', unexpected.Take(60).Select(d => string.Join(' ', d))));
            Assert.True(files >= 10 && bulkValues > 0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<string> BulkUrisIn(JsonElement instance)
    {
        var (uris, open) = (new List<string>(), new Stack<JsonElement>([instance]));
        while (open.TryPop(out var dataSet))
        {
            foreach (var attribute in dataSet.EnumerateObject())
            {
                if (attribute.Value.TryGetProperty("BulkDataURI", out var uri)) uris.Add(uri.GetString()!);
                else if (attribute.Value.GetProperty("vr").GetString() == "SQ" && attribute.Value.TryGetProperty("Value", out var items))
                    foreach (var item in items.EnumerateArray()) open.Push(item);
            }
        }
        return uris;
    }

    private static string Line(Sample sample, string json, List<(string Uri, string File)> bulk)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("file", sample.Path);
            writer.WriteString("name", sample.Name);
            writer.WriteString("json", json);
            writer.WriteBoolean("served", true);
            writer.WriteStartArray("bulk");
            foreach (var (uri, file) in bulk)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(uri);
                writer.WriteStringValue(file);
                writer.WriteEndArray();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
