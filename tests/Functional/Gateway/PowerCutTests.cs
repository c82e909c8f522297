using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>A killed process keeps what it wrote in the page cache, so only the system calls show what a power cut would leave.</summary>
public sealed class PowerCutTests
{
    private const int Associations = 3, PerAssociation = 14, Destinations = 2;

    [Fact]
    public async Task Write_flush_name_and_folder_flush_come_before_success_and_what_was_flushed_holds_every_object()
    {
        if (!Peers.Require("strace")) return;
        await using var run = await RunAsync("object");
        Assert.Equal(Associations * PerAssociation, run.Cut.Successes.Select(success => success.Sop).Distinct().Count());
        Assert.Empty(run.Cut.Violations(run.Paths));
        for (var i = 0; i < run.Cut.Successes.Count; i++)
        {
            var copy = Path.Combine(run.Folder, "cut" + i);
            run.Cut.Replay(run.Cut.Successes[i].At, copy);
            await using (var spool = new TestSpool(copy))
            {
                var waiting = spool.Spool.Queues.ToDictionary(queue => queue.Destination, queue => spool.Spool.WaitingStudies(queue.Destination)
                    .SelectMany(study => spool.Spool.Waiting(queue.Destination, study)).Select(entry => Path.GetRelativePath(copy, entry.Path)).ToHashSet());
                foreach (var (sop, _) in run.Cut.Successes.Take(i + 1))
                {
                    Assert.Equal(Destinations, run.Paths[sop].Count());
                    foreach (var path in run.Paths[sop].Select(path => Path.GetRelativePath(run.Gateway.SpoolFolder, path)))
                    {
                        Assert.Contains(path, waiting[path.Split('/')[0]]);
                        var bytes = await File.ReadAllBytesAsync(Path.Combine(copy, path));
                        Assert.Equal(path.Split('.')[^2], System.IO.Hashing.XxHash128.HashToUInt128(bytes).ToString("x32"));
                    }
                }
            }
            Directory.Delete(copy, recursive: true);
        }
        Console.WriteLine($"Power cut: {run.Cut.Successes.Count} objects to {Destinations} destinations over {Associations} associations, {run.Calls} "
            + $"system calls, {run.Cut.Successes.Count} replays");
    }

    [Fact]
    public async Task Without_flushes_the_test_finds_every_object_unsafe()
    {
        if (!Peers.Require("strace")) return;
        await using var run = await RunAsync("none");
        var violations = run.Cut.Violations(run.Paths).ToList();
        Assert.All(run.Cut.Successes, success => Assert.Contains(violations, text => text.StartsWith(success.Sop + ":", StringComparison.Ordinal)));
        var copy = Path.Combine(run.Folder, "cut");
        run.Cut.Replay(run.Cut.Successes[^1].At, copy);
        Assert.Empty(Directory.EnumerateFiles(copy, "*", SearchOption.AllDirectories));
    }

    private static async Task<Run> RunAsync(string policy)
    {
        var folder = Directory.CreateTempSubdirectory("power-cut").FullName;
        var trace = Path.Combine(folder, "trace");
        var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__Spool__Fsync"] = policy, ["Gateway__Destinations__second__Url"] = "http://127.0.0.1:9/dicomweb",
                ["Gateway__Transactions__Enabled"] = "false",
        }, null, "strace", "-f", "-yy", "-s", "512", "-e", SystemCalls.Traced, "-o", trace);
        await Task.WhenAll(Enumerable.Range(0, Associations).Select(number => SendAsync(gateway, number)));
        var exit = await gateway.StopAsync();
        Assert.True(exit == 0, gateway.Output);
        var calls = SystemCalls.Read(File.ReadLines(trace));
        var paths = Directory.EnumerateFiles(gateway.SpoolFolder, "*.dcm", SearchOption.AllDirectories).ToLookup(SopOf);
        return new Run(gateway, folder, new PowerCut(calls, gateway.SpoolFolder), paths, calls.Count);
    }

    private static async Task SendAsync(GatewayProcess gateway, int number)
    {
        await using var association = await Modality.ConnectAsync(gateway);
        for (var i = 0; i < PerAssociation; i++)
        {
            // Some share a study, some have one of their own; the largest take several writes.
            var study = i % 2 == 0 ? "1.2.3" : $"1.2.{number}.{i}";
            var sop = $"1.2.9.{number}.{i}";
            var data = TestObject.Of(study, study + ".1", sop).Add(0x7FE00010, "OW", new byte[i % 3 * 200_000]).DataSet();
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, data, sop));
        }
        await association.ReleaseAsync(default);
    }

    private static string SopOf(string path)
    {
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        scanner.Push(File.ReadAllBytes(path));
        scanner.Complete();
        return InstanceUids.Read(scanner.Result!.DataSet).Key.Sop.Value;
    }

    private sealed record Run(GatewayProcess Gateway, string Folder, PowerCut Cut, ILookup<string, string> Paths, int Calls) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
        }
    }
}
