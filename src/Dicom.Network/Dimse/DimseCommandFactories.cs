using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

// Requests and responses; the elements of each are those of PS3.7 9.3 and 10.3.
public sealed partial record DimseCommand
{
    /// <summary>C-ECHO-RQ (PS3.7 9.3.5.1).</summary>
    public static DimseCommand CEcho(ushort messageId) => Request(CommandField.CEchoRequest, messageId, WellKnownUids.Verification);

    /// <summary>C-STORE-RQ (PS3.7 9.3.1.1). The originator is that of the C-MOVE it belongs to.</summary>
    public static DimseCommand CStore(ushort messageId, Uid sopClass, Uid sopInstance,
        string? moveOriginatorAeTitle = null, ushort? moveOriginatorMessageId = null, ushort priority = 0)
    {
        var command = Request(CommandField.CStoreRequest, messageId, sopClass)
            .With(CommandElement.Priority, priority).With(CommandElement.AffectedSopInstanceUid, sopInstance);
        if (moveOriginatorAeTitle is not null) command.With(CommandElement.MoveOriginatorAeTitle, moveOriginatorAeTitle, 16);
        if (moveOriginatorMessageId is { } id) command.With(CommandElement.MoveOriginatorMessageId, id);
        return command;
    }

    /// <summary>C-FIND-RQ (PS3.7 9.3.2.1).</summary>
    public static DimseCommand CFind(ushort messageId, Uid sopClass, ushort priority = 0) =>
        Request(CommandField.CFindRequest, messageId, sopClass).With(CommandElement.Priority, priority);

    /// <summary>C-GET-RQ (PS3.7 9.3.3.1).</summary>
    public static DimseCommand CGet(ushort messageId, Uid sopClass, ushort priority = 0) =>
        Request(CommandField.CGetRequest, messageId, sopClass).With(CommandElement.Priority, priority);

    /// <summary>C-MOVE-RQ (PS3.7 9.3.4.1).</summary>
    public static DimseCommand CMove(ushort messageId, Uid sopClass, string destination, ushort priority = 0) =>
        Request(CommandField.CMoveRequest, messageId, sopClass).With(CommandElement.Priority, priority).With(CommandElement.MoveDestination, destination, 16);

    /// <summary>C-CANCEL-RQ (PS3.7 9.3.2.3).</summary>
    public static DimseCommand CCancel(ushort messageId) =>
        new DimseCommand([]).With(CommandElement.CommandField, (ushort)CommandField.CCancelRequest).With(CommandElement.MessageIdBeingRespondedTo, messageId);

    /// <summary>N-ACTION-RQ (PS3.7 10.3.4.1).</summary>
    public static DimseCommand NAction(ushort messageId, Uid sopClass, Uid sopInstance, ushort actionType) =>
        new DimseCommand([]).With(CommandElement.CommandField, (ushort)CommandField.NActionRequest).With(CommandElement.MessageId, messageId)
            .With(CommandElement.RequestedSopClassUid, sopClass).With(CommandElement.RequestedSopInstanceUid, sopInstance)
                .With(CommandElement.ActionTypeId, actionType);

    /// <summary>N-EVENT-REPORT-RQ (PS3.7 10.3.1.1).</summary>
    public static DimseCommand NEventReport(ushort messageId, Uid sopClass, Uid sopInstance, ushort eventType) =>
        Request(CommandField.NEventReportRequest, messageId, sopClass)
            .With(CommandElement.AffectedSopInstanceUid, sopInstance).With(CommandElement.EventTypeId, eventType);

    /// <summary>The response to any request: its class, instance, and action or event type come back (PS3.7 9.3, 10.3).</summary>
    /// <param name="request">What is answered.</param>
    /// <param name="status">See <see cref="DimseStatus"/>.</param>
    /// <param name="errorComment">What went wrong, for a human; cut to the 64 characters of LO.</param>
    /// <param name="subOperations">The counts of C-MOVE and C-GET.</param>
    /// <param name="offendingElements">What was wrong in the identifier or data set.</param>
    public static DimseCommand Response(
        DimseCommand request, ushort status, string? errorComment = null, SubOperations? subOperations = null, IReadOnlyList<Tag>? offendingElements = null)
    {
        var response = new DimseCommand([]).With(CommandElement.CommandField, (ushort)((ushort)request.Field | 0x8000))
            .With(CommandElement.MessageIdBeingRespondedTo, request.MessageId).With(CommandElement.Status, status);
        response.Copy(request, CommandElement.AffectedSopClassUid, CommandElement.AffectedSopClassUid);
        response.Copy(request, CommandElement.RequestedSopClassUid, CommandElement.AffectedSopClassUid);
        response.Copy(request, CommandElement.AffectedSopInstanceUid, CommandElement.AffectedSopInstanceUid);
        response.Copy(request, CommandElement.RequestedSopInstanceUid, CommandElement.AffectedSopInstanceUid);
        response.Copy(request, CommandElement.ActionTypeId, CommandElement.ActionTypeId);
        response.Copy(request, CommandElement.EventTypeId, CommandElement.EventTypeId);
        if (errorComment is not null) response.With(CommandElement.ErrorComment, LongString(errorComment), 64);
        if (offendingElements is { Count: > 0 }) response.With(offendingElements);
        if (subOperations is { } counts)
        {
            // PS3.4 C.4.2.1.6: only pending and cancelled responses say what remains.
            if (counts.Remaining is { } remaining) response.With(CommandElement.RemainingSubOperations, Clamp(remaining));
            response.With(CommandElement.CompletedSubOperations, Clamp(counts.Completed)).With(CommandElement.FailedSubOperations, Clamp(counts.Failed))
                .With(CommandElement.WarningSubOperations, Clamp(counts.Warning));
        }
        return response;
    }

    private static ushort Clamp(int count) => (ushort)Math.Clamp(count, 0, ushort.MaxValue);

    private static DimseCommand Request(CommandField field, ushort messageId, Uid sopClass) =>
        new DimseCommand([]).With(CommandElement.CommandField, (ushort)field)
            .With(CommandElement.MessageId, messageId).With(CommandElement.AffectedSopClassUid, sopClass);

    // LO in the default repertoire (PS3.5 6.2): no control characters, no backslash, 64 characters.
    private static string LongString(string text)
    {
        var clean = string.Concat(text.Select(c => c is >= ' ' and <= '~' and not '\\' ? c : '?'));
        return clean.Length <= 64 ? clean : clean[..64];
    }

    private DimseCommand With(ushort element, ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        elements[element] = bytes;
        return this;
    }

    private DimseCommand With(ushort element, Uid value)
    {
        elements[element] = Encoding.ASCII.GetBytes(value.Value.Length % 2 == 0 ? value.Value : value.Value + "\0");
        return this;
    }

    private DimseCommand With(ushort element, string value, int maxLength)
    {
        if (value.Length > maxLength) throw new ArgumentException($"Element (0000,{element:X4}) has at most {maxLength} characters.", nameof(value));
        elements[element] = Encoding.Latin1.GetBytes(value.Length % 2 == 0 ? value : value + " ");
        return this;
    }

    private void With(IReadOnlyList<Tag> tags)
    {
        var bytes = new byte[4 * tags.Count];
        for (var i = 0; i < tags.Count; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4 * i), tags[i].Group);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan((4 * i) + 2), tags[i].Element);
        }
        elements[CommandElement.OffendingElement] = bytes;
    }

    private void Copy(DimseCommand from, ushort source, ushort target)
    {
        if (from.elements.TryGetValue(source, out var value)) elements[target] = value;
    }
}
