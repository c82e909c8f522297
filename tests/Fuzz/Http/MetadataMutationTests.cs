using System.Diagnostics;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Functional.Http;

namespace DicomServerless.Fuzz.Http;

/// <summary>Metadata in JSON and XML, and the parts around them, changed at random from a seed: every answer is one of a store, in time.</summary>
public sealed class MetadataMutationTests(ITestOutputHelper output)
{
    private const int Mutations = 6_000, Seed = 20261122;
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(30);

    private static readonly string[] Inserts =
    [
        "\"", "{", "}", "[", "]", "<", ">", "</", "&", "&#x0;", "&#xD800;", "<!DOCTYPE a>", "<![CDATA[", "<!--", "null",
            "-1", "1e999", "\\u0000", "\\ud800", "\r\n--b", "\r\n--b\r\n\r\n", "\r\n--b--", "00080018", "7FE00010", "cid:", "://",
        "SQ", "OB", "UN", "\"Value\":[", "\"InlineBinary\":\"", "\"BulkDataURI\":\"d\"", "number=\"99999999\"",
            "privateCreator=\"x\"", "<Item>", "<DicomAttribute tag=\"00091001\" vr=\"SQ\">", "transfer-syntax=1.2.840.10008.1.2.4.50",
    ];

    [Theory]
    [InlineData("json")]
    [InlineData("xml")]
    public async Task Mutated_metadata_never_break_the_server(string form)
    {
        await using var server = await Server.StartAsync(("Archive:DuplicatePolicy", "replace"), ("Archive:BulkSpoolMiB", "1"));
        var random = new Random(Seed);
        var seeds = Bodies(form).ToList();
        var tally = new SortedDictionary<int, int>();
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < Mutations / 2; i++)
        {
            var isPart = random.Next(4) > 0;
            var body = Mutate(isPart ? seeds[random.Next(seeds.Count)] : Single(form), random);
            using var timeout = new CancellationTokenSource(RequestLimit);
            var watch = Stopwatch.StartNew();
            using var response = await server.PostAsync("/studies", isPart ? $"multipart/related; type=\"application/dicom+{form}\"; boundary=b"
                : $"application/dicom+{form}", body, ("Accept", random.Next(2) == 0 ? "application/dicom+xml" : "*/*"))
                .WaitAsync(timeout.Token);
            if (watch.Elapsed > slowest) slowest = watch.Elapsed;
            var status = (int)response.StatusCode;
            tally[status] = tally.GetValueOrDefault(status) + 1;
            Assert.True(status is 200 or 202 or 400 or 409,
                $"{status} for mutation {i} of seed {Seed}, {form}: {await response.Content.ReadAsStringAsync(timeout.Token)}");
        }
        // What was stored can be given in both forms.
        using var good = await server.PostAsync("/studies", $"application/dicom+{form}", Single(form));
        Assert.True((int)good.StatusCode is 200 or 202, good.Headers + await good.Content.ReadAsStringAsync());
        foreach (var type in (string[])["application/dicom+json", "multipart/related; type=\"application/dicom+xml\""])
        {
            using var back = await server.GetAsync("/studies/1.2/metadata", type);
            Assert.Equal(200, (int)back.StatusCode);
            await back.Content.ReadAsByteArrayAsync();
        }
        Assert.True(tally.ContainsKey(202) && tally.ContainsKey(409)); // stored ones are coerced to UTF-8
        output.WriteLine($"{form}, {Mutations / 2} requests of seed {Seed}: {string.Join(", ", tally.Select(pair => $"{pair.Key}: {pair.Value}"))}; "
            + $"slowest {slowest.TotalMilliseconds:F0} ms");
    }

    private static string Json(string sop) => $$$"""
        {"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.7"]},"00080018":{"vr":"UI",
        "Value":["{{{sop}}}"]},"00090010":{"vr":"LO","Value":["ACME"]},
        "00091001":{"vr":"SQ","Value":[{"00100020":{"vr":"LO","Value":["x","y"]}},{}]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Ä^B",
        "Ideographic":"王"}]},"00101030":{"vr":"DS","Value":[70.50]},
        "0020000D":{"vr":"UI","Value":["1.2"]},"0020000E":{"vr":"UI","Value":["1.3"]},"00280010":{"vr":"US","Value":[2]},"00420011":{"vr":"OB",
        "InlineBinary":"AQID"},"7FE00010":{"vr":"OB","BulkDataURI":"d"}}
        """;

    private static byte[] Form(string form, string json)
    {
        if (form == "json") return Encoding.UTF8.GetBytes(json);
        var document = new MemoryStream();
        DicomXmlWriter.Write(Encoding.UTF8.GetBytes(json), document);
        return document.ToArray();
    }

    private static byte[] Single(string form) =>
        Form(form, Json("1.4").Replace(",\"7FE00010\":{\"vr\":\"OB\",\"BulkDataURI\":\"d\"}", "", StringComparison.Ordinal));

    private static IEnumerable<byte[]> Bodies(string form)
    {
        foreach (var bulk in (string[])["Content-Type: application/octet-stream\r\nContent-Location: d",
            "Content-Type: image/jp2\r\nContent-Location: d/frames/1",
            "Content-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.5\r\nContent-Location: d"])
        {
            byte[] metadata = [.. Encoding.ASCII.GetBytes($"--b\r\nContent-Type: application/dicom+{form}\r\n\r\n"), .. Form(form, Json("1.5"))];
            yield return [.. metadata, .. Encoding.ASCII.GetBytes($"\r\n--b\r\n{bulk}\r\n\r\n"), 0xFE,
                0xFF, 0, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0, 0xE0, 2, 0, 0, 0, 1, 2, .. "\r\n--b--\r\n"u8];
        }
    }

    private static byte[] Mutate(byte[] body, Random random)
    {
        var bytes = body.ToList();
        for (var change = random.Next(0, 4); change > 0; change--)
        {
            if (bytes.Count == 0) break;
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.InsertRange(at, Encoding.ASCII.GetBytes(Inserts[random.Next(Inserts.Length)]));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 30)));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, random.Next(1, 200))));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }
}
