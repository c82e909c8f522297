using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What a server's answer says of each instance (PS3.18 10.5.3, I.2).</summary>
internal sealed class StowAnswer
{
    private readonly HashSet<string> stored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ushort> failed = new(StringComparer.Ordinal);

    /// <summary>The Failure Reason of an instance that the answer does not name; null if there is none.</summary>
    public ushort? UnnamedFailure { get; private set; }

    /// <summary>Whether it is there: in Referenced SOP Sequence.</summary>
    public bool HasStored(string sop) => stored.Contains(sop);

    /// <summary>Whether it is in Failed SOP Sequence; the reason is 0x0110 where none is given.</summary>
    public bool HasFailed(string sop, out ushort reason) => failed.TryGetValue(sop, out reason);

    /// <summary>How many instances it says are stored.</summary>
    public int StoredCount => stored.Count;

    /// <summary>The one reason, where one instance failed.</summary>
    public ushort? OnlyFailure => failed.Count == 1 ? failed.Values.First() : UnnamedFailure;

    /// <summary>Reads DICOM JSON. Null for anything else, or when it names no instance at all.</summary>
    public static StowAnswer? TryRead(ReadOnlySpan<byte> json)
    {
        if (!DicomJsonReader.TryRead(json, null, out var dataSet, out _)) return null;
        var answer = new StowAnswer();
        if (dataSet.TryGet(Tags.ReferencedSOPSequence, out var referenced))
            foreach (var item in referenced.Items)
                if (item.TryGetUid(Tags.ReferencedSOPInstanceUID, out var sop)) answer.stored.Add(sop.Value);
        if (dataSet.TryGet(Tags.FailedSOPSequence, out var failures))
            foreach (var item in failures.Items)
            {
                if (item.TryGetUid(Tags.ReferencedSOPInstanceUID, out var sop)) answer.failed[sop.Value] = ReasonOf(item);
                else answer.UnnamedFailure = ReasonOf(item);
            }
        if (dataSet.TryGet(Tags.OtherFailuresSequence, out var others))
            foreach (var item in others.Items) answer.UnnamedFailure = ReasonOf(item);
        return answer.stored.Count + answer.failed.Count > 0 || answer.UnnamedFailure is not null ? answer : null;
    }

    private static ushort ReasonOf(DataSet item) =>
        item.TryGet(Tags.FailureReason, out var reason) && reason.TryGetUInt16(0, out var value) ? value : FailureReasons.Processing;
}

/// <summary>Failure Reasons (PS3.18 I.2, PS3.4 B.2.3) and what the forwarder makes of them.</summary>
internal static class FailureReasons
{
    /// <summary>Processing failure.</summary>
    public const ushort Processing = 0x0110;
    private const ushort Duplicate = 0x0111, AzureAlreadyExists = 45070;

    /// <summary>Gives the verdict. A reason that is not known to pass by itself puts the object into quarantine.</summary>
    /// <param name="reason">The code.</param>
    /// <param name="policy">The AE's duplicate policy.</param>
    /// <param name="duplicatesAreStored">See <see cref="DestinationOptions.DuplicatesAreStored"/>.</param>
    public static Verdict VerdictOf(ushort reason, string? policy, bool duplicatesAreStored) => reason switch
    {
        >= 0xA700 and <= 0xA7FF => Verdict.Transient, // out of resources
        // Servers give it for broken objects and for passing trouble alike.
        Processing => Verdict.Doubtful,
        Duplicate => duplicatesAreStored && policy != "replace" ? Verdict.Done : Verdict.Permanent,
        // The Azure DICOM service: the UID is there, and the content was not compared. With replace that is not what was asked for.
        AzureAlreadyExists => policy == "replace" ? Verdict.Permanent : Verdict.Done,
        _ => Verdict.Permanent, // A9xx, Cxxx, 0122, 0124 …
    };
}

/// <summary>What becomes of an object.</summary>
internal enum Verdict
{
    /// <summary>The destination has it.</summary>
    Done,
    /// <summary>It is sent again for as long as it takes.</summary>
    Transient,
    /// <summary>It is sent again; if it goes on failing while others pass, it goes to quarantine (<see cref="RetryPolicy"/>).</summary>
    Doubtful,
    /// <summary>It goes to quarantine.</summary>
    Permanent,
}
