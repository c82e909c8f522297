using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Http;

/// <summary>
/// D1.2, D2.2, D5.1: for every sample, XML and JSON carry the same, and an object made of either with its bulk data is the object that they came from.
/// </summary>
public sealed class MetadataFormsTests(ITestOutputHelper output)
{
    private const string XmlParts = "multipart/related; type=\"application/dicom+xml\"";

    // PS3.5 A.4: encapsulated Pixel Data is OB; a few writers say OW.
    private const string WordsInFragments = "\"7FE00010\":{\"vr\":\"OW\"", BytesInFragments = "\"7FE00010\":{\"vr\":\"OB\"";

    [Fact]
    public async Task Xml_and_json_of_every_sample_carry_the_same_and_make_the_same_object_again()
    {
        await using var source = await Server.StartAsync(("Archive:DuplicatePolicy", "replace"));
        await using var target = await Server.StartAsync(("Archive:DuplicatePolicy", "replace"));
        var folder = Directory.CreateTempSubdirectory("metadata-forms-");
        try
        {
            var wrong = new List<string>();
            var manifest = new StringBuilder();
            var (samples, elements, rebuilt, bulkParts, converted, becameBytes, largest) = (0, 0, 0, 0, 0, 0, 0L);
            foreach (var file in Samples())
            {
                using var stored = await source.PostAsync("/studies", "application/dicom", await File.ReadAllBytesAsync(file));
                if (stored.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Accepted)) continue;
                samples++;
                var name = Path.GetFileName(file);
                var url = (await Server.JsonAsync(stored)).GetProperty("00081199")
                    .GetProperty("Value")[0].GetProperty("00081190").GetProperty("Value")[0].GetString()!;
                var json = await JsonOfAsync(source, url);
                using var xmlAnswer = await source.GetAsync(url + "/metadata", XmlParts);
                var xml = (await Server.PartsAsync(xmlAnswer)).Single().Content;
                var (jsonFile, xmlFile) = (Path.Combine(folder.FullName, $"{samples}.json"), Path.Combine(folder.FullName, $"{samples}.xml"));
                await File.WriteAllBytesAsync(jsonFile, json);
                await File.WriteAllBytesAsync(xmlFile, xml);
                manifest.AppendLine(CultureInfo.InvariantCulture, $"{name}\t{jsonFile}\t{xmlFile}");

                var (jsonUris, xmlUris) = (new Dictionary<string, string>(), new Dictionary<string, string>());
                Assert.True(DicomJsonReader.TryRead(json, null, out var fromJson, out var error, jsonUris), name + error?.Message);
                Assert.True(DicomXmlReader.TryRead(xml, null, out var fromXml, out var xmlError, xmlUris), name + xmlError?.Message);
                if (Text(fromJson) != Text(fromXml) || !jsonUris.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .SequenceEqual(xmlUris.OrderBy(pair => pair.Key, StringComparer.Ordinal)))
                    wrong.Add($"{name}: the data set of the XML is not that of the JSON");
                elements += Count(fromJson);

                var parts = await BulkPartsAsync(source, jsonUris);
                bulkParts += jsonUris.Count;
                foreach (var (form, metadata) in ((string, byte[])[])[("json", json), ("xml", xml)])
                {
                    byte[] body = [.. Encoding.ASCII.GetBytes($"--b0undary7f3\r\nContent-Type: application/dicom+{form}\r\n\r\n"),
                        .. metadata, .. parts, .. "\r\n--b0undary7f3--\r\n"u8];
                    largest = Math.Max(largest, body.Length);
                    using var made = await target.PostAsync("/studies", $"multipart/related; type=\"application/dicom+{form}\"; boundary=b0undary7f3", body);
                    var answer = await made.Content.ReadAsStringAsync();
                    if (!answer.Contains("00081199", StringComparison.Ordinal))
                    {
                        wrong.Add($"{name} {form}: {(int)made.StatusCode} "
                            + $"{string.Join(' ', made.Headers.NonValidated.TryGetValues("Warning", out var w) ? w : default)}");
                        continue;
                    }
                    var again = target.Base + url[source.Base.Length..];
                    var second = Encoding.UTF8.GetString(await JsonOfAsync(target, again)).Replace(target.Base, source.Base, StringComparison.Ordinal);
                    if (second != Encoding.UTF8.GetString(json)
                        && second == Encoding.UTF8.GetString(json).Replace(WordsInFragments, BytesInFragments, StringComparison.Ordinal) && form == "json")
                        becameBytes++;
                    else if (second.Replace(WordsInFragments, BytesInFragments, StringComparison.Ordinal) != Encoding.UTF8.GetString(json)
                        .Replace(WordsInFragments, BytesInFragments, StringComparison.Ordinal))
                        wrong.Add($"{name} {form}: {Difference(Encoding.UTF8.GetString(json), second)}");
                    foreach (var (path, uri) in jsonUris)
                    {
                        var (before, after) = (await BytesAsync(source, uri),
                            await BytesAsync(target, uri.Replace(source.Base, target.Base, StringComparison.Ordinal)));
                        // Of odd length where a writer left the padding out (PS3.5 7.1.1).
                        if (!before.AsSpan().SequenceEqual(after.AsSpan(0, Math.Min(after.Length, before.Length)))
                            || after.Length - before.Length > (before.Length & 1))
                            wrong.Add($"{name} {form} {path}: bulk data differ, {before.Length} and {after.Length} bytes");
                    }
                    rebuilt++;
                }
                if (await SyntaxAsync(source, url) is var syntax && syntax != await SyntaxAsync(target, target.Base + url[source.Base.Length..])) converted++;
            }
            output.WriteLine($"{samples} samples, {elements} elements the same in JSON and XML; {rebuilt} objects made of JSON or XML with {bulkParts} "
                + $"bulk values, the largest request {largest / 1e6:F1} MB; "
                + $"{converted} stored in implicit VR, big endian or deflated became explicit VR little endian, {becameBytes} had OW of compressed "
                    + $"pixels, which is OB; {wrong.Count} differences.");
            Assert.True(wrong.Count == 0, string.Join('\n', wrong));
            Assert.True(samples >= 10);
            Assert.InRange(becameBytes, 0, 11);
            await ComparePythonAsync(folder.FullName, manifest.ToString());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task ComparePythonAsync(string folder, string manifest)
    {
        if (!Peers.RequirePython("pydicom")) return;
        var list = Path.Combine(folder, "manifest");
        await File.WriteAllTextAsync(list, manifest);
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [Path.Combine(Repository.Root, "tests/Conformance/Http/xml_equals_json.py"), list])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (lines, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        var answers = (await lines).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToList();
        var compared = answers[^1];
        output.WriteLine($"pydicom's reading of the JSON against xml.etree's of the XML: {compared[1]} samples, {compared[2]} elements, {compared[3]} "
            + $"private ones by their creator, {compared[4]} texts as InlineBinary.");
        foreach (var line in answers.Where(line => line[0] == "PYDICOM-FAILS")) output.WriteLine(string.Join(' ', line));
        var different = answers.Where(line => line[0] == "different").ToList();
        Assert.True(different.Count == 0, string.Join('\n', different.Take(40).Select(line => string.Join(' ', line))));
        Assert.True(answers.Count(line => line[0] == "PYDICOM-FAILS") == (Repository.SharedSamples is null ? 0 : PydicomFailures));
    }

    // rtdose_rle_1frame.dcm has a public sequence as UN of a known length: bytes, as UN is, which pydicom takes for items because the dictionary says SQ.
    private const int PydicomFailures = 1;

    private static IEnumerable<string> Samples() => new[] { Path.Combine(Repository.Root, "tests/Samples"), Repository.SharedSamples }.OfType<string>()
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is not (".md" or ".tsv")).Order(StringComparer.Ordinal);

