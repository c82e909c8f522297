using System.Globalization;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Archive;

/// <summary>What somebody starts in a history.</summary>
internal enum Move
{
    Store, StoreTwo, Resend, Replace, DeleteInstance, DeleteSeries, DeleteStudy, ForeignPut,
        ForeignDelete, ForeignBreak, Event, EventAgain, Sweep, Reconcile, Crash, TimePasses, LongTimePasses,
    Retrieve, Cancel, Fail, StoreMany, DeleteMany, ForeignDeleteMany,
}

/// <summary>One move, with a number that picks what it is about, and how many storage steps happen before the next.</summary>
internal readonly record struct HistoryMove(Move Move, int Pick, int[] Steps)
{
    public override string ToString() => $"{Move}({Pick}) then [{string.Join(' ', Steps)}]";
}

/// <summary>
/// Some moves, and a number that says in what order what is still under way after the last of them comes to its end. In a history without events nothing tells
/// the archive of a blob but its own journal; then nobody else changes blobs.
/// </summary>
internal sealed record History(HistoryMove[] Moves, int Order, bool IsWithoutEvents = false)
{
    public override string ToString() => $"{string.Join("; ", Moves)}, in order {Order}{(IsWithoutEvents ? ", without events" : "")}";
}

/// <summary>A fault in one storage operation of a move.</summary>
/// <param name="Step">At which step of the move, from 0.</param>
/// <param name="IsCancellation">Whether the client leaves there; else the operation fails.</param>
/// <param name="Crash">After how many further steps, the newest first, the process dies; null if it does not.</param>
internal readonly record struct HistoryFault(int Step, bool IsCancellation, int? Crash);

/// <summary>
/// One history: two processes with the real archive code over shared stores in memory. Every storage operation is a step, steps of all that is under way are
/// mixed as the numbers say, and a process may die between any two. At the end everything is delivered and swept, and the index must say exactly what the blobs
/// say.
/// </summary>
internal sealed class ArchiveHistory
{
    private static readonly string[] Studies = ["1.2.3.4.1", "1.2.3.4.2"];
    private static readonly string[] Names = ["Alpha^A", "Beta^B", "Gamma^C"];
    private static readonly Uid LargeStudy = Uid.Parse("1.2.3.4.3");
    private const int LargeInstances = 230, LargeSeries = 115;

    private readonly ManualTime clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly StepScheduler scheduler = new();
    private readonly MemoryWorld world;
    private readonly Process[] processes = new Process[2];
    private readonly List<MemoryBlobChange> events = [];
    private readonly List<MemoryBlobChange> delivered = [];
    private readonly List<Operation> operations = [];
    private readonly ArchiveOptions options;
    private readonly List<CancellationTokenSource> requests = [];
    private readonly int pageSize;
    private bool isWithoutEvents, hasFaults;
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

    public ArchiveHistory(IndexingOnStore onStore, int pageSize = 3, int writesPerRequest = 4)
    {
        this.pageSize = pageSize;
        world = new MemoryWorld(clock);
        world.Dicom.Changed = events.Add;
        world.Inbox.Changed = events.Add;
        options = new ArchiveOptions { OnStore = onStore, JournalDueSeconds = 20, KeepStudySeconds = 1,
            TombstoneSeconds = 60, DerivedGraceSeconds = 1, WritesPerRequest = writesPerRequest };
        for (var i = 0; i < processes.Length; i++) processes[i] = Start(i);
    }

    public string Trace => string.Join('\n', scheduler.Trace);

    /// <summary>Plays the moves and checks the end. Throws what is wrong.</summary>
    public void Play(History history) => OnScheduler(() =>
    {
        isWithoutEvents = history.IsWithoutEvents;
        foreach (var move in history.Moves)
        {
            scheduler.Trace.Add(move.ToString());
            Begin(move);
            scheduler.Run();
            foreach (var step in move.Steps) if (scheduler.Count > 0) scheduler.Release(step % scheduler.Count);
        }
        Settle(history.Order);
        Check();
    });

