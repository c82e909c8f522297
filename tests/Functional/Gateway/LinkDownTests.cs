using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functional.Gateway;

/// <summary>Without the cloud: what was acknowledged is found, retrieved and, once the cloud is back, committed.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class LinkDownTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task An_object_just_acknowledged_is_found_and_retrieved_with_the_link_down_and_up()
    {
        var (web, study) = (FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        var port = FreePorts.Next();
        await using var gateway = await StartAsync(web, port);
        await StoreAsync(gateway, study, 1, 2);
        await CheckAsync(2, isWhole: false);
        using (await StartFunctionsAsync(web))
        {
            await gateway.WaitUntilDrainedAsync();
            await CheckAsync(2);
        }
        await StoreAsync(gateway, study, 3, 3);
        await CheckAsync(1, isWhole: false);

        async Task CheckAsync(int atLeast, bool isWhole = true)
        {
            var found = await Query.FindAsync(gateway, Query.Identifier("IMAGE", Query.Study(study), (0x0020000E, "UI", study + ".1"), (0x00080018, "UI", "")));
            Assert.True(found.Count(response => response.DataSet is not null) >= atLeast, $"{found.Count} responses, the last {found[^1].Command.Status:X4}");
            await using var destination = await TestScp.StartAsync(port);
            var (end, _) = await Query.MoveAsync(gateway, study, "MODALITY");
            Assert.True(destination.Stored.Count >= atLeast, $"{end.Status:X4} {end.ErrorComment}");
            // While the archive cannot be asked, nobody knows whether it has more.
            Assert.Equal(isWhole ? 0x0000 : 0xB000, end.Status);
            foreach (var (sop, bytes) in destination.Stored) Assert.Equal(GatewaySystem.Object(study, int.Parse(sop.Split('.')[^1])).DataSet(), bytes);
        }
    }

    [Fact]
    public async Task Storage_commitment_waits_for_the_archive_over_a_restart_and_says_what_failed()
    {
        var (web, study) = (FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        var port = FreePorts.Next();
        await using var gateway = await StartAsync(web, port);
        await StoreAsync(gateway, study, 1, 3);
        await RequestAsync(gateway, "1.2.77.1", study, ("1.2.840.10008.5.1.4.1.1.7", 1),
            ("1.2.840.10008.5.1.4.1.1.7", 2), ("1.2.840.10008.5.1.4.1.1.2", 3), ("1.2.840.10008.5.1.4.1.1.7", 99));
        Assert.Equal(1, (await gateway.StatusAsync()).GetProperty("openCommitments").GetInt32());
        gateway.Kill();
        await gateway.RestartAsync();
        await using var modality = await TestScp.StartAsync(port);
        Assert.Empty(modality.Reports);
        using var functions = await StartFunctionsAsync(web);
        await gateway.WaitUntilDrainedAsync();
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report comes on a new association");
        modality.Reports.TryDequeue(out var report);
        Assert.Equal((2, "1.2.77.1"), (report!.EventType, report.Transaction));
        Assert.Equal([$"{study}.1.1", $"{study}.1.2"], report.Confirmed.Order());
        Assert.Equal([($"{study}.1.3", 0x0119), ($"{study}.1.99", 0x0112)], report.Failed.Order());
        await gateway.UntilAsync(status => status.GetProperty("openCommitments").GetInt32() == 0, "the request is closed");
    }

    [Fact]
    public async Task Storage_commitment_is_reported_on_the_same_association()
    {
        var (web, study) = (FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        using var functions = await StartFunctionsAsync(web);
        await using var gateway = await StartAsync(web, FreePorts.Next());
        await StoreAsync(gateway, study, 1, 2);
        await using var association = await ConnectAsync(gateway);
        await SendAsync(association, "1.2.77.2", study, ("1.2.840.10008.5.1.4.1.1.7", 1), ("1.2.840.10008.5.1.4.1.1.7", 2));
        var message = await association.ReceiveAsync(default);
        var report = CommitmentAnswer.Read(message!.Command, (await message.ReadWholeDataSetAsync(1 << 20, default))!);
        await association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Success), message.Context, default);
        await association.ReleaseAsync(default);
        Assert.Equal((1, "1.2.77.2", 2, 0), (report.EventType, report.Transaction, report.Confirmed.Length, report.Failed.Length));
        await gateway.UntilAsync(status => status.GetProperty("openCommitments").GetInt32() == 0, "the request is closed");
    }

    [Fact]
    public async Task Storage_commitment_goes_on_after_a_failure_of_the_disk()
    {
        var (web, port, study) = (FreePorts.Next(), FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        await using var gateway = await StartAsync(web, port);
        await StoreAsync(gateway, study, 1, 1);
        await RequestAsync(gateway, "1.2.77.3", study, ("1.2.840.10008.5.1.4.1.1.7", 1));
        var requests = Path.Combine(gateway.SpoolFolder, ".commitment");
        Directory.Delete(requests, recursive: true);
        await using var modality = await TestScp.StartAsync(port);
        using var functions = await StartFunctionsAsync(web);
        await GatewaySystem.UntilAsync(() => Task.FromResult(gateway.Output.Contains("1.2.77.3 cannot go on now", StringComparison.Ordinal)),
            "the failure is said");
        Directory.CreateDirectory(requests);
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report comes all the same");
        await gateway.UntilAsync(status => status.GetProperty("openCommitments").GetInt32() == 0, "the request is closed");
    }

    // Numbers go on after a restart with an empty spool: else what comes later counts as "from before the request", and "no such instance" is never said.
    [Fact]
    public async Task Storage_commitment_after_a_restart_does_not_wait_for_what_came_later()
    {
        var (web, port, study, later) = (FreePorts.Next(), FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}", $"1.2.{Random.Shared.NextInt64()}");
        var functions = await StartFunctionsAsync(web);
        await using var gateway = await StartAsync(web, port);
        await StoreAsync(gateway, study, 1, 3);
        await gateway.WaitUntilDrainedAsync();
        functions.Dispose();
        await RequestAsync(gateway, "1.2.77.4", study, ("1.2.840.10008.5.1.4.1.1.7", 99));
        gateway.Kill();
        await gateway.RestartAsync();
        // One that always waits: its destination refuses connections at first, and it has the lowest number of an empty spool.
        await StoreAsync(gateway, later, 1, 1);
        await using var archive = await ScriptedServer.StartAsync((_, context) =>
        {
            context.Response.StatusCode = 503; // it never takes what waits
            return Task.CompletedTask;
        }, routes => routes.MapGet("/dicomweb/instances", context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        }), $"http://127.0.0.1:{web}");
        await using var modality = await TestScp.StartAsync(port);
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report that there is no such instance");
        modality.Reports.TryDequeue(out var report);
        Assert.Equal([($"{study}.1.99", 0x0112)], report!.Failed);
    }

    [Fact]
    public async Task Storage_commitment_asks_an_archive_that_has_it_over_the_web_and_erases_nothing_of_what_lies_in_quarantine()
    {
        var (web, port, study) = (FreePorts.Next(), FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        using var functions = await StartFunctionsAsync(web);
        await using var gateway = await StartAsync(web, port, ("Gateway__Destinations__archive__CommitmentRequests", "true"));
        await StoreAsync(gateway, study, 1, 2);
        await gateway.WaitUntilDrainedAsync();
        // The same UID with other content: the archive keeps the first, and this one comes into quarantine.
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, GatewaySystem.Object(study, 2, name: "Other^Name").DataSet(), $"{study}.1.2"));
        await gateway.UntilAsync(status => status.GetProperty("destinations")[0].GetProperty("quarantined").GetInt64() == 1, "it lies in quarantine");
        await using var modality = await TestScp.StartAsync(port);
        await RequestAsync(gateway, "1.2.77.5", study, ("1.2.840.10008.5.1.4.1.1.7", 1), ("1.2.840.10008.5.1.4.1.1.7", 2), ("1.2.840.10008.5.1.4.1.1.7", 99));
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report comes on a new association");
        modality.Reports.TryDequeue(out var report);
        Assert.Equal([$"{study}.1.1"], report!.Confirmed);
        Assert.Equal([($"{study}.1.2", 0x0110), ($"{study}.1.99", 0x0112)], report.Failed.Order());
    }

    // The modality would erase its corrected version for the sake of the old one, and the archive may refuse the corrected one yet.
    [Fact]
    public async Task Storage_commitment_waits_for_an_object_that_waits_although_the_archive_has_another_under_its_uid()
    {
        var (web, port, study) = (FreePorts.Next(), FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        var takes = false;
        await using var archive = await ScriptedServer.StartAsync(async (request, context) =>
        {
            if (!Volatile.Read(ref takes)) context.Response.StatusCode = 503;
            else await ScriptedServer.AnswerAsync(context, request);
        }, routes =>
        {
            routes.MapGet("/instances", () => Results.Text(
                $$$"""
                [{"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.7"]},"00080018":{"vr":"UI","Value":["{{{study}}}.1.1"]},
                "0020000D":{"vr":"UI","Value":["{{{study}}}"]},"0020000E":{"vr":"UI","Value":["{{{study}}}.1"]}}]
                """, "application/dicom+json"));
            routes.MapMethods($"/studies/{study}/series/{study}.1/instances/{study}.1.1", ["HEAD"], () => Results.Ok());
        });
        await using var gateway = await StartAsync(new Uri(archive.Url).Port, port, ("Gateway__Destinations__archive__Url", archive.Url));
        await StoreAsync(gateway, study, 1, 1);
        await using var modality = await TestScp.StartAsync(port);
        await RequestAsync(gateway, "1.2.77.8", study, ("1.2.840.10008.5.1.4.1.1.7", 1));
        await Task.Delay(TimeSpan.FromSeconds(4)); // several rounds of the commitment's worker
        Assert.Empty(modality.Reports);
        Volatile.Write(ref takes, true);
        await gateway.WaitUntilDrainedAsync();
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report comes when it is there");
        modality.Reports.TryDequeue(out var report);
        Assert.Equal([$"{study}.1.1"], report!.Confirmed);
    }

    [Fact]
    public async Task Storage_commitment_is_reported_on_a_new_association_by_option_while_the_first_one_lives()
    {
        var (web, port, study) = (FreePorts.Next(), FreePorts.Next(), $"1.2.{Random.Shared.NextInt64()}");
        using var functions = await StartFunctionsAsync(web);
        await using var gateway = await StartAsync(web, port, ("Gateway__Commitment__NewAssociation", "true"));
        await using var modality = await TestScp.StartAsync(port);
        await StoreAsync(gateway, study, 1, 1);
        await using var association = await ConnectAsync(gateway);
        await SendAsync(association, "1.2.77.6", study, ("1.2.840.10008.5.1.4.1.1.7", 1));
        await GatewaySystem.UntilAsync(() => Task.FromResult(!modality.Reports.IsEmpty), "the report comes on a new association");
        await association.ReleaseAsync(default);
    }

    [Fact]
    public async Task Without_a_token_the_archive_counts_as_down()
    {
        var study = $"1.2.{Random.Shared.NextInt64()}";
        await using var gateway = await GatewayProcess.StartAsync($"http://127.0.0.1:{FreePorts.Next()}/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__Destinations__archive__Authentication__Kind"] = "ClientCredentials",
                ["Gateway__Destinations__archive__Authentication__TokenUrl"] = $"http://127.0.0.1:{FreePorts.Next()}/token",
            ["Gateway__Destinations__archive__Authentication__ClientId"] = "gateway",
                ["Gateway__Destinations__archive__Authentication__ClientSecret"] = "secret",
        });
        await StoreAsync(gateway, study, 1, 1);
        var found = await Query.FindAsync(gateway, Query.Identifier("IMAGE", Query.Study(study), (0x0020000E, "UI", study + ".1"), (0x00080018, "UI", "")));
        Assert.Equal([0xFF00, 0xC001], found.Select(response => (int)response.Command.Status));
        Assert.Contains("token", found[^1].Command.ErrorComment, StringComparison.Ordinal);
    }

    private async Task<FunctionsProcess> StartFunctionsAsync(int port) => await FunctionsProcess.StartAsync(azurite.ConnectionString, port: port);

    private static Task<GatewayProcess> StartAsync(int web, int remote, params (string Key, string Value)[] more) =>
        GatewayProcess.StartAsync($"http://127.0.0.1:{web}/dicomweb",
        new Dictionary<string, string>(more.Select(item => KeyValuePair.Create(item.Key, item.Value)))
    {
        ["Gateway__RemoteAes__MODALITY__Host"] = "127.0.0.1", ["Gateway__RemoteAes__MODALITY__Port"] = $"{remote}",
            ["Gateway__Commitment__RetrySeconds"] = "1", ["Gateway__Query__TimeoutSeconds"] = "5",
    });

    private static async Task StoreAsync(GatewayProcess gateway, string study, int first, int last)
    {
        for (var i = first; i <= last; i++)
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, GatewaySystem.Object(study, i).DataSet(), $"{study}.1.{i}"));
    }

    private static Task<Association> ConnectAsync(GatewayProcess gateway) =>
        Modality.ConnectAsync(gateway, new ContextProposal(WellKnownUids.StorageCommitmentPushModel, [TransferSyntax.ExplicitVrLittleEndian.Uid]));

    private static async Task RequestAsync(GatewayProcess gateway, string transaction, string study, params (string SopClass, int Number)[] items)
    {
        await using var association = await ConnectAsync(gateway);
        await SendAsync(association, transaction, study, items);
        await association.ReleaseAsync(default);
    }

    private static async Task SendAsync(Association association, string transaction, string study, params (string SopClass, int Number)[] items)
    {
        var command = DimseCommand.NAction(association.NextMessageId(),
            WellKnownUids.StorageCommitmentPushModel, WellKnownUids.StorageCommitmentPushModelInstance, 1);
        var sequence = items.SelectMany(item =>
        {
            var bytes = new TestObject().Add(0x00081150, "UI", item.SopClass).Add(0x00081155, "UI", $"{study}.1.{item.Number}").DataSet();
            return (byte[])[0xFE, 0xFF, 0x00, 0xE0, .. BitConverter.GetBytes(bytes.Length), .. bytes];
        }).ToArray();
        await association.SendAsync(command, association.FindContext(WellKnownUids.StorageCommitmentPushModel)!,
            new TestObject().Add(0x00081195, "UI", transaction).Add(0x00081199, "SQ", sequence).DataSet(), default);
        var response = await association.ReceiveResponseAsync(command.MessageId, default);
        Assert.Equal(DimseStatus.Success, response!.Command.Status);
    }
}