    private static async Task<byte[]> JsonOfAsync(Server server, string url)
    {
        using var answer = await server.GetAsync(url + "/metadata");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadAsByteArrayAsync())[1..^1];
    }

    private static async Task<byte[]> BytesAsync(Server server, string uri)
    {
        using var answer = await server.GetAsync(uri, "application/octet-stream");
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{(int)answer.StatusCode} {uri}");
        return await answer.Content.ReadAsByteArrayAsync();
    }

    // As the server itself gives them: multipart, so that each part says its location and transfer syntax.
    private static async Task<byte[]> BulkPartsAsync(Server server, Dictionary<string, string> uris)
    {
        var body = new MemoryStream();
        foreach (var uri in uris.Values)
        {
            using var answer = await server.GetAsync(uri, "multipart/related; type=\"application/octet-stream\"");
            var (headers, content) = (await Server.PartsAsync(answer)).Single();
            body.Write(Encoding.ASCII.GetBytes($"\r\n--b0undary7f3\r\n{headers}\r\n\r\n"));
            body.Write(content);
        }
        return body.ToArray();
    }

    private static async Task<string> SyntaxAsync(Server server, string url)
    {
        using var answer = await server.GetAsync(url, "application/dicom; transfer-syntax=*");
        using var scanner = new InstanceScanner();
        scanner.Push(await answer.Content.ReadAsByteArrayAsync());
        scanner.Complete();
        return (scanner.Result!.FileMeta.TransferSyntax ?? scanner.Result.TransferSyntax.Uid).Value;
    }

    // Everything that a data set holds, vr and bytes.
    private static string Text(DataSet dataSet)
    {
        var text = new StringBuilder();
        Walk(dataSet, element => text.Append(element.Path).Append(element.Vr.Code())
            .Append(element.IsBulk ? "bulk" : Convert.ToHexString(element.Value.Span)).Append('\n'));
        return text.ToString();
    }

    private static int Count(DataSet dataSet)
    {
        var count = 0;
        Walk(dataSet, _ => count++);
        return count;
    }

    private static void Walk(DataSet dataSet, Action<DataElement> visit)
    {
        var open = new Stack<DataSet>([dataSet]);
        while (open.TryPop(out var set))
            foreach (var element in set)
            {
                visit(element);
                foreach (var item in element.Items) open.Push(item);
            }
    }

    private static string Difference(string a, string b)
    {
        var at = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"{a[Math.Max(0, at - 80)..Math.Min(a.Length, at + 80)]} <> {b[Math.Max(0, at - 20)..Math.Min(b.Length, at + 80)]}";
    }
}
