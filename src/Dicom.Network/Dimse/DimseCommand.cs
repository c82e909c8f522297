using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// A command set (PS3.7 6.3, E): the elements of group 0000. Implicit VR little endian always. Whether a data set follows is not asked here: it is said by
/// the message that was received, and written by the association that sends one.
/// </summary>
public sealed partial record DimseCommand
{
    private readonly SortedList<ushort, byte[]> elements;

    internal DimseCommand(SortedList<ushort, byte[]> elements) => this.elements = elements;

    /// <summary>What is asked or answered.</summary>
    public CommandField Field => (CommandField)(Number(CommandElement.CommandField) ?? 0);

    /// <summary>Whether this answers a request.</summary>
    public bool IsResponse => ((ushort)Field & 0x8000) != 0;

    /// <summary>Message ID of a request.</summary>
    public ushort MessageId => Number(CommandElement.MessageId) ?? 0;

    /// <summary>Message ID Being Responded To, of a response or a C-CANCEL.</summary>
    public ushort MessageIdBeingRespondedTo => Number(CommandElement.MessageIdBeingRespondedTo) ?? 0;

    /// <summary>Affected SOP Class UID; empty when missing or no UID.</summary>
    public Uid AffectedSopClassUid => UidOf(CommandElement.AffectedSopClassUid);

    /// <summary>Affected SOP Instance UID; empty when missing or no UID.</summary>
    public Uid AffectedSopInstanceUid => UidOf(CommandElement.AffectedSopInstanceUid);

    /// <summary>Requested SOP Class UID (N-ACTION, N-GET, N-SET, N-DELETE); empty when missing or no UID.</summary>
    public Uid RequestedSopClassUid => UidOf(CommandElement.RequestedSopClassUid);

    /// <summary>Requested SOP Instance UID; empty when missing or no UID.</summary>
    public Uid RequestedSopInstanceUid => UidOf(CommandElement.RequestedSopInstanceUid);

    /// <summary>Priority: 0 medium, 1 high, 2 low.</summary>
    public ushort Priority => Number(CommandElement.Priority) ?? 0;

    /// <summary>Status of a response; see <see cref="DimseStatus"/>. A response without one failed.</summary>
    public ushort Status => Number(CommandElement.Status) ?? DimseStatus.ProcessingFailure;

    /// <summary>Error Comment (LO, at most 64 characters).</summary>
    public string? ErrorComment => TextOf(CommandElement.ErrorComment);

    /// <summary>Error ID.</summary>
    public ushort? ErrorId => Number(CommandElement.ErrorId);

    /// <summary>Offending Element.</summary>
    public IReadOnlyList<Tag> OffendingElements => TagsOf(CommandElement.OffendingElement);

    /// <summary>Event Type ID (N-EVENT-REPORT).</summary>
    public ushort? EventTypeId => Number(CommandElement.EventTypeId);

    /// <summary>Action Type ID (N-ACTION).</summary>
    public ushort? ActionTypeId => Number(CommandElement.ActionTypeId);

    /// <summary>Move Destination, without padding.</summary>
    public string? MoveDestination => TextOf(CommandElement.MoveDestination);

    /// <summary>Move Originator Application Entity Title of a C-STORE that a C-MOVE caused.</summary>
    public string? MoveOriginatorAeTitle => TextOf(CommandElement.MoveOriginatorAeTitle);

    /// <summary>Move Originator Message ID of a C-STORE that a C-MOVE caused.</summary>
    public ushort? MoveOriginatorMessageId => Number(CommandElement.MoveOriginatorMessageId);

    /// <summary>The counts of sub-operations; null when the response has none.</summary>
    public SubOperations? SubOperations => Number(CommandElement.CompletedSubOperations) is null && Number(CommandElement.RemainingSubOperations) is null ? null
        : new SubOperations(
            Number(CommandElement.RemainingSubOperations), Number(CommandElement.CompletedSubOperations) ?? 0,
            Number(CommandElement.FailedSubOperations) ?? 0, Number(CommandElement.WarningSubOperations) ?? 0);

    /// <summary>Whether the command set says that a data set follows (PS3.7 E.1, Command Data Set Type).</summary>
    internal bool AnnouncesDataSet => Number(CommandElement.CommandDataSetType) is not (null or NoDataSet);

    internal const ushort NoDataSet = 0x0101;

    internal IEnumerable<KeyValuePair<ushort, byte[]>> Elements => elements;

    /// <summary>Two commands are equal when their elements are.</summary>
    public bool Equals(DimseCommand? other) =>
        other is not null && elements.Keys.SequenceEqual(other.elements.Keys)
            && elements.Values.Zip(other.elements.Values).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Field, MessageId, elements.Count);

    /// <summary>The kind and the message id; UIDs stay out of logs.</summary>
    public override string ToString() => $"{Field} {(IsResponse ? MessageIdBeingRespondedTo : MessageId)}";

    private ushort? Number(ushort element) => elements.TryGetValue(element, out var value)
        && value.Length >= 2 ? BinaryPrimitives.ReadUInt16LittleEndian(value) : null;

    private Uid UidOf(ushort element) => elements.TryGetValue(element, out var value) && Uid.TryParsePadded(value, out var uid) ? uid : default;

    private string? TextOf(ushort element) => elements.TryGetValue(element, out var value) ? Encoding.Latin1.GetString(value.AsSpan().Trim(" \0"u8)) : null;

    private Tag[] TagsOf(ushort element)
    {
        if (!elements.TryGetValue(element, out var value)) return [];
        var tags = new Tag[value.Length / 4];
        for (var i = 0; i < tags.Length; i++)
            tags[i] = new Tag(BinaryPrimitives.ReadUInt16LittleEndian(value.AsSpan(4 * i)), BinaryPrimitives.ReadUInt16LittleEndian(value.AsSpan((4 * i) + 2)));
        return tags;
    }
}

/// <summary>The counts in responses of C-MOVE and C-GET (PS3.7 9.3.4.2).</summary>
/// <param name="Remaining">Not begun yet; null when the response does not say, as final ones do not.</param>
/// <param name="Completed">Succeeded.</param>
/// <param name="Failed">Failed.</param>
/// <param name="Warning">Succeeded with a warning.</param>
public readonly record struct SubOperations(int? Remaining, int Completed, int Failed, int Warning);
