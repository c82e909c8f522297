namespace DicomServerless.Dicom.Network;

/// <summary>The states of an association (PS3.8 9.2.1).</summary>
internal enum State
{
    Sta1Idle = 1, Sta2AwaitingRequest, Sta3AwaitingLocalResponse, Sta4AwaitingTransport, Sta5AwaitingAnswer, Sta6Established, Sta7AwaitingReleaseResponse,
    Sta8AwaitingLocalRelease, Sta9CollisionRequestor, Sta10CollisionAcceptor, Sta11CollisionRequestorAwaiting, Sta12CollisionAcceptorLocal, Sta13AwaitingClose,
}

/// <summary>The events (PS3.8 9.2.2).</summary>
internal enum Event
{
    Evt1AssociateRequest = 1, Evt2TransportConfirmed, Evt3AcceptPdu, Evt4RejectPdu, Evt5TransportIndicated, Evt6RequestPdu, Evt7Accept, Evt8Reject, Evt9Data,
    Evt10DataPdu, Evt11ReleaseRequest, Evt12ReleaseRequestPdu, Evt13ReleaseResponsePdu, Evt14ReleaseResponse, Evt15Abort, Evt16AbortPdu, Evt17TransportClosed,
    Evt18ArtimExpired, Evt19InvalidPdu,
}

/// <summary>The actions (PS3.8 9.2.3, tables 9-6 to 9-9).</summary>
internal enum Action
{
    None, Ae1, Ae2, Ae3, Ae4, Ae5, Ae6, Ae7, Ae8, Dt1, Dt2, Ar1, Ar2, Ar3, Ar4, Ar5, Ar6, Ar7, Ar8, Ar9, Ar10, Aa1, Aa2, Aa3, Aa4, Aa5, Aa6, Aa7, Aa8,
}

/// <summary>PS3.8 table 9-10: what to do and where to go when an event comes in a state.</summary>
internal static class StateTable
{
    // A row per event, a column per state 1 to 13; a dot is a blank cell of the standard, which must not happen.
    private const string Table910 = """
        .   .   .   .   .   .   .   .   .   .   .   .   .
        Ae1 .   .   .   .   .   .   .   .   .   .   .   .
        .   .   .   Ae2 .   .   .   .   .   .   .   .   .
        .   Aa1 Aa8 .   Ae3 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa6
        .   Aa1 Aa8 .   Ae4 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa6
        Ae5 .   .   .   .   .   .   .   .   .   .   .   .
        .   Ae6 Aa8 .   Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa7
        .   .   Ae7 .   .   .   .   .   .   .   .   .   .
        .   .   Ae8 .   .   .   .   .   .   .   .   .   .
        .   .   .   .   .   Dt1 .   Ar7 .   .   .   .   .
        .   Aa1 Aa8 .   Aa8 Dt2 Ar6 Aa8 Aa8 Aa8 Aa8 Aa8 Aa6
        .   .   .   .   .   Ar1 .   .   .   .   .   .   .
        .   Aa1 Aa8 .   Aa8 Ar2 Ar8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa6
        .   Aa1 Aa8 .   Aa8 Aa8 Ar3 Aa8 Aa8 Ar10 Ar3 Aa8 Aa6
        .   .   .   .   .   .   .   Ar4 Ar9 .   .   Ar4 .
        .   .   Aa1 Aa2 Aa1 Aa1 Aa1 Aa1 Aa1 Aa1 Aa1 Aa1 .
        .   Aa2 Aa3 .   Aa3 Aa3 Aa3 Aa3 Aa3 Aa3 Aa3 Aa3 Aa2
        .   Aa5 Aa4 Aa4 Aa4 Aa4 Aa4 Aa4 Aa4 Aa4 Aa4 Aa4 Ar5
        .   Aa2 .   .   .   .   .   .   .   .   .   .   Aa2
        .   Aa1 Aa8 .   Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa8 Aa7
        """;

    private static readonly Action[][] Cells = [.. Table910.Split('\n')
        .Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToArray())];

    /// <summary>The action of a cell; <see cref="Action.None"/> for a blank one.</summary>
    public static Action Find(State state, Event happened) => Cells[(int)happened][(int)state - 1];

    /// <summary>Where an action leads. Two lead to one of two states (AE-6, AR-8): <paramref name="second"/> asks for the second.</summary>
    public static State Next(Action action, bool second = false) => action switch
    {
        Action.Ae1 => State.Sta4AwaitingTransport,
        Action.Ae2 => State.Sta5AwaitingAnswer,
        Action.Ae3 or Action.Ae7 or Action.Dt1 or Action.Dt2 => State.Sta6Established,
        Action.Ae5 => State.Sta2AwaitingRequest,
        Action.Ae6 => second ? State.Sta13AwaitingClose : State.Sta3AwaitingLocalResponse,
        Action.Ar1 or Action.Ar6 => State.Sta7AwaitingReleaseResponse,
        Action.Ar2 or Action.Ar7 => State.Sta8AwaitingLocalRelease,
        // A collision of releases: the requestor of the association goes first.
        Action.Ar8 => second ? State.Sta10CollisionAcceptor : State.Sta9CollisionRequestor,
        Action.Ar9 => State.Sta11CollisionRequestorAwaiting,
        Action.Ar10 => State.Sta12CollisionAcceptorLocal,
        Action.Ae8 or Action.Ar4 or Action.Aa1 or Action.Aa6 or Action.Aa7 or Action.Aa8 => State.Sta13AwaitingClose,
        _ => State.Sta1Idle,
    };

    // Enum.Parse reads no attribute and no member that trimming removes: the names are in use.
    private static Action Parse(string cell) => cell == "." ? Action.None : Enum.Parse<Action>(cell);
}
