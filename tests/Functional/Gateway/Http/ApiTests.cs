using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class ApiTests
{
    [Fact]
    public async Task A_quarantined_object_is_listed_read_replaced_retried_and_purged()
    {
        await using var archive = await RefusingArchive.StartAsync();
        await archive.StoreAsync(1, 2, 3);
        var list = await JsonAsync(archive, "/api/quarantine");
        Assert.Equal(3, list.GetProperty("total").GetInt32());
        var ids = list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!).ToArray();
        var one = await JsonAsync(archive, $"/api/quarantine/archive/{ids[0]}");
        Assert.Equal("A900", one.GetProperty("reason").GetProperty("failureReason").GetString());
        Assert.False(one.TryGetProperty("path", out _));
        var sop = one.GetProperty("reason").GetProperty("sopInstanceUid").GetString()!;
        var file = await archive.Client.GetByteArrayAsync($"/api/quarantine/archive/{ids[0]}/file");
        Assert.Equal(TestObject.Of("1.2.840.9", "1.2.840.9.1", sop).DataSet(), file[^TestObject.Of("1.2.840.9", "1.2.840.9.1", sop).DataSet().Length..]);

        await ProblemAsync(await archive.Client.PutAsync($"/api/quarantine/archive/{ids[0]}/replace", new StringContent("no object")), 400, "body");
        Assert.Equal(HttpStatusCode.NoContent,
            (await archive.Client.PutAsync($"/api/quarantine/archive/{ids[0]}/replace", new ByteArrayContent(TestSpool.File("1.2.840.9", "1.2.840.9.1.8"))))
            .StatusCode);
        archive.TakeAll();
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.PostAsync($"/api/quarantine/archive/{ids[1]}/retry", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.DeleteAsync($"/api/quarantine/archive/{ids[2]}")).StatusCode);
        await ProblemAsync(await archive.Client.DeleteAsync($"/api/quarantine/archive/{ids[2]}"), 404, null);
        await archive.Gateway.WaitUntilDrainedAsync();
        Assert.Equal(0, (await JsonAsync(archive, "/api/quarantine")).GetProperty("total").GetInt32());
        Assert.Contains(archive.Server.Requests, request => request.Sops.Contains("1.2.840.9.1.8"));
    }

    [Fact]
    public async Task All_objects_of_a_destination_are_retried_or_purged_at_once()
    {
        await using var archive = await RefusingArchive.StartAsync();
        await archive.StoreAsync(1, 2);
        var purged = await Read(await archive.Client.DeleteAsync("/api/quarantine/archive"));
        Assert.Equal((2, 0), (purged.GetProperty("done").GetInt32(), purged.GetProperty("failed").GetInt32()));
        await archive.StoreAsync(3, 4);
        archive.TakeAll();
        Assert.Equal(2, (await Read(await archive.Client.PostAsync("/api/quarantine/archive/retry", null))).GetProperty("done").GetInt32());
        await archive.Gateway.WaitUntilDrainedAsync();
        Assert.Equal(0, (await JsonAsync(archive, "/api/quarantine")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Transactions_are_filtered_and_a_wrong_parameter_is_named()
    {
        await using var archive = await RefusingArchive.StartAsync();
        await archive.StoreAsync(1);
        await UntilAsync(async () => (await JsonAsync(archive, "/api/transactions?kind=forward&ae=archive&result=failure"))
            .GetProperty("transactions").GetArrayLength() == 1);
        var stores = (await JsonAsync(archive, "/api/transactions?kind=Store&ae=MODALITY&limit=5&from=2020-01-01T00:00:00Z")).GetProperty("transactions");
        Assert.Equal("0000", Assert.Single(stores.EnumerateArray()).GetProperty("status").GetString());
        Assert.Equal(0, (await JsonAsync(archive, "/api/transactions?to=2020-01-01")).GetProperty("transactions").GetArrayLength());
        foreach (var (query, parameter) in new[] { ("kind=x", "kind"), ("kind=2", "kind"), ("from=x", "from"), ("to=-1", "to"),
            ("result=maybe", "result"), ("limit=0", "limit"), ("limit=a", "limit"), ("limit=999999999999", "limit"), ("sort=time", "sort") })
            await ProblemAsync(await archive.Client.GetAsync("/api/transactions?" + query), 400, parameter);
    }

    [Fact]
    public async Task Bad_input_is_never_a_fault_of_the_gateway()
    {
        await using var archive = await RefusingArchive.StartAsync();
        foreach (var path in new[] { "/api/quarantine/archive/1", "/api/quarantine/..%2f/1", "/api/quarantine/archive/1/file", "/api/nothing" })
            await ProblemAsync(await archive.Client.GetAsync(path), 404, null);
        foreach (var id in new[] { "x", "-1", "1.5", "99999999999999999999" })
            await ProblemAsync(await archive.Client.GetAsync("/api/quarantine/archive/" + id), 400, "id");
        await ProblemAsync(await archive.Client.GetAsync("/api/quarantine?limit=x"), 400, "limit");
        await ProblemAsync(await archive.Client.GetAsync("/api/quarantine?destination=../x"), 400, "destination");
        await ProblemAsync(await archive.Client.PostAsync("/api/destinations/none/retry", null), 404, null);
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.PostAsync("/api/destinations/archive/retry", null)).StatusCode);
        await ProblemAsync(await archive.Client.PostAsync("/api/echo/none", null), 404, null);
        foreach (var (body, parameter) in new[] { ("", "body"), ("{", "body"), ("[]", "body"), ("null", "body"), ("{}", "body"),
            ("{\"other\":1}", "other"), ("{\"patientName\":1}", "patientName"), ("{\"limit\":0,\"patientId\":\"1\"}", "limit"),
            ("{\"studyDate\":\"yesterday\"}", "studyDate"), ("{\"ae\":\"NOBODY\",\"patientId\":\"1\"}", "ae"),
                ("{\"patientId\":\"" + new string('1', 65) + "\"}", "patientId") })
            await ProblemAsync(await archive.Client.PostAsync("/api/query", new StringContent(body)), 400, parameter);
        await ProblemAsync(await archive.Client.PostAsync("/api/query", new StringContent(new string(' ', 20_000))), 413, "body");
    }

    [Fact]
    public async Task An_echo_tells_the_time_or_the_reason()
    {
        await using var remote = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        await using var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__RemoteAes__other__AeTitle"] = "DICOMGW", ["Gateway__RemoteAes__other__Host"] = "127.0.0.1",
                ["Gateway__RemoteAes__other__Port"] = $"{remote.DimsePort}",
            ["Gateway__RemoteAes__stranger__AeTitle"] = "NOBODY", ["Gateway__RemoteAes__stranger__Host"] = "127.0.0.1",
                ["Gateway__RemoteAes__stranger__Port"] = $"{remote.DimsePort}",
            ["Gateway__RemoteAes__absent__Host"] = "127.0.0.1", ["Gateway__RemoteAes__absent__Port"] = "9",
        });
        var alive = await Read(await archive.Client.PostAsync("/api/echo/other", null));
        Assert.True(alive.GetProperty("isAlive").GetBoolean());
        Assert.Equal("0000", alive.GetProperty("status").GetString());
        foreach (var name in new[] { "stranger", "absent" })
        {
            var answer = await Read(await archive.Client.PostAsync("/api/echo/" + name, null));
            Assert.False(answer.GetProperty("isAlive").GetBoolean());
            Assert.NotEqual("", answer.GetProperty("reason").GetString());
        }
        await UntilAsync(async () => (await JsonAsync(archive, "/api/transactions?kind=Echo&result=Failure"))
            .GetProperty("transactions").GetArrayLength() == 2);
    }

    [Fact]
    public async Task A_test_query_finds_what_waits_when_the_archive_cannot_answer()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        var data = TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").Add(0x00080005, "CS", "ISO_IR 192")
            .Add(0x00080020, "DA", "20260102").Add(0x00100010, "PN", "Müller^Jörg").Add(0x00100020, "LO", "4711").DataSet();
        Assert.Equal(0, await Modality.StoreAsync(gateway, data, "1.2.3.1.1"));
        using var client = new HttpClient();
        var answer = await Read(await client.PostAsync(gateway.Url + "/api/query",
            new StringContent("{\"patientName\":\"Mü*\",\"studyDate\":\"20260101-20260131\"}")));
        var row = Assert.Single(answer.GetProperty("rows").EnumerateArray());
        Assert.Equal(("Müller^Jörg", "4711", "1"),
            (row.GetProperty("patientName").GetString(), row.GetProperty("patientId").GetString(), row.GetProperty("instances").GetString()));
        Assert.NotEqual("", answer.GetProperty("failure").GetString());
    }

    [Fact]
    public async Task The_metrics_count_what_happened_and_promtool_finds_nothing_to_say()
    {
        await using var archive = await RefusingArchive.StartAsync();
        await archive.StoreAsync(1, 2);
        await UntilAsync(async () => (await archive.Client.GetStringAsync("/metrics"))
            .Contains("dicom_gateway_associations_total{result=\"Success\"} 1\n", StringComparison.Ordinal));
        var text = await archive.Client.GetStringAsync("/metrics");
        Assert.Contains("dicom_gateway_stores_total{ae=\"DICOMGW\",result=\"Success\",status=\"0000\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("dicom_gateway_store_duration_seconds_count{result=\"Success\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("dicom_gateway_quarantine_objects{destination=\"archive\"} 2\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("1.2.840", text, StringComparison.Ordinal);
        if (!Peers.Require("promtool")) return;
        using var promtool = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("promtool", ["check", "metrics"])
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        Assert.Equal("", await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync());
        await promtool.WaitForExitAsync();
        Assert.Equal(0, promtool.ExitCode);
    }

    [Fact]
    public async Task The_verb_health_knows_whether_the_gateway_is_ready()
    {
        await using var archive = await RefusingArchive.StartAsync();
        Assert.Equal(0, await RunAsync(archive.Gateway.Url, "health"));
        await archive.Gateway.StopAsync();
        Assert.Equal(1, await RunAsync(archive.Gateway.Url, "health"));
        Assert.Equal(0, await RunAsync("", "--help"));
        Assert.Equal(2, await RunAsync("", "nonsense"));

        static async Task<int> RunAsync(string url, string verb) =>
            (await GatewayProcess.RunAsync([verb], new Dictionary<string, string> { ["Gateway__Http__Url"] = url })).ExitCode;
    }

    private static async Task<JsonElement> JsonAsync(RefusingArchive archive, string path) => await Read(await archive.Client.GetAsync(path));

    private static async Task<JsonElement> Read(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private static async Task ProblemAsync(HttpResponseMessage response, int status, string? parameter)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{response.RequestMessage!.RequestUri}: {response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        using var json = JsonDocument.Parse(text);
        Assert.Equal(parameter, json.RootElement.TryGetProperty("parameter", out var named) ? named.GetString() : null);
    }

    internal static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(50, patience.Token);
    }
}
