using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using DicomServerless.Shared;
using DicomServerless.Shared.Worker;

namespace DicomServerless.Bench.Archive;

/// <summary>Peak resident memory of the published program (VmHWM), a process of its own for every figure.</summary>
internal sealed class MemoryBench(string executable, CtObjects objects, bool isQuick)
{
    private const double AimMiB = 250;
    private const string Study = "1.2.840.113619.2.30.9.1", Series = Study + ".1", Sop = Study + ".2";
    private readonly long large = isQuick ? 100_000_000 : 600_000_000;
    private readonly int instances = isQuick ? 200 : 2000;
    private readonly byte[] buffer = new byte[128 * 1024];

    public static async Task RunAsync(bool isQuick) => await new MemoryBench(await PublishedProgram.PathAsync(), new CtObjects(), isQuick).RunAsync();

    private async Task RunAsync()
    {
        Console.WriteLine("\n## Peak resident memory of the program\n\n| | MiB | aim |\n|---|---|---|");
        using var http = ArchiveBench.Client();
        var instance = $"/dicomweb/studies/{Study}/series/{Series}/instances/{Sop}";
        await DirectAsync(async (program, show) =>
        {
            show("started");
            await ArchiveBench.StowAsync(http, program.Url, new LargeContent(large, isChunked: true));
            show($"store one object of {large / 1_000_000} MB, chunked");
            await program.KillAndRestartAsync();
            await GetAsync(http, program.Url + instance, large);
            show("retrieve it");
        });
        await DirectAsync(async (program, show) =>
        {
            await ArchiveBench.StowAsync(http, program.Url, new LargeContent(large, isChunked: false));
            show($"store one object of {large / 1_000_000} MB, with Content-Length");
        });
        await DirectAsync(async (program, show) =>
        {
            await ArchiveBench.StowAsync(http, program.Url, new StowContent(objects, 1, 0, instances, isChunked: true));
            show($"store a study of {instances} instances in one request");
            await program.KillAndRestartAsync();
            await GetAsync(http, $"{program.Url}/dicomweb/studies/{CtObjects.StudyUid(1)}", (long)instances * objects.Length);
            show("retrieve it");
            await program.KillAndRestartAsync();
            await ArchiveBench.GetAsync(http, $"{program.Url}/dicomweb/studies/{CtObjects.StudyUid(1)}/metadata", "application/dicom+json", buffer);
            show("its metadata");
        });
        await HostAsync(http, large + 1_000_000, async (host, show) =>
        {
            await ArchiveBench.StowAsync(http, host.Url, new LargeContent(large, isChunked: false));
            show($"under the Functions host, its limit raised: store {large / 1_000_000} MB with Content-Length");
            await GetAsync(http, host.Url + instance, large);
            show("and retrieve it");
        });
        await HostAsync(http, 104_857_600, async (host, show) =>
        {
            using var refused = await http.PostAsync(new Uri(host.Url + "/dicomweb/studies"), new LargeContent(200_000_000, isChunked: false));
            if (refused.StatusCode != HttpStatusCode.InternalServerError)
                throw new InvalidOperationException($"The host should have answered 500, not {(int)refused.StatusCode}.");
            await ArchiveBench.StowAsync(http, host.Url, new LargeContent(large, isChunked: true));
            show($"under the Functions host, its limit as it is: 200 MB with Content-Length is 500; store {large / 1_000_000} MB, chunked");
        });
        Console.WriteLine();
    }

    private async Task DirectAsync(Func<FunctionsProcess, Action<string>, Task> run)
    {
        using var azurite = await Azurite.StartAsync();
        using var program = await FunctionsProcess.StartAsync(azurite.ConnectionString, executable: executable);
        await run(program, name => Show(name, program.PeakResidentMiB()));
    }

    private async Task HostAsync(HttpClient http, long bodyLimit, Func<WorkerHost, Action<string>, Task> run)
    {
        using var azurite = await Azurite.StartAsync();
        await using var host = await WorkerHost.StartAsync(executable + ".dll", new Dictionary<string, string>
            { ["DataStorage"] = azurite.ConnectionString }, bodyLimit);
        await run(host, name => Show(name, FunctionsProcess.PeakResidentMiB(host.ProcessId)));
    }

    private async Task GetAsync(HttpClient http, string url, long atLeast)
    {
        if (await ArchiveBench.GetAsync(http, url, "multipart/related; type=\"application/dicom\"; transfer-syntax=*", buffer) < atLeast)
            throw new InvalidOperationException("The answer is not whole.");
    }

    private static void Show(string name, double mebibytes) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {mebibytes:F0} | < {AimMiB} {ArchiveBench.Verdict(mebibytes < AimMiB)} |"));

    /// <summary>One multi-frame object of 512 × 512 pixels of 16 bits, made while it is sent.</summary>
    private sealed class LargeContent : HttpContent
    {
        private const int FrameBytes = 512 * 512 * 2;
        private static readonly byte[] Pixels = new byte[128 * 1024];
        private readonly byte[] head;
        private readonly long pixelBytes;
        private readonly bool isChunked;

        public LargeContent(long length, bool isChunked)
        {
            this.isChunked = isChunked;
            var frames = length / FrameBytes + 1;
            pixelBytes = frames * FrameBytes;
            for (var i = 0; i < Pixels.Length; i++) Pixels[i] = (byte)(i * 7 + (i >> 8));
            var file = TestObject.Of(Study, Series, Sop)
                .Add(0x00280002, "US", [1, 0]).Add(0x00280004, "CS", "MONOCHROME2").Add(0x00280008, "IS", frames.ToString(CultureInfo.InvariantCulture))
                .Add(0x00280010, "US", [0, 2]).Add(0x00280011, "US", [0, 2]).Add(0x00280100, "US", [16, 0])
                    .Add(0x00280101, "US", [16, 0]).Add(0x00280102, "US", [15, 0]).Add(0x00280103, "US", [0, 0])
                .ToFile();
            head = [.. file, 0xE0, 0x7F, 0x10, 0x00, (byte)'O', (byte)'W', 0, 0, .. BitConverter.GetBytes((uint)pixelBytes)];
            Headers.ContentType = MediaTypeHeaderValue.Parse("application/dicom");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(head);
            for (var left = pixelBytes; left > 0; left -= Pixels.Length) await stream.WriteAsync(Pixels.AsMemory(0, (int)Math.Min(left, Pixels.Length)));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = head.Length + pixelBytes;
            return !isChunked;
        }
    }
}
