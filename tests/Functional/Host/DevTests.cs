using DicomServerless.Dicom;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Host;

/// <summary>`dotnet run --project dev`, as a newcomer types it.</summary>
public sealed class DevTests(ITestOutputHelper output)
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromMinutes(4), FollowTimeout = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Dev_reaches_ready_follows_foreign_blobs_and_ends_every_child()
    {
        await NodePackages.InstallAsync();
        using var dev = new DevProcess();
        Assert.True(await dev.SaysAsync("Ready", ReadyTimeout), dev.Output);
        output.WriteLine(dev.Output);
        using var http = new HttpClient();
        var studies = JsonDocument.Parse(await http.GetStringAsync($"{dev.Url}/dicomweb/studies")).RootElement;
        Assert.True(studies.GetArrayLength() >= 4);

        // A foreign client puts blobs straight into the containers, under its place's name and under any name.
        var own = TestObject.Of("1.2.840.99.1", "1.2.840.99.1.1", "1.2.840.99.1.1.1").Add(0x00100010, "PN", "Foreign^Put").ToFile();
        var drop = TestObject.Of("1.2.840.99.2", "1.2.840.99.2.1", "1.2.840.99.2.1.1").Add(0x00100010, "PN", "Foreign^Drop").ToFile();
        var name = Archive.Layout.BlobName(new Dicom.InstanceKey(DicomServerless.Dicom.Uid.Parse("1.2.840.99.1"),
            DicomServerless.Dicom.Uid.Parse("1.2.840.99.1.1"), DicomServerless.Dicom.Uid.Parse("1.2.840.99.1.1.1")));
        await dev.NodeAsync("put", "dicom", name, Convert.ToBase64String(own));
        await dev.NodeAsync("put", "inbox", "any name/ü.bin", Convert.ToBase64String(drop));
        await dev.NodeAsync("put", "inbox", "not dicom.txt", Convert.ToBase64String("hello"u8));
        var watch = Stopwatch.StartNew();
        Assert.True(await UntilAsync(async () => await CountAsync(http, dev, "1.2.840.99.1") == 1 && await CountAsync(http, dev, "1.2.840.99.2") == 1),
            "A foreign blob was not found in time.");
        output.WriteLine($"both found {watch.Elapsed.TotalSeconds:F1} s after the puts");
        Assert.Equal(own, await http.GetByteArrayAsync($"{dev.Url}/dicomweb/studies/1.2.840.99.1/series/1.2.840.99.1.1"
            + "/instances/1.2.840.99.1.1.1?accept=application/dicom%3Btransfer-syntax%3D*"));
        Assert.True(await UntilAsync(async () => (await dev.NodeAsync("list", "rejected")).Contains("not dicom.txt", StringComparison.Ordinal)),
            "What is no DICOM was not moved to rejected.");
        Assert.DoesNotContain("ü.bin", await dev.NodeAsync("list", "inbox"), StringComparison.Ordinal);

        await dev.NodeAsync("delete", "dicom", name);
        watch.Restart();
        Assert.True(await UntilAsync(async () => await CountAsync(http, dev, "1.2.840.99.1") == 0), "A blob that was deleted is still found.");
        output.WriteLine($"gone {watch.Elapsed.TotalSeconds:F1} s after the delete");

        Assert.True(await ReadmeCommands.RunAsync(dev.Url, dev.DimsePort, $"http://127.0.0.1:{dev.DashboardPort}", output.WriteLine) > 0,
            "The README has no commands.");

        // A second one on the same ports says what is wrong.
        using var second = new DevProcess(dev.FunctionsPort, dev.AzuritePort);
        Assert.NotEqual(0, await second.EndAsync(signal: null));
        Assert.Contains($"Port {dev.FunctionsPort} is in use", second.Output, StringComparison.Ordinal);

        Assert.Equal(0, await dev.EndAsync("TERM"));
        Assert.True(await UntilAsync(() => Task.FromResult(AreFree(dev))), "A child is still there.");
    }

    [Fact]
    public async Task Stale_state_folder_and_missing_node_are_told_clearly()
    {
        using var stale = new DevProcess(prepare: data => File.WriteAllText(Path.Combine(data, "version"), "0"));
        Assert.NotEqual(0, await stale.EndAsync(signal: null));
        Assert.Contains("Delete it or choose another with --data", stale.Output, StringComparison.Ordinal);
        using var withoutCoreTools = new DevProcess(arguments: ["--host", "func"]);
        Assert.NotEqual(0, await withoutCoreTools.EndAsync(signal: null));
        Assert.Contains("Install the Azure Functions Core Tools", withoutCoreTools.Output, StringComparison.Ordinal);
        // The folder that holds dotnet, from which this process has its runtime, and nothing else.
        using var withoutNode = new DevProcess(path: Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../..")));
        Assert.NotEqual(0, await withoutNode.EndAsync(signal: null));
        Assert.Contains("Install Node", withoutNode.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_samples_there_are_no_studies_and_an_interrupt_ends_it()
    {
        await NodePackages.InstallAsync();
        using var dev = new DevProcess(arguments: ["--no-samples"]);
        Assert.True(await dev.SaysAsync("Ready", ReadyTimeout), dev.Output);
        using var http = new HttpClient();
        using var response = await http.GetAsync($"{dev.Url}/dicomweb/studies");
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        // Not the configuration of a gateway that is installed on this machine.
        Assert.Equal("{}", await File.ReadAllTextAsync(Path.Combine(dev.Data, "gateway.json")));
        Assert.Equal(0, await dev.EndAsync("INT"));
    }

    [Fact]
    public async Task Children_end_with_it_when_it_is_killed()
    {
        await NodePackages.InstallAsync();
        var configuration = Path.GetTempFileName();
        await File.WriteAllTextAsync(configuration, """{"Gateway":{"Aes":{"MINE":{}}}}""");
        using var dev = new DevProcess(arguments: ["--no-samples"], environment: [("GATEWAY_CONFIG", configuration)]);
        Assert.True(await dev.SaysAsync("Ready", ReadyTimeout), dev.Output);
        using (var http = new HttpClient())
            Assert.Contains("\"MINE\"", await http.GetStringAsync($"http://127.0.0.1:{dev.DashboardPort}/api/status"), StringComparison.Ordinal);
        File.Delete(configuration);
        await dev.EndAsync("KILL");
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(15) && !AreFree(dev)) await Task.Delay(50);
        Assert.True(AreFree(dev), "A child is still there.");
    }

    private static bool AreFree(DevProcess dev) => FreePorts.IsFree(dev.FunctionsPort) && FreePorts.IsFree(dev.DimsePort)
        && FreePorts.IsFree(dev.DashboardPort) && FreePorts.IsFree(dev.AzuritePort) && FreePorts.IsFree(dev.AzuritePort + 2);

    private static async Task<int> CountAsync(HttpClient http, DevProcess dev, string study)
    {
        using var response = await http.GetAsync($"{dev.Url}/dicomweb/studies?StudyInstanceUID={study}");
        return response.StatusCode == HttpStatusCode.NoContent ? 0
            : JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetArrayLength();
    }

    private static async Task<bool> UntilAsync(Func<Task<bool>> isTrue)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < FollowTimeout)
        {
            if (await isTrue()) return true;
            await Task.Delay(50);
        }
        return await isTrue();
    }
}
