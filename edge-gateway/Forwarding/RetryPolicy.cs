namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What a failure says about one object.</summary>
internal enum Accusation
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>The answer took other objects and gave 0110 (processing failure) for this one, or gave it for this one alone.</summary>
    NotProcessed,
    /// <summary>The answer does not name the object although it was the only one.</summary>
    NotNamed,
    /// <summary>The request with this object alone was refused with a 4xx status and without a reason.</summary>
    Refused,
    /// <summary>The object alone is larger than the destination takes.</summary>
    TooLarge,
    /// <summary>The destination fails (5xx, reset, no answer) on the request with this object alone.</summary>
    Broken,
}

/// <summary>How the next requests of a study become smaller.</summary>
internal enum BatchSplit
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>Half as many objects.</summary>
    Objects,
    /// <summary>Half as many bytes.</summary>
    Bytes,
}

/// <summary>A request that did not bring everything to the destination, in numbers: all that <see cref="RetryPolicy.Decide"/> looks at.</summary>
internal readonly record struct FailedRequest
{
    /// <summary>How it ended as a whole.</summary>
    public required BatchOutcome Outcome { get; init; }
    /// <summary>Objects in it, at least 1.</summary>
    public required int Objects { get; init; }
    /// <summary>Objects that the destination has now.</summary>
    public int Taken { get; init; }
    /// <summary>Objects whose reason passes by itself (A7xx, out of resources).</summary>
    public int OutOfResources { get; init; }
    /// <summary>Objects with the reason 0110, which servers give for broken objects and for passing trouble alike.</summary>
    public int NotProcessed { get; init; }
    /// <summary>Objects that the answer does not name.</summary>
    public int NotNamed { get; init; }
    /// <summary>Whether it went by <c>/uploads</c>, which is another service than the destination's stores.</summary>
    public bool IsUpload { get; init; }
    /// <summary>Whether an upload got an HTTP answer: then the destination is there, whatever it thinks of uploads.</summary>
    public bool WasAnswered { get; init; }
    /// <summary>Whether its only object is alone because the search for a culprit came down to it, or because it goes by <c>/uploads</c>.</summary>
    public bool IsSingledOut { get; init; }
    /// <summary>Failures of the study in a row before this one.</summary>
    public int StudyFailures { get; init; }
    /// <summary>
    /// Whether the failed request before it had other objects, and nothing was taken in between. Uploads and stores are told apart: they are two services.
    /// </summary>
    public bool FollowsAnother { get; init; }
}

/// <summary>What becomes of a destination, a study and its objects after a request that failed.</summary>
internal readonly record struct RetryDecision
{
    /// <summary>Nothing is sent to the destination for a while, then one request at a time until one succeeds.</summary>
    public bool DestinationWaits { get; init; }
    /// <summary>Nothing goes by <c>/uploads</c> for a while, then one object at a time until one is taken. Stores go on.</summary>
    public bool UploadsWait { get; init; }
    /// <summary>Nothing of the study is sent for a while.</summary>
    public bool StudyWaits { get; init; }
    /// <summary>How the study's next requests become smaller.</summary>
    public BatchSplit Split { get; init; }
    /// <summary>
    /// What the failure says about objects: with <see cref="Accusation.NotProcessed"/> about each that the answer gave 0110 for, else about the first that it
    /// does not name, which goes alone from then on.
    /// </summary>
    public Accusation Accused { get; init; }
    /// <summary>What an operator has to look at; null for nothing.</summary>
    public string? Alarm { get; init; }
}

/// <summary>What is known of an object that was accused.</summary>
/// <param name="Failures">How often, this time included.</param>
/// <param name="FailingFor">The time since the first failure.</param>
/// <param name="OthersTaken">Whether the destination has taken other objects since the first failure.</param>
internal readonly record struct ObjectHistory(int Failures, TimeSpan FailingFor, bool OthersTaken);

/// <summary>What follows from a failed request. Pure: the worker of a destination schedules, and asks here.</summary>
/// <remarks>
/// <para>What a request means as a whole. "Waits" is a back-off of 1 s to 5 minutes (<see cref="Backoff"/>), at least what Retry-After asks for.</para>
/// <code>
/// outcome                                 destination           study                            object
/// Answered, some taken                    trouble is over       half, if some are not named      waits (A7xx); accused (0110); waits (not named)
/// Answered, none taken, some A7xx         waits                 -                                -
/// Answered, none taken, 0110 / not named  waits if in a row     as Broken                        as Broken
/// Answered, each refused for good         -                     -                                quarantine at once
/// TooLarge, several objects               -                     half the bytes                   -
/// TooLarge, one object                    -                     -                                accused
/// Refused (4xx), several objects          waits if in a row     half the objects                 -
/// Refused (4xx), one object               waits if in a row     -                                accused
/// Broken, the first two times             waits if in a row     waits                            -
/// Broken, several objects                 waits if in a row     waits, half the objects          -
/// Broken, one object, the third time      waits if in a row     waits                            accused
/// Broken, one object that was singled out waits if in a row     -                                accused
/// Unavailable (no connection, 503 …)      waits                 -                                -
/// Unauthorized, NotStow                   waits, alarm          -                                -
/// the same and A7xx, for an upload        uploads wait (alarm)  -                                waits, not accused
/// </code>
/// <para>
/// Uploads are another service of the destination than its stores: where an upload got an answer, or failed in a row with another upload, the uploads of the
/// destination wait in place of the destination. So a destination that fails while only large objects wait is asked once for each wait and not once for each
/// object, and uploads that are broken by themselves hold up no store.
/// </para>
/// <para>
/// "Singled out": the search came down to this object, or it goes by <c>/uploads</c>. "In a row": two requests with different objects failed one after the
/// other and nothing was taken in between. That is the destination, not the objects.
/// </para>
/// <para>When an accused object goes to quarantine. All conditions must hold; an object that was not accused never does, however long it waits.</para>
/// <code>
/// accused as     failures   for at least   while others are taken
/// NotProcessed   5          15 min         yes
/// NotNamed       5          15 min         yes
/// Refused        2           1 min         yes
/// TooLarge       3          15 min         no: nothing but its own size matters
/// Broken         10          -             yes
/// </code>
/// <para>
/// So an answer that takes nothing accuses nobody before the search has come down to one object, and a minute of trouble at the destination puts nothing into
/// quarantine.
/// </para>
/// </remarks>
internal static class RetryPolicy
{
    /// <summary>Failures of a study in a row after which the object that causes them is searched for by halving.</summary>
    public const int FailuresBeforeSearch = 3;

