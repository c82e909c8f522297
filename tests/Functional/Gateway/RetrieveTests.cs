using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>What retrieves send, to the object, and how they end (PS3.4 C.4.2, C.4.3).</summary>
public sealed class RetrieveTests(GatewaySystem system) : IClassFixture<GatewaySystem>
{
    // One careless identifier must never bring the whole archive to a workstation.
    [Fact]
    public async Task At_the_level_of_patients_one_patient_is_sent_and_nothing_else()
    {
        var (study, other, waits) = (system.NewStudy(), system.NewStudy(), system.NewStudy());
        await system.StoreAsync(study, 2, patient: "D1A");
        await system.StoreAsync(other, 2, patient: "D1AB", name: "Doe^John");
        await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"]);
        foreach (var keys in new (uint, string, string)[][]
        {
            [], [(0x00100010, "PN", "Doe*")], [(0x00100020, "LO", "")], [(0x00100020, "LO", "*")],
                [(0x00100020, "LO", "D1A*")], [(0x00100020, "LO", "D1?")], [(0x00100020, "LO", "D1A\\D1AB")],
            [(0x00100020, "LO", ""), (0x00100010, "PN", "Doe*")],
        })
        {
            var refused = Assert.Single(await Query.MovePatientAsync(system.Gateway, "OTHER", Query.Identifier("PATIENT", keys)));
            Assert.Equal(0xA900, refused.Command.Status);
            Assert.Contains("Patient ID", refused.Command.ErrorComment, StringComparison.Ordinal);
        }
        Assert.Empty(destination.Stored);
        var moved = await Query.MovePatientAsync(system.Gateway, "OTHER", Query.Identifier("PATIENT", (0x00100020, "LO", "D1A"), (0x00100010, "PN", "Nobody")));
        Assert.Equal(0x0000, moved[^1].Command.Status);
        Assert.Equal([$"{study}.1.1", $"{study}.1.2"], destination.Stored.Keys.Order());
    }

