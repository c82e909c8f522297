using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>What the services answer, word for word (PS3.4 B, C, J), seen by our own SCU against the whole system.</summary>
public sealed class ServiceTests(GatewaySystem system) : IClassFixture<GatewaySystem>
{
    [Fact]
    public async Task What_the_archive_would_refuse_is_refused_with_the_reason()
    {
        await using var association = await Modality.ConnectAsync(system.Gateway);
        var study = system.NewStudy();
        var good = GatewaySystem.Object(study, 1);
        await RefusedAsync(new TestObject().Add(0x00080016, "UI", Modality.SecondaryCapture.Value)
            .Add(0x00080018, "UI", study + ".1.1").Add(0x0020000E, "UI", study + ".1"), 0xC000, "(0020,000D)");
        await RefusedAsync(new TestObject().Add(0x00080016, "UI", Modality.SecondaryCapture.Value)
            .Add(0x0020000D, "UI", study).Add(0x0020000E, "UI", study + ".1"), 0xC000, "(0008,0018)");
        await RefusedAsync(GatewaySystem.Object(study, 2), 0xA900, "(0008,0018)");
        await RefusedAsync(GatewaySystem.Object(study, 1).Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"), 0xA900, "(0008,0016)");
        await RefusedAsync(good, 0xC000, "", cut: 3);
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, good.DataSet(), study + ".1.1"));
        await association.ReleaseAsync(default);

        async Task RefusedAsync(TestObject sent, ushort status, string reason, int cut = 0)
        {
            var answer = await Modality.AnswerAsync(association, sent.DataSet().AsMemory()[..^cut], study + ".1.1");
            Assert.Equal(status, answer.Status);
            Assert.NotEmpty(answer.ErrorComment ?? "");
            Assert.Contains(reason, answer.ErrorComment, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_optional_key_that_cannot_be_matched_is_answered_FF01()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 1);
        var plain = await Query.FindAsync(system.Gateway, Query.Identifier("STUDY", Query.Study(study), (0x00100010, "PN", "")));
        Assert.Equal([0xFF00, 0x0000], plain.Select(response => response.Command.Status));
        var privately = await Query.FindAsync(system.Gateway, Query.Identifier("STUDY", Query.Study(study), (0x00091001, "LO", "X")));
        Assert.Equal([0xFF01, 0x0000], privately.Select(response => response.Command.Status));
        Assert.Equal(0xA900, Assert.Single(await Query.FindAsync(system.Gateway, Query.Identifier("NONSENSE", Query.Study(study)))).Command.Status);
    }

