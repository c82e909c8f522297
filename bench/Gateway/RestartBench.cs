using System.Diagnostics;
using System.Globalization;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>A restart with a very long queue, and storing on top of it.</summary>
internal static class RestartBench
{
    private const int PerStudy = 500;

    public static async Task RunAsync(string[] files, int waiting)
    {
        double empty, full, seconds, resident;
        await using (var gateway = await StoreBench.StoringGatewayAsync("object")) empty =
            await StoreBench.SendAsync(files, 4, gateway.DimsePort, "DICOMGW", noDelay: true);
        await using (var gateway = await StoreBench.StoringGatewayAsync("object"))
        {
            gateway.Kill();
            Fill(gateway.SpoolFolder, waiting);
            var watch = Stopwatch.StartNew();
            await gateway.RestartAsync();
            seconds = watch.Elapsed.TotalSeconds;
            var found = GatewayProcess.Waiting(await gateway.StatusAsync());
            if (found != waiting) throw new InvalidOperationException($"{found} of {waiting} were found.");
            full = await StoreBench.SendAsync(files, 4, gateway.DimsePort, "DICOMGW", noDelay: true);
            resident = gateway.Footprint().ResidentMiB;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n### {waiting} waiting objects: ready {seconds:F1} s after the start (aim 10); storing {full:F0}/s, {full / empty:F2} of an empty spool "
                + $"({empty:F0}/s; aim 0.9); {resident:F0} MiB resident\n"));
    }

    // Names as the spool gives them; the bytes are one file under many names, so that the disk is not measured.
    private static void Fill(string spool, int count)
    {
        var hour = DateTime.UtcNow.AddHours(-2).ToString("yyyyMMddHH", CultureInfo.InvariantCulture);
        var bytes = TestObject.Of("1.2.840.99.1", "1.2.840.99.1.1", "1.2.840.99.1.1.1").ToFile();
        var checksum = System.IO.Hashing.XxHash128.HashToUInt128(bytes);
        string? first = null;
        for (var i = 0; i < count; i++)
        {
            var folder = Path.Combine(spool, "archive", hour, string.Create(CultureInfo.InvariantCulture, $"1.2.840.99.{i / PerStudy + 1}"));
            if (i % PerStudy == 0)
            {
                Directory.CreateDirectory(folder);
                first = null;
            }
            var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i + 1:D12}.{checksum:x32}.dcm"));
            if (first is null) File.WriteAllBytes(first = path, bytes);
            else if (EdgeGateway.Spooling.Posix.AddName(first, path) is var error and not 0) throw new IOException($"The disk answered {error}.");
        }
    }
}
