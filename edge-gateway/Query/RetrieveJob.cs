using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Scp;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>How the sending of a retrieve over one association ended.</summary>
internal enum RetrieveRun
{
    /// <summary>Everything has its result.</summary>
    Done,
    /// <summary>It was cancelled.</summary>
    Cancelled,
    /// <summary>The source broke off within an object. The association is gone with it; what is left can go over another.</summary>
    Broken,
}

/// <summary>The sub-operations of one C-MOVE or C-GET (PS3.4 C.4.2.1.6, C.4.3.1.3): one C-STORE after the other, pending responses in between.
/// The first of these comes after the first object: some (GDCM) read what the destination gets only then.</summary>
/// <param name="session">Who asked.</param>
/// <param name="request">What was asked.</param>
/// <param name="plan">The instances.</param>
/// <param name="progress">Sends the pending responses.</param>
/// <param name="duplicatesFail">
/// Whether an object that the destination has already (0111) counts as failed; else it is a warning, since nothing is missing there.
/// </param>
internal sealed class RetrieveJob(AssociationSession session, DimseMessage request, RetrievePlan plan, RetrieveProgress progress, bool duplicatesFail)
{
    // Breaks without one object in between: then the archive gives out no more.
    private const int MostBreaks = 3;

    private readonly Dictionary<string, RetrieveItem> left = plan.Items.ToDictionary(item => item.Key.Sop.Value, StringComparer.Ordinal);
    private readonly HashSet<string> broken = new(StringComparer.Ordinal);
    private readonly List<string> failed = [];
    private bool hasReported;
    private int breaks;

    /// <summary>Instances that arrived.</summary>
    public int Completed { get; private set; }

    /// <summary>Instances that arrived with a warning.</summary>
    public int Warnings { get; private set; }

    /// <summary>Instances that did not arrive.</summary>
    public int Failed => failed.Count;

    /// <summary>Bytes of objects sent.</summary>
    public long Bytes { get; private set; }

    /// <summary>The first problem, without patient data.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether the destination still owes a response, because the retrieve was cancelled before it came.</summary>
    public bool HasOutstanding { get; private set; }

    /// <summary>Whether something has no result yet.</summary>
    public bool HasLeft => left.Count > 0;

    private int Remaining => Math.Max(0, plan.Items.Count - Completed - Warnings - Failed);

    /// <summary>Sends every object that has no result yet over an association: the destination's, or the one of the request.</summary>
    public async Task<RetrieveRun> RunAsync(Association target, ObjectSource source, CancelWatch watch, CancellationToken cancellationToken)
    {
        var isGet = target == session.Association;
        progress.Counts = () => new SubOperations(Remaining, Completed, Failed, Warnings);
        HasOutstanding = false;
        var current = "";
        try
        {
            await using var results = source.ReadAsync([.. left.Values], plan.TakesWholeSeries && broken.Count == 0, watch.Token)
                .GetAsyncEnumerator(watch.Token);
            // While the archive makes it wait nothing is being sent on either association.
            while (await progress.WhileAsync(results.MoveNextAsync().AsTask()))
            {
                var found = results.Current;
                if (watch.Token.IsCancellationRequested) return RetrieveRun.Cancelled;
                // One on which the destination dies has not arrived: it stays with what is left.
                current = found.Item.Key.Sop.Value;
                // A C-CANCEL ends a C-MOVE within an object too, whatever its destination does. A C-GET has one association for all: the object in hand goes to
                // its end.
                var sending = SendAsync(target, found, isGet, isGet ? cancellationToken : watch.Token);
                var status = isGet ? await sending : await progress.WhileAsync(sending);
                left.Remove(current);
                breaks = 0;
                Count(found, status);
                if (!hasReported || progress.IsDue) await progress.ReportAsync(cancellationToken);
                hasReported = true;
            }
        }
        catch (AssociationAbortedException exception) when (!isGet)
        {
            FailLeft($"The destination's association ended: {exception.Message}");
            return RetrieveRun.Done;
        }
        catch (OperationCanceledException) when (watch.Token.IsCancellationRequested)
        {
            return RetrieveRun.Cancelled;
        }
        catch (Exception exception)
            when (exception is not AssociationAbortedException and (ArchiveException or IOException or InvalidDataException or HttpRequestException))
        {
            return Break(current);
        }
        FailLeft("The archive did not give it out");
        return RetrieveRun.Done;
    }

    /// <summary>Counts everything that has no result as failed.</summary>
    public void FailLeft(string problem)
    {
        Problem ??= left.Count > 0 ? problem : null;
        failed.AddRange(left.Keys);
        left.Clear();
    }