    /// <summary>
    /// Plays all moves but the last without a fault, one after the other, and the last with one. False if the last one ends before the step of the fault.
    /// </summary>
    public bool PlayWithFault(History history, HistoryFault fault)
    {
        var isReached = false;
        OnScheduler(() =>
        {
            isWithoutEvents = history.IsWithoutEvents;
            foreach (var move in history.Moves[..^1])
            {
                Begin(move);
                RunToEnd();
                clock.Advance(TimeSpan.FromSeconds(2));
                RunToEnd();
            }
            scheduler.Trace.Add($"{history.Moves[^1]} with {fault}");
            Begin(history.Moves[^1]);
            scheduler.Run();
            for (var step = 0; step < fault.Step && scheduler.Count > 0; step++) scheduler.Release(0);
            isReached = scheduler.Count > 0;
            if (isReached) Strike(fault, history.Moves[^1].Pick & 1);
            Settle(history.Order);
            Check();
        });
        return isReached;
    }

    // Two seconds after the fault the process lets go of the study, and with that of its journal row, unless something of it is still under way.
    private void Strike(HistoryFault fault, int process)
    {
        hasFaults = true;
        if (fault.IsCancellation) requests[^1].Cancel();
        else scheduler.Fail(0, new StorageFault());
        scheduler.Run();
        clock.Advance(TimeSpan.FromSeconds(2));
        scheduler.Run();
        for (var step = 0; step < fault.Crash && scheduler.Count > 0; step++) scheduler.Release(scheduler.Count - 1);
        if (fault.Crash is not null) Crash(process);
    }

    private void Crash(int index)
    {
        scheduler.Trace.Add("crash");
        processes[index].IsAlive = false;
        scheduler.Kill(index);
        processes[index] = Start(index);
    }

