using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>Memory is bounded by configuration, not by what peers send, and bad peers do not touch good ones.</summary>
public sealed class MemoryTests
{
    private const double MaxMiB = 200;

    [Fact]
    public async Task Fifty_associations_at_once_stay_under_200_MB()
    {
        const int Associations = 50, Each = 6;
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        var pixels = new byte[525_000];
        Random.Shared.NextBytes(pixels);
        await Task.WhenAll(Enumerable.Range(0, Associations).Select(async number =>
        {
            await using var association = await Modality.ConnectAsync(gateway);
            for (var i = 0; i < Each; i++)
            {
                var data = TestObject.Of($"1.2.{number}", $"1.2.{number}.1", $"1.2.{number}.1.{i}").Add(0x7FE00010, "OW", pixels).DataSet();
                Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association, data, $"1.2.{number}.1.{i}"));
            }
            await association.ReleaseAsync(default);
        }));
        var peak = gateway.PeakResidentMiB();
        Console.WriteLine($"Memory: {Associations} associations with {Each} objects of 525 KB each, RSS at most {peak:F1} MiB");
        Assert.Equal(Associations * Each, GatewayProcess.Waiting(await gateway.StatusAsync()));
        Assert.InRange(peak, 1, MaxMiB);
    }

    [Fact]
    public async Task A_huge_object_stays_under_200_MB()
    {
        // 1 GiB in CI; GATEWAY_HUGE_GIB=4 goes beyond what 32 bits count.
        var length = long.Parse(Environment.GetEnvironmentVariable("GATEWAY_HUGE_GIB") ?? "1") << 30;
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb");
        await using var association = await Modality.ConnectAsync(gateway);
        await using var huge = new HugeObject(length);
        var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Modality.SecondaryCapture, Uid.Parse("1.2.3.1.1")),
            association.FindContext(Modality.SecondaryCapture)!, huge, default);
        Assert.Equal(DimseStatus.Success, response.Status);
        await association.ReleaseAsync(default);
        var peak = gateway.PeakResidentMiB();
        Console.WriteLine($"Memory: one object of {length >> 20} MiB, RSS at most {peak:F1} MiB");
        var stored = new DirectoryInfo(gateway.SpoolFolder).EnumerateFiles("*.dcm", SearchOption.AllDirectories).Single().Length;
        Assert.True(stored > length);
        Assert.InRange(peak, 1, MaxMiB);
    }

    [Fact]
    public async Task Bad_peers_are_aborted_with_the_right_reason_and_a_good_one_beside_them_notices_nothing()
    {
        await using var gateway = await GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", new Dictionary<string, string>
            { ["Gateway__Dimse__ArtimSeconds"] = "5", ["Gateway__Dimse__MessageSeconds"] = "5" });
        using var stop = new CancellationTokenSource();
        var good = StoreUntilAsync(gateway, stop.Token);

        // A PDU of 4 GiB: before an association it is not expected there (AA-1: service user, no reason given), in one it is an invalid parameter value (PS3.8
        // table 9-26).
        Assert.Equal([7, 0, 0, 0, 0, 4, 0, 0, 0, 0], await AnswerAsync(gateway, [1, 0, 0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal([7, 0, 0, 0, 0, 4, 0, 0, 2, 6], await AnswerAsync(gateway, [4, 0, 0xFF, 0xFF, 0xFF, 0xFF], isAssociated: true));
        // 100,000 presentation contexts do not fit what is taken; as many as fit are refused by their number.
        Assert.Equal(7, (await AnswerAsync(gateway, Request(100_000)))[0]);
        Assert.Equal(7, (await AnswerAsync(gateway, Request(200)))[0]);
        // One byte a second: the request must come within ARTIM, which closes without a word (AA-2).
        var slow = Enumerable.Range(0, 20).Select(_ => TrickleAsync(gateway, Request(1), isAssociated: false)).ToArray();
        // In an association the message stands still for too long: aborted.
        var slower = Enumerable.Range(0, 20)
            .Select(_ => TrickleAsync(gateway, [4, 0, 0, 0, 0x10, 0, 0, 0, 0x0F, 0xFC, 1, 3, .. new byte[64]], isAssociated: true)).ToArray();
        Assert.All(await Task.WhenAll(slow), Assert.Empty);
        Assert.All(await Task.WhenAll(slower), answer => Assert.Equal([7, 0, 0, 0, 0, 4, 0, 0, 2, 0], answer));

        await stop.CancelAsync();
        var stored = await good;
        var peak = gateway.PeakResidentMiB();
        Console.WriteLine($"Memory: bad peers, {stored} objects of a good one beside them, RSS at most {peak:F1} MiB");
        Assert.True(stored > 0);
        Assert.InRange(peak, 1, MaxMiB);
    }

    private static async Task<int> StoreUntilAsync(GatewayProcess gateway, CancellationToken stopping)
    {
        await using var association = await Modality.ConnectAsync(gateway);
        var stored = 0;
        for (; !stopping.IsCancellationRequested; stored++)
        {
            Assert.Equal(DimseStatus.Success, await Modality.StoreAsync(association,
                TestObject.Of("1.2", "1.2.1", $"1.2.1.{stored}").Add(0x7FE00010, "OW", new byte[100_000]).DataSet(), $"1.2.1.{stored}"));
            await Task.Delay(10, CancellationToken.None);
        }
        await association.ReleaseAsync(default);
        return stored;
    }

    // Everything that the gateway says until it closes.
    private static async Task<byte[]> AnswerAsync(GatewayProcess gateway, byte[] sent, bool isAssociated = false)
    {
        using var socket = await ConnectAsync(gateway, isAssociated);
        try
        {
            await socket.SendAsync(sent);
        }
        catch (SocketException)
        {
            // It had heard enough.
        }
        return await ReadAsync(socket);
    }

    private static async Task<byte[]> TrickleAsync(GatewayProcess gateway, byte[] sent, bool isAssociated)
    {
        using var socket = await ConnectAsync(gateway, isAssociated);
        var answer = ReadAsync(socket);
        foreach (var one in sent)
        {
            if (answer.IsCompleted) break;
            try
            {
                await socket.SendAsync((byte[])[one]);
            }
            catch (SocketException)
            {
                break;
            }
            await Task.WhenAny(answer, Task.Delay(1_000));
        }
        return await answer;
    }

    private static async Task<Socket> ConnectAsync(GatewayProcess gateway, bool isAssociated)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, gateway.DimsePort);
        if (!isAssociated) return socket;
        await socket.SendAsync(Request(1));
        var header = new byte[6];
        await ReadExactlyAsync(socket, header);
        Assert.Equal(2, header[0]);
        await ReadExactlyAsync(socket, new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(2))]);
        return socket;
    }

    private static async Task ReadExactlyAsync(Socket socket, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var count = await socket.ReceiveAsync(bytes.AsMemory(at));
            Assert.True(count > 0);
            at += count;
        }
    }

    private static async Task<byte[]> ReadAsync(Socket socket)
    {
        var all = new List<byte>();
        var buffer = new byte[256];
        try
        {
            for (int count; (count = await socket.ReceiveAsync(buffer)) > 0;) all.AddRange(buffer.AsSpan(0, count));
        }
        catch (SocketException)
        {
            // Closed with bytes of ours unread.
        }
        return [.. all];
    }

    // A-ASSOCIATE-RQ (PS3.8 9.3.2) with so many Verification contexts.
    private static byte[] Request(int contexts)
    {
        var body = new List<byte> { 0, 1, 0, 0 };
        body.AddRange(Encoding.ASCII.GetBytes("DICOMGW".PadRight(16) + "BAD".PadRight(16)));
        body.AddRange(new byte[32]);
        body.AddRange(Item(0x10, "1.2.840.10008.3.1.1.1"u8));
        byte[] context = [.. Item(0x30, "1.2.840.10008.1.1"u8), .. Item(0x40, "1.2.840.10008.1.2"u8)];
        for (var i = 0; i < contexts; i++) body.AddRange(Item(0x20, [(byte)((2 * i) + 1), 0, 0, 0, .. context]));
        body.AddRange(Item(0x50, Item(0x51, [0, 0, 0x40, 0])));
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, body.Count);
        return [1, 0, .. length, .. body];
    }

    private static byte[] Item(byte type, ReadOnlySpan<byte> value) => [type, 0, (byte)(value.Length >> 8), (byte)value.Length, .. value];

    /// <summary>A data set whose pixel data are fragments of zeros, made as they are read.</summary>
    private sealed class HugeObject(long length) : Stream
    {
        private const int Fragment = 1 << 20;
        private readonly byte[] head = TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").Add(0x00280008, "IS", "1").DataSet();
        private readonly byte[] open = [0xE0, 0x7F, 0x10, 0x00, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0];
        private readonly byte[] item = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0x10, 0, .. new byte[Fragment]];
        private readonly byte[] close = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
        private long part;
        private int at;

        private long Parts => 3 + (length / Fragment);

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            while (part < Parts)
            {
                var source = (part == 0 ? head : part == 1 ? open : part == Parts - 1 ? close : item).AsSpan(at);
                var count = Math.Min(source.Length, buffer.Length);
                source[..count].CopyTo(buffer);
                at += count;
                if (count == source.Length) (part, at) = (part + 1, 0);
                if (count > 0) return count;
            }
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
