using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Transactions;

/// <summary>
/// The transaction log: JSON lines in rolling files. Recording never waits for the disk: a few thousand records are held, and what does not fit is counted as
/// lost, because the log serves the images and not they it.
/// </summary>
internal sealed class TransactionLog(string folder, Func<TransactionOptions> options, TimeProvider time, ILogger<TransactionLog> log) : BackgroundService
{
    private const int Capacity = 16_384;
    private const string Prefix = "transactions-", Extension = ".jsonl";

    private readonly Channel<Transaction> queue = Channel.CreateBounded<Transaction>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private FileStream? file;
    private long lost;

    /// <summary>Raised for each record, on the caller's thread.</summary>
    public event Action<Transaction>? Recorded;

    /// <summary>Records that could not be kept since the start.</summary>
    public long Lost => Interlocked.Read(ref lost);

    /// <summary>Adds a record.</summary>
    public void Record(Transaction record)
    {
        Recorded?.Invoke(record);
        if (!options().Enabled) return;
        if (!options().IncludeUids) record = record with { Study = null, Instance = null };
        if (!queue.Writer.TryWrite(record)) Interlocked.Increment(ref lost);
    }

    /// <summary>Reads the log, the newest records first.</summary>
    public List<Transaction> Read(TransactionFilter filter)
    {
        var found = new List<Transaction>();
        foreach (var path in Files().Reverse())
        {
            if (found.Count >= filter.Limit) break;
            // A file is read in its order and kept to what the limit lets through.
            var ofFile = new Queue<Transaction>();
            foreach (var line in Lines(path))
            {
                if (Parse(line) is not { } record || !filter.Fits(record)) continue;
                ofFile.Enqueue(record);
                if (ofFile.Count > filter.Limit - found.Count) ofFile.Dequeue();
            }
            found.AddRange(ofFile.Reverse());
            if (filter.From is { } from && File.GetLastWriteTimeUtc(path) < from.UtcDateTime.AddHours(-1)) break;
        }
        return found;
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Writer.TryComplete(); // what is held is still written
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await queue.Reader.WaitToReadAsync(CancellationToken.None))
        {
            var batch = new List<Transaction>();
            while (batch.Count < 512 && queue.Reader.TryRead(out var record)) batch.Add(record);
            try
            {
                await WriteAsync(batch);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                GatewayLog.TransactionsLost(log, Interlocked.Add(ref lost, batch.Count), SafeText.Of(exception));
                file?.Dispose();
                file = null;
                await Task.Delay(TimeSpan.FromSeconds(1), time, CancellationToken.None);
            }
        }
        file?.Dispose();
    }

    private async Task WriteAsync(List<Transaction> batch)
    {
        var lines = new MemoryStream();
        foreach (var record in batch)
        {
            JsonSerializer.Serialize(lines, record, TransactionJson.Default.Transaction);
            lines.WriteByte((byte)'\n');
        }
        if (file is null || file.Length + lines.Length > options().FileMiB * 1024L * 1024) Roll();
        await file!.WriteAsync(lines.GetBuffer().AsMemory(0, (int)lines.Length), CancellationToken.None);
        await file.FlushAsync(CancellationToken.None);
    }

    private void Roll()
    {
        file?.Dispose();
        Directory.CreateDirectory(folder);
        // Numbered, not dated: the wall clock may go back.
        var files = Files().ToList();
        var last = files.Count == 0 ? 0 : Number(files[^1]);
        file = new FileStream(Path.Combine(folder, $"{Prefix}{last + 1:D8}{Extension}"), new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        foreach (var old in files.Take(Math.Max(0, files.Count + 1 - options().Files))) File.Delete(old);
    }

    private IEnumerable<string> Files() => !Directory.Exists(folder) ? []
        : Directory.EnumerateFiles(folder, Prefix + "*" + Extension).Where(path => Number(path) > 0).OrderBy(Number);

    private static long Number(string path) => long.TryParse(Path.GetFileNameWithoutExtension(path.AsSpan())[Prefix.Length..], out var number) ? number : 0;

    private static IEnumerable<string> Lines(string path)
    {
        if (!File.Exists(path)) yield break; // the oldest goes when a new one begins
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        while (reader.ReadLine() is { } line) yield return line;
    }

    // The last line of a file may be cut off by a crash.
    private static Transaction? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, TransactionJson.Default.Transaction);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>How records are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Transaction))]
[JsonSerializable(typeof(List<Transaction>))]
internal sealed partial class TransactionJson : JsonSerializerContext;