    [Fact]
    public async Task A_move_says_what_became_of_its_destination()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 4);
        Assert.Equal(0xA801, (await Query.MoveAsync(system.Gateway, study, "NOWHERE")).Command.Status);
        var (closed, failed) = await Query.MoveAsync(system.Gateway, study, "DEAD");
        Assert.Equal((0xA702, 4), (closed.Status, failed.Length));
        await using (await TestScp.StartAsync(system.Remotes["OTHER"], rejects: true)) Assert.Equal(0xA702,
            (await Query.MoveAsync(system.Gateway, study, "OTHER")).Command.Status);
        await using (var dying = await TestScp.StartAsync(system.Remotes["OTHER"], takes: 2))
        {
            var (half, left) = await Query.MoveAsync(system.Gateway, study, "OTHER");
            Assert.Equal(0xB000, half.Status);
            Assert.Equal(Enumerable.Range(1, 4).Select(i => $"{study}.1.{i}").Except(dying.Stored.Keys).Order(), left.Order());
            Assert.Equal(2, left.Length);
        }
        await using var whole = await TestScp.StartAsync(system.Remotes["OTHER"]);
        Assert.Equal(0x0000, (await Query.MoveAsync(system.Gateway, study, "OTHER")).Command.Status);
        Assert.Equal(4, whole.Stored.Count);
    }

    [Fact]
    public async Task A_destination_that_leaves_the_release_unanswered_does_not_hold_up_the_answer()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 3);
        await using var deaf = await TestScp.StartAsync(system.Remotes["OTHER"], listens: 3);
        var asking = Query.AskAsync(system.Gateway, association => DimseCommand.CMove(association.NextMessageId(), WellKnownUids.StudyRootMove, "OTHER"),
            WellKnownUids.StudyRootMove, Query.Identifier("STUDY", Query.Study(study)));
        var responses = await asking.WaitAsync(TimeSpan.FromSeconds(20)); // the time it has for the release is 30 s
        Assert.Equal((0xFF00, 1), (responses[0].Command.Status, responses[0].Command.SubOperations!.Value.Completed)); // the first object is told at once
        Assert.Equal((0x0000, 3), (responses[^1].Command.Status, responses[^1].Command.SubOperations!.Value.Completed));
    }

    [Fact]
    public async Task Who_may_not_call_hears_why()
    {
        var contexts = new[] { Modality.Storage() };
        Assert.Equal("1-7", await RejectedAsync("NOBODY", "MODALITY"));
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__Aes__TITLES__AllowedCallers__0__AeTitle"] = "FRIEND",
                ["Gateway__Aes__NETS__AllowedCallers__0__Network"] = "10.0.0.0/8", ["Gateway__Dimse__MaxAssociations"] = "2",
        });
        Assert.Equal("1-3", await RejectedAsync("TITLES", "STRANGER", gateway));
        Assert.Equal("1-3", await RejectedAsync("NETS", "FRIEND", gateway));
        await using var first = await Modality.Client.ConnectAsync(Modality.Peer(gateway, "TITLES", "FRIEND"), contexts, default);
        await using var second = await Modality.Client.ConnectAsync(Modality.Peer(gateway, "TITLES", "FRIEND"), contexts, default);
        await gateway.UntilAsync(status => status.GetProperty("associations").GetArrayLength() == 2, "both associations are counted");
        Assert.Equal("3-2", await RejectedAsync("TITLES", "FRIEND", gateway));
        // Whom there was no room for stands in the transaction log as the others do.
        Assert.Contains(RejectReason.LocalLimitExceeded.Text, await system.Http.GetStringAsync(gateway.Url + "/api/transactions?kind=Association"),
            StringComparison.Ordinal);

        async Task<string> RejectedAsync(string called, string calling, GatewayProcess? of = null)
        {
            var rejected = await Assert.ThrowsAsync<AssociationRejectedException>(() =>
                Modality.Client.ConnectAsync(Modality.Peer(of ?? system.Gateway, called, calling), contexts, default));
            return $"{rejected.Reason.Source}-{rejected.Reason.Reason}";
        }
    }

    [Fact]
    public async Task A_changed_file_takes_effect_beside_running_associations_and_a_bad_one_is_refused()
    {
        const string Good = """{"Gateway":{"Aes":{"ONE":{}}}}""";
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", configuration: Good);
        await using var running = await Modality.Client.ConnectAsync(Modality.Peer(gateway, "ONE"), [Modality.Storage()], default);
        await File.WriteAllTextAsync(gateway.ConfigurationFile, """{"Gateway":{"Aes":{"TWO":{}}}}""");
        await gateway.UntilAsync(status => status.GetProperty("aeTitles").EnumerateArray().Select(title => title.GetString()).SequenceEqual(["TWO"]),
            "the new AE title");
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(running, GatewaySystem.Object("1.2.3", 1).DataSet(), "1.2.3.1.1"));
        await Assert.ThrowsAsync<AssociationRejectedException>(() =>
            Modality.Client.ConnectAsync(Modality.Peer(gateway, "ONE"), [Modality.Storage()], default));
        await using (await Modality.Client.ConnectAsync(Modality.Peer(gateway, "TWO"), [Modality.Storage()], default)) { }
        foreach (var bad in new[] { """{"Gateway":{"Aes":{"TWO":{"SopClasses":["no uid"]}}}}""", """{"Gateway":{"Dimse":{"MaxAssociations":"many"}}}""", "{",
            """{"Gateway":{"Aes":{"TWO":{}},"Spool":{"Fsync":"none"}}}""", """{"Gateway":{"Aes":{"TWO":{"FallbackCharacterSet":"KOI-8"}}}}""" })
        {
            await File.WriteAllTextAsync(gateway.ConfigurationFile, """{"Gateway":{"Aes":{"TWO":{}}}}""");
            await gateway.UntilAsync(status => status.GetProperty("refusedConfiguration").GetArrayLength() == 0, "nothing is refused");
            await File.WriteAllTextAsync(gateway.ConfigurationFile, bad);
            await gateway.UntilAsync(status => status.GetProperty("refusedConfiguration").GetArrayLength() > 0, "the refusal is named");
            await using (await Modality.Client.ConnectAsync(Modality.Peer(gateway, "TWO"), [Modality.Storage()], default)) { }
        }
        await running.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_port_in_use_a_bad_certificate_and_another_address_on_the_same_port_refuse_the_whole_change()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        var bad = Path.GetTempFileName();
        using var authority = new TestAuthority();
        authority.Issue("own", "gateway");
        const string Good = """{"Gateway":{"Aes":{"ONE":{}}}}""";
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Dimse__Address"] = "" }, configuration: Good);
        foreach (var (change, named) in new[]
        {
            ($$$$$"""{"Gateway":{"Aes":{"TWO":{}},"Dimse":{"Tls":{"Port":{{{{{port}}}}}"""
                + $$$$$""","CertificatePath":"{{{{{authority.At("own.pem")}}}}}","KeyPath":"{{{{{authority.At("own.key")}}}}}"}}}}""", "port cannot be opened"),
            ($$$$$"""{"Gateway":{"Aes":{"TWO":{}},"Dimse":{"Tls":{"Port":{{{{{port}}}}},"CertificatePath":"{{{{{bad}}}}}","KeyPath":"{{{{{bad}}}}}"}}}}""",
                "certificate file"),
            ($$$$$"""{"Gateway":{"Aes":{"TWO":{}},"Destinations":{"new":{"Url":"https://127.0.0.1:9","ClientCertificate":"{{{{{bad}}}}}"}}}}""",
                "Gateway:Destinations:new"),
            ("""{"Gateway":{"Aes":{"TWO":{}},"Dimse":{"Address":"127.0.0.1"}}}""", "Gateway:Dimse:Address"),
        })
        {
            await File.WriteAllTextAsync(gateway.ConfigurationFile, change);
            await gateway.UntilAsync(status => status.GetProperty("refusedConfiguration").ToString().Contains(named, StringComparison.Ordinal),
                "the refusal names " + named);
            Assert.Equal("ONE", (await gateway.StatusAsync()).GetProperty("aeTitles")[0].GetString());
            await using (await Modality.Client.ConnectAsync(Modality.Peer(gateway, "ONE"), [Modality.Storage()], default)) { }
            await File.WriteAllTextAsync(gateway.ConfigurationFile, Good);
            await gateway.UntilAsync(status => status.GetProperty("refusedConfiguration").GetArrayLength() == 0, "nothing is refused");
        }
        File.Delete(bad);
    }

    [Fact]
    public async Task A_file_of_the_spool_that_cannot_be_read_gives_a_query_a_status_and_the_others_their_match()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        foreach (var study in new[] { "1.2.31", "1.2.32" })
            Assert.Equal(0, await Modality.StoreAsync(gateway, GatewaySystem.Object(study, 1).DataSet(), study + ".1.1"));
        var path = Directory.EnumerateFiles(gateway.SpoolFolder, "*.dcm", SearchOption.AllDirectories)
            .First(file => file.Contains("/1.2.31/", StringComparison.Ordinal));
        File.Delete(path);
        File.CreateSymbolicLink(path, path); // ELOOP, whoever opens it
        var found = await Query.FindAsync(gateway, Query.Identifier("STUDY", (0x0020000D, "UI", "")));
        Assert.Equal([0xFF00, 0xC001], found.Select(response => response.Command.Status));
    }
}
