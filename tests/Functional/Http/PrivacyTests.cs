using System.Text;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>
/// With patients' names in data and in every part of requests, no log line, span, URL of ours, cursor or error body holds one. The servers and processes of all
/// other tests are held to the same by
/// <see cref="Privacy"/>.
/// </summary>
public sealed class PrivacyTests(ITestOutputHelper output)
{
    private const string Name = Privacy.Family, Instance = "/studies/1.2/series/1.2.3/instances/1.2.3.4";

    private static readonly string[] Reads =
    [
        "/studies?PatientName=*lantedfam*", $"/studies?PatientName={Name}^{Privacy.Given}&limit=1",
            $"/studies?PatientName={Name}&fuzzymatching=true&limit=1", $"/instances?PatientName={Name}*&limit=1&includefield=all",
        $"/series?ReferringPhysicianName={Name}*&limit=1", $"/studies?StudyDescription=*{Name}*&limit=1",
            $"/studies?PatientID={Name}", $"/studies?{Name}=1", $"/studies?StudyDate={Name}", $"/studies?StudyTime={Name}-{Name}",
        $"/studies?limit={Name}", $"/studies?offset={Name}", $"/studies?fuzzymatching={Name}", $"/studies?emptyvaluematching={Name}",
            $"/studies?cursor={Name}", $"/studies?StudyInstanceUID={Name}", $"/studies?includefield={Name}",
        $"/studies?00231001={Name}", $"/studies?00230010={Name}&00231001={Name}", $"/studies?TimezoneOffsetFromUTC={Name}",
            $"/studies?accept={Name}", $"/studies?PatientName={Name}&PatientName={Name}",
        $"/studies/{Name}", $"/{Name}", $"/studies/1.2/{Name}", $"/studies/1.2/series/{Name}/metadata", $"{Instance}/frames/{Name}",
            $"{Instance}/frames/99", $"{Instance}/bulkdata/{Name}", $"{Instance}/rendered", $"{Instance}/metadata", Instance,
        "/studies/1.2/metadata", "/studies/1.2", $"/wado?requestType={Name}", $"/wado?requestType=WADO&studyUID={Name}&seriesUID=1.2.3&objectUID=1.2.3.4",
            "/wado?requestType=WADO&studyUID=1.2&seriesUID=1.2.3&objectUID=1.2.3.4&transferSyntax=" + Name,
        $"/uploads/{Name}/complete", $"/capabilities?accept={Name}",
    ];

    [Fact]
    public async Task Names_planted_in_data_and_requests_are_nowhere_that_is_not_the_data()
    {
        var failing = false;
        await using var server = await Server.StartAsync(operation =>
            failing && operation.StartsWith("Read", StringComparison.Ordinal) ? throw new IOException("The storage is gone.") : Task.CompletedTask);
        foreach (var sop in new[] { "1.2.3.4", "1.2.3.5" }) (await server.StoreAsync(Planted("1.2", sop).ToFile())).EnsureSuccessStatusCode();
        (await server.StoreAsync(Planted("1.9", "1.9.3.4").ToFile())).EnsureSuccessStatusCode();

        // Stores that are refused, or stored with a warning: the reasons name elements and parts.
        var other = Planted("1.2", "1.2.3.4").Add(0x00081030, "LO", Name + " again").ToFile();
        Assert.Equal(409, (int)(await server.StoreAsync(other)).StatusCode);
        await server.StoreAtAsync("/studies/1.3", Planted("1.2", "1.2.3.6").ToFile());
        await server.StoreAsync([.. Planted("1.2", "1.2.3.7").ToFile()[..^9]]);
        await server.StoreAsync(Encoding.UTF8.GetBytes(Name));
        foreach (var (type, body) in new[]
        {
            ("application/dicom+json", """[{"00100010":{"vr":"PN","Value":["NAME"]}}]"""),
                ("application/dicom+json", """[{"NAME":{"vr":"NAME","Value":[1]}}]"""), ("application/dicom+json", Name),
            ("application/dicom+json", """[{"0020000D":{"vr":"UI","Value":["NAME"]},"00280010":{"vr":"US","Value":["NAME"]}}]"""),
                ("application/dicom+xml", $"<{Name}>{Name}</{Name}>"),
            ("application/dicom+xml", $"<NativeDicomModel><DicomAttribute tag=\"{Name}\" vr=\"{Name}\"/></NativeDicomModel>"),
                ($"{Name}/{Name}", Name), ($"multipart/related; type=\"{Name}\"; boundary={Name}", Name),
            ($"multipart/related; type=\"application/dicom\"; boundary={Name}",
                $"--{Name}\r\nContent-Type: {Name}/x\r\nContent-Location: {Name}\r\n\r\n{Name}\r\n--{Name}--"),
        })
            await server.PostAsync("/studies", type, Encoding.UTF8.GetBytes(body.Replace("NAME", Name, StringComparison.Ordinal)));
        await server.PostAsync("/studies", "application/dicom", Planted("1.2", "1.2.3.8").ToFile(), ("Duplicate-Policy", Name));
        await server.PostAsync("/studies", "application/dicom", Planted("1.2", "1.2.3.8").ToFile(), ("Content-Encoding", Name));
        await server.PostAsync("/studies", "application/dicom", Planted("1.2", "1.2.3.8").ToFile(), ("User-Agent", Name + "/1.0"));

        foreach (var path in Reads) await FollowAsync(server, path);
        foreach (var (header, value) in new[] { ("Accept", Name), ("Accept", $"multipart/related; type=\"{Name}\""),
            ("Range", Name), ("If-None-Match", Name), ("traceparent", Name) })
            using (await server.GetAsync(Instance, null, (header, value))) { }

        // Storage that fails in the middle of each of them.
        failing = true;
        foreach (var path in Reads) using (await server.GetAsync(path)) { }
        failing = false;
        using (await server.Client.DeleteAsync("/dicomweb/studies/1.2")) { }
        using (await server.Client.DeleteAsync($"/dicomweb/studies/{Name}")) { }
        var (lines, spans, answers) = server.LookedAt;
        output.WriteLine($"{lines} log lines, {spans} spans and {answers} answers looked at");
        Assert.True(lines > 100 && spans > 100 && answers > 100);
    }

    // Every page, by the links that the answers give: the handler has looked at the links already, the cursors are opaque.
    private static async Task FollowAsync(Server server, string path)
    {
        for (var next = (string?)path; next is not null;)
        {
            using var response = await server.GetAsync(next);
            next = response.Headers.TryGetValues("Link", out var links) ? links.First().Split('<', '>')[1] : null;
        }
    }

    private static TestObject Planted(string study, string sop) => TestObject.Of(study, study + ".3", sop)
        .Add(0x00080005, "CS", "ISO_IR 192").Add(0x00080020, "DA", "20240102").Add(0x00080060, "CS", "SR")
            .Add(0x00080090, "PN", Name + "^Dr").Add(0x00081030, "LO", Name + " study").Add(0x0008103E, "LO", Name + " series")
        .Add(0x00081070, "PN", Name).Add(0x00100010, "PN", $"{Name}^{Privacy.Given}").Add(0x00100020, "LO", Name + "-1")
            .Add(0x00104000, "LT", Name).Add(0x00200010, "SH", Name).Add(0x00420011, "OB", [.. Encoding.ASCII.GetBytes(Name), .. new byte[3000]]);
}
