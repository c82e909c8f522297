namespace DicomServerless.Dicom.Network;

/// <summary>
/// A received message: its command, and its data set as it arrives. It must be read before the association's next message; what is left unread is skipped.
/// </summary>
public sealed class DimseMessage
{
    private readonly MessageReader reader;
    private readonly Association association;
    private bool begun;
    private bool ended;

    internal DimseMessage(Association association, MessageReader reader, DimseCommand command, PresentationContext context)
    {
        (this.association, this.reader, Command, Context) = (association, reader, command, context);
        HasDataSet = command.AnnouncesDataSet;
        ended = !HasDataSet;
    }

    /// <summary>The command set.</summary>
    public DimseCommand Command { get; }

    /// <summary>The context it came on.</summary>
    public PresentationContext Context { get; }

    /// <summary>Whether a data set follows the command set.</summary>
    public bool HasDataSet { get; }

    /// <summary>
    /// The next bytes of the data set, a piece of the association's receive buffer: valid until the next call. Empty at the end. Cancelling aborts the
    /// association, because the rest of the message would stand in the way of the next.
    /// </summary>
    /// <exception cref="AssociationAbortedException">The association ended before the data set did.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadDataSetAsync(CancellationToken cancellationToken)
    {
        if (ended) return default;
        using var cancel = association.AbortWhen(cancellationToken);
        var fragment = await reader.ReadFragmentAsync(Context.Id, !begun);
        begun = true;
        ended = fragment.IsEmpty;
        return fragment;
    }

    /// <summary>The whole data set, for identifiers and the like; null when it is longer than allowed, and then it is skipped to its end.</summary>
    public async ValueTask<byte[]?> ReadWholeDataSetAsync(int maxBytes, CancellationToken cancellationToken)
    {
        var whole = new MemoryStream();
        var tooLong = false;
        while (await ReadDataSetAsync(cancellationToken) is { IsEmpty: false } fragment)
        {
            tooLong |= whole.Length + fragment.Length > maxBytes;
            if (!tooLong) whole.Write(fragment.Span);
        }
        return tooLong ? null : whole.ToArray();
    }

    internal async ValueTask SkipAsync()
    {
        while (!(await ReadDataSetAsync(CancellationToken.None)).IsEmpty) { }
    }
}