    private void OnScheduler(Action play)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(scheduler);
        try
        {
            play();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private Process Start(int index)
    {
        Process process = null!;
        var stores = world.Client(what => scheduler.StepAsync(index, () => process.IsAlive, what), pageSize);
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
                Run(token => StoreAsync(process.Archive, DuplicatePolicy.Reject, token, (key, Content(key, move.Move == Move.Resend ? 0 : pick / 8 % 3))));
                break;
            case Move.StoreTwo:
                Run(token => StoreAsync(process.Archive, DuplicatePolicy.Reject, token,
                    (key, Content(key, pick / 8 % 3)), (Key(pick + 1), Content(Key(pick + 1), 1))));
                break;
            case Move.StoreMany:
                Run(token => StoreAsync(process.Archive, DuplicatePolicy.Replace, token,
                    [.. LargeKeys().Select((large, i) => (large, LargeContent(large, i, pick)))]));
                break;
            case Move.Replace:
                Run(token => StoreAsync(process.Archive, DuplicatePolicy.Replace, token, (key, Content(key, pick / 8 % 3))));
                break;
            case Move.DeleteInstance:
                Run(token => DeleteAsync(process.Archive, key.Study, key.Series, key.Sop, token));
                break;
            case Move.DeleteSeries:
                Run(token => DeleteAsync(process.Archive, key.Study, key.Series, null, token));
                break;
            case Move.DeleteStudy:
                Run(token => DeleteAsync(process.Archive, key.Study, null, null, token));
                break;
            case Move.DeleteMany:
                Run(token => DeleteAsync(process.Archive, LargeStudy, null, null, token));
                break;
            case Move.ForeignPut when !isWithoutEvents:
                Run(_ => ForeignAsync(key, Content(key, pick / 8 % 3, "9.9")));
                break;
            case Move.ForeignDelete when !isWithoutEvents:
                Run(_ => ForeignAsync(key, null));
                break;
            case Move.ForeignBreak when !isWithoutEvents:
                Run(_ => ForeignAsync(key, Content(key, pick / 8 % 3, "9.9")[..^7], isBroken: true));
                break;
            case Move.ForeignDeleteMany when !isWithoutEvents:
                Run(async _ =>
                {
                    foreach (var large in LargeKeys().Skip(pick % 7).Take(100 + pick)) await ForeignAsync(large, null);
                });
                break;
            case Move.Retrieve:
                Run(token => process.Archive.Retrieval.ListAsync(key.Study, key.Series, key.Sop, token));
                break;
            case Move.Event when events.Count > 0 && !isWithoutEvents:
                Deliver(process, events, pick % events.Count, remove: true);
                break;
            case Move.EventAgain when delivered.Count > 0:
                Deliver(process, delivered, pick % delivered.Count, remove: false);
                break;
            case Move.Sweep:
                Run(process.Archive.Sweeper.SweepAsync);
                break;
            case Move.Reconcile:
                Run(token => process.Archive.Reconciler.ReconcileAsync(pick > 44 ? LargeStudy : key.Study, token));
                break;
            case Move.Cancel when requests.Count > 0:
                hasFaults = true;
                requests[pick % requests.Count].Cancel();
                break;
            case Move.Fail when scheduler.Count > 0:
                hasFaults = true;
                scheduler.Fail(pick % scheduler.Count, new StorageFault());
                break;
            case Move.Crash:
                Crash(move.Pick & 1);
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
        return new InstanceKey(Uid.Parse(study), Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{study}.{series}")),
            Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{study}.{series}.{sop}")));
    }

    private static byte[] Content(InstanceKey key, int variant, string implementation = "1.1")
    {
        var made = TestObject.Of(key.Study.Value, key.Series.Value, key.Sop.Value);
        if (variant != 1)
            made.Add(0x00100010, "PN", Names[variant]).Add(0x00080020, "DA", string.Create(CultureInfo.InvariantCulture, $"2020010{variant + 1}"));
        return made.Add(0x00080060, "CS", variant == 2 ? "MR" : "CT").Add(0x00100020, "LO", $"ID{variant}").ToFile(implementation);
    }

    private static IEnumerable<InstanceKey> LargeKeys() => Enumerable.Range(0, LargeInstances)
        .Select(i => new InstanceKey(LargeStudy, Part(i % LargeSeries), Part(1000 + i)));

    private static Uid Part(int number) => Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{LargeStudy}.{number}"));

    // Attributes of study, series and instance that are as long as their form allows: alone each fits a row, together they do not.
    private static byte[] LargeContent(InstanceKey key, int number, int pick)
    {
        var made = TestObject.Of(key.Study.Value, key.Series.Value, key.Sop.Value)
            .Add(0x00080060, "CS", number % 2 == 0 ? "PT" : "MR").Add(0x00100020, "LO", "LARGE");
        uint[] tags = [0x00080080, 0x00102201, 0x00401012, 0x00321033, 0x00081030, 0x00081080, 0x00100021, 0x00101000,
            0x00101001, 0x00101060, 0x00102160, 0x00102180, 0x001021B0, 0x00104000, 0x00200010, 0x00321032, 0x00321060, 0x00380010];
        var text = Encoding.ASCII.GetString([.. Enumerable.Range(0, 65_000).Select(i => (byte)('A' + (i * (number + 7) / 3 % 26)))]);
        if (number < tags.Length && pick % 2 == 0) made.Add(tags[number], "LO", text);
        if (number % 50 == 3) made.Add(0x00080008, "CS", text).Add(0x0008103E, "LO", text).Add(0x00200012, "IS", text);
        return made.ToFile("1.1");
    }

    private async Task StoreAsync(DicomArchive archive, DuplicatePolicy policy,
        CancellationToken cancellationToken, params (InstanceKey Key, byte[] File)[] objects)
    {
        var running = objects.Select(o => new Operation
            { IsStore = true, Concerns = key => key == o.Key, Started = scheduler.Trace.Count, Content = Convert.ToHexString(DataSetOf(o.File)) }).ToArray();
        operations.AddRange(running);
        await using var batch = archive.Store.Begin(new StoreRequest(null, policy, "test"));
        foreach (var (_, file) in objects) await batch.ReceiveAsync(new MemoryStream(file), cancellationToken);
        var results = await batch.CompleteAsync();
        for (var i = 0; i < results.Count; i++) if (results[i].IsStored) running[i].Acknowledged = scheduler.Trace.Count;
    }

    private async Task DeleteAsync(DicomArchive archive, Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        var operation = new Operation { IsStore = false, Started = scheduler.Trace.Count, Concerns = key =>
            key.Study == study && (series is null || key.Series == series) && (sop is null || key.Sop == sop) };
        operations.Add(operation);
        await archive.Removal.DeleteAsync(study, series, sop, cancellationToken);
        operation.Acknowledged = scheduler.Trace.Count;
    }

    // What is cut off is no object: for the index it is as if the one that was there had been deleted, and whatever is stored after it stays.
    private async Task ForeignAsync(InstanceKey key, byte[]? content, bool isBroken = false)
    {
        var operation = new Operation { IsStore = content is not null && !isBroken, Started = scheduler.Trace.Count, Concerns = other =>
            other == key, Content = content is null ? null : Convert.ToHexString(DataSetOf(content)) };
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
        Run(token => HandleAsync(process, change, token));
    }

    // An event whose handling fails or whose handler dies comes again.
    private async Task HandleAsync(Process process, MemoryBlobChange change, CancellationToken cancellationToken)
    {
        try
        {
            underWay.Add((process, change));
            await process.Archive.Events.HandleAsync(new BlobEvent(change.IsDeleted, change.Container, change.Name, change.Time, change.ClientRequestId),
                cancellationToken);
            underWay.Remove((process, change));
        }
        catch (Exception exception) when (exception is IOException || hasFaults)
        {
            underWay.Remove((process, change));
            events.Add(change);
        }
    }

    private readonly List<(Process Process, MemoryBlobChange Change)> underWay = [];
    private readonly List<Task> running = [];

    private void Run(Func<CancellationToken, Task> start)
    {
        var request = new CancellationTokenSource();
        requests.Add(request);
        running.Add(EndAsync());

        // A client that left, or whose request failed, is promised nothing.
        async Task EndAsync()
        {
            try
            {
                await start(request.Token);
            }
            catch (Exception exception) when (hasFaults && exception is StorageFault or OperationCanceledException or IOException)
            {
                scheduler.Trace.Add($"  ended with {exception.GetType().Name}");
            }
            finally
            {
                requests.Remove(request);
            }
        }
    }

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
            if (isWithoutEvents) events.Clear();
            if (events.Count == 0 && world.Journal.Rows.Count == 0 && round > 0) return;
            while (events.Count > 0) Deliver(processes[round & 1], events, 0, remove: true);
            RunToEnd();
            clock.Advance(TimeSpan.FromSeconds(90));
            RunToEnd();
            Run(processes[round & 1].Archive.Sweeper.SweepAsync);
            RunToEnd();
        }
        throw new InvalidOperationException("The journal does not become empty: " + string.Join(", ", world.Journal.Rows.Keys));
    }

