using DicomServerless.Archive;
using FsCheck;
using FsCheck.Fluent;

namespace DicomServerless.Unit.Archive;

/// <summary>Whatever happens in whatever order, the index ends up saying what the blobs say (docs/design.md, rules 1 to 10).</summary>
public sealed class ArchiveModelTests(ITestOutputHelper output)
{
    private static readonly int Histories = Archives.ModelHistories;
    /// <summary>Where few histories are asked for (tests/mutate.py), only every fifth step gets a fault.</summary>
    private static readonly int Stride = Histories < 1_000 ? 5 : 1;

    [Fact]
    public void Index_follows_blobs_in_every_history() =>
        Check.One(Settings(Histories * 4 / 5), Prop.ForAll(AnyHistory, history => Play(history, IndexingOnStore.Commit)));

    [Fact]
    public void Index_follows_blobs_in_every_history_when_only_events_index() =>
        Check.One(Settings(Histories / 5), Prop.ForAll(AnyHistory, history => Play(history, IndexingOnStore.Event)));

    /// <summary>What the process wrote down itself must do where no event ever comes (docs/design.md, rule 2).</summary>
    [Fact]
    public void Journal_alone_heals_every_history_without_events() =>
        Check.One(Settings(Histories / 5), Prop.ForAll(AnyHistory, history => Play(history with { IsWithoutEvents = true }, IndexingOnStore.Commit)));

    /// <summary>More instances than a commit holds, more series than a batch, attributes that no row holds together, and deletes of all of it.</summary>
    [Fact]
    public void Index_follows_blobs_of_a_large_study() =>
        Check.One(Settings(Math.Max(1, Histories / 500)).WithEndSize(8), Prop.ForAll(LargeHistory, history => Play(history, IndexingOnStore.Commit, 1000)));

    /// <summary>Every storage operation of these moves fails once and loses its client once; after each the process goes on or dies.</summary>
    [Fact]
    public void Index_follows_blobs_after_a_fault_at_every_step()
    {
        var played = 0;
        HistoryMove M(Move move, int pick) => new(move, pick, []);
        History[] histories =
        [
            new([M(Move.StoreTwo, 0)], 0, IsWithoutEvents: true),
            new([M(Move.StoreTwo, 0), M(Move.Store, 10)], 0, IsWithoutEvents: true),
            new([M(Move.StoreTwo, 0), M(Move.Replace, 16)], 0, IsWithoutEvents: true),
            new([M(Move.StoreTwo, 0), M(Move.Store, 10), M(Move.DeleteStudy, 0)], 0, IsWithoutEvents: true),
            new([M(Move.StoreTwo, 0), M(Move.Store, 10), M(Move.DeleteInstance, 0)], 0, IsWithoutEvents: true),
            new([M(Move.StoreTwo, 0), M(Move.Reconcile, 0)], 0, IsWithoutEvents: true),
            new([M(Move.ForeignPut, 0), M(Move.Retrieve, 0)], 0),
            new([M(Move.ForeignPut, 0), M(Move.Event, 0)], 0),
            new([M(Move.StoreTwo, 0), M(Move.ForeignDelete, 0), M(Move.Reconcile, 0)], 0),
        ];
        foreach (var history in histories)
        {
            foreach (var (isCancellation, crash) in new (bool, int?)[] { (true, null), (false, null), (true, 0), (true, 2), (false, 2), (true, 5) })
            {
                for (var step = 0; PlayWithFault(history, new HistoryFault(step, isCancellation, crash)); step += Stride) played++;
            }
        }
        output.WriteLine($"{played} histories with a fault");
        Assert.True(played >= 1_000 / Stride, $"{played} histories with a fault");
    }

    /// <summary>
    /// A reconcile of the same process reads the study's row anew between a store's put and its commit, and so meets a delete of another process before the
    /// store does.
    /// </summary>
    [Fact]
    public void A_delete_that_a_reconcile_meets_is_not_hidden_from_a_store() =>
        Play(new([new(Move.Reconcile, 1, []), new(Move.Reconcile, 29, []), new(Move.Reconcile, 5, []),
            new(Move.DeleteSeries, 12, []), new(Move.StoreTwo, 35, [])], 0), IndexingOnStore.Commit);

    private static Config Settings(int histories) => Config.QuickThrowOnFailure.WithMaxTest(histories).WithStartSize(2).WithEndSize(24);

    // Of the bits that pick the instance, those that a history uses: with fewer of them more moves meet (one instance, two series, two instances, one study,
    // everything).
    private static readonly int[] Concerned = [0b0000, 0b0100, 0b1000, 0b1100, 0b1110];

    private static readonly Move[] Small = [.. Enum.GetValues<Move>().Where(move => move < Move.StoreMany)];

    private static readonly Move[] Large =
        [Move.StoreMany, Move.StoreMany, Move.DeleteMany, Move.ForeignDeleteMany, Move.Event,
            Move.Reconcile, Move.Sweep, Move.Crash, Move.Cancel, Move.Fail, Move.TimePasses, Move.LongTimePasses];

    private static Arbitrary<History> LargeHistory => Arb.From(
        from order in Gen.Choose(0, 40)
        from moves in Gen.ArrayOf(from move in Gen.Elements(Large)
                                  from pick in Gen.Choose(0, 99)
                                  from steps in Gen.Choose(0, 600)
                                  select new HistoryMove(move, pick, [.. Enumerable.Range(0, steps).Select(step => step * pick % 7)]))
        select new History([new(Move.StoreMany, order, []), .. moves], order),
        history => Shorter(history.Moves).Select(moves => history with { Moves = moves }));

    private static Arbitrary<History> AnyHistory => Arb.From(
        from concerned in Gen.Elements(Concerned)
        from order in Gen.Choose(0, 40)
        from moves in Gen.ArrayOf(from move in Gen.Elements(Small)
                                  from pick in Gen.Choose(0, 47)
                                  from steps in Gen.ArrayOf(Gen.Choose(0, 5))
                                  select new HistoryMove(move, pick & (concerned | ~0b1110), steps))
        select new History(moves, order),
        history => Shorter(history.Moves).Select(moves => history with { Moves = moves }));

    // Fewer moves first, then fewer steps: the shortest history that fails is printed.
    private static IEnumerable<HistoryMove[]> Shorter(HistoryMove[] moves)
    {
        for (var size = moves.Length / 2; size >= 1; size /= 2)
            for (var start = 0; start + size <= moves.Length; start += size) yield return [.. moves[..start], .. moves[(start + size)..]];
        for (var i = 0; i < moves.Length; i++)
        {
            if (moves[i].Steps.Length == 0) continue;
            yield return [.. moves[..i], moves[i] with { Steps = [] }, .. moves[(i + 1)..]];
            yield return [.. moves[..i], moves[i] with { Steps = moves[i].Steps[..^1] }, .. moves[(i + 1)..]];
        }
    }

    private static void Play(History played, IndexingOnStore onStore, int pageSize = 3)
    {
        var history = new ArchiveHistory(onStore, pageSize);
        Explain(history, () => history.Play(played));
    }

    private static bool PlayWithFault(History played, HistoryFault fault)
    {
        var history = new ArchiveHistory(IndexingOnStore.Commit, writesPerRequest: 1);
        var isReached = false;
        Explain(history, () => isReached = history.PlayWithFault(played, fault));
        return isReached;
    }

    private static void Explain(ArchiveHistory history, Action play)
    {
        try
        {
            play();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{exception.Message}\n{history.Trace}", exception);
        }
    }
}
