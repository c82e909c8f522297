using DicomServerless.Archive;
using DicomServerless.Archive.Metadata;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Unit.Archive;

/// <summary>Where bulk data waits that comes apart from its metadata: what is told of a full disk, and of a wrong folder.</summary>
public sealed class BulkSpoolTests
{
    private const int Large = 2 * 1024 * 1024;

    private readonly Lines log = new();

    [Fact]
    public async Task A_folder_that_is_not_there_is_no_lack_of_room_and_is_logged_with_its_key()
    {
        using var spool = new BulkSpool(new UploadMemory(long.MaxValue), Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), log);
        Assert.Equal(SpooledPart.Broken, await spool.AddAsync(new MemoryStream(new byte[Large]), "application/octet-stream", null, default));
        var (level, text) = Assert.Single(log.All);
        Assert.Equal(LogLevel.Error, level);
        Assert.Contains("Archive:BulkSpoolPath", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_kept_is_read_back_and_room_that_is_used_up_is_told_as_such()
    {
        using var spool = new BulkSpool(new UploadMemory(Large * 2), null, log);
        var bytes = Enumerable.Range(0, Large).Select(i => (byte)(i % 251)).ToArray();
        var kept = (await spool.AddAsync(new MemoryStream(bytes), "application/octet-stream", null, default)).Part!;
        var read = new MemoryStream();
        await using (var stream = kept.Open()) await stream.CopyToAsync(read);
        Assert.Equal(bytes, read.ToArray());
        Assert.Equal(SpooledPart.NeverFits, await spool.AddAsync(new MemoryStream(new byte[Large + 1]), "application/octet-stream", null, default));
        Assert.Empty(log.All);
    }

    [Fact]
    public void A_full_disk_is_told_from_other_failures()
    {
        Assert.False(BulkSpool.IsFull(new IOException("A device is broken.", 5)));
        Assert.False(BulkSpool.IsFull(new DirectoryNotFoundException()));
        Assert.False(BulkSpool.IsFull(new UnauthorizedAccessException()));
        if (!OperatingSystem.IsLinux()) return;
        // The one file of Linux that is always full.
        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        Assert.True(BulkSpool.IsFull(Assert.ThrowsAny<IOException>(() => full.Write([1]))));
    }

    private sealed class Lines : ILogger
    {
        public List<(LogLevel Level, string Text)> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add((logLevel, formatter(state, exception)));
    }
}
