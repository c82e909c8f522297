using System.Runtime.CompilerServices;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Retrieve;

/// <summary>An instance that has bulk values.</summary>
/// <param name="Instance">Which one.</param>
/// <param name="HasFrames">Whether it has pixel data that can be told apart into frames.</param>
/// <param name="IsEncapsulated">Whether those are compressed as stored.</param>
public sealed record ValuedInstance(StoredInstance Instance, bool HasFrames, bool IsEncapsulated);

/// <summary>All bulk values of a study or a series (PS3.18 10.4.1.1.5).</summary>
public sealed partial class InstanceRetrieval
{
    private static readonly Tag[] PixelTags = [Tags.PixelData, Tags.FloatPixelData, Tags.DoubleFloatPixelData];

    /// <summary>
    /// The instances of a study, series or one instance that have bulk values, in the order of <see cref="ListAsync"/>. Null if there is no instance at all.
    /// </summary>
    public async Task<IReadOnlyList<ValuedInstance>?> ListValuedAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        var found = new List<ValuedInstance>();
        var count = 0;
        // Row by row: the tables of a large study are not in memory together.
        await foreach (var row in ValueRowsAsync(study, series, sop, cancellationToken))
        {
            count++;
            var frames = await FramesOfAsync(row, cancellationToken);
            if (frames is not null || row.Bulk is not null
                || row.DerivedBulk is not null) found.Add(new ValuedInstance(Stored(study, row), frames is { Count: > 0 }, frames is { IsEncapsulated: true }));
        }
        found.Sort((a, b) => ByNumber(a.Instance.Key.Name, a.Instance.InstanceNumber, b.Instance.Key.Name, b.Instance.InstanceNumber));
        return count == 0 ? null : found;
    }

    /// <summary>
    /// Every bulk value of some instances, in order. One that has been deleted since it was listed is passed over. Open each before the next.
    /// </summary>
    public async IAsyncEnumerable<BulkAnswer> BulkAsync(IReadOnlyList<StoredInstance> instances, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var row in RowsAheadAsync(instances, cancellationToken))
        {
            if (await TableAsync(row.State.Bulk, row.State.DerivedBulk, cancellationToken) is not { } table) continue;
            foreach (var entry in BulkTable.Read(table)) yield return Answer(row.Study, row.State, entry);
        }
    }

    /// <summary>
    /// The pixel data of some instances, in order: of a native one the whole value, of an encapsulated one its frames. Float and double float pixel data
    /// count too. One that has been deleted since it was listed is passed over.
    /// </summary>
    public async IAsyncEnumerable<PixelAnswer> PixelDataAsync(IReadOnlyList<StoredInstance> instances,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var row in RowsAheadAsync(instances, cancellationToken))
        {
            if (await FramesOfAsync(row.State, cancellationToken) is not { Count: > 0 } frames) continue;
            var instance = Stored(row.Study, row.State);
            if (!frames.IsEncapsulated && await TableAsync(row.State.Bulk, row.State.DerivedBulk, cancellationToken) is { } table)
            {
                var entries = BulkTable.Read(table).Where(entry => PixelTags.Any(tag => entry.Path == tag.ToString())).ToList();
                foreach (var entry in entries) yield return new PixelAnswer(instance, Answer(row.Study, row.State, entry), null);
                if (entries.Count > 0) continue;
            }
            await foreach (var frame in OpenFramesAsync(instance, frames, Enumerable.Range(1, frames.Count), cancellationToken)) yield return new PixelAnswer(
                instance, null, frame);
        }
    }

    private async IAsyncEnumerable<InstanceState> ValueRowsAsync(Uid study, Uid? series, Uid? sop, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (sop is { } one)
        {
            if (await RowAsync(new InstanceKey(study, series!.Value, one), ValueColumns, cancellationToken) is { } row) yield return row;
            yield break;
        }
        var (from, before) = series is { } only ? Layout.InstanceRows(only) : Layout.AllInstanceRows;
        await foreach (var row in stores.Instances.RowsAsync(
            new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = ValueColumns }, cancellationToken))
            yield return InstanceState.FromRow(row);
    }

    // Some rows are read ahead of the one in use.
    private async IAsyncEnumerable<(Uid Study, InstanceState State)> RowsAheadAsync(IReadOnlyList<StoredInstance> instances,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = new Queue<(Uid Study, Task<InstanceState?> Row)>();
        for (var next = 0; next < instances.Count || ahead.Count > 0;)
        {
            for (; next < instances.Count
                && ahead.Count < options.ReadAhead; next++) ahead.Enqueue(
                (instances[next].Key.Study, RowAsync(instances[next].Key, ValueColumns, cancellationToken)));
            var (study, row) = ahead.Dequeue();
            if (await row is { } state) yield return (study, state);
        }
    }

    private async Task<FrameTable?> FramesOfAsync(InstanceState row, CancellationToken cancellationToken) =>
        await TableAsync(row.Frames, row.DerivedFrames, cancellationToken) is { } bytes ? FrameTable.Parse(bytes) : null;
}
