using System.Globalization;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Archive;

/// <summary>What somebody starts in a history.</summary>
internal enum Move
{
    Store, StoreTwo, Resend, Replace, DeleteInstance, DeleteSeries, DeleteStudy, ForeignPut, ForeignDelete, Event, EventAgain, Sweep, Reconcile, Crash, TimePasses, LongTimePasses,
}

/// <summary>One move, with a number that picks what it is about, and how many storage steps happen before the next.</summary>
internal readonly record struct HistoryMove(Move Move, int Pick, int[] Steps)
{
    public override string ToString() => $"{Move}({Pick}) then [{string.Join(' ', Steps)}]";
}

/// <summary>Some moves, and a number that says in what order what is still under way after the last of them comes to its end.</summary>
internal sealed record History(HistoryMove[] Moves, int Order)
{
    public override string ToString() => $"{string.Join("; ", Moves)}, in order {Order}";
}

/// <summary>
/// One history: two processes with the real archive code over shared stores in memory. Every storage operation is a step, steps of all that is under way are mixed as the
/// numbers say, and a process may die between any two. At the end everything is delivered and swept, and the index must say exactly what the blobs say.
/// </summary>
internal sealed class ArchiveHistory
{
    private static readonly string[] Studies = ["1.2.3.4.1", "1.2.3.4.2"];
    private static readonly string[] Names = ["Alpha^A", "Beta^B", "Gamma^C"];

    private readonly ManualTime clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly StepScheduler scheduler = new();
    private readonly MemoryWorld world;
    private readonly Process[] processes = new Process[2];
    private readonly List<MemoryBlobChange> events = [];
    private readonly List<MemoryBlobChange> delivered = [];
    private readonly List<Operation> operations = [];
    private readonly ArchiveOptions options;
    private int guids;

    private sealed class Process
    {
        public required DicomArchive Archive { get; init; }
        public bool IsAlive { get; set; } = true;
    }

    // An operation of a client, with the time (in steps) between which it happened.
    private sealed class Operation
    {
        public required Func<InstanceKey, bool> Concerns { get; init; }
        public required bool IsStore { get; init; }
        public string? Content { get; set; }
        public required int Started { get; init; }
        public int? Acknowledged { get; set; }
    }

    public ArchiveHistory(IndexingOnStore onStore)
    {
        world = new MemoryWorld(clock);
        world.Dicom.Changed = events.Add;
        world.Inbox.Changed = events.Add;
        options = new ArchiveOptions { OnStore = onStore, JournalDueSeconds = 20, KeepStudySeconds = 1, TombstoneSeconds = 60, DerivedGraceSeconds = 1 };
        for (var i = 0; i < processes.Length; i++) processes[i] = Start(i);
    }

    public string Trace => string.Join('\n', scheduler.Trace);

