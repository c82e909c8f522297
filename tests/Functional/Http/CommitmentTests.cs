using System.Net;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Functional.Http;

/// <summary>Storage commitment over the web (PS3.18 chapter 13).</summary>
public sealed class CommitmentTests : IAsyncLifetime
{
    private const string SecondaryCapture = "1.2.840.10008.5.1.4.1.1.7", Json = "application/dicom+json";
    private Server server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await Server.StartAsync();
        using var stored = await server.StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile(), Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile());
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private static byte[] Request(params (string SopClass, string Sop)[] items) => Encoding.UTF8.GetBytes("{\"00081199\":{\"vr\":\"SQ\",\"Value\":["
        + string.Join(',', items.Select(item =>
            $"{{\"00081150\":{{\"vr\":\"UI\",\"Value\":[\"{item.SopClass}\"]}},\"00081155\":{{\"vr\":\"UI\",\"Value\":[\"{item.Sop}\"]}}}}")) + "]}}");

    private static (string Sop, int Reason)[] Items(JsonElement result, string tag) => !result.TryGetProperty(tag, out var sequence)
        ? [] : [.. sequence.GetProperty("Value").EnumerateArray()
        .Select(item => (item.GetProperty("00081155").GetProperty("Value")[0].GetString()!,
            item.TryGetProperty("00081197", out var reason) ? reason.GetProperty("Value")[0].GetInt32() : 0))];

    [Fact]
    public async Task What_is_there_is_committed_and_the_rest_failed_with_its_reason()
    {
        using var response = await server.PostAsync("/commitment-requests/1.9.1", Json,
            Request((SecondaryCapture, "1.2.1.1"), (SecondaryCapture, "1.2.1.9"), ("1.2.840.10008.5.1.4.1.1.2", "1.2.1.2")));
        Assert.Equal((HttpStatusCode.OK, Json), (response.StatusCode, response.Content.Headers.ContentType!.ToString()));
        var result = await Server.JsonAsync(response);
        Assert.Equal([("1.2.1.1", 0)], Items(result, "00081199"));
        Assert.Equal([("1.2.1.9", 0x0112), ("1.2.1.2", 0x0119)], Items(result, "00081198"));
    }

    [Fact]
    public async Task An_object_whose_blob_is_gone_is_not_committed_whatever_the_index_says()
    {
        var dicom = server.World.Dicom;
        Assert.True(dicom.Blobs.Remove(dicom.Blobs.Keys.Single(name => name.EndsWith("/1.2.1.2.dcm", StringComparison.Ordinal))));
        var result = await Server.JsonAsync(await server.PostAsync("/commitment-requests/1.9.2", Json, Request((SecondaryCapture, "1.2.1.2"))));
        Assert.Equal([("1.2.1.2", 0x0112)], Items(result, "00081198"));
    }

    [Fact]
    public async Task The_result_can_be_had_again_and_the_transaction_uid_only_used_once()
    {
        using var first = await server.PostAsync("/commitment-requests/1.9.3", Json, Request((SecondaryCapture, "1.2.1.1")));
        var result = await first.Content.ReadAsStringAsync();
        await Server.AssertProblemAsync(HttpStatusCode.Conflict,
            await server.PostAsync("/commitment-requests/1.9.3", Json, Request((SecondaryCapture, "1.2.1.2"))), "Transaction UID");
        using var again = await server.GetAsync("/commitment-requests/1.9.3");
        Assert.Equal((HttpStatusCode.OK, result), (again.StatusCode, await again.Content.ReadAsStringAsync()));
        using var xml = await server.GetAsync("/commitment-requests/1.9.3", "application/dicom+xml");
        Assert.Contains("keyword=\"ReferencedSOPSequence\"", await xml.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync("/commitment-requests/1.9.4"));
    }

    [Theory]
    [InlineData("{}", 400, "(0008,1199)")]
    [InlineData("{\"00081199\":{\"vr\":\"SQ\"}}", 400, "(0008,1199)")]
    [InlineData("{\"00081199\":{\"vr\":\"SQ\",\"Value\":[{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"1.2\"]}}]}}", 400, "(0008,1150)")]
    [InlineData("no json", 400, "JSON")]
    [InlineData("", 400, "JSON")]
    public async Task A_request_that_names_no_instances_is_400(string body, int status, string words) =>
        await Server.AssertProblemAsync((HttpStatusCode)status, await server.PostAsync("/commitment-requests/1.9.5", Json, Encoding.UTF8.GetBytes(body)),
            words);

    [Fact]
    public async Task Other_mistakes_have_their_own_status()
    {
        var request = Request((SecondaryCapture, "1.2.1.1"));
        await Server.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, await server.PostAsync("/commitment-requests/1.9.6", "text/plain", request), Json);
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.PostAsync("/commitment-requests/none", Json, request), "Transaction UID");
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.PostAsync("/commitment-requests/1.9.7", Json, request, ("Accept", "image/png")));
        await Server.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge,
            await server.PostAsync("/commitment-requests/1.9.8", Json, new byte[17 * 1024 * 1024], ("Expect", "100-continue")));
    }
}
