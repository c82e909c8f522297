using System.Buffers;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Unit.Network;

/// <summary>Golden bytes of every PDU, and what is refused (PS3.8 9.3, PS3.7 D.3.3).</summary>
public sealed class PduTests
{
    private const string Request = """
        01 00 000000FE                                              A-ASSOCIATE-RQ, 254 bytes
        0001 0000                                                   version 1, reserved
        53544F52455343502020202020202020                            called  "STORESCP"
        4543484F534355202020202020202020                            calling "ECHOSCU"
        0000000000000000000000000000000000000000000000000000000000000000
        10 00 0015 312E322E3834302E31303030382E332E312E312E31       application context 1.2.840.10008.3.1.1.1
        20 00 002E 01 000000                                        context 1
        30 00 0011 312E322E3834302E31303030382E312E31               abstract syntax 1.2.840.10008.1.1
        40 00 0011 312E322E3834302E31303030382E312E32               transfer syntax 1.2.840.10008.1.2
        50 00 006B                                                  user information
        51 00 0004 00004000                                         maximum length 16,384
        52 00 0005 312E322E33                                       implementation class 1.2.3
        53 00 0004 0005 0006                                        asynchronous operations 5, 6
        54 00 0015 0011 312E322E3834302E31303030382E312E31 00 01    role 1.2.840.10008.1.1: not SCU, SCP
        55 00 0002 5631                                             implementation version "V1"
        56 00 000A 0005 312E322E34 010001                           extended negotiation 1.2.4: 01 00 01
        57 00 0013 0003 312E35 0003 312E36 0007 0005 312E322E37     common extended negotiation 1.5 of 1.6, related 1.2.7
        58 00 000A 02 01 0003 6D6178 0001 70                        user identity "max" with passcode "p", response wanted
        """;

