using System.Globalization;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Unit.Archive;

/// <summary>What operations cost, counted on the stores: cost follows work (docs/design.md, promise 8).</summary>
public sealed class RequestCountTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task A_delete_of_a_large_study_reads_each_row_at_most_twice()
    {
        const int instances = 5_000;
        await Archives.Open(world).StoreAllAsync(Enumerable.Range(0, instances).Select(i => Instance(i).ToFile()));
        var reads = new Dictionary<string, int>();
        world.Instances.Read = row => reads[row] = reads.GetValueOrDefault(row) + 1;
        Assert.True(await Archives.Open(world).Removal.DeleteAsync(Uid.Parse("1.2.3"), null, null, default));
        world.Instances.Read = null;
        Assert.Equal(instances, reads.Keys.Count(IsInstance));
        Assert.All(reads.Where(row => IsInstance(row.Key)), row => Assert.InRange(row.Value, 1, 2));
        Assert.Empty(world.Uids.Rows);
        Assert.Empty(world.Keys.Rows);
        Assert.Equal(Layout.StudyRowKey, Assert.Single(world.Instances.Rows).Key.Row);
    }

    /// <summary>As a bulk delete by another tool arrives: one event after the other, and each takes the present source of the study's attributes.</summary>
    [Fact]
    public async Task Deletes_by_others_from_the_lowest_name_up_do_not_read_the_rest_of_the_study_each_time()
    {
        const int instances = 400;
        var archive = Archives.Open(world);
        await archive.StoreAllAsync(Enumerable.Range(0, instances).Select(i => Instance(i).ToFile()));
        var reads = 0;
        world.Instances.Read = row => reads += IsInstance(row) ? 1 : 0;
        foreach (var name in world.Dicom.Blobs.Keys.Take(200).ToArray())
        {
            await world.Client().Dicom.DeleteAsync(name, null, null, default);
            await archive.Events.HandleAsync(new BlobEvent(true, "dicom", name, DateTimeOffset.UnixEpoch, null), default);
        }
        Assert.InRange(reads, 200, 200 * 30);
        new IndexCheck(world).Run();
    }

    /// <summary>Someone else is in the way of each commit; what the blob holds stays known.</summary>
    [Fact]
    public async Task A_conflict_does_not_read_the_blob_again()
    {
        var (reads, conflicts) = (0, 0);
        var archive = Archives.Open(world, step: async what =>
        {
            if (what.StartsWith("read ", StringComparison.Ordinal)) reads++;
            if (!what.StartsWith("submit instances", StringComparison.Ordinal) || ++conflicts > 5) return;
            await Archives.Open(world).StoreAsync(Instance(conflicts).ToFile());
        });
        var key = new InstanceKey(Uid.Parse("1.2.3"), Uid.Parse("1.2.3.1"), Uid.Parse("1.2.3.1.100000"));
        await world.Client().Dicom.PutAsync(Layout.BlobName(key), new(Instance(0).ToFile()), new(BlobCondition.None), default);
        await archive.Events.HandleAsync(new BlobEvent(false, "dicom", Layout.BlobName(key), DateTimeOffset.UnixEpoch, null), default);
        Assert.True(conflicts > 5);
        Assert.Equal(1, reads);
        new IndexCheck(world).Run();
    }

    private static bool IsInstance(string row) => row.StartsWith("i:", StringComparison.Ordinal);

    private static TestObject Instance(int number) =>
        TestObject.Of("1.2.3", "1.2.3.1", string.Create(CultureInfo.InvariantCulture, $"1.2.3.1.{100_000 + number}"))
        .Add(0x00100020, "LO", "ID").Add(0x00080020, "DA", "20240101").Add(0x00080060, "CS", "CT");
}