    /// <summary>The final response (PS3.4 C.4.2.1.5).</summary>
    public async Task EndAsync(bool isCancelled, CancellationToken cancellationToken)
    {
        var counts = new SubOperations(isCancelled ? Remaining : null, Completed, Failed, Warnings);
        var status = StatusOf(isCancelled);
        var response = DimseCommand.Response(request.Command, status, Problem, counts);
        if (failed.Count == 0 || status == DimseStatus.Success) await session.Association.SendAsync(response, request.Context, cancellationToken);
        else await session.Association.SendAsync(response, request.Context, FailedList(), cancellationToken);
    }

    /// <summary>The final status.</summary>
    public ushort StatusOf(bool isCancelled)
    {
        if (isCancelled) return DimseStatus.Cancel;
        if (Failed > 0 && Completed + Warnings == 0) return DimseStatus.UnableToPerformSubOperations;
        // PS3.4 C.4.2.3.1: one or more failures or warnings. Where the archive could not be asked, what waited here went out, and what it has is not known.
        return Failed + Warnings > 0 || plan.Failure is not null ? DimseStatus.Warning : DimseStatus.Success;
    }

    private RetrieveRun Break(string sop)
    {
        const string BrokeOff = "The archive broke off within an object";
        if (!broken.Add(sop) && left.Remove(sop))
        {
            Problem ??= BrokeOff;
            failed.Add(sop);
        }
        if (++breaks == MostBreaks) FailLeft(BrokeOff);
        return RetrieveRun.Broken;
    }

    private async Task<ushort> SendAsync(Association target, RetrievedObject found, bool isGet, CancellationToken cancellationToken)
    {
        if (found.File is not { } file) return Fail(found.Problem ?? "It is no DICOM file");
        var (context, converted) = Context(target, found.Item.SopClass, file.TransferSyntax, isGet);
        if (context is null) return Fail($"{target.CalledAeTitle} takes neither {file.TransferSyntax.Name} nor what it can be converted to");
        if (converted is not null)
        {
            var (other, error) = await file.ConvertAsync(converted, cancellationToken);
            if (other is null) return Fail(error!.Message);
            file = other;
        }
        var command = DimseCommand.CStore(target.NextMessageId(), found.Item.SopClass, found.Item.Key.Sop,
            isGet ? null : session.Association.CallingAeTitle, isGet ? null : request.Command.MessageId);
        var counting = new CountedReads(file.DataSet);
        HasOutstanding = true;
        await target.SendAsync(command, context, counting, cancellationToken);
        Bytes += counting.Count;
        var response = await target.ReceiveResponseAsync(command.MessageId, cancellationToken);
        HasOutstanding = false;
        if (response is null) return Fail("The peer released the association instead of answering");
        if (!DimseStatus.IsDone(response.Command.Status)) Problem ??= $"The peer answered {response.Command.Status:X4}";
        return response.Command.Status;

        ushort Fail(string problem)
        {
            Problem ??= problem;
            return DimseStatus.ProcessingFailure;
        }
    }

    // As stored if the peer takes that, else a plain syntax that it can be rewritten in.
    private static (PresentationContext?, TransferSyntax?) Context(Association target, Uid sopClass, TransferSyntax stored, bool isGet)
    {
        var usable = target.Contexts.Where(context => context.AbstractSyntax == sopClass && (isGet ? context.RequestorIsScp : context.RequestorIsScu)).ToList();
        if (usable.Find(context => context.TransferSyntax == stored.Uid) is { } same) return (same, null);
        foreach (var context in usable)
            if (TransferSyntax.Find(context.TransferSyntax) is { } other && TransferSyntaxConverter.CanConvert(stored, other)) return (context, other);
        return (null, null);
    }

    private void Count(RetrievedObject found, ushort status)
    {
        if (status == DimseStatus.Success) Completed++;
        else if (DimseStatus.IsWarning(status) || (status == DimseStatus.DuplicateSopInstance && !duplicatesFail)) Warnings++;
        else failed.Add(found.Item.Key.Sop.Value);
    }

    // Failed SOP Instance UID List (0008,0058).
    private byte[] FailedList()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>(1024);
        new DataSetWriter(output, AssociationSession.EncodingOf(request.Context))
            .Write(Tags.FailedSOPInstanceUIDList, Vr.UI, Encoding.ASCII.GetBytes(string.Join('\\', failed)));
        return output.WrittenSpan.ToArray();
    }
}
