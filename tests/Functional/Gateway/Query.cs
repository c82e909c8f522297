using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>C-FIND and C-MOVE by our own SCU, every response in sight.</summary>
internal static class Query
{
    /// <summary>An identifier at a level; keys without a value are asked for.</summary>
    public static byte[] Identifier(string level, params (uint Tag, string Vr, string Value)[] keys)
    {
        var identifier = new TestObject().Add(0x00080052, "CS", level);
        foreach (var (tag, vr, value) in keys) identifier.Add(tag, vr, value);
        return identifier.DataSet();
    }

    public static (uint, string, string) Study(string uid) => (0x0020000D, "UI", uid);

    /// <summary>Every response with its status.</summary>
    public static async Task<List<(DimseCommand Command, DataSet? DataSet)>> AskAsync(GatewayProcess gateway,
        Func<Association, DimseCommand> request, Uid sopClass, byte[] identifier, string calling = "MODALITY")
    {
        await using var association = await Modality.Client.ConnectAsync(Modality.Peer(gateway, calling: calling),
            [new(sopClass, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
        var command = request(association);
        await association.SendAsync(command, association.FindContext(sopClass)!, identifier, default);
        var responses = new List<(DimseCommand, DataSet?)>();
        while (await association.ReceiveResponseAsync(command.MessageId, default) is { } response)
        {
            DataSet? dataSet = null;
            if (response.HasDataSet)
                Assert.True(DataSet.TryParse((await response.ReadWholeDataSetAsync(1 << 20, default))!,
                    DicomEncoding.ExplicitLittleEndian, null, out dataSet, out _));
            responses.Add((response.Command, dataSet));
            if (response.Command.Status is not (DimseStatus.Pending or 0xFF01)) break;
        }
        await association.ReleaseAsync(default);
        return responses;
    }

    public static Task<List<(DimseCommand Command, DataSet? DataSet)>> FindAsync(GatewayProcess gateway, byte[] identifier) =>
        AskAsync(gateway, association => DimseCommand.CFind(association.NextMessageId(), WellKnownUids.StudyRootFind), WellKnownUids.StudyRootFind, identifier);

    /// <summary>Every response of a C-MOVE or C-GET of the patient root model.</summary>
    public static Task<List<(DimseCommand Command, DataSet? DataSet)>> MovePatientAsync(GatewayProcess gateway, string destination, byte[] identifier) =>
        AskAsync(gateway, association => DimseCommand.CMove(association.NextMessageId(), WellKnownUids.PatientRootMove, destination),
            WellKnownUids.PatientRootMove, identifier);

    /// <summary>The final response of a C-MOVE.</summary>
    public static async Task<(DimseCommand Command, string[] Failed)> MoveAsync(GatewayProcess gateway, string study, string destination)
    {
        var responses = await AskAsync(gateway, association => DimseCommand.CMove(association.NextMessageId(), WellKnownUids.StudyRootMove, destination),
            WellKnownUids.StudyRootMove, Identifier("STUDY", Study(study)));
        return (responses[^1].Command, responses[^1].DataSet is { } list ? FailedOf(list) : []);
    }

    /// <summary>The final response of a C-GET; the SOP Instance UIDs of what came are added to <paramref name="got"/>.</summary>
    public static async Task<(DimseCommand Command, string[] Failed)> GetAsync(GatewayProcess gateway, string study, List<string> got)
    {
        await using var association = await Modality.ConnectAsync(gateway,
            new ContextProposal(WellKnownUids.StudyRootGet, [TransferSyntax.ExplicitVrLittleEndian.Uid]), Modality.Storage() with { AsScp = true });
        var command = DimseCommand.CGet(association.NextMessageId(), WellKnownUids.StudyRootGet);
        await association.SendAsync(command, association.FindContext(WellKnownUids.StudyRootGet)!, Identifier("STUDY", Study(study)), default);
        while (true)
        {
            var message = (await association.ReceiveAsync(default))!;
            var dataSet = message.HasDataSet ? await message.ReadWholeDataSetAsync(1 << 20, default) : null;
            if (!message.Command.IsResponse)
            {
                got.Add(message.Command.AffectedSopInstanceUid.Value);
                await association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Success), message.Context, default);
                continue;
            }
            if (message.Command.Status == DimseStatus.Pending) continue;
            await association.ReleaseAsync(default);
            return (message.Command, dataSet is not null ? FailedOf(dataSet) : []);
        }
    }

    private static string[] FailedOf(byte[] bytes)
    {
        Assert.True(DataSet.TryParse(bytes, DicomEncoding.ExplicitLittleEndian, null, out var list, out _));
        return FailedOf(list);
    }

    private static string[] FailedOf(DataSet list) => Encoding.ASCII.GetString(list.ValueOf(Tags.FailedSOPInstanceUIDList).Span).TrimEnd('\0').Split('\\');
}
