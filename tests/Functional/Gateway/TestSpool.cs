using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Gateway;

/// <summary>A spool in a folder of its own, which goes with it.</summary>
internal sealed class TestSpool : IAsyncDisposable
{
    private readonly bool ownsFolder;
    private readonly Func<string, int>? flushFolder;

    public TestSpool(string? path = null, TimeProvider? time = null, Action<SpoolOptions>? configure = null, Func<string, int>? flushFolder = null)
    {
        this.flushFolder = flushFolder;
        ownsFolder = path is null;
        Options = new SpoolOptions { Path = path ?? Path.Combine(Path.GetTempPath(), "spool-" + Guid.NewGuid().ToString("n")), MinFreeMiB = 0 };
        Time = time ?? TimeProvider.System;
        configure?.Invoke(Options);
        Spool = Open();
    }

    public SpoolOptions Options { get; }
    public TimeProvider Time { get; }
    public Spool Spool { get; private set; }

    /// <summary>Closes it and opens it again, as a restart does.</summary>
    public async Task RestartAsync()
    {
        await Spool.DisposeAsync();
        Spool = Open();
    }

    /// <summary>Stores an object; its study is of the number, so is its SOP Instance UID.</summary>
    public async Task<CommitResult> StoreAsync(string study, string sop, string text = "v1", string called = "AE", params string[] destinations)
    {
        await using var writer = Spool.TryBegin(destinations.Length == 0 ? ["archive"] : destinations)!;
        writer.Append(File(study, sop, text, called));
        return await writer.CommitAsync(Uid.Parse(study));
    }

    public static byte[] File(string study, string sop, string text = "v1", string called = "AE", int pixels = 0)
    {
        var data = TestObject.Of(study, study + ".1", sop).Add(0x00081030, "LO", text);
        if (pixels > 0) data.Add(0x7FE00010, "OW", new byte[pixels]);
        return [.. Part10.Header(Uid.Parse("1.2.840.10008.5.1.4.1.1.7"), Uid.Parse(sop), Uid.Parse("1.2.840.10008.1.2.1"), "SCANNER", "SCANNER", called),
            .. data.DataSet()];
    }

    public string[] Files(string folder = "archive") =>
        Directory.Exists(Path.Combine(Spool.Root, folder)) ? Directory.GetFiles(Path.Combine(Spool.Root, folder), "*.dcm", SearchOption.AllDirectories) : [];

    public async ValueTask DisposeAsync()
    {
        await Spool.DisposeAsync();
        if (ownsFolder) Directory.Delete(Options.Path, recursive: true);
    }

    private Spool Open() => Spool.Open(Options, Time, NullLogger.Instance, flushFolder);
}