    [Fact]
    public void An_associate_request_is_read_and_written_field_by_field()
    {
        var bytes = Bytes(Request);
        var request = Assert.IsType<AssociateRequest>(Read(bytes));
        Assert.Equal(("STORESCP", "ECHOSCU"), (request.CalledAeTitle, request.CallingAeTitle));
        Assert.Equal(AssociateRequest.DicomApplicationContext, request.ApplicationContext);
        var context = Assert.Single(request.Contexts);
        Assert.Equal((1, "1.2.840.10008.1.1", "1.2.840.10008.1.2"), (context.Id, context.AbstractSyntax.Value, Assert.Single(context.TransferSyntaxes).Value));
        var user = request.User;
        Assert.Equal((16384u, "1.2.3", "V1"), (user.MaxPduLength!.Value, user.ImplementationClass.Value, user.ImplementationVersion));
        Assert.Equal(new AsynchronousOperations(5, 6), user.AsynchronousOperations);
        Assert.Equal(new RoleSelection(Uid.Parse("1.2.840.10008.1.1"), Scu: false, Scp: true), Assert.Single(user.Roles));
        Assert.Equal([1, 0, 1], Assert.Single(user.ExtendedNegotiations).Information.ToArray());
        Assert.Equal("1.2.7", Assert.Single(Assert.Single(user.CommonExtendedNegotiations).RelatedGeneralSopClasses).Value);
        Assert.Equal((UserIdentityType.UsernameAndPasscode, true, "max", "p"),
            (user.UserIdentity!.Type, user.UserIdentity.PositiveResponseRequested, Text(user.UserIdentity.Primary), Text(user.UserIdentity.Secondary)));
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(Write(request)));
    }

    [Theory]
    [InlineData("03 00 00000004 00 01 01 07", "called AE title not recognized (permanent, 1-7)")]
    [InlineData("03 00 00000004 00 02 03 02", "local limit exceeded (transient, 3-2)")]
    [InlineData("03 00 00000004 00 01 02 02", "protocol version not supported (permanent, 2-2)")]
    public void A_rejection_says_why(string hex, string words)
    {
        var reject = Assert.IsType<AssociateReject>(Read(Bytes(hex)));
        Assert.Equal(words, reject.Reason.ToString());
        Assert.Equal(Bytes(hex), Write(reject));
    }

    [Theory]
    [InlineData("05 00 00000004 00000000", typeof(ReleaseRequest))]
    [InlineData("06 00 00000004 00000000", typeof(ReleaseResponse))]
    [InlineData("07 00 00000004 00 00 02 06", typeof(Abort))]
    [InlineData("04 00 0000000A 00000006 01 03 00000000", typeof(DataTransfer))]
    [InlineData("04 00 00000010 00000004 01 03 0000 00000004 01 02 0101", typeof(DataTransfer))]
    public void Short_pdus_are_read_and_written(string hex, Type type)
    {
        var pdu = Read(Bytes(hex));
        Assert.IsType(type, pdu);
        Assert.Equal(Bytes(hex), Write(pdu));
    }

    [Fact]
    public void The_control_header_tells_command_and_last()
    {
        var data = Assert.IsType<DataTransfer>(Read(Bytes("04 00 00000010 00000004 01 01 0000 00000004 03 02 0101")));
        Assert.Equal([(1, true, false), (3, false, true)], data.Values.Select(value => ((int)value.ContextId, value.IsCommand, value.IsLast)));
    }

    [Fact]
    public void An_acceptance_is_read_as_it_was_written()
    {
        var accept = new AssociateAccept
        {
            CalledAeTitle = "A", CallingAeTitle = "B",
                Contexts = [new(1, ContextReason.Acceptance, Uid.Parse("1.2")), new(3, ContextReason.AbstractSyntaxNotSupported, Uid.Parse("1.2"))],
            User = new UserInformation { MaxPduLength = 0, UserIdentityResponse = new byte[] { 1 } },
        };
        var read = Assert.IsType<AssociateAccept>(Read(Write(accept)));
        Assert.Equal(accept.Contexts, read.Contexts);
        Assert.Equal(0u, read.User.MaxPduLength);
        Assert.Equal([1], read.User.UserIdentityResponse!.Value.ToArray());
    }

    [Fact]
    public void Nothing_is_consumed_before_a_pdu_is_whole()
    {
        var bytes = Bytes(Request);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(PduStatus.NeedMore, PduReader.TryRead(bytes.AsSpan(0, length), PduLimits.Default, out _, out var consumed, out _));
            Assert.Equal(0, consumed);
        }
    }

    [Fact]
    public void Items_of_unknown_types_are_ignored()
    {
        var known = Bytes(Request);
        byte[] more = [.. known, .. Bytes("99 00 0002 0102")];
        (more[4], more[5]) = (1, 4);
        Assert.Equal(Write(Read(known)), Write(Read(more)));
    }

    [Theory]
    [InlineData("08", AbortReason.UnrecognizedPdu, "PDU-type")]
    [InlineData("47", AbortReason.UnrecognizedPdu, "PDU-type")]
    [InlineData("01 00 FFFFFFFF", AbortReason.InvalidPduParameterValue, "PDU-length")]
    [InlineData("01 00 00000043", AbortReason.InvalidPduParameterValue, "PDU-length")]
    [InlineData("04 00 FFFFFFFF", AbortReason.InvalidPduParameterValue, "PDU-length")]
    [InlineData("05 00 00000005", AbortReason.InvalidPduParameterValue, "PDU-length")]
    [InlineData("04 00 00000006 00000003 01 03", AbortReason.InvalidPduParameterValue, "Presentation-data-value item-length")]
    [InlineData("04 00 00000006 00000001 01 03", AbortReason.InvalidPduParameterValue, "Presentation-data-value item-length")]
    [InlineData("04 00 00000009 00000002 01 03 000000", AbortReason.InvalidPduParameterValue, "Presentation-data-value item")]
    public void A_wrong_type_or_length_is_refused_as_soon_as_it_is_seen(string hex, AbortReason reason, string field)
    {
        Assert.Equal(PduStatus.Hostile, PduReader.TryRead(Bytes(hex), PduLimits.Default, out _, out _, out var error));
        Assert.Equal((reason, field), (error.Reason, error.Field));
    }

    [Theory]
    [InlineData("10 00 0016 312E322E3834302E31303030382E332E312E312E31", "Item-length of item 10H")]
    [InlineData("10 00 00", "Item header")]
    [InlineData("20 00 0004 02 000000", "Presentation-context-ID")]
    [InlineData("20 00 0003 01 0000", "Presentation context item-length")]
    [InlineData("20 00 000A 01 000000 40 00 0003 312E", "Item-length of item 40H")]
    [InlineData("50 00 0006 51 00 0002 0001", "user information sub-item 51H")]
    [InlineData("50 00 0008 54 00 0004 0005 312E", "user information sub-item 54H")]
    [InlineData("50 00 0008 58 00 0004 01 00 0005", "user information sub-item 58H")]
    public void An_item_that_runs_past_its_bounds_is_refused(string item, string field)
    {
        var items = Bytes(item);
        byte[] pdu = [.. Bytes("01 00 00000000 0001 0000"), .. new byte[64], .. items];
        pdu[5] = (byte)(68 + items.Length);
        Assert.Equal(PduStatus.Hostile, PduReader.TryRead(pdu, PduLimits.Default, out _, out _, out var error));
        Assert.Equal(field, error.Field);
    }

    [Fact]
    public void The_129th_context_is_refused()
    {
        var body = new ArrayBufferWriter<byte>();
        for (var i = 0; i < 129; i++) body.Write(Bytes("20 00 0004 01 000000"));
        byte[] pdu = [.. Bytes("01 00 00000000 0001 0000"), .. new byte[64], .. body.WrittenSpan];
        (pdu[4], pdu[5]) = ((byte)((pdu.Length - 6) >> 8), (byte)(pdu.Length - 6));
        Assert.Equal(PduStatus.Hostile, PduReader.TryRead(pdu, PduLimits.Default, out _, out _, out var error));
        Assert.Equal(("number of presentation contexts", 129), (error.Field, error.Value));
    }

    [Fact]
    public void A_field_that_does_not_fit_its_length_is_never_cut()
    {
        var request = new AssociateRequest
            { CalledAeTitle = "A", CallingAeTitle = "B", User = new() { ExtendedNegotiations = [new(Uid.Parse("1.2"), new byte[70_000])] } };
        Assert.Throws<ArgumentException>(() => Write(request));
        Assert.Throws<ArgumentException>(() => Write(request with { CalledAeTitle = "ABCDEFGHIJKLMNOPQ", User = new() }));
    }

    /// <summary>The hexadecimal columns of a text: what stands before two spaces or at the line's end.</summary>
    internal static byte[] Bytes(string text) =>
        Convert.FromHexString(string.Concat(text.Split('\n').Select(line => line.Trim())
            .Select(line => line.IndexOf("  ", StringComparison.Ordinal) is >= 0 and var end ? line[..end] : line)).Replace(" ", "", StringComparison.Ordinal));

    internal static byte[] Write(Pdu pdu)
    {
        var bytes = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static Pdu Read(byte[] bytes)
    {
        var status = PduReader.TryRead(bytes, PduLimits.Default, out var pdu, out var consumed, out var error);
        Assert.True(status == PduStatus.Done, error.ToString());
        Assert.Equal(bytes.Length, consumed);
        return pdu!;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);
}
