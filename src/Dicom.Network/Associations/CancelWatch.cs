namespace DicomServerless.Dicom.Network;

/// <summary>Watches for the C-CANCEL of one operation, see <see cref="Association.WatchForCancel"/>.</summary>
public sealed class CancelWatch : IDisposable
{
    private readonly Association association;
    private readonly ushort messageId;
    private readonly CancellationTokenSource source;

    internal CancelWatch(Association association, ushort messageId, CancellationToken cancellationToken)
    {
        (this.association, this.messageId) = (association, messageId);
        source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Token = source.Token;
    }

    /// <summary>Cancelled by the C-CANCEL, by the end of the association, and by the caller's own token.</summary>
    public CancellationToken Token { get; }

    /// <summary>Whether a C-CANCEL came: the final response is then <see cref="DimseStatus.Cancel"/>.</summary>
    public bool CancelRequested { get; private set; }

    /// <summary>Ends the watch. What was received meanwhile is the association's next message.</summary>
    public void Dispose()
    {
        association.EndWatch(this);
        source.Dispose();
    }

    internal void Cancel(ushort cancelled)
    {
        if (cancelled != messageId) return;
        CancelRequested = true;
        Cancel();
    }

    internal void Cancel()
    {
        try
        {
            // Not on this thread, which is receiving: the operation may want to receive next.
            _ = source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The operation has just ended by itself.
        }
    }
}
