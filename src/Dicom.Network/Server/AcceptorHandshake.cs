namespace DicomServerless.Dicom.Network;

/// <summary>The acceptor's way from a connection to an association (PS3.8 9.2: Sta1, Sta2, Sta3, then Sta6 or Sta13).</summary>
internal static class AcceptorHandshake
{
    /// <summary>Answers exactly once. Null when the association was rejected, and then the layer is in Sta13 until it is disposed.</summary>
    public static async Task<Association?> AcceptAsync(
        long id, Connection connection, UpperLayer layer, AssociationOptions options,
            Func<AssociationRequest, ValueTask<AcceptorDecision>> decide, DateTimeOffset now)
    {
        await layer.RaiseAsync(Event.Evt5TransportIndicated);
        layer.StartArtim();
        var received = await layer.ReceiveAsync();
        // AE-6 has already rejected a protocol version that does not exist.
        if (layer.State != State.Sta3AwaitingLocalResponse) return null;
        var request = (AssociateRequest)received.Pdu!;
        var decision = await decide(new AssociationRequest(request, connection.Remote, connection.Local, connection.PeerCertificate));
        var answer = decision.Policy is { } policy ? Negotiation.Answer(request, policy, options.MaxPduLength) : new AssociateReject(decision.Reason);
        if (answer is not AssociateAccept accept)
        {
            await layer.RaiseAsync(Event.Evt8Reject, answer);
            return null;
        }
        var association = new Association(id, isRequestor: false, connection, layer, options, request, accept, now);
        await layer.RaiseAsync(Event.Evt7Accept, accept);
        return association;
    }
}
