using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>The sweep works off what others have left, and nothing twice (docs/design.md, rule 2).</summary>
public sealed class SweeperTests
{
    private readonly ManualTime clock = new(Archives.Start);
    private readonly MemoryWorld world;

    public SweeperTests() => world = new MemoryWorld(clock);

    [Fact]
    public async Task A_study_is_reconciled_once_however_many_requests_left_a_row()
    {
        var options = new ArchiveOptions { OnStore = IndexingOnStore.Event, KeepStudySeconds = 0 };
        for (var i = 0; i < 10; i++) await Archives.Open(world, clock, options).StoreAllAsync([Made(2 * i), Made((2 * i) + 1)]);
        Assert.Equal(10, world.Journal.Rows.Count);
        clock.Advance(TimeSpan.FromMinutes(2));
        var listings = 0;
        var archive = Archives.Open(world, clock, options, step: what =>
        {
            if (what.StartsWith("list ", StringComparison.Ordinal)) listings++;
            return Task.CompletedTask;
        });
        Assert.Equal(new SweepResult(10, 0), await archive.Sweeper.SweepAsync(default));
        Assert.Equal(2, listings); // of dicom and of derived
        await archive.CloseAsync();
        Assert.Empty(world.Journal.Rows);
        new IndexCheck(world).Run();
    }

    /// <summary>A row that its process has put off while the study was reconciled stands for what it does now.</summary>
    [Fact]
    public async Task A_row_that_its_process_takes_back_meanwhile_stays()
    {
        var options = new ArchiveOptions { OnStore = IndexingOnStore.Event, KeepStudySeconds = 60 };
        var alive = Archives.Open(world, clock, options);
        await alive.StoreAsync(Made(1));
        for (var i = 2; i < 5; i++) await Archives.Open(world, clock, options).StoreAsync(Made(i));
        clock.Advance(TimeSpan.FromMinutes(2));
        var hasStored = false;
        var sweeping = Archives.Open(world, clock, new ArchiveOptions { KeepStudySeconds = 0 }, step: async what =>
        {
            if (hasStored || !what.StartsWith("answer to list ", StringComparison.Ordinal)) return;
            hasStored = true;
            await Archives.Open(world, clock, options).StoreAsync(Made(8)); // a row of its own, and not due
            await alive.StoreAsync(Made(9));
        });
        await sweeping.Sweeper.SweepAsync(default);
        await sweeping.CloseAsync();
        Assert.Equal(2, world.Journal.Rows.Count);
        clock.Advance(TimeSpan.FromMinutes(2));
        await sweeping.Sweeper.SweepAsync(default);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task All_rows_of_a_study_that_fails_are_put_off_together()
    {
        var options = new ArchiveOptions { OnStore = IndexingOnStore.Event, KeepStudySeconds = 0 };
        for (var i = 0; i < 3; i++) await Archives.Open(world, clock, options).StoreAsync(Made(i));
        clock.Advance(TimeSpan.FromMinutes(2));
        var failures = 0;
        var archive = Archives.Open(world, clock, options, step: what =>
        {
            if (!what.StartsWith("list ", StringComparison.Ordinal)) return Task.CompletedTask;
            failures++;
            throw new StorageFault();
        });
        Assert.Equal(new SweepResult(0, 3), await archive.Sweeper.SweepAsync(default));
        Assert.Equal(1, failures);
        Assert.All(world.Journal.Rows.Values, row => Assert.True(row.Number("Due") > clock.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    /// <summary>A sweep has its time, and a study that takes longer must not be all that every sweep comes to.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_study_at_which_every_sweep_is_cut_off_does_not_hold_up_the_others(bool isSamePartition)
    {
        var options = new ArchiveOptions { OnStore = IndexingOnStore.Event, KeepStudySeconds = 0 };
        var studies = Enumerable.Range(1, 100).Select(i => Uid.Parse($"1.2.{i}")).OrderBy(Layout.JournalPartition, StringComparer.Ordinal).ToArray();
        var stuck = studies[0];
        var others = studies[1..].Where(study => isSamePartition == (Layout.JournalPartition(study) == Layout.JournalPartition(stuck))).Take(3).ToArray();
        foreach (var study in (Uid[])[stuck, .. others])
            await Archives.Open(world, clock, options).StoreAsync(TestObject.Of(study.Value, study + ".1", study + ".1.1").ToFile());
        CancellationTokenSource? stop = null;
        var archive = Archives.Open(world, clock, options,
            step: what => what == "list " + Layout.StudyPrefix(stuck) ? stop!.CancelAsync() : Task.CompletedTask);
        for (var i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(10));
            using (stop = new CancellationTokenSource())
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => archive.Sweeper.SweepAsync(stop.Token));
        }
        Assert.All(others, study => Assert.Contains((study.Value, "s"), world.Instances.Rows.Keys));
    }

    private static byte[] Made(int instance) => TestObject.Of("1.2.3", "1.2.3.1", $"1.2.3.1.{instance + 1}").ToFile();
}