    /// <summary>Plays the moves and checks the end. Throws what is wrong.</summary>
    public void Play(History history)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(scheduler);
        try
        {
            foreach (var move in history.Moves)
            {
                scheduler.Trace.Add(move.ToString());
                Begin(move);
                scheduler.Run();
                foreach (var step in move.Steps) if (scheduler.Count > 0) scheduler.Release(step % scheduler.Count);
            }
            Settle(history.Order);
            Check();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private Process Start(int index)
    {
        Process process = null!;
        var stores = world.Client(what => scheduler.StepAsync(index, () => process.IsAlive, what), pageSize: 3);
        process = new Process { Archive = new DicomArchive(stores, options, clock, NextGuid, NullLogger<DicomArchive>.Instance) };
        return process;
    }

    private Guid NextGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, ++guids);
        return new Guid(bytes);
    }

    private void Begin(HistoryMove move)
    {
        var process = processes[move.Pick & 1];
        var pick = move.Pick >> 1;
        var key = Key(pick);
        switch (move.Move)
        {
            case Move.Store:
            case Move.Resend:
                Run(StoreAsync(process.Archive, DuplicatePolicy.Reject, (key, move.Move == Move.Resend ? 0 : pick / 8 % 3)));
                break;
            case Move.StoreTwo:
                Run(StoreAsync(process.Archive, DuplicatePolicy.Reject, (key, pick / 8 % 3), (Key(pick + 1), 1)));
                break;
            case Move.Replace:
                Run(StoreAsync(process.Archive, DuplicatePolicy.Replace, (key, pick / 8 % 3)));
                break;
            case Move.DeleteInstance:
                Run(DeleteAsync(process.Archive, key.Study, key.Series, key.Sop));
                break;
            case Move.DeleteSeries:
                Run(DeleteAsync(process.Archive, key.Study, key.Series, null));
                break;
            case Move.DeleteStudy:
                Run(DeleteAsync(process.Archive, key.Study, null, null));
                break;
            case Move.ForeignPut:
                Run(ForeignAsync(key, Content(key, pick / 8 % 3, "9.9")));
                break;
            case Move.ForeignDelete:
                Run(ForeignAsync(key, null));
                break;
            case Move.Event when events.Count > 0:
                Deliver(process, events, pick % events.Count, remove: true);
                break;
            case Move.EventAgain when delivered.Count > 0:
                Deliver(process, delivered, pick % delivered.Count, remove: false);
                break;
            case Move.Sweep:
                Run(process.Archive.Sweeper.SweepAsync(CancellationToken.None));
                break;
            case Move.Reconcile:
                Run(process.Archive.Reconciler.ReconcileAsync(key.Study, CancellationToken.None));
                break;
            case Move.Crash:
                process.IsAlive = false;
                scheduler.Kill(move.Pick & 1);
                processes[move.Pick & 1] = Start(move.Pick & 1);
                break;
            case Move.TimePasses:
                clock.Advance(TimeSpan.FromSeconds(2));
                break;
            case Move.LongTimePasses:
                clock.Advance(TimeSpan.FromSeconds(25));
                break;
        }
    }

    private static InstanceKey Key(int pick)
    {
        var study = Studies[pick % 2];
        var series = (pick / 2 % 2) + 1;
        var sop = (pick / 4 % 2) + 1;
        return new InstanceKey(Uid.Parse(study), Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{study}.{series}")), Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{study}.{series}.{sop}")));
    }

    private static byte[] Content(InstanceKey key, int variant, string implementation)
    {
        var made = TestObject.Of(key.Study.Value, key.Series.Value, key.Sop.Value);
        if (variant != 1) made.Add(0x00100010, "PN", Names[variant]).Add(0x00080020, "DA", string.Create(CultureInfo.InvariantCulture, $"2020010{variant + 1}"));
        return made.Add(0x00080060, "CS", variant == 2 ? "MR" : "CT").Add(0x00100020, "LO", $"ID{variant}").ToFile(implementation);
    }

    private async Task StoreAsync(DicomArchive archive, DuplicatePolicy policy, params (InstanceKey Key, int Variant)[] objects)
    {
        var running = objects.Select(o => new Operation { IsStore = true, Concerns = key => key == o.Key, Started = scheduler.Trace.Count, Content = Convert.ToHexString(DataSetOf(Content(o.Key, o.Variant, "1.1"))) }).ToArray();
        operations.AddRange(running);
        using var batch = archive.Store.Begin(new StoreRequest(null, policy, "test"));
        foreach (var (key, variant) in objects) await batch.ReceiveAsync(new MemoryStream(Content(key, variant, "1.1")), CancellationToken.None);
        var results = await batch.CompleteAsync();
        for (var i = 0; i < results.Count; i++) if (results[i].IsStored) running[i].Acknowledged = scheduler.Trace.Count;
    }

    private async Task DeleteAsync(DicomArchive archive, Uid study, Uid? series, Uid? sop)
    {
        var operation = new Operation { IsStore = false, Started = scheduler.Trace.Count, Concerns = key => key.Study == study && (series is null || key.Series == series) && (sop is null || key.Sop == sop) };
        operations.Add(operation);
        await archive.Removal.DeleteAsync(study, series, sop, CancellationToken.None);
        operation.Acknowledged = scheduler.Trace.Count;
    }

    private async Task ForeignAsync(InstanceKey key, byte[]? content)
    {
        var operation = new Operation { IsStore = content is not null, Started = scheduler.Trace.Count, Concerns = other => other == key, Content = content is null ? null : Convert.ToHexString(DataSetOf(content)) };
        operations.Add(operation);
        var blobs = world.Client().Dicom;
        if (content is null) await blobs.DeleteAsync(Layout.BlobName(key), null, null, CancellationToken.None);
        else await blobs.PutAsync(Layout.BlobName(key), new(content), new(DicomServerless.Storage.BlobCondition.None), CancellationToken.None);
        operation.Acknowledged = scheduler.Trace.Count;
    }

    private void Deliver(Process process, List<MemoryBlobChange> from, int index, bool remove)
    {
        var change = from[index];
        if (remove)
        {
            from.RemoveAt(index);
            delivered.Add(change);
        }
        Run(HandleAsync(process, change));
    }

    // An event whose handling fails or whose handler dies comes again.
    private async Task HandleAsync(Process process, MemoryBlobChange change)
    {
        try
        {
            underWay.Add((process, change));
            await process.Archive.Events.HandleAsync(new BlobEvent(change.IsDeleted, change.Container, change.Name, change.Time, change.ClientRequestId), CancellationToken.None);
            underWay.Remove((process, change));
        }
        catch (IOException)
        {
            underWay.Remove((process, change));
            events.Add(change);
        }
    }

    private readonly List<(Process Process, MemoryBlobChange Change)> underWay = [];
    private readonly List<Task> running = [];

    private void Run(Task task) => running.Add(task);

    // Everything that was started ends, every event arrives, and the sweep goes on until there is nothing left to do.
    private void Settle(int order)
    {
        scheduler.Trace.Add("settle");
        RunInOrder(order);
        for (var round = 0; round < 40; round++)
        {
            foreach (var lost in underWay.Where(item => !item.Process.IsAlive).ToArray())
            {
                underWay.Remove(lost);
                events.Add(lost.Change);
            }
            if (events.Count == 0 && world.Journal.Rows.Count == 0 && round > 0) return;
            while (events.Count > 0) Deliver(processes[round & 1], events, 0, remove: true);
            RunToEnd();
            clock.Advance(TimeSpan.FromSeconds(90));
            RunToEnd();
            Run(processes[round & 1].Archive.Sweeper.SweepAsync(CancellationToken.None));
            RunToEnd();
        }
        throw new InvalidOperationException("The journal does not become empty: " + string.Join(", ", world.Journal.Rows.Keys));
    }

    // In turn; one process after the other; the newest first; or mixed.
    private void RunInOrder(int order)
    {
        var mixed = new Random(order);
        scheduler.Run();
        while (scheduler.Count > 0)
        {
            scheduler.Release(order switch
            {
                0 => 0,
                1 or 2 => scheduler.FirstOf(order - 1),
                3 => scheduler.Count - 1,
                _ => mixed.Next(scheduler.Count),
            });
        }
        RunToEnd();
    }

    private void RunToEnd()
    {
        scheduler.Run();
        while (scheduler.Count > 0) scheduler.Release(0);
        foreach (var failed in running.Where(task => task.IsFaulted)) failed.GetAwaiter().GetResult();
        running.RemoveAll(task => task.IsCompleted);
    }

    private void Check()
    {
        new IndexCheck(world).Run();
        foreach (var key in Enumerable.Range(0, 8).Select(Key)) CheckPromises(key);
    }

    // Acknowledged and not contradicted by anything later or at the same time: stored means there, deleted means gone.
    private void CheckPromises(InstanceKey key)
    {
        var concerning = operations.Where(operation => operation.Concerns(key)).ToArray();
        world.Dicom.Blobs.TryGetValue(Layout.BlobName(key), out var blob);
        var present = blob.Info is null ? null : Convert.ToHexString(DataSetOf(blob.Bytes));
        foreach (var operation in concerning.Where(operation => operation.Acknowledged is not null))
        {
            var rivals = concerning.Where(other => other != operation && (other.Acknowledged is null || other.Acknowledged > operation.Started)).ToArray();
            if (operation.IsStore && !rivals.Any(other => !other.IsStore) && present is null) throw new InvalidOperationException($"Acknowledged and gone: {key}");
            if (operation.IsStore && rivals.Length == 0 && present != operation.Content) throw new InvalidOperationException($"Acknowledged and different: {key}");
            if (!operation.IsStore && !rivals.Any(other => other.IsStore) && present is not null) throw new InvalidOperationException($"Deleted and back: {key}");
        }
    }

    private static byte[] DataSetOf(byte[] file) => file[(144 + BitConverter.ToInt32(file, 140))..];
}
