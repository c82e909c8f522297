namespace DicomServerless.Dicom.Network;

/// <summary>The statuses of DIMSE responses (PS3.7 C, PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5, C.4.3.1.4).</summary>
public static class DimseStatus
{
    /// <summary>Success.</summary>
    public const ushort Success = 0x0000;

    /// <summary>Processing failure.</summary>
    public const ushort ProcessingFailure = 0x0110;

    /// <summary>Duplicate SOP instance.</summary>
    public const ushort DuplicateSopInstance = 0x0111;

    /// <summary>No such SOP instance.</summary>
    public const ushort NoSuchSopInstance = 0x0112;

    /// <summary>No such event type.</summary>
    public const ushort NoSuchEventType = 0x0113;

    /// <summary>No such argument.</summary>
    public const ushort NoSuchArgument = 0x0114;

    /// <summary>Invalid argument value.</summary>
    public const ushort InvalidArgumentValue = 0x0115;

    /// <summary>Invalid SOP instance.</summary>
    public const ushort InvalidSopInstance = 0x0117;

    /// <summary>No such SOP class.</summary>
    public const ushort NoSuchSopClass = 0x0118;

    /// <summary>Class and instance do not belong together.</summary>
    public const ushort ClassInstanceConflict = 0x0119;

    /// <summary>Missing attribute.</summary>
    public const ushort MissingAttribute = 0x0120;

    /// <summary>SOP class not supported.</summary>
    public const ushort SopClassNotSupported = 0x0122;

    /// <summary>No such action type.</summary>
    public const ushort NoSuchActionType = 0x0123;

    /// <summary>Not authorized.</summary>
    public const ushort NotAuthorized = 0x0124;

    /// <summary>Duplicate transaction UID (PS3.3 C.14.1.1).</summary>
    public const ushort DuplicateTransactionUid = 0x0131;

    /// <summary>Duplicate invocation.</summary>
    public const ushort DuplicateInvocation = 0x0210;

    /// <summary>Unrecognized operation.</summary>
    public const ushort UnrecognizedOperation = 0x0211;

    /// <summary>Mistyped argument.</summary>
    public const ushort MistypedArgument = 0x0212;

    /// <summary>Resource limitation.</summary>
    public const ushort ResourceLimitation = 0x0213;

    /// <summary>Refused: out of resources.</summary>
    public const ushort OutOfResources = 0xA700;

    /// <summary>Refused: unable to calculate the number of matches (C-MOVE, C-GET).</summary>
    public const ushort UnableToCountMatches = 0xA701;

    /// <summary>Refused: unable to perform sub-operations (C-MOVE, C-GET).</summary>
    public const ushort UnableToPerformSubOperations = 0xA702;

    /// <summary>Refused: move destination unknown.</summary>
    public const ushort MoveDestinationUnknown = 0xA801;

    /// <summary>The data set or identifier does not match the SOP class.</summary>
    public const ushort DataSetMismatch = 0xA900;

    /// <summary>Warning: data elements were coerced; for C-MOVE and C-GET: sub-operations complete, some failed.</summary>
    public const ushort Warning = 0xB000;

    /// <summary>Warning: a limit of matches was reached (C-FIND).</summary>
    public const ushort MatchesLimited = 0xB001;

    /// <summary>Warning: elements were discarded.</summary>
    public const ushort ElementsDiscarded = 0xB006;

    /// <summary>Warning: the data set does not match the SOP class.</summary>
    public const ushort DataSetMismatchWarning = 0xB007;

    /// <summary>Cannot understand.</summary>
    public const ushort CannotUnderstand = 0xC000;

    /// <summary>Unable to process (C-FIND, C-MOVE, C-GET).</summary>
    public const ushort UnableToProcess = 0xC001;

    /// <summary>Cancelled.</summary>
    public const ushort Cancel = 0xFE00;

    /// <summary>Matches or sub-operations continue.</summary>
    public const ushort Pending = 0xFF00;

    /// <summary>Matches continue; an optional key was not supported.</summary>
    public const ushort PendingWithUnsupportedKeys = 0xFF01;

    /// <summary>Whether more responses follow.</summary>
    public static bool IsPending(ushort status) => status is Pending or PendingWithUnsupportedKeys;

    /// <summary>Whether it worked, maybe not in every respect (PS3.7 C.3).</summary>
    public static bool IsWarning(ushort status) => (status & 0xF000) == 0xB000 || status is 0x0001 or 0x0107 or 0x0116;

    /// <summary>Whether the peer has taken responsibility: success or a warning.</summary>
    public static bool IsDone(ushort status) => status == Success || IsWarning(status);
}
