using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>DCMTK's programs against the whole system.</summary>
public sealed class InteropDcmtkTests(GatewaySystem system) : IClassFixture<GatewaySystem>
{
    private string[] At => ["-aec", "DICOMGW", "127.0.0.1", $"{system.Gateway.DimsePort}"];

    private string[] Tls => ["+tls", system.Authority.At("client.key"), system.Authority.At("client.pem"),
        "+cf", system.Authority.At("ca.pem"), "-aec", "DICOMGW", "localhost", $"{system.TlsPort}"];

    private static string Sample => Path.Combine(Repository.Root, "tests/Samples/ct-small.dcm");

    [Fact]
    public async Task Echo_and_store_and_send_plain_and_with_tls()
    {
        if (!Peers.Require("dcmsend")) return;
        await GatewaySystem.RunAsync(0, "echoscu", At);
        await GatewaySystem.RunAsync(0, "echoscu", Tls);
        await GatewaySystem.RunAsync(0, "storescu", [.. At, Sample]);
        await GatewaySystem.RunAsync(0, "storescu", [.. Tls, Sample]);
        var files = Directory.CreateTempSubdirectory("dcmsend");
        try
        {
            var study = system.NewStudy();
            for (var i = 1; i <= 20; i++) await File.WriteAllBytesAsync(Path.Combine(files.FullName, $"{i}.dcm"), GatewaySystem.Object(study, i).ToFile());
            await GatewaySystem.RunAsync(0, "dcmsend", ["-aec", "DICOMGW", "127.0.0.1", $"{system.Gateway.DimsePort}", "+sd", files.FullName]);
            await system.Gateway.WaitUntilDrainedAsync();
            for (var i = 1; i <= 20; i++)
                Assert.Equal(GatewaySystem.Object(study, i).DataSet(),
                    await WadoDataSet.GetAsync(system.Http, system.DicomWeb, study, $"{study}.1", $"{study}.1.{i}"));
        }
        finally
        {
            files.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Without_a_certificate_or_with_a_strange_one_there_is_no_association()
    {
        if (!Peers.Require("echoscu")) return;
        await GatewaySystem.RunAsync(1, "echoscu", "+tla", "+cf", system.Authority.At("ca.pem"), "-aec", "DICOMGW", "localhost", $"{system.TlsPort}");
        using var stranger = new TestAuthority();
        stranger.Issue("client", "modality");
        await GatewaySystem.RunAsync(1, "echoscu", "+tls", stranger.At("client.key"), stranger.At("client.pem"),
            "+cf", system.Authority.At("ca.pem"), "-aec", "DICOMGW", "localhost", $"{system.TlsPort}");
        await GatewaySystem.RunAsync(0, "echoscu", Tls);
    }

    [Theory]
    [InlineData("-P", "STUDY")]
    [InlineData("-S", "STUDY")]
    public async Task Find_at_every_level_with_wildcards(string root, string level)
    {
        if (!Peers.Require("findscu")) return;
        var study = system.NewStudy();
        await system.StoreAsync(study, 3, patient: study, name: "Zykov^Anna");
        string[] patient = root == "-P" ? ["-k", $"PatientID={study}"] : [];
        var found = await FindAsync(root, [$"QueryRetrieveLevel={level}", "PatientName=Zyk*",
            $"StudyInstanceUID={study}", "StudyDate=20240101-20241231", "NumberOfStudyRelatedInstances"], patient);
        Assert.Equal(1, Responses(found));
        Assert.Contains("[Zykov^Anna]", found, StringComparison.Ordinal);
        Assert.Contains("[3 ]", found, StringComparison.Ordinal);
        Assert.Contains("[DICOMGW ]", found, StringComparison.Ordinal); // Retrieve AE Title
        Assert.Equal(0, Responses(await FindAsync(root, [$"QueryRetrieveLevel={level}", "PatientName=Zyx*", $"StudyInstanceUID={study}"], patient)));
        Assert.Equal(1, Responses(await FindAsync(root, ["QueryRetrieveLevel=SERIES", $"StudyInstanceUID={study}", "SeriesInstanceUID", "Modality"], patient)));
        Assert.Equal(3, Responses(await FindAsync(root,
            ["QueryRetrieveLevel=IMAGE", $"StudyInstanceUID={study}", $"SeriesInstanceUID={study}.1", "SOPInstanceUID", "InstanceNumber"], patient)));
        if (root == "-P") Assert.Equal(1, Responses(await FindAsync(root, ["QueryRetrieveLevel=PATIENT", $"PatientID={study}", "PatientName"], [])));
    }

    [Fact]
    public async Task Find_with_tls_and_cancel()
    {
        if (!Peers.Require("findscu")) return;
        var study = system.NewStudy();
        await system.StoreAsync(study, 30);
        Assert.Equal(1, Responses(await GatewaySystem.RunAsync(0, "findscu",
            ["-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={study}", .. Tls])));
        var cancelled = await GatewaySystem.RunAsync(0, "findscu",
            ["-v", "--cancel", "1", "-S", "-k", "QueryRetrieveLevel=IMAGE", "-k",
            $"StudyInstanceUID={study}", "-k", $"SeriesInstanceUID={study}.1", "-k", "SOPInstanceUID", .. At]);
        Assert.InRange(Responses(cancelled), 1, 30);
    }

    [Fact]
    public async Task Move_to_storescp_and_get()
    {
        if (!Peers.Require("movescu")) return;
        var study = system.NewStudy();
        await system.StoreAsync(study, 5);
        var folder = Directory.CreateTempSubdirectory("storescp");
        try
        {
            await using (await Program.StartAsync("storescp", system.Remotes["DEST"], "--bit-preserving", "-od", folder.FullName, $"{system.Remotes["DEST"]}"))
                await GatewaySystem.RunAsync(0, "movescu", ["-S", "-aem", "DEST", "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={study}", .. At]);
            Same(folder, study);
            await GatewaySystem.RunAsync(0, "getscu",
                ["-S", "-od", folder.FullName, "+B", "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={study}", .. At]);
            Same(folder, study);
            Assert.Contains("0xa801",
                await RunAnyAsync("movescu", ["-d", "-S", "-aem", "NOWHERE", "-k", "QueryRetrieveLevel=STUDY", "-k", $"StudyInstanceUID={study}", .. At]),
                StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Same(DirectoryInfo folder, string study)
    {
        var got = folder.GetFiles().Select(file => Convert.ToHexString(WadoDataSet.DataSetOf(File.ReadAllBytes(file.FullName)))).ToHashSet();
        Assert.Equal(Enumerable.Range(1, 5).Select(i => Convert.ToHexString(GatewaySystem.Object(study, i).DataSet())).ToHashSet(), got);
        foreach (var file in folder.GetFiles()) file.Delete();
    }

    private Task<string> FindAsync(string root, string[] keys, string[] more) =>
        GatewaySystem.RunAsync(0, "findscu", ["-v", root, .. keys.SelectMany(key => new[] { "-k", key }), .. more, .. At]);

    private static async Task<string> RunAnyAsync(string program, string[] arguments) => (await Functional.Network.Scp.RunAsync(program, arguments)).Output;

    private static int Responses(string output) => output.Split('\n').Count(line => line.Contains("Find Response:", StringComparison.Ordinal));
}
