using DicomServerless.Archive;
using FsCheck;
using FsCheck.Fluent;

namespace DicomServerless.Unit.Archive;

/// <summary>Whatever happens in whatever order, the index ends up saying what the blobs say (design, rules 1 to 10).</summary>
public sealed class ArchiveModelTests
{
    private static readonly int Histories = int.TryParse(Environment.GetEnvironmentVariable("MODEL_HISTORIES"), out var count) ? count : 10_000;

    [Fact]
    public void Index_follows_blobs_in_every_history() => Check.One(Settings(Histories * 4 / 5), Prop.ForAll(AnyHistory, moves => Play(moves, IndexingOnStore.Commit)));

    [Fact]
    public void Index_follows_blobs_in_every_history_when_only_events_index() => Check.One(Settings(Histories / 5), Prop.ForAll(AnyHistory, moves => Play(moves, IndexingOnStore.Event)));

    private static Config Settings(int histories) => Config.QuickThrowOnFailure.WithMaxTest(histories).WithStartSize(2).WithEndSize(24);

    private static Arbitrary<HistoryMove[]> AnyHistory => Arb.From(
        Gen.ArrayOf(from move in Gen.Elements(Enum.GetValues<Move>())
                    from pick in Gen.Choose(0, 47)
                    from steps in Gen.ArrayOf(Gen.Choose(0, 5))
                    select new HistoryMove(move, pick, steps)),
        moves => Shorter(moves));

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

    private static void Play(HistoryMove[] moves, IndexingOnStore onStore)
    {
        var history = new ArchiveHistory(onStore);
        try
        {
            history.Play(moves);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{exception.Message}\n{history.Trace}", exception);
        }
    }
}
