using System.Diagnostics;
using System.Globalization;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Shared;

/// <summary>
/// Associations that come, store, echo, break off and go, for a long time. Memory, open files and threads of the gateway must stay where they were once it was
/// warm.
/// </summary>
public static class GatewaySoak
{
    private const int Clients = 4, ObjectsPerAssociation = 20, ObjectBytes = 525_000;
    private const double MayGrowMiB = 40;
    private const int MayGrowHandles = 40, MayGrowThreads = 12;
    private static readonly Uid SecondaryCapture = Uid.Parse("1.2.840.10008.5.1.4.1.1.7");

    /// <summary>Runs it against an archive that takes everything.</summary>
    /// <returns>What grew.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(TimeSpan duration, Action<string> say)
    {
        await using var archive = await TakingArchive.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(archive.Url);
        using var stop = new CancellationTokenSource();
        var stored = new int[1];
        var clients = Enumerable.Range(0, Clients).Select(number => ClientAsync(gateway, number, stored, stop.Token)).ToArray();
        var period = TimeSpan.FromTicks(Math.Min(TimeSpan.FromMinutes(1).Ticks, duration.Ticks / 8));
        var samples = new List<(double Memory, int Handles, int Threads)>();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < duration;)
        {
            await Task.Delay(period);
            samples.Add(gateway.Footprint());
            say(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed:hh\\:mm\\:ss} {stored[0]} stored, RSS {samples[^1].Memory:0.0} MiB, "
                + $"{samples[^1].Handles} handles, {samples[^1].Threads} threads"));
            if (clients.FirstOrDefault(client => client.IsFaulted) is { } failed) await failed;
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        await gateway.WaitUntilDrainedAsync();
        // The first quarter is for warming up; noise is taken out by medians.
        var (early, late) = (Median(samples.Skip(samples.Count / 4).Take(Math.Max(1, samples.Count / 4))),
            Median(samples.TakeLast(Math.Max(1, samples.Count / 4))));
        var growth = new List<string>();
        if (late.Memory > early.Memory + MayGrowMiB)
            growth.Add(string.Create(CultureInfo.InvariantCulture, $"Memory grew from {early.Memory:0} to {late.Memory:0} MiB"));
        if (late.Handles > early.Handles + MayGrowHandles) growth.Add($"Open files grew from {early.Handles} to {late.Handles}");
        if (late.Threads > early.Threads + MayGrowThreads) growth.Add($"Threads grew from {early.Threads} to {late.Threads}");
        return growth;
    }

    private static (double Memory, int Handles, int Threads) Median(IEnumerable<(double Memory, int Handles, int Threads)> samples)
    {
        var all = samples.ToList();
        return (all.Select(sample => sample.Memory).Order().ElementAt(all.Count / 2),
            all.Select(sample => sample.Handles).Order().ElementAt(all.Count / 2), all.Select(sample => sample.Threads).Order().ElementAt(all.Count / 2));
    }

    private static async Task ClientAsync(GatewayProcess gateway, int number, int[] stored, CancellationToken stopping)
    {
        var client = new AssociationClient(new AssociationOptions(), TimeProvider.System);
        var pixels = new byte[ObjectBytes];
        new Random(number).NextBytes(pixels);
        for (var round = 0; !stopping.IsCancellationRequested; round++)
        {
            await using var association = await client.ConnectAsync(
                new RemoteAe("127.0.0.1", gateway.DimsePort, "DICOMGW", $"SOAK{number}"),
                [new(WellKnownUids.Verification, [TransferSyntax.ImplicitVrLittleEndian.Uid]),
                    new(SecondaryCapture, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
            await association.EchoAsync(default);
            for (var i = 0; i < ObjectsPerAssociation; i++)
            {
                var (study, sop) = ($"1.2.{number}.{round}", $"1.2.{number}.{round}.1.{i}");
                var data = TestObject.Of(study, study + ".1", sop).Add(0x7FE00010, "OW", pixels).DataSet();
                var command = DimseCommand.CStore(association.NextMessageId(), SecondaryCapture, Uid.Parse(sop));
                var response = await association.StoreAsync(command, association.FindContext(SecondaryCapture)!, data.AsMemory(), default);
                if (response.Status != DimseStatus.Success)
                    throw new InvalidOperationException($"C-STORE was answered {response.Status:X4}.\n{gateway.Output}");
                Interlocked.Increment(ref stored[0]);
            }
            // Every third association is left without a release.
            if (round % 3 != 0) await association.ReleaseAsync(default);
        }
    }
}
