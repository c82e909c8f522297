using System.Net;
using System.Net.Sockets;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using static DicomServerless.Functional.Network.Scp;

namespace DicomServerless.Functional.Network;

/// <summary>DCMTK on the other end.</summary>
public sealed class DcmtkTests
{
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");

    [Fact]
    public async Task Echoscu_is_answered()
    {
        if (!Peers.Require("echoscu")) return;
        await using var scp = await StartAsync();
        var (exit, output) = await RunAsync("echoscu", "-v", "--repeat", "5", "127.0.0.1", $"{scp.Port}");
        Assert.True(exit == 0, output);
        (exit, output) = await RunAsync("echoscu", "-v", "-aec", "NOBODY", "127.0.0.1", $"{scp.Port}");
        Assert.NotEqual(0, exit);
        Assert.Contains("Called AE Title Not Recognized", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--max-send-pdu", "4096")]
    [InlineData("-xi")]
    public async Task Storescus_data_set_arrives_bit_by_bit(params string[] options)
    {
        if (!Peers.Require("storescu")) return;
        await using var scp = await StartAsync();
        var sent = TestObject.Of("1.2.3", "1.2.4", "1.2.5").Add(0x00080016, "UI", Ct.Value).Add(0x7FE00010, "OW", new byte[300_000]);
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, sent.ToFile());
        var (exit, output) = await RunAsync("storescu", [.. options, "-v", "127.0.0.1", $"{scp.Port}", file]);
        File.Delete(file);
        Assert.True(exit == 0, output);
        var (syntax, dataSet) = Assert.Single(scp.Stored).Value;
        if (options is ["-xi"]) Assert.Equal(TransferSyntax.ImplicitVrLittleEndian.Uid, syntax);
        else Assert.Equal(sent.DataSet(), dataSet);
    }

    [Fact]
    public async Task Termscu_cannot_end_us()
    {
        if (!Peers.Require("termscu")) return;
        await using var scp = await StartAsync();
        await RunAsync("termscu", "127.0.0.1", $"{scp.Port}");
        var (exit, output) = await RunAsync("echoscu", "127.0.0.1", $"{scp.Port}");
        Assert.True(exit == 0, output);
    }

    [Fact]
    public async Task An_aborting_storescu_is_seen_as_aborting()
    {
        if (!Peers.Require("echoscu")) return;
        await using var scp = await StartAsync();
        var (exit, output) = await RunAsync("echoscu", "--abort", "127.0.0.1", $"{scp.Port}");
        Assert.True(exit == 0, output);
        await scp.Server.StopAsync(TimeSpan.FromSeconds(30), default);
    }

    [Fact]
    public async Task Storescp_takes_what_our_client_sends()
    {
        if (!Peers.Require("storescp")) return;
        var folder = Directory.CreateTempSubdirectory("storescp").FullName;
        var port = FreePorts.Next();
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("storescp", ["--bit-preserving", "-od", folder, $"{port}"])
            { RedirectStandardError = true })!;
        try
        {
            await using var association = await ConnectAsync(port);
            Assert.Equal(0, await association.EchoAsync(default));
            for (var i = 0; i < 3; i++)
            {
                var dataSet = TestObject.Of("1.2.3", "1.2.4", $"1.2.5.{i}")
                    .Add(0x00080016, "UI", Ct.Value).Add(0x7FE00010, "OW", new byte[100_000 * i]).DataSet();
                var response = await association.StoreAsync(
                    DimseCommand.CStore(association.NextMessageId(), Ct, Uid.Parse($"1.2.5.{i}")),
                        association.FindContext(Ct)!, new MemoryStream(dataSet), default);
                Assert.Equal(DimseStatus.Success, response.Status);
                var stored = await File.ReadAllBytesAsync(Directory.GetFiles(folder, $"*1.2.5.{i}*").Single());
                Assert.True(stored.AsSpan().EndsWith(dataSet));
            }
            await association.ReleaseAsync(default);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Orthanc_takes_what_our_client_sends()
    {
        if (!Peers.Require("Orthanc")) return;
        var folder = Directory.CreateTempSubdirectory("orthanc").FullName;
        var port = FreePorts.Next();
        var configuration = Path.Combine(folder, "orthanc.json");
        await File.WriteAllTextAsync(configuration, $$"""{"StorageDirectory":"{{folder}}","IndexDirectory":"{{folder}}","DicomPort":{{port}}"""
            + $$""","DicomAet":"ORTHANC","HttpServerEnabled":false,"DicomAlwaysAllowStore":true,"Plugins":[]}""");
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("Orthanc", [configuration])
            { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = process.StandardError.ReadToEndAsync();
        try
        {
            await using var association = await ConnectAsync(port);
            Assert.Equal(0, await association.EchoAsync(default));
            var dataSet = TestObject.Of("1.2.3", "1.2.4", "1.2.5").Add(0x00080016, "UI", Ct.Value).Add(0x00100020, "LO", "P").DataSet();
            var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Ct, Uid.Parse("1.2.5")),
                association.FindContext(Ct)!, dataSet.AsMemory(), default);
            Assert.Equal(DimseStatus.Success, response.Status);
            await association.ReleaseAsync(default);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    // The program is listening when a connection is taken; until then it is asked again.
    private static async Task<Association> ConnectAsync(int port)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var client = new AssociationClient(new(), TimeProvider.System);
        while (true)
        {
            try
            {
                return await client.ConnectAsync(
                    new("127.0.0.1", port, "ANY-SCP", "SCU"),
                        [new(WellKnownUids.Verification, [TransferSyntax.ImplicitVrLittleEndian.Uid]), new(Ct, [TransferSyntax.ExplicitVrLittleEndian.Uid])],
                        limit.Token);
            }
            catch (IOException e) when (e is not (AssociationRejectedException or AssociationAbortedException))
            {
                await Task.Delay(100, limit.Token);
            }
        }
    }
}
