using System.Buffers;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Fuzz.Network;

/// <summary>Broken PDUs and command sets: an answer for each, and what was read can be written and read again.</summary>
public sealed class WireMutationTests
{
    private const int Inputs = 100_000;
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");
    private static readonly Uid Le = TransferSyntax.ExplicitVrLittleEndian.Uid;

    [Fact]
    public void What_is_read_as_a_pdu_is_the_same_after_writing_and_reading()
    {
        Pdu[] seeds =
        [
            new AssociateRequest
            {
                CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = [new(1, Ct, [Le, Ct]), new(3, Ct, [Le])],
                User = new()
                {
                    MaxPduLength = 16384, ImplementationClass = Ct, ImplementationVersion = "V",
                        AsynchronousOperations = new(1, 2), Roles = [new(Ct, true, true)], ExtendedNegotiations = [new(Ct, new byte[3])],
                    CommonExtendedNegotiations = [new(Ct, Le, [Ct])], UserIdentity = new(UserIdentityType.UsernameAndPasscode, true, new byte[3], new byte[2]),
                },
            },
            new AssociateAccept { CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = [new(1, ContextReason.Acceptance, Le)], User = new()
                { UserIdentityResponse = new byte[2] } },
            new AssociateReject(RejectReason.LocalLimitExceeded),
            new DataTransfer([new(1, true, true, new byte[20]), new(1, false, true, new byte[9])]),
            new ReleaseRequest(), new ReleaseResponse(), new Abort(AbortSource.ServiceProvider, AbortReason.UnexpectedPdu),
        ];
        var counts = new int[3];
        Mutate([.. seeds.Select(Write)], 7, bytes =>
        {
            var status = PduReader.TryRead(bytes, PduLimits.Default, out var pdu, out var consumed, out var error);
            counts[(int)status]++;
            Assert.Equal(status == PduStatus.Done, pdu is not null);
            Assert.InRange(consumed, status == PduStatus.Done ? 6 : 0, status == PduStatus.Done ? bytes.Length : 0);
            if (status == PduStatus.Hostile) Assert.False(string.IsNullOrEmpty(error.Field));
            if (pdu is null) return;
            var written = Write(pdu);
            Assert.Equal(PduStatus.Done, PduReader.TryRead(written, PduLimits.Default, out var again, out _, out _));
            Assert.Equal(Convert.ToHexString(written), Convert.ToHexString(Write(again!)));
        });
        Console.WriteLine($"PDU mutations: {Inputs} inputs, {counts[0]} need more, {counts[1]} read, {counts[2]} hostile.");
        Assert.All(counts, count => Assert.True(count > 1000));
    }

    [Fact]
    public void What_is_read_as_a_command_set_is_the_same_after_writing_and_reading()
    {
        DimseCommand[] seeds =
        [
            DimseCommand.CEcho(1), DimseCommand.CStore(2, Ct, Le, "MOVER", 3), DimseCommand.CMove(3, Ct, "DEST"), DimseCommand.CCancel(3),
            DimseCommand.Response(DimseCommand.CMove(3, Ct, "DEST"), DimseStatus.Pending, "comment", new(1, 2, 3, 4), [new Tag(0x0010, 0x0010)]),
                DimseCommand.NAction(4, Ct, Le, 1),
        ];
        var (read, refused) = (0, 0);
        Mutate([.. seeds.Select(seed => Encode(seed, hasDataSet: true))], 11, bytes =>
        {
            if (!CommandSet.TryRead(bytes, out var command, out var offset))
            {
                refused++;
                Assert.InRange(offset, 0, bytes.Length);
                return;
            }
            read++;
            _ = (command!.Status, command.AffectedSopClassUid, command.AffectedSopInstanceUid, command.ErrorComment,
                command.OffendingElements, command.SubOperations, command.MoveDestination, command.ToString());
            var written = Encode(command, hasDataSet: true);
            Assert.True(CommandSet.TryRead(written, out var again, out _));
            Assert.Equal(Convert.ToHexString(written), Convert.ToHexString(Encode(again!, hasDataSet: true)));
        });
        Console.WriteLine($"Command set mutations: {Inputs} inputs, {read} read, {refused} refused.");
        Assert.True(read > 1000 && refused > 1000);
    }

    private static void Mutate(byte[][] seeds, int seed, Action<byte[]> check)
    {
        var random = new Random(seed);
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var changes = random.Next(1, 6); changes > 0 && bytes.Length > 1; changes--)
            {
                var at = random.Next(bytes.Length);
                bytes = random.Next(6) switch
                {
                    0 => bytes[..at],
                    1 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 9))..]],
                    2 => [.. bytes[..at], .. bytes[at..Math.Min(bytes.Length, at + 40)], .. bytes[at..]],
                    3 => [.. bytes[..at], 0xFF, .. bytes[(at + 1)..]],
                    _ => [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
                };
            }
            try
            {
                check(bytes);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Input {i}: {Convert.ToHexString(bytes)}", e);
            }
        }
    }

    private static byte[] Write(Pdu pdu)
    {
        var bytes = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Encode(DimseCommand command, bool hasDataSet)
    {
        var bytes = new ArrayBufferWriter<byte>();
        CommandSet.Write(command, hasDataSet, bytes);
        return bytes.WrittenSpan.ToArray();
    }
}
