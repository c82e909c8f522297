using System.Net;
using System.Text;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>What the index has to say to a store: other patients, and objects that a broken request leaves behind.</summary>
public sealed class StowIndexTests
{
    [Fact]
    public async Task An_object_of_another_patient_is_202_with_a_reason_in_words_and_is_found_by_its_own_patient_id()
    {
        await using var server = await Server.StartAsync();
        using var first = await server.StoreAsync(Of("1.2", "1.2.1.5", "P1"));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var second = await server.StoreAsync(Of("1.2", "1.2.1.1", "P2"));
        Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        Assert.Contains("(0010,0020)", string.Join(' ', second.Headers.GetValues("Warning")), StringComparison.Ordinal);
        var item = (await Server.JsonAsync(second)).GetProperty("00081199").GetProperty("Value")[0];
        Assert.Equal(0xB007, item.GetProperty("00081196").GetProperty("Value")[0].GetInt32());
        using var found = await server.GetAsync("/instances?PatientID=P2");
        Assert.Equal("1.2.1.1", (await Server.JsonAsync(found))[0].GetProperty("00080018").GetProperty("Value")[0].GetString());
        using var study = await server.GetAsync("/studies?StudyInstanceUID=1.2");
        Assert.Equal("P1", (await Server.JsonAsync(study))[0].GetProperty("00100020").GetProperty("Value")[0].GetString());
    }

    [Fact]
    public async Task An_object_of_another_patient_is_refused_where_that_is_configured()
    {
        await using var server = await Server.StartAsync(("Archive:SecondPatient", "Refuse"));
        using var first = await server.StoreAsync(Of("1.2", "1.2.1.5", "P1"));
        using var second = await server.StoreAsync(Of("1.2", "1.2.1.1", "P2"));
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        var item = (await Server.JsonAsync(second)).GetProperty("00081198").GetProperty("Value")[0];
        Assert.Equal(0xC412, item.GetProperty("00081197").GetProperty("Value")[0].GetInt32());
    }

    /// <summary>Storage clients throw exceptions of their own kinds; what came before them is indexed all the same.</summary>
    [Fact]
    public async Task Metadata_of_which_one_object_cannot_be_written_lose_nothing_that_was()
    {
        await using var server = await Server.StartAsync(
            what => what.StartsWith("stage", StringComparison.Ordinal) ? throw new StorageFault() : Task.CompletedTask, ("Archive:BlockMiB", "1"));
        static string Json(string sop, string bulk) => $$"""
            {"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.66"]},"00080018":{"vr":"UI","Value":["{{sop}}"]},
             "0020000D":{"vr":"UI","Value":["1.2"]},"0020000E":{"vr":"UI","Value":["1.2.1"]}{{bulk}}}
            """;
        var head = "--b\r\nContent-Type: application/dicom+json\r\n\r\n"
            + $"[{Json("1.2.1.1", "")},{Json("1.2.1.2", ",\"00420011\":{\"vr\":\"OB\",\"BulkDataURI\":\"big\"}")}]\r\n"
            + "--b\r\nContent-Type: application/octet-stream\r\nContent-Location: big\r\n\r\n";
        byte[] body = [.. Encoding.ASCII.GetBytes(head), .. new byte[4 * 1024 * 1024], .. "\r\n--b--\r\n"u8];
        using var response = await server.PostAsync("/studies", "multipart/related; type=\"application/dicom+json\"; boundary=b", body);
        Assert.NotEqual(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(server.World.Dicom.Blobs);
        // By its number, which leads to it through the index alone.
        using var found = await server.GetAsync("/instances?SOPInstanceUID=1.2.1.1");
        Assert.Equal(1, (await Server.JsonAsync(found)).GetArrayLength());
    }

    private static byte[] Of(string study, string sop, string patient) => TestObject.Of(study, study + ".1", sop)
        .Add(0x00100010, "PN", "Test^" + patient).Add(0x00100020, "LO", patient).Add(0x00080060, "CS", "OT").ToFile();
}
