using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>The forwarder and the function app, each as it is.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class ForwardToArchiveTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task The_last_version_stays_and_an_object_above_the_limit_arrives_whole()
    {
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        await using var test = new TestSpool();
        var study = $"1.2.{Random.Shared.NextInt64()}";
        await test.StoreAsync(study, study + ".1.1", "v1", "REPLACING");
        await test.StoreAsync(study, study + ".1.1", "v2", "REPLACING");
        var large = TestSpool.File(study, study + ".1.2", "large", "AE", 20 << 20);
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            for (var at = 0; at < large.Length; at += 100_000) writer.Append(large.AsSpan(at, Math.Min(100_000, large.Length - at)));
            await writer.CommitAsync(Dicom.Uid.Parse(study));
        }
        await using var forwarder = ForwarderTests.Forwarder(test);
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions>
            { ["archive"] = new() { Url = functions.Url + "/dicomweb", MaxBodyMiB = 4, TimeoutSeconds = 3600 } });
        await ForwarderTests.EmptyAsync(test);
        Assert.Empty(test.Spool.Quarantine.List().Items);

        using var http = new HttpClient { BaseAddress = new Uri(functions.Url) };
        Assert.Contains("v2", Encoding.ASCII.GetString(await GetAsync(http, study, "1")), StringComparison.Ordinal);
        Assert.True((await GetAsync(http, study, "2")).AsSpan().IndexOf(large.AsSpan(large.Length - (20 << 20) - 200)) >= 0);
    }

    [Fact]
    public async Task An_upload_comes_in_through_the_relay_and_complete_says_the_same_again()
    {
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        using var http = new HttpClient { BaseAddress = new Uri(functions.Url + "/dicomweb/") };
        var study = $"1.2.{Random.Shared.NextInt64()}";
        using var begun = await http.PostAsync("uploads", null);
        using var json = JsonDocument.Parse(await begun.Content.ReadAsStringAsync());
        var id = json.RootElement.GetProperty("id").GetString();
        using (var missing = await http.PostAsync($"uploads/{id}/complete", new StringContent("{\"blocks\":1}")))
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        var file = TestSpool.File(study, study + ".1.1");
        for (var i = 0; i < 2; i++)
        {
            using var put = await http.PutAsync($"uploads/{id}/blocks/{i}", new ByteArrayContent(i == 0 ? file[..200] : file[200..]));
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        }
        var answers = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            using var complete = await http.PostAsync($"uploads/{id}/complete", new StringContent("{\"blocks\":2}"));
            Assert.Equal(HttpStatusCode.OK, complete.StatusCode);
            answers.Add(await complete.Content.ReadAsStringAsync());
        }
        Assert.Equal(answers[0], answers[1]);
        Assert.Contains(study + ".1.1", answers[0], StringComparison.Ordinal);
    }

    private static async Task<byte[]> GetAsync(HttpClient http, string study, string number)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/dicomweb/studies/{study}/series/{study}.1/instances/{study}.1.{number}");
        request.Headers.TryAddWithoutValidation("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*");
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsByteArrayAsync();
    }
}