    // By mistake, or since the wrong name was chosen at the modality: the study is one patient's, and some of its objects are another's.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_study_with_objects_of_two_patients_each_gets_its_own(bool waits)
    {
        var (study, a, b) = (system.NewStudy(), $"A{Random.Shared.NextInt64()}", $"B{Random.Shared.NextInt64()}");
        // Without an archive that takes them they wait.
        await using var offline = waits ? await GatewayProcess.StartAsync($"http://127.0.0.1:{FreePorts.Next()}/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__RemoteAes__OTHER__Host"] = "127.0.0.1", ["Gateway__RemoteAes__OTHER__Port"] = $"{system.Remotes["OTHER"]}",
        }) : null;
        var gateway = offline ?? system.Gateway;
        for (var i = 1; i <= 4; i++)
        {
            var bytes = GatewaySystem.Object(study, i, patient: i is 1 or 4 ? b : a).DataSet();
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, bytes, $"{study}.1.{i}"));
        }
        if (!waits) await gateway.WaitUntilDrainedAsync();
        foreach (var (patient, numbers) in new[] { (a, (int[])[2, 3]), (b, [1, 4]) })
        {
            await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"]);
            await Query.MovePatientAsync(gateway, "OTHER", Query.Identifier("PATIENT", (0x00100020, "LO", patient)));
            Assert.Equal(numbers.Select(number => $"{study}.1.{number}"), destination.Stored.Keys.Order());
            if (!waits) continue; // a study in the archive is one patient's (docs/dicomweb.md)
            var found = await Query.FindAsync(gateway, Query.Identifier("STUDY", (0x00100020, "LO", patient), (0x0020000D, "UI", "")));
            Assert.Single(found, response => response.DataSet is not null);
        }
    }

    [Theory]
    [InlineData("link", false)] // ELOOP, whoever opens it
    [InlineData("folder", false)] // refused as a file without permission is
    [InlineData("link", true)]
    public async Task A_waiting_file_that_cannot_be_read_fails_its_own_object_and_no_other(string trouble, bool isGet)
    {
        var study = system.NewStudy();
        await using var gateway = await GatewayProcess.StartAsync($"http://127.0.0.1:{FreePorts.Next()}/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__RemoteAes__OTHER__Host"] = "127.0.0.1", ["Gateway__RemoteAes__OTHER__Port"] = $"{system.Remotes["OTHER"]}",
        });
        for (var i = 1; i <= 5; i++) Assert.Equal(0, await Modality.StoreAsync(gateway, GatewaySystem.Object(study, i).DataSet(), $"{study}.1.{i}"));
        var first = Directory.EnumerateFiles(gateway.SpoolFolder, "*.dcm", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        File.Delete(first);
        if (trouble == "link") File.CreateSymbolicLink(first, first);
        else Directory.CreateDirectory(first);
        var (command, failed, arrived) = isGet ? await GetAsync() : await MoveAsync();
        var counts = command.SubOperations!.Value;
        Assert.Equal((0xB000, 4, 1, $"{study}.1.1"), (command.Status, (int)counts.Completed, (int)counts.Failed, string.Join(',', failed)));
        Assert.Equal([.. Enumerable.Range(2, 4).Select(i => $"{study}.1.{i}")], arrived.Order());

        async Task<(DimseCommand, string[], ICollection<string>)> MoveAsync()
        {
            await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"]);
            var (last, list) = await Query.MoveAsync(gateway, study, "OTHER");
            return (last, list, destination.Stored.Keys);
        }

        async Task<(DimseCommand, string[], ICollection<string>)> GetAsync()
        {
            var got = new List<string>();
            var (last, list) = await Query.GetAsync(gateway, study, got);
            return (last, list, got);
        }
    }

    // A terminal that shows the log would obey what a peer wrote there.
    [Fact]
    public async Task A_destination_with_control_characters_is_refused_in_words_without_them()
    {
        var (command, _) = await Query.MoveAsync(system.Gateway, system.NewStudy(), "EVIL\u001b[2J");
        Assert.Equal((0xA801, "No remote AE is configured with the title EVIL?[2J"), (command.Status, command.ErrorComment));
        await system.Gateway.UntilSaysAsync("EVIL?[2J");
        Assert.DoesNotContain("\u001b", system.Gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_relational_retrieve_needs_the_unique_key_of_its_level_all_the_same()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 2);
        await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"]);
        foreach (var identifier in new[] { Query.Identifier("PATIENT"), Query.Identifier("STUDY"),
            Query.Identifier("SERIES"), Query.Identifier("IMAGE"), Query.Identifier("IMAGE", Query.Study(study)) })
            Assert.Equal(0xA900, (await RelationalAsync(identifier)).Status);
        Assert.Empty(destination.Stored);
        Assert.Equal(0x0000, (await RelationalAsync(Query.Identifier("IMAGE", (0x00080018, "UI", study + ".1.2")))).Status);
        Assert.Equal([$"{study}.1.2"], destination.Stored.Keys);

        async Task<DimseCommand> RelationalAsync(byte[] identifier)
        {
            var move = WellKnownUids.PatientRootMove;
            await using var association = await Modality.Client.ConnectAsync(
                Modality.Peer(system.Gateway), [new(move, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default, new UserInformation
                    { ExtendedNegotiations = [new ExtendedNegotiation(move, new byte[] { 1 })] });
            Assert.Equal(1, Assert.Single(association.ExtendedNegotiations).Information.Span[0]);
            var command = DimseCommand.CMove(association.NextMessageId(), move, "OTHER");
            await association.SendAsync(command, association.FindContext(move)!, identifier, default);
            while (true)
            {
                var response = (await association.ReceiveResponseAsync(command.MessageId, default))!;
                if (response.Command.Status != DimseStatus.Pending) return response.Command;
            }
        }
    }

    [Theory]
    [InlineData(0x0000, 0x0000, 2, 0, 0)]
    [InlineData(0xB000, 0xB000, 0, 0, 2)]
    [InlineData(0xB007, 0xB000, 0, 0, 2)]
    [InlineData(0x0107, 0xB000, 0, 0, 2)]
    [InlineData(0x0111, 0xB000, 0, 0, 2)] // it has the object already: nothing is missing there
    [InlineData(0xA700, 0xA702, 0, 2, 0)]
    public async Task The_final_status_and_the_counts_follow_what_the_destination_answered(int answered, int status, int completed, int failed, int warnings)
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 2);
        await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"], status: (ushort)answered);
        var (command, _) = await Query.MoveAsync(system.Gateway, study, "OTHER");
        var counts = command.SubOperations!.Value;
        Assert.Equal((status, completed, failed, warnings), (command.Status, counts.Completed, counts.Failed, counts.Warning));
    }

    [Fact]
    public async Task A_duplicate_at_the_destination_is_a_failure_by_option()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 1);
        await using var gateway = await GatewayProcess.StartAsync(system.DicomWeb, new Dictionary<string, string>
        {
            ["Gateway__Query__DuplicatesFail"] = "true", ["Gateway__RemoteAes__OTHER__Host"] = "127.0.0.1",
                ["Gateway__RemoteAes__OTHER__Port"] = $"{system.Remotes["OTHER"]}",
        });
        await using var destination = await TestScp.StartAsync(system.Remotes["OTHER"], status: DimseStatus.DuplicateSopInstance);
        Assert.Equal(0xA702, (await Query.MoveAsync(gateway, study, "OTHER")).Command.Status);
    }

    [Fact]
    public async Task Cancel_is_heard_while_the_destination_is_silent_and_the_peer_hears_that_the_work_goes_on()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 2);
        await using var silent = await TestScp.StartAsync(system.Remotes["OTHER"], status: 0xFFFF);
        var move = WellKnownUids.StudyRootMove;
        await using var association = await Modality.Client.ConnectAsync(Modality.Peer(system.Gateway),
            [new(move, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
        var command = DimseCommand.CMove(association.NextMessageId(), move, "OTHER");
        await association.SendAsync(command, association.FindContext(move)!, Query.Identifier("STUDY", Query.Study(study)), default);
        // Pending although no object has come through: some peers leave after half a minute of silence.
        var first = (await association.ReceiveResponseAsync(command.MessageId, default))!.Command;
        Assert.Equal((DimseStatus.Pending, 2), (first.Status, first.SubOperations!.Value.Remaining));
        await association.SendAsync(DimseCommand.CCancel(command.MessageId), association.FindContext(move)!, default);
        DimseCommand last;
        do last = (await association.ReceiveResponseAsync(command.MessageId, default).AsTask().WaitAsync(TimeSpan.FromSeconds(20)))!.Command;
        while (last.Status == DimseStatus.Pending);
        Assert.Equal((DimseStatus.Cancel, 2), (last.Status, last.SubOperations!.Value.Remaining));
        await association.ReleaseAsync(default);
    }

    // PS3.4 C.4.2.1.4: the object that was on its way has not arrived and remains; PS3.7 9.3.4.3: the association that asked goes on.
    [Fact]
    public async Task Cancel_is_heard_while_the_destination_reads_nothing_within_an_object()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 1);
        // More than the sockets' buffers hold.
        var large = GatewaySystem.Object(study, 2).Add(0x7FE00010, "OB", new byte[48 << 20]).DataSet();
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(system.Gateway, large, study + ".1.2"));
        await system.Gateway.WaitUntilDrainedAsync();
        await using var deaf = await TestScp.StartAsync(system.Remotes["OTHER"], isDeaf: true);
        var move = WellKnownUids.StudyRootMove;
        await using var association = await Modality.Client.ConnectAsync(Modality.Peer(system.Gateway),
            [new(move, [TransferSyntax.ExplicitVrLittleEndian.Uid]), new(WellKnownUids.Verification, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
        var command = DimseCommand.CMove(association.NextMessageId(), move, "OTHER");
        await association.SendAsync(command, association.FindContext(move)!, Query.Identifier("IMAGE", Query.Study(study),
            (0x0020000E, "UI", study + ".1"), (0x00080018, "UI", study + ".1.2")), default);
        Assert.Equal(DimseStatus.Pending, (await association.ReceiveResponseAsync(command.MessageId, default))!.Command.Status);
        await association.SendAsync(DimseCommand.CCancel(command.MessageId), association.FindContext(move)!, default);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        DimseCommand last;
        do last = (await association.ReceiveResponseAsync(command.MessageId, default))!.Command;
        while (last.Status == DimseStatus.Pending);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        var counts = last.SubOperations!.Value;
        Assert.Equal((DimseStatus.Cancel, 1, 0, 0), (last.Status, (int)counts.Remaining!, (int)counts.Completed, (int)counts.Failed));
        Assert.Equal(DimseStatus.Success, await association.EchoAsync(default));
        await association.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_peer_that_releases_before_the_end_leaves_a_record_that_says_so()
    {
        var study = system.NewStudy();
        await system.StoreAsync(study, 1);
        await using var silent = await TestScp.StartAsync(system.Remotes["OTHER"], status: 0xFFFF);
        var move = WellKnownUids.StudyRootMove;
        var association = await Modality.Client.ConnectAsync(Modality.Peer(system.Gateway, calling: "LEAVER"),
            [new(move, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
        var command = DimseCommand.CMove(association.NextMessageId(), move, "OTHER");
        await association.SendAsync(command, association.FindContext(move)!, Query.Identifier("STUDY", Query.Study(study)), default);
        await association.ReceiveResponseAsync(command.MessageId, default);
        await association.ReleaseAsync(default);
        await GatewaySystem.UntilAsync(async () => (await system.Http.GetStringAsync(system.Gateway.Url + "/api/transactions?kind=Retrieve")) is var text
            && text.Contains("LEAVER", StringComparison.Ordinal)
                && text.Contains("released the association before", StringComparison.Ordinal), "the record of the retrieve");
    }

    [Fact]
    public async Task Objects_are_taken_over_storage_contexts_alone()
    {
        var study = system.NewStudy();
        foreach (var other in new[] { WellKnownUids.Verification, WellKnownUids.StudyRootFind, WellKnownUids.StorageCommitmentPushModel })
        {
            await using var association = await Modality.Client.ConnectAsync(Modality.Peer(system.Gateway),
                [new(other, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
            var command = DimseCommand.CStore(association.NextMessageId(), other, Uid.Parse(study + ".1.1"), null, null);
            await association.SendAsync(command, association.FindContext(other)!,
                GatewaySystem.Object(study, 1).Add(0x00080016, "UI", other.Value).DataSet(), default);
            Assert.Equal(DimseStatus.SopClassNotSupported, (await association.ReceiveResponseAsync(command.MessageId, default))!.Command.Status);
        }
    }

    [Fact]
    public async Task An_object_of_another_patient_is_kept_and_told()
    {
        var study = system.NewStudy();
        await using var association = await Modality.ConnectAsync(system.Gateway);
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, GatewaySystem.Object(study, 1, patient: "FIRST").DataSet(), study + ".1.1"));
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, GatewaySystem.Object(study, 2, patient: "SECOND").DataSet(), study + ".1.2"));
        await association.ReleaseAsync(default);
        var records = await system.Http.GetStringAsync(system.Gateway.Url + "/api/transactions?kind=Store");
        Assert.Contains("objects of another patient", records, StringComparison.Ordinal);
        Assert.DoesNotContain("SECOND", records, StringComparison.Ordinal);
    }
}
