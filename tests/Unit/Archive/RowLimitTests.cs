using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>Odd objects stay within the service's limits for rows and batches, and keep nobody out of the index.</summary>
public sealed class RowLimitTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public void Indexed_attributes_are_ascending_and_each_there_once()
    {
        foreach (var tags in (Tag[][])[IndexedAttributes.Study, IndexedAttributes.Series, IndexedAttributes.Instance])
        {
            Assert.Equal(tags.Order().Distinct(), tags);
            Assert.All(tags, tag => Assert.True(tags.AsSpan().BinarySearch(tag) >= 0));
        }
        Assert.Contains(Tags.ContentDate, IndexedAttributes.Instance);
    }

    [Fact]
    public async Task Attributes_that_no_row_holds_together_keep_no_neighbour_out_of_the_index()
    {
        var archive = Archives.Open(world);
        // Every study and series attribute as long as it may be, each from another instance; text that does not compress.
        var tags = IndexedAttributes.Study.Concat(IndexedAttributes.Series)
            .Where(tag => tag != Tags.StudyInstanceUID && tag != Tags.Modality && tag != Tags.PatientID && DicomDictionary.VrOf(tag) is not (Vr.SQ or Vr.UI))
            .Distinct().ToArray();
        var random = new Random(1);
        var files = tags.Select((tag, i) => Made(i)
            .Add(tag.Value, "LO",
            Encoding.ASCII.GetString([.. Enumerable.Range(0, IndexedAttributes.MaxAttributeBytes - 100).Select(_ => (byte)random.Next('0', 'z'))])
            .Replace('\\', 'x')).ToFile());
        Assert.All(await archive.StoreAllAsync(files), result => Assert.Equal(StoreOutcome.Stored, result.Outcome));
        Assert.Equal(StoreOutcome.Stored, (await archive.StoreAsync(Made(999).ToFile())).Outcome);
        await archive.CloseAsync();
        Assert.Empty(world.Journal.Rows);
        new IndexCheck(world).Run();
    }

    [Theory]
    [InlineData(65_000)]
    [InlineData(14_000)]
    public async Task An_instance_with_very_long_attributes_is_found_among_its_neighbours(int length)
    {
        var archive = Archives.Open(world);
        var odd = Made(1);
        foreach (var tag in (uint[])[0x00080008, 0x00280100, 0x00200012, 0x00700080, 0x00700081, 0x00420010, 0x00420012])
            odd.Add(tag, "LO", new string('A', length));
        await archive.StoreAllAsync([odd.ToFile(), Made(2).ToFile()]);
        var query = QidoQuery.Parse(QidoLevel.Instance, Uid.Parse("1.2.3"), null, [new("SOPInstanceUID", "*")], out _);
        Assert.Equal(2, (await archive.Search.SearchAsync(query, "", default)).Results.Count);
    }

    [Fact]
    public async Task A_study_of_many_series_is_recounted_in_several_batches()
    {
        var archive = Archives.Open(world, options: new ArchiveOptions { KeepStudySeconds = 0 });
        await archive.StoreAllAsync(Enumerable.Range(0, 250)
            .Select(i => TestObject.Of("1.2.3", $"1.2.3.{i}", $"1.2.3.{i}.1").Add(0x00080060, "CS", "MR").ToFile()));
        // As after a release that keeps one more attribute of a series: every series' row differs.
        foreach (var (key, row) in world.Instances.Rows.ToArray())
            if (Layout.TryParseSeriesRowKey(key.Row, out var series))
                world.Instances.Rows[key] = Changed(row, new SeriesState(Uid.Parse("1.2.3"), series) { Instances = 7 }.ToRow());
        await archive.Reconciler.ReconcileAsync(Uid.Parse("1.2.3"), default);
        new IndexCheck(world).Run();
    }

    private static DicomServerless.Storage.TableRow Changed(DicomServerless.Storage.TableRow row, DicomServerless.Storage.TableRow changed)
    {
        changed.ETag = row.ETag;
        return changed;
    }

    private static TestObject Made(int number) => TestObject.Of("1.2.3", "1.2.3.1", $"1.2.3.1.{number + 1}");
}