    /// <summary>The sentence for an operator beside an object whose file is damaged.</summary>
    public const string DamagedReason = "The file is damaged: its checksum is not that of its name.";

    /// <summary>How long a destination that answered 404 to <c>/uploads</c> while it stored is taken for one without uploads.</summary>
    public static readonly TimeSpan NoUploadsFor = TimeSpan.FromMinutes(5);

    /// <summary>Decides.</summary>
    public static RetryDecision Decide(in FailedRequest request)
    {
        var (isOne, split) = (request.Objects == 1, request.Objects > 1 ? BatchSplit.Objects : BatchSplit.None);
        switch (request.Outcome)
        {
            case BatchOutcome.Unavailable or BatchOutcome.Unauthorized or BatchOutcome.NotStow when request is { IsUpload: true, WasAnswered: true }:
                return new RetryDecision
                {
                    UploadsWait = true,
                    Alarm = request.Outcome == BatchOutcome.Unavailable ? null : "The destination's /uploads refuses the gateway or is no upload service.",
                };
            case BatchOutcome.Answered when request.Taken > 0:
                return new RetryDecision
                {
                    Accused = request.NotProcessed > 0 ? Accusation.NotProcessed : Accusation.None,
                    Split = request.NotNamed > 0 ? split : BatchSplit.None,
                };
            case BatchOutcome.Answered when request.OutOfResources > 0:
                return new RetryDecision { DestinationWaits = !request.IsUpload, UploadsWait = request.IsUpload };
            case BatchOutcome.Answered when request.NotProcessed > 0:
                return Search(request, Accusation.NotProcessed);
            case BatchOutcome.Answered when request.NotNamed > 0:
                return Search(request, Accusation.NotNamed);
            case BatchOutcome.Answered:
                return default;
            case BatchOutcome.TooLarge:
                return isOne ? new RetryDecision { Accused = Accusation.TooLarge } : new RetryDecision { Split = BatchSplit.Bytes };
            case BatchOutcome.Refused:
                return InARow(request) with { Split = split, Accused = isOne ? Accusation.Refused : Accusation.None };
            case BatchOutcome.Broken:
                return Search(request, Accusation.Broken);
            case BatchOutcome.Unauthorized:
                return new RetryDecision { DestinationWaits = true, Alarm = "The destination does not accept the gateway's credentials." };
            case BatchOutcome.NotStow:
                return new RetryDecision { DestinationWaits = true, Alarm = "The destination's URL is not that of a store service." };
            default:
                return new RetryDecision { DestinationWaits = true };
        }
    }

    /// <summary>Whether an accused object goes to quarantine now.</summary>
    public static bool IsForQuarantine(Accusation accusation, ObjectHistory history)
    {
        var (failures, minutes, whileOthersPass) = accusation switch
        {
            Accusation.NotProcessed or Accusation.NotNamed => (5, 15, true),
            Accusation.Refused => (2, 1, true),
            Accusation.TooLarge => (3, 15, false),
            Accusation.Broken => (10, 0, true),
            _ => (int.MaxValue, 0, true),
        };
        return history.Failures >= failures && history.FailingFor >= TimeSpan.FromMinutes(minutes) && (history.OthersTaken || !whileOthersPass);
    }

    /// <summary>The sentence for an operator beside an object that was put into quarantine.</summary>
    public static string Reason(Accusation accusation) => accusation switch
    {
        Accusation.NotProcessed => "The destination cannot process it, and takes others.",
        Accusation.NotNamed => "The destination's answers do not name it.",
        Accusation.Refused => "The destination refuses it, and takes others.",
        Accusation.TooLarge => "It is larger than the destination takes.",
        Accusation.Broken => "The destination fails on it, and takes others.",
        _ => "The destination refused it.",
    };

    // It may be the line or one of the objects: the first failures are waited for, then the object is searched for.
    private static RetryDecision Search(in FailedRequest request, Accusation accusation)
    {
        var isSearched = request.StudyFailures + 1 >= FailuresBeforeSearch;
        return InARow(request) with
        {
            StudyWaits = !request.IsSingledOut,
            Split = isSearched && request.Objects > 1 ? BatchSplit.Objects : BatchSplit.None,
            Accused = request.IsSingledOut || (isSearched && request.Objects == 1) ? accusation : Accusation.None,
        };
    }

    // Two that have nothing in common but the service.
    private static RetryDecision InARow(in FailedRequest request) => new()
    {
        DestinationWaits = request is { FollowsAnother: true, IsUpload: false }, UploadsWait = request is { FollowsAnother: true, IsUpload: true },
    };
}
