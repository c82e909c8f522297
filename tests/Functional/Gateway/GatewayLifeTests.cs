using System.Net.Sockets;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

public sealed class GatewayLifeTests
{
    [Fact]
    public async Task An_acknowledged_object_waits_over_a_kill_and_the_end_by_sigterm_is_clean()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(gateway, TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").DataSet(), "1.2.3.1.1"));
        gateway.Kill();
        await gateway.RestartAsync();
        Assert.Equal(1, GatewayProcess.Waiting(await gateway.StatusAsync()));
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Theory]
    [InlineData("Gateway:Dimse:Port")]
    [InlineData("Gateway:Dimse:Tls:Port")]
    [InlineData("Gateway:Http:Url")]
    public async Task A_start_on_a_port_in_use_ends_with_the_key_and_what_to_do(string key)
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        using var authority = new TestAuthority();
        authority.Issue("own", "gateway");
        var spool = Directory.CreateTempSubdirectory("gateway-").FullName;
        var (code, output) = await GatewayProcess.RunAsync(
        [
            "--Gateway:Dimse:Address=127.0.0.1", $"--Gateway:Dimse:Port={FreePorts.Next()}", $"--Gateway:Http:Url=http://127.0.0.1:{FreePorts.Next()}",
            "--Gateway:Destinations:archive:Url=http://127.0.0.1:9/dicomweb", $"--Gateway:Spool:Path={spool}",
            $"--Gateway:Dimse:Tls:CertificatePath={authority.At("own.pem")}", $"--Gateway:Dimse:Tls:KeyPath={authority.At("own.key")}",
            $"--{key}={(key == "Gateway:Http:Url" ? "http://127.0.0.1:" : "")}{port}",
        ]);
        Assert.Equal(1, code);
        Assert.DoesNotContain("Unhandled", output, StringComparison.Ordinal);
        Assert.Contains($"The gateway cannot start: {(key == "Gateway:Http:Url" ? key : "Gateway:Dimse")}: ", output, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port}", output, StringComparison.Ordinal);
        Assert.Contains(key, output, StringComparison.Ordinal);
        Directory.Delete(spool, recursive: true);
    }

    // The container's health check must not restart a gateway that goes on with its old configuration.
    [Fact]
    public async Task The_verb_health_finds_the_gateway_whatever_has_become_of_the_configuration()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", configuration: """{"Gateway":{"Aes":{"ONE":{}}}}""");
        await GatewaySystem.UntilAsync(() => Task.FromResult(File.Exists(Path.Combine(gateway.SpoolFolder, ".url"))), "the gateway says where it is");
        foreach (var changed in new[] { """{"Gateway":{"Http":{"Url":"http://127.0.0.1:1"}}}""", """{"Gateway":{"Http":{"Url":"nonsense"}}}""", "{", null })
        {
            if (changed is null) File.Delete(gateway.ConfigurationFile);
            else await File.WriteAllTextAsync(gateway.ConfigurationFile, changed);
            Assert.Equal(0, (await HealthAsync(gateway.SpoolFolder)).ExitCode);
            // Where the running one cannot be found, it ends well and says why.
            var (code, output) = await HealthAsync("/nowhere", $"http://127.0.0.1:{FreePorts.Next()}");
            Assert.Equal(1, code);
            Assert.Contains("not ready: ", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", output, StringComparison.Ordinal);
            if (changed is "{" or null) Assert.Contains("The configuration cannot be read: ", output, StringComparison.Ordinal);
        }
        gateway.Kill();
        Assert.Equal(1, (await HealthAsync(gateway.SpoolFolder)).ExitCode);

        Task<(int ExitCode, string Output)> HealthAsync(string spool, string url = "") => GatewayProcess.RunAsync(["health"], new Dictionary<string, string>
            { ["GATEWAY_CONFIG"] = gateway.ConfigurationFile, ["Gateway__Spool__Path"] = spool, ["Gateway__Http__Url"] = url });
    }

    // With this policy the release is the moment at which a sender may forget what it sent.
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a flush that somebody else asked for has failed before, and has covered the object
    public async Task A_release_after_a_flush_that_failed_is_an_abort(bool waits)
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Spool__Fsync"] = "association" });
        await using var association = await Modality.ConnectAsync(gateway);
        Assert.Equal(0, await Modality.StoreAsync(association, TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").DataSet(), "1.2.3.1.1"));
        // The transaction log makes its folder for its first record, and the spool's with it.
        await GatewaySystem.UntilAsync(() => Task.FromResult(Directory.Exists(Path.Combine(gateway.SpoolFolder, ".transactions"))
            && Directory.EnumerateFiles(Path.Combine(gateway.SpoolFolder, ".transactions")).Any(file => new FileInfo(file).Length > 0)), "a record");
        Directory.Move(gateway.SpoolFolder, gateway.SpoolFolder + ".away");
        try
        {
            const string Failed = "flush of the file system failed";
            if (waits) await gateway.UntilSaysAsync(Failed); // the flush after five seconds
            await Assert.ThrowsAsync<AssociationAbortedException>(async () => await association.ReleaseAsync(default));
            await gateway.UntilSaysAsync(Failed);
        }
        finally
        {
            Directory.Move(gateway.SpoolFolder + ".away", gateway.SpoolFolder);
        }
        // What failed is over: the objects of the next association are flushed.
        await using var other = await Modality.ConnectAsync(gateway);
        Assert.Equal(0, await Modality.StoreAsync(other, TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").DataSet(), "1.2.3.1.1"));
        await other.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_peer_that_never_closes_does_not_hold_up_the_end()
    {
        // The time for closing is an hour; the end of the program is not.
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Dimse__ArtimSeconds"] = "3600" });
        using var silent = new TcpClient("127.0.0.1", gateway.DimsePort);
        using var wrong = new TcpClient("127.0.0.1", gateway.DimsePort);
        await wrong.GetStream().WriteAsync(new byte[] { 0x99, 0, 0, 0, 0, 0 });
        Assert.Equal(10, await wrong.GetStream().ReadAtLeastAsync(new byte[10], 10)); // A-ABORT; then it waits for the peer to close
        await using var open = await Modality.ConnectAsync(gateway);
        Assert.Equal(0, await gateway.StopAsync());
    }

    [Theory]
    [InlineData("Simple")]
    [InlineData("Json")]
    public async Task Log_lines_have_the_date_and_may_be_JSON(string format)
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__LogFormat"] = format });
        Assert.Equal(0, await gateway.StopAsync());
        var line = gateway.Output.Split('\n').First(text => text.Contains("Listening for associations", StringComparison.Ordinal));
        const string Time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z";
        if (format == "Simple") Assert.Matches("^" + Time + " ", line);
        else
        {
            using var json = JsonDocument.Parse(line);
            Assert.Matches("^" + Time, json.RootElement.GetProperty("Timestamp").GetString());
            Assert.Equal(5003, json.RootElement.GetProperty("EventId").GetInt32());
        }
    }

    [Fact]
    public async Task One_device_cannot_take_all_associations()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Dimse__MaxAssociationsPerPeer"] = "1" });
        await using var first = await Modality.ConnectAsync(gateway);
        var rejected = await Assert.ThrowsAsync<AssociationRejectedException>(() => Modality.ConnectAsync(gateway));
        Assert.Equal(RejectReason.LocalLimitExceeded, rejected.Reason);
    }

    [Fact]
    public async Task Requests_that_come_at_once_do_not_pass_the_limit_together()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Dimse__MaxAssociationsPerPeer"] = "2" });
        var attempts = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(TryAsync)));
        var accepted = attempts.OfType<Association>().ToList();
        foreach (var association in accepted) await association.DisposeAsync();
        Assert.Equal(2, accepted.Count);

        async Task<Association?> TryAsync()
        {
            try
            {
                return await Modality.ConnectAsync(gateway);
            }
            catch (AssociationRejectedException)
            {
                return null;
            }
        }
    }
}
