using System.Text;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>The body of a store, byte by byte.</summary>
public sealed class StowContentTests : IDisposable
{
    private const int Block = 64 * 1024;
    private const string Header = "--b\r\nContent-Type: application/dicom\r\n\r\n", Between = "\r\n" + Header;

    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly string root = Directory.CreateTempSubdirectory("stow-").FullName;
    private readonly SpoolQueue queue;

    public StowContentTests() => queue = LooseEntries.Queue(root);

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task The_body_has_each_file_whole_wherever_the_blocks_end()
    {
        (int First, int Second)[] sizes =
        [
            (0, 0), (1, 1), (1000, 0), (Block, Block), (3 * Block, 5), (5, (3 * Block) + 7),
            .. Around(Block - Header.Length, 2).Select(size => (size, 100)), // the first file fills the first block
            .. Around(Block - Header.Length - Between.Length, 3).Select(size => (size, 100)), // the second header just fits into it
            .. Around(Block - Header.Length - Between.Length - 100, 2).Select(size => (size, 100)), // and the second file
        ];
        foreach (var (first, second) in sizes)
        {
            SpoolEntry[] entries = [Store(1, first), Store(2, second), Store(3, 11)];
            var blocks = 0;
            using var content = new StowContent(entries, "b", new Bandwidth(time), () => blocks++);
            using var body = new MemoryStream();
            await content.CopyToAsync(body);
            var expected = Expected(entries);
            Assert.True(body.ToArray().AsSpan().SequenceEqual(expected), $"{first} and {second} bytes: {body.Length} instead of {expected.Length}");
            Assert.InRange(blocks, 1 + ((expected.Length - 1 - "\r\n--b--\r\n".Length) / Block), 2 + (expected.Length / Block));
        }
    }

    [Fact]
    public void It_is_multipart_of_unknown_length()
    {
        using var content = new StowContent([Store(1, 10)], "b", new Bandwidth(time), () => { });
        Assert.Equal("multipart/related; type=\"application/dicom\"; boundary=b", content.Headers.ContentType!.ToString());
        Assert.Null(content.Headers.ContentLength); // so it goes in chunks
    }

    [Fact]
    public async Task Each_block_waits_for_the_line_and_says_that_it_went_out()
    {
        var blocks = 0;
        using var content = new StowContent([Store(1, (3 * Block) - Header.Length)], "b", new Bandwidth(time) { BytesPerSecond = Block }, () => blocks++);
        using var body = new MemoryStream();
        var copy = content.CopyToAsync(body);
        for (var sent = 1; sent < 3; sent++)
        {
            await Task.WhenAny(copy, time.WaitForTimerAsync(TimeSpan.FromSeconds(1)));
            Assert.Equal((sent, sent * Block), (blocks, (int)body.Length));
            time.Advance(TimeSpan.FromSeconds(1));
        }
        await copy;
        Assert.Equal(3, blocks);
    }

    private static IEnumerable<int> Around(int size, int by) => Enumerable.Range(size - by, (2 * by) + 1);

    private SpoolEntry Store(int sequence, int size)
    {
        var entry = LooseEntries.Entry(sequence, size, queue);
        var bytes = new byte[size];
        new Random(sequence).NextBytes(bytes);
        Directory.CreateDirectory(Path.GetDirectoryName(entry.Path)!);
        File.WriteAllBytes(entry.Path, bytes);
        return entry;
    }

    private static byte[] Expected(IEnumerable<SpoolEntry> entries)
    {
        var parts = entries.SelectMany((entry, i) => (byte[])[.. Encoding.ASCII.GetBytes(i == 0 ? Header : Between), .. File.ReadAllBytes(entry.Path)]);
        return [.. parts, .. "\r\n--b--\r\n"u8];
    }
}
