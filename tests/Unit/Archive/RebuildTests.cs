using System.Globalization;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Unit.Archive;

/// <summary>A rebuild makes the index of everything equal the blobs, from wherever it was cut off (docs/design.md, rule 8).</summary>
public sealed class RebuildTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Theory]
    [InlineData("IMG001.dcm")]
    [InlineData("export/2024/1.dcm")]
    [InlineData("FFF/x")]
    public async Task Blobs_under_any_name_and_in_the_inbox_are_indexed(string name)
    {
        await PutAsync(world.Client().Dicom, name, Study(1));
        await PutAsync(world.Client().Inbox, name, Study(2));
        Assert.Equal(new RebuildResult(2, 0), await Archives.Open(world).Rebuild.RunAsync(default));
        Assert.Equal(2, world.Dicom.Blobs.Count);
        Assert.Empty(world.Inbox.Blobs);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task A_study_that_fails_is_reported_and_the_others_are_rebuilt()
    {
        for (var i = 0; i < 20; i++) await PutAsync(world.Client().Dicom, Layout.BlobName(Key(i)), Study(i));
        var failing = "list " + Layout.StudyPrefix(Key(7).Study);
        var result = await Archives.Open(world, step: what => what == failing ? throw new StorageFault() : Task.CompletedTask).Rebuild.RunAsync(default);
        Assert.Equal(new RebuildResult(19, 1), result);
        Assert.Equal(19, world.Studies.Rows.Count);
        Assert.Contains(world.Journal.Rows.Keys, key => key.Row.StartsWith(Key(7).Study + ":", StringComparison.Ordinal));
        Assert.Equal(new RebuildResult(1, 0), await Archives.Open(world).Rebuild.RunAsync(default));
        new IndexCheck(world).Run();
    }

    /// <summary>A run that ended there would end there again, and nothing behind it would ever be reached.</summary>
    [Fact]
    public async Task A_study_that_fails_among_the_rows_is_passed_over()
    {
        await Archives.Open(world).StoreAllAsync([Study(1), Study(2), Study(3)]);
        world.Dicom.Blobs.Remove(Layout.BlobName(Key(2)));
        world.Keys.Rows.Add(("pid", "NOBODY:79759898999999999999:1.2.8.1"), new TableRow("pid", "NOBODY:79759898999999999999:1.2.8.1") { ETag = "0x0" });
        var failing = "list " + Layout.StudyPrefix(Key(1).Study);
        var listings = 0; // of the first two phases comes one each, with the reconciling of the study
        var archive = Archives.Open(world, step: what => what == failing && ++listings > 2 ? throw new StorageFault() : Task.CompletedTask);
        Assert.Equal(new RebuildResult(1, 1), await archive.Rebuild.RunAsync(default));
        Assert.DoesNotContain(world.Keys.Rows.Keys, key => key.Row.StartsWith("NOBODY", StringComparison.Ordinal));
        Assert.False(world.Derived.Blobs.ContainsKey(IndexRebuild.Mark));
    }

    [Fact]
    public async Task A_failure_among_the_search_rows_is_still_told_by_the_run_that_goes_on()
    {
        for (var i = 0; i < 3; i++) await Archives.Open(world).StoreAsync(Study(i));
        using var stop = new CancellationTokenSource();
        var (isChecking, failures) = (false, 0);
        var cut = Archives.Open(world, step: async what =>
        {
            // The check of search rows begins with a query of all of them; the first study that it looks at fails, and the run ends with the next mark.
            if (what.StartsWith("query studies", StringComparison.Ordinal)) isChecking = true;
            if (isChecking && failures == 0 && what.StartsWith("get instances", StringComparison.Ordinal))
            {
                failures++;
                throw new StorageFault();
            }
            if (failures > 0 && what.StartsWith("query keys", StringComparison.Ordinal)) await stop.CancelAsync();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cut.Rebuild.RunAsync(stop.Token));
        Assert.Equal(1, failures);
        Assert.Equal(new RebuildResult(0, 1, IsContinued: true), await Archives.Open(world).Rebuild.RunAsync(default));
    }

    [Fact]
    public async Task A_rebuild_that_is_cut_off_again_and_again_comes_to_its_end_and_does_no_phase_twice()
    {
        for (var i = 0; i < 30; i++) await PutAsync(world.Client().Dicom, Layout.BlobName(Key(i)), Study(i));
        await Archives.Open(world).StoreAsync(Study(99));
        world.Dicom.Blobs.Remove(Layout.BlobName(Key(99)));
        var (runs, listings) = (0, 0);
        for (var allowed = 2_000; ; runs++)
        {
            using var stop = new CancellationTokenSource();
            var left = allowed;
            listings = 0;
            var cut = Archives.Open(world, options: new ArchiveOptions { KeepStudySeconds = 0 }, step: what =>
            {
                if (what.StartsWith("list ", StringComparison.Ordinal)) listings++;
                return Interlocked.Decrement(ref left) == 0 ? stop.CancelAsync() : Task.CompletedTask;
            });
            try
            {
                await cut.Rebuild.RunAsync(stop.Token);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.True(world.Derived.Blobs.ContainsKey(IndexRebuild.Mark));
            }
        }
        Assert.True(runs > 3, $"{runs} runs");
        Assert.InRange(listings, 0, 1_000);
        Assert.False(world.Derived.Blobs.ContainsKey(IndexRebuild.Mark));
        foreach (var tombstone in world.Instances.Rows.Where(row => row.Key.Row == "s" && row.Value.Number("N") == 0).Select(row => row.Key).ToArray())
            world.Instances.Rows.Remove(tombstone);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Search_rows_that_nothing_claims_go_and_the_check_does_not_ask_for_each_instance()
    {
        await Archives.Open(world).StoreAllAsync(Enumerable.Range(0, 2_000).Select(i => Made("1.2.3", i).ToFile()));
        var stores = world.Client();
        await stores.Uids.SubmitAsync([TableWrite.Upsert(new TableRow(Layout.UidPartition(Uid.Parse("1.2.3.1.5000")), "1.2.3.1.5000:1.2.3:1.2.3.1"))], default);
        await stores.Keys.SubmitAsync([TableWrite.Upsert(new TableRow("pid", "NOBODY:79759898999999999999:1.2.3"))], default);
        await stores.Keys.SubmitAsync([TableWrite.Upsert(new TableRow("series", "1.2.3.77:1.2.3"))], default);
        await stores.Studies.SubmitAsync([TableWrite.Upsert(new TableRow("797598", "98999999999999:1.2.3"))], default);
        var requests = 0;
        var archive = Archives.Open(world, step: what =>
        {
            if (!what.StartsWith("list ", StringComparison.Ordinal) && !what.StartsWith("answer", StringComparison.Ordinal)) requests++;
            return Task.CompletedTask;
        });
        Assert.Equal(default, await archive.Rebuild.RunAsync(default));
        Assert.InRange(requests, 1, 150);
        new IndexCheck(world).Run();
    }

    /// <summary>A row of an earlier version keeps Content Date nowhere but in its metadata.</summary>
    [Fact]
    public async Task Rows_of_an_older_version_are_searched_as_they_are_and_written_anew()
    {
        var archive = Archives.Open(world, options: new ArchiveOptions { KeepStudySeconds = 0 });
        await archive.StoreAsync(Made("1.2.3", 1).Add(0x00080023, "DA", "20240131").ToFile());
        var row = world.Instances.Rows.Single(row => row.Key.Row.StartsWith("i:", StringComparison.Ordinal)).Value;
        row["SV"] = 1;
        row["IA"] = "{}"u8.ToArray();
        Assert.Single(await FindAsync(archive));
        Assert.Equal(0, await archive.Reconciler.ReconcileAsync(Uid.Parse("1.2.3"), default));
        Assert.Equal(new RebuildResult(1, 0), await archive.Rebuild.RunAsync(default));
        row = world.Instances.Rows.Single(row => row.Key.Row.StartsWith("i:", StringComparison.Ordinal)).Value;
        Assert.Equal(Layout.SchemaVersion, row.Number("SV"));
        Assert.Contains("20240131", System.Text.Encoding.ASCII.GetString(row.Bytes("IA")!));
        Assert.Single(await FindAsync(archive));
    }

    /// <summary>An earlier version took them, or limits were looser then: nobody asked for their removal.</summary>
    [Fact]
    public async Task Objects_that_are_not_understood_any_more_stay_where_they_are_and_are_found()
    {
        await Archives.Open(world).StoreAsync(Made("1.2.3", 1).Add(0x00080023, "DA", "20240131").ToFile());
        world.Instances.Rows.Single(row => row.Key.Row.StartsWith("i:", StringComparison.Ordinal)).Value["SV"] = 1;
        var strict = Archives.Open(world, options: new ArchiveOptions { Limits = new DicomLimits { MaxElements = 2 } });
        var result = await strict.Rebuild.RunAsync(default);
        Assert.Equal(0, result.Failed);
        Assert.Single(world.Dicom.Blobs);
        Assert.Empty(world.Rejected.Blobs);
        Assert.Single(await FindAsync(strict));
    }

    /// <summary>The same where the rows are gone, too: that it was stored under this name its metadata say.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Objects_that_are_not_understood_any_more_stay_where_they_are_when_their_rows_are_gone(bool isEvent)
    {
        await Archives.Open(world).StoreAllAsync([Made("1.2.3", 1).ToFile(), Made("1.2.4", 1).ToFile()]);
        foreach (var table in (MemoryTableState[])[world.Instances, world.Studies, world.Keys, world.Uids, world.Journal]) table.Rows.Clear();
        var strict = Archives.Open(world, options: new ArchiveOptions { Limits = new DicomLimits { MaxElements = 4 } });
        if (isEvent)
        {
            foreach (var name in world.Dicom.Blobs.Keys.ToArray())
                await strict.Events.HandleAsync(new BlobEvent(false, "dicom", name, DateTimeOffset.UnixEpoch, null), default);
        }
        else Assert.Equal(new RebuildResult(0, 2), await strict.Rebuild.RunAsync(default));
        Assert.Equal(2, world.Dicom.Blobs.Count);
        Assert.Empty(world.Rejected.Blobs);
        Assert.Equal(new RebuildResult(2, 0), await Archives.Open(world).Rebuild.RunAsync(default));
        new IndexCheck(world).Run();
    }

    private static async Task<IReadOnlyList<byte[]>> FindAsync(DicomArchive archive)
    {
        var query = QidoQuery.Parse(QidoLevel.Instance, Uid.Parse("1.2.3"), Uid.Parse("1.2.3.1"), [new("ContentDate", "20240101-20240201")], out _);
        return (await archive.Search.SearchAsync(query, "", default)).Results;
    }

    private static InstanceKey Key(int study) => new(Uid.Parse($"1.2.8.{study}"), Uid.Parse($"1.2.8.{study}.1"), Uid.Parse($"1.2.8.{study}.1.100"));

    private static byte[] Study(int number) => Made($"1.2.8.{number}", 100).ToFile();

    private static TestObject Made(string study, int instance) =>
        TestObject.Of(study, study + ".1", string.Create(CultureInfo.InvariantCulture, $"{study}.1.{instance}"))
            .Add(0x00100020, "LO", "ID").Add(0x00080020, "DA", "20240101").Add(0x00080060, "CS", "CT");

    private static Task PutAsync(IBlobContainer container, string name, byte[] file) =>
        container.PutAsync(name, new(file), new BlobWrite(BlobCondition.None), default);
}
