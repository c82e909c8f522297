namespace DicomServerless.Dicom.Network;

/// <summary>What a requestor usually does on an association.</summary>
public static class AssociationCalls
{
    /// <summary>C-ECHO.</summary>
    /// <returns>The status.</returns>
    /// <exception cref="InvalidOperationException">Verification was not accepted.</exception>
    /// <exception cref="AssociationAbortedException">The association is gone.</exception>
    public static async Task<ushort> EchoAsync(this Association association, CancellationToken cancellationToken)
    {
        var context = association.FindContext(WellKnownUids.Verification) ?? throw new InvalidOperationException("The peer does not support Verification.");
        var command = DimseCommand.CEcho(association.NextMessageId());
        await association.SendAsync(command, context, cancellationToken);
        return (await RespondedAsync(association, command, cancellationToken)).Status;
    }

    /// <summary>C-STORE of a data set, without preamble and group 0002, in the context's transfer syntax.</summary>
    /// <returns>The response.</returns>
    /// <exception cref="AssociationAbortedException">The association is gone; whether the peer has kept the object is not known.</exception>
    public static async Task<DimseCommand> StoreAsync(this Association association, DimseCommand command,
        PresentationContext context, Stream dataSet, CancellationToken cancellationToken)
    {
        await association.SendAsync(command, context, dataSet, cancellationToken);
        return await RespondedAsync(association, command, cancellationToken);
    }

    /// <summary>C-STORE of a data set in memory.</summary>
    /// <returns>The response.</returns>
    /// <exception cref="AssociationAbortedException">The association is gone; whether the peer has kept the object is not known.</exception>
    public static async Task<DimseCommand> StoreAsync(this Association association, DimseCommand command,
        PresentationContext context, ReadOnlyMemory<byte> dataSet, CancellationToken cancellationToken)
    {
        await association.SendAsync(command, context, dataSet, cancellationToken);
        return await RespondedAsync(association, command, cancellationToken);
    }

    private static async Task<DimseCommand> RespondedAsync(Association association, DimseCommand command, CancellationToken cancellationToken)
    {
        var message = await association.ReceiveResponseAsync(command.MessageId, cancellationToken)
            ?? throw new IOException("The peer released the association instead of answering.");
        return message.Command;
    }
}
