using System.Buffers;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Unit.Network;

public sealed class DimseCommandTests
{
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");

    [Fact]
    public void A_c_echo_has_the_bytes_of_the_standard() =>
        Assert.Equal(
            Convert.ToHexString(PduTests.Bytes("""
                00000000 04000000 38000000                                          (0000,0000) group length 56
                00000200 12000000 312E322E3834302E31303030382E312E3100              (0000,0002) affected SOP class 1.2.840.10008.1.1
                00000001 02000000 3000                                              (0000,0100) C-ECHO-RQ
                00001001 02000000 0700                                              (0000,0110) message id 7
                00000008 02000000 0101                                              (0000,0800) no data set
                """)),
            Convert.ToHexString(Write(DimseCommand.CEcho(7), hasDataSet: false)));

    [Fact]
    public void A_response_answers_its_request()
    {
        var request = DimseCommand.CStore(9, Ct, Uid.Parse("1.2.3"), "MOVER", 4);
        Assert.Equal(("MOVER", (ushort)4), (request.MoveOriginatorAeTitle, request.MoveOriginatorMessageId!.Value));
        var response = DimseCommand.Response(request, DimseStatus.OutOfResources, new string('x', 80) + "\\", offendingElements: [new Tag(0x0010, 0x0020)]);
        Assert.Equal((CommandField.CStoreResponse, 9, 0xA700, true),
            (response.Field, response.MessageIdBeingRespondedTo, response.Status, response.IsResponse));
        Assert.Equal((Ct, "1.2.3"), (response.AffectedSopClassUid, response.AffectedSopInstanceUid.Value));
        Assert.Equal(new string('x', 64), response.ErrorComment);
        Assert.Equal([new Tag(0x0010, 0x0020)], response.OffendingElements);
    }

    [Fact]
    public void An_n_action_response_names_the_class_as_affected()
    {
        var response = DimseCommand.Response(DimseCommand.NAction(1, WellKnownUids.StorageCommitmentPushModel,
            WellKnownUids.StorageCommitmentPushModelInstance, 1), 0);
        Assert.Equal((WellKnownUids.StorageCommitmentPushModel, WellKnownUids.StorageCommitmentPushModelInstance, (ushort)1),
            (response.AffectedSopClassUid, response.AffectedSopInstanceUid, response.ActionTypeId!.Value));
    }

    [Fact]
    public void Sub_operations_are_counted_and_only_pending_responses_say_what_remains()
    {
        var request = DimseCommand.CMove(2, WellKnownUids.StudyRootMove, "DEST");
        var pending = Read(Write(DimseCommand.Response(request, DimseStatus.Pending, subOperations: new(5, 1, 2, 3)), false));
        Assert.Equal(new SubOperations(5, 1, 2, 3), pending.SubOperations);
        Assert.Null(Read(Write(DimseCommand.Response(request, 0, subOperations: new(null, 1, 0, 0)), false)).SubOperations!.Value.Remaining);
        Assert.Equal("DEST", request.MoveDestination);
    }

    [Fact]
    public void The_sender_says_whether_a_data_set_follows()
    {
        Assert.True(Read(Write(DimseCommand.CFind(1, Ct), hasDataSet: true)).AnnouncesDataSet);
        Assert.False(Read(Write(DimseCommand.CFind(1, Ct), hasDataSet: false)).AnnouncesDataSet);
    }

    [Theory]
    [InlineData("00000001 02000000 30")]
    [InlineData("00000001 FFFFFFFF 3000")]
    [InlineData("08000001 02000000 3000")]
    [InlineData("00000001 0200")]
    [InlineData("00000009 02000000 0000")]
    public void Bytes_that_are_no_command_set_are_refused(string hex) => Assert.False(CommandSet.TryRead(PduTests.Bytes(hex), out _, out _));

    [Theory]
    [InlineData(0x0000, true, false)]
    [InlineData(0xB000, true, false)]
    [InlineData(0xFF01, false, true)]
    [InlineData(0xA700, false, false)]
    public void Statuses_fall_into_kinds(int status, bool done, bool pending) =>
        Assert.Equal((done, pending), (DimseStatus.IsDone((ushort)status), DimseStatus.IsPending((ushort)status)));

    private static byte[] Write(DimseCommand command, bool hasDataSet)
    {
        var bytes = new ArrayBufferWriter<byte>();
        CommandSet.Write(command, hasDataSet, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static DimseCommand Read(byte[] bytes)
    {
        Assert.True(CommandSet.TryRead(bytes, out var command, out _));
        return command!;
    }
}
