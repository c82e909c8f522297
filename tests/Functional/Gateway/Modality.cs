using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>A modality, played by our own SCU.</summary>
internal static class Modality
{
    public static readonly Uid SecondaryCapture = Uid.Parse("1.2.840.10008.5.1.4.1.1.7");

    public static AssociationClient Client { get; } = new(new AssociationOptions(), TimeProvider.System);

    public static RemoteAe Peer(GatewayProcess gateway, string called = "DICOMGW", string calling = "MODALITY") =>
        new("127.0.0.1", gateway.DimsePort, called, calling);

    public static Task<Association> ConnectAsync(GatewayProcess gateway, params ContextProposal[] contexts) =>
        Client.ConnectAsync(Peer(gateway), contexts.Length > 0 ? contexts : [Storage()], default);

    public static ContextProposal Storage(string? sopClass = null, string? transferSyntax = null) =>
        new(sopClass is null ? SecondaryCapture : Uid.Parse(sopClass),
            [transferSyntax is null ? TransferSyntax.ExplicitVrLittleEndian.Uid : Uid.Parse(transferSyntax)]);

    /// <summary>One secondary capture object on an association of its own.</summary>
    public static async Task<ushort> StoreAsync(GatewayProcess gateway, byte[] dataSet, string sop)
    {
        await using var association = await ConnectAsync(gateway);
        var status = await StoreAsync(association, dataSet, sop);
        await association.ReleaseAsync(default);
        return status;
    }

    public static async Task<ushort> StoreAsync(Association association, ReadOnlyMemory<byte> dataSet, string sop, Uid? sopClass = null) =>
        (await AnswerAsync(association, dataSet, sop, sopClass)).Status;

    public static Task<DimseCommand> AnswerAsync(Association association, ReadOnlyMemory<byte> dataSet, string sop, Uid? sopClass = null)
    {
        var used = sopClass ?? SecondaryCapture;
        return association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), used, Uid.Parse(sop)), association.FindContext(used)!, dataSet, default);
    }
}
