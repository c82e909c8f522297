using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using DicomServerless.EdgeGateway.Dashboard;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway.Http;

/// <summary>Whoever sees or changes patient data over HTTP stands in the transaction log and in the audit trail (PS3.15 A.5.3.6, A.5.3.10).</summary>
public sealed class OperatorTests
{
    private const string Password = "correct horse";

    [Fact]
    public async Task What_a_user_of_the_dashboard_did_is_recorded_with_the_user()
    {
        await using var archive = await RefusingArchive.StartAsync(new()
            { ["Gateway__Http__PasswordHash"] = PasswordHash.Create(Password), ["Gateway__Transactions__IncludeUids"] = "true" });
        archive.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:" + Password)));
        await QuarantineAsync(archive, 1, 2, 3, 4);
        await ActAsync(archive);
        JsonElement[] records = [];
        await ApiTests.UntilAsync(async () =>
        {
            using var json = JsonDocument.Parse(await archive.Client.GetStringAsync("/api/transactions?kind=Operator"));
            records = [.. json.RootElement.Clone().GetProperty("transactions").EnumerateArray()];
            return records.Length == 8;
        });
        Assert.Equal(["Query", "Purge", "Retry", "Purge", "Purge", "Retry", "Replace", "Download"],
            records.Select(record => record.GetProperty("action").GetString()));
        Assert.All(records, record => Assert.Equal(("admin", "127.0.0.1"), (record.GetProperty("user").GetString(), record.GetProperty("remote").GetString())));
        Assert.All(records.Skip(1), record =>
            Assert.Equal(("Success", "1.2.840.9"), (record.GetProperty("result").GetString(), record.GetProperty("study").GetString())));
    }

