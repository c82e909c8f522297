using System.Globalization;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Brings the end of a request into the queue: what was taken leaves the spool, what was refused goes to quarantine, and the rest waits as
/// <see cref="RetryPolicy"/> says.
/// </summary>
internal sealed class BatchSettlement(Lock gate, Spool spool, SpoolQueue queue, DestinationState state, LineRate line, ForwarderContext context)
{
    private readonly record struct Refused(SpoolEntry Entry, QuarantineReason Reason);

    /// <summary>Settles it.</summary>
    /// <param name="study">The study's queue.</param>
    /// <param name="batch">What was sent.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="isUpload">Whether the end is that of an upload; where there are no uploads, large objects go by stores too.</param>
    /// <param name="duration">How long it took.</param>
    /// <returns>How many objects the destination has taken, and how many went to quarantine.</returns>
    public async Task<(int Done, int Quarantined)> SettleAsync(StudyQueue study, Batch batch, BatchResult result, bool isUpload, TimeSpan duration)
    {
        var done = batch.Entries.Where(entry => VerdictOf(result, entry) == Verdict.Done).ToList();
        List<Refused> refused;
        lock (gate)
        {
            if (done.Count > 0) state.Succeed(done.Count, isUpload);
            if (done.Count == batch.Entries.Count)
            {
                line.Measure(batch.Bytes, duration);
                study.Succeed();
                refused = [];
            }
            else refused = Fail(study, batch, result, isUpload, done.Count);
        }
        await spool.CompleteAsync(done);
        state.Throughput.Add(done.Count, done.Sum(entry => entry.Size));
        var moved = new List<SpoolEntry>();
        foreach (var (entry, reason) in refused)
            if (await spool.Quarantine.PutAsync(entry, reason)) moved.Add(entry);
        lock (gate)
        {
            state.Quarantined += moved.Count;
            foreach (var entry in done.Concat(moved)) study.Forget(entry);
        }
        return (done.Count, moved.Count);
    }

    private List<Refused> Fail(StudyQueue study, Batch batch, BatchResult result, bool isUpload, int taken)
    {
        var notNamed = batch.Entries.Where(entry => VerdictOf(result, entry) is null).ToList();
        var notProcessed = batch.Entries.Where(entry => VerdictOf(result, entry) == Verdict.Doubtful).ToList();
        var outOfResources = batch.Entries.Where(entry => VerdictOf(result, entry) == Verdict.Transient).ToList();
        var decision = RetryPolicy.Decide(new FailedRequest
        {
            Outcome = result.Outcome, Objects = batch.Entries.Count, Taken = taken, OutOfResources = outOfResources.Count, NotProcessed = notProcessed.Count,
            NotNamed = notNamed.Count,
            IsUpload = isUpload, WasAnswered = result.Status is not null,
            IsSingledOut = study.IsSingledOut(batch), StudyFailures = study.Backoff.Failures, FollowsAnother = state.Fail(batch, result, isUpload),
        });
        state.Apply(decision, result);
        study.Apply(decision, batch, result);

        var refused = new List<Refused>();
        foreach (var entry in batch.Entries)
            if (VerdictOf(result, entry) == Verdict.Permanent) refused.Add(new Refused(entry, Reason(Accusation.None, entry)));
        // Where others were taken these have waits of their own; where nothing was, the study or the destination waits. An object that uploads as a whole wait
        // for waits a little longer, so that another one is tried; that is not counted as a failure of its own.
        if (taken > 0 || decision is { UploadsWait: true, Accused: Accusation.None })
            foreach (var entry in outOfResources.Concat(notNamed)) study.TroubleOf(entry).Backoff.Fail(result.RetryAfter);
        if (decision.Accused == Accusation.NotProcessed) foreach (var entry in notProcessed) Accuse(entry, mustGoAlone: batch.Entries.Count == 1);
        else if (decision.Accused != Accusation.None && notNamed.Count > 0) Accuse(notNamed[0], mustGoAlone: true);

        ForwarderLog.NotDone(context.Log, queue.Destination, batch.Entries.Count - taken, batch.Entries.Count, result.Outcome, result.Status ?? 0, Wait());
        return refused;

        void Accuse(SpoolEntry entry, bool mustGoAlone)
        {
            var history = study.TroubleOf(entry).Fail(state.Taken, mustGoAlone, result.RetryAfter);
            if (RetryPolicy.IsForQuarantine(decision.Accused, history)) refused.Add(new Refused(entry, Reason(decision.Accused, entry)));
        }

        double Wait()
        {
            var now = context.Time.GetTimestamp();
            return new[] { state.Backoff, study.Backoff, state.Uploads }.Take(isUpload ? 3 : 2).Max(backoff => backoff.Remaining(now).TotalSeconds);
        }

        QuarantineReason Reason(Accusation accusation, SpoolEntry entry) => new()
        {
            Message = RetryPolicy.Reason(accusation), Status = result.Status,
            FailureReason = ReasonOf(result, entry)?.ToString("X4", CultureInfo.InvariantCulture),
            Attempts = study.SentOf(entry), SopInstanceUid = batch.Heads[entry].Sop, SopClassUid = batch.Heads[entry].SopClass,
        };
    }

    private static Verdict? VerdictOf(BatchResult result, SpoolEntry entry) =>
        result.Judgements.TryGetValue(entry, out var judgement) ? judgement.Verdict : null;

    private static ushort? ReasonOf(BatchResult result, SpoolEntry entry) => result.Judgements.TryGetValue(entry, out var judgement) ? judgement.Reason : null;
}