    // In turn; one process after the other; the newest first; or mixed.
    private void RunInOrder(int order)
    {
        var mixed = new Random(order);
        scheduler.Run();
        while (IsUnderWay())
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

    // Who waits because others were in its way goes on when time passes.
    private bool IsUnderWay()
    {
        for (var waits = 0; scheduler.Count == 0 && waits < 10; waits++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(200));
            scheduler.Run();
        }
        return scheduler.Count > 0;
    }

    private void RunToEnd()
    {
        scheduler.Run();
        while (IsUnderWay()) scheduler.Release(0);
        foreach (var failed in running.Where(task => task.IsFaulted)) failed.GetAwaiter().GetResult();
        running.RemoveAll(task => task.IsCompleted);
    }

    private void Check()
    {
        new IndexCheck(world).Run();
        foreach (var key in Enumerable.Range(0, 8).Select(Key).Concat(LargeKeys())) CheckPromises(key);
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
            if (operation.IsStore && !rivals.Any(other => !other.IsStore) && present is null)
                throw new InvalidOperationException($"Acknowledged and gone: {key}");
            if (operation.IsStore && rivals.Length == 0 && present != operation.Content)
                throw new InvalidOperationException($"Acknowledged and different: {key}");
            if (!operation.IsStore && !rivals.Any(other => other.IsStore) && present is not null)
                throw new InvalidOperationException($"Deleted and back: {key}");
        }
    }

    private static byte[] DataSetOf(byte[] file) => file[(144 + BitConverter.ToInt32(file, 140))..];
}