    [Fact]
    public async Task Who_had_a_destination_tried_or_a_remote_ae_called_is_recorded()
    {
        await using var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Http__PasswordHash"] = PasswordHash.Create(Password), ["Gateway__RemoteAes__absent__Host"] = "127.0.0.1",
                ["Gateway__RemoteAes__absent__Port"] = "9",
        });
        archive.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:" + Password)));
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.PostAsync("/api/destinations/archive/retry", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await archive.Client.PostAsync("/api/destinations/other/retry", null)).StatusCode);
        Assert.True((await archive.Client.PostAsync("/api/echo/absent", null)).IsSuccessStatusCode);
        await ApiTests.UntilAsync(async () =>
        {
            using var json = JsonDocument.Parse(await archive.Client.GetStringAsync("/api/transactions?kind=Operator"));
            var records = json.RootElement.GetProperty("transactions").EnumerateArray().Select(record => string.Join(' ',
                ((string[])["action", "user", "remote", "destination", "result"]).Select(name => record.GetProperty(name).GetString())));
            return records.SequenceEqual(["Echo admin 127.0.0.1 absent Failure", "TryDestination admin 127.0.0.1 archive Success"]);
        });
    }

    [Fact]
    public async Task The_audit_record_repository_hears_of_it()
    {
        if (!Peers.Require(Rsyslog.Program) || !Peers.Require(Rsyslog.TlsModule)) return;
        await using var syslog = await Rsyslog.StartAsync();
        await using (var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Audit__Enabled"] = "true", ["Gateway__Audit__Host"] = "127.0.0.1",
                ["Gateway__Audit__Port"] = $"{syslog.Port}", ["Gateway__Audit__Transport"] = "Udp",
        }))
        {
            await QuarantineAsync(archive, 1, 2, 3, 4);
            await ActAsync(archive);
            Assert.Equal(0, await archive.Gateway.StopAsync());
        }
        await ApiTests.UntilAsync(() => Task.FromResult(syslog.Received.Contains("Application Stop", StringComparison.Ordinal)));
        var messages = syslog.Received.Split('\n').Where(line => line.Contains("<AuditMessage", StringComparison.Ordinal))
            .Select(line => XElement.Parse(line[line.IndexOf("<AuditMessage", StringComparison.Ordinal)..]))
                .Select(message => message.Element("EventIdentification")!)
            .Select(identification =>
                (string)identification.Element("EventID")!.Attribute("csd-code")! + " " + (string)identification.Attribute("EventActionCode")!);
        Assert.Equal(["110103 R", "110103 U", "110103 U", "110103 D", "110103 D", "110103 U", "110103 D", "110112 E"],
            messages.Where(message => message.StartsWith("110103", StringComparison.Ordinal) || message.StartsWith("110112", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_audit_key_that_cannot_be_used_holds_the_messages_until_it_can()
    {
        if (!Peers.Require(Rsyslog.Program) || !Peers.Require(Rsyslog.TlsModule)) return;
        await using var syslog = await Rsyslog.StartAsync();
        using var authority = new TestAuthority();
        authority.Issue("own", "gateway");
        var key = await File.ReadAllTextAsync(authority.At("own.key"));
        await File.WriteAllTextAsync(authority.At("own.key"), "not yet");
        await using var archive = await RefusingArchive.StartAsync(new()
        {
            ["Gateway__Audit__Enabled"] = "true", ["Gateway__Audit__Host"] = "localhost",
                ["Gateway__Audit__Port"] = $"{syslog.Port}", ["Gateway__Audit__AuthorityPath"] = syslog.AuthorityPath,
            ["Gateway__Audit__CertificatePath"] = authority.At("own.pem"), ["Gateway__Audit__KeyPath"] = authority.At("own.key"),
        });
        await ApiTests.UntilAsync(() => Task.FromResult(archive.Gateway.Output.Contains("takes no messages", StringComparison.Ordinal)));
        await File.WriteAllTextAsync(authority.At("own.key"), key);
        await ApiTests.UntilAsync(() => Task.FromResult(syslog.Received.Contains("Application Start", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_backlog_is_told_to_everybody_and_the_destinations_are_not()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        Assert.Equal(0, await Modality.StoreAsync(gateway, TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").DataSet(), "1.2.3.1.1"));
        using var client = new HttpClient();
        var answer = await client.GetAsync(gateway.Url + "/health/backlog?seconds=0");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.DoesNotContain("archive", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task QuarantineAsync(RefusingArchive archive, params int[] numbers)
    {
        await using var association = await Modality.ConnectAsync(archive.Gateway);
        foreach (var number in numbers)
            Assert.Equal(0, await Modality.StoreAsync(association, TestObject.Of("1.2.840.9", "1.2.840.9.1", RefusingArchive.Sop(number)).DataSet(),
                RefusingArchive.Sop(number)));
        await association.ReleaseAsync(default);
        await ApiTests.UntilAsync(async () => (await IdsAsync(archive)).Length == numbers.Length);
    }

    // Downloads, replaces, retries and purges one object, purges another, retries and purges all that are left, and queries.
    private static async Task ActAsync(RefusingArchive archive)
    {
        var ids = await IdsAsync(archive);
        Assert.NotEmpty(await archive.Client.GetByteArrayAsync($"/api/quarantine/archive/{ids[0]}/file"));
        Assert.Equal(HttpStatusCode.NoContent,
            (await archive.Client.PutAsync($"/api/quarantine/archive/{ids[0]}/replace", new ByteArrayContent(TestSpool.File("1.2.840.9", "1.2.840.9.1.8"))))
            .StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.PostAsync($"/api/quarantine/archive/{ids[1]}/retry", null)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.DeleteAsync($"/api/quarantine/archive/{ids[2]}")).StatusCode);
        // The one that was sent again comes back; the archive refuses it still.
        await ApiTests.UntilAsync(async () => (await IdsAsync(archive)).Length == 2);
        Assert.Equal(HttpStatusCode.NoContent, (await archive.Client.DeleteAsync($"/api/quarantine/archive/{ids[3]}")).StatusCode);
        Assert.True((await archive.Client.PostAsync("/api/quarantine/archive/retry", null)).IsSuccessStatusCode);
        await ApiTests.UntilAsync(async () => (await IdsAsync(archive)).Length == 1);
        Assert.True((await archive.Client.DeleteAsync("/api/quarantine/archive")).IsSuccessStatusCode);
        Assert.True((await archive.Client.PostAsync("/api/query", new StringContent("{\"patientId\":\"1\"}"))).IsSuccessStatusCode);
    }

    private static async Task<string[]> IdsAsync(RefusingArchive archive)
    {
        using var json = JsonDocument.Parse(await archive.Client.GetStringAsync("/api/quarantine"));
        return [.. json.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!)];
    }
}
