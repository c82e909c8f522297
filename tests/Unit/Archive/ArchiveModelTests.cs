using DicomServerless.Archive;
using FsCheck;
using FsCheck.Fluent;

namespace DicomServerless.Unit.Archive;

/// <summary>Whatever happens in whatever order, the index ends up saying what the blobs say (design, rules 1 to 10).</summary>
public sealed class ArchiveModelTests
{
    private static readonly int Histories = int.TryParse(Environment.GetEnvironmentVariable("MODEL_HISTORIES"), out var count) ? count : 10_000;

    [Fact]
    public void Index_follows_blobs_in_every_history() => Check.One(Settings(Histories * 4 / 5), Prop.ForAll(AnyHistory, history => Play(history, IndexingOnStore.Commit)));

    [Fact]
    public void Index_follows_blobs_in_every_history_when_only_events_index() => Check.One(Settings(Histories / 5), Prop.ForAll(AnyHistory, history => Play(history, IndexingOnStore.Event)));

    /// <summary>A reconcile of the same process reads the study's row anew between a store's put and its commit, and so meets a delete of another process before the store does.</summary>
    [Fact]
    public void A_delete_that_a_reconcile_meets_is_not_hidden_from_a_store() =>
        Play(new([new(Move.Reconcile, 1, []), new(Move.Reconcile, 29, []), new(Move.Reconcile, 5, []), new(Move.DeleteSeries, 12, []), new(Move.StoreTwo, 35, [])], 0), IndexingOnStore.Commit);

    private static Config Settings(int histories) => Config.QuickThrowOnFailure.WithMaxTest(histories).WithStartSize(2).WithEndSize(24);

    // Of the bits that pick the instance, those that a history uses: with fewer of them more moves meet (one instance, two series, two instances, one study, everything).
    private static readonly int[] Concerned = [0b0000, 0b0100, 0b1000, 0b1100, 0b1110];

    private static Arbitrary<History> AnyHistory => Arb.From(
        from concerned in Gen.Elements(Concerned)
        from order in Gen.Choose(0, 40)
        from moves in Gen.ArrayOf(from move in Gen.Elements(Enum.GetValues<Move>())
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

    private static void Play(History played, IndexingOnStore onStore)
    {
        var history = new ArchiveHistory(onStore);
        try
        {
            history.Play(played);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{exception.Message}\n{history.Trace}", exception);
        }
    }
}
